//! From a document in the form of v1beta1 to the domain. What is wrong is reported and read as if it had been left out, so
//! that the rest can still be checked.

mod sources;

use provost_domain::{
    Deployment, Engine, FieldPath, Namespace, Predictor, Violation,
    deployment::{ComponentSpec, Protocol, ResourceKind, ServerType, TextMap, Transport},
    graph::{Implementation, Node, NodeKind, Parameter, ParameterValue},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    component::{self, Scale},
    fields::SERVICE_ACCOUNT,
    paths::Paths,
};
use crate::crd::{Class, Finding, metadata::ObjectMeta, words::Words};
pub(super) use sources::CANARY;
use sources::Source;

/// The keys of a predictor that say what serves, in the order of `KServe`'s messages.
const MODELS: [&str; 13] = [
    "sklearn",
    "xgboost",
    "model",
    "containers",
    "lightgbm",
    "catboost",
    "tensorflow",
    "pytorch",
    "triton",
    "onnx",
    "huggingface",
    "pmml",
    "paddle",
];
/// Of formats before v1beta1.
const LEGACY_MODELS: [&str; 1] = ["tensorrt"];
/// Formats, the servers that read them, and the runtimes of `KServe` that serve them.
const FORMATS: [(&str, &str, &str); 2] =
    [("sklearn", "SKLEARN_SERVER", "kserve-sklearnserver"), ("xgboost", "XGBOOST_SERVER", "kserve-xgbserver")];
/// The runtime of `KServe` whose protocol is V2.
const MLSERVER: &str = "kserve-mlserver";
/// The runtime of `KServe` for several formats.
const PREDICTIVE_SERVER: &str = "kserve-predictiveserver";
/// The container of a transformer that `KServe` runs in the predictor's pods.
const TRANSFORMER: &str = "transformer-container";
/// The key of containers of the user's own.
const CONTAINERS: &str = "containers";
/// The annotation that names the Service of a predictor.
const SERVICE_NAME: &str = "seldon.io/svc-name";
/// The variable that makes scikit-learn models answer with probabilities.
const PREDICT_PROBA: &str = "PREDICT_PROBA";

/// What a document says.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) deployment: Deployment,
    pub(super) violations: Vec<Violation>,
    pub(super) findings: Vec<Finding>,
}

/// The model of a predictor.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Model {
    model_format: Option<Format>,
    runtime: Option<String>,
    storage_uri: Option<String>,
    protocol_version: Option<String>,
    env: Vec<Variable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Format {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Variable {
    name: String,
    value: Option<String>,
}

/// Reads a document, and notes where its parts stand in `paths`.
pub(super) fn read(document: &Value, default_namespace: &Namespace, engine: Engine, paths: &mut Paths) -> Read {
    let metadata: ObjectMeta = typed(&document["metadata"]);
    let mut violations = Vec::new();
    let mut words = Words { violations: &mut violations };
    let id = words.id(&metadata, default_namespace);
    let request_log = words.request_log(&[("metadata", &metadata.annotations)]);
    let mut reader = Reader {
        name: id.name.to_string(),
        engine,
        protocol: None,
        violations: &mut violations,
        findings: Vec::new(),
        paths,
    };
    let sources = reader.sources(&document["spec"], &metadata.annotations);
    let predictors: Vec<_> = (0..).zip(&sources).map(|(index, source)| reader.predictor(index, source)).collect();
    let (protocol, transport) = reader.protocol.unwrap_or((Protocol::Tensorflow, None));
    let findings = reader.findings;
    let deployment = Deployment {
        kind: ResourceKind::InferenceService,
        id,
        annotations: metadata.annotations,
        labels: metadata.labels,
        protocol,
        transport,
        server_type: ServerType::Rpc,
        replicas: None,
        predictors,
        request_log,
    };
    Read { deployment, violations, findings }
}

/// A part of a document that was walked, which leaves nothing that serde could refuse.
fn typed<T: DeserializeOwned + Default>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

struct Reader<'a> {
    /// Name of the service, and of its models.
    name: String,
    engine: Engine,
    /// What the first predictor speaks.
    protocol: Option<(Protocol, Option<Transport>)>,
    violations: &'a mut Vec<Violation>,
    findings: Vec<Finding>,
    paths: &'a mut Paths,
}

