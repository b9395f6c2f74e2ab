//! Where model files are kept: by digest, so that a restart loads what was served before.

use async_trait::async_trait;

use crate::{Digest, Namespace};

/// Why a model's files cannot be had. The text is for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// What is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The model URI.
    pub uri: String,
    /// Namespace of the deployment.
    pub namespace: Namespace,
    /// Name of the secret whose entries are the fetcher's environment, where the manifest names one.
    pub secret: Option<String>,
}

/// Keeps copies of model files under their digest.
#[async_trait]
pub trait ArtifactStore: Send + Sync {
    /// Reads what `source` names, keeps a copy, and tells its digest.
    async fn fetch(&self, source: &Source) -> Result<Digest, FetchError>;

    /// Forgets every artifact that is not in `used`.
    async fn remove_unused(&self, used: &[Digest]);
}
