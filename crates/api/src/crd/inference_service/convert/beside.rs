//! What stands beside the predictors of a service: containers of the user's own that get its requests in place of them, or
//! explain their predictions, and ask the predictor themselves.

use provost_domain::{
    Engine, FieldPath, Predictor, Violation,
    deployment::{Protocol, Role, Transport},
};
use serde_json::{Value, json};

use super::{CONTAINERS, LEGACY_MODELS, MODELS, Model, Reader, SERVICE_NAME, Source, component, typed};

/// The roles, with their names in the specification and among the predictors.
const ROLES: [(Role, &str); 2] = [(Role::Transformer, "transformer"), (Role::Explainer, "explainer")];
/// What else of a predictor they cannot have.
const OF_PREDICTORS: [&str; 2] = ["name", "canaryTrafficPercent"];
/// Servers of explanations that `KServe` runs.
const EXPLAINERS: [&str; 3] = ["art", "alibi", "aix"];

impl Reader<'_> {
    /// What stands beside the predictors.
    pub(super) fn beside(&mut self, spec: &Value, sources: &[Source], predictors: &[Predictor]) -> Vec<Predictor> {
        let mut beside = Vec::new();
        if self.engine == Engine::Kubernetes {
            for (role, name) in ROLES {
                let index = predictors.len() + beside.len();
                let found = spec.get(name);
                beside.extend(
                    found.and_then(|written| self.one_beside((role, name), written, index, (sources, predictors))),
                );
            }
        }
        beside
    }

    fn one_beside(
        &mut self,
        (role, name): (Role, &str),
        written: &Value,
        index: usize,
        (sources, predictors): (&[Source], &[Predictor]),
    ) -> Option<Predictor> {
        let path = FieldPath::of("spec").field(name);
        self.check_beside(name, written, &path, sources);
        let containers = written[CONTAINERS].as_array().filter(|containers| !containers.is_empty())?;
        let host = predictors.first()?.annotations.get(SERVICE_NAME)?;
        let mut spec = written.clone();
        self.agree_on_protocol(containers, &path, predictors);
        let model = component::model_container(containers);
        let (of_service, namespace) = (self.name.as_str(), self.namespace.as_str());
        add_arguments(&mut spec[CONTAINERS][model], [of_service, &format!("{host}.{namespace}")]);
        let traffic_path = path.clone();
        let source = Source { name: name.to_owned(), spec, path, traffic: 0, traffic_path };
        let mut one = self.predictor(index, &source);
        one.role = role;
        one.annotations.entry(SERVICE_NAME.to_owned()).or_insert_with(|| format!("{}-{name}", self.name));
        Some(one)
    }

    fn check_beside(&mut self, name: &str, written: &Value, path: &FieldPath, sources: &[Source]) {
        let has = |field: &&&str| written.get(**field).is_some();
        let models = MODELS.iter().chain(&LEGACY_MODELS).filter(|field| **field != CONTAINERS);
        for field in models.chain(&OF_PREDICTORS).filter(has) {
            self.violations.push(containers_only(name, path, field));
        }
        if written[CONTAINERS].as_array().is_none_or(Vec::is_empty) {
            let message = format!("the {name} must have a container");
            self.violations.push(Violation::required(path.field(CONTAINERS), message));
        }
        if let Some(canary) = sources.get(1) {
            let message = format!(
                "a canary and the {name} are not supported together yet, as it asks one predictor; remove one of them"
            );
            self.violations.push(Violation::not_supported(canary.traffic_path.clone(), canary.traffic, message));
        }
    }

    /// Both are asked in one protocol: where the platform serves the model, in that which the transformer speaks.
    fn agree_on_protocol(&mut self, containers: &[Value], path: &FieldPath, predictors: &[Predictor]) {
        let index = component::model_container(containers);
        let container: Model = containers.get(index).map(typed).unwrap_or_default();
        let variable = container.env.into_iter().enumerate().find(|(_, one)| one.name == "PROTOCOL");
        let Some((at, text)) =
            variable.and_then(|(at, one)| Some((at, one.value?))).filter(|(_, text)| !text.is_empty())
        else {
            return;
        };
        let spoken = match text.as_str() {
            "v1" => (Protocol::Tensorflow, None),
            "v2" => (Protocol::Kfserving, None),
            "grpc-v1" => (Protocol::Tensorflow, Some(Transport::Grpc)),
            "grpc-v2" => (Protocol::Kfserving, Some(Transport::Grpc)),
            // It is told of where the container is read.
            _ => return,
        };
        if predictors.iter().all(|predictor| predictor.graph.implementation.is_native()) {
            self.protocol = Some(spoken);
        } else if self.protocol.is_some_and(|protocol| protocol != spoken) {
            let at = path.field(CONTAINERS).index(index).field("env").index(at).field("value");
            self.invalid(at, text, "must be what the predictor speaks: both are asked in one protocol");
        }
    }
}

/// The explainers of a document that are refused whatever they say; their fields are in no table.
pub(in crate::crd::inference_service) fn explainers_refused(document: &Value) -> Vec<Violation> {
    let (written, path) = (&document["spec"]["explainer"], FieldPath::of("spec").field("explainer"));
    let found = EXPLAINERS.iter().filter(|kind| written.get(**kind).is_some());
    found.map(|kind| containers_only("explainer", &path, kind)).collect()
}

fn containers_only(name: &str, path: &FieldPath, field: &str) -> Violation {
    let message = format!("the {name} is made of `{CONTAINERS}` of your own, and has no `{field}`; use those");
    Violation::not_supported(path.field(field), field, message)
}

/// Tells a program its model and where that is predicted, as `KServe` does, unless it is told already.
fn add_arguments(container: &mut Value, [model, predictor]: [&str; 2]) {
    let port = &container["ports"][0]["containerPort"];
    let port = port.as_u64().unwrap_or(u64::from(component::PORT)).to_string();
    let mut arguments = container["args"].as_array().cloned().unwrap_or_default();
    for (name, value) in [("--model_name", model), ("--predictor_host", predictor), ("--http_port", &port)] {
        let is_it = |known: &Value| {
            let rest = known.as_str().and_then(|known| known.strip_prefix(name));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        if !arguments.iter().any(is_it) {
            arguments.extend([json!(name), json!(value)]);
        }
    }
    container["args"] = Value::Array(arguments);
}
