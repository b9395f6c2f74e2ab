//! The inference graph of a predictor: nodes in Seldon's terms, with their parameters parsed.

mod calls;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::server_catalog;

pub use calls::{Calls, InputCall};
pub(crate) use calls::{EPSILON, RATIO};

/// One node of an inference graph, with the nodes below it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Name, unique in its graph.
    pub name: String,
    /// What the node does with a request.
    pub kind: NodeKind,
    /// What implements it.
    pub implementation: Implementation,
    /// The methods it offers, where its kind does not say.
    pub methods: Vec<Method>,
    /// Where it listens, for nodes that are called over the network.
    pub endpoint: Option<Endpoint>,
    /// Parameters in the order they were written; see [`Node::parameter`].
    pub parameters: Vec<Parameter>,
    /// Where the model's files are.
    pub model_uri: Option<String>,
    /// Service account whose credentials fetch the model.
    pub service_account_name: Option<String>,
    /// Secret whose entries are the fetcher's environment.
    pub env_secret_ref_name: Option<String>,
    /// Image that fetches the model instead of the platform's own fetcher.
    pub storage_initializer_image: Option<String>,
    /// Where requests and responses of this node are sent to be logged.
    pub logger: Option<Logger>,
    /// The nodes below it.
    pub children: Vec<Self>,
}

/// What a node does with a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NodeKind {
    /// Not said; the methods tell.
    #[default]
    UnknownType,
    /// Predicts.
    Model,
    /// Chooses one of its children.
    Router,
    /// Merges the answers of its children.
    Combiner,
    /// Changes the request.
    Transformer,
    /// Changes the response.
    OutputTransformer,
}

/// What implements a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Implementation {
    /// Not said: a program of the user's own.
    #[default]
    Unknown,
    /// Built in: a model that always answers the same.
    SimpleModel,
    /// Built in: a router that always takes the first child.
    SimpleRouter,
    /// Built in: a router that splits at random between two children.
    RandomAbTest,
    /// Built in: the mean of the children's answers.
    AverageCombiner,
    /// Built in: a router that learns from feedback, and tries others now and then.
    EpsilonGreedy,
    /// Built in: a router that learns from feedback, and chooses a child as often as it is probably the best.
    ThompsonSampling,
    /// Built in: a graph of services, of which the predictor tells. No manifest names it as a node.
    ServiceGraph,
    /// A prepackaged model server, by its name in the catalogue.
    Server(String),
}

/// A method a node offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Method {
    /// Changes a request.
    TransformInput,
    /// Changes a response.
    TransformOutput,
    /// Chooses a child.
    Route,
    /// Merges the children's answers.
    Aggregate,
    /// Takes feedback.
    SendFeedback,
}

/// Where a node listens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Host name.
    pub host: Option<String>,
    /// Port of the protocol that `kind` names.
    pub port: Option<i32>,
    /// REST or gRPC.
    pub kind: Option<EndpointKind>,
    /// Port for REST.
    pub http_port: Option<i32>,
    /// Port for gRPC.
    pub grpc_port: Option<i32>,
}

/// How a node is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EndpointKind {
    /// HTTP with JSON.
    Rest,
    /// gRPC.
    Grpc,
}

/// Where requests and responses of a node are sent to be logged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logger {
    /// Address of the logger.
    pub url: Option<String>,
    /// What is sent; `None` when the manifest does not say.
    pub mode: Option<LoggerMode>,
}

/// What a logger is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoggerMode {
    /// Requests and responses.
    All,
    /// Requests.
    Request,
    /// Responses.
    Response,
}

/// A parameter of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Name.
    pub name: String,
    /// Value, parsed by its type.
    pub value: ParameterValue,
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "UPPERCASE")]
pub enum ParameterValue {
    /// A whole number.
    Int(i64),
    /// A number, written as FLOAT.
    Float(f64),
    /// A number, written as DOUBLE.
    Double(f64),
    /// A text.
    String(String),
    /// True or false.
    Bool(bool),
}

