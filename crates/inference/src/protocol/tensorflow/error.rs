//! What is wrong with a tensor.

use crate::protocol::{BadValue, json::JsonError};

/// What is wrong with a tensor; fields are named as in the definition of the message. Indices count from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorProblem {
    /// No type.
    #[error("`dtype` is missing: send one of {names}", names = super::dtype::NAMES)]
    NoDtype,
    /// Not a type of numbers.
    #[error("the type `{0}` is not taken: send numbers, of one of {names}", names = super::dtype::NAMES)]
    Dtype(String),
    /// No shape.
    #[error("`tensor_shape` is missing: send the lengths of its dimensions, rows and features")]
    NoShape,
    /// A shape that none can have.
    #[error("the shape has a negative length")]
    Negative,
    /// A shape of other dimensions than rows and features.
    #[error("the shape has {0} dimensions; this model takes [rows, features]")]
    Dimensions(usize),
    /// More dimensions than are passed on.
    #[error("the shape has {0} dimensions; at most {1} are passed on")]
    Deep(usize, usize),
    /// No values.
    #[error("it has no values: send at least one row")]
    Empty,
    /// Values and shape disagree.
    #[error("the shape {shape} asks for {expected} values, there are {actual}")]
    Size {
        /// The shape.
        shape: String,
        /// Product of the shape.
        expected: String,
        /// Number of values.
        actual: usize,
    },
    /// One value for more than may be.
    #[error(
        "the shape {shape} asks for {expected} values; one value may stand for all up to {max} of a request: send each value"
    )]
    Filled {
        /// The shape.
        shape: String,
        /// Product of the shape.
        expected: String,
        /// Most that are filled.
        max: usize,
    },
    /// A length that is not that of whole values.
    #[error("`tensor_content` has {size} bytes, and a value of {dtype} has {width}")]
    Width {
        /// Length of the values.
        size: usize,
        /// The type.
        dtype: &'static str,
        /// Length of a value.
        width: usize,
    },
    /// The bytes are no text that stands for some.
    #[error("`tensor_content` is not base64")]
    Base64,
    /// Values in several fields.
    #[error("it has values in `{0}` and in `{1}`: send them in one")]
    Several(&'static str, &'static str),
    /// Values in the field of another type.
    #[error("the values of {dtype} stand in `{expected}` or `tensor_content`; there are some in `{actual}`")]
    Field {
        /// The type.
        dtype: &'static str,
        /// Its field.
        expected: &'static str,
        /// The field that has values.
        actual: &'static str,
    },
    /// A field is there twice.
    #[error("`{0}` is there twice")]
    Twice(&'static str),
    /// A value that is no number.
    #[error("value {index}: {error}")]
    Value {
        /// Index of the value.
        index: usize,
        /// What is wrong.
        error: BadValue,
    },
    /// A value that the type does not have.
    #[error("value {index}: {value} is not of the type {dtype}")]
    NotOfDtype {
        /// Index of the value.
        index: usize,
        /// The value.
        value: String,
        /// The type.
        dtype: &'static str,
    },
}

/// Why a tensor in JSON cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTensor {
    /// It is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A key that no tensor has.
    #[error("`{0}` is not a field of a tensor")]
    UnknownField(String),
    /// A field has another type than it must.
    #[error("`{field}` must be {expected}")]
    Type {
        /// The field.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// What it says does not go together.
    #[error(transparent)]
    Tensor(#[from] TensorProblem),
}
