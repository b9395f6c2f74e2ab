//! Brings deployments to their desired state: fetches their models, plans, and has the plan executed.
//!
//! Decisions are those of [`provost_domain::plan`]; this loop only observes, waits and remembers which
//! model is being fetched.

mod fetches;
mod restore;
mod services;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use provost_api::manifest::{ManifestDocument, parse_deployment};
use provost_domain::{
    Deployment, DeploymentId, Digest, Engine, Namespace, Predictor, RevisionId, ServerCatalog,
    deployment::Protocol,
    plan::{Desired, DesiredPredictor, Observed, Report, Resolution, State, Step, Timestamp, plan},
    port::{
        artifacts::ArtifactStore,
        clock::Clock,
        deployer::{Deployer, Subject},
        deployments::{DeploymentJournal, StoreError, StoredDeployment},
    },
};
use serde_json::Value;

use fetches::{Fetched, Fetches};
use restore::Restored;

/// Plans executed for a deployment before others get their turn. Each follows what the one before did.
const PLANS_MAX: usize = 8;
/// Pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What the reconciler works with.
#[derive(Clone)]
pub struct Ports {
    /// Where deployments are stored.
    pub repository: Arc<dyn DeploymentJournal>,
    /// Where model files are kept.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// What makes plans real.
    pub deployer: Arc<dyn Deployer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The model servers by name.
    pub catalog: Arc<ServerCatalog>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// Keeps deployments as they are desired. Runs until it is dropped.
#[derive(Debug)]
pub struct Reconciler {
    ports: Ports,
    fetches: Fetches,
    known: HashMap<DeploymentId, Known>,
    wake: HashMap<DeploymentId, Timestamp>,
    settled: Arc<AtomicBool>,
}

/// What is remembered of a deployment between plans.
#[derive(Debug, Default)]
struct Known {
    generation: u64,
    deployment: Option<Deployment>,
    reported: Option<Report>,
    /// Whether what served before the server stopped is still being brought back.
    is_restoring: bool,
}

impl Known {
    fn is_settled(&self) -> bool {
        self.reported.as_ref().is_some_and(|reported| reported.state != State::Creating)
    }
}

impl Reconciler {
    /// A reconciler that has seen nothing yet. It sets `settled` once every deployment that was stored
    /// when it started serves or has failed.
    pub fn new(ports: Ports, settled: Arc<AtomicBool>) -> Self {
        let fetches = Fetches::new(Arc::clone(&ports.artifacts), Arc::clone(&ports.clock));
        Self { ports, fetches, known: HashMap::new(), wake: HashMap::new(), settled }
    }

