//! `StandardScaler`: subtracts a mean and divides by a scale, either of which may be absent.

use provost_inference::{Features, PredictError};

use super::{
    Error,
    record::Record,
    transform::{Missing, Transform, check_not_infinite},
};

#[derive(Debug)]
pub(super) struct Scaler {
    /// `None` where it neither centres nor scales and was written before 0.24: any number will do.
    features: Option<usize>,
    mean: Option<Vec<f64>>,
    scale: Option<Vec<f64>>,
}

impl Scaler {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let mean = column(record, "with_mean", "mean_")?;
        let scale = column(record, "with_std", "scale_")?;
        let lengths = [
            ("mean_", mean.as_ref().map(Vec::len)),
            ("scale_", scale.as_ref().map(Vec::len)),
            ("n_features_in_", record.features_in()?),
        ];
        let features = lengths.iter().find_map(|(_, len)| *len);
        for (name, len) in lengths {
            if len.is_some() && len != features {
                return Err(record.problem(name, "tells another number of features than `mean_`"));
            }
        }
        Ok(Self { features, mean, scale })
    }

    /// Scales a row in place, in the order of scikit-learn.
    fn apply(&self, row: &mut [f64]) {
        if let Some(mean) = &self.mean {
            row.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
        }
        if let Some(scale) = &self.scale {
            row.iter_mut().zip(scale).for_each(|(value, scale)| *value /= scale);
        }
    }
}

impl Transform for Scaler {
    fn name(&self) -> &'static str {
        "StandardScaler"
    }

    fn features(&self) -> Option<usize> {
        self.features
    }

    fn width(&self, columns: usize) -> usize {
        columns
    }

    fn missing(&self) -> Missing {
        Missing::PASSED
    }

    fn source(&self, column: usize) -> Option<usize> {
        Some(column)
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_not_infinite(rows)?;
        let start = output.len();
        output.extend_from_slice(rows.values());
        output[start..].chunks_exact_mut(rows.columns().max(1)).for_each(|row| self.apply(row));
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        columns as f64
    }
}

/// The fitted column, if the scaler was asked to use it.
fn column(record: &Record<'_>, switch: &'static str, name: &'static str) -> Result<Option<Vec<f64>>, Error> {
    if !record.get(switch)?.truth()? {
        return Ok(None);
    }
    let attribute = record.get(name)?;
    let (values, shape) = attribute.floats()?;
    if shape.len() != 1 || values.is_empty() {
        return Err(attribute.problem(format!("has the shape {shape:?}")));
    }
    Ok(Some(values))
}
