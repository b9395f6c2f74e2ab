//! Numbers as all dialects have them: read into a block, and written.

use super::json::{Cursor, JsonError, write_string};
use crate::{OutputKind, OutputSchema, OutputShape};

/// Most values one request may carry; a body within the size limit holds about this many.
pub(super) const VALUES_MAX: usize = 1 << 26;

/// Why there is no number where one must stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// What stands there is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Something else stands there.
    #[error("expected a number, found {0}")]
    Found(&'static str),
    /// An array stands there: there is a dimension too many.
    #[error("expected a number, found an array")]
    Array,
    /// A number beyond a 64-bit float.
    #[error("the number is too large")]
    TooLarge,
}

/// Reads a number and appends it. `null` and `NaN` are missing values, which are NaN.
pub(super) fn read_value(
    cursor: &mut Cursor<'_>,
    values: &mut Vec<f64>,
    first_missing: &mut Option<usize>,
) -> Result<(), BadValue> {
    let value = match cursor.peek() {
        Some(b'-' | b'0'..=b'9') => cursor.number()?,
        Some(b'"') => return Err(BadValue::Found("a text")),
        Some(b'{') => return Err(BadValue::Found("an object")),
        Some(b'[') => return Err(BadValue::Array),
        _ if cursor.take_word("null") || cursor.take_word("NaN") => {
            first_missing.get_or_insert(values.len());
            f64::NAN
        }
        _ if cursor.take_word("true") => 1.0,
        _ if cursor.take_word("false") => 0.0,
        _ => return Err(cursor.expected("a number").into()),
    };
    if value.is_infinite() {
        return Err(BadValue::TooLarge);
    }
    values.push(value);
    Ok(())
}

/// A value of an array that is no number.
#[derive(Debug)]
pub(super) struct BadElement {
    /// Its index in the array.
    pub(super) index: usize,
    /// What is wrong with it.
    pub(super) error: BadValue,
}

impl From<JsonError> for BadElement {
    fn from(error: JsonError) -> Self {
        Self { index: 0, error: error.into() }
    }
}

/// Reads an array of numbers and appends them.
pub(super) fn read_values(
    cursor: &mut Cursor<'_>,
    values: &mut Vec<f64>,
    first_missing: &mut Option<usize>,
) -> Result<(), BadElement> {
    let start = values.len();
    cursor.array(|cursor| {
        let index = values.len() - start;
        read_value(cursor, values, first_missing).map_err(|error| BadElement { index, error })?;
        cursor.plain_numbers(values);
        Ok(())
    })
}

/// Appends the outputs of all rows: an array of values, or of rows.
pub(super) fn write_outputs(schema: &OutputSchema, outputs: &[f64], out: &mut Vec<u8>) {
    match schema.shape {
        OutputShape::Vector => write_values(&schema.kind, outputs, out),
        OutputShape::Matrix(columns) => {
            out.push(b'[');
            for (index, row) in outputs.chunks_exact(columns.max(1)).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_values(&schema.kind, row, out);
            }
            out.push(b']');
        }
    }
}

/// Appends values as an array.
pub(super) fn write_values(kind: &OutputKind, values: &[f64], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(kind, *value, out);
    }
    out.push(b']');
}

fn write_value(kind: &OutputKind, value: f64, out: &mut Vec<u8>) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "predictors give whole numbers here")]
    match kind {
        OutputKind::Float => write_float(value, out),
        OutputKind::Integer => out.extend_from_slice((value as i64).to_string().as_bytes()),
        OutputKind::Boolean => out.extend_from_slice(if value == 0.0 { b"false" } else { b"true" }),
        OutputKind::Label(labels) => match labels.get(value as usize) {
            Some(label) => write_string(label, out),
            None => out.extend_from_slice(b"null"),
        },
    }
}

/// The shortest decimal that reads back as the same number. What JSON cannot say is `null`.
pub(super) fn write_float(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Appends a whole number.
pub(super) fn write_integer(value: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(value.to_string().as_bytes());
}
