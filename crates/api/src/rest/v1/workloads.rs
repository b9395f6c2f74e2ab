//! What runs a deployment: instances, their logs, events, and what they use.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The instances of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Instances {
    /// The instances, by predictor and name.
    pub items: Vec<InstanceSummary>,
}

/// One of the equal servers that run a predictor; on Kubernetes, a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceSummary {
    /// Name.
    #[schema(example = "iris-main-0-classifier-6d4cf56db6-x2x7k")]
    pub name: String,
    /// The predictor it runs, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predictor: Option<String>,
    /// How it does.
    pub state: InstanceState,
    /// Why it does not serve, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The machine it runs on, once one was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// When it was made (RFC 3339).
    pub created: String,
    /// How often its containers were started again.
    pub restarts: u32,
    /// Its containers, those that run before the others first.
    pub containers: Vec<ContainerSummary>,
}

/// State of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum InstanceState {
    /// Waits for a machine, an image, or a container that comes first.
    Pending,
    /// Runs, and does not serve yet.
    Starting,
    /// Serves.
    Ready,
    /// Cannot start, or ended.
    Failed,
    /// Is being stopped.
    Stopping,
}

/// A container of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerSummary {
    /// Name.
    pub name: String,
    /// Image.
    pub image: String,
    /// Whether it runs before the others, and ends.
    pub initial: bool,
    /// Whether it is ready; of one that runs before the others, whether it ended well.
    pub ready: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// Why it waits or ended, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What happened to a deployment and its instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Events {
    /// The events, latest first.
    pub items: Vec<EventSummary>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventSummary {
    /// When it last happened (RFC 3339).
    pub time: String,
    /// How often it happened.
    pub count: u32,
    /// Whether something is wrong.
    pub warning: bool,
    /// Its kind, in one word.
    #[schema(example = "FailedScheduling")]
    pub reason: String,
    /// What happened.
    pub message: String,
    /// What it happened to.
    #[schema(example = "Pod/iris-main-0-classifier-6d4cf56db6-x2x7k")]
    pub object: String,
}

/// Which lines of a container's log to answer with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinesParameters {
    /// The container; the one that serves, without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// At most so many of the last lines (at most 10000; 500 without).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<u32>,
    /// Those of the last so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_seconds: Option<u32>,
    /// Of the container that ran before this one, to see why it ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub previous: bool,
    /// Go on with lines as they are written, until the caller goes or the container ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
}

/// How far back to tell of what was used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UsageParameters {
    /// How far back, in seconds (at most 3600; 900 without).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// What the instances of a deployment use: one series for each predictor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// The series, by predictor.
    pub series: Vec<UsageSeries>,
}

/// What the instances of a predictor use together; all lists are of one length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageSeries {
    /// The predictor.
    pub predictor: String,
    /// End of each interval, in seconds since 1970 UTC.
    pub time: Vec<f64>,
    /// Instances that are there.
    pub instances: Vec<u32>,
    /// Those of them that serve.
    pub ready: Vec<u32>,
    /// Processors that were busy, on average; null where no instance told.
    pub cpu: Vec<Option<f64>>,
    /// Memory in bytes; null likewise.
    pub memory: Vec<Option<f64>>,
}
