//! A graph of services: what answers an `InferenceGraph` of `KServe`. Its nodes are no nodes of an inference graph in
//! Seldon's sense ([`crate::graph`]): each chooses, chains or joins calls of whole services.

pub mod condition;
mod rules;

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    ResourceName,
    graph::{UnknownWord, parse_word},
};
use condition::Condition;

pub use rules::{CALLS_MAX, DEPTH_MAX, STEPS_MAX};

/// The node at which every request enters.
pub const ROOT: &str = "root";

/// Nodes by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceGraph {
    /// The nodes; the first is [`ROOT`].
    pub nodes: BTreeMap<String, RouterNode>,
    /// How long the whole of a request may take.
    pub timeout: Option<Duration>,
    /// How long a call of one service may take.
    pub call_timeout: Option<Duration>,
}

/// A node: some steps, and how a request takes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterNode {
    /// How.
    pub router: RouterType,
    /// The steps, at least one.
    pub steps: Vec<ServiceStep>,
}

/// How a request takes the steps of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RouterType {
    /// One after another.
    Sequence,
    /// One of them, by weight.
    Splitter,
    /// All at once, whose answers are joined.
    Ensemble,
    /// The first whose condition holds.
    Switch,
}

/// One step of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStep {
    /// Its name, unique in the node.
    pub name: Option<String>,
    /// What answers.
    pub target: Target,
    /// What it is sent.
    pub data: StepData,
    /// Whether what it is sent has its `predictions` as `instances`.
    #[serde(default)]
    pub maps_predictions: bool,
    /// Its share of the requests of a splitter, in percent.
    pub weight: u32,
    /// What must hold for it: of the request in a switch, of the answer before in a sequence.
    pub condition: Option<Condition>,
    /// What its failure means.
    pub dependency: Dependency,
}

/// What answers a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Another node of the graph.
    Node(String),
    /// A deployment in the namespace of the graph.
    Service(ResourceName),
    /// Any server, by its address.
    Url(String),
}

/// What a step of a sequence is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepData {
    /// What the node was sent.
    #[default]
    #[serde(rename = "$request")]
    Request,
    /// What the step before answered.
    #[serde(rename = "$response")]
    Response,
}

/// What a failure of a step means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dependency {
    /// Its answer is taken as any other.
    #[default]
    Soft,
    /// Its answer is that of the node.
    Hard,
}

impl ServiceGraph {
    /// The deployments that it calls, with the node and the number of the step that does.
    pub fn services(&self) -> impl Iterator<Item = (&ResourceName, &str, usize)> {
        let steps = self.nodes.iter().flat_map(|(name, node)| {
            node.steps.iter().enumerate().map(move |(index, step)| (step, name.as_str(), index))
        });
        steps.filter_map(|(step, node, index)| match &step.target {
            Target::Service(service) => Some((service, node, index)),
            Target::Node(_) | Target::Url(_) => None,
        })
    }
}

impl ServiceStep {
    /// What the step is called in messages and in the answer of an ensemble: its name, else its number.
    pub fn called(&self, index: usize) -> String {
        self.name.clone().unwrap_or_else(|| index.to_string())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => write!(f, "node {node}"),
            Self::Service(service) => write!(f, "service {service}"),
            Self::Url(url) => f.write_str(url),
        }
    }
}

impl FromStr for RouterType {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word(word, "router type", "Sequence, Splitter, Ensemble, Switch")
    }
}

impl FromStr for StepData {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word(word, "data", "$request, $response")
    }
}

impl FromStr for Dependency {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word(word, "dependency", "Soft, Hard")
    }
}
