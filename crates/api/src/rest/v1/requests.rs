//! The request log of a deployment.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Which rows to read, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestParameters {
    /// Rows since then: a time (RFC 3339), or a length back from now such as `15m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Rows before then, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// A filter such as `status = 200 AND "x.Sepal length" > 5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// At most this many rows (1 to 1000; 50 without).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The page after, as `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of rows, newest first. One row is one instance of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestPage {
    /// Names of the columns: `time`, `request_id`, `row`, …, `x.<feature>`, `y.<output>`.
    pub columns: Vec<String>,
    /// The rows, each with a value for each column; null where it has none.
    #[schema(value_type = Vec<Vec<Object>>)]
    pub rows: Vec<Vec<Value>>,
    /// Cursor of the page after, if there are more rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
