//! Use cases: what a user can ask for, whatever the door.

mod apply;
mod changes;
mod deployments;
mod feedback;
mod requests;
mod time;
mod workloads;

use std::{fmt, sync::Arc, time::Duration};

use provost_api::{
    problem::Problem,
    rest::v1::status::{EngineName, ModelServerSummary, ServerStatus},
};
use provost_domain::{
    Engine, ErrorCode, Namespace, ServerCatalog,
    plan::{State, Timestamp},
    port::{
        clock::Clock,
        deployments::{DeploymentRepository, StoreError, StoredDeployment},
        servers::Servers,
        traffic::TrafficView,
        workloads::WorkloadView,
    },
};
use provost_inference::record::LogReader;

use crate::reconcile::with_causes;

pub use apply::ApplyRequest;
pub(crate) use deployments::deployment_id;
pub(crate) use time::format_time;

/// How long a read waits for a change before it answers with what is.
const WAIT: Duration = Duration::from_secs(25);

/// Figures of the server that only its other parts know.
pub trait ServerView: Send + Sync {
    /// Requests being answered now.
    fn in_flight(&self) -> usize;
    /// Records the request log could not keep since the start.
    fn lost_records(&self) -> u64;
}

/// The use cases, over the ports they need.
#[derive(Clone)]
pub struct App {
    pub(crate) repository: Arc<dyn DeploymentRepository>,
    pub(crate) log: Option<Arc<dyn LogReader>>,
    pub(crate) traffic: Arc<dyn TrafficView>,
    pub(crate) workloads: Option<Arc<dyn WorkloadView>>,
    pub(crate) server: Arc<dyn ServerView>,
    pub(crate) clock: Arc<dyn Clock>,
    servers: Arc<dyn Servers>,
    pub(crate) engine: Engine,
    pub(crate) started: Timestamp,
}

/// What [`App::new`] needs.
#[allow(missing_debug_implementations, reason = "ports have none")]
pub struct Parts {
    /// Where deployments are stored.
    pub repository: Arc<dyn DeploymentRepository>,
    /// The request log, where there is one.
    pub log: Option<Arc<dyn LogReader>>,
    /// Recent traffic.
    pub traffic: Arc<dyn TrafficView>,
    /// Instances of deployments, where they are not this process.
    pub workloads: Option<Arc<dyn WorkloadView>>,
    /// Figures of the server.
    pub server: Arc<dyn ServerView>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The model servers by name.
    pub servers: Arc<dyn Servers>,
    /// What runs deployments.
    pub engine: Engine,
}

impl App {
    /// The use cases over these ports.
    pub fn new(parts: Parts) -> Self {
        let Parts { repository, log, traffic, workloads, server, clock, servers, engine } = parts;
        let started = clock.now();
        Self { repository, log, traffic, workloads, server, clock, servers, engine, started }
    }

    /// What the server is and how it does.
    pub async fn status(&self) -> Result<ServerStatus, Problem> {
        let stored = self.repository.list(None).await.map_err(problem)?;
        let is_available = |state: Option<State>| state == Some(State::Available);
        let available = stored.iter().filter(|stored| is_available(stored.report.as_ref().map(|report| report.state)));
        let catalog = self.catalog();
        let model_servers = catalog.iter().map(|server| ModelServerSummary {
            name: server.implementation.clone(),
            description: server.title.clone(),
            is_supported: server.is_run_by(self.engine),
        });
        Ok(ServerStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: format_time(self.started),
            available: available.count(),
            deployments: stored.len(),
            in_flight: self.server.in_flight(),
            lost_records: self.server.lost_records(),
            model_servers: model_servers.collect(),
            engine: engine_name(self.engine),
            has_request_log: self.log.is_some(),
        })
    }

    /// The model servers that deployments may name now.
    pub(crate) fn catalog(&self) -> Arc<ServerCatalog> {
        self.servers.catalog()
    }

    /// What is stored once anything changed after `version`, or after a while; and the version then.
    pub(crate) async fn stored_after(
        &self,
        version: Option<u64>,
        namespace: Option<&Namespace>,
    ) -> Result<(Vec<StoredDeployment>, u64), Problem> {
        let version = self.wait_for_change(version).await;
        Ok((self.repository.list(namespace).await.map_err(problem)?, version))
    }

    /// Waits for a change after `version`, or for a while; tells the version then.
    async fn wait_for_change(&self, version: Option<u64>) -> u64 {
        match version {
            Some(version) => match tokio::time::timeout(WAIT, self.repository.changed(version)).await {
                Ok(changed) => changed,
                Err(_elapsed) => version,
            },
            None => self.repository.changed(0).await,
        }
    }
}

fn engine_name(engine: Engine) -> EngineName {
    match engine {
        Engine::Process => EngineName::Process,
        Engine::Kubernetes => EngineName::Kubernetes,
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

/// What a caller is told of a store's failure; the causes go to the log.
fn problem(error: StoreError) -> Problem {
    match error {
        StoreError::Conflict { .. } => {
            Problem::new(ErrorCode::Conflict, format!("{error}; read it again and decide anew"))
        }
        StoreError::NotFound(_) => Problem::new(ErrorCode::NotFound, error.to_string()),
        StoreError::Refused { code, .. } => Problem::new(code, error.to_string()),
        StoreError::Backend { .. } => {
            tracing::error!(error = %with_causes(&error), "the metadata store failed");
            Problem::new(ErrorCode::Internal, format!("{error}: see the server's log"))
        }
    }
}
