//! Which model URIs are being read, and what came of it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use provost_domain::{
    DeploymentId, Digest,
    plan::Timestamp,
    port::{
        artifacts::{ArtifactStore, Source},
        clock::Clock,
        deployments::{ResolvedArtifact, StoredDeployment},
    },
};
use tokio::sync::mpsc;

use super::after;

/// First pause before a URI that could not be read is read again; it doubles each time.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A deployment one of whose URIs was read, or not.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) id: DeploymentId,
    pub(super) generation: u64,
}

/// The URIs of one deployment at one generation.
#[derive(Debug, Default)]
struct Generation {
    generation: u64,
    uris: HashMap<String, Fetch>,
}

#[derive(Debug)]
enum Fetch {
    Running { failures: u32, last: Option<String> },
    Done(Digest),
    Failed { reason: String, failures: u32, retry_at: Timestamp },
}

struct Answer {
    id: DeploymentId,
    generation: u64,
    uri: String,
    result: Result<Digest, String>,
}

pub(super) struct Fetches {
    artifacts: Arc<dyn ArtifactStore>,
    clock: Arc<dyn Clock>,
    deployments: HashMap<DeploymentId, Generation>,
    answers: mpsc::UnboundedSender<Answer>,
    answered: mpsc::UnboundedReceiver<Answer>,
}

impl Fetches {
    pub(super) fn new(artifacts: Arc<dyn ArtifactStore>, clock: Arc<dyn Clock>) -> Self {
        let (answers, answered) = mpsc::unbounded_channel();
        Self { artifacts, clock, deployments: HashMap::new(), answers, answered }
    }

    /// Waits until a URI was read, or not.
    pub(super) async fn next(&mut self) -> Fetched {
        loop {
            let Some(Answer { id, generation, uri, result }) = self.answered.recv().await else {
                // This struct holds a sender.
                std::future::pending().await
            };
            let now = self.clock.now();
            let current = self.deployments.get_mut(&id).filter(|current| current.generation == generation);
            let Some(fetch) = current.and_then(|current| current.uris.get_mut(&uri)) else { continue };
            let failures = if let Fetch::Running { failures, .. } = fetch { *failures + 1 } else { 1 };
            *fetch = match result {
                Ok(digest) => Fetch::Done(digest),
                Err(reason) => {
                    let pause = PAUSE_MIN.saturating_mul(1 << failures.min(10)).min(PAUSE_MAX);
                    Fetch::Failed { reason, failures, retry_at: after(now, pause) }
                }
            };
            return Fetched { id, generation };
        }
    }

    /// What each URI stands for: its digest, why it cannot be had, or nothing yet. Starts to read those
    /// that were not read for this generation, and those whose next attempt is due.
    pub(super) fn resolve(
        &mut self,
        stored: &StoredDeployment,
        uris: &BTreeMap<&str, Option<&str>>,
    ) -> HashMap<String, Result<Digest, Option<String>>> {
        let now = self.clock.now();
        let current = self.deployments.entry(stored.id.clone()).or_default();
        if current.generation != stored.generation {
            let known = stored.artifacts.iter().map(|known| (known.uri.clone(), Fetch::Done(known.digest.clone())));
            *current = Generation { generation: stored.generation, uris: known.collect() };
        }
        for (uri, secret) in uris {
            let (failures, last) = match current.uris.get(*uri) {
                None => (0, None),
                Some(Fetch::Failed { retry_at, failures, reason }) if *retry_at <= now => {
                    (*failures, Some(reason.clone()))
                }
                Some(_) => continue,
            };
            current.uris.insert((*uri).to_owned(), Fetch::Running { failures, last });
            let source = Source {
                uri: (*uri).to_owned(),
                namespace: stored.id.namespace.clone(),
                secret: secret.map(str::to_owned),
            };
            start(&self.artifacts, &self.answers, stored, source);
        }
        uris.keys().map(|uri| ((*uri).to_owned(), outcome(current.uris.get(*uri)))).collect()
    }

    /// The artifacts of a generation that were read so far.
    pub(super) fn known(&self, id: &DeploymentId, generation: u64) -> Vec<ResolvedArtifact> {
        let current = self.deployments.get(id).filter(|current| current.generation == generation);
        let artifact = |(uri, fetch): (&String, &Fetch)| match fetch {
            Fetch::Done(digest) => Some(ResolvedArtifact { uri: uri.clone(), digest: digest.clone() }),
            Fetch::Running { .. } | Fetch::Failed { .. } => None,
        };
        let mut artifacts: Vec<_> =
            current.into_iter().flat_map(|current| &current.uris).filter_map(artifact).collect();
        artifacts.sort_by(|a: &ResolvedArtifact, b| a.uri.cmp(&b.uri));
        artifacts
    }

    /// When the next attempt for a deployment is due.
    pub(super) fn retry_at(&self, id: &DeploymentId) -> Option<Timestamp> {
        let due = |fetch: &Fetch| match fetch {
            Fetch::Failed { retry_at, .. } => Some(*retry_at),
            Fetch::Running { .. } | Fetch::Done(_) => None,
        };
        self.deployments.get(id)?.uris.values().filter_map(due).min()
    }

    pub(super) fn forget(&mut self, id: &DeploymentId) {
        self.deployments.remove(id);
    }
}

fn outcome(fetch: Option<&Fetch>) -> Result<Digest, Option<String>> {
    match fetch {
        Some(Fetch::Done(digest)) => Ok(digest.clone()),
        // While it is read again, the reason of the failure before stays.
        Some(Fetch::Running { last: Some(reason), .. } | Fetch::Failed { reason, .. }) => Err(Some(reason.clone())),
        Some(Fetch::Running { last: None, .. }) | None => Err(None),
    }
}

fn start(
    artifacts: &Arc<dyn ArtifactStore>,
    answers: &mpsc::UnboundedSender<Answer>,
    stored: &StoredDeployment,
    source: Source,
) {
    let (artifacts, answers) = (Arc::clone(artifacts), answers.clone());
    let (id, generation) = (stored.id.clone(), stored.generation);
    tokio::spawn(async move {
        let result = artifacts.fetch(&source).await.map_err(|error| error.to_string());
        // The reconciler may have gone.
        let _gone = answers.send(Answer { id, generation, uri: source.uri, result });
    });
}

impl std::fmt::Debug for Fetches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetches").field("deployments", &self.deployments).finish_non_exhaustive()
    }
}
