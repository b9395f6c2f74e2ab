//! The model server as the deployer sees it.

use async_trait::async_trait;

use crate::{DeploymentId, Digest, RevisionId, graph::Node, plan::ObservedRevision};

/// One revision of a predictor that is to be loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct HostedPredictor {
    /// Deployment it belongs to.
    pub deployment: DeploymentId,
    /// Its name.
    pub predictor: String,
    /// Its revision.
    pub revision: RevisionId,
    /// Its inference graph.
    pub graph: Node,
    /// The artifacts of the graph's nodes, in depth-first order of those that have a model URI.
    pub artifacts: Vec<Digest>,
}

/// Loads predictors and keeps them while they are wanted.
#[async_trait]
pub trait ModelHost: Send + Sync {
    /// Starts loading, unless it is loaded or being loaded; a failed one is tried again. Returns at once.
    fn ensure(&self, predictor: HostedPredictor);

    /// Drops a revision. Requests that hold it finish first.
    fn retire(&self, deployment: &DeploymentId, predictor: &str, revision: &RevisionId);

    /// The revisions of a deployment that are loaded, being loaded or failed.
    fn observe(&self, deployment: &DeploymentId) -> Vec<ObservedRevision>;

    /// Waits until a revision of any deployment became ready or failed since the call before.
    async fn changed(&self) -> DeploymentId;
}
