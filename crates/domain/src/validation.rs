//! What makes a deployment invalid: Seldon's rules with Seldon's messages, and what this version
//! does not support yet.
//!
//! Every rule is checked, never only the first that fails. Paths are those of a `SeldonDeployment`.

mod graph_rules;
mod not_supported_yet;
mod own_program;
mod seldon_rules;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Deployment, Engine, FieldPath, ServerCatalog};

pub use seldon_rules::{INVALID_PROTOCOL, INVALID_SERVER_TYPE, INVALID_TRANSPORT};

/// One thing that makes a document invalid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The field.
    pub path: FieldPath,
    /// In which way it is wrong.
    pub reason: Reason,
    /// What was found there; null where nothing was.
    pub value: Value,
    /// What is wrong, and what to do.
    pub message: String,
}

/// In which way a field is wrong; the names are those of Kubernetes' causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The value breaks a rule.
    #[serde(rename = "FieldValueInvalid")]
    Invalid,
    /// The value is of another type.
    #[serde(rename = "FieldValueTypeInvalid")]
    Type,
    /// The field must be there.
    #[serde(rename = "FieldValueRequired")]
    Required,
    /// The value is understood, and this version or engine cannot do it.
    #[serde(rename = "FieldValueNotSupported")]
    NotSupported,
}

impl Violation {
    /// A value that breaks a rule.
    pub fn invalid(path: FieldPath, value: impl Into<Value>, message: impl Into<String>) -> Self {
        Self { path, reason: Reason::Invalid, value: value.into(), message: message.into() }
    }

    /// A field that must be there and is not.
    pub fn required(path: FieldPath, message: impl Into<String>) -> Self {
        Self { path, reason: Reason::Required, value: Value::Null, message: message.into() }
    }

    /// A value that is understood and cannot be honoured.
    pub fn not_supported(path: FieldPath, value: impl Into<Value>, message: impl Into<String>) -> Self {
        Self { path, reason: Reason::NotSupported, value: value.into(), message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.path.as_str().is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.path, self.message)
    }
}

impl std::error::Error for Violation {}

/// Everything that is wrong with a deployment, to which the defaults were applied, for this engine.
pub fn validate(deployment: &Deployment, catalog: &ServerCatalog, engine: Engine) -> Vec<Violation> {
    let mut violations = seldon_rules::check(deployment, catalog, engine);
    violations.extend(graph_rules::check(deployment));
    violations.extend(not_supported_yet::check(deployment, catalog, engine));
    violations.extend(own_program::check(deployment, catalog, engine));
    violations
}

/// Calls `check` with every node of the graph below `path`, and its path.
fn for_each_node<'a>(
    node: &'a crate::graph::Node,
    path: &FieldPath,
    check: &mut dyn FnMut(&'a crate::graph::Node, &FieldPath),
) {
    check(node, path);
    let children = path.field("children");
    for (index, child) in node.children.iter().enumerate() {
        for_each_node(child, &children.index(index), check);
    }
}

/// The paths of the predictors, with the predictors.
fn predictors(deployment: &Deployment) -> impl Iterator<Item = (FieldPath, &crate::Predictor)> {
    let path = FieldPath::of("spec").field("predictors");
    deployment.predictors.iter().enumerate().map(move |(index, predictor)| (path.index(index), predictor))
}
