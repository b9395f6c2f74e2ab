//! What is wrong with a request of V2.

use crate::protocol::{BadValue, json::JsonError};

/// Why a request cannot be answered: always the caller's to mend. Indices count from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The body is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A field has another type than it must.
    #[error("`{field}` must be {expected}")]
    Type {
        /// The field.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A field stands there twice.
    #[error("{0} is given twice")]
    Twice(&'static str),
    /// Nothing to predict on.
    #[error(
        "the request has no inputs: send one tensor, as in \
         {{\"inputs\":[{{\"name\":\"x\",\"shape\":[1,2],\"datatype\":\"FP64\",\"data\":[1.0,2.0]}}]}}"
    )]
    NoInputs,
    /// A tensor that cannot be taken.
    #[error("input `{input}`: {problem}")]
    Tensor {
        /// Its name, or its place where it has none.
        input: String,
        /// What is wrong with it.
        problem: TensorProblem,
    },
    /// Several tensors that are not one feature each.
    #[error(
        "input `{input}` has the shape {shape}, `{first}` has {rows} rows: of several inputs each is one feature, of shape [rows] or [rows,1]"
    )]
    NotAColumn {
        /// Its name.
        input: String,
        /// Its shape.
        shape: String,
        /// The name of the first input.
        first: String,
        /// Rows of the first input.
        rows: usize,
    },
    /// The JSON ends after the body.
    #[error("the header Inference-Header-Content-Length must be the length of the JSON, which is at most {0}")]
    HeaderLength(usize),
    /// Values of gRPC that are not those of the inputs.
    #[error("there are {inputs} inputs and {actual} `raw_input_contents`: send one for each input, or none")]
    RawContents {
        /// Number of inputs.
        inputs: usize,
        /// Number of what stands beside them.
        actual: usize,
    },
    /// Bytes that belong to no tensor.
    #[error("{0} bytes after the JSON belong to no input: `binary_data_size` of all inputs must add up to them")]
    BytesLeft(usize),
    /// More values than one request may have.
    #[error("the request has more than {0} values: split it into several")]
    TooManyValues(usize),
    /// An output that the model does not have.
    #[error("the model has no output `{name}`; as it is deployed it has `{output}`")]
    UnknownOutput {
        /// The name asked for.
        name: String,
        /// The one it has.
        output: &'static str,
    },
}

/// What is wrong with a tensor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorProblem {
    /// A field that every tensor has is not there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The values are not in the JSON.
    #[error("`data` is missing: send the values in the JSON, or after it with `binary_data_size`")]
    NoData,
    /// The values are in the JSON, and after it.
    #[error("it has `data` and `binary_data_size`: send one of them")]
    Both,
    /// The body ends before the values do.
    #[error(
        "`binary_data_size` is {size}, and {actual} bytes are left after the JSON (`Inference-Header-Content-Length`)"
    )]
    CutOff {
        /// Length of the values.
        size: usize,
        /// Length of what is there.
        actual: usize,
    },
    /// A length that is not that of whole values.
    #[error("`binary_data_size` is {size}, and a value of {datatype} has {width} bytes")]
    Width {
        /// Length of the values.
        size: usize,
        /// The datatype.
        datatype: &'static str,
        /// Length of a value.
        width: usize,
    },
    /// The values are in the tensor and beside it.
    #[error("it has `contents` and `raw_input_contents`: send one of them")]
    TypedAndRaw,
    /// A shape that none can have.
    #[error("the shape has a negative length")]
    Negative,
    /// A shape of other dimensions than rows and features.
    #[error("the shape has {0} dimensions; this model takes [rows, features] or [features]")]
    Dimensions(usize),
    /// No values.
    #[error("it has no values: send at least one row")]
    Empty,
    /// Values and shape disagree.
    #[error("the shape {shape} asks for {expected} values, `data` has {actual}")]
    Size {
        /// The shape.
        shape: String,
        /// Product of the shape.
        expected: String,
        /// Number of values.
        actual: usize,
    },
    /// Nested arrays and shape disagree.
    #[error("the shape is {shape}, `data` is nested as [{rows},{columns}]")]
    Nesting {
        /// The shape.
        shape: String,
        /// Number of arrays in `data`.
        rows: usize,
        /// Number of values in each.
        columns: usize,
    },
    /// Arrays of different lengths.
    #[error("row {row} of `data` has {actual} values, row 0 has {expected}: all rows must have the same number")]
    Ragged {
        /// Row that differs.
        row: usize,
        /// Number of values of row 0.
        expected: usize,
        /// Number of values of that row.
        actual: usize,
    },
    /// Arrays beside numbers, or arrays in rows.
    #[error("`data` must be an array of numbers, or of rows of numbers")]
    Mixed,
    /// The datatype is text.
    #[error("the datatype is BYTES; this model takes numbers, such as FP64")]
    Bytes,
    /// No datatype of V2.
    #[error("`{0}` is not a datatype; use one of {names}", names = super::datatype::NAMES)]
    Datatype(String),
    /// A value that is no number.
    #[error("value {index}: {error}")]
    Value {
        /// Index of the value in `data`, or in its row.
        index: usize,
        /// What is wrong.
        error: BadValue,
    },
    /// A value that the datatype does not have.
    #[error("value {index}: {value} is not of the datatype {datatype}")]
    NotOfDatatype {
        /// Index of the value.
        index: usize,
        /// The value.
        value: String,
        /// The datatype.
        datatype: &'static str,
    },
}
