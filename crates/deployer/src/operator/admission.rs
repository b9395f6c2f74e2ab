//! Validating what users write before it is stored: the rules of reconciling, told at `kubectl apply`.

use std::sync::Arc;

use kube::{
    api::DynamicObject,
    core::admission::{AdmissionRequest, AdmissionResponse, AdmissionReview},
};
use provost_domain::ServerCatalog;

use super::{desired::Desired, reconcile::is_own};
use crate::kubernetes::Settings;

/// A question of the API server, or its answer.
pub type Review = AdmissionReview<DynamicObject>;

/// Longest warning that `kubectl` shows whole, in bytes.
const WARNING_MAX: usize = 256;

/// Answers an `AdmissionReview` (`admission.k8s.io/v1`): a manifest that breaks a rule is refused with every rule by
/// its path; fields without effect are warnings. Those of another controller are let through.
pub fn review(
    review: Review,
    catalog: &Arc<ServerCatalog>,
    settings: &Settings,
    controller_id: Option<&str>,
) -> Review {
    let request: AdmissionRequest<DynamicObject> = match review.try_into() {
        Ok(request) => request,
        Err(error) => return AdmissionResponse::invalid(error.to_string()).into_review(),
    };
    let mut response = AdmissionResponse::from(&request);
    let object = request.object.filter(|object| object.metadata.deletion_timestamp.is_none());
    let Some(mut object) = object.filter(|object| is_own(object, controller_id)) else {
        return response.into_review();
    };
    object.metadata.namespace = object.metadata.namespace.or(request.namespace);
    // The API server has not made the name of one that asks for any.
    object.metadata.name = object.metadata.name.or(object.metadata.generate_name.take());
    match Desired::of(&object, catalog, settings) {
        Ok(desired) => {
            let warnings = desired.warnings.into_iter().map(shortened).collect::<Vec<_>>();
            response.warnings = Some(warnings).filter(|warnings| !warnings.is_empty());
            response
        }
        Err(reasons) => response.deny(reasons.join("; ")),
    }
    .into_review()
}

fn shortened(mut warning: String) -> String {
    warning.truncate(warning.floor_char_boundary(WARNING_MAX));
    warning
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(labels: Value, server: &str) -> Value {
        let request = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "7",
                "kind": {"group": "machinelearning.seldon.io", "version": "v1", "kind": "SeldonDeployment"},
                "resource": {"group": "machinelearning.seldon.io", "version": "v1", "resource": "seldondeployments"},
                "name": "iris",
                "namespace": "models",
                "operation": "CREATE",
                "userInfo": {},
                "dryRun": false,
                "object": {
                    "apiVersion": "machinelearning.seldon.io/v1",
                    "kind": "SeldonDeployment",
                    "metadata": {"name": "iris", "labels": labels},
                    "spec": {"nmae": "iris", "predictors": [{
                        "name": "main",
                        "graph": {"name": "classifier", "implementation": server, "modelUri": "s3://models/iris"},
                    }]},
                },
            },
        });
        let (catalog, settings) = (Arc::default(), Settings::new("provost:1".to_owned()));
        let answered = review(serde_json::from_value(request).unwrap(), &catalog, &settings, None);
        serde_json::to_value(answered).unwrap()["response"].clone()
    }

    #[test]
    fn what_breaks_a_rule_is_refused_by_path() {
        let answer = answer(json!({}), "NO_SERVER");
        assert_eq!((&answer["uid"], &answer["allowed"]), (&json!("7"), &json!(false)));
        let message = answer["status"]["message"].as_str().unwrap();
        assert!(message.contains("spec.predictors[0]") && message.contains("NO_SERVER"), "{message}");
    }

    #[test]
    fn what_has_no_effect_is_a_warning() {
        let answer = answer(json!({}), "SKLEARN_SERVER");
        assert_eq!(answer["allowed"], true);
        assert!(answer["warnings"][0].as_str().unwrap().contains("spec.nmae"), "{answer}");
    }

    #[test]
    fn those_of_another_controller_are_let_through() {
        assert_eq!(answer(json!({"seldon.io/controller-id": "other"}), "NO_SERVER")["allowed"], true);
    }
}
