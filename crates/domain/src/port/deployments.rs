//! Where deployments are stored.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    DeploymentId, Digest, ErrorCode, Namespace,
    plan::{Report, State, Timestamp},
};

/// A deployment as it is stored: the user's document as it came, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDeployment {
    /// Its name.
    pub id: DeploymentId,
    /// The manifest, as it was applied.
    pub document: Value,
    /// Counts the changes of this deployment from 1. Applying again counts, as it reads the model again.
    pub generation: u64,
    /// When it was first applied.
    pub created: Timestamp,
    /// When it was last applied.
    pub updated: Timestamp,
    /// The artifacts that the predictors of this generation were resolved to.
    pub artifacts: Vec<ResolvedArtifact>,
    /// What was last reported of it.
    pub report: Option<Report>,
    /// The generation before this one that was available, until this one is: it serves meanwhile, after a
    /// restart too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ServedGeneration>,
}

/// A generation that was available.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedGeneration {
    /// Its number.
    pub generation: u64,
    /// Its manifest.
    pub document: Value,
    /// The artifacts its predictors were resolved to.
    pub artifacts: Vec<ResolvedArtifact>,
}

impl StoredDeployment {
    /// Whether this generation was reported available.
    pub fn is_available(&self) -> bool {
        let is_it = |report: &Report| report.state == State::Available && report.generation == self.generation;
        self.report.as_ref().is_some_and(is_it)
    }

    /// The manifest of what serves: of the generation before while this one does not, if there was one.
    pub fn into_served(self) -> Value {
        self.before.map_or(self.document, |before| before.document)
    }

    /// The deployment after `document` was applied. Artifacts are resolved anew; what was reported stays
    /// until there is something else to say, and what serves is kept until this generation does.
    #[must_use]
    pub fn next(self, document: Value, now: Timestamp) -> Self {
        let before = if self.is_available() {
            let Self { generation, document, artifacts, .. } = self;
            Some(ServedGeneration { generation, document, artifacts })
        } else {
            self.before
        };
        Self {
            id: self.id,
            document,
            generation: self.generation + 1,
            created: self.created,
            updated: now,
            artifacts: Vec::new(),
            report: self.report,
            before,
        }
    }

    /// The digests it needs, those of the generation before included.
    pub fn digests(&self) -> impl Iterator<Item = &Digest> {
        let before = self.before.iter().flat_map(|before| &before.artifacts);
        self.artifacts.iter().chain(before).map(|artifact| &artifact.digest)
    }
}

/// What a model URI stood for when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedArtifact {
    /// The URI.
    pub uri: String,
    /// The digest of its files.
    pub digest: Digest,
}

/// A change a user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mutation {
    /// Stores a document.
    Put {
        /// Its name.
        id: DeploymentId,
        /// The manifest.
        document: Value,
        /// What must hold for it.
        precondition: Precondition,
    },
    /// Removes a deployment.
    Delete {
        /// Its name.
        id: DeploymentId,
        /// What must hold for it.
        precondition: Precondition,
    },
}

impl Mutation {
    /// The deployment that it changes.
    pub fn id(&self) -> &DeploymentId {
        let (Self::Put { id, .. } | Self::Delete { id, .. }) = self;
        id
    }
}

/// What must hold of the stored deployment for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    None,
    /// It does not exist.
    Absent,
    /// It is at this generation.
    Generation(u64),
}

/// Who changed something, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeNote {
    /// Who.
    pub author: String,
    /// Why, in the author's words.
    pub message: Option<String>,
    /// When.
    pub time: Timestamp,
}

/// A row of the history: what audit, git and watchers read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Place in the order of all changes.
    pub position: u64,
    /// The deployment.
    pub id: DeploymentId,
    /// The generation it made.
    pub generation: u64,
    /// The manifest after the change; `None` when it was deleted.
    pub document: Option<Value>,
    /// Who and why.
    pub note: ChangeNote,
}

/// Why the store did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A precondition did not hold. Nothing was changed.
    #[error("`{id}` has changed meanwhile: it is at generation {actual}")]
    Conflict {
        /// The deployment.
        id: DeploymentId,
        /// Its generation; 0 when it does not exist.
        actual: u64,
    },
    /// A deployment to delete does not exist. Nothing was changed.
    #[error("there is no deployment `{0}`")]
    NotFound(DeploymentId),
    /// What keeps the deployments does not take the change.
    #[error("{reason}{}", undone(done))]
    Refused {
        /// What kind of refusal it is.
        code: ErrorCode,
        /// Why. For the user.
        reason: String,
        /// What had been written by then, where not all of a change is one transaction.
        done: Vec<DeploymentId>,
    },
    /// The store itself failed.
    #[error("cannot {operation} in the metadata store")]
    Backend {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn undone(done: &[DeploymentId]) -> String {
    let names: Vec<_> = done.iter().map(ToString::to_string).collect();
    if names.is_empty() { String::new() } else { format!(" (written before that: {})", names.join(", ")) }
}

/// Stores deployments, in process or on a cluster.
#[async_trait]
pub trait DeploymentRepository: Send + Sync {
    /// The deployment of that name.
    async fn get(&self, id: &DeploymentId) -> Result<Option<StoredDeployment>, StoreError>;

    /// All deployments, or those of one namespace, in the order of their names.
    async fn list(&self, namespace: Option<&Namespace>) -> Result<Vec<StoredDeployment>, StoreError>;

    /// Makes all changes and records each, in one transaction. Answers with what stands after each; a
    /// deleted one as it stood before.
    async fn write(&self, mutations: Vec<Mutation>, note: ChangeNote) -> Result<Vec<StoredDeployment>, StoreError>;

    /// The latest changes of a deployment, newest first, at most `limit`.
    async fn history(&self, id: &DeploymentId, limit: u32) -> Result<Vec<Change>, StoreError>;

    /// The namespaces in which deployments can be, as far as that is known; those that have some may be left out.
    async fn namespaces(&self) -> Result<Vec<Namespace>, StoreError>;

    /// Waits until anything was written after `version` (a number this method gave, or 0), and tells
    /// the version then.
    async fn changed(&self, version: u64) -> u64;
}

/// Also keeps what became of deployments, for those who bring them about in this process.
#[async_trait]
pub trait DeploymentJournal: DeploymentRepository {
    /// Keeps what the predictors of a generation were resolved to, unless the deployment has moved on.
    async fn set_artifacts(
        &self,
        id: &DeploymentId,
        generation: u64,
        artifacts: Vec<ResolvedArtifact>,
    ) -> Result<(), StoreError>;

    /// Keeps a report, unless the deployment is gone. Once the generation is available, the one before is
    /// forgotten.
    async fn set_report(&self, id: &DeploymentId, report: Report) -> Result<(), StoreError>;
}
