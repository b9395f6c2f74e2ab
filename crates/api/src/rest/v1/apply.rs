//! `POST /api/v1/apply`: manifests as they are.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Parameters of an apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplyParameters {
    /// Namespace of documents that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Check everything and store nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Why, for the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Name of the file, for error messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What was applied, in the order of the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplyResult {
    /// Each document.
    pub applied: Vec<Applied>,
}

/// One document that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Kind.
    #[schema(example = "SeldonDeployment")]
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// What became of it.
    pub action: Action,
    /// Its generation now; the one it would have, for a dry run.
    pub generation: u64,
    /// Fields that do not do what their author may expect.
    pub warnings: Vec<Warning>,
    /// The manifest as YAML, where the server changed it; for a dry run, as it would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_yaml: Option<String>,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It is new.
    Created,
    /// It was there.
    Configured,
}

/// A field that does not do what its author may expect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// The field.
    #[schema(example = "spec.predictors[0].replicas")]
    pub path: String,
    /// Why.
    pub message: String,
}
