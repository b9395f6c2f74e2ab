//! The predictor that a fitted estimator becomes.

use std::{fmt, time::Duration};

use provost_inference::{Features, MissingValues, OutputSchema, Predict, PredictError, Schema};

use crate::Method;

use super::{Error, estimator::Fitted};

/// What predicts rows.
pub(super) trait Head: Send + Sync + fmt::Debug {
    /// Appends the output of each row.
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError>;

    /// An estimate of the time a row takes.
    fn cost_nanoseconds(&self) -> f64;
}

/// What a model becomes for one of its methods.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: Box<dyn Head>,
    pub(super) output: OutputSchema,
    pub(super) missing_values: MissingValues,
}

/// An estimator that answers with one method.
#[derive(Debug)]
pub(super) struct SklearnPredictor {
    schema: Schema,
    /// Of a classifier that answers with probabilities.
    class_labels: Option<Box<[Box<str>]>>,
    head: Box<dyn Head>,
}

impl SklearnPredictor {
    /// The predictor of an estimator that has `method`.
    pub(super) fn new(mut fitted: Fitted, method: Method) -> Result<Self, Error> {
        let labels = || fitted.class_names().into_iter().map(String::into_boxed_str).collect();
        let class_labels = (method == Method::PredictProba).then(labels);
        let feature_names = fitted.feature_names.take();
        let features = fitted.known_features()?;
        let Answer { head, output, missing_values } = fitted.answer(method)?;
        Ok(Self { schema: Schema { features, feature_names, missing_values, output }, class_labels, head })
    }
}

impl Predict for SklearnPredictor {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn predict(&self, input: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        if input.columns() != self.schema.features {
            let (expected, actual) = (self.schema.features, input.columns());
            return Err(PredictError::FeatureCount { expected, actual });
        }
        self.head.predict(input, output)
    }

    fn class_labels(&self) -> Option<&[Box<str>]> {
        self.class_labels.as_deref()
    }

    fn row_cost(&self) -> Duration {
        Duration::from_secs_f64(self.head.cost_nanoseconds() * 1e-9)
    }
}
