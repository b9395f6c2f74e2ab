//! Has predictors that are scaled to none start when they are asked, and tells where they answer.

use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use provost_domain::{port::waker::Waker, routing_table::Sleeper};
use serde_json::json;

use super::stored::MANAGER;
use crate::{endpoints::Endpoints, kubernetes::PREDICTOR_LABEL};

/// How long a request is held.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often it is asked for again meanwhile: whoever scales may have ended it at that moment.
const AGAIN: Duration = Duration::from_secs(5);

/// Wakes predictors of a cluster.
#[derive(Clone)]
pub struct ClusterWaker {
    client: Client,
    endpoints: Endpoints,
}

impl std::fmt::Debug for ClusterWaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterWaker").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

impl ClusterWaker {
    /// One that knows of no pods before [`Self::follow`] runs.
    pub fn new(client: Client) -> Self {
        Self { client, endpoints: Endpoints::default() }
    }

    /// Follows where pods answer, in these namespaces or in all where none is given. Never ends.
    pub async fn follow(&self, namespaces: &[String]) {
        self.endpoints.follow(&self.client, namespaces, PREDICTOR_LABEL).await;
    }

    /// The address of a pod that answers; any of them, by chance.
    fn address(&self, sleeper: &Sleeper) -> Option<String> {
        let services = self.endpoints.ready(&sleeper.namespace, (PREDICTOR_LABEL, &sleeper.app));
        let addresses: Vec<_> = services.into_values().flatten().collect();
        let nanos = jiff::Timestamp::now().subsec_nanosecond().unsigned_abs();
        let index = usize::try_from(nanos).unwrap_or(0).checked_rem(addresses.len())?;
        addresses.into_iter().nth(index)
    }

    /// Has a first pod made where none is wanted.
    async fn wake(&self, sleeper: &Sleeper) -> Result<(), kube::Error> {
        let api: Api<Deployment> = Api::namespaced(self.client.clone(), &sleeper.namespace);
        let scale = api.get_scale(&sleeper.workload).await?;
        if scale.spec.and_then(|spec| spec.replicas).unwrap_or(0) > 0 {
            return Ok(());
        }
        // Nobody else must have scaled it meanwhile.
        let patch = json!({"metadata": {"resourceVersion": scale.metadata.resource_version}, "spec": {"replicas": 1}});
        let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        match api.patch_scale(&sleeper.workload, &parameters, &Patch::Merge(patch)).await {
            Err(kube::Error::Api(answer)) if answer.code == 409 => Ok(()),
            result => result.map(drop),
        }
    }

    async fn hold(&self, sleeper: &Sleeper) -> String {
        let mut changes = self.endpoints.changes();
        loop {
            changes.mark_unchanged();
            if let Some(address) = self.address(sleeper) {
                return address;
            }
            if let Err(error) = self.wake(sleeper).await {
                tracing::warn!(namespace = sleeper.namespace, workload = sleeper.workload, %error, "cannot wake a predictor");
            }
            let _again = tokio::time::timeout(AGAIN, changes.changed()).await;
        }
    }
}

#[async_trait]
impl Waker for ClusterWaker {
    async fn awake(&self, sleeper: &Sleeper) -> Result<String, String> {
        match tokio::time::timeout(PATIENCE, self.hold(sleeper)).await {
            Ok(address) => Ok(address),
            Err(_) => Err(format!("no replica was ready within {} s", PATIENCE.as_secs())),
        }
    }
}
