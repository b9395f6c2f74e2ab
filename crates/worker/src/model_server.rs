//! The model server of this process.

use std::{
    collections::HashMap,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use provost_domain::{
    DeploymentId, Digest, RevisionId,
    graph::Node,
    plan::{ObservedRevision, Readiness, Timestamp},
    port::{
        clock::Clock,
        model_host::{HostedPredictor, ModelHost},
    },
};
use provost_inference::{ArtifactFiles, Predict, PredictorTable, RevisionKey};
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};

use crate::load::{Failure, load_node};

/// Models that are read at a time: reading one may take several times its size in memory.
const LOADING_MAX: usize = 2;
/// First pause before a model that could not be read is read again; it doubles each time.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Pause before a program that cannot be called yet is asked again.
const CHECK_EVERY: Duration = Duration::from_millis(500);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Opens artifacts that are kept by digest.
pub trait ArtifactReader: Send + Sync {
    /// The files of the artifact.
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn ArtifactFiles + Send>>;
}

/// Asks programs of users, which are servers of their own, whether they can be called.
#[async_trait]
pub trait ServerCheck: Send + Sync + fmt::Debug {
    /// Asks the one at `authority`, which is `host:port`, over HTTP or gRPC. The error tells a person why it cannot be called yet.
    async fn check(&self, authority: &str, is_grpc: bool) -> Result<(), String>;
}

/// How programs of users are waited for.
#[derive(Debug)]
pub struct OwnPrograms {
    /// Asks them.
    pub check: Arc<dyn ServerCheck>,
    /// How long one may take until it counts as failed. It is waited for longer all the same, in further attempts.
    pub patience: Duration,
}

/// Loads predictors and keeps them.
#[derive(Clone)]
pub struct ModelServer(Arc<Shared>);

struct Shared {
    artifacts: Arc<dyn ArtifactReader>,
    own_programs: OwnPrograms,
    clock: Arc<dyn Clock>,
    revisions: Mutex<HashMap<RevisionKey, Revision>>,
    loading: Semaphore,
    changes: mpsc::UnboundedSender<DeploymentId>,
    changed: tokio::sync::Mutex<mpsc::UnboundedReceiver<DeploymentId>>,
}

/// The models of a graph by the names of their nodes, of those that run here.
type Models = HashMap<String, Arc<dyn Predict>>;

#[derive(Debug)]
struct Revision {
    state: State,
    /// Attempts that failed so far.
    failures: u32,
}

#[derive(Debug)]
enum State {
    Loading,
    Ready(Models),
    Failed { reason: String, retry_at: Option<Timestamp> },
}

impl ModelServer {
    /// A server without models.
    pub fn new(artifacts: Arc<dyn ArtifactReader>, own_programs: OwnPrograms, clock: Arc<dyn Clock>) -> Self {
        let (changes, changed) = mpsc::unbounded_channel();
        Self(Arc::new(Shared {
            artifacts,
            own_programs,
            clock,
            revisions: Mutex::default(),
            loading: Semaphore::new(LOADING_MAX),
            changes,
            changed: tokio::sync::Mutex::new(changed),
        }))
    }

