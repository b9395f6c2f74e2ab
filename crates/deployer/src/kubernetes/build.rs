//! From a deployment to objects: for each predictor a Deployment and a Service, and where the user asks for them
//! an autoscaler and a disruption budget; the same again for nodes with pods of their own.
//!
//! **Invariant**: the same deployment gives the same objects, and no two of them have one name.

mod account;
mod autoscaler;
mod component;
mod container;
mod disruption_budget;
mod error;
mod manifest;
mod merge;
mod model_server;
mod own_program;
mod placement;
mod pod;
mod quantity;
mod resources;
mod security;
mod service;
mod serving_runtime;
mod storage;
#[cfg(test)]
pub(super) mod tests;

use provost_api::crd::inference_service::Paths;
use provost_domain::{
    BucketUri, Deployment, FieldPath, Predictor, ResourceName, ServerCatalog,
    deployment::{ComponentSpec, VERSION_LABEL},
    graph::{Node, NodeKind},
    scaling::Scaling,
    server_catalog::ServerContainer,
};
use serde_json::{Map, Value, json};

use super::{ObjectName, names};
pub use account::{Accounts, AttachedSecret, accounts_needed, annotations_without_effect};
use component::{Component, NodeContainer};
pub use error::BuildError;

/// The label that every object of a deployment carries: its name.
pub const DEPLOYMENT_LABEL: &str = "seldon-deployment-id";
/// The label of the pods of a predictor that answer its requests, which no two have alike: see [`app`](super::app).
pub(crate) const PREDICTOR_LABEL: &str = "seldon-app";
/// The label of the pods of nodes apart from the server, by which their Services select them.
const NODE_LABEL: &str = "seldon-app-svc";
/// The annotation of an object that tells which predictor it serves.
pub const PREDICTOR_ANNOTATION: &str = "provost.dev/predictor";
/// The annotation of a Deployment that tells which revision of the predictor its pods are to be.
pub const REVISION_ANNOTATION: &str = "provost.dev/revision";
/// The annotation of a route that tells which revisions it was made for.
pub const ROUTES_ANNOTATION: &str = "provost.dev/routes";
/// The annotation of a route by which its predictor gets traffic as soon as it can serve.
pub const FIRST_ROUTE_ANNOTATION: &str = "provost.dev/first-route";
/// The annotation of a Deployment that tells how its pods are scaled by the requests that they get.
pub(crate) const SCALING_ANNOTATION: &str = "provost.dev/scaling";
/// The label of such a Deployment, by which it is watched.
pub(crate) const SCALED_LABEL: &str = "provost.dev/scaled";
/// Label of the Service of a predictor in which routers learn.
pub(crate) const LEARNS_LABEL: &str = "provost.dev/learns";
/// The annotation in which `kubectl apply` notes for itself what was applied.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The port of a predictor's Service, as Seldon's operator has it.
pub const HTTP_PORT: u16 = 8000;
/// The port of predictors' Services for gRPC, as Seldon's operator has it.
pub(super) const GRPC_PORT: u16 = 5001;
/// The one port of a predictor's container.
const PORT: u16 = 8000;

/// What the objects belong to.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Group and version of its kind.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// What tells it from another one of the name.
    pub uid: String,
}

/// What administrators set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The image that serves predictors.
    pub image: String,
    /// When nodes pull it; Kubernetes decides where nothing is said.
    pub image_pull_policy: Option<String>,
    /// The Secrets with which nodes pull it, of the namespace of each deployment.
    pub image_pull_secrets: Vec<String>,
    /// The image of the init containers that fetch models; the server fetches them itself where there is none.
    pub storage_initializer_image: Option<String>,
    /// Whom pods run as, by number.
    pub user_id: i64,
    /// The gateway that routes attach to; no routes are made where there is none.
    pub gateway: Option<ObjectName>,
    /// Where pods send what they log; it goes with the pod where there is none.
    pub log_bucket: Option<LogBucket>,
    /// The Service of the servers that hold requests while a predictor has no pods; where there is none, one stays.
    pub activator: Option<ObjectName>,
    /// Where pods send spans; nowhere where there is none.
    pub traces: Option<TraceCollector>,
    /// The domain below which `InferenceService`s have hosts at the gateway.
    pub ingress_domain: Option<String>,
}

/// Where pods send what they log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogBucket {
    /// The folder of the bucket.
    pub uri: BucketUri,
    /// The Secret of each deployment's namespace that gives access to it.
    pub secret: Option<String>,
}

/// A collector of `OpenTelemetry`.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceCollector {
    /// Its address, as `http://host:4318`.
    pub endpoint: String,
    /// The part of the requests of which there are spans where callers do not decide.
    pub ratio: f64,
}

