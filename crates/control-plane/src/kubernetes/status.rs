//! The status of a resource, as the operators of its kind tell it.

use provost_api::{
    crd::{inference_graph, inference_service},
    manifest::ManifestDocument,
    manifest::parse_deployment,
};
use provost_domain::{
    Deployment,
    plan::{Report, State},
    port::deployments::StoredDeployment,
};
use serde_json::{Value, json};

use crate::app::{App, format_time};

/// The status of a deployment in an API version, for a client that reached this server at `host`.
pub(super) fn of(app: &App, stored: &StoredDeployment, (api_version, host): (&str, &str)) -> Value {
    let document = ManifestDocument::from_json("the store", stored.document.clone()).ok();
    let deployment = document.and_then(|document| {
        parse_deployment(&document, &stored.id.namespace, &app.catalog(), app.engine)
            .ok()
            .map(|(deployment, _)| deployment)
    });
    let report = stored.report.as_ref().filter(|report| report.generation == stored.generation);
    let status = Status { stored, report, deployment: deployment.as_ref(), api_version, host };
    match stored.document["kind"].as_str() {
        Some(inference_service::KIND) => status.of_kserve(),
        Some(inference_graph::KIND) => status.of_graph(),
        _ => status.of_seldon(),
    }
}

struct Status<'a> {
    stored: &'a StoredDeployment,
    /// What is known of this generation.
    report: Option<&'a Report>,
    deployment: Option<&'a Deployment>,
    api_version: &'a str,
    host: &'a str,
}

impl Status<'_> {
    fn of_seldon(&self) -> Value {
        let (state, description) = match self.report {
            Some(report) => (report.state.as_str(), report.description.as_str()),
            None => (State::Creating.as_str(), ""),
        };
        let path = self.deployment.map(Deployment::predictions_path).unwrap_or_default();
        json!({
            "state": state,
            "description": description,
            "address": {"url": format!("{}{path}", self.address())},
            "conditions": [self.condition("Ready", self.report.map(|report| report.state), description)],
            "observedGeneration": self.observed(),
        })
    }

    fn of_kserve(&self) -> Value {
        let state = self.report.map(|report| report.state);
        let description = self.report.map_or("", |report| report.description.as_str());
        let is_legacy = self.api_version == inference_service::LEGACY_VERSION;
        let predictor = if is_legacy { "DefaultPredictorReady" } else { "PredictorReady" };
        let routes = if is_legacy { "RoutesReady" } else { "IngressReady" };
        let model = if is_legacy { format!("/v1/models/{}", self.stored.id.name) } else { String::new() };
        let path = self.deployment.map(Deployment::predictions_path).unwrap_or_default();
        let mut status = json!({
            "url": format!("{}{model}", self.url()),
            "address": {"url": format!("{}{path}", self.address())},
            "conditions": [
                self.condition(predictor, state, description),
                self.condition(routes, state, description),
                self.condition("Ready", state, description),
            ],
            "observedGeneration": self.observed(),
        });
        if let Some(report) = self.report {
            let name = self.stored.id.name.as_str();
            status["components"] = json!({"predictor": inference_service::status::component(report, &format!("{name}-predictor"), &self.url())});
            status["modelStatus"] = inference_service::status::model_status(report);
        }
        status
    }

    /// What `KServe` tells of a graph.
    fn of_graph(&self) -> Value {
        let state = self.report.map(|report| report.state);
        let description = self.report.map_or("", |report| report.description.as_str());
        json!({
            "url": format!("{}/", self.url()),
            "conditions": [self.condition("Ready", state, description)],
            "observedGeneration": self.observed(),
        })
    }

    /// Where the service is by its own name: hosts below `localhost` are this machine, and name the service.
    fn url(&self) -> String {
        let (name, port) = self.host.rsplit_once(':').unwrap_or((self.host, "80"));
        let is_local = matches!(name, "localhost" | "127.0.0.1" | "[::1]") || name.ends_with(".localhost");
        let id = &self.stored.id;
        if is_local { format!("http://{}.{}.localhost:{port}", id.name, id.namespace) } else { self.address() }
    }

    /// Where it is by a path of this server.
    fn address(&self) -> String {
        let id = &self.stored.id;
        format!("http://{}/seldon/{}/{}", self.host, id.namespace, id.name)
    }

    fn observed(&self) -> u64 {
        self.stored.report.as_ref().map_or(0, |report| report.generation)
    }

    fn condition(&self, kind: &str, state: Option<State>, description: &str) -> Value {
        let status = match state {
            Some(State::Available) => "True",
            Some(State::Failed) => "False",
            Some(State::Creating) | None => "Unknown",
        };
        let mut condition =
            json!({"type": kind, "status": status, "lastTransitionTime": format_time(self.stored.updated)});
        if state != Some(State::Available) {
            condition["reason"] = json!(state.unwrap_or(State::Creating).as_str());
            condition["message"] = json!(description);
        }
        condition
    }
}
