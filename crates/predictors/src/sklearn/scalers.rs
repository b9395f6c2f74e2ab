//! Scalers, which do the same few operations with every row, column by column: `StandardScaler`, `MinMaxScaler`,
//! `MaxAbsScaler`, `RobustScaler`, `Binarizer`.

use provost_inference::{Features, PredictError};

use crate::estimators::Class;

use super::{
    Error,
    record::{Attribute, Record},
    transform::{Missing, Transform, check_finite, check_not_infinite},
};

/// One operation, in scikit-learn's order, so that the last bit is the same.
#[derive(Debug)]
enum Operation {
    Subtract(Vec<f64>),
    Add(Vec<f64>),
    Multiply(Vec<f64>),
    Divide(Vec<f64>),
    Clip(f64, f64),
    /// 1 above the number, else 0.
    Threshold(f64),
}

impl Operation {
    fn apply(&self, row: &mut [f64]) {
        match self {
            Self::Subtract(by) => row.iter_mut().zip(by).for_each(|(value, by)| *value -= by),
            Self::Add(by) => row.iter_mut().zip(by).for_each(|(value, by)| *value += by),
            Self::Multiply(by) => row.iter_mut().zip(by).for_each(|(value, by)| *value *= by),
            Self::Divide(by) => row.iter_mut().zip(by).for_each(|(value, by)| *value /= by),
            Self::Clip(low, high) => row.iter_mut().for_each(|value| *value = value.clamp(*low, *high)),
            Self::Threshold(threshold) => {
                row.iter_mut().for_each(|value| *value = if *value > *threshold { 1.0 } else { 0.0 });
            }
        }
    }

    /// Number of columns it is for, where it is for each column another.
    fn columns(&self) -> Option<usize> {
        match self {
            Self::Subtract(by) | Self::Add(by) | Self::Multiply(by) | Self::Divide(by) => Some(by.len()),
            Self::Clip(..) | Self::Threshold(_) => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Scaler {
    name: &'static str,
    /// `None` where it treats all columns alike and was written before 0.24.
    features: Option<usize>,
    operations: Vec<Operation>,
    missing: Missing,
}

impl Scaler {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let operations = match record.estimator.class {
            Class::StandardScaler => standard(record)?,
            Class::MinMaxScaler => min_max(record)?,
            Class::MaxAbsScaler => max_abs(record)?,
            Class::RobustScaler => robust(record)?,
            _ => vec![Operation::Threshold(record.number("threshold")?)],
        };
        let is_binarizer = record.estimator.class == Class::Binarizer;
        let missing = if is_binarizer { Missing::REFUSED } else { Missing::PASSED };
        let features = record.features_in()?.or_else(|| operations.iter().find_map(Operation::columns));
        if operations.iter().any(|one| one.columns().is_some() && one.columns() != features) {
            return Err(record.problem("scale_", "tells another number of features than the other attributes"));
        }
        Ok(Self { name: record.estimator.name, features, operations, missing })
    }
}

impl Scaler {
    /// Scales rows of so many columns in place.
    pub(super) fn scale(&self, rows: &mut [f64], columns: usize) {
        for row in rows.chunks_exact_mut(columns.max(1)) {
            self.operations.iter().for_each(|operation| operation.apply(row));
        }
    }
}

fn standard(record: &Record<'_>) -> Result<Vec<Operation>, Error> {
    let mean = column(record, "with_mean", "mean_")?.map(Operation::Subtract);
    let scale = column(record, "with_std", "scale_")?.map(Operation::Divide);
    Ok(mean.into_iter().chain(scale).collect())
}

fn robust(record: &Record<'_>) -> Result<Vec<Operation>, Error> {
    let center = column(record, "with_centering", "center_")?.map(Operation::Subtract);
    let scale = column(record, "with_scaling", "scale_")?.map(Operation::Divide);
    Ok(center.into_iter().chain(scale).collect())
}

fn min_max(record: &Record<'_>) -> Result<Vec<Operation>, Error> {
    let mut operations =
        vec![Operation::Multiply(numbers(record.get("scale_")?)?), Operation::Add(numbers(record.get("min_")?)?)];
    if record.is_true("clip")? {
        let range = record.get("feature_range")?;
        let bounds = range.list()?.iter().map(|bound| range.element(*bound).float()).collect::<Vec<_>>();
        match bounds[..] {
            [Some(low), Some(high)] if low <= high => operations.push(Operation::Clip(low, high)),
            _ => return Err(range.problem("is not two numbers")),
        }
    }
    Ok(operations)
}

fn max_abs(record: &Record<'_>) -> Result<Vec<Operation>, Error> {
    let mut operations = vec![Operation::Divide(numbers(record.get("scale_")?)?)];
    if record.is_true("clip")? {
        operations.push(Operation::Clip(-1.0, 1.0));
    }
    Ok(operations)
}

/// The fitted column, if the scaler was asked to use it.
fn column(record: &Record<'_>, switch: &'static str, name: &'static str) -> Result<Option<Vec<f64>>, Error> {
    if !record.get(switch)?.truth()? {
        return Ok(None);
    }
    numbers(record.get(name)?).map(Some)
}

fn numbers(attribute: Attribute<'_>) -> Result<Vec<f64>, Error> {
    let (values, shape) = attribute.floats()?;
    if shape.len() != 1 || values.is_empty() {
        return Err(attribute.problem(format!("has the shape {shape:?}")));
    }
    Ok(values)
}

impl Transform for Scaler {
    fn name(&self) -> &'static str {
        self.name
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
        if self.missing.passes {
            check_not_infinite(rows)?;
        } else {
            check_finite(rows)?;
        }
        let start = output.len();
        output.extend_from_slice(rows.values());
        self.scale(&mut output[start..], rows.columns());
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        0.5 * (columns * (1 + self.operations.len())) as f64
    }
}
