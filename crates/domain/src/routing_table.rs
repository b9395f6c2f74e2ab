//! Which predictor answers: plain data, whether it comes in process, from a file or by a watch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::{
    DeploymentId, RevisionId,
    deployment::{Protocol, RequestLogging, ResourceKind},
    graph::Calls,
    service_graph::ServiceGraph,
};

/// All deployments a gateway knows, and where their requests go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RoutingTable {
    /// Deployments by namespace and name.
    pub deployments: BTreeMap<DeploymentId, DeploymentRoutes>,
}

/// Where the requests of one deployment go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DeploymentRoutes {
    /// The predictors that answer. None while the deployment is being created or has failed.
    pub predictors: Vec<PredictorRoute>,
    /// Why nothing answers, for the caller to read.
    pub unavailable: Option<String>,
    /// Whether requests are logged.
    pub request_log: RequestLogging,
    /// What it speaks, for those who call it by its name alone.
    #[serde(default)]
    pub protocol: Protocol,
    /// What it was written as.
    #[serde(default)]
    pub kind: ResourceKind,
}

/// A predictor's share of the traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictorRoute {
    /// Its name.
    pub predictor: String,
    /// The revision that answers.
    pub revision: RevisionId,
    /// Share of the traffic, relative to the sum of all.
    pub weight: u32,
    /// The percentage of the requests of which it gets a copy, whose answers nobody sees; `None` where it is no shadow.
    pub mirrored: Option<u32>,
    /// Its annotation `version`, a label of Seldon's metrics.
    pub version: String,
    /// How its requests of V1 are gathered; they are not where it is left out.
    #[serde(default)]
    pub batching: Option<Batching>,
    /// The root of its graph.
    pub graph: NodeRoute,
}

/// How requests are gathered that are sent on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batching {
    /// Most instances of a batch, but for a single request with more.
    pub most: u32,
    /// How long a request waits for others at most, in milliseconds.
    pub wait: u64,
}

/// A node of a predictor's graph, as requests pass it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRoute {
    /// Its name.
    pub name: String,
    /// Its implementation; empty where it is a program of the user's own, whose image is not known here.
    pub image: String,
    /// What runs it.
    pub runs: NodeRuns,
    /// What it is called for.
    pub calls: Calls,
    /// The nodes below it.
    pub children: Vec<Self>,
}

impl NodeRoute {
    /// Whether the node is all of its graph and only predicts, as a model that is loaded or called.
    pub fn is_lone_model(&self) -> bool {
        let is_model = matches!(self.runs, NodeRuns::Model | NodeRuns::Server(_));
        is_model && self.children.is_empty() && self.calls == Calls::PREDICT
    }
}

/// What runs a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum NodeRuns {
    /// A model of this process.
    Model,
    /// Another server.
    Server(NodeServer),
    /// A model that answers every request alike.
    SimpleModel,
    /// A router that chooses the first child.
    SimpleRouter,
    /// A router between two children, which chooses the first with this probability.
    AbTest(f64),
    /// The mean of the children's answers.
    AverageCombiner,
    /// A router that learns from feedback which child earns the most.
    Learns(Learning),
    /// Services, which are called as a graph of them says.
    Services(ServiceGraph),
}

/// How a router that learns chooses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Learning {
    /// Mostly the child that earned the most so far.
    EpsilonGreedy {
        /// The probability that it is any child instead.
        epsilon: f64,
    },
    /// Each child as often as it is probably the best.
    ThompsonSampling,
}

/// A server that a node is called at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeServer {
    /// Where it is, as `host:port`.
    pub authority: String,
    /// How long it may take to answer, in milliseconds; `None` for the gateway's own limit.
    pub timeout: Option<u64>,
    /// How many requests it gets at once; `None` where there is no limit.
    #[serde(default)]
    pub concurrency: Option<u32>,
    /// What it speaks.
    #[serde(default)]
    pub protocol: Protocol,
    /// Whether it is called over gRPC.
    #[serde(default)]
    pub grpc: bool,
}

/// Where the requests of one deployment go when its predictors are other servers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeploymentBackends {
    /// Its predictors.
    pub backends: Vec<Backend>,
    /// What gets the requests of a predictor and asks it itself by the name of its Service, by the predictor's name.
    pub transformers: BTreeMap<String, Backend>,
    /// What explains the predictions of a predictor, by its name.
    pub explainers: BTreeMap<String, Backend>,
    /// Why nothing answers, for the caller to read.
    pub unavailable: String,
}

/// A predictor that is another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Its name.
    pub predictor: String,
    /// Share of the traffic, relative to the sum of all; with 0 it answers only requests that ask for it by name. Of a
    /// shadow the percentage of the requests of which it gets a copy.
    pub weight: u32,
    /// Whether it gets copies of requests, and nobody sees its answers.
    pub is_shadow: bool,
    /// Where it is, as `host:port`.
    pub authority: String,
    /// How long it may take to answer, in milliseconds; `None` for the gateway's own limit.
    pub timeout: Option<u64>,
    /// What is woken where nothing is there, if it may be so.
    pub sleeper: Option<Sleeper>,
}

/// Servers that end when nothing is asked, and start when something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sleeper {
    /// Their namespace.
    pub namespace: String,
    /// The Deployment that runs them.
    pub workload: String,
    /// The label that they have in common.
    pub app: String,
}

/// The predictor that answers a request: an index into `weights`, or `None` when all are 0.
///
/// The share of each is exact in law, and the same request id always falls to the same predictor while
/// the weights stay, so that a retried request is answered alike.
pub fn choose(weights: &[u32], seed: u64, request_id: &[u8]) -> Option<usize> {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let hash = xxh3_64_with_seed(request_id, seed);
    // The high half of a 64 × 64 bit product is uniform on 0..total.
    let point = ((u128::from(hash) * u128::from(total)) >> 64) as u64;
    let mut end = 0;
    weights.iter().position(|weight| {
        end += u64::from(*weight);
        point < end
    })
}

/// The seed of [`choose`] for a deployment, so that two deployments split the same ids differently.
pub fn split_seed(id: &DeploymentId) -> u64 {
    xxh3_64_with_seed(id.name.as_str().as_bytes(), xxh3_64_with_seed(id.namespace.as_str().as_bytes(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(weights: &[u32], requests: u32) -> Vec<u32> {
        let mut counts = vec![0; weights.len()];
        for id in 0..requests {
            counts[choose(weights, 7, &id.to_le_bytes()).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn shares_stay_within_binomial_bounds() {
        let counts = shares(&[90, 10], 100_000);
        // Five standard deviations of a binomial with p = 0.1.
        assert!((10_000 - 475..=10_000 + 475).contains(&counts[1]), "{counts:?}");
    }

    #[test]
    fn a_weight_of_zero_gets_nothing_and_of_all_gets_everything() {
        assert_eq!(shares(&[0, 100, 0], 10_000), [0, 10_000, 0]);
        assert_eq!(choose(&[0, 0], 7, b"id"), None);
        assert_eq!(choose(&[], 7, b"id"), None);
        assert_eq!(choose(&[u32::MAX, u32::MAX], 7, b"id").map(|index| index < 2), Some(true));
    }

    #[test]
    fn a_retried_id_falls_to_the_same_predictor() {
        for id in 0..100_u32 {
            assert_eq!(choose(&[50, 50], 3, &id.to_le_bytes()), choose(&[50, 50], 3, &id.to_le_bytes()));
        }
    }
}
