//! What runs a deployment, as a person sees it: instances, their logs, events, and what they use. Only an
//! engine whose instances are not this process has any.

use async_trait::async_trait;

use crate::{DeploymentId, plan::Timestamp};

/// One of the equal servers that run a predictor; on Kubernetes, a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// The predictor it runs, where that is known.
    pub predictor: Option<String>,
    /// How it does.
    pub state: InstanceState,
    /// Why it does not serve, for a person.
    pub reason: Option<String>,
    /// The machine it runs on, once one was found.
    pub node: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Its containers, those that run before the others first.
    pub containers: Vec<Container>,
}

/// How an instance does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Whether it runs before the others, and ends.
    pub is_initial: bool,
    /// Whether it is ready; of one that runs before the others, whether it ended well.
    pub is_ready: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// Why it waits or ended, for a person.
    pub reason: Option<String>,
}

/// Something that happened to a deployment or to what runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it last happened.
    pub time: Timestamp,
    /// How often it happened.
    pub count: u32,
    /// Whether something is wrong.
    pub is_warning: bool,
    /// Its kind, in one word.
    pub reason: String,
    /// What happened, for a person.
    pub message: String,
    /// What it happened to, as `Pod/iris-main-0`.
    pub object: String,
}

/// Which lines of a log are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinesQuery {
    /// The instance.
    pub instance: String,
    /// Its container; the one that serves, without.
    pub container: Option<String>,
    /// Of the container that ran before this one.
    pub previous: bool,
    /// At most so many of the last lines, before those that follow.
    pub tail: u32,
    /// Those of the last so many seconds.
    pub since_seconds: Option<u32>,
    /// Whether to wait for more.
    pub follow: bool,
}

/// Lines of a log, as they come.
#[async_trait]
pub trait Lines: Send {
    /// The next line, without its end, begun by its time (RFC 3339); `None` when there is no more.
    async fn next(&mut self) -> Option<Result<String, WorkloadError>>;
}

/// Why something cannot be told of instances.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// What was asked for is not there. The text is for the user.
    #[error("{0}")]
    NotFound(String),
    /// The engine refuses. The text is for the user.
    #[error("{0}")]
    Refused(String),
    /// The engine does not answer.
    #[error("cannot {operation}")]
    Backend {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Instances of deployments, and what happens to them.
#[async_trait]
pub trait WorkloadView: Send + Sync {
    /// The instances of a deployment, by predictor and name.
    async fn instances(&self, id: &DeploymentId) -> Result<Vec<Instance>, WorkloadError>;

    /// What happened to a deployment and its instances, latest first.
    async fn events(&self, id: &DeploymentId) -> Result<Vec<Event>, WorkloadError>;

    /// Lines that a container of the deployment wrote.
    async fn lines(&self, id: &DeploymentId, query: LinesQuery) -> Result<Box<dyn Lines>, WorkloadError>;

    /// What a deployment used since then, oldest first.
    fn usage(&self, id: &DeploymentId, since: Timestamp) -> Vec<UsagePoint>;
}

/// What the instances of a predictor used in one interval, together.
#[derive(Debug, Clone, PartialEq)]
pub struct UsagePoint {
    /// End of the interval.
    pub time: Timestamp,
    /// The predictor.
    pub predictor: String,
    /// Instances that are there.
    pub instances: u32,
    /// Those of them that serve.
    pub ready: u32,
    /// Processors that were busy, on average; `None` where no instance told.
    pub cpu: Option<f64>,
    /// Memory in bytes; `None` likewise.
    pub memory: Option<u64>,
}
