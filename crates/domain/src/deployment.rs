//! A deployment: the desired serving state of one or more predictors, parsed from a manifest of any
//! accepted kind.
//!
//! What determines a predictor's answers is [`Predictor::serving_specification`]; a `PodSpec` stays
//! opaque JSON here, since only the Kubernetes deployer reads it.

use std::{collections::BTreeMap, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    DeploymentId,
    graph::{Node, UnknownWord, parse_word},
    routing_table::Batching,
    scaling::Scaling,
    service_graph::ServiceGraph,
};

/// Annotation that switches the request log of a deployment `on` or `off`.
pub const REQUEST_LOG_ANNOTATION: &str = "provost.dev/request-log";
/// Annotation by which Seldon runs a predictor without its orchestrator.
pub const NO_ENGINE_ANNOTATION: &str = "seldon.io/no-engine";
/// Annotation that limits how long a node may take to answer over gRPC, in milliseconds.
pub const GRPC_TIMEOUT_ANNOTATION: &str = "seldon.io/grpc-timeout";
/// Annotation that limits how long a node may take to answer over REST, in milliseconds.
pub const REST_TIMEOUT_ANNOTATION: &str = "seldon.io/rest-timeout";
/// Annotation that limits how many requests a node that is called answers at once, in each replica.
pub const CONCURRENCY_ANNOTATION: &str = "provost.dev/container-concurrency";
/// Most instances of a batch of requests of V1 that a predictor gets at once; 0 where it gets each alone.
pub const BATCH_SIZE_ANNOTATION: &str = "provost.dev/max-batch-size";
/// How long such a request waits for others at most, in milliseconds.
pub const BATCH_LATENCY_ANNOTATION: &str = "provost.dev/max-batch-latency";
/// The server of scikit-learn models.
const SKLEARN_SERVER: &str = "SKLEARN_SERVER";
/// Label that carries a predictor's name.
pub const VERSION_LABEL: &str = "version";

/// Texts by name: labels or annotations.
pub type TextMap = BTreeMap<String, String>;

/// The desired serving state of one or more predictors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// What it was written as.
    #[serde(default)]
    pub kind: ResourceKind,
    /// Its namespace and name.
    pub id: DeploymentId,
    /// Annotations of the resource, overlaid with those of its specification.
    pub annotations: TextMap,
    /// Labels of the resource.
    pub labels: TextMap,
    /// The protocol its predictors speak.
    pub protocol: Protocol,
    /// The transport of its default port; `None` when the manifest does not say.
    pub transport: Option<Transport>,
    /// How requests arrive.
    pub server_type: ServerType,
    /// Replicas of each predictor that does not say its own.
    pub replicas: Option<i32>,
    /// The predictors, in the order they were written.
    pub predictors: Vec<Predictor>,
    /// Whether its requests are logged.
    pub request_log: RequestLogging,
}

/// The kind of resource a deployment was written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResourceKind {
    /// That of Seldon Core.
    #[default]
    SeldonDeployment,
    /// That of `KServe`, before `KFServing`.
    InferenceService,
    /// That of `KServe` for graphs of services.
    InferenceGraph,
}

/// One inference graph with its share of the traffic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Predictor {
    /// Name, unique in the deployment.
    pub name: String,
    /// The root of its inference graph.
    pub graph: Node,
    /// The services that answer, where its graph is one node that calls those.
    #[serde(default)]
    pub services: Option<ServiceGraph>,
    /// Share of the traffic in percent, as written; see [`Deployment::weights`].
    pub traffic: Option<i32>,
    /// Replicas, as written.
    pub replicas: Option<i32>,
    /// Whether it only gets a copy of the traffic.
    pub shadow: bool,
    /// Its annotations.
    pub annotations: TextMap,
    /// Its labels.
    pub labels: TextMap,
    /// Pods of the user's own making, or additions to the generated ones.
    pub component_specs: Vec<ComponentSpec>,
    /// The explainer beside it, as it was written.
    pub explainer: Option<Value>,
    /// Settings of the orchestrator.
    pub orchestrator: Orchestrator,
    /// What it is of its deployment.
    #[serde(default)]
    pub role: Role,
    /// The predictor that it asks, where it stands beside one.
    #[serde(default)]
    pub asks: Option<String>,
}

