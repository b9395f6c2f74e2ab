//! Where in a document a field stands, written as Kubernetes writes it:
//! `spec.predictors[0].graph.modelUri`, `metadata.annotations[seldon.io/no-engine]`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest name or key that is written out; a longer one is cut.
const SEGMENT_MAX: usize = 100;

/// The path of one field in a document. The empty path is the document itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldPath(String);

impl FieldPath {
    /// The field `name` of the document itself.
    pub fn of(name: &str) -> Self {
        Self::default().field(name)
    }

    /// The field `name` of the object at this path.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        let dot = if self.0.is_empty() { "" } else { "." };
        Self(format!("{self}{dot}{}", shortened(name)))
    }

    /// The element `index` of the list at this path.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{self}[{index}]"))
    }

    /// The value of `key` in the map at this path.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{self}[{}]", shortened(key)))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the field at `other` or one inside it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0
            .strip_prefix(other.as_str())
            .is_some_and(|rest| rest.is_empty() || other.0.is_empty() || rest.starts_with(['.', '[']))
    }
}

impl From<&str> for FieldPath {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(SEGMENT_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_kubernetes_writes_it() {
        let graph = FieldPath::of("spec").field("predictors").index(0).field("graph");
        assert_eq!(graph.as_str(), "spec.predictors[0].graph");
        let annotation = FieldPath::of("metadata").field("annotations").key("seldon.io/no-engine");
        assert_eq!(annotation.as_str(), "metadata.annotations[seldon.io/no-engine]");
    }

    #[test]
    fn a_field_is_within_itself_and_what_holds_it() {
        let path = FieldPath::from("spec.predictors[0].graph");
        for outer in ["", "spec", "spec.predictors", "spec.predictors[0]", "spec.predictors[0].graph"] {
            assert!(path.is_within(&outer.into()), "{outer}");
        }
        for other in ["spec.pred", "spec.predictors[0].graph.name", "metadata"] {
            assert!(!path.is_within(&other.into()), "{other}");
        }
    }

    #[test]
    fn a_name_of_a_megabyte_is_cut() {
        assert_eq!(FieldPath::of(&"é".repeat(1_000_000)).as_str().chars().count(), SEGMENT_MAX + 1);
    }
}
