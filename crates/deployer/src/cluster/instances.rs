//! Pods as instances of a deployment. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container as ContainerSpec, ContainerStatus, Pod, PodSpec, PodStatus};
use provost_domain::{
    plan::Timestamp,
    port::{
        deployments::StoredDeployment,
        workloads::{Container, Instance, InstanceState},
    },
};

use crate::{
    kubernetes::{PREDICTOR_ANNOTATION, PREDICTOR_LABEL, app},
    operator::trouble,
};

/// The predictors of a deployment by the label that their pods have.
pub(super) fn predictors(stored: &StoredDeployment) -> BTreeMap<String, String> {
    let predictors = stored.document["spec"]["predictors"].as_array().into_iter().flatten();
    let names = predictors.filter_map(|predictor| predictor["name"].as_str());
    let reported = stored.report.iter().flat_map(|report| &report.predictors).map(|predictor| predictor.name.as_str());
    names.chain(reported).map(|name| (app(stored.id.name.as_str(), name), name.to_owned())).collect()
}

/// The predictor whose requests a pod answers.
pub(super) fn predictor_of(pod: &Pod, predictors: &BTreeMap<String, String>) -> Option<String> {
    predictors.get(pod.metadata.labels.as_ref()?.get(PREDICTOR_LABEL)?).cloned()
}

/// The predictor of which a pod runs nodes alone, beside those that answer requests.
fn predictor_beside(pod: &Pod) -> Option<String> {
    pod.metadata.annotations.as_ref()?.get(PREDICTOR_ANNOTATION).cloned()
}

/// A pod, told as an instance.
pub(super) fn instance(pod: &Pod, predictors: &BTreeMap<String, String>) -> Instance {
    let (empty, no_spec) = (PodStatus::default(), PodSpec::default());
    let (status, spec) = (pod.status.as_ref().unwrap_or(&empty), pod.spec.as_ref().unwrap_or(&no_spec));
    let trouble = trouble(status);
    let created = pod.metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_millisecond());
    Instance {
        name: pod.metadata.name.clone().unwrap_or_default(),
        predictor: predictor_of(pod, predictors).or_else(|| predictor_beside(pod)),
        state: state(pod, status, trouble.is_some()),
        reason: trouble.or_else(|| status.message.clone()).or_else(|| status.reason.clone()),
        node: spec.node_name.clone(),
        created: Timestamp::from_millis(u64::try_from(created).unwrap_or(0)),
        containers: containers(spec, status),
    }
}

fn state(pod: &Pod, status: &PodStatus, is_in_trouble: bool) -> InstanceState {
    let phase = status.phase.as_deref().unwrap_or_default();
    match phase {
        _ if pod.metadata.deletion_timestamp.is_some() => InstanceState::Stopping,
        "Failed" | "Succeeded" => InstanceState::Failed,
        _ if is_ready(status) => InstanceState::Ready,
        _ if is_in_trouble => InstanceState::Failed,
        "Running" => InstanceState::Starting,
        _ => InstanceState::Pending,
    }
}