/// What a predictor is of its deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It predicts.
    #[default]
    Predictor,
    /// It gets all requests in place of its predictor, which it asks itself.
    Transformer,
    /// It explains predictions, for which it asks its predictor itself.
    Explainer,
}

/// One pod template of a predictor. Everything but the containers' names is opaque.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ComponentSpec {
    /// Names of its containers: a node belongs to the container of its name.
    pub containers: Vec<String>,
    /// Replicas, as written.
    pub replicas: Option<i32>,
    /// What scales its replicas by the requests that they get.
    #[serde(default)]
    pub scaling: Option<Scaling>,
    /// The component specification as it was written: metadata, `PodSpec`, autoscaling.
    pub document: Value,
}

/// Settings of the orchestrator of a predictor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orchestrator {
    /// Names of its environment variables.
    pub environment: Vec<String>,
    /// Replicas, as written.
    pub replicas: Option<i32>,
}

/// The protocol a deployment speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Seldon v0.1 and v1.0.
    #[default]
    Seldon,
    /// That of `TensorFlow` Serving, V1 of `KServe`.
    Tensorflow,
    /// Open Inference Protocol, V2 of `KServe`.
    #[serde(alias = "v2")]
    Kfserving,
}

/// The transport of a deployment's default port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// HTTP with JSON.
    Rest,
    /// gRPC.
    Grpc,
}

/// How requests arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerType {
    /// Called by clients.
    #[default]
    Rpc,
    /// Read from a topic.
    Kafka,
}

/// Whether the requests of a deployment are logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestLogging {
    /// Every request.
    #[default]
    #[serde(alias = "true")]
    On,
    /// None.
    #[serde(alias = "false")]
    Off,
}

impl Deployment {
    /// Seldon's defaulting of what is not said, as far as no engine is concerned: the label `version`
    /// of each predictor. What kind a node is by default, [`NodeKind::defaulted`](crate::graph::NodeKind::defaulted) says.
    ///
    /// Besides, a deployment of the Open Inference Protocol answers as the server does that Seldon runs for it: a
    /// scikit-learn model of which no `method` is said predicts.
    pub fn apply_defaults(&mut self) {
        self.predictors.iter_mut().for_each(Predictor::apply_defaults);
        if self.transport == Some(Transport::Grpc) {
            self.predictors.iter_mut().for_each(|predictor| predictor.graph.default_to_grpc());
        }
        if self.protocol == Protocol::Kfserving {
            self.predictors.iter_mut().for_each(|predictor| predictor.graph.default_method(SKLEARN_SERVER, "predict"));
        }
    }

    /// The path of its predictions below that of the deployment, in its protocol.
    pub fn predictions_path(&self) -> String {
        let model = self.predictors.first().map_or("", |predictor| predictor.graph.name.as_str());
        match self.protocol {
            _ if self.kind == ResourceKind::InferenceGraph => "/".to_owned(),
            Protocol::Seldon => "/api/v1.0/predictions".to_owned(),
            Protocol::Tensorflow => format!("/v1/models/{model}:predict"),
            Protocol::Kfserving => format!("/v2/models/{model}/infer"),
        }
    }

    /// An annotation of a predictor, else of the deployment.
    pub fn annotation<'a>(&'a self, predictor: &'a Predictor, name: &str) -> Option<&'a str> {
        let all = [&predictor.annotations, &self.annotations];
        all.into_iter().find_map(|annotations| annotations.get(name)).map(String::as_str)
    }

    /// Whether programs of users are called over gRPC.
    pub fn calls_grpc(&self) -> bool {
        let mut nodes = self.predictors.iter().flat_map(|predictor| predictor.graph.nodes());
        self.transport == Some(Transport::Grpc) || nodes.any(Node::is_grpc)
    }

