//! Requests and answers of `TensorFlow` Serving between messages of gRPC and JSON of V1, whatever they hold, for programs
//! that are called over the other of the two. It is the JSON of `TensorFlow` Serving's own REST.

mod examples;
mod metadata;
mod nested;
mod tensors;

use super::super::{json::JsonError, tensorflow::TensorProblem};

pub use examples::{
    classification_from_json, classification_to_json, examples_from_json, examples_to_json, regression_from_json,
    regression_to_json,
};
pub use metadata::{metadata_from_json, metadata_to_json, signatures_of};
pub use tensors::{ByRows, predict_from_json, predict_to_json, response_from_json, response_to_json};

/// Longest JSON of tensors: so many bytes, and so many times the length of their message, of which one value may stand for
/// many, and a byte may be a number in as many brackets as there are dimensions.
const JSON_FREE: usize = 4 << 20;
const JSON_PER_BYTE: usize = 64;
/// Most texts of a message: one of a byte takes some thirty in memory.
const TEXTS_MAX: usize = 1 << 20;
/// Most tensors of a message.
const NAMES_MAX: usize = 4096;

/// Why something cannot be passed on in the other form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpassable {
    /// It is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A tensor is none.
    #[error("the tensor `{name}`: {problem}")]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: TensorProblem,
    },
    /// A number that JSON does not have.
    #[error("an infinite number has no form in JSON")]
    Infinite,
    /// Much more JSON than the message was long.
    #[error("as JSON it is longer than {0} bytes: send each value, and split the request into several")]
    TooLong(usize),
    /// More texts than are taken.
    #[error("there are more than {TEXTS_MAX} texts: split the request into several")]
    TooManyTexts,
    /// More features than are taken.
    #[error("the examples have more than {0} features in all: send tensors, or split the request into several")]
    TooManyFeatures(usize),
    /// More names than are taken.
    #[error("there are more than {NAMES_MAX} names")]
    TooManyNames,
    /// Arrays that are no tensor.
    #[error("`{0}` is no tensor: its arrays are of different lengths or depths")]
    Ragged(String),
    /// Values of several kinds.
    #[error("`{0}` is no tensor: numbers, texts and truth values stand side by side")]
    Mixed(String),
    /// Too many dimensions.
    #[error("`{0}` is nested more than {max} deep", max = super::super::tensorflow::DIMENSIONS_MAX)]
    Deep(String),
    /// What stands for bytes is not base64.
    #[error("`{0}` has a `b64` that is not base64")]
    Base64(String),
    /// Values that the program does not take.
    #[error("the values of `{name}` are not of the type {dtype}")]
    NotOfType {
        /// The tensor.
        name: String,
        /// The type.
        dtype: String,
    },
    /// Instances of different names.
    #[error("instance {0} has other names than the first")]
    Names(usize),
    /// There is nothing to pass on.
    #[error("there is neither `{0}` nor `{1}`")]
    Nothing(&'static str, &'static str),
    /// The same twice.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// An output that was asked for and is not there.
    #[error("there is no output `{0}`")]
    NoOutput(String),
    /// Examples that are none.
    #[error("example {index}, feature `{name}`: {expected}")]
    Feature {
        /// Index of the example, from 0.
        index: usize,
        /// The feature.
        name: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Another form than V1 has.
    #[error("expected {0}")]
    Form(&'static str),
}
