//! The stored form of a deployment: a version tag and the document.

use provost_domain::port::deployments::StoredDeployment;
use serde::{Deserialize, Serialize};

/// The version this binary writes. Raise it when an older binary must not read what is written.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    #[serde(flatten)]
    deployment: &'a StoredDeployment,
}

#[derive(Deserialize)]
struct Tag {
    version: u32,
}

/// Why a row cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error("a row has version {0}, which a newer provost wrote: this one reads up to version {VERSION}")]
    Newer(u32),
    #[error("a row is damaged")]
    Damaged(#[from] serde_json::Error),
}

pub(super) fn encode(deployment: &StoredDeployment) -> Result<String, RecordError> {
    Ok(serde_json::to_string(&Written { version: VERSION, deployment })?)
}

pub(super) fn decode(text: &str) -> Result<StoredDeployment, RecordError> {
    let Tag { version } = serde_json::from_str(text)?;
    if version > VERSION {
        return Err(RecordError::Newer(version));
    }
    Ok(serde_json::from_str(text)?)
}
