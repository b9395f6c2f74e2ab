//! The identity of what a predictor serves.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// SHA-256 of an artifact's content, written `sha256:<64 hexadecimal digits>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest(String);

impl Digest {
    /// A digest from the 32 bytes of a SHA-256 sum.
    pub fn from_sha256(sum: &[u8]) -> Self {
        Self(format!("sha256:{}", hex(sum)))
    }

    /// The digest as text, with its algorithm.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hexadecimal digits alone.
    pub fn hex(&self) -> &str {
        self.0.strip_prefix("sha256:").unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One revision of a predictor: its parsed specification together with the digests of its artifacts.
///
/// Two predictors with the same revision answer alike; traffic, replicas and labels are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RevisionId(String);

impl RevisionId {
    /// The revision of a specification (canonical JSON of what it serves) with these artifacts.
    pub fn of(specification: &str, artifacts: &[Digest]) -> Self {
        let mut hash = Sha256::new();
        hash.update(specification.as_bytes());
        for digest in artifacts {
            hash.update([0]);
            hash.update(digest.0.as_bytes());
        }
        let sum = hash.finalize();
        Self(hex(&sum[..5]))
    }

    /// The revision as text: ten hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for RevisionId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_artifact_is_another_revision() {
        let [a, b] = [[Digest::from_sha256(&[1; 32])], [Digest::from_sha256(&[2; 32])]];
        assert_ne!(RevisionId::of("{}", &a), RevisionId::of("{}", &b));
        assert_eq!(RevisionId::of("{}", &a), RevisionId::of("{}", &a));
    }
}
