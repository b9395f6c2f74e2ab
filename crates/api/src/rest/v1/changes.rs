//! Changes of a deployment that the server makes to its manifest: of canaries and shadows, and rollback.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Parameters of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeParameters {
    /// Check everything and store nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Why, for the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Only if the deployment is at this generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
}

/// A change of the predictors of a deployment. The first that is no shadow is the main one: it gets the traffic that
/// canaries leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "change", rename_all = "camelCase")]
pub enum PredictorChange {
    /// Adds a canary or a shadow.
    Add(NewPredictor),
    /// Gives a canary this share of the traffic; the main predictor gets the difference.
    Weight(NewWeight),
    /// Lets a canary or shadow take all the traffic, in place of the main predictor, which goes.
    Promote(ChosenPredictor),
    /// Removes a canary or shadow; the main predictor gets its share.
    Remove(ChosenPredictor),
}

/// What a predictor beside the main one is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum PredictorRole {
    /// It answers a share of the requests.
    Canary,
    /// It gets copies of requests, and nobody sees its answers.
    Shadow,
}

/// A canary or shadow to add: a copy of the main predictor that serves something else, or a predictor as it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPredictor {
    /// What it is there for.
    pub role: PredictorRole,
    /// Its name; without, that of its role, or the role with `-2` where the main predictor has that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "canary")]
    pub name: Option<String>,
    /// Where the model of its first node is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_uri: Option<String>,
    /// Model server of its first node; where it is another than the main predictor's, parameters are not copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "SKLEARN_SERVER")]
    pub implementation: Option<String>,
    /// Parameters of its first node, in place of those of the same names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<NewParameter>,
    /// All of it, as in `spec.predictors`, instead of a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub predictor: Option<Value>,
    /// Share of the traffic of a canary in percent; without, that of `predictor`, else 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<i32>,
}

/// A parameter of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewParameter {
    /// Name.
    #[schema(example = "method")]
    pub name: String,
    /// Value, as text.
    pub value: String,
    /// `INT`, `FLOAT`, `DOUBLE`, `STRING` or `BOOL`; without, that of the parameter it replaces, else `STRING`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// A share of the traffic for a canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewWeight {
    /// The canary; needed where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predictor: Option<String>,
    /// Percent, from 0 to 100.
    pub weight: i32,
}

/// A canary or shadow that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChosenPredictor {
    /// What it is there for.
    pub role: PredictorRole,
    /// Its name; needed where there are several of the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predictor: Option<String>,
}

/// Which manifest to go back to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollback {
    /// That of this generation; without, the last one that differs from the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}

impl fmt::Display for PredictorRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Canary => "canary",
            Self::Shadow => "shadow",
        })
    }
}