impl Reader<'_> {
    fn invalid(&mut self, path: FieldPath, value: impl Into<Value>, message: impl Into<String>) {
        self.violations.push(Violation::invalid(path, value, message));
    }

    fn predictor(&mut self, index: usize, source: &Source) -> Predictor {
        let at = FieldPath::of("spec").field("predictors").index(index);
        self.paths.add(at.clone(), source.path.clone());
        self.paths.add(at.field("name"), source.path.field("name"));
        self.paths.add(at.field("traffic"), source.traffic_path.clone());
        self.paths.add(at.field("componentSpecs").index(0).field("spec"), source.path.clone());
        self.check_replicas(source);
        let mut annotations: TextMap = typed(&source.spec["annotations"]);
        if self.engine == Engine::Kubernetes && index == 0 {
            annotations.entry(SERVICE_NAME.to_owned()).or_insert_with(|| format!("{}-predictor", self.name));
        }
        let graph = self.node(&at.field("graph"), source);
        let component = (self.engine == Engine::Kubernetes).then(|| self.component(source, &graph));
        Predictor {
            name: source.name.clone(),
            graph,
            traffic: i32::try_from(source.traffic).ok(),
            labels: typed(&source.spec["labels"]),
            annotations,
            component_specs: component.into_iter().collect(),
            ..Predictor::default()
        }
    }

    /// The pods of a predictor.
    fn component(&mut self, source: &Source, node: &Node) -> ComponentSpec {
        let scale = self.scale(source);
        let containers = source.spec[CONTAINERS].as_array().filter(|_| node.is_own_program());
        match containers {
            Some(containers) => component::of_containers(&source.spec, containers, &self.name, scale),
            None => {
                let model = MODELS.iter().find_map(|name| source.spec.get(*name)).unwrap_or(&Value::Null);
                component::of_model(&source.spec, model, &self.name, scale)
            }
        }
    }

    /// How many pods there are to be, and what that depends on.
    fn scale<'b>(&mut self, source: &'b Source) -> Scale<'b> {
        let number = |name: &str| source.spec[name].as_i64();
        let text = |name: &str| source.spec[name].as_str().filter(|text| !text.is_empty());
        let fewest = number("minReplicas").unwrap_or(1);
        if fewest == 0 {
            let message = "scaling to none is not supported yet; one replica stays".to_owned();
            self.findings.push(Finding { path: source.path.field("minReplicas"), class: Class::NoEffect, message });
        }
        let metric = text("scaleMetric").unwrap_or("cpu");
        let kind = text("scaleMetricType").unwrap_or("Utilization");
        let fields = [("scaleMetric", metric, &["cpu", "memory"][..]), ("scaleMetricType", kind, &["Utilization"])];
        for (field, value, known) in fields {
            if !known.contains(&value) {
                let known = known.join("` or `");
                let message = format!("`{value}` is not supported yet; use `{known}`, or leave it out");
                self.violations.push(Violation::not_supported(source.path.field(field), value, message));
            }
        }
        Scale { fewest, most: number("maxReplicas").unwrap_or(0), metric, target: number("scaleTarget") }
    }

    fn check_replicas(&mut self, source: &Source) {
        let number = |name: &str| source.spec[name].as_i64();
        let (fewest, most) = (number("minReplicas"), number("maxReplicas"));
        let path = |name: &str| source.path.field(name);
        if let Some(fewest) = fewest.filter(|fewest| *fewest < 0) {
            self.invalid(path("minReplicas"), fewest, "'MinReplicas' cannot be less than 0");
        }
        if let Some(most) = most.filter(|most| *most < 0) {
            self.invalid(path("maxReplicas"), most, "'MaxReplicas' cannot be less than 0");
        }
        if let (Some(fewest), Some(most @ 1..)) = (fewest, most)
            && fewest > most
        {
            self.invalid(path("minReplicas"), fewest, "'MinReplicas' cannot be greater than MaxReplicas");
        }
    }

    /// The node that serves the model. Where it cannot be told what that is, it is one that breaks no further rule.
    fn node(&mut self, at: &FieldPath, source: &Source) -> Node {
        let (path, model, server) = self.model(source).unwrap_or_else(|| {
            let model = Model { storage_uri: Some("unknown".to_owned()), ..Model::default() };
            (source.path.clone(), model, FORMATS[0].1)
        });
        let (is_own, on_kubernetes) = (server.is_empty(), self.engine == Engine::Kubernetes);
        self.paths.add(at.clone(), path.clone());
        self.paths.add(at.field("name"), FieldPath::of("metadata").field("name"));
        self.paths.add(at.field("modelUri"), path.field("storageUri"));
        let protocol = self.protocol_of(&model, &path);
        self.protocol.get_or_insert(protocol);
        let model_uri = model.storage_uri.as_ref().filter(|uri| !uri.is_empty()).cloned();
        if model_uri.is_none() && !is_own {
            self.violations.push(Violation::required(path.field("storageUri"), "a model must have a `storageUri`"));
        }
        let method = self.method(&model, server, &path.field("env"));
        let parameter =
            |value: &str| Parameter { name: "method".to_owned(), value: ParameterValue::String(value.to_owned()) };
        Node {
            name: self.name.clone(),
            kind: NodeKind::Model,
            implementation: if is_own { Implementation::Unknown } else { Implementation::Server(server.to_owned()) },
            model_uri,
            parameters: method.map(parameter).into_iter().collect(),
            service_account_name: source.spec[SERVICE_ACCOUNT].as_str().map(str::to_owned).filter(|_| on_kubernetes),
            ..Node::default()
        }
    }

    /// The model of a predictor: where it is written, what is written, and the server that reads it; none where it is a
    /// program of the user's own.
    fn model(&mut self, source: &Source) -> Option<(FieldPath, Model, &'static str)> {
        let is_written = |name: &&&str| source.spec.get(**name).is_some_and(|value| *value != json!({}));
        let written: Vec<_> = MODELS.iter().chain(&LEGACY_MODELS).filter(is_written).collect();
        let [name] = written[..] else {
            let message = format!("exactly one of [{}] must be specified in PredictorSpec", MODELS.join(", "));
            self.invalid(source.path.clone(), (), message);
            return None;
        };
        let path = source.path.field(name);
        if *name == CONTAINERS {
            return Some(self.own_program(&path, &source.spec[name]));
        }
        let model: Model = typed(&source.spec[name]);
        if *name != "model" {
            let server = FORMATS.iter().find(|(format, ..)| format == name)?.1;
            return Some((path, model, server));
        }
        let format = model.model_format.as_ref().map_or("", |format| &format.name);
        let known = FORMATS.iter().find(|(known, ..)| *known == format);
        let Some((format, server, runtime)) = known else {
            let message = format!("model format `{format}` is not supported yet; use `sklearn` or `xgboost`");
            let path = path.field("modelFormat").field("name");
            self.violations.push(Violation::not_supported(path, format, message));
            return None;
        };
        let runtimes = [runtime, &PREDICTIVE_SERVER, &MLSERVER];
        if let Some(other) =
            model.runtime.as_ref().filter(|name| !name.is_empty() && !runtimes.contains(&&name.as_str()))
        {
            let message = format!(
                "serving runtime `{other}` is not supported yet; for the format `{format}` leave it out, or use one of {}",
                runtimes.map(|name| format!("`{name}`")).join(", ")
            );
            self.violations.push(Violation::not_supported(path.field("runtime"), other.as_str(), message));
        }
        Some((path, model, server))
    }

    fn protocol_of(&mut self, model: &Model, path: &FieldPath) -> (Protocol, Option<Transport>) {
        let of_runtime =
            if model.runtime.as_deref() == Some(MLSERVER) { Protocol::Kfserving } else { Protocol::Tensorflow };
        let path = path.field("protocolVersion");
        match model.protocol_version.as_deref().unwrap_or_default() {
            "" => (of_runtime, None),
            "v1" => (Protocol::Tensorflow, None),
            "v2" => (Protocol::Kfserving, None),
            "grpc-v2" => (Protocol::Kfserving, Some(Transport::Grpc)),
            "grpc-v1" => {
                let message = "`grpc-v1` is not supported yet; use `v1`, `v2` or `grpc-v2`";
                self.violations.push(Violation::not_supported(path, "grpc-v1", message));
                (Protocol::Tensorflow, None)
            }
            other => {
                self.invalid(path, other, format!("protocol `{other}` is not known; use `v1`, `v2` or `grpc-v2`"));
                (Protocol::Tensorflow, None)
            }
        }
    }

    /// What a scikit-learn model answers with; other variables than the one that tells have no effect.
    fn method(&mut self, model: &Model, server: &str, path: &FieldPath) -> Option<&'static str> {
        let is_sklearn = server == FORMATS[0].1;
        let mut method = "predict";
        for (index, variable) in model.env.iter().enumerate() {
            if is_sklearn && variable.name == PREDICT_PROBA {
                let is_set = variable.value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("true"));
                method = if is_set { "predict_proba" } else { "predict" };
                continue;
            }
            if server.is_empty() || self.engine == Engine::Kubernetes {
                continue;
            }
            let message =
                format!("`{}` has no effect on this engine: no container of its own runs the model", variable.name);
            self.findings.push(Finding { path: path.index(index), class: Class::NoEffect, message });
        }
        is_sklearn.then_some(method)
    }

    /// A program of the user's own: variables tell where its model is, and what it speaks.
    fn own_program(&mut self, path: &FieldPath, containers: &Value) -> (FieldPath, Model, &'static str) {
        let all = containers.as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(index) = all.iter().position(|container| container["name"] == TRANSFORMER) {
            let message =
                format!("a container `{TRANSFORMER}` in the predictor's pods is not supported yet; remove it");
            self.violations.push(Violation::not_supported(path.index(index), TRANSFORMER, message));
        }
        let index = component::model_container(all);
        let container: Model = all.get(index).map(typed).unwrap_or_default();
        let value = |name: &str| container.env.iter().find(|one| one.name == name).and_then(|one| one.value.clone());
        let model =
            Model { storage_uri: value("STORAGE_URI"), protocol_version: value("PROTOCOL"), ..Model::default() };
        (path.index(index), model, "")
    }
}
