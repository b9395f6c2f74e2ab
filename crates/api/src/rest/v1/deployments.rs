//! Deployments.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::apply::Warning;

/// Which deployments to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListParameters {
    /// Those of one namespace; of all, without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Those in one state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DeploymentState>,
    /// Those whose name or namespace contains this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// At most this many (1 to 500; 100 without).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The page after, as `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Answer once anything changed after this version, or after 25 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_version: Option<u64>,
}

/// A page of deployments, in the order of namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentPage {
    /// The deployments.
    pub items: Vec<DeploymentSummary>,
    /// How many there are on all pages.
    pub total: usize,
    /// Cursor of the page after, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Version of the store: see `afterVersion`.
    pub version: u64,
}

/// State of a deployment or predictor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum DeploymentState {
    /// Serves as it is desired to.
    Available,
    /// On its way.
    Creating,
    /// Something desired failed.
    Failed,
}

/// A deployment in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentSummary {
    /// Kind of its manifest.
    #[schema(example = "SeldonDeployment")]
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Whether it serves.
    pub state: DeploymentState,
    /// Why, for a person; empty when there is nothing to say.
    pub description: String,
    /// Counts its changes.
    pub generation: u64,
    /// The generation that state and description are about.
    pub observed_generation: u64,
    /// When it was first applied (RFC 3339).
    #[schema(example = "2026-01-31T12:00:00Z")]
    pub created: String,
    /// When it was last applied (RFC 3339).
    pub updated: String,
    /// Its predictors.
    pub predictors: Vec<PredictorSummary>,
    /// Whether its requests are logged.
    pub request_log: bool,
    /// Path of its predictions.
    #[schema(example = "/seldon/default/iris/api/v1.0/predictions")]
    pub predict_path: String,
}

/// A predictor of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PredictorSummary {
    /// Name.
    pub name: String,
    /// Whether it serves.
    pub state: DeploymentState,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Share of the traffic it gets now, in percent.
    pub weight: u32,
    /// Share of the traffic it is to get, in percent.
    pub desired_weight: u32,
    /// Whether it only gets a copy of the traffic.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// The revision that is desired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Name of the first node of its graph.
    pub node: String,
    /// Model server.
    #[schema(example = "SKLEARN_SERVER")]
    pub implementation: String,
    /// Where its model is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_uri: Option<String>,
    /// Digest of the files that were read from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The nodes of its graph below the first, each before those below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeSummary>,
}

/// A node of a predictor's graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeSummary {
    /// Name.
    pub name: String,
    /// How many nodes are above it.
    pub depth: u32,
    /// What it does with a request.
    #[serde(rename = "type")]
    #[schema(example = "MODEL")]
    pub kind: String,
    /// Model server, or what is built in.
    #[schema(example = "SKLEARN_SERVER")]
    pub implementation: String,
    /// Where its model is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_uri: Option<String>,
    /// Digest of the files that were read from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// A deployment with its manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentDetail {
    /// What a list tells.
    #[serde(flatten)]
    pub summary: DeploymentSummary,
    /// The manifest as it was applied.
    #[schema(value_type = Object)]
    pub manifest: Value,
    /// The manifest as it was applied, as YAML.
    pub manifest_yaml: String,
    /// Fields that do not do what their author may expect.
    pub warnings: Vec<Warning>,
    /// Version of the store: see `afterVersion`.
    pub version: u64,
}

/// Parameters of a read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetParameters {
    /// Answer once anything changed after this version, or after 25 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_version: Option<u64>,
}

/// Parameters of a delete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteParameters {
    /// Only if it is at this generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Why, for the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The changes of a deployment, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// The changes.
    pub items: Vec<ChangeSummary>,
}

/// One change of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeSummary {
    /// The generation it made.
    pub generation: u64,
    /// When (RFC 3339).
    pub time: String,
    /// Who.
    pub author: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The manifest after it, as YAML; none where it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest_yaml: Option<String>,
}

/// Which traffic to tell of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrafficParameters {
    /// How far back, in seconds (at most 3600; 900 without).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// Recent traffic: one series for each predictor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// Length of an interval, in seconds.
    pub interval: f64,
    /// The series, by predictor; an empty name is for requests that reached none.
    pub series: Vec<TrafficSeries>,
}

/// Traffic of a predictor; all lists are of one length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrafficSeries {
    /// The predictor.
    pub predictor: String,
    /// End of each interval, in seconds since 1970 UTC.
    pub time: Vec<f64>,
    /// Requests a second.
    pub rate: Vec<f64>,
    /// Of these, answered with a status of 400 to 499, a second.
    pub client_errors: Vec<f64>,
    /// Of these, answered with a status of 500 or more, a second.
    pub server_errors: Vec<f64>,
    /// Median latency in milliseconds; null without requests.
    pub p50: Vec<Option<f64>>,
    /// 95th percentile likewise.
    pub p95: Vec<Option<f64>>,
    /// 99th percentile likewise.
    pub p99: Vec<Option<f64>>,
}

/// Namespaces that deployments can be in: on a cluster all of it, else those that have some, and `default`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Namespaces {
    /// The namespaces, by name.
    pub items: Vec<NamespaceSummary>,
}

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSummary {
    /// Its name.
    pub name: String,
    /// How many deployments it has.
    pub deployments: usize,
}
