//! What the status of an `InferenceService` has besides, as `KServe` tells it. Pure.

use provost_api::crd::inference_service::status::{component, model_status};
use provost_domain::plan::Report;
use serde_json::{Value, json};

/// Adds it to a status of a service that is at `host`.
pub(super) fn add(status: &mut Value, report: Option<&Report>, name: &str, host: &str) {
    let url = format!("http://{host}");
    status["url"] = json!(url);
    if let Some(conditions) = status["conditions"].as_array_mut() {
        let ready = conditions.first().cloned().unwrap_or_default();
        for kind in ["PredictorReady", "IngressReady"] {
            let mut condition = ready.clone();
            condition["type"] = json!(kind);
            conditions.push(condition);
        }
    }
    let Some(report) = report else { return };
    status["components"] = json!({"predictor": component(report, name, &url)});
    status["modelStatus"] = model_status(report);
}

#[cfg(test)]
mod tests {
    use kube::api::DynamicObject;
    use provost_domain::{
        RevisionId,
        plan::{PredictorReport, State},
    };

    use super::*;
    use crate::{
        kubernetes::Settings,
        operator::{children::Family, desired::Desired, status::Observation},
    };

    fn desired() -> Desired {
        let object: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "iris", "namespace": "models", "generation": 3, "uid": "1"},
            "spec": {"predictor": {"sklearn": {"storageUri": "s3://models/iris"}}},
        }))
        .unwrap();
        Desired::of(&object, &std::sync::Arc::default(), &Settings::new("provost:1".to_owned())).unwrap()
    }

    fn told(predictors: &[(&str, State, u32)], state: State) -> Value {
        let predictor = |(name, state, weight): &(&str, State, u32)| PredictorReport {
            name: (*name).to_owned(),
            revision: Some(RevisionId::of(name, &[])),
            state: *state,
            reason: None,
            weight: *weight,
        };
        let predictors = predictors.iter().map(predictor).collect();
        let report = Report { state, description: "loading".to_owned(), predictors, generation: 3 };
        super::super::observed(&Observation {
            namespace: "models",
            desired: &desired(),
            family: &Family::new(),
            report: Some(&report),
            answer: None,
            settings: &Settings::new("provost:1".to_owned()),
        })
    }

    #[test]
    fn clients_of_kserve_read_address_conditions_and_revisions() {
        let status = told(&[("default", State::Available, 100)], State::Available);
        assert_eq!(status["url"], "http://iris-predictor.models.svc.cluster.local");
        let conditions: Vec<_> = status["conditions"].as_array().unwrap().iter().collect();
        let kinds: Vec<_> = conditions.iter().map(|one| (&one["type"], &one["status"])).collect();
        let yes = json!("True");
        let expected = ["Ready", "PredictorReady", "IngressReady"].map(|kind| json!(kind));
        assert_eq!(kinds, expected.iter().map(|kind| (kind, &yes)).collect::<Vec<_>>());
        let predictor = &status["components"]["predictor"];
        assert_eq!(predictor["latestReadyRevision"], predictor["latestRolledoutRevision"]);
        assert_eq!(status["modelStatus"]["transitionStatus"], "UpToDate");
        assert_eq!(status["state"], "Available");
    }

    #[test]
    fn a_service_with_a_host_at_the_gateway_is_told_by_that() {
        let settings = Settings {
            gateway: Some("gateways/public".parse().unwrap()),
            ingress_domain: Some("example.org".to_owned()),
            ..Settings::new("provost:1".to_owned())
        };
        let (desired, family) = (desired(), Family::new());
        let observation = Observation {
            namespace: "models",
            desired: &desired,
            family: &family,
            report: None,
            answer: None,
            settings: &settings,
        };
        let status = super::super::observed(&observation);
        assert_eq!(status["url"], "http://iris-models.example.org");
        let address = "http://iris-predictor.models.svc.cluster.local:8000/v1/models/iris:predict";
        assert_eq!(status["address"]["url"], address);
    }

    #[test]
    fn the_predictor_before_has_its_share_under_a_tag() {
        let predictors = [("default", State::Available, 90), ("canary", State::Creating, 10)];
        let status = told(&predictors, State::Creating);
        let traffic = &status["components"]["predictor"]["traffic"];
        assert_eq!((&traffic[0]["percent"], &traffic[0]["tag"]), (&json!(90), &json!("prev")));
        assert_eq!((&traffic[1]["percent"], &traffic[1]["latestRevision"]), (&json!(10), &json!(true)));
        assert_eq!(status["components"]["predictor"].get("latestReadyRevision"), None);
        assert!(!status.to_string().contains("null"), "{status}");
    }

    #[test]
    fn what_is_made_belongs_to_the_service_and_pods_get_a_manifest_of_seldons() {
        let objects = desired().objects(&Settings::new("provost:1".to_owned()));
        let names: Vec<_> = objects.iter().map(|one| format!("{} {}", one["kind"], one["metadata"]["name"])).collect();
        assert_eq!(names, [r#""Deployment" "iris-default-0-iris""#, r#""Service" "iris-predictor""#]);
        let owner = &objects[0]["metadata"]["ownerReferences"][0];
        assert_eq!(
            (&owner["kind"], &owner["apiVersion"]),
            (&json!("InferenceService"), &json!("serving.kserve.io/v1beta1"))
        );
        let ports: Vec<_> = objects[1]["spec"]["ports"].as_array().unwrap().iter().map(|port| &port["port"]).collect();
        assert_eq!(ports, [&json!(8000), &json!(5001), &json!(80)]);
        assert!(objects[0].to_string().contains(r#"\"kind\":\"SeldonDeployment\""#));
    }
}