/// A word that is not one of those a field takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{word}` is not known; use one of {expected}")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
    expected: &'static str,
}

/// Why a parameter's value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidParameter {
    /// The type is none of Seldon's.
    #[error("parameter type `{0}` is not known; use one of INT, FLOAT, DOUBLE, STRING, BOOL")]
    Type(String),
    /// The value does not read as the type says.
    #[error("`{value}` is not {expected}, which the parameter's type {kind} asks for")]
    Value {
        /// The value as written.
        value: String,
        /// What a value of the type looks like.
        expected: &'static str,
        /// The type.
        kind: &'static str,
    },
}

impl Node {
    /// Whether a program of its own is the node, one that is called over the network: the user's, or a model server that
    /// is not part of this program.
    pub fn is_own_program(&self) -> bool {
        self.implementation.is_own_program()
    }

    /// Where it is called, as `host:port`, if that is said.
    pub fn authority(&self) -> Option<String> {
        self.endpoint.as_ref().and_then(Endpoint::authority)
    }

    /// Whether it is called over gRPC.
    pub fn is_grpc(&self) -> bool {
        self.endpoint.as_ref().and_then(|endpoint| endpoint.kind) == Some(EndpointKind::Grpc)
    }

    /// Has programs of users be called over gRPC, of it and those below it, where nothing is said of each.
    pub(crate) fn default_to_grpc(&mut self) {
        if self.is_own_program()
            && let Some(endpoint) = &mut self.endpoint
        {
            endpoint.kind.get_or_insert(EndpointKind::Grpc);
        }
        self.children.iter_mut().for_each(Self::default_to_grpc);
    }

    /// Whether nothing at all is said about the node.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a graph says nothing: the defaults give it a kind, so that does not count.
    pub(crate) fn is_absent(&self) -> bool {
        Self { kind: NodeKind::UnknownType, ..self.clone() }.is_empty()
    }

    /// The value of the parameter `name`; of two with one name, the last.
    pub fn parameter(&self, name: &str) -> Option<&ParameterValue> {
        self.parameters.iter().rev().find(|parameter| parameter.name == name).map(|parameter| &parameter.value)
    }

    /// Gives it and those below it that this server runs a parameter `method`, where they have none.
    pub(crate) fn default_method(&mut self, server: &str, method: &str) {
        let is_of = matches!(&self.implementation, Implementation::Server(name) if name == server);
        if is_of && self.parameter("method").is_none() {
            let value = ParameterValue::String(method.to_owned());
            self.parameters.push(Parameter { name: "method".to_owned(), value });
        }
        self.children.iter_mut().for_each(|child| child.default_method(server, method));
    }

    /// This node and all below it, parents before their children.
    pub fn nodes(&self) -> Vec<&Self> {
        let below = self.children.iter().flat_map(Self::nodes);
        std::iter::once(self).chain(below).collect()
    }

    /// What determines the node's answers, as JSON with its keys in order.
    ///
    /// Credentials and loggers are left out, and so is the endpoint of a model that this program loads: they
    /// say how the node is reached, not what it answers.
    pub(crate) fn specification(&self) -> Value {
        let mut fields = vec![("implementation", json!(self.implementation)), ("name", json!(self.name))];
        fields.push(("type", json!(self.kind)));
        push_unless_empty(&mut fields, "children", self.children.iter().map(Self::specification).collect());
        push_unless_empty(&mut fields, "methods", self.sorted_methods());
        push_unless_empty(&mut fields, "parameters", self.sorted_parameters());
        fields.extend(self.model_uri.as_ref().map(|uri| ("modelUri", json!(uri))));
        if self.is_own_program() {
            fields.extend(self.endpoint.as_ref().map(|endpoint| ("endpoint", json!(endpoint))));
        }
        fields.sort_by_key(|(name, _)| *name);
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn sorted_methods(&self) -> Vec<Value> {
        let mut methods = self.methods.clone();
        methods.sort();
        methods.dedup();
        methods.into_iter().map(|method| json!(method)).collect()
    }

    fn sorted_parameters(&self) -> Vec<Value> {
        let mut names: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().filter_map(|name| Some(json!([name, self.parameter(name)?.to_text()]))).collect()
    }
}

impl Endpoint {
    /// Where it is called, as `host:port`; `None` where that is not said, or cannot be an address.
    pub fn authority(&self) -> Option<String> {
        let host = self.host.as_deref().filter(|host| is_host(host))?;
        let own = if self.kind == Some(EndpointKind::Grpc) { self.grpc_port } else { self.http_port };
        let port = u16::try_from(own.or(self.port)?).ok().filter(|port| *port != 0)?;
        Some(format!("{host}:{port}"))
    }
}

/// Whether a text can be a host: a name, or an address, of IPv6 in brackets.
fn is_host(text: &str) -> bool {
    let (address, is_bracketed) = match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => (address, true),
        None => (text, false),
    };
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') || (is_bracketed && c == ':');
    (1..=253).contains(&address.len()) && address.chars().all(is_part)
}

