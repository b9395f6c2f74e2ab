//! From a document in the form of v1beta1 to the domain. What is wrong is reported and read as if it had been left out, so
//! that the rest can still be checked.

mod beside;
mod limits;
mod runtime;
pub(in crate::crd) mod scale;
mod sources;

use provost_domain::{
    Deployment, Engine, FieldPath, Namespace, Predictor, ServerCatalog, Violation,
    deployment::{ComponentSpec, Protocol, ResourceKind, ServerType, TextMap, Transport},
    graph::{Implementation, Node, NodeKind, Parameter, ParameterValue},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{component, fields::SERVICE_ACCOUNT, paths::Paths};
use crate::crd::{Class, Finding, metadata::ObjectMeta, words::Words};
pub(super) use beside::explainers_refused;
use scale::ScaleReader;
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
const FORMATS: [(&str, &str, &str); 3] = [
    ("sklearn", "SKLEARN_SERVER", "kserve-sklearnserver"),
    ("xgboost", "XGBOOST_SERVER", "kserve-xgbserver"),
    ("lightgbm", "LIGHTGBM_SERVER", "kserve-lgbserver"),
];
/// The runtime of `KServe` whose protocol is V2.
const MLSERVER: &str = "kserve-mlserver";
/// The runtime of `KServe` for several formats.
const PREDICTIVE_SERVER: &str = "kserve-predictiveserver";
/// The container of a transformer that `KServe` runs in the predictor's pods.
const TRANSFORMER: &str = "transformer-container";
/// The key of containers of the user's own.
const CONTAINERS: &str = "containers";
/// The annotation that names the Service of a predictor.
pub(in crate::crd) const SERVICE_NAME: &str = "seldon.io/svc-name";
/// The parameter with the format of a model, for serving runtimes that refer to it.
const MODEL_FORMAT: &str = "modelFormat";
/// The variable that makes scikit-learn models answer with probabilities.
const PREDICT_PROBA: &str = "PREDICT_PROBA";

/// What a document says.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) deployment: Deployment,
    pub(super) violations: Vec<Violation>,
    pub(super) findings: Vec<Finding>,
    /// The models that containers of serving runtimes serve.
    pub(super) in_container: Vec<FieldPath>,
}

/// The model of a predictor.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Model {
    model_format: Option<Format>,
    runtime: Option<String>,
    storage_uri: Option<String>,
    protocol_version: Option<String>,
    runtime_version: Option<String>,
    image: Option<String>,
    env: Vec<Variable>,
}

