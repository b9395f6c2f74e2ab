//! What a check says.

use serde::Serialize;

/// Names of things that a sentence lists before it only counts the rest.
const NAMES_MAX: usize = 5;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Something will not work, or could not be asked.
    Warning,
    /// The operator, or what it makes, cannot work so.
    Failed,
}

/// One subject, and what was found of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The subject, in a word.
    pub name: &'static str,
    /// How it is.
    pub outcome: Outcome,
    /// What was found, in a sentence.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Ok, found: found.into(), advice: None }
    }

    pub(super) fn warning(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Warning, found: found.into(), advice: Some(advice.into()) }
    }

    pub(super) fn failed(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, ..Self::warning(name, found, advice) }
    }

    /// The API server did not answer the question.
    pub(super) fn unknown(name: &'static str, reason: &str) -> Self {
        let advice = "see that the API server answers, or run this as somebody who may ask";
        Self::warning(name, format!("it cannot be told: {reason}"), advice)
    }
}

/// Names in a row, up to some.
pub(super) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let shown = names.get(..NAMES_MAX).unwrap_or(names);
    let text = shown.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match names.len() - shown.len() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(listed(&["a", "b"]), "a, b");
        assert_eq!(listed(&["a", "b", "c", "d", "e"]), "a, b, c, d, e");
        assert_eq!(listed(&["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
    }
}