    /// The annotation that tells how long a node may take to answer.
    pub fn timeout_annotation(&self) -> &'static str {
        if self.calls_grpc() { GRPC_TIMEOUT_ANNOTATION } else { REST_TIMEOUT_ANNOTATION }
    }

    /// How long a node of the predictor may take to answer, in milliseconds, where a positive number tells.
    pub fn node_timeout(&self, predictor: &Predictor) -> Option<u64> {
        let text = self.annotation(predictor, self.timeout_annotation())?;
        text.trim().parse().ok().filter(|millis| *millis > 0)
    }

    /// How many requests a node of the predictor that is called gets at once, where a number tells; 0 is no limit.
    pub fn node_concurrency(&self, predictor: &Predictor) -> Option<u32> {
        self.annotation(predictor, CONCURRENCY_ANNOTATION)?.trim().parse().ok()
    }

    /// How requests of V1 to the predictor are gathered, where an annotation tells; what is not said is as in `KServe`.
    pub fn batching(&self, predictor: &Predictor) -> Option<Batching> {
        let number = |name| self.annotation(predictor, name).and_then(|text| text.trim().parse::<u32>().ok());
        let (most, wait) = (number(BATCH_SIZE_ANNOTATION), number(BATCH_LATENCY_ANNOTATION));
        let is_said = most.or(wait).is_some();
        let batching = Batching { most: most.unwrap_or(32), wait: wait.unwrap_or(5000).into() };
        is_said.then_some(batching).filter(|batching| batching.most > 0)
    }

    /// What stands beside a predictor in this role.
    pub fn beside(&self, predictor: &str, role: Role) -> Option<&Predictor> {
        let is_its = |one: &&Predictor| one.role == role && one.asks.as_deref() == Some(predictor);
        self.predictors.iter().find(is_its)
    }

    /// What gets the requests of the first predictor: its transformer, if it has one, else itself.
    pub fn first_asked(&self) -> Option<&Predictor> {
        let first = self.predictors.first()?;
        self.beside(&first.name, Role::Transformer).or(Some(first))
    }

    /// What explains predictions.
    pub fn explainers(&self) -> impl Iterator<Item = &Predictor> {
        self.predictors.iter().filter(|predictor| predictor.role == Role::Explainer)
    }

    /// The share of the traffic each predictor gets in percent, in their order: a predictor alone
    /// gets all of it, shadows get none. Before a predictor, a transformer gets all of it, too.
    pub fn weights(&self) -> Vec<u32> {
        let predicts = |predictor: &Predictor| predictor.role == Role::Predictor && !predictor.shadow;
        let alone = self.predictors.iter().filter(|predictor| predicts(predictor)).count() == 1;
        let weight = |predictor: &Predictor| match predictor.traffic {
            _ if predictor.shadow || predictor.role == Role::Explainer => 0,
            _ if predictor.role == Role::Transformer => 100,
            _ if alone => 100,
            traffic => u32::try_from(traffic.unwrap_or(0)).unwrap_or(0),
        };
        self.predictors.iter().map(weight).collect()
    }
}

impl Predictor {
    /// The predictor in whose place it gets requests, where it is a transformer.
    pub fn before(&self) -> Option<&str> {
        self.asks.as_deref().filter(|_| self.role == Role::Transformer)
    }

    /// Canonical JSON of what determines the predictor's answers in a deployment of this protocol, which matters to
    /// programs of users' own. Traffic, replicas, labels, annotations, credentials and the order of parameters are not
    /// part of it.
    pub fn serving_specification(&self, protocol: Protocol) -> String {
        let mut specification = self.graph.specification();
        if let Some(services) = &self.services {
            specification["services"] = json!(services);
        }
        let has_own = self.graph.nodes().into_iter().any(Node::is_own_program);
        if protocol != Protocol::Seldon && has_own {
            specification["protocol"] = json!(protocol);
        }
        specification.to_string()
    }

    /// The percentage of the requests of which a shadow gets a copy: its share of the traffic, or all where none is said.
    pub fn mirrored(&self) -> Option<u32> {
        let share =
            self.traffic.and_then(|traffic| u32::try_from(traffic).ok()).filter(|share| (1..=100).contains(share));
        self.shadow.then(|| share.unwrap_or(100))
    }

    /// Whether a component specification has a container of this name.
    pub fn has_container(&self, name: &str) -> bool {
        self.component_specs.iter().any(|spec| spec.containers.iter().any(|container| container == name))
    }

