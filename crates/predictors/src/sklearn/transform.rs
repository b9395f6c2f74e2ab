//! What stands before the last step: transformers, and several of them in a row.

use std::fmt;

use provost_inference::{Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, PredictError};

use crate::Method;

use super::predictor::{Answer, Head};

/// A fitted transformer.
pub(super) trait Transform: Send + Sync + fmt::Debug {
    /// The name of its class.
    fn name(&self) -> &'static str;

    /// Number of columns it takes; `None` where any number will do, which it then keeps.
    fn features(&self) -> Option<usize>;

    /// Number of columns it makes of so many.
    fn width(&self, columns: usize) -> usize;

    /// What it does with missing values.
    fn missing(&self) -> Missing;

    /// The column of which alone, value for value, an output column is made, where there is one. Errors are told by it.
    fn source(&self, _column: usize) -> Option<usize> {
        None
    }

    /// Appends [`width`](Self::width) values for each row. `rows` has as many columns as it takes, none of them
    /// infinite unless a step before made it so.
    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError>;

    /// An estimate of the time a row of so many columns takes.
    fn cost_nanoseconds(&self, columns: usize) -> f64;
}

/// What becomes of missing values. A step that does neither refuses them; one that works on parts may do both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing {
    /// Something else takes the place of some.
    pub(super) fills: bool,
    /// Some are still missing afterwards.
    pub(super) passes: bool,
}

impl Missing {
    pub(super) const REFUSED: Self = Self { fills: false, passes: false };
    pub(super) const PASSED: Self = Self { fills: false, passes: true };
    pub(super) const FILLED: Self = Self { fills: true, passes: false };

    /// Of one step and then another.
    pub(super) fn then(self, next: Self) -> Self {
        Self { fills: self.fills || self.passes && next.fills, passes: self.passes && next.passes }
    }

    /// Of two that work side by side.
    pub(super) fn beside(self, other: Self) -> Self {
        Self { fills: self.fills || other.fills, passes: self.passes || other.passes }
    }

    pub(super) fn are_taken(self) -> bool {
        self.fills || self.passes
    }

    /// Of these steps, one after the other.
    pub(super) fn of(steps: &[Box<dyn Transform>]) -> Self {
        steps.iter().fold(Self::PASSED, |missing, step| missing.then(step.missing()))
    }
}

/// Number of columns that steps make of so many.
pub(super) fn width_after(steps: &[Box<dyn Transform>], columns: usize) -> usize {
    steps.iter().fold(columns, |columns, step| step.width(columns))
}

/// A transformer that is asked for what it makes, as the last step. It answers for so many columns.
pub(super) fn answer(transform: Box<dyn Transform>, columns: usize) -> Answer {
    let shape = OutputShape::Matrix(transform.width(columns));
    let output =
        OutputSchema { shape, kind: OutputKind::Float, name: Method::Transform.name(), precision: Precision::Double };
    let is_taken = transform.missing().are_taken();
    let missing_values = if is_taken { MissingValues::Accepted } else { MissingValues::Refused };
    Answer { head: Box::new(TransformHead { transform, columns }), output, missing_values }
}

#[derive(Debug)]
struct TransformHead {
    transform: Box<dyn Transform>,
    columns: usize,
}

impl Head for TransformHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        self.transform.transform(rows, output)
    }

    fn cost_nanoseconds(&self) -> f64 {
        self.transform.cost_nanoseconds(self.columns)
    }
}

/// Nothing is done to the rows.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) features: Option<usize>,
    /// Whether missing values are passed on or refused.
    pub(super) missing: Missing,
}

impl Transform for Identity {
    fn name(&self) -> &'static str {
        "passthrough"
    }

    fn features(&self) -> Option<usize> {
        self.features
    }

    fn width(&self, columns: usize) -> usize {
        columns
    }

    fn missing(&self) -> Missing {
        self.missing
    }

    fn source(&self, column: usize) -> Option<usize> {
        Some(column)
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        if !self.missing.passes {
            check_finite(rows)?;
        }
        output.extend_from_slice(rows.values());
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        0.2 * columns as f64
    }
}

/// Neither missing nor infinite values are taken.
pub(super) fn check_finite(rows: &Features<'_>) -> Result<(), PredictError> {
    match rows.values().iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(not_taken(rows, index)),
    }
}

/// Missing values are taken, infinite ones are not.
pub(super) fn check_not_infinite(rows: &Features<'_>) -> Result<(), PredictError> {
    match rows.values().iter().position(|value| value.is_infinite()) {
        None => Ok(()),
        Some(index) => Err(not_taken(rows, index)),
    }
}

fn not_taken(rows: &Features<'_>, index: usize) -> PredictError {
    let (row, column, value) = (index / rows.columns(), index % rows.columns(), rows.values()[index]);
    if value.is_nan() {
        PredictError::MissingValue { row, column }
    } else {
        PredictError::ValueTooLarge { row, column, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_are_taken_if_some_can_come_through() {
        let (refused, passed, filled) = (Missing::REFUSED, Missing::PASSED, Missing::FILLED);
        assert!(passed.then(filled).then(refused).are_taken());
        assert!(!passed.then(refused).then(filled).are_taken());
        assert!(filled.beside(refused).are_taken());
        assert!(passed.beside(filled).then(refused).are_taken());
        assert!(!passed.beside(refused).then(refused).are_taken());
    }
}