impl Settings {
    /// The defaults, with this image.
    pub fn new(image: String) -> Self {
        Self {
            image,
            image_pull_policy: None,
            image_pull_secrets: Vec::new(),
            storage_initializer_image: None,
            user_id: 8888,
            gateway: None,
            log_bucket: None,
            activator: None,
            ingress_domain: None,
            traces: None,
        }
    }
}

/// A deployment, parsed and as its user wrote it, and what is there for it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Parsed.
    pub deployment: &'a Deployment,
    /// As it was written.
    pub document: &'a Value,
    /// The service accounts of its namespace that it [needs](accounts_needed), as far as they are there and known.
    pub accounts: &'a Accounts,
    /// The model servers that it may name.
    pub catalog: &'a ServerCatalog,
    /// Where its parts stand in what the user wrote.
    pub paths: &'a Paths,
}

/// The objects that run a deployment, ready to be applied, or what is wrong with it: of each kind of pods of a predictor
/// the first thing with the pods, their autoscaler and their disruption budget.
pub fn build(source: Source<'_>, owner: &Owner, settings: &Settings) -> Result<Vec<Value>, Vec<BuildError>> {
    let (mut objects, mut errors) = (Vec::new(), Vec::new());
    for (index, predictor) in source.deployment.predictors.iter().enumerate() {
        let server = Part { source, owner, settings, predictor, index, apart: None };
        for part in std::iter::once(server).chain(server.parts_apart()) {
            match part.objects() {
                Ok(more) => objects.extend(more),
                // Of containers apart, the server tells as well.
                Err(more) => more.into_iter().for_each(|error| {
                    if !errors.contains(&error) {
                        errors.push(error);
                    }
                }),
            }
        }
    }
    if errors.is_empty() {
        errors.extend(validate_names(&objects).err());
    }
    let told = errors.into_iter().map(|error| error.told_by(source.paths));
    if told.len() == 0 { Ok(objects) } else { Err(told.collect()) }
}

/// A result, of which an error is kept.
fn note<T>(result: Result<T, BuildError>, errors: &mut Vec<BuildError>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

/// Users can name objects: the later of two of one name would replace the other.
fn validate_names(objects: &[Value]) -> Result<(), BuildError> {
    let mut known = Vec::new();
    for object in objects {
        let [kind, name] = [&object["kind"], &object["metadata"]["name"]].map(|text| text.as_str().unwrap_or_default());
        if let Err(error) = ResourceName::try_from(name) {
            return Err(BuildError::Name { kind: kind.to_owned(), reason: error.to_string() });
        }
        if known.contains(&(kind, name)) {
            return Err(BuildError::SameName { kind: kind.to_owned(), name: name.to_owned() });
        }
        known.push((kind, name));
    }
    Ok(())
}

/// The metadata of an object that belongs to the owner.
pub(super) fn metadata(source: Source<'_>, owner: &Owner, name: &str, labels: &Value) -> Value {
    json!({
        "name": name,
        "namespace": source.deployment.id.namespace.as_str(),
        "labels": labels,
        "ownerReferences": [{
            "apiVersion": owner.api_version,
            "kind": owner.kind,
            "name": owner.name,
            "uid": owner.uid,
            "controller": true,
            "blockOwnerDeletion": true,
        }],
    })
}

/// Pods of one kind of a predictor: those of the server, or those of nodes apart from it.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    source: Source<'a>,
    owner: &'a Owner,
    settings: &'a Settings,
    predictor: &'a Predictor,
    index: usize,
    /// The component specification that has pods of its own; `None` for the pods of the server.
    apart: Option<usize>,
}

impl<'a> Part<'a> {
    fn objects(self) -> Result<Vec<Value>, Vec<BuildError>> {
        self.validate_apart().map_err(|error| vec![error])?;
        let mut errors = Vec::new();
        let component = note(component::join_all(self), &mut errors);
        let services = component.as_ref().map(|component| self.services(component)).unwrap_or_default();
        let template = component.and_then(|component| note(pod::template(self, component), &mut errors));
        let scaler = note(self.autoscaler(), &mut errors);
        let budget = note(self.disruption_budget(), &mut errors);
        let (Some(template), Some(scaler), Some(budget)) = (template, scaler, budget) else {
            return Err(errors);
        };
        let workload = self.workload();
        // Without a number, whoever scales it decides.
        let scaling = self.scaling();
        let replicas = Some(self.replicas()).filter(|_| scaler.is_none() && scaling.is_none());
        let deployment = self.object("apps/v1", "Deployment", &workload, self.deployment(replicas, template));
        let mut objects = vec![scaled(deployment, scaling)];
        objects.extend(services);
        objects.extend(scaler.map(|spec| self.object("autoscaling/v2", "HorizontalPodAutoscaler", &workload, spec)));
        objects.extend(budget.map(|spec| self.object("policy/v1", "PodDisruptionBudget", &workload, spec)));
        Ok(objects)
    }

