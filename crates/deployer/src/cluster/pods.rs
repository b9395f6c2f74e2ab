//! The pods of deployments, watched once for all who need their addresses.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt as _, future};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Client,
    runtime::{
        WatchStreamExt as _,
        reflector::{self, Store},
        watcher,
    },
};
use provost_domain::DeploymentId;

use super::instances;
use crate::{
    kubernetes::{DEPLOYMENT_LABEL, HTTP_PORT, PREDICTOR_LABEL},
    namespaces::{resources, scopes},
};

/// The pods that are known; none before [`ClusterPods::follow`] runs.
#[derive(Debug, Clone, Default)]
pub struct ClusterPods(Arc<Mutex<Vec<Store<Pod>>>>);

impl ClusterPods {
    /// Keeps them known, those of these namespaces or of all where none is given. Never ends.
    pub async fn follow(&self, client: Client, namespaces: Vec<String>) {
        let (stores, following): (_, Vec<_>) =
            scopes(&namespaces).into_iter().map(|scope| pods(&client, scope)).unzip();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stores;
        future::join_all(following).await;
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<Pod>> {
        let stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stores.iter().flat_map(Store::state).collect()
    }

    /// Addresses of the ready pods of a deployment that answer requests, as `host:port`.
    pub(super) fn ready(&self, id: &DeploymentId) -> Vec<String> {
        let pods = self.all().into_iter().filter(|pod| is_of(pod, id) && !is_over(pod) && answers(pod));
        let ready = pods.filter(|pod| pod.status.as_ref().is_some_and(instances::is_ready));
        ready.filter_map(|pod| address(&pod)).collect()
    }
}

/// The pods of a namespace, or of all, and what keeps them known.
fn pods(client: &Client, namespace: Option<&str>) -> (Store<Pod>, impl Future<Output = ()> + use<>) {
    let api = resources::<Pod>(client, namespace);
    let (store, writer) = reflector::store();
    let events = watcher(api, watcher::Config::default().labels(DEPLOYMENT_LABEL)).default_backoff();
    let following = events.modify(slim).reflect(writer).for_each(|event| {
        if let Err(error) = event {
            tracing::warn!(%error, "watching the pods failed, and is tried again");
        }
        future::ready(())
    });
    (store, following)
}

/// Keeps of a pod what is read here.
fn slim(pod: &mut Pod) {
    pod.metadata.managed_fields = None;
    pod.metadata.annotations = None;
    pod.spec = None;
}

fn is_of(pod: &Pod, id: &DeploymentId) -> bool {
    let label = pod.metadata.labels.as_ref().and_then(|labels| labels.get(DEPLOYMENT_LABEL));
    pod.metadata.namespace.as_deref() == Some(id.namespace.as_str())
        && label.is_some_and(|label| label.as_str() == id.name.as_str())
}

/// Whether the server runs in it, and not nodes alone.
fn answers(pod: &Pod) -> bool {
    pod.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(PREDICTOR_LABEL))
}

/// Whether it is gone or about to go.
pub(super) fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Failed" | "Succeeded")) || pod.metadata.deletion_timestamp.is_some()
}

/// Where it answers, as `host:port`, once it has an address.
pub(super) fn address(pod: &Pod) -> Option<String> {
    let ip = pod.status.as_ref()?.pod_ip.as_deref()?;
    Some(if ip.contains(':') { format!("[{ip}]:{HTTP_PORT}") } else { format!("{ip}:{HTTP_PORT}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(namespace: &str, deployment: &str, status: serde_json::Value) -> Pod {
        let metadata = serde_json::json!({
            "name": "iris-main-0-x",
            "namespace": namespace,
            "labels": { DEPLOYMENT_LABEL: deployment, PREDICTOR_LABEL: format!("{deployment}-main") },
        });
        serde_json::from_value(serde_json::json!({ "metadata": metadata, "status": status })).unwrap()
    }

    fn ready(pods: &[Pod]) -> Vec<String> {
        let (store, mut writer) = reflector::store();
        pods.iter().zip(0..).for_each(|(pod, number)| {
            let mut pod = pod.clone();
            pod.metadata.name = Some(format!("pod-{number}"));
            writer.apply_watcher_event(&watcher::Event::Apply(pod));
        });
        let id = DeploymentId { namespace: "models".try_into().unwrap(), name: "iris".try_into().unwrap() };
        let mut addresses = ClusterPods(Arc::new(Mutex::new(vec![store]))).ready(&id);
        addresses.sort();
        addresses
    }

    #[test]
    fn only_ready_pods_of_the_deployment_that_answer_have_an_address_to_ask() {
        let status = |ip: &str, is_ready: &str| {
            serde_json::json!({
                "phase": "Running",
                "podIP": ip,
                "conditions": [{"type": "Ready", "status": is_ready}],
            })
        };
        let mut ending = pod("models", "iris", status("10.0.0.6", "True"));
        ending.metadata.deletion_timestamp = Some(serde_json::from_value("2026-01-31T12:00:00Z".into()).unwrap());
        let mut of_nodes_alone = pod("models", "iris", status("10.0.0.7", "True"));
        of_nodes_alone.metadata.labels.as_mut().unwrap().remove(PREDICTOR_LABEL);
        let pods = vec![
            of_nodes_alone,
            pod("models", "iris", status("10.0.0.1", "True")),
            pod("models", "iris", status("fd00::1", "True")),
            pod("models", "iris", status("10.0.0.2", "False")),
            pod("models", "other", status("10.0.0.3", "True")),
            pod("others", "iris", status("10.0.0.4", "True")),
            pod("models", "iris", serde_json::json!({"phase": "Pending"})),
            ending,
        ];
        assert_eq!(ready(&pods), [format!("10.0.0.1:{HTTP_PORT}"), format!("[fd00::1]:{HTTP_PORT}")]);
    }
}
