//! The server.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the server is and how it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerStatus {
    /// Version of provost.
    pub version: String,
    /// When it was started (RFC 3339).
    pub started: String,
    /// Deployments it knows.
    pub deployments: usize,
    /// Of these, available.
    pub available: usize,
    /// Requests being answered now.
    pub in_flight: usize,
    /// Records the request log could not keep since the start.
    pub lost_records: u64,
    /// The model servers that manifests can name.
    pub model_servers: Vec<ModelServerSummary>,
    /// What runs deployments.
    pub engine: EngineName,
    /// Whether there is a request log to ask.
    pub has_request_log: bool,
}

/// What runs deployments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum EngineName {
    /// The server's own process.
    Process,
    /// The pods of a cluster.
    Kubernetes,
}

/// A model server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelServerSummary {
    /// Name, as in a node's `implementation`.
    #[schema(example = "SKLEARN_SERVER")]
    pub name: String,
    /// What it serves.
    pub description: String,
    /// Whether this server can run it: those in containers run on Kubernetes only.
    pub is_supported: bool,
}
