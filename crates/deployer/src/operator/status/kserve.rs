//! What the status of an `InferenceService` has besides, as `KServe` tells it. Pure.

use provost_api::crd::inference_service::status::{component, model_status};
use provost_domain::{
    deployment::Role,
    plan::{Report, State},
};
use serde_json::{Value, json};

use super::{Desired, Observation};

/// The components of a service, by the roles of its predictors.
const COMPONENTS: [(Role, &str, &str); 3] = [
    (Role::Predictor, "predictor", "PredictorReady"),
    (Role::Transformer, "transformer", "TransformerReady"),
    (Role::Explainer, "explainer", "ExplainerReady"),
];

/// Adds it to the status of a service that is at `host`.
pub(super) fn add(status: &mut Value, observation: &Observation<'_>, host: &str) {
    let Observation { desired, namespace, .. } = observation;
    status["url"] = json!(format!("http://{host}"));
    let of_role = |role| move |name: &str| desired.role(name) == role;
    let there: Vec<_> = COMPONENTS.into_iter().filter(|(role, ..)| desired.predictors().any(of_role(*role))).collect();
    if let Some(conditions) = status["conditions"].as_array_mut() {
        let ready = conditions.first().cloned().unwrap_or_default();
        for (role, _, kind) in &there {
            let part = observation.report.map(|report| part(report, of_role(*role)));
            conditions.push(condition(&ready, kind, part.filter(|_| there.len() > 1).as_ref()));
        }
        conditions.push(condition(&ready, "IngressReady", None));
    }
    let is_alone = there.len() == 1;
    let Some(report) = observation.report else { return };
    let report = &with_traffic(report, desired);
    status["components"] = json!({});
    for (role, component_name, _) in there {
        let part = part(report, of_role(role));
        let service = format!("{}-{component_name}", desired.name());
        // What is all of the service is where that is.
        let of_its_own = super::host(&service, namespace);
        let url = format!("http://{}", if is_alone { host } else { &of_its_own });
        status["components"][component_name] = component(&part, &service, &url);
        if role == Role::Predictor {
            status["modelStatus"] = model_status(&part);
        }
    }
}

/// A report in which transformers have the traffic of the predictors in whose place they are asked.
fn with_traffic(report: &Report, desired: &Desired) -> Report {
    let weight = |name: &str| report.predictors.iter().find(|one| one.name == name).map_or(0, |one| one.weight);
    let mut told = report.clone();
    for one in told.predictors.iter_mut().filter(|one| one.weight > 0) {
        one.weight = desired.before(&one.name).map_or(one.weight, weight);
    }
    told
}

/// What a report tells of some of the predictors.
fn part(report: &Report, is_of_it: impl Fn(&str) -> bool) -> Report {
    let predictors: Vec<_> = report.predictors.iter().filter(|one| is_of_it(&one.name)).cloned().collect();
    let any = |state| predictors.iter().any(|one| one.state == state);
    let state = match (any(State::Failed), any(State::Creating)) {
        _ if predictors.is_empty() => report.state,
        (true, _) => State::Failed,
        (false, true) => State::Creating,
        (false, false) => State::Available,
    };
    let reasons: Vec<_> = predictors.iter().filter_map(|one| one.reason.clone()).collect();
    let description = if reasons.is_empty() { report.description.clone() } else { reasons.join("; ") };
    let description = if state == State::Available { String::new() } else { description };
    Report { state, description, predictors, ..report.clone() }
}

/// A condition as that of the whole is, or of a part of it.
fn condition(ready: &Value, kind: &str, part: Option<&Report>) -> Value {
    let mut condition = ready.clone();
    condition["type"] = json!(kind);
    if let Some(part) = part {
        condition["status"] = json!(if part.state == State::Available { "True" } else { "False" });
        condition["reason"] = json!(part.state.as_str());
        condition["message"] = json!(part.description);
    }
    condition
}

#[cfg(test)]
mod tests {
    use kube::api::DynamicObject;
    use provost_domain::{RevisionId, plan::PredictorReport};

    use super::*;
    use crate::{
        kubernetes::Settings,
        operator::{children::Family, desired::Desired},
    };

    fn desired() -> Desired {
        desired_of(&json!({"predictor": {"sklearn": {"storageUri": "s3://models/iris"}}}))
    }

