//! Resources out of deployments, and back.

use http::{HeaderMap, header};
use provost_domain::{
    ErrorCode,
    plan::Timestamp,
    port::deployments::{Precondition, StoredDeployment},
};
use serde_json::{Value, json};

use super::objects::{Objects, precondition, resource_version, uid};

fn objects(group: &str, version: &str) -> Objects {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, "localhost:8000".parse().unwrap());
    let plural = if group.starts_with("machine") { "seldondeployments" } else { "inferenceservices" };
    Objects::new(group, version, plural, &headers).unwrap()
}

fn stored(api_version: &str, kind: &str) -> StoredDeployment {
    StoredDeployment {
        id: provost_domain::DeploymentId { namespace: "models".try_into().unwrap(), name: "iris".try_into().unwrap() },
        document: json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "iris"}}),
        generation: 7,
        created: Timestamp::from_millis(1_700_000_000_000),
        updated: Timestamp::from_millis(1_700_000_000_000),
        artifacts: Vec::new(),
        report: None,
        before: None,
    }
}

#[test]
fn versions_show_each_others_resources_where_the_schema_is_one_or_the_newer() {
    let kserve = objects("serving.kserve.io", "v1beta1");
    let kubeflow = objects("serving.kubeflow.org", "v1beta1");
    let legacy = objects("serving.kubeflow.org", "v1alpha2");
    let latest = stored("serving.kserve.io/v1beta1", "InferenceService");
    let old = stored("serving.kubeflow.org/v1alpha2", "InferenceService");
    assert!(kserve.has(&latest) && kubeflow.has(&latest) && !legacy.has(&latest));
    assert!(kserve.has(&old) && kubeflow.has(&old) && legacy.has(&old));
    assert!(kubeflow.is_newer(&old) && !legacy.is_newer(&old) && !kubeflow.is_newer(&latest));
    let seldon = stored("machinelearning.seldon.io/v1alpha3", "SeldonDeployment");
    assert!(objects("machinelearning.seldon.io", "v1").has(&seldon) && !kserve.has(&seldon));
}

#[test]
fn a_resource_that_is_not_served_is_told_with_those_that_are() {
    for (group, version, plural) in [
        ("serving.kserve.io", "v1beta2", "inferenceservices"),
        ("serving.kserve.io", "v1beta1", "seldondeployments"),
        ("apps", "v1", "deployments"),
    ] {
        let problem = Objects::new(group, version, plural, &HeaderMap::new()).unwrap_err();
        assert_eq!(problem.code, ErrorCode::NotFound);
        assert!(problem.detail.contains("inferenceservices.serving.kserve.io"), "{}", problem.detail);
    }
}

fn written(document: Value, name: Option<&str>) -> Result<Value, String> {
    objects("serving.kserve.io", "v1beta1").written(document, "models", name).map_err(|problem| problem.detail)
}

#[test]
fn what_servers_set_is_not_stored() {
    let sent = json!({
        "metadata": {"name": "iris", "uid": "1", "resourceVersion": "2", "labels": {"a": "b"}, "managedFields": []},
        "spec": {},
        "status": {"url": "http://elsewhere"},
    });
    let expected = json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris", "labels": {"a": "b"}, "namespace": "models"},
        "spec": {},
    });
    assert_eq!(written(sent, Some("iris")), Ok(expected));
}

#[test]
fn a_resource_that_its_path_contradicts_is_refused() {
    for (sent, expected) in [
        (json!({"kind": "Pod", "metadata": {}}), "`kind` is `Pod`, and the path says `InferenceService`"),
        (json!({"metadata": {"namespace": "other"}}), "`metadata.namespace` is `other`, and the path says `models`"),
        (json!({"metadata": {"name": "wine"}}), "`metadata.name` is `wine`, and the path says `iris`"),
        (json!({"metadata": "iris"}), "`metadata` must be an object"),
    ] {
        assert_eq!(written(sent, Some("iris")), Err(expected.to_owned()));
    }
}

#[test]
fn a_change_made_for_a_version_needs_its_generation() {
    let stored = stored("serving.kserve.io/v1beta1", "InferenceService");
    let of = |version: &str| precondition(&json!({"metadata": {"resourceVersion": version}}));
    assert_eq!(of(&resource_version(&stored)), Ok(Precondition::Generation(7)));
    assert_eq!(precondition(&json!({})), Ok(Precondition::None));
    assert_eq!(of("abc").unwrap_err().code, ErrorCode::BadRequest);
}

#[test]
fn a_resource_made_anew_has_another_identifier() {
    let first = stored("serving.kserve.io/v1beta1", "InferenceService");
    let second = StoredDeployment { created: Timestamp::from_millis(1), ..first.clone() };
    assert_ne!(uid(&first), uid(&second));
    let lengths: Vec<_> = uid(&first).split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
}
