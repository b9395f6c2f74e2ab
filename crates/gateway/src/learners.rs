//! The routers of this process that learn, which outlive the graphs they are in.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use provost_domain::DeploymentId;

use crate::graph::{Arm, Learned, Learner};

/// Deployment, predictor and node.
type Key = (DeploymentId, String, String);

/// All routers that learn, and what is known of those that are not there.
#[derive(Debug, Default)]
pub(crate) struct Learners(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    learners: HashMap<Key, Arc<Learner>>,
    known: HashMap<Key, BTreeMap<String, Arm>>,
}

impl Learners {
    /// Takes what was learned before.
    pub(crate) fn restore(&self, learned: Vec<Learned>) {
        let known = learned.into_iter().map(|of| ((of.deployment, of.predictor, of.node), of.children));
        self.state().known.extend(known);
    }

    /// The router of this name, which goes on with what it knows of those of its children that stay.
    pub(crate) fn learner(&self, key: Key, children: Vec<String>) -> Arc<Learner> {
        let State { learners, known } = &mut *self.state();
        if let Some(learner) = learners.get(&key).filter(|learner| learner.has_children(&children)) {
            return Arc::clone(learner);
        }
        let of = known.entry(key.clone()).or_default();
        of.extend(learners.get(&key).map(|before| before.learned()).unwrap_or_default());
        let learner = Arc::new(Learner::new(&key.2, children, of));
        learners.insert(key, Arc::clone(&learner));
        learner
    }

    /// Forgets those of a deployment that is gone.
    pub(crate) fn forget(&self, id: &DeploymentId) {
        let State { learners, known } = &mut *self.state();
        learners.retain(|(of, ..), _| of != id);
        known.retain(|(of, ..), _| of != id);
    }

    /// What all have learned, in order.
    pub(crate) fn learned(&self) -> Vec<Learned> {
        let State { learners, known } = &*self.state();
        let mut all = known.clone();
        for (key, learner) in learners {
            all.entry(key.clone()).or_default().extend(learner.learned());
        }
        let entry = |((deployment, predictor, node), children)| Learned { deployment, predictor, node, children };
        let mut learned: Vec<Learned> = all.into_iter().map(entry).collect();
        learned.sort_by(|one, other| {
            (&one.deployment, &one.predictor, &one.node).cmp(&(&other.deployment, &other.predictor, &other.node))
        });
        learned
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
