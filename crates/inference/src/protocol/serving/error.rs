//! What is wrong with a request of `TensorFlow` Serving's services.

use crate::protocol::{BadValue, json::JsonError, tensorflow::TensorProblem};

/// Why a request cannot be answered: always the caller's to mend. Indices count from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The body is not JSON.
    #[error(transparent)]
    Json(JsonError),
    /// A field of the body twice.
    #[error("the request has `{0}` twice")]
    Twice(String),
    /// Nothing to predict on.
    #[error("the request has no `inputs`: send one tensor [rows, features], or one for each feature")]
    NoInputs,
    /// An input that cannot be taken.
    #[error("input `{input}`: {problem}")]
    Tensor {
        /// Its name.
        input: String,
        /// What is wrong with it.
        problem: TensorProblem,
    },
    /// Several inputs that are not one feature each.
    #[error(
        "input `{input}` has the shape {shape}: of several inputs each is one feature, [{rows}] or [{rows},1] as `{first}`"
    )]
    NotAColumn {
        /// Its name.
        input: String,
        /// Its shape.
        shape: String,
        /// The first input.
        first: String,
        /// How many rows that has.
        rows: usize,
    },
    /// Names where the model has none.
    #[error("the model has no names of features, and what has names has no order: send {0}")]
    Unnamed(&'static str),
    /// An output that the model does not have.
    #[error("the model has no output `{name}`; as it is deployed it has `{output}`")]
    UnknownOutput {
        /// The name asked for.
        name: String,
        /// The one it has.
        output: &'static str,
    },
    /// A signature that the method does not have.
    #[error("the model has no signature `{name}` for {method}; it has: {known}")]
    Signature {
        /// The name asked for.
        name: String,
        /// The method.
        method: &'static str,
        /// Those it has.
        known: &'static str,
    },
    /// No examples.
    #[error("the request has no examples: send at least one in `examples`, over gRPC in `input.example_list`")]
    NoExamples,
    /// Examples with what is common to them.
    #[error("`example_list_with_context` is not taken: send `example_list`, with all features in each example")]
    Context,
    /// An example that cannot be taken.
    #[error("example {index}{problem}")]
    Example {
        /// Its index.
        index: usize,
        /// What is wrong with it.
        problem: ExampleProblem,
    },
    /// What is common to the examples cannot be taken.
    #[error("`context`{0}")]
    InContext(ExampleProblem),
    /// A feature is common to the examples, and in each.
    #[error("`context` has `{0}`, which the examples have, too: send it once")]
    InBoth(String),
    /// More values than one request may have.
    #[error("the request has more than {0} values: split it into several")]
    TooManyValues(usize),
    /// The model does not give probabilities.
    #[error(
        "the model answers with `{0}`, which has no score for each class: deploy it with the method `predict_proba`, or \
         call Predict"
    )]
    NoClasses(&'static str),
    /// The model does not give one number.
    #[error("the model answers with `{0}`, which is not one number for each example: call Predict or Classify")]
    NoNumber(&'static str),
}

/// What is wrong with an example; the text continues that of the example's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExampleProblem {
    /// It has no features.
    #[error(" has no features")]
    Empty,
    /// It has others than the first.
    #[error(" has not the features of example 0: all must have the same, {0}")]
    Features(String),
    /// It is no object.
    #[error(" is no object: send each as in {{\"x1\":1.0,\"x2\":2.0}}")]
    NoObject,
    /// It has a feature twice.
    #[error(" has `{0}` twice")]
    Twice(String),
    /// A value in JSON is no number.
    #[error(", `{name}`: {error}")]
    Value {
        /// Name of the feature.
        name: String,
        /// What is wrong with it.
        error: BadValue,
    },
    /// A feature is no number.
    #[error(", `{0}`: expected numbers, found bytes")]
    Bytes(String),
    /// A number beyond a 64-bit float.
    #[error(", `{0}`: the number is too large")]
    TooLarge(String),
    /// Several values where there is one.
    #[error(", `{name}`: there are {actual} values; send one for each feature, or all in one feature")]
    Several {
        /// Name of the feature.
        name: String,
        /// Number of its values.
        actual: usize,
    },
    /// Another number of values than the first has.
    #[error(" has {actual} values, example 0 has {expected}: all must have the same number")]
    Ragged {
        /// Number of values of example 0.
        expected: usize,
        /// Number of values of this one.
        actual: usize,
    },
}
