//! How much a deployment is asked, for live charts.

use serde::{Deserialize, Serialize};

use crate::{DeploymentId, plan::Timestamp};

/// What one predictor did in one interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficPoint {
    /// End of the interval.
    pub time: Timestamp,
    /// Length of the interval, in milliseconds.
    pub interval: u64,
    /// The predictor; empty for requests that reached none.
    pub predictor: String,
    /// Requests answered.
    pub requests: u64,
    /// Those of them with a status of 400 to 499.
    pub client_errors: u64,
    /// Those of them with a status of 500 or more.
    pub server_errors: u64,
    /// Latency in microseconds below which half of the requests stayed; `None` without requests.
    pub p50: Option<u64>,
    /// Likewise for 95 of 100.
    pub p95: Option<u64>,
    /// Likewise for 99 of 100.
    pub p99: Option<u64>,
}

/// Recent traffic.
pub trait TrafficView: Send + Sync {
    /// The points of a deployment since then, oldest first.
    fn points(&self, id: &DeploymentId, since: Timestamp) -> Vec<TrafficPoint>;
}
