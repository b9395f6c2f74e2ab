//! What runs the deployments of a cluster: pods, their events and their logs.

use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::{Event as EventObject, Pod};
use kube::{
    Api, Client,
    api::{ListParams, LogParams},
};
use provost_domain::{
    DeploymentId,
    plan::Timestamp,
    port::{
        deployments::{DeploymentRepository, StoredDeployment},
        workloads::{Event, Instance, Lines, LinesQuery, UsagePoint, WorkloadError, WorkloadView},
    },
};

use super::{ClusterDeployments, UsageHistory, instances, lines::LogLines};
use crate::kubernetes::DEPLOYMENT_LABEL;

/// Most events that are told.
const EVENTS_MAX: usize = 200;
/// Most events of a namespace that are asked for at a time.
const PAGE: u32 = 500;

/// Pods, events and logs, as the API server tells of them when asked.
#[derive(Clone)]
pub struct ClusterWorkloads {
    client: Client,
    deployments: ClusterDeployments,
    usage: Arc<UsageHistory>,
}

impl ClusterWorkloads {
    /// What runs `deployments`; what it used is read from `usage`.
    pub fn new(client: Client, deployments: ClusterDeployments, usage: Arc<UsageHistory>) -> Self {
        Self { client, deployments, usage }
    }

    async fn pods(&self, id: &DeploymentId) -> Result<Vec<Pod>, WorkloadError> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), id.namespace.as_str());
        let selected = ListParams::default().labels(&format!("{DEPLOYMENT_LABEL}={}", id.name));
        let listed = api.list(&selected).await.map_err(|error| failed("list the pods", error))?;
        Ok(listed.items)
    }

    async fn stored(&self, id: &DeploymentId) -> Result<StoredDeployment, WorkloadError> {
        let stored = self.deployments.get(id).await.ok().flatten();
        stored.ok_or_else(|| WorkloadError::NotFound(format!("there is no deployment `{id}`")))
    }

    /// The pod of that name, if the deployment has it: a log is not to be read by the name of another.
    async fn pod(&self, id: &DeploymentId, name: &str) -> Result<Pod, WorkloadError> {
        let pods = self.pods(id).await?;
        let is_meant = |pod: &Pod| pod.metadata.name.as_deref() == Some(name);
        pods.into_iter().find(is_meant).ok_or_else(|| {
            WorkloadError::NotFound(format!("`{id}` has no instance `{name}`: it may have been replaced"))
        })
    }
}

impl std::fmt::Debug for ClusterWorkloads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterWorkloads").field("deployments", &self.deployments).finish_non_exhaustive()
    }
}

#[async_trait]
impl WorkloadView for ClusterWorkloads {
    async fn instances(&self, id: &DeploymentId) -> Result<Vec<Instance>, WorkloadError> {
        let predictors = instances::predictors(&self.stored(id).await?);
        let pods = self.pods(id).await?;
        let mut instances: Vec<_> = pods.iter().map(|pod| instances::instance(pod, &predictors)).collect();
        instances.sort_by(|a, b| (&a.predictor, &a.name).cmp(&(&b.predictor, &b.name)));
        Ok(instances)
    }

    async fn events(&self, id: &DeploymentId) -> Result<Vec<Event>, WorkloadError> {
        let api: Api<EventObject> = Api::namespaced(self.client.clone(), id.namespace.as_str());
        let mut events = Vec::new();
        let mut page = ListParams::default().limit(PAGE);
        let pods = self.pods(id).await?;
        let names: Vec<_> = pods.into_iter().filter_map(|pod| pod.metadata.name).collect();
        loop {
            let listed = api.list(&page).await.map_err(|error| failed("list the events", error))?;
            events.extend(listed.items.into_iter().filter(|event| is_about(event, id, &names)).map(told));
            match listed.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => break,
            }
        }
        events.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.object.cmp(&b.object)));
        events.truncate(EVENTS_MAX);
        Ok(events)
    }

    async fn lines(&self, id: &DeploymentId, query: LinesQuery) -> Result<Box<dyn Lines>, WorkloadError> {
        let pod = self.pod(id, &query.instance).await?;
        let containers: Vec<_> = pod
            .spec
            .iter()
            .flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()))
            .map(|container| container.name.clone())
            .collect();
        let container = match query.container {
            None => containers.first().cloned(),
            Some(name) if containers.contains(&name) => Some(name),
            Some(name) => {
                let text = format!("`{}` has no container `{name}`; it has: {}", query.instance, containers.join(", "));
                return Err(WorkloadError::NotFound(text));
            }
        };
        let parameters = LogParams {
            container,
            follow: query.follow,
            previous: query.previous,
            since_seconds: query.since_seconds.map(i64::from),
            tail_lines: Some(i64::from(query.tail)),
            timestamps: true,
            ..LogParams::default()
        };
        let api: Api<Pod> = Api::namespaced(self.client.clone(), id.namespace.as_str());
        let stream = api.log_stream(&query.instance, &parameters).await;
        Ok(Box::new(LogLines::new(stream.map_err(|error| failed("read the log", error))?)))
    }

    fn usage(&self, id: &DeploymentId, since: Timestamp) -> Vec<UsagePoint> {
        self.usage.points(id, since)
    }
}

