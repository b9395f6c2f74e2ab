//! The predictor that a fitted estimator becomes.

use std::{fmt, time::Duration};

use provost_inference::{Features, Predict, PredictError, Schema};

use crate::Method;

use super::{
    Error,
    estimator::{Answer, Fitted},
    scaler::Scaler,
};

/// Values of a block of rows that are scaled on the stack.
const BLOCK_VALUES: usize = 256;

/// The last step of a pipeline: what predicts.
pub(super) trait Head: Send + Sync + fmt::Debug {
    /// Appends the output of each row.
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError>;

    /// An estimate of the time a row takes.
    fn cost_nanoseconds(&self) -> f64;
}

/// Scales rows, then predicts.
#[derive(Debug)]
pub(super) struct SklearnPredictor {
    schema: Schema,
    /// Of a classifier that answers with probabilities.
    class_labels: Option<Box<[Box<str>]>>,
    scalers: Vec<Scaler>,
    head: Box<dyn Head>,
}

impl SklearnPredictor {
    /// The predictor of an estimator that has `method`.
    pub(super) fn new(fitted: Fitted, method: Method) -> Result<Self, Error> {
        let labels = || fitted.class_names().into_iter().map(String::into_boxed_str).collect();
        let class_labels = (method == Method::PredictProba).then(labels);
        let no_method = |estimator| Error::NoMethod { estimator, method, available: Vec::new() };
        let model = fitted.model.ok_or_else(|| no_method(fitted.name.clone()))?;
        let features = fitted.features.ok_or_else(|| no_method(fitted.name))?;
        let Answer { head, output, missing_values } = model.answer(method);
        let schema = Schema { features, feature_names: fitted.feature_names, missing_values, output };
        Ok(Self { schema, class_labels, scalers: fitted.scalers, head })
    }

    /// Scales block after block of rows and predicts on each.
    fn predict_scaled(&self, input: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let columns = input.columns().max(1);
        let mut on_stack = [0.0; BLOCK_VALUES];
        let mut on_heap = vec![0.0; if columns > BLOCK_VALUES { columns } else { 0 }];
        let buffer = if columns > BLOCK_VALUES { &mut on_heap[..] } else { &mut on_stack[..] };
        let rows_a_block = buffer.len() / columns;
        for (index, block) in input.values().chunks(rows_a_block * columns).enumerate() {
            let first_row = index * rows_a_block;
            let scaled = &mut buffer[..block.len()];
            scaled.copy_from_slice(block);
            self.predict_block(scaled, columns, output).map_err(|error| in_terms_of(input, first_row, error))?;
        }
        Ok(())
    }

    fn predict_block(&self, values: &mut [f64], columns: usize, output: &mut Vec<f64>) -> Result<(), PredictError> {
        for row in values.chunks_exact_mut(columns) {
            self.scalers.iter().for_each(|scaler| scaler.apply(row));
        }
        let rows = values.len() / columns;
        match Features::new(rows, columns, values) {
            Some(block) => self.head.predict(&block, output),
            None => Ok(()),
        }
    }
}

/// The error for a row of a scaled block, in terms of what the caller sent.
fn in_terms_of(input: &Features<'_>, first_row: usize, error: PredictError) -> PredictError {
    match error {
        PredictError::ValueTooLarge { row, column, value } => {
            let row = first_row + row;
            let sent = input.values().get(row * input.columns() + column);
            PredictError::ValueTooLarge { row, column, value: *sent.unwrap_or(&value) }
        }
        PredictError::MissingValue { row, column } => PredictError::MissingValue { row: first_row + row, column },
        error @ PredictError::FeatureCount { .. } => error,
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
        if self.scalers.is_empty() { self.head.predict(input, output) } else { self.predict_scaled(input, output) }
    }

    fn class_labels(&self) -> Option<&[Box<str>]> {
        self.class_labels.as_deref()
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn row_cost(&self) -> Duration {
        let scaling = self.scalers.len() as f64 * self.schema.features as f64;
        Duration::from_secs_f64((scaling + self.head.cost_nanoseconds()) * 1e-9)
    }
}
