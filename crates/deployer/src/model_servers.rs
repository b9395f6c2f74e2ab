//! The model servers that deployments of a cluster may name: those of this program's catalogue, and what `ConfigMap`s of
//! administrators and serving runtimes of `KServe` add. These are watched, so that a change needs no restart.
//!
//! **Invariant**: an entry that cannot be read never hides the others, and while a source cannot be reached, what was read
//! of it last counts.

mod follow;
mod kserve_config;
mod seldon_config;
mod serving_runtimes;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{Stream, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use provost_domain::{
    ServerCatalog,
    port::servers::Servers,
    server_catalog::{ModelServer, ServingRuntime},
};
use serde_json::Value;
use tokio::sync::watch;

use crate::{kubernetes::ObjectName, namespaces::scopes};

/// How long starting waits for a source that cannot be reached.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where model servers are named.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// A `ConfigMap` in the form of Seldon's or of `KFServing`'s.
    ConfigMap(ObjectName),
    /// The serving runtimes of a kind, in a namespace or in all.
    Runtimes { kind: &'static str, namespace: Option<String> },
}

/// What a source says.
#[derive(Debug, Default, Clone)]
struct Said {
    servers: Vec<ModelServer>,
    runtimes: Vec<ServingRuntime>,
}

impl Said {
    fn add_to(&self, catalog: &mut ServerCatalog) {
        self.servers.iter().for_each(|server| catalog.register(server.clone()));
        self.runtimes.iter().for_each(|runtime| catalog.register_runtime(runtime.clone()));
    }
}

/// The model servers as they are known now. Clones know the same.
#[derive(Debug, Clone)]
pub struct ModelServers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sources: Vec<Source>,
    /// What each source says; a source that was not read yet is not there.
    said: Mutex<BTreeMap<usize, Said>>,
    catalog: watch::Sender<Arc<ServerCatalog>>,
    /// Whether every source was read.
    is_complete: watch::Sender<bool>,
}

impl Default for ModelServers {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

impl ModelServers {
    /// Those of this program, and of these `ConfigMap`s once they are [followed](Self::follow); of two servers with one name
    /// the later counts.
    pub fn of(config_maps: Vec<ObjectName>) -> Self {
        Self::of_sources(config_maps.into_iter().map(Source::ConfigMap).collect())
    }

    /// The same, and for `InferenceService`s the serving runtimes of these namespaces, or of all where none is given, and of
    /// the cluster.
    pub fn for_kinds(config_maps: Vec<ObjectName>, with_inference_services: bool, namespaces: &[String]) -> Self {
        if !with_inference_services {
            return Self::of(config_maps);
        }
        let [of_namespace, of_cluster] = serving_runtimes::KINDS;
        let runtimes = scopes(namespaces).into_iter();
        let runtimes =
            runtimes.map(|namespace| Source::Runtimes { kind: of_namespace, namespace: namespace.map(str::to_owned) });
        let of_cluster = Source::Runtimes { kind: of_cluster, namespace: None };
        Self::of_sources(config_maps.into_iter().map(Source::ConfigMap).chain(runtimes).chain([of_cluster]).collect())
    }

    fn of_sources(sources: Vec<Source>) -> Self {
        let is_complete = watch::Sender::new(sources.is_empty());
        let catalog = watch::Sender::default();
        Self(Arc::new(Shared { sources, said: Mutex::default(), catalog, is_complete }))
    }

    /// The catalogue as it is now.
    pub fn current(&self) -> Arc<ServerCatalog> {
        Arc::clone(&self.0.catalog.borrow())
    }

    /// Tells of each change from now on.
    pub fn changes(&self) -> impl Stream<Item = ()> + Send + Sync + 'static + use<> {
        let mut catalog = self.0.catalog.subscribe();
        catalog.mark_unchanged();
        let shared = Arc::clone(&self.0);
        stream::unfold((catalog, shared), async |(mut catalog, shared)| {
            catalog.changed().await.ok()?;
            Some(((), (catalog, shared)))
        })
    }

    /// Waits until every source was read, or for a while.
    pub async fn known(&self) {
        let mut is_complete = self.0.is_complete.subscribe();
        if tokio::time::timeout(PATIENCE, is_complete.wait_for(|is_complete| *is_complete)).await.is_err() {
            tracing::warn!("not all that names model servers could be read; what it adds is not known yet");
        }
    }

    /// Follows the sources. Never ends.
    pub async fn follow(&self, client: Client) {
        let watches = (0..).zip(&self.0.sources).map(|(index, source)| follow::follow(self, &client, index, source));
        futures_util::future::join_all(watches).await;
        std::future::pending::<()>().await;
    }

    /// Notes what a source says now.
    fn note(&self, index: usize, says: Said) {
        let mut said = self.0.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.insert(index, says);
        let mut catalog = ServerCatalog::default();
        said.values().for_each(|said| said.add_to(&mut catalog));
        self.0.catalog.send_if_modified(|known| {
            let is_other = **known != catalog;
            if is_other {
                *known = Arc::new(catalog);
            }
            is_other
        });
        self.0.is_complete.send_replace(said.len() == self.0.sources.len());
    }
}

