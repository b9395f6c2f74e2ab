//! The status of a deployment, in Seldon's form, from what the cluster says of its objects. Pure.

mod kserve;

use provost_domain::{
    deployment::ResourceKind,
    plan::{PredictorReport, Report, Route, State},
};
use serde_json::{Map, Value, json};

use super::{
    children::{Answer, Family, Rollout},
    desired::Desired,
    observed::rollouts,
    reconcile::Unmet,
    words::{AVAILABLE, CREATING, FAILED},
};
use crate::kubernetes::{HTTP_PORT, Settings};

/// What a status is made from.
#[derive(Debug)]
pub(super) struct Observation<'a> {
    /// Namespace of the resource.
    pub(super) namespace: &'a str,
    /// What it asks for.
    pub(super) desired: &'a Desired,
    /// What is there.
    pub(super) family: &'a Family,
    /// What the planner last had to tell.
    pub(super) report: Option<&'a Report>,
    /// The routes in force.
    pub(super) in_force: &'a [Route],
    /// What the gateway says to the route.
    pub(super) answer: Option<&'a Answer>,
    /// What administrators set.
    pub(super) settings: &'a Settings,
}

/// The status of a resource that was applied.
pub(super) fn observed(observation: &Observation<'_>) -> Value {
    let Observation { namespace, desired, family, .. } = observation;
    let (state, description) = told(observation);
    let mut status = common(family, desired.generation, state, &description, &desired.warnings);
    let by_name = desired.services().iter().map(|(name, port)| (name.clone(), service(name, *port, namespace)));
    status["serviceStatus"] = Value::Object(by_name.collect());
    if let Some(report) = observation.report {
        status[PREDICTORS] = predictors(report, observation.in_force);
    }
    if let Some(service) = desired.service() {
        let host = host(&service, namespace);
        status["address"] = json!({"url": format!("http://{host}:{HTTP_PORT}{}", desired.predictions_path())});
        let outside = desired.host(observation.settings).unwrap_or(host);
        match desired.kind() {
            ResourceKind::SeldonDeployment => {}
            ResourceKind::InferenceService => kserve::add(&mut status, observation, &outside),
            ResourceKind::InferenceGraph => status["url"] = json!(format!("http://{outside}")),
        }
    }
    status
}

/// The field that tells of predictors. A status without it keeps what was told of them.
pub(super) const PREDICTORS: &str = "predictors";

/// The status of a resource that cannot be applied: what was there before stays.
pub(super) fn refused(family: &Family, generation: i64, unmet: &Unmet) -> Value {
    common(family, generation, unmet.state, &unmet.reasons.join("; "), &[])
}

fn common(family: &Family, generation: i64, state: &str, description: &str, warnings: &[String]) -> Value {
    let by_name = rollouts(family).map(|(name, _, rollout)| (name.to_owned(), deployment(name, rollout)));
    json!({
        "state": state,
        "description": description,
        "replicas": rollouts(family).map(|(_, _, rollout)| rollout.available).sum::<i32>(),
        "deploymentStatus": by_name.collect::<Map<_, _>>(),
        "observedGeneration": generation,
        "conditions": conditions(state, description, warnings),
    })
}

/// State and description: what the planner has to tell of this generation, else what is waited for.
fn told(observation: &Observation<'_>) -> (&'static str, String) {
    let gateway = observation.settings.gateway.as_ref().map(ToString::to_string).unwrap_or_default();
    if let Some(Answer::Rejected(reason)) = observation.answer {
        return (FAILED, format!("gateway `{gateway}` rejects the route: {reason}"));
    }
    let generation = u64::try_from(observation.desired.generation).unwrap_or(0);
    match observation.report.filter(|report| report.generation == generation) {
        Some(report) => (report.state.as_str(), report.description.clone()),
        None => (CREATING, format!("waiting for gateway `{gateway}` to take the route")),
    }
}

/// What the planner tells of each predictor, for the control plane: Seldon's status has no place for it. Those that leave
/// are told of as long as they have traffic.
fn predictors(report: &Report, in_force: &[Route]) -> Value {
    let is_told = |route: &Route| report.predictors.iter().any(|told| told.name == route.predictor);
    let leaving = in_force.iter().filter(|route| route.weight > 0 && !is_told(route));
    let leaving = leaving.map(|route| PredictorReport {
        name: route.predictor.clone(),
        revision: Some(route.revision.clone()),
        state: State::Available,
        reason: None,
        weight: route.weight,
    });
    report.predictors.iter().map(predictor).chain(leaving.map(|one| predictor(&one))).collect()
}

/// Without what is not known: the API server keeps no nulls, and a status that it changes would be written for ever.
fn predictor(report: &PredictorReport) -> Value {
    let mut told = json!({"name": report.name, "state": report.state.as_str(), "weight": report.weight});
    if let Some(reason) = &report.reason {
        told["reason"] = json!(reason);
    }
    if let Some(revision) = &report.revision {
        told["revision"] = json!(revision);
    }
    told
}

fn deployment(name: &str, rollout: &Rollout) -> Value {
    let state = if rollout.is_complete { AVAILABLE } else { CREATING };
    json!({"name": name, "status": state, "replicas": rollout.desired, "availableReplicas": rollout.available})
}