impl NodeKind {
    /// The name as manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownType => "UNKNOWN_TYPE",
            Self::Model => "MODEL",
            Self::Router => "ROUTER",
            Self::Combiner => "COMBINER",
            Self::Transformer => "TRANSFORMER",
            Self::OutputTransformer => "OUTPUT_TRANSFORMER",
        }
    }

    /// Seldon's defaulting: a prepackaged server is a MODEL whatever was written, and so is a node of
    /// which neither type, implementation nor methods were.
    pub fn defaulted(written: Option<Self>, implementation: Option<&Implementation>, methods: &[Method]) -> Self {
        match (written, implementation) {
            (_, Some(implementation)) if implementation.is_prepackaged() => Self::Model,
            (None, None) if methods.is_empty() => Self::Model,
            (written, _) => written.unwrap_or_default(),
        }
    }
}

impl Implementation {
    /// Seldon's name for a node without an implementation.
    pub const UNKNOWN: &'static str = "UNKNOWN_IMPLEMENTATION";

    /// Whether a model server from the catalogue implements the node: any name that is not built in.
    pub fn is_prepackaged(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// Whether this program loads the node's model.
    pub fn is_native(&self) -> bool {
        matches!(self, Self::Server(name) if server_catalog::native(name).is_some())
    }

    /// Whether a program of its own is the node.
    pub fn is_own_program(&self) -> bool {
        !self.is_built_in() && !self.is_native()
    }

    /// Whether the node is a router that learns from feedback.
    pub fn learns(&self) -> bool {
        matches!(self, Self::EpsilonGreedy | Self::ThompsonSampling)
    }

    /// Whether the node is one of Seldon's built-in ones.
    pub fn is_built_in(&self) -> bool {
        !matches!(self, Self::Server(_) | Self::Unknown)
    }

    /// The name as manifests write it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unknown => Self::UNKNOWN,
            Self::SimpleModel => "SIMPLE_MODEL",
            Self::SimpleRouter => "SIMPLE_ROUTER",
            Self::RandomAbTest => "RANDOM_ABTEST",
            Self::AverageCombiner => "AVERAGE_COMBINER",
            Self::EpsilonGreedy => "EPSILON_GREEDY",
            Self::ThompsonSampling => "THOMPSON_SAMPLING",
            Self::ServiceGraph => "INFERENCE_GRAPH",
            Self::Server(name) => name,
        }
    }
}

impl From<String> for Implementation {
    fn from(name: String) -> Self {
        match name.as_str() {
            "" | Self::UNKNOWN => Self::Unknown,
            "SIMPLE_MODEL" => Self::SimpleModel,
            "SIMPLE_ROUTER" => Self::SimpleRouter,
            "RANDOM_ABTEST" => Self::RandomAbTest,
            "AVERAGE_COMBINER" => Self::AverageCombiner,
            "EPSILON_GREEDY" => Self::EpsilonGreedy,
            "THOMPSON_SAMPLING" => Self::ThompsonSampling,
            _ => Self::Server(name),
        }
    }
}

