//! Errors in Seldon's dialect.

use crate::protocol::{
    json::{JsonError, write_string},
    tensorflow::BadTensor,
};

/// Why a request cannot be answered: always the caller's to mend. Rows and columns count from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The body is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A payload that this model cannot take.
    #[error("`{0}` is not a payload this model takes: send `data.ndarray` or `data.tensor`")]
    Payload(&'static str),
    /// Nothing to predict on.
    #[error("the request has no payload: send `data.ndarray` or `data.tensor`")]
    NoPayload,
    /// More than one payload, or one twice.
    #[error("the request has more than one payload: send one of `data.ndarray` and `data.tensor`")]
    SeveralPayloads,
    /// A key that no `SeldonMessage` has.
    #[error("`{0}` is not a field of a Seldon message")]
    UnknownField(String),
    /// A key that a message around Seldon messages does not have.
    #[error("`{field}` is not a field of a {message}: it takes {takes}")]
    UnknownPart {
        /// The key.
        field: String,
        /// What the message is called.
        message: &'static str,
        /// The keys it has.
        takes: &'static str,
    },
    /// A field has another type than it must.
    #[error("`{field}` must be {expected}")]
    Type {
        /// The field.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// No rows.
    #[error("`data` has no rows: send at least one, as in [[1.0, 2.0]]")]
    Empty,
    /// The payload is not two-dimensional.
    #[error("`data` must have two dimensions (rows and features), as in [[1.0, 2.0]]; it has {0}")]
    Dimensions(usize),
    /// A value that is no number.
    #[error("row {row}, column {column}: expected a number, found {found}")]
    NotANumber {
        /// Row of the value.
        row: usize,
        /// Column of the value.
        column: usize,
        /// What stands there.
        found: &'static str,
    },
    /// A number beyond a 64-bit float.
    #[error("row {row}, column {column}: the number is too large")]
    TooLarge {
        /// Row of the value.
        row: usize,
        /// Column of the value.
        column: usize,
    },
    /// Rows of different lengths.
    #[error("row {row} has {actual} values, row 0 has {expected}: all rows must have the same number")]
    Ragged {
        /// Row that differs.
        row: usize,
        /// Number of values of row 0.
        expected: usize,
        /// Number of values of that row.
        actual: usize,
    },
    /// A tensor whose shape is not that of its values.
    #[error("the tensor's shape asks for {expected} values, it has {actual}")]
    TensorSize {
        /// Product of the shape.
        expected: String,
        /// Number of values.
        actual: usize,
    },
    /// A tensor of `TensorFlow` that cannot be taken.
    #[error("`data.tftensor`: {0}")]
    Tftensor(BadTensor),
    /// More instances than one request may have.
    #[error("the request has more than {0} values: split it into several")]
    TooManyValues(usize),
}

/// Appends an error body: `{"status":{"code":…,"info":…,"reason":…,"status":"FAILURE"}}`.
pub fn write_error(status: u16, reason: &str, info: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"status\":{\"code\":");
    out.extend_from_slice(status.to_string().as_bytes());
    out.extend_from_slice(b",\"info\":");
    write_string(info, out);
    out.extend_from_slice(b",\"reason\":");
    write_string(reason, out);
    out.extend_from_slice(b",\"status\":\"FAILURE\"}}");
}
