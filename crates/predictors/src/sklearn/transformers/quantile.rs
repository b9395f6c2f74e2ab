//! `QuantileTransformer`: where each value stands among those it was fitted on.

#![expect(clippy::float_cmp, reason = "numbers are equal to the last bit or they are not")]

use provost_inference::{Features, PredictError};

use crate::shown::shown;

use super::{
    super::{
        Error,
        record::Record,
        transform::{Missing, Transform, check_not_infinite},
        version::Version,
    },
    normal::normal_quantile,
};

/// How close to the ends of a normal distribution a value counts as being there.
const MARGIN: f64 = 1e-7;

#[derive(Debug)]
pub(super) struct Quantiles {
    references: Vec<f64>,
    /// The quantiles of each column, in order.
    columns: Vec<Vec<f64>>,
    is_normal: bool,
    /// In 0.20 the uniform distribution had margins too.
    has_margins: bool,
}

impl Quantiles {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let (references, _) = record.get("references_")?.floats()?;
        let attribute = record.get("quantiles_")?;
        let (quantiles, shape) = attribute.floats()?;
        let &[count, features] = &*shape else { return Err(attribute.problem(format!("has the shape {shape:?}"))) };
        if count != references.len() || count == 0 || features == 0 {
            return Err(attribute.problem("is not as long as `references_`, or empty"));
        }
        let column = |column| quantiles.iter().skip(column).step_by(features).copied().collect::<Vec<_>>();
        let columns: Vec<_> = (0..features).map(column).collect();
        let is_sorted = columns.iter().chain([&references]).all(|column| column.is_sorted());
        if !is_sorted || columns.iter().flatten().any(|value| value.is_infinite()) {
            return Err(attribute.problem("is not in order, or not finite"));
        }
        let output = record.get("output_distribution")?;
        let is_normal = match output.text()? {
            "normal" => true,
            "uniform" => false,
            other => return Err(output.problem(format!("is `{}`, which is not known", shown(other)))),
        };
        let has_margins = is_normal || record.version().is_some_and(|version| version < Version(0, 21));
        Ok(Self { references, columns, is_normal, has_margins })
    }

    fn apply(&self, value: f64, quantiles: &[f64]) -> f64 {
        let (first, last) = (quantiles[0], quantiles[quantiles.len() - 1]);
        let is_at = |is_low: bool| match (self.has_margins, is_low) {
            (false, true) => value == first,
            (false, false) => value == last,
            (true, true) => value - MARGIN < first,
            (true, false) => value + MARGIN > last,
        };
        if value.is_nan() {
            return value;
        }
        let share = if is_at(true) {
            0.0
        } else if is_at(false) {
            1.0
        } else {
            self.share(value, quantiles)
        };
        match (self.is_normal, self.has_margins) {
            (true, _) => clipped_normal(share),
            (false, true) => share.clamp(MARGIN - f64::EPSILON, 1.0 - (MARGIN - f64::EPSILON)),
            (false, false) => share,
        }
    }

    /// The mean of what two interpolations give, which differ where quantiles are equal.
    fn share(&self, value: f64, quantiles: &[f64]) -> f64 {
        let references = &self.references;
        if value < quantiles[0] {
            return references[0];
        }
        if value > quantiles[quantiles.len() - 1] {
            return references[references.len() - 1];
        }
        let above = quantiles.partition_point(|quantile| *quantile <= value);
        let not_below = quantiles.partition_point(|quantile| *quantile < value);
        let last = quantiles.len() - 1;
        let upper = self.between(quantiles, above.saturating_sub(1).min(last), above.min(last), value);
        let lower = self.between(quantiles, not_below.min(last), not_below.saturating_sub(1), value);
        f64::midpoint(upper, lower)
    }

    /// On the line from quantile `from` towards quantile `to`.
    fn between(&self, quantiles: &[f64], from: usize, to: usize, value: f64) -> f64 {
        if from == to || value == quantiles[from] {
            return self.references[from];
        }
        let slope = (self.references[to] - self.references[from]) / (quantiles[to] - quantiles[from]);
        slope * (value - quantiles[from]) + self.references[from]
    }
}

fn clipped_normal(share: f64) -> f64 {
    let margin = MARGIN - f64::EPSILON;
    normal_quantile(share).clamp(normal_quantile(margin), normal_quantile(1.0 - margin))
}

impl Transform for Quantiles {
    fn name(&self) -> &'static str {
        "QuantileTransformer"
    }

    fn features(&self) -> Option<usize> {
        Some(self.columns.len())
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
        for row in rows.iter_rows() {
            output.extend(row.iter().zip(&self.columns).map(|(value, quantiles)| self.apply(*value, quantiles)));
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        let step = if self.is_normal { 80.0 } else { 30.0 };
        step * columns as f64
    }
}
