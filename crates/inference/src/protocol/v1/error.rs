//! What is wrong with a request of V1.

use crate::protocol::{BadValue, json::JsonError};

/// Why a request cannot be answered: always the caller's to mend. Indices count from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The body is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Nothing to predict on.
    #[error("the request has no `instances`: send them as in {{\"instances\":[[1.0,2.0]]}}")]
    NoInstances,
    /// Instances twice, or under both names.
    #[error("the request has more than one of `instances` and `inputs`: send one")]
    Several,
    /// They are no array.
    #[error("`{0}` must be an array of instances, as in [[1.0,2.0]]")]
    NotAnArray(&'static str),
    /// There are none.
    #[error("there are no instances, or they have no values: send at least one, as in [[1.0,2.0]]")]
    Empty,
    /// An instance that cannot be taken.
    #[error("instance {row}{problem}")]
    Instance {
        /// Its index.
        row: usize,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// More values than one request may have.
    #[error("the request has more than {0} values: split it into several")]
    TooManyValues(usize),
}

/// What is wrong with an instance; the text continues that of the instance's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// It is of another kind than the first.
    #[error(" is not what instance 0 is: send all as arrays, or all as objects, or all as numbers")]
    Mixed,
    /// It has another length.
    #[error(" has {actual} values, instance 0 has {expected}: all instances must have the same number")]
    Ragged {
        /// Number of values of instance 0.
        expected: usize,
        /// Number of values of this one.
        actual: usize,
    },
    /// A value that is no number.
    #[error(", value {index}: {error}")]
    Value {
        /// Index of the value.
        index: usize,
        /// What is wrong.
        error: BadValue,
    },
    /// A named value that is no number.
    #[error(", `{name}`: {error}")]
    Named {
        /// Its name.
        name: String,
        /// What is wrong.
        error: BadValue,
    },
    /// A name that instance 0 does not have.
    #[error(" has `{0}`, which instance 0 has not: all instances must have the same features")]
    Unknown(String),
    /// A name of instance 0 is not there.
    #[error(" has no `{0}`: all instances must have the same features")]
    Absent(String),
    /// A name twice.
    #[error(" has `{0}` twice")]
    Twice(String),
}
