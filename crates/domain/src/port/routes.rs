//! Where the deployer publishes routes, and what of them is in force.

use std::collections::BTreeMap;

use crate::{
    DeploymentId,
    routing_table::{DeploymentBackends, DeploymentRoutes},
};

/// The routing table in force.
pub trait RoutePublisher: Send + Sync {
    /// The routes of a deployment that are in force, if the table has it.
    fn current(&self, id: &DeploymentId) -> Option<DeploymentRoutes>;

    /// Puts routes in force, or takes the deployment out of the table. Requests in flight finish on
    /// the routes they started on.
    fn publish(&self, id: &DeploymentId, routes: Option<DeploymentRoutes>);
}

/// Where requests are passed on to other servers.
pub trait BackendPublisher: Send + Sync {
    /// Puts the backends of all deployments in force.
    fn publish_all(&self, deployments: BTreeMap<DeploymentId, DeploymentBackends>);
}