    fn desired_of(spec: &Value) -> Desired {
        let object: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "iris", "namespace": "models", "generation": 3, "uid": "1"},
            "spec": spec,
        }))
        .unwrap();
        Desired::of(&object, &std::sync::Arc::default(), &Settings::new("provost:1".to_owned())).unwrap()
    }

    fn told(predictors: &[(&str, State, u32)], state: State) -> Value {
        told_of(&desired(), predictors, state)
    }

    fn told_of(desired: &Desired, predictors: &[(&str, State, u32)], state: State) -> Value {
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
            desired,
            family: &Family::new(),
            report: Some(&report),
            in_force: &[],
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
            in_force: &[],
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
    fn a_transformer_is_a_component_and_where_the_service_answers() {
        let container = json!({"name": "mine", "image": "me/transformer:1"});
        let desired = desired_of(&json!({
            "predictor": {"sklearn": {"storageUri": "s3://models/iris"}},
            "transformer": {"containers": [container]},
        }));
        let predictors = [("default", State::Available, 100), ("transformer", State::Creating, 0)];
        let status = told_of(&desired, &predictors, State::Creating);
        assert_eq!(status["url"], "http://iris-transformer.models.svc.cluster.local");
        assert_eq!(
            status["address"]["url"],
            "http://iris-transformer.models.svc.cluster.local:8000/v1/models/iris:predict"
        );
        let conditions = status["conditions"].as_array().unwrap().iter();
        let kinds: Vec<_> =
            conditions.map(|one| [&one["type"], &one["status"]].map(|text| text.as_str().unwrap())).collect();
        let expected =
            [["Ready", "False"], ["PredictorReady", "True"], ["TransformerReady", "False"], ["IngressReady", "False"]];
        assert_eq!(kinds, expected);
        let components = &status["components"];
        assert_eq!(components["predictor"]["url"], "http://iris-predictor.models.svc.cluster.local");
        assert_eq!(components["predictor"]["traffic"].as_array().map(Vec::len), Some(1));
        let created = components["transformer"]["latestCreatedRevision"].as_str().unwrap();
        assert!(created.starts_with("iris-transformer-transformer-"), "{created}");
        assert_eq!(components["transformer"].get("latestReadyRevision"), None);
        assert_eq!(status["modelStatus"]["transitionStatus"], "UpToDate");
    }

    #[test]
    fn transformers_have_the_traffic_of_their_predictors() {
        let desired = desired_of(&json!({
            "predictor": {"sklearn": {"storageUri": "s3://models/iris"}},
            "transformer": {"containers": [{"name": "mine", "image": "me/transformer:1"}]},
            "canary": [{"trafficPercent": 10, "predictor": {"name": "next", "sklearn": {"storageUri": "s3://models/b"}}}],
        }));
        let predictors = [("default", 90), ("next", 10), ("transformer", 100), ("next-transformer", 100)];
        let predictors = predictors.map(|(name, weight)| (name, State::Available, weight));
        let status = told_of(&desired, &predictors, State::Available);
        let traffic = |component: &str| -> Vec<Value> {
            let told = status["components"][component]["traffic"].as_array().unwrap();
            told.iter().map(|one| one["percent"].clone()).collect()
        };
        assert_eq!(traffic("predictor"), [90, 10]);
        assert_eq!(traffic("transformer"), [90, 10]);
        assert_eq!(status["url"], "http://iris-transformer.models.svc.cluster.local");
    }

    #[test]
    fn a_service_of_v1alpha2_that_is_read_in_another_version_is_made_so() {
        let model = |uri: &str| json!({"predictor": {"sklearn": {"storageUri": uri}}});
        let spec =
            json!({"default": model("s3://models/a"), "canary": model("s3://models/b"), "canaryTrafficPercent": 20});
        let object: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "serving.kubeflow.org/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "iris", "namespace": "models", "generation": 3, "uid": "1"},
            "spec": spec,
        }))
        .unwrap();
        let desired = Desired::of(&object, &std::sync::Arc::default(), &Settings::new("provost:1".to_owned())).unwrap();
        assert_eq!(desired.warnings, Vec::<String>::new());
        assert_eq!(desired.predictors().collect::<Vec<_>>(), ["default", "canary"]);
        let status =
            told_of(&desired, &[("default", State::Available, 80), ("canary", State::Available, 20)], State::Available);
        assert_eq!(status["url"], "http://iris-predictor.models.svc.cluster.local");
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
