//! Validated names: what a user names is namespace/name on every engine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest name of a resource, as in Kubernetes (RFC 1123 subdomain).
const RESOURCE_NAME_MAX: usize = 253;
/// Longest name of a namespace, as in Kubernetes (RFC 1123 label).
const NAMESPACE_MAX: usize = 63;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {what}: {rule}")]
pub struct InvalidName {
    text: String,
    what: &'static str,
    rule: &'static str,
}

/// The namespace a resource lives in: an RFC 1123 label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Namespace(String);

/// The name of a resource: an RFC 1123 subdomain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceName(String);

/// Names one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeploymentId {
    /// Namespace it lives in.
    pub namespace: Namespace,
    /// Its name there.
    pub name: ResourceName,
}

impl Namespace {
    /// The namespace of a resource that names none.
    pub fn default_namespace() -> Self {
        Self("default".to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ResourceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Namespace {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let rule = "use at most 63 lower-case letters, digits and `-`, starting and ending with a letter or digit";
        if text.len() <= NAMESPACE_MAX && is_label(&text) {
            return Ok(Self(text));
        }
        Err(InvalidName { text, what: "namespace", rule })
    }
}

impl TryFrom<String> for ResourceName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let rule = "use at most 253 lower-case letters, digits, `-` and `.`, each part starting and ending with a letter or digit";
        if text.len() <= RESOURCE_NAME_MAX && text.split('.').all(is_label) {
            return Ok(Self(text));
        }
        Err(InvalidName { text, what: "name", rule })
    }
}

impl TryFrom<&str> for Namespace {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        text.to_owned().try_into()
    }
}

impl TryFrom<&str> for ResourceName {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        text.to_owned().try_into()
    }
}

impl From<Namespace> for String {
    fn from(namespace: Namespace) -> Self {
        namespace.0
    }
}

impl From<ResourceName> for String {
    fn from(name: ResourceName) -> Self {
        name.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// RFC 1123 label, of any length.
fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|b| inner(*b))
        && bytes.last().is_some_and(|b| inner(*b))
        && bytes.iter().all(|b| inner(*b) || *b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_kubernetes_accepts() {
        for name in ["a", "iris", "iris-2", "a.b-c.9", "0"] {
            assert!(ResourceName::try_from(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn refuses_names_that_could_leave_a_directory_or_a_path() {
        for name in ["", "-a", "a-", "A", "a_b", "a/b", "..", "a..b", ".a", "a b", "é", "a\n"] {
            assert!(ResourceName::try_from(name).is_err(), "{name}");
        }
        assert!(Namespace::try_from("a.b").is_err());
        assert!(Namespace::try_from("a".repeat(64)).is_err());
    }
}