    fn with_revisions<T>(&self, read: impl FnOnce(&mut HashMap<RevisionKey, Revision>) -> T) -> T {
        read(&mut self.0.revisions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that the revision is being loaded, unless it is there already.
    fn begin(&self, key: &RevisionKey) -> bool {
        self.with_revisions(|revisions| match revisions.get_mut(key) {
            None => {
                revisions.insert(key.clone(), Revision { state: State::Loading, failures: 0 });
                true
            }
            Some(revision @ Revision { state: State::Failed { .. }, .. }) => {
                revision.state = State::Loading;
                true
            }
            Some(_) => false,
        })
    }

    async fn load(&self, key: &RevisionKey, hosted: HostedPredictor) {
        for node in hosted.graph.nodes().into_iter().filter(|node| node.is_own_program()) {
            if let Err(failure) = self.reach(key, node).await {
                return self.finish(key, Err(failure));
            }
        }
        let loaded = match self.0.loading.acquire().await {
            Ok(_permit) => {
                let artifacts = Arc::clone(&self.0.artifacts);
                let loading = tokio::task::spawn_blocking(move || load_models(&*artifacts, &hosted));
                loading.await.unwrap_or_else(|error| {
                    tracing::error!(?key, %error, "loading a model panicked");
                    let reason = "reading the model failed inside provost: please report it".to_owned();
                    Err(Failure { reason, may_pass: false })
                })
            }
            // The semaphore is never closed.
            Err(_closed) => return,
        };
        self.finish(key, loaded);
    }

    /// Waits until the program of a node can be called, as long as patience lasts and somebody wants it.
    async fn reach(&self, key: &RevisionKey, node: &Node) -> Result<(), Failure> {
        let Some(authority) = node.authority() else {
            let reason = format!("node `{}` has no `implementation`, and no `endpoint` that is an address", node.name);
            return Err(Failure { reason, may_pass: false });
        };
        let OwnPrograms { check, patience } = &self.0.own_programs;
        let began = Instant::now();
        loop {
            let Err(reason) = check.check(&authority, node.is_grpc()).await else { return Ok(()) };
            let is_wanted = self.with_revisions(|revisions| revisions.contains_key(key));
            if !is_wanted || began.elapsed() >= *patience {
                let reason = format!("node `{}` at {authority} {reason}", node.name);
                return Err(Failure { reason, may_pass: true });
            }
            tokio::time::sleep(CHECK_EVERY).await;
        }
    }

    fn finish(&self, key: &RevisionKey, loaded: Result<Models, Failure>) {
        let now = self.0.clock.now();
        self.with_revisions(|revisions| {
            // A revision that was retired meanwhile is not kept.
            let Some(revision) = revisions.get_mut(key) else { return };
            revision.state = match loaded {
                Ok(models) => State::Ready(models),
                Err(failure) => {
                    let pause = PAUSE_MIN.saturating_mul(1 << revision.failures.min(10)).min(PAUSE_MAX);
                    revision.failures += 1;
                    let retry_at = failure.may_pass.then(|| after(now, pause));
                    tracing::warn!(
                        deployment = key.deployment,
                        predictor = key.predictor,
                        reason = failure.reason,
                        "a model cannot be loaded"
                    );
                    State::Failed { reason: failure.reason, retry_at }
                }
            };
        });
    }
}

fn after(now: Timestamp, pause: Duration) -> Timestamp {
    Timestamp::from_millis(now.as_millis() + u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}

/// Loads the models of a graph; of two nodes with the same files and parameters, one for both.
fn load_models(artifacts: &dyn ArtifactReader, hosted: &HostedPredictor) -> Result<Models, Failure> {
    let mut digests = hosted.artifacts.iter();
    let (mut models, mut loaded) = (Models::new(), Vec::<(&Digest, &Node, Arc<dyn Predict>)>::new());
    for node in hosted.graph.nodes().into_iter().filter(|node| node.implementation.is_native()) {
        let digest = digests
            .next()
            .ok_or_else(|| Failure { reason: format!("node `{}` has no model URI", node.name), may_pass: false })?;
        let is_same = |(known, of, _): &&(&Digest, &Node, _)| {
            *known == digest && (&of.implementation, &of.parameters) == (&node.implementation, &node.parameters)
        };
        let model = match loaded.iter().find(is_same) {
            Some((_, _, model)) => Arc::clone(model),
            None => load_model(artifacts, digest, node)?,
        };
        models.insert(node.name.clone(), Arc::clone(&model));
        loaded.push((digest, node, model));
    }
    Ok(models)
}

fn load_model(artifacts: &dyn ArtifactReader, digest: &Digest, node: &Node) -> Result<Arc<dyn Predict>, Failure> {
    let files = artifacts.open(digest).map_err(|error| Failure {
        reason: format!("the copy of the model's files ({digest}) cannot be read: {error}; apply the deployment again"),
        may_pass: true,
    })?;
    load_node(node, &*files)
}

fn key(deployment: &DeploymentId, predictor: &str, revision: &RevisionId) -> RevisionKey {
    RevisionKey {
        namespace: deployment.namespace.to_string(),
        deployment: deployment.name.to_string(),
        predictor: predictor.to_owned(),
        revision: revision.to_string(),
    }
}

#[async_trait]
impl ModelHost for ModelServer {
    fn ensure(&self, predictor: HostedPredictor) {
        let key = key(&predictor.deployment, &predictor.predictor, &predictor.revision);
        if !self.begin(&key) {
            return;
        }
        let server = self.clone();
        tokio::spawn(async move {
            let deployment = predictor.deployment.clone();
            server.load(&key, predictor).await;
            // The receiver lives as long as the server.
            let _sent = server.0.changes.send(deployment);
        });
    }

    fn retire(&self, deployment: &DeploymentId, predictor: &str, revision: &RevisionId) {
        self.with_revisions(|revisions| revisions.remove(&key(deployment, predictor, revision)));
    }

    fn observe(&self, deployment: &DeploymentId) -> Vec<ObservedRevision> {
        let is_of = |key: &&RevisionKey| {
            key.namespace == deployment.namespace.as_str() && key.deployment == deployment.name.as_str()
        };
        let observed = |(key, revision): (&RevisionKey, &Revision)| ObservedRevision {
            predictor: key.predictor.clone(),
            revision: RevisionId::from(key.revision.as_str()),
            readiness: match &revision.state {
                State::Loading => Readiness::Loading,
                State::Ready(_) => Readiness::Ready,
                State::Failed { reason, retry_at } => Readiness::Failed { reason: reason.clone(), retry_at: *retry_at },
            },
        };
        let mut all: Vec<_> =
            self.with_revisions(|revisions| revisions.iter().filter(|(key, _)| is_of(key)).map(observed).collect());
        all.sort_by(|a: &ObservedRevision, b| (&a.predictor, &a.revision).cmp(&(&b.predictor, &b.revision)));
        all
    }

    async fn changed(&self) -> DeploymentId {
        match self.0.changed.lock().await.recv().await {
            Some(deployment) => deployment,
            // The sender lives as long as the server.
            None => std::future::pending().await,
        }
    }
}

impl PredictorTable for ModelServer {
    fn get(&self, key: &RevisionKey, node: &str) -> Option<Arc<dyn Predict>> {
        self.with_revisions(|revisions| match &revisions.get(key)?.state {
            State::Ready(models) => models.get(node).cloned(),
            State::Loading | State::Failed { .. } => None,
        })
    }
}

impl fmt::Debug for ModelServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelServer").field("revisions", &self.0.revisions).finish_non_exhaustive()
    }
}
