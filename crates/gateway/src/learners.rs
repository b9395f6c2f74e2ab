//! The routers of this process that learn, which outlive the graphs they are in.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use provost_domain::{
    DeploymentId,
    learned::{Arm, Arms, Told},
};

use crate::graph::{Known, Learned, Learner};

/// Deployment, predictor and node.
type Key = (DeploymentId, String, String);

/// All routers that learn, and what is known of those that are not there.
#[derive(Debug)]
pub(crate) struct Learners {
    /// Another name at each start.
    process: String,
    state: Mutex<State>,
}

impl Default for Learners {
    fn default() -> Self {
        Self { process: format!("{:016x}", rand::random::<u64>()), state: Mutex::default() }
    }
}

#[derive(Debug, Default)]
struct State {
    learners: HashMap<Key, Arc<Learner>>,
    known: HashMap<Key, BTreeMap<String, Known>>,
}

impl Learners {
    /// Takes what was learned before.
    pub(crate) fn restore(&self, learned: Vec<Learned>) {
        let known = learned.into_iter().map(|of| ((of.deployment, of.predictor, of.node), from_before(of.children)));
        self.state().known.extend(known);
    }

    /// The router of this name, which goes on with what it knows of those of its children that stay.
    pub(crate) fn learner(&self, key: Key, children: Vec<String>) -> Arc<Learner> {
        let State { learners, known } = &mut *self.state();
        if let Some(learner) = learners.get(&key).filter(|learner| learner.has_children(&children)) {
            return Arc::clone(learner);
        }
        let of = known.entry(key.clone()).or_default();
        of.extend(learners.get(&key).map(|before| before.known()).unwrap_or_default());
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
        let entry = |((deployment, predictor, node), known): (Key, BTreeMap<String, Known>)| {
            let children = known.into_iter().map(|(child, known)| (child, known.all())).collect();
            Learned { deployment, predictor, node, children }
        };
        let mut learned: Vec<Learned> = self.known().into_iter().map(entry).collect();
        learned.sort_by(|one, other| {
            (&one.deployment, &one.predictor, &one.node).cmp(&(&other.deployment, &other.predictor, &other.node))
        });
        learned
    }

    /// What routers were told in this process, which has one predictor.
    pub(crate) fn own(&self) -> Told {
        let own = |known: BTreeMap<String, Known>| -> Arms {
            let told = known.into_iter().filter(|(_, known)| known.own != Arm::default());
            told.map(|(child, known)| (child, known.own)).collect()
        };
        let routers = self.known().into_iter().map(|((.., node), known)| (node, own(known)));
        let routers = routers.filter(|(_, arms)| !arms.is_empty()).collect();
        Told { process: self.process.clone(), routers }
    }

    /// Tells them what other processes know, if that is told to this one.
    pub(crate) fn tell(&self, Told { process, routers }: &Told) {
        if *process != self.process {
            return;
        }
        let none = Arms::new();
        for ((.., node), learner) in &self.state().learners {
            learner.tell(routers.get(node).unwrap_or(&none));
        }
    }

    fn known(&self) -> HashMap<Key, BTreeMap<String, Known>> {
        let State { learners, known } = &*self.state();
        let mut all = known.clone();
        for (key, learner) in learners {
            all.entry(key.clone()).or_default().extend(learner.known());
        }
        all
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn from_before(children: Arms) -> BTreeMap<String, Known> {
    children.into_iter().map(|(child, others)| (child, Known { others, ..Known::default() })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_to_this_process_is_told_apart_from_what_came_before() {
        let id: DeploymentId = serde_json::from_str(r#"{"namespace":"a","name":"b"}"#).unwrap();
        let before = Arm { rewards: 1.0, trials: 2.0 };
        let learned = |arm| Learned {
            deployment: id.clone(),
            predictor: "p".to_owned(),
            node: "r".to_owned(),
            children: Arms::from([("x".to_owned(), arm)]),
        };
        let learners = Learners::default();
        learners.restore(vec![learned(before)]);
        let learner = learners.learner((id.clone(), "p".to_owned(), "r".to_owned()), vec!["x".to_owned()]);
        assert!(learners.own().routers.is_empty());
        learner.learn(0, 1.0, 3);
        let own = Arm { rewards: 3.0, trials: 3.0 };
        assert_eq!(learners.own().routers["r"]["x"], own);
        assert_eq!(learners.learned(), [learned(Arm { rewards: 4.0, trials: 5.0 })]);
        // Others may know more by now, or nothing.
        learners.tell(&Told { process: "another".to_owned(), ..Told::default() });
        assert_eq!(learners.learned(), [learned(Arm { rewards: 4.0, trials: 5.0 })]);
        learners.tell(&Told { process: learners.own().process, ..Told::default() });
        assert_eq!(learners.learned(), [learned(own)]);
    }
}