/// Whether an event is about a deployment, or about what the operator made for it.
fn is_about(event: &EventObject, id: &DeploymentId, pods: &[String]) -> bool {
    let object = &event.involved_object;
    let (kind, name) = (object.kind.as_deref().unwrap_or_default(), object.name.as_deref().unwrap_or_default());
    match kind {
        "SeldonDeployment" => name == id.name.as_str(),
        "Pod" => pods.iter().any(|pod| pod == name),
        "Deployment" | "ReplicaSet" | "HorizontalPodAutoscaler" => {
            // A pod's name is begun by those of its ReplicaSet and its Deployment.
            pods.iter().any(|pod| pod.strip_prefix(name).is_some_and(|rest| rest.starts_with('-')))
        }
        _ => false,
    }
}

fn told(event: EventObject) -> Event {
    let object = &event.involved_object;
    let [kind, name] = [&object.kind, &object.name].map(|text| text.as_deref().unwrap_or_default());
    let series = event.series.as_ref();
    let micro = series.and_then(|series| series.last_observed_time.as_ref()).or(event.event_time.as_ref());
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    let time = last.max(micro.map(|time| time.0)).or(event.metadata.creation_timestamp.as_ref().map(|time| time.0));
    let count = series.and_then(|series| series.count).or(event.count).unwrap_or(1);
    Event {
        time: Timestamp::from_millis(time.and_then(|time| u64::try_from(time.as_millisecond()).ok()).unwrap_or(0)),
        count: u32::try_from(count).unwrap_or(1).max(1),
        is_warning: event.type_.as_deref() == Some("Warning"),
        object: format!("{kind}/{name}"),
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
    }
}

/// What the API server refuses is the user's to know: a container that has not started has no log.
fn failed(operation: &'static str, error: kube::Error) -> WorkloadError {
    match error {
        kube::Error::Api(status) if matches!(status.code, 400 | 403) => {
            WorkloadError::Refused(format!("cannot {operation}: {}", status.message))
        }
        kube::Error::Api(status) if status.code == 404 => WorkloadError::NotFound(status.message.clone()),
        error => WorkloadError::Backend { operation, source: Box::new(error) },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(kind: &str, name: &str, times: &Value) -> EventObject {
        let mut value = json!({
            "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
            "involvedObject": {"kind": kind, "name": name},
            "reason": "BackOff", "message": "back-off", "type": "Warning",
        });
        value.as_object_mut().unwrap().extend(times.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn events_of_what_a_deployment_has_are_its_own() {
        let id = DeploymentId { namespace: "models".try_into().unwrap(), name: "iris".try_into().unwrap() };
        let pods = ["iris-main-0-classifier-abc-1".to_owned()];
        for (kind, name, expected) in [
            ("SeldonDeployment", "iris", true),
            ("SeldonDeployment", "iris-2", false),
            ("Pod", "iris-main-0-classifier-abc-1", true),
            ("Pod", "iris-2-main-0-classifier-abc-1", false),
            ("ReplicaSet", "iris-main-0-classifier-abc", true),
            ("Deployment", "iris-main-0-classifier", true),
            ("Deployment", "iris-main-0-class", false),
            ("Node", "iris", false),
        ] {
            assert_eq!(is_about(&event(kind, name, &json!({})), &id, &pods), expected, "{kind} {name}");
        }
    }

    #[test]
    fn the_time_of_an_event_is_when_it_last_happened() {
        let times = json!({"lastTimestamp": "2026-01-01T00:02:00Z", "count": 7});
        let old = told(event("Pod", "a", &times));
        assert_eq!((old.time.as_millis(), old.count, old.is_warning), (1_767_225_720_000, 7, true));
        let series = json!({"eventTime": "2026-01-01T00:01:00.000000Z", "series": {"count": 3, "lastObservedTime": "2026-01-01T00:03:00.000000Z"}});
        let new = told(event("Pod", "a", &series));
        assert_eq!((new.time.as_millis(), new.count, new.object.as_str()), (1_767_225_780_000, 3, "Pod/a"));
        assert_eq!(told(event("Pod", "a", &json!({}))).time.as_millis(), 1_767_225_600_000);
    }
}