impl From<Implementation> for String {
    fn from(implementation: Implementation) -> Self {
        implementation.as_str().to_owned()
    }
}

impl fmt::Display for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NodeKind {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let expected = "MODEL, ROUTER, COMBINER, TRANSFORMER, OUTPUT_TRANSFORMER, UNKNOWN_TYPE";
        parse_word(word, "node type", expected)
    }
}

impl FromStr for Method {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let expected = "TRANSFORM_INPUT, TRANSFORM_OUTPUT, ROUTE, AGGREGATE, SEND_FEEDBACK";
        parse_word(word, "method", expected)
    }
}

impl FromStr for EndpointKind {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word(word, "endpoint type", "REST, GRPC")
    }
}

impl FromStr for LoggerMode {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word(word, "logger mode", "all, request, response")
    }
}

impl ParameterValue {
    /// Reads `value` as `kind` says. No kind means a text, as does an empty one.
    pub fn parse(kind: &str, value: &str) -> Result<Self, InvalidParameter> {
        let invalid = |kind, expected| InvalidParameter::Value { value: value.to_owned(), expected, kind };
        let finite = value.trim().parse().ok().filter(|number: &f64| number.is_finite());
        let number = |kind| finite.ok_or_else(|| invalid(kind, "a finite number"));
        match kind {
            "INT" => value.trim().parse().map(Self::Int).map_err(|_| invalid("INT", "a whole number")),
            "FLOAT" => number("FLOAT").map(Self::Float),
            "DOUBLE" => number("DOUBLE").map(Self::Double),
            "BOOL" => parse_bool(value).map(Self::Bool).ok_or_else(|| invalid("BOOL", "true or false")),
            "STRING" | "" => Ok(Self::String(value.to_owned())),
            _ => Err(InvalidParameter::Type(kind.to_owned())),
        }
    }

    /// The value as a number, if it is one or a text that reads as one.
    pub fn as_number(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "parameters are small numbers")]
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) | Self::Double(value) => Some(*value),
            Self::String(value) => value.trim().parse().ok().filter(|value: &f64| value.is_finite()),
            Self::Bool(_) => None,
        }
    }

    /// The value as text.
    pub fn to_text(&self) -> String {
        match self {
            Self::Int(value) => value.to_string(),
            Self::Float(value) | Self::Double(value) => value.to_string(),
            Self::String(value) => value.clone(),
            Self::Bool(value) => value.to_string(),
        }
    }
}

