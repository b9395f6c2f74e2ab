//! The status of a deployment, in Seldon's form, from what the cluster says of its objects. Pure.

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Map, Value, json};

use crate::kubernetes::{GRPC_PORT, HTTP_PORT};

/// What a status is made from.
#[derive(Debug)]
pub(super) struct Observation<'a> {
    /// Namespace and name of the resource.
    pub(super) namespace: &'a str,
    /// Its generation.
    pub(super) generation: i64,
    /// The objects that were applied.
    pub(super) objects: &'a [Value],
    /// Its Deployments, as far as they are known.
    pub(super) deployments: &'a [Deployment],
    /// Why a pod cannot start.
    pub(super) trouble: Option<String>,
    /// What has no effect, by path.
    pub(super) warnings: Vec<String>,
}

/// A state, in Seldon's words.
pub(super) const AVAILABLE: &str = "Available";
const CREATING: &str = "Creating";
const FAILED: &str = "Failed";

/// The status of a resource that was applied.
pub(super) fn observed(observation: &Observation<'_>) -> Value {
    let deployments: Vec<_> =
        names(observation.objects, "Deployment").map(|name| state_of(name, observation.deployments)).collect();
    let missing: Vec<_> =
        deployments.iter().filter(|deployment| !deployment.is_complete).map(Rollout::describe).collect();
    let (state, description) = match (&missing[..], &observation.trouble) {
        ([], _) => (AVAILABLE, String::new()),
        (_, Some(trouble)) => (FAILED, trouble.clone()),
        (_, None) => (CREATING, missing.join("; ")),
    };
    let by_name = deployments.iter().map(|deployment| (deployment.name.clone(), deployment.status()));
    let services: Vec<&str> = names(observation.objects, "Service").collect();
    let mut status = json!({
        "state": state,
        "description": description,
        "replicas": deployments.iter().map(|deployment| deployment.available).sum::<i32>(),
        "deploymentStatus": by_name.collect::<Map<_, _>>(),
        "serviceStatus": services.iter().map(|name| ((*name).to_owned(), service(name, observation.namespace))).collect::<Map<_, _>>(),
        "observedGeneration": observation.generation,
        "conditions": conditions(state, &description, &observation.warnings),
    });
    if let Some(first) = services.first() {
        let host = host(first, observation.namespace);
        status["address"] = json!({"url": format!("http://{host}:{HTTP_PORT}/api/v1.0/predictions")});
    }
    status
}

/// The status of a resource that cannot be applied.
pub(super) fn refused(generation: i64, reasons: &[String]) -> Value {
    let description = reasons.join("; ");
    json!({
        "state": FAILED,
        "description": description,
        "observedGeneration": generation,
        "conditions": conditions(FAILED, &description, &[]),
    })
}

/// How far a Deployment is.
struct Rollout {
    name: String,
    desired: i32,
    available: i32,
    is_complete: bool,
}

impl Rollout {
    fn describe(&self) -> String {
        format!("Deployment `{}`: {} of {} replicas are available", self.name, self.available, self.desired)
    }

    fn status(&self) -> Value {
        let state = if self.is_complete { AVAILABLE } else { CREATING };
        json!({"name": self.name, "status": state, "replicas": self.desired, "availableReplicas": self.available})
    }
}

fn state_of(name: &str, deployments: &[Deployment]) -> Rollout {
    let Some(deployment) = deployments.iter().find(|deployment| deployment.metadata.name.as_deref() == Some(name))
    else {
        return Rollout { name: name.to_owned(), desired: 1, available: 0, is_complete: false };
    };
    let status = deployment.status.clone().unwrap_or_default();
    let desired = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let (available, updated) = (status.available_replicas.unwrap_or(0), status.updated_replicas.unwrap_or(0));
    let is_current = status.observed_generation >= deployment.metadata.generation;
    // Pods of the version before are gone, or do no harm by being there still.
    let is_complete =
        is_current && updated >= desired && available >= desired && status.replicas.unwrap_or(0) == updated;
    Rollout { name: name.to_owned(), desired, available, is_complete }
}

fn names<'a>(objects: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a str> {
    objects.iter().filter(move |object| object["kind"] == kind).filter_map(|object| object["metadata"]["name"].as_str())
}

