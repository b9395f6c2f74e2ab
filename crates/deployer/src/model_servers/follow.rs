//! Watching what names model servers.

use std::collections::BTreeMap;

use futures_util::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client, Error, ResourceExt as _,
    api::{DynamicObject, TypeMeta},
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use provost_domain::server_catalog::ServingRuntime;
use serde_json::Value;

use super::{ModelServers, Said, Source, read, serving_runtimes};
use crate::kubernetes::ObjectName;

const FORBIDDEN: u16 = 403;
const NOT_FOUND: u16 = 404;

/// Follows a source as long as its watch goes on.
pub(super) async fn follow(servers: &ModelServers, client: &Client, index: usize, source: &Source) {
    match source {
        Source::ConfigMap(name) => follow_config_map(servers, client, index, name).await,
        Source::Runtimes { kind, namespace } => {
            let resource = serving_runtimes::resource(kind);
            let api: Api<DynamicObject> = match namespace {
                Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
                None => Api::all_with(client.clone(), &resource),
            };
            let events = watcher(api, watcher::Config::default()).default_backoff();
            follow_runtimes(servers, index, kind, events).await;
        }
    }
}

async fn follow_config_map(servers: &ModelServers, client: &Client, index: usize, name: &ObjectName) {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &name.namespace);
    let config = watcher::Config::default().fields(&format!("metadata.name={}", name.name));
    let mut events = std::pin::pin!(watcher(maps, config).default_backoff());
    let mut listed = None;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(map)) => servers.note(index, said_by(name, Some(&map))),
            Ok(Event::Delete(_)) => servers.note(index, said_by(name, None)),
            Ok(Event::Init) => listed = None,
            Ok(Event::InitApply(map)) => listed = Some(map),
            Ok(Event::InitDone) => servers.note(index, said_by(name, listed.take().as_ref())),
            Err(error) => {
                tracing::warn!(config_map = %name, %error, "watching model servers failed, and is tried again");
            }
        }
    }
}

/// What a `ConfigMap` says; what is wrong with it is logged.
fn said_by(name: &ObjectName, map: Option<&ConfigMap>) -> Said {
    let origin = format!("ConfigMap {name}");
    let (said, problems) = match map {
        Some(map) => read(map, &origin),
        None => (Said::default(), vec![format!("{origin}: is not there; make it, or do not name it")]),
    };
    for problem in problems {
        tracing::warn!(problem, "a model server is not known");
    }
    said
}

type Runtimes = BTreeMap<(Option<String>, String), ServingRuntime>;

/// Where the kind is not installed, or may not be read, there are none.
async fn follow_runtimes(
    servers: &ModelServers,
    index: usize,
    kind: &'static str,
    events: impl Stream<Item = Result<Event<DynamicObject>, watcher::Error>>,
) {
    let mut events = std::pin::pin!(events);
    let (mut known, mut listed, mut is_told) = (Runtimes::new(), Runtimes::new(), false);
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(object)) => put(&mut known, kind, object),
            Ok(Event::Delete(object)) => drop(known.remove(&(object.namespace(), object.name_any()))),
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => {
                put(&mut listed, kind, object);
                continue;
            }
            Ok(Event::InitDone) => known = std::mem::take(&mut listed),
            Err(error) if means_none(&error) => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::info!(kind, %error, "there are no serving runtimes; it is looked for them again");
                }
                known.clear();
            }
            Err(error) => {
                tracing::warn!(kind, %error, "watching serving runtimes failed, and is tried again");
                continue;
            }
        }
        servers.note(index, Said { servers: Vec::new(), runtimes: known.values().cloned().collect() });
    }
}

fn put(runtimes: &mut Runtimes, kind: &str, mut object: DynamicObject) {
    let key = (object.namespace(), object.name_any());
    object.managed_fields_mut().clear();
    let api_version = "serving.kserve.io/v1alpha1".to_owned();
    object.types = Some(TypeMeta { api_version, kind: kind.to_owned() });
    let value = serde_json::to_value(object).unwrap_or(Value::Null);
    match serving_runtimes::parse(&value) {
        Ok(runtime) => drop(runtimes.insert(key, runtime)),
        Err(problem) => {
            runtimes.remove(&key);
            tracing::warn!(problem, "a serving runtime is not known");
        }
    }
}

/// Whether an error tells that there are none, rather than that they cannot be read now.
fn means_none(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(Error::Api(status)) => [FORBIDDEN, NOT_FOUND].contains(&status.code),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use serde_json::json;

    use super::*;

    fn runtime(name: &str, image: &str) -> DynamicObject {
        let spec = json!({
            "supportedModelFormats": [{"name": "pmml", "autoSelect": true}],
            "containers": [{"name": "kserve-container", "image": image}],
        });
        serde_json::from_value(json!({"metadata": {"name": name}, "spec": spec})).unwrap()
    }

    async fn after(events: Vec<Result<Event<DynamicObject>, watcher::Error>>) -> Vec<String> {
        let servers = ModelServers::for_kinds(Vec::new(), true, &[]);
        follow_runtimes(&servers, 1, "ClusterServingRuntime", stream::iter(events)).await;
        let catalog = servers.current();
        catalog.runtimes().map(|one| format!("{} {}", one.origin, one.image().unwrap_or_default())).collect()
    }

    fn listed(objects: Vec<DynamicObject>) -> Vec<Result<Event<DynamicObject>, watcher::Error>> {
        let applied = objects.into_iter().map(|object| Ok(Event::InitApply(object)));
        std::iter::once(Ok(Event::Init)).chain(applied).chain([Ok(Event::InitDone)]).collect()
    }

    #[tokio::test]
    async fn runtimes_are_those_that_are_there_now() {
        let mut events = listed(vec![runtime("a", "a:1"), runtime("b", "b:1")]);
        assert_eq!(after(events.clone_events()).await, ["ClusterServingRuntime a a:1", "ClusterServingRuntime b b:1"]);
        events.push(Ok(Event::Apply(runtime("a", "a:2"))));
        events.push(Ok(Event::Delete(runtime("b", "b:1"))));
        assert_eq!(after(events.clone_events()).await, ["ClusterServingRuntime a a:2"]);
        events.extend(listed(vec![runtime("c", "c:1")]));
        assert_eq!(after(events).await, ["ClusterServingRuntime c c:1"]);
    }

    #[tokio::test]
    async fn where_the_kind_is_not_installed_there_are_none_and_what_was_there_stays_while_it_cannot_be_read() {
        let failed = |code: u16| {
            let status = kube::core::Status { code, ..kube::core::Status::default() };
            Err(watcher::Error::InitialListFailed(Error::Api(Box::new(status))))
        };
        let with = |code| listed(vec![runtime("a", "a:1")]).into_iter().chain([failed(code)]).collect();
        assert_eq!(after(with(404)).await, [""; 0]);
        assert_eq!(after(with(503)).await, ["ClusterServingRuntime a a:1"]);
    }

    /// Events cannot be cloned where they are errors.
    trait CloneEvents {
        fn clone_events(&self) -> Self;
    }

    impl CloneEvents for Vec<Result<Event<DynamicObject>, watcher::Error>> {
        fn clone_events(&self) -> Self {
            self.iter().flatten().cloned().map(Ok).collect()
        }
    }
}
