//! The routing table in the form requests need it: every name resolved, every answer prepared.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use provost_domain::{
    DeploymentId, RequestLogging,
    deployment::ResourceKind,
    port::routes::RoutePublisher,
    routing_table::{DeploymentRoutes, NodeRoute, NodeRuns, PredictorRoute, choose, split_seed},
};
use provost_inference::{
    OutputKind, OutputShape, Predict, PredictorTable, RevisionKey, Schema,
    protocol::{
        seldon::ResponseTemplate,
        serving::{NamedModel, version_number},
        v2,
    },
    record::Stream,
};

use crate::{
    batching,
    feedback::FEEDBACK_PATH,
    graph::{Found, Graph, Learner},
    learners::Learners,
    matcher::Dialect,
    metrics::{PREDICT_PATH, Registry, SeriesKey},
    node_server::Server,
    service::{JSON, NOSNIFF, PREDICTOR},
    service_graph::ServiceGraph,
};

/// Deployments by `<namespace>/<name>`.
type Deployments = HashMap<Box<str>, Arc<Deployment>>;
/// Deployments by the names of their models; none where several have one of the name.
type OfModels = HashMap<Box<str>, Option<Arc<Deployment>>>;
/// The namespace of deployments that can be meant by their names alone.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// Compiles routing tables and swaps them in.
pub(crate) struct Routes {
    predictors: Arc<dyn PredictorTable>,
    registry: Arc<Registry>,
    next_stream: AtomicU64,
    pub(crate) learners: Learners,
    /// What was published. Locked by publishers alone.
    published: Mutex<HashMap<DeploymentId, DeploymentRoutes>>,
    deployments: ArcSwap<Deployments>,
    of_models: ArcSwap<OfModels>,
}

/// A deployment that requests can name.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) namespace: String,
    pub(crate) name: String,
    seed: u64,
    weights: Vec<u32>,
    pub(crate) predictors: Vec<Predictor>,
    pub(crate) shadows: Vec<Shadow>,
    pub(crate) unavailable: String,
    pub(crate) is_logged: bool,
    /// Whether it is a graph of services, which answers whatever the path.
    pub(crate) is_service_graph: bool,
    /// What it speaks, for those who call it by its name alone.
    pub(crate) dialect: Dialect,
    /// For requests that reach no predictor.
    pub(crate) failures: Stream,
    pub(crate) failures_slot: usize,
    /// For feedback that reaches no predictor.
    pub(crate) feedback_failures_slot: usize,
}

/// A predictor that gets a copy of requests.
#[derive(Debug)]
pub(crate) struct Shadow {
    pub(crate) predictor: String,
    /// Of how many of a hundred.
    percent: u32,
}

/// A predictor that answers.
#[derive(Debug)]
pub(crate) struct Predictor {
    /// The headers of each of its answers.
    pub(crate) headers: http::HeaderMap,
    /// Name of the first node of its graph, which is that of its model.
    pub(crate) model: String,
    pub(crate) served: Served,
    /// Names of features by position; the log's streams with other names are made of it.
    pub(crate) stream: Stream,
    pub(crate) slot: usize,
    pub(crate) feedback_slot: usize,
    /// What runs the first node of its graph, by name; empty where it is a program of the user's.
    pub(crate) image: String,
}

/// What a predictor serves.
#[derive(Debug)]
pub(crate) enum Served {
    /// One node: a model of this process.
    Native(Box<Native>),
    /// One node: a server of its own.
    Server(Arc<Server>),
    /// Several nodes, or one that does not only predict.
    Graph(Box<Graph>),
    /// Services, which are called as a graph of them says.
    Services(Box<ServiceGraph>),
}

/// A model of this process.
#[derive(Debug)]
pub(crate) struct Native {
    pub(crate) predict: Arc<dyn Predict>,
    pub(crate) row_cost: Duration,
    /// What gathers its requests of V1, where they are gathered.
    pub(crate) batcher: Option<Arc<batching::OfRows>>,
    pub(crate) template: ResponseTemplate,
    pub(crate) v2: Box<v2::ResponseTemplate>,
}

impl Native {
    fn new(predict: Arc<dyn Predict>, route: &PredictorRoute) -> Self {
        let NodeRoute { name, image, .. } = &route.graph;
        let template = ResponseTemplate::new(&predict.schema().output, name, image);
        let revision = route.revision.to_string();
        let version = if route.version.is_empty() { &revision } else { &route.version };
        let platform = image.trim_end_matches("_SERVER").to_ascii_lowercase();
        let v2 = Box::new(v2::ResponseTemplate::new(predict.schema(), name, version, &platform));
        let batcher = route.batching.map(batching::OfRows::new);
        Self { row_cost: predict.row_cost(), batcher, predict, template, v2 }
    }

