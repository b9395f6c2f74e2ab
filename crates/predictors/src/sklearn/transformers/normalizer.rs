//! `Normalizer`: divides each row by its length.

use provost_inference::{Features, PredictError};

use crate::shown::shown;

use super::super::{
    Error,
    record::Record,
    transform::{Missing, Transform, check_finite},
    version::Version,
};

/// How long a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Norm {
    /// The sum of absolute values.
    One,
    /// The root of the sum of squares.
    Two,
    /// The highest absolute value.
    Highest,
    /// The highest value, as before 0.23.
    HighestSigned,
}

#[derive(Debug)]
pub(super) struct Normalizer {
    features: Option<usize>,
    norm: Norm,
    /// Rows not as long as this stay as they are.
    shortest: f64,
}

impl Normalizer {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let norm = record.get("norm")?;
        let is_before = |version| record.version().is_some_and(|written| written < version);
        let norm = match norm.text()? {
            "l1" => Norm::One,
            "l2" => Norm::Two,
            "max" if is_before(Version(0, 23)) => Norm::HighestSigned,
            "max" => Norm::Highest,
            other => return Err(norm.problem(format!("is `{}`, which is not known", shown(other)))),
        };
        let shortest = if is_before(Version(1, 0)) { 0.0 } else { 10.0 * f64::EPSILON };
        Ok(Self { features: record.features_in()?, norm, shortest })
    }

    fn length(&self, row: &[f64]) -> f64 {
        match self.norm {
            Norm::One => row.iter().map(|value| value.abs()).sum(),
            Norm::Two => row.iter().map(|value| value * value).sum::<f64>().sqrt(),
            Norm::Highest => row.iter().map(|value| value.abs()).fold(0.0, f64::max),
            Norm::HighestSigned => row.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

impl Transform for Normalizer {
    fn name(&self) -> &'static str {
        "Normalizer"
    }

    fn features(&self) -> Option<usize> {
        self.features
    }

    fn width(&self, columns: usize) -> usize {
        columns
    }

    fn missing(&self) -> Missing {
        Missing::REFUSED
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        for row in rows.iter_rows() {
            let length = self.length(row);
            let is_short = length == 0.0 || self.shortest > 0.0 && length < self.shortest;
            let divisor = if is_short { 1.0 } else { length };
            output.extend(row.iter().map(|value| value / divisor));
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        10.0 + 2.0 * columns as f64
    }
}