    fn apply_defaults(&mut self) {
        self.labels.entry(VERSION_LABEL.to_owned()).or_insert_with(|| self.name.clone());
    }
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Seldon, Self::Tensorflow, Self::Kfserving];

    /// The name as manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seldon => "seldon",
            Self::Tensorflow => "tensorflow",
            Self::Kfserving => "kfserving",
        }
    }
}

impl FromStr for Protocol {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word(word, "protocol", "seldon, tensorflow, kfserving")
    }
}

impl FromStr for Transport {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word(word, "transport", "rest, grpc")
    }
}

impl FromStr for ServerType {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word(word, "server type", "rpc, kafka")
    }
}

impl FromStr for RequestLogging {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word(word, "request log setting", "on, off")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::graph::{Endpoint, Implementation, NodeKind, Parameter, ParameterValue};

    fn predictor() -> Predictor {
        let parameter = |name: &str, value: &str| Parameter {
            name: name.to_owned(),
            value: ParameterValue::parse("FLOAT", value).unwrap(),
        };
        let graph = Node {
            name: "classifier".to_owned(),
            kind: NodeKind::Model,
            implementation: Implementation::Server("SKLEARN_SERVER".to_owned()),
            model_uri: Some("/models/iris".to_owned()),
            parameters: vec![parameter("b", "0.50"), parameter("a", "1")],
            ..Node::default()
        };
        let mut predictor = Predictor { name: "default".to_owned(), graph, ..Predictor::default() };
        predictor.apply_defaults();
        predictor
    }

    #[test]
    fn a_serving_specification_is_canonical_json() {
        assert_eq!(
            predictor().serving_specification(Protocol::Seldon),
            r#"{"implementation":"SKLEARN_SERVER","modelUri":"/models/iris","name":"classifier","parameters":[["a","1"],["b","0.5"]],"type":"MODEL"}"#
        );
    }

    #[test]
    fn what_does_not_change_answers_is_not_in_the_serving_specification() {
        let mut other = predictor();
        other.name = "canary".to_owned();
        other.traffic = Some(10);
        other.replicas = Some(3);
        other.labels.insert("team".to_owned(), "fraud".to_owned());
        other.graph.parameters.reverse();
        other.graph.endpoint = Some(Endpoint { port: Some(9000), ..Endpoint::default() });
        other.graph.env_secret_ref_name = Some("s3".to_owned());
        assert_eq!(other.serving_specification(Protocol::Seldon), predictor().serving_specification(Protocol::Seldon));
    }

    #[test]
    fn what_changes_answers_is_in_the_serving_specification() {
        let changes: [fn(&mut Node); 4] = [
            |node| node.model_uri = Some("/models/other".to_owned()),
            |node| node.parameters.clear(),
            |node| node.implementation = Implementation::Server("XGBOOST_SERVER".to_owned()),
            |node| node.children.push(Node::default()),
        ];
        for change in changes {
            let mut other = predictor();
            change(&mut other.graph);
            assert_ne!(
                other.serving_specification(Protocol::Seldon),
                predictor().serving_specification(Protocol::Seldon)
            );
        }
    }

    #[test]
    fn the_version_label_is_the_predictors_name_unless_it_is_told() {
        assert_eq!(predictor().labels[VERSION_LABEL], "default");
        let mut told = Predictor { name: "default".to_owned(), ..Predictor::default() };
        told.labels.insert(VERSION_LABEL.to_owned(), "v2".to_owned());
        told.apply_defaults();
        assert_eq!(told.labels[VERSION_LABEL], "v2");
    }

    /// A deployment `iris` that says nothing else.
    pub(crate) fn deployment(predictors: Vec<Predictor>) -> Deployment {
        let namespace = crate::Namespace::default_namespace();
        Deployment {
            kind: ResourceKind::SeldonDeployment,
            id: DeploymentId { namespace, name: crate::ResourceName::try_from("iris").unwrap() },
            annotations: TextMap::new(),
            labels: TextMap::new(),
            protocol: Protocol::Seldon,
            transport: None,
            server_type: ServerType::Rpc,
            replicas: None,
            predictors,
            request_log: RequestLogging::On,
        }
    }

