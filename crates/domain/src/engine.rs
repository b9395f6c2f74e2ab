//! What runs deployments.

/// What runs deployments: it decides which fields of a manifest have a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Processes of one machine.
    Process,
    /// The pods of a cluster.
    Kubernetes,
}
