//! From a document to the domain. What is wrong is reported and read as if it had been left out, so that the rest can
//! still be checked. Messages that `KServe` has are `KServe`'s.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use provost_domain::{
    Deployment, Engine, FieldPath, Namespace, Predictor, ResourceName, Violation,
    deployment::{ComponentSpec, Protocol, ResourceKind, ServerType, TextMap},
    graph::{Implementation, Node, NodeKind},
    service_graph::{
        Dependency, RouterNode, RouterType, ServiceGraph, ServiceStep, StepData, Target, condition::Condition,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::crd::{
    Class, Finding,
    inference_service::{
        component,
        convert::{SERVICE_NAME, scale::ScaleReader},
        paths::Paths,
    },
    metadata::ObjectMeta,
    words::Words,
};

/// The name of the one predictor.
const PREDICTOR: &str = "graph";
const SERVICE_ACCOUNT: &str = "serviceAccountName";
/// The names that `KServe` takes, in its words.
const NAME_RULE: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";

/// What a document says.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) deployment: Deployment,
    pub(super) violations: Vec<Violation>,
    pub(super) findings: Vec<Finding>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    metadata: ObjectMeta,
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    nodes: BTreeMap<String, WrittenNode>,
    timeout: Option<i32>,
    router_timeouts: RouterTimeouts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RouterTimeouts {
    service_client: Option<i32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WrittenNode {
    router_type: Option<String>,
    steps: Vec<WrittenStep>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WrittenStep {
    name: Option<String>,
    node_name: Option<String>,
    service_name: Option<String>,
    service_url: Option<String>,
    data: Option<String>,
    map_predictions_to_instances: bool,
    weight: Option<i32>,
    condition: Option<String>,
    dependency: Option<String>,
}

/// Reads a document whose fields are all of the right types.
pub(super) fn read(document: &Value, default_namespace: &Namespace, engine: Engine) -> Read {
    // The walk took away what does not fit the types.
    let Written { metadata, spec } = serde_json::from_value(document.clone()).unwrap_or_default();
    let mut reader = Reader { graph: metadata.name.clone().unwrap_or_default(), ..Reader::default() };
    let mut words = Words { violations: &mut reader.violations };
    let id = words.id(&metadata, default_namespace);
    let request_log = words.request_log(&[("metadata", &metadata.annotations)]);
    reader.check_name(metadata.name.as_deref());
    let services = reader.graph(spec);
    let pods = reader.pods(&document["spec"]);
    let (component_specs, annotations) = match engine {
        Engine::Process => (Vec::new(), TextMap::new()),
        // As KServe's Service, it has the graph's name.
        Engine::Kubernetes => (vec![pods], [(SERVICE_NAME.to_owned(), id.name.to_string())].into()),
    };
    let graph = Node {
        name: id.name.to_string(),
        kind: NodeKind::Model,
        implementation: Implementation::ServiceGraph,
        ..Node::default()
    };
    let services = Some(services);
    let name = PREDICTOR.to_owned();
    let predictor = Predictor { name, graph, services, component_specs, annotations, ..Predictor::default() };
    let deployment = Deployment {
        kind: ResourceKind::InferenceGraph,
        id,
        annotations: metadata.annotations,
        labels: metadata.labels,
        // That of its errors; what its services speak is theirs.
        protocol: Protocol::Tensorflow,
        transport: None,
        server_type: ServerType::default(),
        replicas: None,
        predictors: vec![predictor],
        request_log,
    };
    Read { deployment, violations: reader.violations, findings: reader.findings }
}

/// Where the parts of the deployment stand in what was written.
pub(super) fn paths() -> Paths {
    let mut paths = Paths::default();
    let pods = FieldPath::of("spec").field("predictors").index(0).field("componentSpecs").index(0);
    paths.add(pods.field("hpaSpec"), FieldPath::from("spec.scaleMetric"));
    paths.add_whole(pods.field("spec").field("containers").index(0), FieldPath::of("spec"));
    paths.add_whole(pods.field("spec"), FieldPath::of("spec"));
    paths
}

#[derive(Debug, Default)]
struct Reader {
    /// Name of the graph, for messages.
    graph: String,
    violations: Vec<Violation>,
    findings: Vec<Finding>,
}

/// Where a step stands.
struct Place<'a> {
    node: &'a str,
    router: Option<RouterType>,
    index: usize,
    path: FieldPath,
}

impl Reader {
    fn refuse(&mut self, path: FieldPath, value: impl Into<Value>, message: impl Into<String>) {
        self.violations.push(Violation::invalid(path, value, message));
    }

    fn warn(&mut self, path: FieldPath, message: impl Into<String>) {
        self.findings.push(Finding { path, class: Class::NoEffect, message: message.into() });
    }

    fn check_name(&mut self, name: Option<&str>) {
        let is_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let fits = |name: &str| {
            name.starts_with(|letter: char| letter.is_ascii_lowercase())
                && !name.ends_with('-')
                && name.chars().all(is_letter)
        };
        if let Some(name) = name.filter(|name| ResourceName::try_from(*name).is_ok() && !fits(name)) {
            let message = format!(
                "The InferenceGraph \"{name}\" is invalid: a InferenceGraph name must consist of lower case alphanumeric \
                 characters or '-', and must start with alphabetical character. (e.g. \"my-name\" or \"abc-123\", regex used \
                 for validation is '{NAME_RULE}')"
            );
            self.refuse("metadata.name".into(), name, message);
        }
    }

    fn graph(&mut self, spec: Spec) -> ServiceGraph {
        let spec_path = FieldPath::of("spec");
        let timeout = self.seconds(spec.timeout, spec_path.field("timeout"));
        let limit = spec_path.field("routerTimeouts").field("serviceClient");
        let call_timeout = self.seconds(spec.router_timeouts.service_client, limit);
        let before = self.violations.len();
        let nodes = spec.nodes.into_iter().map(|(name, node)| {
            let node = self.node(&name, node);
            (name, node)
        });
        let graph = ServiceGraph { nodes: nodes.collect(), timeout, call_timeout };
        let of_fields: Vec<_> = self.violations[before..].iter().map(|told| told.path.clone()).collect();
        // Of a node in which something is wrong, what follows from that is not told too.
        let follows = |rule: &Violation| of_fields.iter().any(|told| told.is_within(&rule.path));
        self.violations.extend(graph.validate().into_iter().filter(|rule| !follows(rule)));
        graph
    }

    /// The pods that run the graph, and how many.
    fn pods(&mut self, spec: &Value) -> ComponentSpec {
        let (violations, findings) = (&mut self.violations, &mut self.findings);
        let mut scale = ScaleReader { path: &FieldPath::of("spec"), violations, findings };
        scale.check(spec);
        let scale = scale.read(spec);
        let container = json!({"resources": spec["resources"]});
        let mut pods = component::of_model(spec, &container, &self.graph, scale);
        if let Some(account) = spec[SERVICE_ACCOUNT].as_str() {
            pods.document["spec"][SERVICE_ACCOUNT] = json!(account);
        }
        pods
    }

    fn seconds(&mut self, written: Option<i32>, path: FieldPath) -> Option<Duration> {
        let seconds = written.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
        if written.is_some() && seconds.is_none() {
            self.refuse(path, written, "must be a number of seconds above 0");
        }
        seconds.map(Duration::from_secs)
    }

    fn node(&mut self, name: &str, node: WrittenNode) -> RouterNode {
        let path = FieldPath::from("spec.nodes").key(name);
        let router: Option<RouterType> = {
            let mut words = Words { violations: &mut self.violations };
            words.known(node.router_type.as_deref(), &path.field("routerType"))
        };
        if node.router_type.is_none_or(|word| word.is_empty()) {
            let message = "say how requests take the steps: Sequence, Splitter, Ensemble or Switch";
            self.violations.push(Violation::required(path.field("routerType"), message));
        }
        let steps_path = path.field("steps");
        if node.steps.is_empty() {
            self.violations.push(Violation::required(steps_path.clone(), "a node needs at least one step"));
        }
        let steps = node.steps.into_iter().enumerate().filter_map(|(index, step)| {
            self.step(&Place { node: name, router, index, path: steps_path.index(index) }, step)
        });
        let steps: Vec<ServiceStep> = steps.collect();
        self.check_names(name, &steps, &steps_path);
        RouterNode { router: router.unwrap_or(RouterType::Sequence), steps }
    }

    /// Two steps of one name could not be told apart, nor one whose name is the number of another.
    fn check_names(&mut self, node: &str, steps: &[ServiceStep], path: &FieldPath) {
        let mut known = BTreeSet::new();
        for (index, step) in steps.iter().enumerate() {
            let called = step.called(index);
            if !known.insert(called.clone()) {
                let message = format!(
                    "Node \"{node}\" of InferenceGraph \"{}\" contains more than one step with name \"{called}\"",
                    self.graph
                );
                self.refuse(path.index(index).field("name"), called, message);
            }
        }
    }

    fn step(&mut self, place: &Place<'_>, step: WrittenStep) -> Option<ServiceStep> {
        let weight = self.weight(place, &step);
        let condition = self.condition(place, step.condition.as_deref());
        let data = self.data(place, step.data.as_deref());
        let dependency: Option<Dependency> = {
            let mut words = Words { violations: &mut self.violations };
            words.known(step.dependency.as_deref(), &place.path.field("dependency"))
        };
        let name = step.name.clone().filter(|name| !name.is_empty());
        let maps_predictions = step.map_predictions_to_instances;
        let target = self.target(place, step)?;
        let dependency = dependency.unwrap_or_default();
        Some(ServiceStep { name, target, data, maps_predictions, weight, condition, dependency })
    }

    fn target(&mut self, place: &Place<'_>, step: WrittenStep) -> Option<Target> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let WrittenStep { name, node_name, service_name, service_url, .. } = step;
        let of = |what: &str| {
            let (index, node, graph) = (place.index, place.node, &self.graph);
            let name = name.clone().unwrap_or_default();
            format!("Step {index} (\"{name}\") in node \"{node}\" of InferenceGraph \"{graph}\" {what}")
        };
        match (given(node_name), given(service_name), given(service_url)) {
            (Some(node), None, None) => Some(Target::Node(node)),
            (None, Some(service), None) => self.service(place, &service),
            (None, None, Some(url)) => self.url(place, &url),
            (None, None, None) => {
                let message = of("does not specify an inference target");
                self.violations.push(Violation::required(place.path.clone(), message));
                None
            }
            _ => {
                let message = of("specifies more than one of nodeName, serviceName, serviceUrl");
                self.refuse(place.path.clone(), Value::Null, message);
                None
            }
        }
    }

    fn service(&mut self, place: &Place<'_>, name: &str) -> Option<Target> {
        if name == self.graph {
            let message = "a graph cannot call itself: a request would never end";
            self.refuse(place.path.field("serviceName"), name, message);
            return None;
        }
        let parsed = ResourceName::try_from(name);
        parsed
            .map(Target::Service)
            .map_err(|error| self.refuse(place.path.field("serviceName"), name, error.to_string()))
            .ok()
    }

    fn url(&mut self, place: &Place<'_>, text: &str) -> Option<Target> {
        let problem = match reqwest::Url::parse(text) {
            Err(error) => format!("`{text}` is not an address: {error}; write it as `http://host:port/path`"),
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                format!("`{text}` cannot be called: only addresses with `http://` or `https://` can")
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() => {
                "an address must have no credentials and no `#`".to_owned()
            }
            Ok(url) => return Some(Target::Url(url.to_string())),
        };
        self.refuse(place.path.field("serviceUrl"), text, problem);
        None
    }

    fn weight(&mut self, place: &Place<'_>, step: &WrittenStep) -> u32 {
        let path = place.path.field("weight");
        match (place.router, step.weight) {
            (Some(RouterType::Splitter), None) => {
                let service = step.service_name.as_deref().unwrap_or_default();
                let (graph, node) = (&self.graph, place.node);
                let message = format!("InferenceGraph[{graph}] Node[{node}] Route[{service}] missing the 'Weight'");
                self.violations.push(Violation::required(path, message));
                0
            }
            (Some(RouterType::Splitter), Some(weight)) => u32::try_from(weight).unwrap_or_else(|_| {
                self.refuse(path, weight, "a weight must not be below 0");
                0
            }),
            (Some(_), Some(_)) => {
                self.warn(path, "has no effect; only steps of a Splitter have weights");
                0
            }
            (None, _) | (_, None) => 0,
        }
    }

    fn condition(&mut self, place: &Place<'_>, text: Option<&str>) -> Option<Condition> {
        let path = place.path.field("condition");
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            if place.router == Some(RouterType::Switch) {
                let message = "a step of a Switch needs a condition; `@this` holds of every request";
                self.violations.push(Violation::required(path, message));
            }
            return None;
        };
        match (place.router, Condition::parse(text)) {
            (_, Err(error)) => self.refuse(path, text, error.to_string()),
            (Some(RouterType::Sequence), Ok(_)) if place.index == 0 => {
                let message = "the first step of a Sequence cannot have a condition: there is no answer before it yet";
                self.refuse(path, text, message);
            }
            (Some(RouterType::Ensemble | RouterType::Splitter), Ok(_)) => {
                self.warn(path, "has no effect; only steps of a Switch or Sequence have conditions");
            }
            (_, Ok(condition)) => return Some(condition),
        }
        None
    }

    fn data(&mut self, place: &Place<'_>, text: Option<&str>) -> StepData {
        let path = place.path.field("data");
        let data: Option<StepData> = Words { violations: &mut self.violations }.known(text, &path);
        let is_after_another = place.router == Some(RouterType::Sequence) && place.index > 0;
        if data == Some(StepData::Response) && place.router.is_some() && !is_after_another {
            self.warn(path, "has no effect; only a step of a Sequence has an answer before it, and not the first");
            return StepData::Request;
        }
        data.unwrap_or_default()
    }
}