/// What serves a model.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Server {
    /// The platform, by the name of its server.
    Native(&'static str),
    /// A program of the user's own.
    Own,
    /// The container of a serving runtime.
    Runtime {
        /// The name of its server in the catalogue.
        key: String,
        format: String,
        protocol: (Protocol, Option<Transport>),
        /// Its image, where the user wants another version.
        image: Option<String>,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Format {
    name: String,
    version: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Variable {
    name: String,
    value: Option<String>,
}

/// Reads a document, and notes where its parts stand in `paths`.
pub(super) fn read(
    document: &Value,
    default_namespace: &Namespace,
    (catalog, engine): (&ServerCatalog, Engine),
    paths: &mut Paths,
) -> Read {
    let metadata: ObjectMeta = typed(&document["metadata"]);
    let mut violations = Vec::new();
    let mut words = Words { violations: &mut violations };
    let id = words.id(&metadata, default_namespace);
    let request_log = words.request_log(&[("metadata", &metadata.annotations)]);
    let mut reader = Reader {
        name: id.name.to_string(),
        namespace: id.namespace.to_string(),
        engine,
        catalog,
        protocol: None,
        violations: &mut violations,
        findings: Vec::new(),
        in_container: Vec::new(),
        paths,
    };
    let sources = reader.sources(&document["spec"], &metadata.annotations);
    let mut predictors: Vec<_> = (0..).zip(&sources).map(|(index, source)| reader.predictor(index, source)).collect();
    let beside = reader.beside(&sources, &predictors);
    predictors.extend(beside);
    let (protocol, transport) = reader.protocol.unwrap_or((Protocol::Tensorflow, None));
    let (findings, in_container) = (reader.findings, reader.in_container);
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
    Read { deployment, violations, findings, in_container }
}

/// A part of a document that was walked, which leaves nothing that serde could refuse.
fn typed<T: DeserializeOwned + Default>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

struct Reader<'a> {
    /// Name of the service, and of its models.
    name: String,
    namespace: String,
    engine: Engine,
    catalog: &'a ServerCatalog,
    /// What the first predictor speaks.
    protocol: Option<(Protocol, Option<Transport>)>,
    violations: &'a mut Vec<Violation>,
    findings: Vec<Finding>,
    in_container: Vec<FieldPath>,
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
        self.scale(source).check(&source.spec);
        let mut annotations: TextMap = typed(&source.spec["annotations"]);
        if self.engine == Engine::Kubernetes && index == 0 {
            annotations.entry(SERVICE_NAME.to_owned()).or_insert_with(|| format!("{}-predictor", self.name));
        }
        let (graph, server, model) = self.node(&at.field("graph"), source);
        self.note_component(&at.field("componentSpecs").index(0), source, &server, model);
        self.limits(source, &server, &mut annotations);
        let component = (self.engine == Engine::Kubernetes).then(|| self.component(source, &server));
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

    /// Notes where the pods of a predictor stand, and the container of its model, which is at `model`.
    fn note_component(&mut self, at: &FieldPath, source: &Source, server: &Server, model: FieldPath) {
        self.paths.add(at.field("hpaSpec"), source.path.field("scaleMetric"));
        let pod = at.field("spec");
        if *server != Server::Own {
            self.paths.add_whole(pod.field(CONTAINERS).index(0), model);
        }
        self.paths.add_whole(pod, source.path.clone());
    }

    fn scale<'b>(&'b mut self, source: &'b Source) -> ScaleReader<'b> {
        ScaleReader { path: &source.path, violations: self.violations, findings: &mut self.findings }
    }

    /// The pods of a predictor.
    fn component(&mut self, source: &Source, server: &Server) -> ComponentSpec {
        let scale = self.scale(source).read(&source.spec);
        let mut written = MODELS.iter().chain(&LEGACY_MODELS).filter(|name| **name != CONTAINERS);
        let model = written.find_map(|name| source.spec.get(*name)).unwrap_or(&Value::Null);
        match server {
            Server::Own => {
                let containers = source.spec[CONTAINERS].as_array().map(Vec::as_slice).unwrap_or_default();
                component::of_containers(&source.spec, containers, &self.name, scale)
            }
            Server::Native(_) => component::of_model(&source.spec, model, &self.name, scale),
            Server::Runtime { image, .. } => {
                component::of_runtime(&source.spec, model, image.clone(), &self.name, scale)
            }
        }
    }

    /// The node that serves the model, what serves it, and where it stands. Where it cannot be told what that is, it is one
    /// that breaks no further rule.
    fn node(&mut self, at: &FieldPath, source: &Source) -> (Node, Server, FieldPath) {
        let (path, model, server) = self.model(source).unwrap_or_else(|| {
            let model = Model { storage_uri: Some("unknown".to_owned()), ..Model::default() };
            (source.path.clone(), model, Server::Native(FORMATS[0].1))
        });
        self.paths.add(at.clone(), path.clone());
        self.paths.add(at.field("name"), FieldPath::of("metadata").field("name"));
        self.paths.add(at.field("modelUri"), path.field("storageUri"));
        self.paths.add(at.field("implementation"), path.field("runtime"));
        self.paths.add(at.field(SERVICE_ACCOUNT), source.path.field(SERVICE_ACCOUNT));
        let protocol = match &server {
            Server::Runtime { protocol, .. } => *protocol,
            _ => self.protocol_of(&model, &path),
        };
        self.protocol.get_or_insert(protocol);
        let model_uri = model.storage_uri.as_ref().filter(|uri| !uri.is_empty()).cloned();
        if model_uri.is_none() && matches!(server, Server::Native(_)) {
            self.violations.push(Violation::required(path.field("storageUri"), "a model must have a `storageUri`"));
        }
        let parameters = self.parameters(&model, &server, &path);
        let on_kubernetes = self.engine == Engine::Kubernetes;
        let node = Node {
            name: self.name.clone(),
            kind: NodeKind::Model,
            implementation: match &server {
                Server::Own => Implementation::Unknown,
                Server::Native(name) => Implementation::Server((*name).to_owned()),
                Server::Runtime { key, .. } => Implementation::Server(key.clone()),
            },
            model_uri,
            parameters,
            service_account_name: source.spec[SERVICE_ACCOUNT].as_str().map(str::to_owned).filter(|_| on_kubernetes),
            ..Node::default()
        };
        (node, server, path)
    }

    /// What the server is told: of the platform's the method, of a serving runtime's the format, to which it may refer.
    fn parameters(&mut self, model: &Model, server: &Server, path: &FieldPath) -> Vec<Parameter> {
        let parameter = |name: &str, value: &str| Parameter {
            name: name.to_owned(),
            value: ParameterValue::String(value.to_owned()),
        };
        match server {
            Server::Own => Vec::new(),
            Server::Native(name) => {
                let method = self.method(model, name, &path.field("env"));
                method.map(|method| parameter("method", method)).into_iter().collect()
            }
            Server::Runtime { format, .. } => vec![parameter(MODEL_FORMAT, format)],
        }
    }

    /// The model of a predictor: where it is written, what is written, and what serves it.
    fn model(&mut self, source: &Source) -> Option<(FieldPath, Model, Server)> {
        let is_written = |name: &&&str| source.spec.get(**name).is_some_and(|value| *value != json!({}));
        let written: Vec<_> = MODELS.iter().chain(&LEGACY_MODELS).filter(is_written).collect();
        let [name] = written[..] else {
            let message = format!("exactly one of [{}] must be specified in PredictorSpec", MODELS.join(", "));
            self.invalid(source.path.clone(), (), message);
            return None;
        };
        let path = source.path.field(name);
        if *name == CONTAINERS {
            let (path, model) = self.own_program(&path, &source.spec[name]);
            return Some((path, model, Server::Own));
        }
        let mut model: Model = typed(&source.spec[name]);
        if *name != "model" {
            model.model_format = Some(Format { name: (*name).to_owned(), version: None });
        }
        let server = self.server(&model, &path)?;
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
            "grpc-v1" => (Protocol::Tensorflow, Some(Transport::Grpc)),
            "grpc-v2" => (Protocol::Kfserving, Some(Transport::Grpc)),
            other => {
                let message = format!("protocol `{other}` is not known; use `v1`, `v2`, `grpc-v1` or `grpc-v2`");
                self.invalid(path, other, message);
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
            if self.engine == Engine::Kubernetes {
                continue;
            }
            let message =
                format!("`{}` has no effect on this engine: no container of its own runs the model", variable.name);
            self.findings.push(Finding { path: path.index(index), class: Class::NoEffect, message });
        }
        is_sklearn.then_some(method)
    }

    /// A program of the user's own: variables tell where its model is, and what it speaks.
    fn own_program(&mut self, path: &FieldPath, containers: &Value) -> (FieldPath, Model) {
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
        (path.index(index), model)
    }
}