    /// The model as `TensorFlow` Serving's clients know it.
    pub(crate) fn named(&self) -> NamedModel<'_> {
        NamedModel { name: self.v2.name(), version: version_number(self.v2.version()), model: &*self.predict }
    }
}

impl Deployment {
    /// The predictor that is a graph of services, if one is.
    pub(crate) fn services(&self) -> Option<(&Predictor, &ServiceGraph)> {
        self.predictors.iter().find_map(|predictor| match &predictor.served {
            Served::Services(graph) => Some((predictor, &**graph)),
            Served::Native(_) | Served::Server(_) | Served::Graph(_) => None,
        })
    }

    /// The predictor that answers this request id.
    pub(crate) fn choose(&self, request_id: &str) -> Option<&Predictor> {
        match &self.predictors[..] {
            [only] => Some(only),
            all => choose(&self.weights, self.seed, request_id.as_bytes()).and_then(|index| all.get(index)),
        }
    }

    /// The shadows that get a copy of this request.
    pub(crate) fn shadows_of<'a>(&'a self, request_id: &'a str) -> impl Iterator<Item = &'a Shadow> {
        // Another seed than that of the predictors, or one would get copies of the other's requests alone.
        let is_copied = |shadow: &&Shadow| {
            choose(&[shadow.percent, 100 - shadow.percent], !self.seed, request_id.as_bytes()) == Some(0)
        };
        self.shadows.iter().filter(is_copied)
    }

    /// The predictor of that name.
    pub(crate) fn pinned(&self, name: &str) -> Option<&Predictor> {
        self.predictors.iter().find(|predictor| predictor.stream.predictor == name)
    }

    /// The predictor whose model has this version.
    pub(crate) fn of_version(&self, version: &str) -> Option<&Predictor> {
        self.predictors.iter().find(|predictor| predictor.version() == Some(version))
    }

    /// The first predictor with a model of this name; else the first of those with the most traffic.
    pub(crate) fn of_model(&self, model: &str) -> Option<&Predictor> {
        let named = self.predictors.iter().find(|predictor| predictor.has_model(model));
        let weighted = self.predictors.iter().zip(&self.weights).rev();
        named.or_else(|| weighted.max_by_key(|(_, weight)| **weight).map(|(predictor, _)| predictor))
    }

    /// Whether clients may mean one of its models by this name: a node's, or its own.
    pub(crate) fn has_model(&self, name: &str) -> bool {
        name == self.name || self.predictors.iter().any(|predictor| predictor.has_model(name))
    }
}

impl Predictor {
    /// Whether a node of its graph has this name.
    pub(crate) fn has_model(&self, name: &str) -> bool {
        match &self.served {
            Served::Graph(graph) => graph.root.find(name).is_some(),
            Served::Native(_) | Served::Server(_) | Served::Services(_) => self.model == name,
        }
    }

    /// The version of its model, where this server knows it.
    pub(crate) fn version(&self) -> Option<&str> {
        match &self.served {
            Served::Native(native) => Some(native.v2.version()),
            Served::Server(_) | Served::Graph(_) | Served::Services(_) => None,
        }
    }
}

impl Routes {
    pub(crate) fn new(predictors: Arc<dyn PredictorTable>, registry: Arc<Registry>) -> Self {
        Self {
            predictors,
            registry,
            next_stream: AtomicU64::new(1),
            learners: Learners::default(),
            published: Mutex::default(),
            deployments: ArcSwap::default(),
            of_models: ArcSwap::default(),
        }
    }

    /// The deployment `<namespace>/<name>`.
    pub(crate) fn deployment(&self, key: &str) -> Option<Arc<Deployment>> {
        self.deployments.load().get(key).cloned()
    }

    /// The deployment that is meant by a model's name alone: the one of that name in the namespace `default`, else the
    /// only one with a node of that name.
    pub(crate) fn with_model(&self, model: &str) -> Option<Arc<Deployment>> {
        let own = self.deployment(&format!("{DEFAULT_NAMESPACE}/{model}"));
        own.or_else(|| self.of_models.load().get(model).cloned().flatten())
    }

    /// The deployment that a host names, as `<name>.<namespace>.…` or `<name>-<namespace>.…`.
    pub(crate) fn of_host(&self, host: &str) -> Option<Arc<Deployment>> {
        keys_of_host(host).find_map(|key| self.deployment(&key))
    }

    /// All deployments, by namespace and name.
    pub(crate) fn all(&self) -> Vec<Arc<Deployment>> {
        let mut all: Vec<_> = self.deployments.load().values().map(Arc::clone).collect();
        all.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
        all
    }