fn service(name: &str, namespace: &str) -> Value {
    let host = host(name, namespace);
    let [http, grpc] = [HTTP_PORT, GRPC_PORT].map(|port| format!("{host}:{port}"));
    json!({"svcName": name, "httpEndpoint": http, "grpcEndpoint": grpc})
}

fn host(service: &str, namespace: &str) -> String {
    format!("{service}.{namespace}.svc.cluster.local")
}

/// Conditions without times, which [`with_times`] adds.
fn conditions(state: &str, description: &str, warnings: &[String]) -> Vec<Value> {
    let is_ready = state == AVAILABLE;
    let mut conditions = vec![json!({
        "type": "Ready",
        "status": if is_ready { "True" } else { "False" },
        "reason": state,
        "message": description,
    })];
    if !warnings.is_empty() {
        conditions.push(json!({
            "type": "FieldsWithoutEffect",
            "status": "True",
            "reason": "FieldsWithoutEffect",
            "message": warnings.join("; "),
        }));
    }
    conditions
}

/// The status with the time of each condition's last transition: that of before where it has not changed.
pub(super) fn with_times(mut status: Value, before: &Value, now: &str) -> Value {
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        let known = before["conditions"].as_array().into_iter().flatten();
        let same = known
            .into_iter()
            .find(|known| known["type"] == condition["type"] && known["status"] == condition["status"]);
        let time = same.and_then(|same| same["lastTransitionTime"].as_str()).unwrap_or(now);
        condition["lastTransitionTime"] = json!(time);
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(deployment: Value, trouble: Option<&str>) -> Value {
        let objects = [
            json!({"kind": "Deployment", "metadata": {"name": "iris-main-0-classifier"}}),
            json!({"kind": "Service", "metadata": {"name": "iris-main"}}),
        ];
        let deployments = [serde_json::from_value(deployment).unwrap()];
        observed(&Observation {
            namespace: "default",
            generation: 3,
            objects: &objects,
            deployments: &deployments,
            trouble: trouble.map(str::to_owned),
            warnings: Vec::new(),
        })
    }

    fn deployment(generation: i64, updated: i32, available: i32, replicas: i32) -> Value {
        json!({
            "metadata": {"name": "iris-main-0-classifier", "generation": 2},
            "spec": {"replicas": 2, "selector": {}, "template": {}},
            "status": {"observedGeneration": generation, "updatedReplicas": updated, "availableReplicas": available, "replicas": replicas},
        })
    }

    #[test]
    fn it_is_available_once_every_replica_is_of_this_generation() {
        for (deployment, expected) in [
            (deployment(2, 2, 2, 2), AVAILABLE),
            (deployment(1, 2, 2, 2), CREATING),
            (deployment(2, 1, 2, 3), CREATING),
            (deployment(2, 2, 1, 2), CREATING),
            (deployment(2, 2, 2, 3), CREATING),
        ] {
            assert_eq!(status(deployment.clone(), None)["state"], expected, "{deployment}");
        }
    }

    #[test]
    fn trouble_of_a_pod_is_the_reason_unless_all_are_there() {
        let failed = status(deployment(2, 1, 0, 1), Some("no such model"));
        assert_eq!((&failed["state"], &failed["description"]), (&json!(FAILED), &json!("no such model")));
        assert_eq!(status(deployment(2, 2, 2, 2), Some("no such model"))["state"], AVAILABLE);
    }

    #[test]
    fn a_condition_keeps_its_time_until_it_changes() {
        let first = with_times(status(deployment(2, 1, 0, 1), None), &Value::Null, "2026-01-01T00:00:00Z");
        let second = with_times(status(deployment(2, 1, 1, 1), None), &first, "2026-01-02T00:00:00Z");
        assert_eq!(second["conditions"][0]["lastTransitionTime"], "2026-01-01T00:00:00Z");
        let third = with_times(status(deployment(2, 2, 2, 2), None), &second, "2026-01-03T00:00:00Z");
        assert_eq!(third["conditions"][0]["lastTransitionTime"], "2026-01-03T00:00:00Z");
    }

    #[test]
    fn the_address_is_that_of_the_first_service() {
        let status = status(deployment(2, 2, 2, 2), None);
        assert_eq!(status["address"]["url"], "http://iris-main.default.svc.cluster.local:8000/api/v1.0/predictions");
        assert_eq!(status["serviceStatus"]["iris-main"]["grpcEndpoint"], "iris-main.default.svc.cluster.local:5001");
    }
}
