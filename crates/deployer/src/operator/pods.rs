//! Why pods do not serve, in words for a person.

use k8s_openapi::api::core::v1::{ContainerStatus, PodStatus};

/// Reasons of a waiting container that time alone does not end.
const STUCK: [&str; 7] = [
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
];

/// Why a pod cannot start, if there is a reason.
pub(crate) fn trouble(status: &PodStatus) -> Option<String> {
    let unscheduled = status.conditions.iter().flatten().find(|condition| {
        condition.type_ == "PodScheduled"
            && condition.status == "False"
            && condition.reason.as_deref() == Some("Unschedulable")
    });
    if let Some(condition) = unscheduled {
        return Some(format!("no node has room: {}", condition.message.as_deref().unwrap_or_default()));
    }
    let containers = [&status.init_container_statuses, &status.container_statuses];
    containers.into_iter().flatten().flatten().find_map(trouble_of_container)
}

fn trouble_of_container(container: &ContainerStatus) -> Option<String> {
    let ended = |state: &Option<k8s_openapi::api::core::v1::ContainerState>| {
        let ended = state.as_ref()?.terminated.as_ref().filter(|ended| ended.exit_code != 0)?;
        let text = ended.message.as_deref().map(str::trim).filter(|text| !text.is_empty());
        Some(text.map_or_else(|| format!("it ended with code {}", ended.exit_code), str::to_owned))
    };
    let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
    let stuck = waiting.filter(|waiting| STUCK.contains(&waiting.reason.as_deref().unwrap_or_default()));
    let ended = ended(&container.state).or_else(|| ended(&container.last_state).filter(|_| stuck.is_some()));
    let stuck = stuck.map(|waiting| {
        let [reason, message] = [&waiting.reason, &waiting.message].map(|text| text.as_deref().unwrap_or_default());
        format!("{reason}: {message}")
    });
    Some(format!("container `{}`: {}", container.name, ended.or(stuck)?))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(status: Value, expected: Option<&str>) {
        let status: PodStatus = serde_json::from_value(status).unwrap();
        assert_eq!(trouble(&status).as_deref(), expected);
    }

    #[test]
    fn a_container_that_ended_tells_why() {
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}});
        let ended = json!({"terminated": {"exitCode": 1, "message": "there is no file `/mnt/models`\n"}});
        let status = |state: &Value, last: &Value| json!({"containerStatuses": [{"name": "classifier", "image": "", "imageID": "", "ready": false, "restartCount": 1, "state": state, "lastState": last}]});
        check(status(&waiting, &ended), Some("container `classifier`: there is no file `/mnt/models`"));
        check(status(&ended, &json!({})), Some("container `classifier`: there is no file `/mnt/models`"));
        check(status(&waiting, &json!({})), Some("container `classifier`: CrashLoopBackOff: back-off 10s"));
        check(status(&json!({"running": {}}), &ended), None);
        check(status(&json!({"waiting": {"reason": "ContainerCreating"}}), &json!({})), None);
    }

    #[test]
    fn a_pod_that_fits_on_no_node_tells_so() {
        let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes are available"});
        check(json!({"conditions": [condition]}), Some("no node has room: 0/2 nodes are available"));
    }
}
