//! Watching the objects that deployments own. Only the fields that matter are parsed, and kept.

use std::{fmt::Debug, sync::Arc};

use futures_util::{Stream, StreamExt as _, future, stream};
use k8s_openapi::api::core::v1::PodStatus;
use kube::{
    Api, Client, Resource,
    api::{ApiResource, DynamicObject, ObjectMeta},
    core::{DynamicResourceScope, NotUsed, Object},
    runtime::{
        WatchStreamExt as _,
        reflector::ObjectRef,
        watcher::{self, Event, watcher},
    },
};
use serde::{Deserialize, Serialize};

use super::{
    apply::{MetadataOnly, resource_of},
    children::{Answer, Child, Children, Facts, Key, Kind, Named, Rollout, RouteFacts},
    crd::Served,
    pods,
};
use crate::kubernetes::{
    DEPLOYMENT_LABEL, FIRST_ROUTE_ANNOTATION, PREDICTOR_ANNOTATION, REVISION_ANNOTATION, ROUTES_ANNOTATION,
    SCALING_ANNOTATION,
};

/// The label of a pod that tells its Deployment.
const WORKLOAD_LABEL: &str = "app";

type Deployment = Object<DeploymentSpec, DeploymentStatus>;
type HttpRoute = Object<NotUsed, HttpRouteStatus>;
type Pod = Object<NotUsed, PodStatus>;

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct DeploymentSpec {
    replicas: Option<i32>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct DeploymentStatus {
    observed_generation: Option<i64>,
    replicas: i32,
    updated_replicas: i32,
    available_replicas: i32,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    message: String,
    observed_generation: Option<i64>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
struct HttpRouteStatus {
    parents: Vec<ParentStatus>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
struct ParentStatus {
    conditions: Vec<Condition>,
}

/// Which kinds are watched; routes only where there is a gateway, since their kind may not be installed.
pub(super) fn kinds(has_gateway: bool) -> Vec<Kind> {
    let always = [Kind::Deployment, Kind::HorizontalPodAutoscaler, Kind::Pod, Kind::PodDisruptionBudget, Kind::Service];
    always.into_iter().chain(has_gateway.then_some(Kind::HttpRoute)).collect()
}

/// Watches objects of these kinds; gives each deployment that there is news for.
pub(super) fn triggers(
    client: &Client,
    namespace: Option<&str>,
    served: Served,
    kinds: &[Kind],
    children: &Arc<Children>,
) -> impl Stream<Item = ObjectRef<DynamicObject>> + Send + 'static + use<> {
    let streams = kinds.iter().map(|kind| events(client, namespace, *kind, served));
    let children = Arc::clone(children);
    stream::select_all(streams).flat_map(move |(kind, event)| {
        stream::iter(children.note(kind, event).into_iter().map(move |key| refer(key, served)))
    })
}

/// A deployment of a kind.
pub(super) fn refer((namespace, name): Key, served: Served) -> ObjectRef<DynamicObject> {
    ObjectRef::new_with(&name, served.resource()).within(&namespace)
}

type Events = stream::BoxStream<'static, (Kind, Event<Named>)>;

fn events(client: &Client, namespace: Option<&str>, kind: Kind, served: Served) -> Events {
    match kind {
        Kind::Deployment => events_of(client, namespace, kind, move |child: Deployment| {
            let facts = Facts::Deployment(rollout(&child));
            owned(child.metadata, facts, served)
        }),
        Kind::HttpRoute => events_of(client, namespace, kind, move |child: HttpRoute| {
            let facts = Facts::HttpRoute(route(&child));
            owned(child.metadata, facts, served)
        }),
        Kind::Pod => events_of(client, namespace, kind, pod),
        Kind::HorizontalPodAutoscaler | Kind::PodDisruptionBudget | Kind::Service => {
            events_of(client, namespace, kind, move |child: MetadataOnly| owned(child.metadata, Facts::Other, served))
        }
    }
}

fn events_of<K>(
    client: &Client,
    namespace: Option<&str>,
    kind: Kind,
    of: impl Fn(K) -> Option<Named> + Send + 'static,
) -> Events
where
    K: Resource<DynamicType = ApiResource, Scope = DynamicResourceScope>
        + Clone
        + Debug
        + Send
        + for<'a> Deserialize<'a>
        + 'static,
{
    let events = watcher(api::<K>(client, namespace, kind), labelled()).default_backoff();
    let events = events.filter_map(move |event| {
        let event = event.inspect_err(|error| tracing::warn!(?kind, %error, "a watch ended, and is started again"));
        future::ready(event.ok().and_then(|event| Some((kind, map(event, &of)?))))
    });
    events.boxed()
}

fn map<K>(event: Event<K>, of: &impl Fn(K) -> Option<Named>) -> Option<Event<Named>> {
    Some(match event {
        Event::Apply(object) => Event::Apply(of(object)?),
        Event::Delete(object) => Event::Delete(of(object)?),
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(of(object)?),
        Event::InitDone => Event::InitDone,
    })
}

fn labelled() -> watcher::Config {
    watcher::Config::default().labels(DEPLOYMENT_LABEL)
}

fn api<K>(client: &Client, namespace: Option<&str>, kind: Kind) -> Api<K>
where
    K: Resource<DynamicType = ApiResource, Scope = DynamicResourceScope>,
{
    let resource = resource_of(&kind.types());
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// An object that a deployment of the kind owns; `None` for one that only carries the label.
fn owned(metadata: ObjectMeta, facts: Facts, served: Served) -> Option<Named> {
    let owners = metadata.owner_references.into_iter().flatten();
    let group = |api_version: &str| api_version.split('/').next() == Some(served.group());
    let owner = owners.into_iter().find(|owner| owner.kind == served.kind() && group(&owner.api_version))?;
    let mut annotations = metadata.annotations.unwrap_or_default();
    let child = Child {
        owner: Some(owner.uid),
        generation: metadata.generation,
        predictor: annotations.remove(PREDICTOR_ANNOTATION),
        revision: annotations.remove(REVISION_ANNOTATION),
        facts,
    };
    Some(((metadata.namespace?, owner.name), metadata.name?, child))
}

fn pod(pod: Pod) -> Option<Named> {
    let mut labels = pod.metadata.labels.unwrap_or_default();
    let trouble = pod.status.as_ref().and_then(pods::trouble);
    let facts = Facts::Pod { workload: labels.remove(WORKLOAD_LABEL).unwrap_or_default(), trouble };
    let child = Child { owner: None, generation: None, predictor: None, revision: None, facts };
    Some(((pod.metadata.namespace?, labels.remove(DEPLOYMENT_LABEL)?), pod.metadata.name?, child))
}

fn rollout(deployment: &Deployment) -> Rollout {
    let status = deployment.status.clone().unwrap_or_default();
    let desired = deployment.spec.replicas.unwrap_or(1);
    let is_current = status.observed_generation >= deployment.metadata.generation;
    let annotations = deployment.metadata.annotations.as_ref();
    let scaling = annotations.and_then(|known| serde_json::from_str(known.get(SCALING_ANNOTATION)?).ok());
    let failure = status.conditions.into_iter().find(|one| one.kind == "ReplicaFailure" && one.status == "True");
    Rollout {
        desired,
        available: status.available_replicas,
        scaling,
        is_complete: is_current
            && status.updated_replicas >= desired
            && status.available_replicas >= desired
            && status.replicas == status.updated_replicas,
        trouble: failure.map(|failure| failure.message),
    }
}

fn route(route: &HttpRoute) -> RouteFacts {
    let annotation = |name: &str| route.metadata.annotations.as_ref().and_then(|known| known.get(name));
    let is_first = annotation(FIRST_ROUTE_ANNOTATION).is_some();
    let routes = annotation(ROUTES_ANNOTATION).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let parents = route.status.iter().flat_map(|status| &status.parents);
    let conditions = parents.flat_map(|parent| &parent.conditions);
    // `ResolvedRefs` is not asked: it fails for a moment with every Service that is new.
    let answer = conditions
        .into_iter()
        .find(|one| one.kind == "Accepted" && one.observed_generation >= route.metadata.generation);
    let answer = answer.map_or(Answer::Awaited, |answer| {
        if answer.status == "True" { Answer::Accepted } else { Answer::Rejected(answer.message.clone()) }
    });
    RouteFacts { routes, is_first, answer }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn deployment(observed: i64, updated: i32, available: i32, replicas: i32) -> Rollout {
        let deployment = json!({
            "metadata": {"name": "iris-main-0-classifier", "generation": 2},
            "spec": {"replicas": 2, "selector": {}, "template": {}},
            "status": {"observedGeneration": observed, "updatedReplicas": updated, "availableReplicas": available, "replicas": replicas},
        });
        rollout(&serde_json::from_value(deployment).unwrap())
    }

    #[test]
    fn a_rollout_is_complete_once_every_replica_is_of_this_generation() {
        assert!(deployment(2, 2, 2, 2).is_complete);
        for (observed, updated, available, replicas) in [(1, 2, 2, 2), (2, 1, 2, 3), (2, 2, 1, 2), (2, 2, 2, 3)] {
            assert!(!deployment(observed, updated, available, replicas).is_complete);
        }
        assert_eq!(deployment(1, 2, 1, 2).available, 1);
    }

    #[test]
    fn pods_that_may_not_be_made_are_a_trouble() {
        let condition = json!({"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"});
        let deployment = json!({"metadata": {}, "spec": {}, "status": {"conditions": [condition]}});
        let rollout = rollout(&serde_json::from_value(deployment).unwrap());
        assert_eq!(rollout.trouble.as_deref(), Some("exceeded quota"));
    }

    fn answer(conditions: Value) -> Answer {
        let parents = json!([{"controllerName": "a", "parentRef": {}, "conditions": conditions}]);
        let route_ = json!({"metadata": {"generation": 2}, "spec": {}, "status": {"parents": parents}});
        route(&serde_json::from_value(route_).unwrap()).answer
    }

    #[test]
    fn an_answer_to_an_older_route_is_none() {
        let condition = |status, generation| json!([{"type": "Accepted", "status": status, "message": "no such listener", "observedGeneration": generation}]);
        assert_eq!(answer(json!([])), Answer::Awaited);
        assert_eq!(answer(condition("True", 1)), Answer::Awaited);
        assert_eq!(answer(condition("True", 2)), Answer::Accepted);
        assert_eq!(answer(condition("False", 2)), Answer::Rejected("no such listener".to_owned()));
    }
}
