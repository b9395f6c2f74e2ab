//! Which model servers deployments may name: on a cluster that changes while the program runs.

use std::sync::Arc;

use crate::ServerCatalog;

/// Knows the model servers.
pub trait Servers: Send + Sync {
    /// Those that are known now.
    fn catalog(&self) -> Arc<ServerCatalog>;
}

/// Always the same.
impl Servers for Arc<ServerCatalog> {
    fn catalog(&self) -> Arc<ServerCatalog> {
        Self::clone(self)
    }
}
