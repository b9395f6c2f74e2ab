//! A manifest as its user wrote it, from what the API server made of it.

use provost_api::{
    crd::{inference_service, seldon_deployment},
    manifest::keep_written,
};
use serde_json::{Value, json};

/// The document as its user wrote it.
pub(crate) fn as_written(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.entry("kind").or_insert_with(|| json!(seldon_deployment::KIND));
        fields.entry("apiVersion").or_insert_with(|| json!(seldon_deployment::API_VERSIONS[0]));
    }
    if is_legacy(&document) {
        document["apiVersion"] = json!(inference_service::LEGACY_VERSION);
    }
    keep_written(&mut document);
    document
}

/// Whether a service was written as v1alpha2 has it: the API server gives it in any version, and changes nothing else.
fn is_legacy(document: &Value) -> bool {
    let group = inference_service::LEGACY_VERSION.split('/').next();
    let is_of_group = document["apiVersion"].as_str().and_then(|version| version.split('/').next()) == group;
    let spec = &document["spec"];
    is_of_group && spec["default"].is_object() && spec.get("predictor").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_of_v1alpha2_is_told_by_what_it_says() {
        let version = |version: &str, spec: Value| {
            let document =
                json!({"apiVersion": version, "kind": "InferenceService", "metadata": {"name": "a"}, "spec": spec});
            as_written(document)["apiVersion"].as_str().unwrap().to_owned()
        };
        let (latest, legacy) = ("serving.kubeflow.org/v1beta1", "serving.kubeflow.org/v1alpha2");
        assert_eq!(version(latest, json!({"default": {"predictor": {}}})), legacy);
        assert_eq!(version(legacy, json!({"default": {"predictor": {}}})), legacy);
        assert_eq!(version(latest, json!({"predictor": {}})), latest);
        let of_kserve = "serving.kserve.io/v1beta1";
        assert_eq!(version(of_kserve, json!({"default": {"predictor": {}}})), of_kserve);
    }
}