    /// The parts of the predictor that have pods of their own.
    fn parts_apart(self) -> impl Iterator<Item = Self> {
        let apart = placement::apart(self.source.deployment, self.predictor);
        apart.into_iter().map(move |index| Self { apart: Some(index), ..self })
    }

    /// Models run in the server's pods, and pods without containers do not run.
    fn validate_apart(self) -> Result<(), BuildError> {
        let Some(index) = self.apart else { return Ok(()) };
        let containers = &self.predictor.component_specs[index].containers;
        let is_here = |node: &Node| containers.contains(&node.name);
        let mut nodes = self.predictor.graph.nodes().into_iter();
        if !containers.is_empty() && !nodes.any(|node| is_here(node) && !node.is_own_program()) {
            return Ok(());
        }
        let field = placement::differing(self.source.deployment, self.predictor, index).unwrap_or_default();
        Err(BuildError::NotAlike { path: self.component_path(index).field(field) })
    }

    /// What leads to the pods: to the server's that of the predictor, to others one for each of their nodes.
    fn services(self, component: &Component) -> Vec<Value> {
        if self.apart.is_none() {
            return vec![self.service()];
        }
        component.programs.iter().map(|program| self.node_service(program)).collect()
    }

    fn node_service(self, program: &NodeContainer) -> Value {
        let name = self.node_service_name(program.name());
        let specification = service::of_node(self, own_program::service_ports(self, program));
        let mut service = self.object("v1", "Service", &name, specification);
        service["metadata"]["labels"][NODE_LABEL] = json!(name);
        service
    }

    fn service(self) -> Value {
        let mut service = self.object("v1", "Service", &self.service_name(), service::specification(self));
        if self.predictor.graph.nodes().iter().any(|node| node.implementation.learns()) {
            service["metadata"]["labels"][LEARNS_LABEL] = json!("feedback");
        }
        service
    }

    fn autoscaler(self) -> Result<Option<Value>, BuildError> {
        let written = self.said("hpaSpec");
        written.map(|(path, written)| autoscaler::specification(&path, written, &self.workload())).transpose()
    }

    /// How the pods are scaled by requests; to none only where somebody would wake them.
    fn scaling(self) -> Option<Scaling> {
        let scaling = self.component_specs().next()?.1.scaling?;
        let least = u32::from(self.settings.activator.is_none());
        Some(Scaling { min_replicas: scaling.min_replicas.max(least), ..scaling })
    }

    fn disruption_budget(self) -> Result<Option<Value>, BuildError> {
        let written = self.said("pdbSpec");
        written.map(|(path, written)| disruption_budget::specification(&path, written, &self.selector())).transpose()
    }

    fn object(self, api_version: &str, kind: &str, name: &str, specification: Value) -> Value {
        let mut metadata = metadata(self.source, self.owner, name, &Value::Object(self.labels()));
        metadata["annotations"] = json!({PREDICTOR_ANNOTATION: self.predictor.name});
        json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": specification})
    }

    fn deployment(self, replicas: Option<i32>, template: Value) -> Value {
        let mut specification = json!({
            "selector": {"matchLabels": self.selector()},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%", "maxSurge": "25%"}},
            "template": template,
        });
        let deadline = &self.document()["progressDeadlineSeconds"];
        if !deadline.is_null() {
            specification["progressDeadlineSeconds"] = deadline.clone();
        }
        if let Some(replicas) = replicas {
            specification["replicas"] = json!(replicas);
        }
        specification
    }

    /// The component specifications of these pods, and their places.
    fn component_specs(self) -> impl Iterator<Item = (usize, &'a ComponentSpec)> {
        let apart = placement::apart(self.source.deployment, self.predictor);
        let is_here = move |index: usize| match self.apart {
            Some(own) => own == index,
            None => !apart.contains(&index),
        };
        self.predictor.component_specs.iter().enumerate().filter(move |(index, _)| is_here(*index))
    }

    /// The number of pods.
    fn replicas(self) -> i32 {
        let specification = self.component_specs().next().map(|(_, specification)| specification);
        placement::replicas(self.source.deployment, self.predictor, specification)
    }

    /// What the component specifications of these pods say in a field, and where: all say the same.
    fn said(self, field: &str) -> Option<(FieldPath, &'a Value)> {
        let (index, specification) = self.component_specs().next()?;
        Some((self.component_path(index).field(field), placement::said(specification, field)?))
    }