    /// Whether any deployment lives in the namespace.
    pub(crate) fn has_namespace(&self, namespace: &str) -> bool {
        self.deployments.load().values().any(|deployment| deployment.namespace == namespace)
    }

    /// Whether a predictor in force has this stream as its own.
    pub(crate) fn uses_stream(&self, stream: u64) -> bool {
        let deployments = self.deployments.load();
        deployments.values().any(|deployment| deployment.predictors.iter().any(|p| p.stream.id == stream))
    }

    /// A number for a stream, used once in this process.
    pub(crate) fn next_stream(&self) -> u64 {
        self.next_stream.fetch_add(1, Ordering::Relaxed)
    }

    fn compile(&self, id: &DeploymentId, routes: &DeploymentRoutes) -> Deployment {
        let (mut weights, mut predictors, mut shadows) = (Vec::new(), Vec::new(), Vec::new());
        for route in &routes.predictors {
            if let Some(predictor) = self.compile_predictor(id, route) {
                weights.push(route.weight);
                predictors.push(predictor);
                let shadow = |percent: u32| Shadow { predictor: route.predictor.clone(), percent: percent.min(100) };
                shadows.extend(route.mirrored.map(shadow));
            }
        }
        let unavailable = routes.unavailable.clone().unwrap_or_else(|| "the deployment is being created".to_owned());
        Deployment {
            namespace: id.namespace.to_string(),
            name: id.name.to_string(),
            seed: split_seed(id),
            weights,
            predictors,
            shadows,
            unavailable,
            is_logged: routes.request_log == RequestLogging::On,
            is_service_graph: routes.kind == ResourceKind::InferenceGraph,
            dialect: Dialect::of(routes.protocol),
            failures: self.stream(id, None, &[], 0),
            failures_slot: self.registry.slot(series_key(id, None)),
            feedback_failures_slot: self.registry.slot(feedback_key(id, None)),
        }
    }

    fn compile_predictor(&self, id: &DeploymentId, route: &PredictorRoute) -> Option<Predictor> {
        let (served, stream) = match &route.graph.runs {
            NodeRuns::Services(graph) => {
                let graph = ServiceGraph::new(id, graph)?;
                (Served::Services(Box::new(graph)), self.stream(id, Some(route), &[], 0))
            }
            _ if !route.graph.is_lone_model() => {
                let graph = Graph::new(&route.graph, &Compiling { routes: self, id, route })?;
                (Served::Graph(Box::new(graph)), self.stream(id, Some(route), &[], 0))
            }
            NodeRuns::Server(server) => {
                let server = Server::new(&route.graph.name, server)?.gathering(route.batching);
                (Served::Server(Arc::new(server)), self.stream(id, Some(route), &[], 0))
            }
            _ => {
                let predict = self.find(id, route, &route.graph.name)?;
                let stream = self.stream_of(id, route, predict.schema());
                (Served::Native(Box::new(Native::new(predict, route))), stream)
            }
        };
        let slot = self.registry.slot(series_key(id, Some(route)));
        Some(Predictor {
            headers: answer_headers(&route.predictor)?,
            model: route.graph.name.clone(),
            served,
            slot,
            feedback_slot: self.registry.slot(feedback_key(id, Some(route))),
            image: route.graph.image.clone(),
            stream,
        })
    }

    fn find(&self, id: &DeploymentId, route: &PredictorRoute, node: &str) -> Option<Arc<dyn Predict>> {
        let key = RevisionKey {
            namespace: id.namespace.to_string(),
            deployment: id.name.to_string(),
            predictor: route.predictor.clone(),
            revision: route.revision.to_string(),
        };
        let found = self.predictors.get(&key, node);
        if found.is_none() {
            tracing::error!(deployment = %id, predictor = %route.predictor, "a route names a revision that is not loaded");
        }
        found
    }

    /// The stream of a model that describes its input and output.
    fn stream_of(&self, id: &DeploymentId, route: &PredictorRoute, schema: &Schema) -> Stream {
        let names: Vec<String> = match &schema.feature_names {
            Some(names) => names.iter().map(ToString::to_string).collect(),
            None => (0..schema.features).map(|index| format!("x{index}")).collect(),
        };
        let mut stream = self.stream(id, Some(route), &names, schema.output.width());
        stream.output_kind = schema.output.kind.clone();
        stream.output_shape = schema.output.shape;
        stream
    }

