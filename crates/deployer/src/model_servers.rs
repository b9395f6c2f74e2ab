//! The model servers that deployments of a cluster may name: those of this program's catalogue, and what ConfigMaps of
//! administrators add. These are watched, so that a change needs no restart.
//!
//! **Invariant**: an entry that cannot be read never hides the others, and while a source cannot be reached, what was read
//! of it last counts.

mod seldon_config;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use provost_domain::{ServerCatalog, port::servers::Servers, server_catalog::ModelServer};
use serde_json::Value;
use tokio::sync::watch;

use crate::kubernetes::ObjectName;

/// How long starting waits for a source that cannot be reached.
const PATIENCE: Duration = Duration::from_secs(10);

/// The model servers as they are known now. Clones know the same.
#[derive(Debug, Clone)]
pub struct ModelServers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sources: Vec<ObjectName>,
    /// What each source says; a source that was not read yet is not there.
    said: Mutex<BTreeMap<usize, Vec<ModelServer>>>,
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
    /// Those of this program, and of these ConfigMaps once they are [followed](Self::follow); of two servers with one name
    /// the later counts.
    pub fn of(sources: Vec<ObjectName>) -> Self {
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
            tracing::warn!("not all ConfigMaps of model servers could be read; what they add is not known yet");
        }
    }

    /// Follows the ConfigMaps. Never ends.
    pub async fn follow(&self, client: Client) {
        let watches = (0..).zip(&self.0.sources).map(|(index, source)| self.follow_source(&client, index, source));
        futures_util::future::join_all(watches).await;
        std::future::pending::<()>().await;
    }

    async fn follow_source(&self, client: &Client, index: usize, source: &ObjectName) {
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &source.namespace);
        let config = watcher::Config::default().fields(&format!("metadata.name={}", source.name));
        let mut events = std::pin::pin!(watcher(maps, config).default_backoff());
        let mut listed = None;
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Apply(map)) => self.note(index, source, Some(&map)),
                Ok(Event::Delete(_)) => self.note(index, source, None),
                Ok(Event::Init) => listed = None,
                Ok(Event::InitApply(map)) => listed = Some(map),
                Ok(Event::InitDone) => self.note(index, source, listed.take().as_ref()),
                Err(error) => {
                    tracing::warn!(%source, %error, "watching a ConfigMap of model servers failed, and is tried again");
                }
            }
        }
    }

    /// Notes what a source says now.
    fn note(&self, index: usize, source: &ObjectName, map: Option<&ConfigMap>) {
        let origin = format!("ConfigMap {source}");
        let (servers, problems) = match map {
            Some(map) => read(map, &origin),
            None => (Vec::new(), vec![format!("{origin}: is not there; make it, or do not name it")]),
        };
        for problem in problems {
            tracing::warn!(problem, "a model server is not known");
        }
        let mut said = self.0.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.insert(index, servers);
        let mut catalog = ServerCatalog::default();
        said.values().flatten().for_each(|server| catalog.register(server.clone()));
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
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let [kind, namespace, name] =
            [&object["kind"], &object["metadata"]["namespace"], &object["metadata"]["name"]].map(text);
        if kind != "ConfigMap" {
            problems.push(format!("kind `{kind}` holds no model servers; use `ConfigMap`"));
            continue;
        }
        let namespace = if namespace.is_empty() { "default" } else { &namespace };
        let data = serde_json::from_value(object["data"].clone()).unwrap_or_default();
        let map = ConfigMap { data, ..ConfigMap::default() };
        let (servers, wrong) = read(&map, &format!("ConfigMap {namespace}/{name}"));
        servers.into_iter().for_each(|server| catalog.register(server));
        problems.extend(wrong);
    }
    (catalog, problems)
}

/// The servers that a ConfigMap adds, and what is wrong with it.
fn read(map: &ConfigMap, origin: &str) -> (Vec<ModelServer>, Vec<String>) {
    match map.data.as_ref().and_then(|data| data.get(seldon_config::KEY)) {
        Some(text) => seldon_config::parse(text, origin),
        None => (Vec::new(), vec![format!("{origin}: has no key `{}`", seldon_config::KEY)]),
    }
}

impl Servers for ModelServers {
    fn catalog(&self) -> Arc<ServerCatalog> {
        self.current()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn source(name: &str) -> ObjectName {
        format!("seldon-system/{name}").parse().unwrap()
    }

    fn map(server: &str, image: &str) -> ConfigMap {
        let text = format!(r#"{{"{server}": {{"protocols": {{"seldon": {{"image": "{image}"}}}}}}}}"#);
        ConfigMap { data: Some([(seldon_config::KEY.to_owned(), text)].into()), ..ConfigMap::default() }
    }

    fn image(servers: &ModelServers, name: &str) -> Option<String> {
        let catalog = servers.current();
        Some(catalog.get(name)?.container(provost_domain::deployment::Protocol::Seldon)?.image.clone())
    }

    #[tokio::test]
    async fn what_configmaps_say_counts_from_when_they_say_it() {
        let sources = [source("first"), source("second")];
        let servers = ModelServers::of(sources.to_vec());
        let mut changes = std::pin::pin!(servers.changes());
        servers.note(0, &sources[0], Some(&map("CUSTOM_SERVER", "a:1")));
        changes.next().await.unwrap();
        assert_eq!(image(&servers, "CUSTOM_SERVER").as_deref(), Some("a:1"));
        assert!(!*servers.0.is_complete.borrow());
        servers.note(1, &sources[1], Some(&map("CUSTOM_SERVER", "a:2")));
        changes.next().await.unwrap();
        servers.known().await;
        assert_eq!(image(&servers, "CUSTOM_SERVER").as_deref(), Some("a:2"));
        servers.note(1, &sources[1], None);
        assert_eq!(image(&servers, "CUSTOM_SERVER").as_deref(), Some("a:1"));
        assert!(image(&servers, "MLFLOW_SERVER").is_some());
    }

    #[test]
    fn a_change_of_something_else_is_no_news() {
        let only = source("first");
        let servers = ModelServers::of(vec![only.clone()]);
        servers.note(0, &only, Some(&map("CUSTOM_SERVER", "a:1")));
        let before = servers.current();
        servers.note(0, &only, Some(&map("CUSTOM_SERVER", "a:1")));
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
                "ConfigMap seldon-system/empty: has no key `predictor_servers`",
                "kind `Secret` holds no model servers; use `ConfigMap`"
            ]
        );
    }
}
