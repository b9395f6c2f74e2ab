//! The trait that every native predictor implements.

use std::{fmt, time::Duration};

use crate::{Features, Schema};

/// A loaded model that predicts in this process.
///
/// Predictions are synchronous, allocate nothing per value and may run on an I/O thread when
/// [`row_cost`](Self::row_cost) times the number of rows is small.
pub trait Predict: Send + Sync + fmt::Debug {
    /// Shape of input and output.
    fn schema(&self) -> &Schema;

    /// Appends `input.rows() × schema().output.width()` values to `output`, row after row.
    ///
    /// `input` has `schema().features` columns. On an error the content of `output` is unspecified.
    fn predict(&self, input: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError>;

    /// Labels of the classes whose probabilities are the columns of the output; `None` where outputs are something else.
    fn class_labels(&self) -> Option<&[Box<str>]> {
        None
    }

    /// An estimate of the time one row takes on one core, from the size of the model.
    fn row_cost(&self) -> Duration;
}

/// Why a model could not answer for these rows: always the caller's input.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PredictError {
    /// The value is beyond what the model's arithmetic holds (such as 32-bit floats in trees).
    #[error("row {row}, column {column}: {value} is too large for this model")]
    ValueTooLarge {
        /// Row of the value, from 0.
        row: usize,
        /// Column of the value, from 0.
        column: usize,
        /// The value.
        value: f64,
    },
    /// A value is missing where the model takes none.
    #[error("row {row}, column {column}: the value is missing, and this model takes no missing values")]
    MissingValue {
        /// Row of the value, from 0.
        row: usize,
        /// Column of the value, from 0.
        column: usize,
    },
    /// A value is none of the categories that the model knows, and unknown ones are an error to it.
    #[error("row {row}, column {column}: {value} is not among the categories that this model knows")]
    UnknownCategory {
        /// Row of the value, from 0.
        row: usize,
        /// Column of the value, from 0.
        column: usize,
        /// The value.
        value: f64,
    },
    /// The model looks for points near a row, and there are none within its radius.
    #[error("row {row}: this model knows nothing near it, within its radius")]
    NoNeighbours {
        /// The row, from 0.
        row: usize,
    },
    /// A step of the model's pipeline made a value of the row which the next step does not take.
    #[error("row {row}: step `{step}` of the model makes {value} of it, which the next step does not take")]
    StepValue {
        /// Row of the value, from 0.
        row: usize,
        /// The step, by the name of its class.
        step: &'static str,
        /// What it made.
        value: f64,
    },
    /// The number of columns is not the model's.
    #[error("the model takes {expected} features, the request has {actual}")]
    FeatureCount {
        /// Number the model takes.
        expected: usize,
        /// Number that came.
        actual: usize,
    },
}
