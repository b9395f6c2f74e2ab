//! Whether the services of a graph are there: it serves once all of them do.

use std::collections::BTreeSet;

use provost_domain::{
    Deployment, DeploymentId, ResourceName, ServiceGraph,
    deployment::ResourceKind,
    plan::{Desired, DesiredPredictor, Resolution, State},
    port::deployments::{StoreError, StoredDeployment},
};

use super::Reconciler;

impl Reconciler {
    /// The graphs of services that are known: what became of others may be what they wait for.
    pub(super) fn service_graphs(&self) -> impl Iterator<Item = &DeploymentId> {
        let is_graph = |deployment: &Deployment| deployment.kind == ResourceKind::InferenceGraph;
        self.known.iter().filter(move |(_, known)| known.deployment.as_ref().is_some_and(is_graph)).map(|(id, _)| id)
    }

    /// Why the services of a deployment cannot be called yet, if it has any and one cannot.
    pub(super) async fn await_services(&self, deployment: &Deployment) -> Result<Option<Lacks>, StoreError> {
        let graphs = deployment.predictors.iter().filter_map(|predictor| predictor.services.as_ref());
        let mut known = BTreeSet::new();
        for (service, node, step) in graphs.flat_map(ServiceGraph::services) {
            if known.insert(service) {
                let id = DeploymentId { namespace: deployment.id.namespace.clone(), name: service.clone() };
                let stored = self.ports.repository.get(&id).await?;
                if let Some(lacks) = lacking(stored.as_ref(), service, (node, step)) {
                    return Ok(Some(lacks));
                }
            }
        }
        Ok(None)
    }
}

/// What is missing.
pub(super) struct Lacks {
    state: State,
    reason: String,
}

/// What is desired of a deployment whose services are not there yet.
pub(super) fn held_back(desired: Desired, Lacks { state, reason }: &Lacks) -> Desired {
    let hold = |mut predictor: DesiredPredictor| {
        if let Resolution::Resolved(revision) = predictor.revision {
            predictor.revision = Resolution::HeldBack { revision, state: *state, reason: reason.clone() };
        }
        predictor
    };
    Desired { predictors: desired.predictors.into_iter().map(hold).collect(), ..desired }
}

/// Why a service cannot be called. One that is being changed can, if it could before.
fn lacking(stored: Option<&StoredDeployment>, name: &ResourceName, (node, step): (&str, usize)) -> Option<Lacks> {
    let place = format!("node `{node}`, step {step}");
    let Some(stored) = stored else {
        let reason = format!("{place}: there is no deployment `{name}` in the namespace: apply one");
        return Some(Lacks { state: State::Failed, reason });
    };
    if stored.is_available() || stored.before.is_some() {
        return None;
    }
    let report = stored.report.as_ref().filter(|report| report.generation == stored.generation);
    match report.filter(|report| report.state == State::Failed) {
        Some(report) => {
            let reason = format!("{place}: the deployment `{name}` has failed: {}", report.description);
            Some(Lacks { state: State::Failed, reason })
        }
        None => {
            let reason = format!("{place}: waiting for the deployment `{name}`");
            Some(Lacks { state: State::Creating, reason })
        }
    }
}