    /// The predictor as it was written.
    fn document(self) -> &'a Value {
        &self.source.document["spec"]["predictors"][self.index]
    }

    /// Where the predictor stands.
    fn path(self) -> FieldPath {
        FieldPath::of("spec").field("predictors").index(self.index)
    }

    fn component_path(self, index: usize) -> FieldPath {
        self.path().field("componentSpecs").index(index)
    }

    /// The nodes that run in these pods.
    fn nodes_here(self) -> impl Iterator<Item = (FieldPath, &'a Node)> {
        self.nodes().into_iter().filter(move |(_, node)| self.is_here(&node.name))
    }

    /// Whether a node runs in these pods.
    fn is_here(self, node: &str) -> bool {
        placement::of_node(self.source.deployment, self.predictor, node) == self.apart
    }

    /// The nodes of the graph, each before those below, and where they stand.
    fn nodes(self) -> Vec<(FieldPath, &'a Node)> {
        fn add<'a>(path: FieldPath, node: &'a Node, all: &mut Vec<(FieldPath, &'a Node)>) {
            let children = path.field("children");
            all.push((path, node));
            for (index, child) in node.children.iter().enumerate() {
                add(children.index(index), child, all);
            }
        }
        let mut all = Vec::new();
        add(self.path().field("graph"), &self.predictor.graph, &mut all);
        all
    }

    /// The container of the model server that a node is, if it is one that runs in a container.
    fn server(self, node: &Node) -> Option<&'a ServerContainer> {
        let server = self.source.catalog.find(node.implementation.as_str())?;
        server.container(self.source.deployment.protocol)
    }

    /// Whether a container is that of such a node.
    fn is_server(self, container: &Map<String, Value>) -> bool {
        let is_its = |node: &Node| container.get("name").is_some_and(|name| *name == node.name);
        self.nodes().into_iter().any(|(_, node)| is_its(node) && self.server(node).is_some())
    }

    /// An annotation of the predictor, else of the deployment.
    fn annotation(self, name: &str) -> Option<&'a str> {
        self.source.deployment.annotation(self.predictor, name)
    }

    /// The labels by which pods are selected: those that never change.
    fn selector(self) -> Value {
        json!({"app": self.workload(), DEPLOYMENT_LABEL: self.owner.name})
    }

    /// Labels of all objects of the predictor: the user's, then those that Seldon's operator gives.
    fn labels(self) -> Map<String, Value> {
        let mut labels: Map<_, _> =
            self.predictor.labels.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let of_place = match self.apart {
            None => vec![(PREDICTOR_LABEL, self.app()), ("seldon-deployment-contains-svcorch", "true".to_owned())],
            Some(_) => self.node_app().map(|name| (NODE_LABEL, name)).into_iter().collect(),
        };
        // In this order: it counts in revisions.
        let first = [
            ("app", self.workload()),
            ("app.kubernetes.io/managed-by", "provost".to_owned()),
            ("fluentd", "true".to_owned()),
        ];
        for (name, value) in first.into_iter().chain(of_place).chain([(DEPLOYMENT_LABEL, self.owner.name.clone())]) {
            labels.insert(name.to_owned(), json!(value));
        }
        for role in self.nodes_here().filter_map(|(_, node)| role(node.kind)) {
            labels.insert(format!("seldon.io/{role}"), json!("true"));
        }
        labels.entry(VERSION_LABEL).or_insert_with(|| json!(self.predictor.name));
        labels
    }

    fn workload(self) -> String {
        names::workload(&self.owner.name, self.predictor, self.apart.unwrap_or(0))
    }

    /// By what Services select these pods, which are not the server's: the first of those.
    fn node_app(self) -> Option<String> {
        self.nodes_here().next().map(|(_, node)| self.node_service_name(&node.name))
    }

    fn node_service_name(self, node: &str) -> String {
        names::node_service(&self.owner.name, &self.predictor.name, node)
    }

    fn service_name(self) -> String {
        names::service(self.source.deployment, &self.predictor.name)
    }

    /// What all pods of the predictor have in common, whatever the user names its Deployment and Service.
    fn app(self) -> String {
        names::app(&self.owner.name, &self.predictor.name)
    }
}

/// A Deployment that tells how it is scaled.
fn scaled(mut deployment: Value, scaling: Option<Scaling>) -> Value {
    if let Some(scaling) = scaling {
        deployment["metadata"]["annotations"][SCALING_ANNOTATION] = json!(json!(scaling).to_string());
        deployment["metadata"]["labels"][SCALED_LABEL] = json!("requests");
    }
    deployment
}

/// What a node is, in the words of labels.
fn role(kind: NodeKind) -> Option<&'static str> {
    match kind {
        NodeKind::Model => Some("model"),
        NodeKind::Router => Some("router"),
        NodeKind::Combiner => Some("combiner"),
        NodeKind::Transformer => Some("transformer"),
        NodeKind::OutputTransformer => Some("output-transformer"),
        NodeKind::UnknownType => None,
    }
}
