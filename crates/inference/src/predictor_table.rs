//! Where the gateway finds loaded predictors.

use std::sync::Arc;

use crate::Predict;

/// Names one revision of one predictor of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RevisionKey {
    /// Namespace of the deployment.
    pub namespace: String,
    /// Name of the deployment.
    pub deployment: String,
    /// Name of the predictor.
    pub predictor: String,
    /// Identity of the predictor's specification and artifact.
    pub revision: String,
}

/// Loaded predictors by revision. The model server fills it, the gateway reads it.
pub trait PredictorTable: Send + Sync {
    /// The model of a node of that revision's graph, while it is loaded.
    fn get(&self, key: &RevisionKey, node: &str) -> Option<Arc<dyn Predict>>;
}