/// The words Python's `strtobool` takes, which is how Seldon's servers read a BOOL.
fn parse_bool(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn push_unless_empty(fields: &mut Vec<(&'static str, Value)>, name: &'static str, values: Vec<Value>) {
    if !values.is_empty() {
        fields.push((name, Value::Array(values)));
    }
}

/// Reads a word through the serde names of `T`, so that each name is written once.
pub(crate) fn parse_word<T>(word: &str, what: &'static str, expected: &'static str) -> Result<T, UnknownWord>
where
    T: for<'de> Deserialize<'de>,
{
    let deserializer: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        serde::de::IntoDeserializer::into_deserializer(word);
    T::deserialize(deserializer).map_err(|_| UnknownWord { what, word: word.to_owned(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(name: &str, value: i64) -> Parameter {
        Parameter { name: name.to_owned(), value: ParameterValue::Int(value) }
    }

    #[test]
    fn a_prepackaged_server_is_a_model_and_so_is_a_node_that_says_nothing() {
        let server = Implementation::Server("SKLEARN_SERVER".to_owned());
        for (written, implementation, methods, expected) in [
            (None, Some(&server), [].as_slice(), NodeKind::Model),
            (Some(NodeKind::Router), Some(&server), &[], NodeKind::Model),
            (None, None, &[], NodeKind::Model),
            (None, None, &[Method::Route], NodeKind::UnknownType),
            (None, Some(&Implementation::Unknown), &[], NodeKind::UnknownType),
            (None, Some(&Implementation::SimpleModel), &[], NodeKind::UnknownType),
            (Some(NodeKind::UnknownType), None, &[], NodeKind::UnknownType),
            (Some(NodeKind::Router), None, &[], NodeKind::Router),
        ] {
            assert_eq!(
                NodeKind::defaulted(written, implementation, methods),
                expected,
                "{written:?} {implementation:?}"
            );
        }
    }

    #[test]
    fn parameters_are_read_as_their_types_say() {
        use ParameterValue::{Bool, Double, Float, Int, String};
        for (kind, text, expected) in [
            ("INT", " 3 ", Int(3)),
            ("FLOAT", "0.5", Float(0.5)),
            ("DOUBLE", "1e-3", Double(0.001)),
            ("BOOL", "True", Bool(true)),
            ("BOOL", "no", Bool(false)),
            ("STRING", " 3 ", String(" 3 ".to_owned())),
            ("", "predict", String("predict".to_owned())),
        ] {
            assert_eq!(ParameterValue::parse(kind, text), Ok(expected), "{kind} {text}");
        }
    }

    #[test]
    fn a_parameter_that_is_not_of_its_type_is_refused_with_what_is_expected() {
        let message = |kind, text| ParameterValue::parse(kind, text).unwrap_err().to_string();
        assert_eq!(message("INT", "0.5"), "`0.5` is not a whole number, which the parameter's type INT asks for");
        assert_eq!(message("FLOAT", "nan"), "`nan` is not a finite number, which the parameter's type FLOAT asks for");
        assert_eq!(message("BOOL", "2"), "`2` is not true or false, which the parameter's type BOOL asks for");
        assert_eq!(
            message("int", "2"),
            "parameter type `int` is not known; use one of INT, FLOAT, DOUBLE, STRING, BOOL"
        );
    }

    #[test]
    fn of_two_parameters_with_one_name_the_last_counts() {
        let node = Node { parameters: vec![int("a", 1), int("a", 2)], ..Node::default() };
        assert_eq!(node.parameter("a"), Some(&ParameterValue::Int(2)));
        assert_eq!(node.parameter("b"), None);
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let endpoint = |host: &str, port, http_port| Endpoint {
            host: Some(host.to_owned()),
            port,
            http_port,
            ..Endpoint::default()
        };
        for (endpoint, expected) in [
            (endpoint("localhost", Some(9500), Some(9000)), Some("localhost:9000")),
            (endpoint("model.ns.svc.cluster.local.", Some(9000), None), Some("model.ns.svc.cluster.local.:9000")),
            (endpoint("[::1]", Some(9000), None), Some("[::1]:9000")),
            (endpoint("::1", Some(9000), None), None),
            (endpoint("user@host/path", Some(9000), None), None),
            (endpoint("", Some(9000), None), None),
            (endpoint("localhost", Some(0), None), None),
            (endpoint("localhost", Some(65_536), None), None),
            (endpoint("localhost", None, None), None),
        ] {
            assert_eq!(endpoint.authority().as_deref(), expected, "{endpoint:?}");
        }
    }

    #[test]
    fn nodes_come_before_their_children() {
        let leaf = |name: &str| Node { name: name.to_owned(), ..Node::default() };
        let graph = Node { children: vec![Node { children: vec![leaf("c")], ..leaf("b") }, leaf("d")], ..leaf("a") };
        let names: Vec<_> = graph.nodes().iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
    }

    #[test]
    fn every_word_is_read_and_written_alike() {
        for word in ["UNKNOWN_TYPE", "MODEL", "ROUTER", "COMBINER", "TRANSFORMER", "OUTPUT_TRANSFORMER"] {
            assert_eq!(json!(word.parse::<NodeKind>().unwrap()), word);
        }
        assert_eq!(
            "Model".parse::<NodeKind>().unwrap_err().to_string(),
            "node type `Model` is not known; use one of MODEL, ROUTER, COMBINER, TRANSFORMER, OUTPUT_TRANSFORMER, UNKNOWN_TYPE"
        );
    }
}
