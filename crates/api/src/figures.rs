//! What a server in a pod tells the control plane of itself, at `/-/figures`.

use provost_domain::{plan::Timestamp, port::traffic::TrafficPoint};
use serde::{Deserialize, Serialize};

/// Where they are told. The parameter `since` is a time, as [`Figures::time`] told it.
pub const PATH: &str = "/-/figures";

/// Figures of one server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Now, by the clock of the server.
    pub time: Timestamp,
    /// Seconds of processor time that it used since it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// Its resident memory in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Its traffic after `since`, oldest first; of the last quarter of an hour where that is not given.
    #[serde(default)]
    pub traffic: Vec<TrafficPoint>,
}

/// Where the load is told, by which replicas are scaled.
pub const LOAD_PATH: &str = "/-/load";

/// Where a pod tells what its routers learned, and is told what those of other pods did: [`provost_domain::learned::Told`]
/// is asked and answered. What is told to another process than the one that answers has no effect.
pub const LEARNED_PATH: &str = "/-/learned";

/// Longest of these, in bytes.
pub const LEARNED_MAX: usize = 1 << 18;

/// What a server answered since it was started; all of it only ever grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Load {
    /// How many requests.
    pub requests: u64,
    /// For how many seconds, those at once counted each; since it was first asked for.
    pub busy_seconds: f64,
}