    fn stream(&self, id: &DeploymentId, route: Option<&PredictorRoute>, features: &[String], outputs: usize) -> Stream {
        Stream {
            id: self.next_stream(),
            namespace: id.namespace.to_string(),
            deployment: id.name.to_string(),
            predictor: route.map(|route| route.predictor.clone()).unwrap_or_default(),
            revision: route.map(|route| route.revision.to_string()).unwrap_or_default(),
            features: features.to_vec(),
            outputs: (0..outputs).map(|index| format!("t:{index}")).collect(),
            output_kind: OutputKind::Float,
            output_shape: OutputShape::Vector,
        }
    }
}

/// The deployments that a host may name, as `<namespace>/<name>`.
fn keys_of_host(host: &str) -> impl Iterator<Item = String> {
    let mut labels = host.split(['.', ':']);
    let (first, second) = (labels.next().unwrap_or_default(), labels.next());
    let dashed = first.match_indices('-').map(|(index, dash)| (&first[..index], &first[index + dash.len()..]));
    let all = second.map(|namespace| (first, namespace)).into_iter().chain(dashed);
    all.map(|(name, namespace)| format!("{namespace}/{name}"))
}

fn of_models(deployments: &Deployments) -> OfModels {
    let mut of_models = OfModels::new();
    for deployment in deployments.values() {
        let mut names: Vec<_> = deployment.predictors.iter().map(|predictor| predictor.model.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let of_others = of_models.contains_key(name);
            of_models.insert(name.into(), (!of_others).then(|| Arc::clone(deployment)));
        }
    }
    of_models
}

/// The predictor whose graph is being compiled.
struct Compiling<'a> {
    routes: &'a Routes,
    id: &'a DeploymentId,
    route: &'a PredictorRoute,
}

impl Found for Compiling<'_> {
    fn model(&self, node: &str) -> Option<Arc<dyn Predict>> {
        self.routes.find(self.id, self.route, node)
    }

    fn slot(&self, node: &NodeRoute, path: &'static str) -> usize {
        let key = series_key(self.id, Some(self.route));
        let (name, image) = (node.name.clone(), node.image.clone());
        self.routes.registry.slot(SeriesKey { node: name, image, path, ..key })
    }

    fn learner(&self, node: &NodeRoute) -> Arc<Learner> {
        let key = (self.id.clone(), self.route.predictor.clone(), node.name.clone());
        self.routes.learners.learner(key, node.children.iter().map(|child| child.name.clone()).collect())
    }
}

/// What every answer of the predictor carries; there is room for the request's id.
fn answer_headers(predictor: &str) -> Option<http::HeaderMap> {
    let mut headers = http::HeaderMap::with_capacity(4);
    headers.insert(http::header::CONTENT_TYPE, JSON);
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(PREDICTOR, http::HeaderValue::from_str(predictor).ok()?);
    Some(headers)
}

/// Of feedback requests alone are counted; what nodes make of it is counted by node.
fn feedback_key(id: &DeploymentId, route: Option<&PredictorRoute>) -> SeriesKey {
    SeriesKey { node: String::new(), image: String::new(), path: FEEDBACK_PATH, ..series_key(id, route) }
}

fn series_key(id: &DeploymentId, route: Option<&PredictorRoute>) -> SeriesKey {
    let text = |of: fn(&PredictorRoute) -> &String| route.map(of).cloned().unwrap_or_default();
    SeriesKey {
        namespace: id.namespace.to_string(),
        deployment: id.name.to_string(),
        predictor: text(|route| &route.predictor),
        version: text(|route| &route.version),
        node: text(|route| &route.graph.name),
        image: text(|route| &route.graph.image),
        path: PREDICT_PATH,
    }
}

impl RoutePublisher for Routes {
    fn current(&self, id: &DeploymentId) -> Option<DeploymentRoutes> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn publish(&self, id: &DeploymentId, routes: Option<DeploymentRoutes>) {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let mut deployments = Deployments::clone(&self.deployments.load());
        match routes {
            Some(routes) => {
                deployments.insert(id.to_string().into(), Arc::new(self.compile(id, &routes)));
                published.insert(id.clone(), routes);
            }
            None => {
                deployments.remove(id.to_string().as_str());
                published.remove(id);
                self.learners.forget(id);
            }
        }
        self.of_models.store(Arc::new(of_models(&deployments)));
        self.deployments.store(Arc::new(deployments));
    }
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes").field("deployments", &self.deployments).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_names_a_deployment_by_dots_or_dashes() {
        let keys = |host| keys_of_host(host).collect::<Vec<_>>();
        assert_eq!(keys("iris.team-a.example.com:8000"), ["team-a/iris"]);
        assert_eq!(keys("iris-v2-team.example.com"), ["example/iris-v2-team", "v2-team/iris", "team/iris-v2"]);
        assert!(keys("localhost:8000").iter().all(|key| key == "8000/localhost"));
        assert!(keys("").is_empty());
    }
}
