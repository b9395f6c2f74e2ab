//! What makes plans real, in process or on a cluster.

use async_trait::async_trait;

use crate::{
    Deployment, DeploymentId,
    plan::{ObservedRevision, Route, Step},
    port::deployments::ResolvedArtifact,
};

/// What a step is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The deployment's name.
    pub id: &'a DeploymentId,
    /// What is desired of it; `None` once it is deleted.
    pub deployment: Option<&'a Deployment>,
    /// What its model URIs were resolved to.
    pub artifacts: &'a [ResolvedArtifact],
}

/// Observes deployments and executes the steps of their plans. It makes no choices.
#[async_trait]
pub trait Deployer: Send + Sync {
    /// The revisions that are there, and the routes in force.
    async fn observe(&self, id: &DeploymentId) -> (Vec<ObservedRevision>, Vec<Route>);

    /// Executes a step. Its effect shows when observing; a failure shows as a failed revision.
    async fn execute(&self, subject: Subject<'_>, step: &Step);

    /// Takes a deleted deployment out of what callers can reach, also where no plan had routed it yet.
    async fn forget(&self, id: &DeploymentId);

    /// Waits until something observed of a deployment may have changed, and tells of which.
    async fn changed(&self) -> DeploymentId;
}