fn service(name: &str, port: u64, namespace: &str) -> Value {
    let host = host(name, namespace);
    json!({"svcName": name, "httpEndpoint": format!("{host}:{port}")})
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
    use kube::api::DynamicObject;
    use provost_domain::RevisionId;

    use super::*;
    use crate::{
        kubernetes::Settings,
        operator::children::{Child, Facts, Kind},
    };

    fn desired() -> Desired {
        desired_of("seldon")
    }

    fn desired_of(protocol: &str) -> Desired {
        let object: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "machinelearning.seldon.io/v1",
            "kind": "SeldonDeployment",
            "metadata": {"name": "iris", "namespace": "default", "generation": 3, "uid": "1"},
            "spec": {"protocol": protocol, "predictors": [{
                "name": "main",
                "graph": {"name": "classifier", "implementation": "SKLEARN_SERVER", "modelUri": "s3://models/iris"},
            }]},
        }))
        .unwrap();
        Desired::of(&object, &std::sync::Arc::default(), &Settings::new("provost:1".to_owned())).unwrap()
    }

    fn family() -> Family {
        let rollout = Rollout { desired: 2, available: 1, ..Rollout::default() };
        let child = Child {
            owner: Some("1".to_owned()),
            generation: Some(1),
            predictor: Some("main".to_owned()),
            revision: None,
            facts: Facts::Deployment(rollout),
        };
        Family::from([((Kind::Deployment, "iris-main-0-classifier".to_owned()), child)])
    }

    fn status(report: Option<(State, u64)>, answer: Option<&Answer>) -> Value {
        let report = report.map(|(state, generation)| Report {
            state,
            description: "as the planner tells".to_owned(),
            predictors: Vec::new(),
            generation,
        });
        observed(&Observation {
            namespace: "default",
            desired: &desired(),
            family: &family(),
            report: report.as_ref(),
            in_force: &[],
            answer,
            settings: &Settings {
                gateway: Some("gateways/public".parse().unwrap()),
                ..Settings::new("provost:1".to_owned())
            },
        })
    }

    #[test]
    fn the_planner_tells_of_this_generation_alone() {
        let told = status(Some((State::Failed, 3)), Some(&Answer::Accepted));
        assert_eq!((&told["state"], &told["description"]), (&json!(FAILED), &json!("as the planner tells")));
        let awaited = status(Some((State::Available, 2)), Some(&Answer::Awaited));
        assert_eq!(awaited["state"], CREATING);
        assert_eq!(awaited["description"], "waiting for gateway `gateways/public` to take the route");
    }

    #[test]
    fn a_route_that_is_rejected_is_a_failure() {
        let rejected = Answer::Rejected("no such listener".to_owned());
        let told = status(Some((State::Available, 3)), Some(&rejected));
        assert_eq!(told["state"], FAILED);
        assert_eq!(told["description"], "gateway `gateways/public` rejects the route: no such listener");
    }

    #[test]
    fn a_refusal_tells_of_what_serves_on() {
        let unmet = Unmet { state: FAILED, reasons: vec!["spec.predictors: is missing".to_owned()] };
        let status = refused(&family(), 4, &unmet);
        assert_eq!(status["deploymentStatus"]["iris-main-0-classifier"]["availableReplicas"], 1);
        assert_eq!((&status["replicas"], &status["state"]), (&json!(1), &json!(FAILED)));
    }

    #[test]
    fn a_condition_keeps_its_time_until_it_changes() {
        let creating = || status(Some((State::Creating, 3)), None);
        let first = with_times(creating(), &Value::Null, "2026-01-01T00:00:00Z");
        let second = with_times(creating(), &first, "2026-01-02T00:00:00Z");
        assert_eq!(second["conditions"][0]["lastTransitionTime"], "2026-01-01T00:00:00Z");
        let third = with_times(status(Some((State::Available, 3)), None), &second, "2026-01-03T00:00:00Z");
        assert_eq!(third["conditions"][0]["lastTransitionTime"], "2026-01-03T00:00:00Z");
    }

    #[test]
    fn predictors_are_told_of_with_those_that_leave_and_nothing_is_null() {
        let route = |predictor: &str, weight| Route {
            predictor: predictor.to_owned(),
            revision: RevisionId::of("as it was trained", &[]),
            weight,
            before: None,
        };
        let report = Report {
            state: State::Creating,
            description: "as the planner tells".to_owned(),
            predictors: vec![PredictorReport {
                name: "main".to_owned(),
                revision: None,
                state: State::Creating,
                reason: None,
                weight: 0,
            }],
            generation: 3,
        };
        let told = observed(&Observation {
            namespace: "default",
            desired: &desired(),
            family: &family(),
            report: Some(&report),
            in_force: &[route("main", 0), route("before", 100), route("shadow", 0)],
            answer: None,
            settings: &Settings::new("provost:1".to_owned()),
        });
        let revision = RevisionId::of("as it was trained", &[]);
        let leaving = json!({"name": "before", "state": "Available", "weight": 100, "revision": revision.as_str()});
        assert_eq!(told["predictors"], json!([{"name": "main", "state": "Creating", "weight": 0}, leaving]));
        assert!(!told.to_string().contains("null"), "{told}");
    }

    #[test]
    fn the_address_is_that_of_the_first_service() {
        let status = status(Some((State::Available, 3)), None);
        assert_eq!(status["address"]["url"], "http://iris-main.default.svc.cluster.local:8000/api/v1.0/predictions");
        assert_eq!(status["serviceStatus"]["iris-main"]["httpEndpoint"], "iris-main.default.svc.cluster.local:8000");
    }

    #[test]
    fn the_address_is_where_the_protocol_has_predictions() {
        let status = observed(&Observation {
            namespace: "default",
            desired: &desired_of("kfserving"),
            family: &family(),
            report: None,
            in_force: &[],
            answer: None,
            settings: &Settings::new("provost:1".to_owned()),
        });
        let expected = "http://iris-main.default.svc.cluster.local:8000/v2/models/classifier/infer";
        assert_eq!(status["address"]["url"], expected);
    }
}