    /// Reconciles whatever changes, for ever.
    pub async fn run(mut self) {
        self.remove_unused_artifacts().await;
        let mut version = 0;
        loop {
            let due = self.next_due(&mut version).await;
            for id in due {
                if let Err(error) = self.reconcile(&id).await {
                    tracing::error!(deployment = %id, error = %with_causes(&error), "cannot reconcile");
                    self.wake.insert(id, after(self.ports.clock.now(), STORE_PAUSE));
                }
            }
            if version > 0 && self.known.values().all(Known::is_settled) {
                self.settled.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Forgets the artifacts that no deployment needs. Done before any is fetched, so that none is taken
    /// away that is about to be needed.
    async fn remove_unused_artifacts(&self) {
        match self.ports.repository.list(None).await {
            Ok(stored) => {
                let used: Vec<Digest> = stored.iter().flat_map(StoredDeployment::digests).cloned().collect();
                self.ports.artifacts.remove_unused(&used).await;
            }
            Err(error) => tracing::error!(error = %with_causes(&error), "cannot list the deployments"),
        }
    }

    /// Waits for a reason to plan, and tells for which deployments.
    async fn next_due(&mut self, version: &mut u64) -> BTreeSet<DeploymentId> {
        let now = self.ports.clock.now();
        let next = self.wake.values().min().map(|at| at.as_millis().saturating_sub(now.as_millis()));
        let timer = async {
            match next {
                Some(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = self.ports.repository.changed(*version) => {
                *version = changed;
                self.changed_deployments().await
            }
            id = self.ports.deployer.changed() => BTreeSet::from([id]),
            fetched = self.fetches.next() => self.note_fetched(fetched).await,
            () = timer => self.take_woken(),
        }
    }

    /// The deployments whose generation is not the one that was last reconciled, deleted ones included.
    async fn changed_deployments(&mut self) -> BTreeSet<DeploymentId> {
        let stored = match self.ports.repository.list(None).await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::error!(error = %with_causes(&error), "cannot list the deployments");
                tokio::time::sleep(STORE_PAUSE).await;
                return BTreeSet::new();
            }
        };
        let generations: HashMap<_, _> = stored.iter().map(|stored| (&stored.id, stored.generation)).collect();
        let gone = self.known.keys().filter(|id| !generations.contains_key(id));
        let is_new =
            |id: &DeploymentId, generation| self.known.get(id).is_none_or(|known| known.generation != generation);
        let changed = generations.iter().filter(|(id, generation)| is_new(id, **generation)).map(|(id, _)| *id);
        gone.chain(changed).chain(self.service_graphs()).cloned().collect()
    }

    /// Keeps what a model URI was resolved to.
    async fn note_fetched(&mut self, fetched: Fetched) -> BTreeSet<DeploymentId> {
        let Fetched { id, generation } = fetched;
        let artifacts = self.fetches.known(&id, generation);
        if let Err(error) = self.ports.repository.set_artifacts(&id, generation, artifacts).await {
            tracing::error!(deployment = %id, error = %with_causes(&error), "cannot keep the artifacts of a deployment");
        }
        BTreeSet::from([id])
    }

    fn take_woken(&mut self) -> BTreeSet<DeploymentId> {
        let now = self.ports.clock.now();
        self.wake.extract_if(|_, at| *at <= now).map(|(id, _)| id).collect()
    }

    /// Plans for one deployment and has its steps executed, until nothing is left to do or there is
    /// something to wait for.
    async fn reconcile(&mut self, id: &DeploymentId) -> Result<(), StoreError> {
        self.wake.remove(id);
        let stored = self.ports.repository.get(id).await?;
        let Some(stored) = stored else { return self.reconcile_deleted(id).await };
        if self.restore(&stored).await == Restored::NotYet {
            return Ok(());
        }
        let deployment = match self.parse(&stored) {
            Ok(deployment) => deployment,
            Err(report) => return self.keep_report(id, report).await,
        };
        let held_back = self.await_services(&deployment).await?;
        for _ in 0..PLANS_MAX {
            let mut desired = self.desired(&stored, &deployment);
            if let Some(by) = &held_back {
                desired = services::held_back(desired, by);
            }
            let artifacts = self.fetches.known(id, stored.generation);
            let subject = Subject { id, deployment: Some(&deployment), artifacts: &artifacts };
            if self.step(subject, &desired).await? {
                break;
            }
        }
        Ok(())
    }

    async fn reconcile_deleted(&mut self, id: &DeploymentId) -> Result<(), StoreError> {
        self.fetches.forget(id);
        for _ in 0..PLANS_MAX {
            let subject = Subject { id, deployment: None, artifacts: &[] };
            if self.step(subject, &Desired::default()).await? {
                break;
            }
        }
        self.ports.deployer.forget(id).await;
        self.known.remove(id);
        Ok(())
    }

    /// Executes one plan; whether it had no steps left.
    async fn step(&mut self, subject: Subject<'_>, desired: &Desired) -> Result<bool, StoreError> {
        let (revisions, routes) = self.ports.deployer.observe(subject.id).await;
        let reported = self.known.get(subject.id).and_then(|known| known.reported.clone());
        let plan = plan(desired, &Observed { revisions, routes, reported }, self.ports.clock.now());
        for step in &plan.steps {
            self.ports.deployer.execute(subject, step).await;
            if let Step::Report(report) = step {
                self.keep_report(subject.id, report.clone()).await?;
            }
        }
        let wake = plan.wake_at.into_iter().chain(self.fetches.retry_at(subject.id)).min();
        if let Some(at) = wake {
            self.wake.insert(subject.id.clone(), at);
        }
        Ok(plan.steps.is_empty())
    }

    async fn keep_report(&mut self, id: &DeploymentId, report: Report) -> Result<(), StoreError> {
        match report.state {
            State::Failed => tracing::warn!(deployment = %id, reason = report.description, "deployment failed"),
            State::Available => {
                tracing::info!(deployment = %id, generation = report.generation, "deployment available");
            }
            State::Creating => tracing::debug!(deployment = %id, reason = report.description, "deployment creating"),
        }
        self.ports.repository.set_report(id, report.clone()).await?;
        if let Some(known) = self.known.get_mut(id) {
            known.reported = Some(report);
        }
        Ok(())
    }

    /// The deployment of a stored document, read once for each generation.
    fn parse(&mut self, stored: &StoredDeployment) -> Result<Deployment, Report> {
        let known = self.known.entry(stored.id.clone()).or_default();
        if known.generation == stored.generation
            && let Some(deployment) = &known.deployment
        {
            return Ok(deployment.clone());
        }
        known.generation = stored.generation;
        known.deployment = None;
        let deployment = parse_stored(stored, &self.ports.catalog, Engine::Process).map_err(|reason| Report {
            state: State::Failed,
            description: format!("this version of provost does not accept the stored manifest: {reason}"),
            predictors: Vec::new(),
            generation: stored.generation,
        })?;
        known.deployment = Some(deployment.clone());
        Ok(deployment)
    }

    fn desired(&mut self, stored: &StoredDeployment, deployment: &Deployment) -> Desired {
        let resolution = self.fetches.resolve(stored, &sources(deployment));
        desired(stored.generation, deployment, &resolution)
    }
}

/// What a generation of a deployment desires, once its URIs were resolved so.
fn desired(
    generation: u64,
    deployment: &Deployment,
    resolution: &HashMap<String, Result<Digest, Option<String>>>,
) -> Desired {
    let predictors = deployment.predictors.iter().zip(deployment.weights());
    let desired = |(predictor, weight): (&Predictor, u32)| DesiredPredictor {
        name: predictor.name.clone(),
        weight,
        revision: revision(predictor, deployment.protocol, resolution),
        before: predictor.before().map(str::to_owned),
    };
    Desired { generation, predictors: predictors.map(desired).collect() }
}

/// Reads a stored document as it was read when it was applied.
pub(crate) fn parse_stored(
    stored: &StoredDeployment,
    catalog: &ServerCatalog,
    engine: Engine,
) -> Result<Deployment, String> {
    parse_document(&stored.document, &stored.id.namespace, catalog, engine)
}

fn parse_document(
    document: &Value,
    namespace: &Namespace,
    catalog: &ServerCatalog,
    engine: Engine,
) -> Result<Deployment, String> {
    let document = ManifestDocument::from_json("metadata", document.clone()).map_err(|error| error.message)?;
    let parsed = parse_deployment(&document, namespace, catalog, engine);
    parsed.map(|(deployment, _)| deployment).map_err(|violations| {
        let shown = violations.iter().map(|violation| format!("{}: {}", violation.path, violation.message));
        shown.collect::<Vec<_>>().join("; ")
    })
}

/// The model URIs of a deployment, each with the secret that its node names.
fn sources(deployment: &Deployment) -> BTreeMap<&str, Option<&str>> {
    let nodes = deployment.predictors.iter().flat_map(|predictor| predictor.graph.nodes());
    nodes.filter_map(|node| Some((node.model_uri.as_deref()?, node.env_secret_ref_name.as_deref()))).collect()
}

fn uris(predictor: &Predictor) -> Vec<&str> {
    predictor.graph.nodes().into_iter().filter_map(|node| node.model_uri.as_deref()).collect()
}

/// The revision of a predictor whose URIs were resolved so.
fn revision(
    predictor: &Predictor,
    protocol: Protocol,
    resolution: &HashMap<String, Result<Digest, Option<String>>>,
) -> Resolution {
    let mut digests = Vec::new();
    for uri in uris(predictor) {
        match resolution.get(uri) {
            Some(Ok(digest)) => digests.push(digest.clone()),
            Some(Err(Some(reason))) => return Resolution::Failed { reason: reason.clone() },
            Some(Err(None)) | None => return Resolution::Pending,
        }
    }
    Resolution::Resolved(RevisionId::of(&predictor.serving_specification(protocol), &digests))
}

fn after(now: Timestamp, pause: Duration) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_add(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)))
}

/// An error with its causes, on one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