/// The catalogue with what these objects add, which is what the operator knows once it watches them, and what is wrong with
/// them.
pub fn catalog_with(objects: &[Value]) -> (ServerCatalog, Vec<String>) {
    let (mut catalog, mut problems) = (ServerCatalog::default(), Vec::new());
    for object in objects {
        let kind = object["kind"].as_str().unwrap_or_default();
        if kind == "ConfigMap" {
            let (said, wrong) = of_config_map(object);
            said.add_to(&mut catalog);
            problems.extend(wrong);
        } else if serving_runtimes::KINDS.contains(&kind) {
            match serving_runtimes::parse(object) {
                Ok(runtime) => catalog.register_runtime(runtime),
                Err(reason) => problems.push(reason),
            }
        } else {
            let known = serving_runtimes::KINDS.join("` or `");
            problems.push(format!("kind `{kind}` holds no model servers; use `ConfigMap`, `{known}`"));
        }
    }
    (catalog, problems)
}

/// What a `ConfigMap` adds as it was written.
fn of_config_map(object: &Value) -> (Said, Vec<String>) {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let namespace = Some(text("/metadata/namespace")).filter(|text| !text.is_empty()).unwrap_or("default");
    let data = serde_json::from_value(object["data"].clone()).unwrap_or_default();
    let map = ConfigMap { data, ..ConfigMap::default() };
    read(&map, &format!("ConfigMap {namespace}/{}", text("/metadata/name")))
}

/// What a `ConfigMap` adds, in the form of Seldon's or of `KFServing`'s, and what is wrong with it.
fn read(map: &ConfigMap, origin: &str) -> (Said, Vec<String>) {
    let text = |key: &str| map.data.as_ref()?.get(key);
    let (mut said, mut problems) = (Said::default(), Vec::new());
    let [seldons, kfservings] = [seldon_config::KEY, kserve_config::KEY].map(text);
    if let Some(text) = seldons {
        (said.servers, problems) = seldon_config::parse(text, origin);
    }
    if let Some(text) = kfservings {
        let (runtimes, wrong) = kserve_config::parse(text, origin);
        said.runtimes = runtimes;
        problems.extend(wrong);
    }
    if seldons.is_none() && kfservings.is_none() {
        problems.push(format!("{origin}: has neither the key `{}` nor `{}`", seldon_config::KEY, kserve_config::KEY));
    }
    (said, problems)
}

impl Servers for ModelServers {
    fn catalog(&self) -> Arc<ServerCatalog> {
        self.current()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use serde_json::json;

    use super::*;

    fn source(name: &str) -> ObjectName {
        format!("seldon-system/{name}").parse().unwrap()
    }

    fn says(server: &str, image: &str) -> Said {
        let text = format!(r#"{{"{server}": {{"protocols": {{"seldon": {{"image": "{image}"}}}}}}}}"#);
        let (servers, problems) = seldon_config::parse(&text, "o");
        assert_eq!(problems, Vec::<String>::new());
        Said { servers, runtimes: Vec::new() }
    }

    fn image(servers: &ModelServers, name: &str) -> Option<String> {
        let catalog = servers.current();
        Some(catalog.get(name)?.container(provost_domain::deployment::Protocol::Seldon)?.image.clone())
    }

    #[tokio::test]
    async fn what_configmaps_say_counts_from_when_they_say_it() {
        let servers = ModelServers::of(vec![source("first"), source("second")]);
        let mut changes = std::pin::pin!(servers.changes());
        servers.note(0, says("CUSTOM_SERVER", "a:1"));
        changes.next().await.unwrap();
        assert_eq!(image(&servers, "CUSTOM_SERVER").as_deref(), Some("a:1"));
        assert!(!*servers.0.is_complete.borrow());
        servers.note(1, says("CUSTOM_SERVER", "a:2"));
        changes.next().await.unwrap();
        servers.known().await;
        assert_eq!(image(&servers, "CUSTOM_SERVER").as_deref(), Some("a:2"));
        servers.note(1, Said::default());
        assert_eq!(image(&servers, "CUSTOM_SERVER").as_deref(), Some("a:1"));
        assert!(image(&servers, "MLFLOW_SERVER").is_some());
    }

    #[test]
    fn a_change_of_something_else_is_no_news() {
        let servers = ModelServers::of(vec![source("first")]);
        servers.note(0, says("CUSTOM_SERVER", "a:1"));
        let before = servers.current();
        servers.note(0, says("CUSTOM_SERVER", "a:1"));
        assert!(Arc::ptr_eq(&before, &servers.current()));
    }

    #[test]
    fn objects_add_to_the_catalogue_what_can_be_read_of_them() {
        let text = r#"{"CUSTOM_SERVER": {"protocols": {"seldon": {"image": "a:1"}}}}"#;
        let named = |name: &str| json!({"namespace": "seldon-system", "name": name});
        let (catalog, problems) = catalog_with(&[
            json!({"kind": "ConfigMap", "metadata": named("seldon-config"), "data": {"predictor_servers": text}}),
            json!({"kind": "ConfigMap", "metadata": named("empty")}),
            json!({"kind": "Secret", "metadata": named("secret")}),
        ]);
        let server = catalog.get("CUSTOM_SERVER").unwrap();
        assert_eq!(server.origin.as_deref(), Some("ConfigMap seldon-system/seldon-config"));
        assert_eq!(
            problems,
            [
                "ConfigMap seldon-system/empty: has neither the key `predictor_servers` nor `predictors`",
                "kind `Secret` holds no model servers; use `ConfigMap`, `ServingRuntime` or `ClusterServingRuntime`"
            ]
        );
    }
}
