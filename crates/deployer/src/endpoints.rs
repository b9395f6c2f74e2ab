//! The addresses at which pods of predictors answer, as the data plane of a cluster knows them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{StreamExt as _, future};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::{
    Client,
    runtime::{
        WatchStreamExt as _,
        reflector::{self, Store},
        watcher,
    },
};
use tokio::sync::watch;

use crate::namespaces::{resources, scopes};

/// The label by which Kubernetes names the Service of a slice.
pub(crate) const SERVICE_LABEL: &str = "kubernetes.io/service-name";
/// The label that tells who keeps a slice.
pub(crate) const KEEPER_LABEL: &str = "endpointslice.kubernetes.io/managed-by";
/// That of Kubernetes for Services with a selector.
const CONTROLLER: &str = "endpointslice-controller.k8s.io";
/// The port of a Service that is asked.
const PORT: &str = "http";

/// The slices of the Services that a label selects.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    stores: Mutex<Vec<Store<EndpointSlice>>>,
    version: watch::Sender<u64>,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self(Arc::new(Shared { stores: Mutex::default(), version: watch::channel(0).0 }))
    }
}

impl Endpoints {
    /// Keeps them known, those of these namespaces or of all where none is given. Never ends.
    pub(crate) async fn follow(&self, client: &Client, namespaces: &[String], labels: &str) {
        let (stores, following): (_, Vec<_>) =
            scopes(namespaces).into_iter().map(|scope| self.follow_scope(client, scope, labels)).unzip();
        *self.0.stores.lock().unwrap_or_else(PoisonError::into_inner) = stores;
        future::join_all(following).await;
    }

    fn follow_scope(
        &self,
        client: &Client,
        namespace: Option<&str>,
        labels: &str,
    ) -> (Store<EndpointSlice>, impl Future<Output = ()> + use<>) {
        let api = resources::<EndpointSlice>(client, namespace);
        let (store, writer) = reflector::store();
        let shared = Arc::clone(&self.0);
        let events = watcher(api, watcher::Config::default().labels(labels)).default_backoff();
        let following = events.modify(|slice| slice.metadata.managed_fields = None).reflect(writer);
        let following = following.for_each(move |event| {
            match event {
                Ok(_) => shared.version.send_modify(|version| *version += 1),
                Err(error) => tracing::warn!(%error, "watching endpoints failed, and is tried again"),
            }
            future::ready(())
        });
        (store, following)
    }

    /// Told of every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// Where the pods of Kubernetes' own slices answer, as `host:port`, and by the slices' Service: of those in the
    /// namespace whose label has this value.
    pub(crate) fn ready(&self, namespace: &str, (label, value): (&str, &str)) -> BTreeMap<String, Vec<String>> {
        let mut services = BTreeMap::<_, Vec<_>>::new();
        for slice in self.all() {
            let labelled = |name: &str| slice.metadata.labels.as_ref().and_then(|labels| labels.get(name));
            let is_its = slice.metadata.namespace.as_deref() == Some(namespace)
                && labelled(label).is_some_and(|own| own == value)
                && labelled(KEEPER_LABEL).is_some_and(|keeper| keeper == CONTROLLER);
            if let Some(service) = labelled(SERVICE_LABEL).filter(|_| is_its) {
                services.entry(service.clone()).or_default().extend(addresses(&slice));
            }
        }
        services
    }

    /// All slices.
    pub(crate) fn all(&self) -> Vec<Arc<EndpointSlice>> {
        let stores = self.0.stores.lock().unwrap_or_else(PoisonError::into_inner);
        stores.iter().flat_map(Store::state).collect()
    }
}

/// Where the ready endpoints of a slice answer.
pub(crate) fn addresses(slice: &EndpointSlice) -> Vec<String> {
    let ports = slice.ports.iter().flatten();
    let port = ports.filter(|port| port.name.as_deref() == Some(PORT)).find_map(|port| port.port);
    let Some(port) = port else { return Vec::new() };
    let is_ready = |conditions: &k8s_openapi::api::discovery::v1::EndpointConditions| conditions.ready.unwrap_or(true);
    let ready = slice.endpoints.iter().filter(|one| one.conditions.as_ref().is_none_or(is_ready));
    ready.filter_map(|one| one.addresses.first()).map(|host| authority(host, port)).collect()
}

fn authority(host: &str, port: i32) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_ready_endpoints_of_a_slice_have_addresses() {
        let endpoint = |host: &str, ready| json!({"addresses": [host], "conditions": {"ready": ready}});
        let mut slice = json!({
            "addressType": "IPv4",
            "metadata": {},
            "ports": [{"name": "grpc", "port": 1}, {"name": "http", "port": 8000}],
            "endpoints": [endpoint("10.0.0.1", true), endpoint("10.0.0.2", false), {"addresses": ["fd00::1"]}],
        });
        let read = |slice: &serde_json::Value| addresses(&serde_json::from_value(slice.clone()).unwrap());
        assert_eq!(read(&slice), ["10.0.0.1:8000", "[fd00::1]:8000"]);
        slice["ports"] = json!([]);
        assert!(read(&slice).is_empty());
    }
}