/// Whether it serves.
pub(super) fn is_ready(status: &PodStatus) -> bool {
    let conditions = status.conditions.iter().flatten();
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn containers(spec: &PodSpec, status: &PodStatus) -> Vec<Container> {
    let initial = spec.init_containers.iter().flatten().map(|one| (one, true, &status.init_container_statuses));
    let others = spec.containers.iter().map(|one| (one, false, &status.container_statuses));
    let told = initial.chain(others).map(|(container, is_initial, statuses)| {
        let its = statuses.iter().flatten().find(|status| status.name == container.name);
        told(container, is_initial, its)
    });
    told.collect()
}

fn told(container: &ContainerSpec, is_initial: bool, status: Option<&ContainerStatus>) -> Container {
    Container {
        name: container.name.clone(),
        image: container.image.clone().unwrap_or_default(),
        is_initial,
        is_ready: status.is_some_and(|status| status.ready),
        restarts: status.and_then(|status| u32::try_from(status.restart_count).ok()).unwrap_or(0),
        reason: status.and_then(reason),
    }
}

/// Why a container waits or ended.
fn reason(status: &ContainerStatus) -> Option<String> {
    let state = status.state.as_ref()?;
    let (reason, message) = match (&state.waiting, &state.terminated) {
        (Some(waiting), _) => (waiting.reason.as_deref(), waiting.message.as_deref()),
        (None, Some(ended)) if ended.exit_code != 0 => (ended.reason.as_deref(), ended.message.as_deref()),
        _ => return None,
    };
    let parts: Vec<_> =
        [reason, message].into_iter().flatten().map(str::trim).filter(|text| !text.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: &Value, deleted: bool) -> Instance {
        let mut metadata = json!({
            "name": "iris-main-0-classifier-1",
            "labels": {"seldon-app": "iris-main"},
            "creationTimestamp": "2026-01-01T00:00:00Z",
        });
        if deleted {
            metadata["deletionTimestamp"] = json!("2026-01-01T00:01:00Z");
        }
        let spec = json!({
            "nodeName": "node-1",
            "initContainers": [{"name": "fetch", "image": "fetch:1"}],
            "containers": [{"name": "classifier", "image": "provost:1"}],
        });
        let pod = serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap();
        instance(&pod, &BTreeMap::from([("iris-main".to_owned(), "main".to_owned())]))
    }

    fn container(state: &Value) -> Value {
        json!([{"name": "classifier", "image": "", "imageID": "", "ready": false, "restartCount": 3, "state": state}])
    }

    #[test]
    fn a_pod_is_an_instance_of_its_predictor() {
        let ready = pod(&json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}), false);
        assert_eq!(ready.predictor.as_deref(), Some("main"));
        assert_eq!((ready.state, ready.node.as_deref()), (InstanceState::Ready, Some("node-1")));
        assert_eq!(ready.created.as_millis(), 1_767_225_600_000);
        let names: Vec<_> = ready.containers.iter().map(|one| (one.name.as_str(), one.is_initial)).collect();
        assert_eq!(names, [("fetch", true), ("classifier", false)]);
    }

    #[test]
    fn a_pod_of_nodes_alone_is_an_instance_that_answers_no_requests() {
        let metadata = json!({"name": "iris-main-1-scorer-1", "annotations": {"provost.dev/predictor": "main"}});
        let pod = serde_json::from_value(json!({"metadata": metadata})).unwrap();
        let predictors = BTreeMap::from([("iris-main".to_owned(), "main".to_owned())]);
        assert_eq!(instance(&pod, &predictors).predictor.as_deref(), Some("main"));
        assert_eq!(predictor_of(&pod, &predictors), None);
    }

    #[test]
    fn states_tell_what_a_person_has_to_know() {
        let waiting = container(&json!({"waiting": {"reason": "ContainerCreating"}}));
        let stuck = container(&json!({"waiting": {"reason": "ErrImagePull", "message": "no such image"}}));
        let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        for (status, is_deleted, expected) in [
            (json!({"phase": "Pending"}), false, InstanceState::Pending),
            (json!({"phase": "Pending", "containerStatuses": waiting}), false, InstanceState::Pending),
            (json!({"phase": "Pending", "containerStatuses": stuck}), false, InstanceState::Failed),
            (json!({"phase": "Running"}), false, InstanceState::Starting),
            (json!({"phase": "Failed", "message": "evicted"}), false, InstanceState::Failed),
            (ready, true, InstanceState::Stopping),
        ] {
            assert_eq!(pod(&status, is_deleted).state, expected, "{status}");
        }
    }

    #[test]
    fn a_container_tells_why_it_waits_and_how_often_it_was_started_again() {
        let stuck = container(&json!({"waiting": {"reason": "ErrImagePull", "message": "no such image"}}));
        let failed = pod(&json!({"phase": "Pending", "containerStatuses": stuck}), false);
        let classifier = &failed.containers[1];
        assert_eq!((classifier.restarts, classifier.reason.as_deref()), (3, Some("ErrImagePull: no such image")));
        assert_eq!(failed.reason.as_deref(), Some("container `classifier`: ErrImagePull: no such image"));
    }
}
