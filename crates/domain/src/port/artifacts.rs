//! Where model files are kept: by digest, so that a restart loads what was served before.

use async_trait::async_trait;

use crate::Digest;

/// Why a model's files cannot be had. The text is for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// Keeps copies of model files under their digest.
#[async_trait]
pub trait ArtifactStore: Send + Sync {
    /// Reads `uri`, keeps a copy, and tells its digest.
    async fn fetch(&self, uri: &str) -> Result<Digest, FetchError>;

    /// Forgets every artifact that is not in `used`.
    async fn remove_unused(&self, used: &[Digest]);
}