    #[test]
    fn a_predictor_alone_gets_all_traffic_and_a_shadow_none() {
        let of = |traffic, shadow| Predictor { traffic, shadow, ..predictor() };
        let weights = |predictors| deployment(predictors).weights();
        assert_eq!(weights(vec![of(None, false)]), [100]);
        assert_eq!(weights(vec![of(Some(0), false)]), [100]);
        assert_eq!(weights(vec![of(Some(90), false), of(Some(10), false)]), [90, 10]);
        assert_eq!(weights(vec![of(None, false), of(Some(10), true)]), [100, 0]);
    }

    #[test]
    fn a_transformer_gets_all_traffic_as_well_and_an_explainer_none() {
        let asks = Some(predictor().name);
        let transformer = Predictor { role: Role::Transformer, asks: asks.clone(), ..predictor() };
        let explainer = Predictor { role: Role::Explainer, asks, ..predictor() };
        let deployment = deployment(vec![predictor(), transformer, explainer]);
        assert_eq!(deployment.weights(), [100, 100, 0]);
        assert_eq!(deployment.first_asked().map(|one| one.role), Some(Role::Transformer));
    }

    #[test]
    fn a_shadow_gets_copies_of_its_share_or_of_all() {
        let mirrored = |traffic, shadow| Predictor { traffic, shadow, ..predictor() }.mirrored();
        assert_eq!(mirrored(Some(10), true), Some(10));
        for traffic in [None, Some(0), Some(100)] {
            assert_eq!(mirrored(traffic, true), Some(100));
        }
        assert_eq!(mirrored(Some(10), false), None);
    }

    #[test]
    fn the_request_log_is_switched_in_several_words() {
        for (word, expected) in [
            ("on", RequestLogging::On),
            ("true", RequestLogging::On),
            ("off", RequestLogging::Off),
            ("false", RequestLogging::Off),
        ] {
            assert_eq!(word.parse(), Ok(expected));
        }
        assert!("Off".parse::<RequestLogging>().is_err());
    }

    #[test]
    fn the_protocol_of_a_program_of_the_users_own_changes_its_answers() {
        let own = Node { name: "own".to_owned(), kind: NodeKind::Model, ..Node::default() };
        let own = Predictor { graph: own, ..predictor() };
        assert_ne!(own.serving_specification(Protocol::Kfserving), own.serving_specification(Protocol::Seldon));
        let native = predictor();
        assert_eq!(native.serving_specification(Protocol::Kfserving), native.serving_specification(Protocol::Seldon));
    }

    #[test]
    fn with_the_open_inference_protocol_a_scikit_learn_model_predicts_unless_it_is_told() {
        let method = |protocol, told: Option<&str>, server: &str| {
            let mut predictor = predictor();
            predictor.graph.implementation = Implementation::Server(server.to_owned());
            let value = told.map(|told| ParameterValue::String(told.to_owned()));
            predictor.graph.parameters.extend(value.map(|value| Parameter { name: "method".to_owned(), value }));
            let mut deployment = deployment(vec![predictor]);
            deployment.protocol = protocol;
            deployment.apply_defaults();
            deployment.predictors[0].graph.parameter("method").map(ParameterValue::to_text)
        };
        assert_eq!(method(Protocol::Kfserving, None, "SKLEARN_SERVER").as_deref(), Some("predict"));
        let told = method(Protocol::Kfserving, Some("predict_proba"), "SKLEARN_SERVER");
        assert_eq!(told.as_deref(), Some("predict_proba"));
        assert_eq!(method(Protocol::Kfserving, None, "XGBOOST_SERVER"), None);
        assert_eq!(method(Protocol::Seldon, None, "SKLEARN_SERVER"), None);
    }

    #[test]
    fn predictions_are_where_the_protocol_has_them() {
        let mut deployment = deployment(vec![predictor()]);
        for (protocol, path) in [
            (Protocol::Seldon, "/api/v1.0/predictions"),
            (Protocol::Tensorflow, "/v1/models/classifier:predict"),
            (Protocol::Kfserving, "/v2/models/classifier/infer"),
        ] {
            deployment.protocol = protocol;
            assert_eq!(deployment.predictions_path(), path);
        }
        assert_eq!("v2".parse(), Ok(Protocol::Kfserving));
    }
}
