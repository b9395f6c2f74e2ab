//! After a restart, the generation that served before an update that was not finished serves first.

use std::collections::HashMap;

use provost_domain::{
    DeploymentId, Engine,
    plan::{Observed, Readiness, Step, plan},
    port::{
        deployer::Subject,
        deployments::{ServedGeneration, StoredDeployment},
    },
};

use super::{Known, PLANS_MAX, Reconciler, desired, parse_document};

/// How far bringing back what served before has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restored {
    /// Its models are being loaded.
    NotYet,
    /// It serves, cannot serve, or there was nothing to bring back.
    Done,
}

impl Reconciler {
    /// Brings back what served before, once for each deployment that is seen for the first time.
    pub(super) async fn restore(&mut self, stored: &StoredDeployment) -> Restored {
        let first_seen = || Known { is_restoring: stored.before.is_some(), ..Known::default() };
        let known = self.known.entry(stored.id.clone()).or_insert_with(first_seen);
        let Some(before) = stored.before.as_ref().filter(|_| known.is_restoring) else { return Restored::Done };
        let restored = self.restore_generation(&stored.id, before).await;
        if restored == Restored::Done
            && let Some(known) = self.known.get_mut(&stored.id)
        {
            known.is_restoring = false;
        }
        restored
    }

    /// Executes the plans for a generation as far as they go now. What they report goes to callers who
    /// get no answer, not into the store: that tells of the generation after.
    async fn restore_generation(&self, id: &DeploymentId, before: &ServedGeneration) -> Restored {
        let deployment = match parse_document(&before.document, &id.namespace, &self.ports.catalog, Engine::Process) {
            Ok(deployment) => deployment,
            Err(reason) => {
                tracing::warn!(deployment = %id, reason, "what served before is not accepted by this version");
                return Restored::Done;
            }
        };
        let digests = before.artifacts.iter().map(|known| (known.uri.clone(), Ok(known.digest.clone())));
        let digests: HashMap<_, _> = digests.collect();
        let desired = desired(before.generation, &deployment, &digests);
        let subject = Subject { id, deployment: Some(&deployment), artifacts: &before.artifacts };
        let mut reported = None;
        for _ in 0..PLANS_MAX {
            let (revisions, routes) = self.ports.deployer.observe(id).await;
            let is_loading = revisions.iter().any(|there| there.readiness == Readiness::Loading);
            let observed = Observed { revisions, routes, reported: reported.clone() };
            let plan = plan(&desired, &observed, self.ports.clock.now());
            if plan.steps.is_empty() {
                return if is_loading { Restored::NotYet } else { Restored::Done };
            }
            for step in plan.steps {
                self.ports.deployer.execute(subject, &step).await;
                if let Step::Report(report) = step {
                    reported = Some(report);
                }
            }
        }
        Restored::Done
    }
}
