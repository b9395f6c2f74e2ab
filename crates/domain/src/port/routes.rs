//! Where the deployer publishes routes, and what of them is in force.

use crate::{DeploymentId, routing_table::DeploymentRoutes};

/// The routing table in force.
pub trait RoutePublisher: Send + Sync {
    /// The routes of a deployment that are in force, if the table has it.
    fn current(&self, id: &DeploymentId) -> Option<DeploymentRoutes>;

    /// Puts routes in force, or takes the deployment out of the table. Requests in flight finish on
    /// the routes they started on.
    fn publish(&self, id: &DeploymentId, routes: Option<DeploymentRoutes>);
}
