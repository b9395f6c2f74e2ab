//! The transformer of a service: containers of the user's own that get its requests, and ask the predictor themselves.

use provost_domain::{
    Engine, FieldPath, Predictor, Violation,
    deployment::{Protocol, Role, Transport},
};
use serde_json::{Value, json};

use super::{CONTAINERS, LEGACY_MODELS, MODELS, Model, Reader, SERVICE_NAME, Source, component, typed};

/// Its name among the predictors.
const NAME: &str = "transformer";
/// What else of a predictor it cannot have.
const OF_PREDICTORS: [&str; 2] = ["name", "canaryTrafficPercent"];

impl Reader<'_> {
    /// The transformer that stands before the predictors, if there is one.
    pub(super) fn transformer(
        &mut self,
        spec: &Value,
        sources: &[Source],
        predictors: &[Predictor],
    ) -> Option<Predictor> {
        let written = spec.get(NAME).filter(|_| self.engine == Engine::Kubernetes)?;
        let path = FieldPath::of("spec").field(NAME);
        self.check_transformer(written, &path, sources);
        let containers = written[CONTAINERS].as_array().filter(|containers| !containers.is_empty())?;
        let host = predictors.first()?.annotations.get(SERVICE_NAME)?;
        let mut spec = written.clone();
        self.agree_on_protocol(containers, &path, predictors);
        let model = component::model_container(containers);
        let (name, namespace) = (self.name.as_str(), self.namespace.as_str());
        add_arguments(&mut spec[CONTAINERS][model], [name, &format!("{host}.{namespace}")]);
        let traffic_path = path.clone();
        let source = Source { name: NAME.to_owned(), spec, path, traffic: 0, traffic_path };
        let mut transformer = self.predictor(predictors.len(), &source);
        transformer.role = Role::Transformer;
        transformer.annotations.entry(SERVICE_NAME.to_owned()).or_insert_with(|| format!("{}-{NAME}", self.name));
        Some(transformer)
    }

    fn check_transformer(&mut self, written: &Value, path: &FieldPath, sources: &[Source]) {
        let models = MODELS.iter().chain(&LEGACY_MODELS).filter(|name| **name != CONTAINERS);
        for name in models.chain(&OF_PREDICTORS).filter(|name| written.get(**name).is_some()) {
            let message = format!("a transformer has `{CONTAINERS}` of your own, and no `{name}`; remove it");
            self.violations.push(Violation::not_supported(path.field(name), *name, message));
        }
        if written[CONTAINERS].as_array().is_none_or(Vec::is_empty) {
            let message = "a transformer must have a container";
            self.violations.push(Violation::required(path.field(CONTAINERS), message));
        }
        if let Some(canary) = sources.get(1) {
            let message = "a transformer and a canary are not supported together yet: the transformer asks one predictor; \
                           remove one of them";
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
