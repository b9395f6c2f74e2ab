//! A graph of services in the form requests need it.

use std::{collections::HashMap, time::Duration};

use http::Uri;
use provost_domain::{
    DeploymentId, ErrorCode,
    routing_table::split_seed,
    service_graph::{self, Dependency, ROOT, RouterType, ServiceStep, StepData, Target, condition::Condition},
};

use crate::{error::RequestError, node_server::Server};

/// A graph, as requests pass it.
#[derive(Debug)]
pub(crate) struct ServiceGraph {
    routers: HashMap<String, Router>,
    pub(super) root: String,
    pub(super) timeout: Option<Duration>,
    pub(super) call_timeout: Option<Duration>,
}

/// A node.
#[derive(Debug)]
pub(super) struct Router {
    pub(super) kind: RouterType,
    pub(super) steps: Vec<Step>,
    /// Tells the splits of two nodes apart.
    pub(super) seed: u64,
}

/// A step of a node.
#[derive(Debug)]
pub(super) struct Step {
    /// What it is called in messages.
    pub(super) called: String,
    /// What it is called in the answer of an ensemble.
    pub(super) key: String,
    pub(super) does: Does,
    pub(super) data: StepData,
    /// Whether what it is sent has its `predictions` as `instances`.
    pub(super) maps_predictions: bool,
    pub(super) weight: u32,
    pub(super) condition: Option<Condition>,
    /// Whether its failure is that of the node.
    pub(super) is_needed: bool,
}

/// What a step does.
#[derive(Debug)]
pub(super) enum Does {
    /// Goes to another node.
    Node(String),
    /// Asks a deployment of this server, by `<namespace>/<name>`.
    Service(String),
    /// Asks another server.
    Url(Box<Server>, Uri),
}

impl ServiceGraph {
    /// The graph of a deployment; `None`, and a word in the log, where an address is none.
    pub(crate) fn new(id: &DeploymentId, graph: &service_graph::ServiceGraph) -> Option<Self> {
        let mut routers = HashMap::new();
        for ((name, node), number) in graph.nodes.iter().zip(0..) {
            let seed = split_seed(id).wrapping_add(number);
            let steps = (0..).zip(&node.steps).map(|step| compile(id, name, step, graph.call_timeout));
            routers.insert(name.clone(), Router { kind: node.router, steps: steps.collect::<Option<_>>()?, seed });
        }
        let (timeout, call_timeout) = (graph.timeout, graph.call_timeout);
        Some(Self { routers, root: ROOT.to_owned(), timeout, call_timeout })
    }

    pub(super) fn router(&self, node: &str) -> Result<&Router, RequestError> {
        let found = self.routers.get(node);
        found.ok_or_else(|| RequestError::new(ErrorCode::Internal, format!("the graph has no node `{node}`")))
    }
}

fn compile(
    id: &DeploymentId,
    name: &str,
    (index, step): (usize, &ServiceStep),
    timeout: Option<Duration>,
) -> Option<Step> {
    let key = step.called(index);
    let called = format!("step `{key}` of node `{name}`");
    let does = match &step.target {
        Target::Node(node) => Does::Node(node.clone()),
        Target::Service(service) => Does::Service(format!("{}/{service}", id.namespace)),
        Target::Url(url) => {
            let parsed = url.parse().inspect_err(|error| tracing::error!(%id, url, %error, "a step names no address"));
            let uri: Uri = parsed.ok()?;
            Does::Url(Box::new(Server::at_url(&called, uri.clone(), timeout)), uri)
        }
    };
    let ServiceStep { data, maps_predictions, weight, .. } = *step;
    let (condition, is_needed) = (step.condition.clone(), step.dependency == Dependency::Hard);
    Some(Step { called, key, does, data, maps_predictions, weight, condition, is_needed })
}
