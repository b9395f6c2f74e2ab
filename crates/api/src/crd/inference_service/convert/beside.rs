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
/// Longest name of a Service.
const NAME_MAX: usize = 63;
/// Servers of explanations that `KServe` runs.
const EXPLAINERS: [&str; 3] = ["art", "alibi", "aix"];

impl Reader<'_> {
    /// What stands beside the predictors: beside each its own, of which several may be written in one place.
    pub(super) fn beside(&mut self, sources: &[Source], predictors: &[Predictor]) -> Vec<Predictor> {
        let mut beside = Vec::new();
        if self.engine != Engine::Kubernetes {
            return beside;
        }
        for (at, (source, predictor)) in sources.iter().zip(predictors).enumerate() {
            let (violations, findings) = (self.violations.len(), self.findings.len());
            for (role, name) in ROLES {
                let index = predictors.len() + beside.len();
                let found = source.beside.0.get(name).filter(|written| written.is_object());
                let one = found.and_then(|written| {
                    self.one_beside((role, name), written, index, (source, predictor), (at, predictors))
                });
                beside.extend(one);
            }
            if sources.iter().take(at).any(|other| other.beside.1 == source.beside.1) {
                // It was told of already.
                self.violations.truncate(violations);
                self.findings.truncate(findings);
            }
        }
        self.check_names(&beside);
        beside
    }

    /// Services of canaries are named after them, and so is what stands beside these.
    fn check_names(&mut self, beside: &[Predictor]) {
        let is_too_long = |one: &&Predictor| self.name.len() + one.name.len() >= NAME_MAX;
        let own_names = beside.iter().filter(|one| !one.annotations.contains_key(SERVICE_NAME));
        if let Some(one) = own_names.into_iter().find(is_too_long) {
            let message = format!("too long for the Service of `{}`; use a shorter one, or no canary", one.name);
            self.invalid(FieldPath::of("metadata").field("name"), self.name.clone(), message);
        }
    }

    fn one_beside(
        &mut self,
        (role, name): (Role, &str),
        written: &Value,
        index: usize,
        (asked, predictor): (&Source, &Predictor),
        (at, predictors): (usize, &[Predictor]),
    ) -> Option<Predictor> {
        let path = asked.beside.1.field(name);
        self.check_beside(name, written, &path);
        let containers = written[CONTAINERS].as_array().filter(|containers| !containers.is_empty())?;
        let host = predictor.annotations.get(SERVICE_NAME).cloned();
        let host = host.unwrap_or_else(|| format!("{}-{}", self.name, predictor.name));
        let mut spec = written.clone();
        self.agree_on_protocol(containers, &path, (at, predictors));
        let model = component::model_container(containers);
        let (of_service, namespace) = (self.name.as_str(), self.namespace.as_str());
        add_arguments(&mut spec[CONTAINERS][model], [of_service, &format!("{host}.{namespace}")]);
        let own_name = if at == 0 { name.to_owned() } else { format!("{}-{name}", predictor.name) };
        let (traffic_path, beside) = (path.clone(), (Value::Null, path.clone()));
        let source = Source { name: own_name, spec, path, traffic: 0, traffic_path, beside };
        let mut one = self.predictor(index, &source);
        (one.role, one.asks) = (role, Some(predictor.name.clone()));
        if at == 0 {
            one.annotations.entry(SERVICE_NAME.to_owned()).or_insert_with(|| format!("{}-{name}", self.name));
        }
        Some(one)
    }

    fn check_beside(&mut self, name: &str, written: &Value, path: &FieldPath) {
        let has = |field: &&&str| written.get(**field).is_some();
        let models = MODELS.iter().chain(&LEGACY_MODELS).filter(|field| **field != CONTAINERS);
        for field in models.chain(&OF_PREDICTORS).filter(has) {
            self.violations.push(containers_only(name, path, field));
        }
        if written[CONTAINERS].as_array().is_none_or(Vec::is_empty) {
            let message = format!("the {name} must have a container");
            self.violations.push(Violation::required(path.field(CONTAINERS), message));
        }
    }

    /// Both are asked in one protocol: where the platform serves the model, in that which the transformer speaks.
    fn agree_on_protocol(
        &mut self,
        containers: &[Value],
        path: &FieldPath,
        (place, predictors): (usize, &[Predictor]),
    ) {
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
        if place == 0 && predictors.iter().all(|predictor| predictor.graph.implementation.is_native()) {
            self.protocol = Some(spoken);
        } else if self.protocol.is_some_and(|protocol| protocol != spoken) {
            let at = path.field(CONTAINERS).index(index).field("env").index(at).field("value");
            let message =
                "must be what the predictors speak, and what stands before others: all are asked in one protocol";
            self.invalid(at, text, message);
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
