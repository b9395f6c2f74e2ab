//! `PowerTransformer`: powers that make columns look normal.
//!
//! Yeo and Johnson, A new family of power transformations to improve normality or symmetry (2000); Box and Cox, An
//! analysis of transformations (1964).

use provost_inference::{Features, PredictError};

use crate::shown::shown;

use super::super::{
    Error,
    record::Record,
    scalers::Scaler,
    transform::{Missing, Transform, check_not_infinite},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    YeoJohnson,
    /// Of values above 0 only.
    BoxCox,
}

#[derive(Debug)]
pub(super) struct Power {
    family: Family,
    lambdas: Vec<f64>,
    scaler: Option<Scaler>,
}

impl Power {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let method = record.get("method")?;
        let family = match method.text()? {
            "yeo-johnson" => Family::YeoJohnson,
            "box-cox" => Family::BoxCox,
            other => return Err(method.problem(format!("is `{}`, which is not known", shown(other)))),
        };
        let attribute = record.get("lambdas_")?;
        let (lambdas, _) = attribute.floats()?;
        if lambdas.is_empty() {
            return Err(attribute.problem("is empty"));
        }
        let standardizes = record.get("standardize")?.truth()?;
        let scaler = standardizes.then(|| Scaler::parse(&record.nested("_scaler")?)).transpose()?;
        if scaler.as_ref().and_then(Transform::features).is_some_and(|features| features != lambdas.len()) {
            return Err(attribute.problem("is of another number of features than `_scaler`"));
        }
        Ok(Self { family, lambdas, scaler })
    }

    fn apply(&self, value: f64, lambda: f64) -> f64 {
        match self.family {
            Family::YeoJohnson => yeo_johnson(value, lambda),
            Family::BoxCox => box_cox(value, lambda),
        }
    }
}

fn yeo_johnson(value: f64, lambda: f64) -> f64 {
    if value >= 0.0 {
        if lambda.abs() < f64::EPSILON { value.ln_1p() } else { ((value + 1.0).powf(lambda) - 1.0) / lambda }
    } else if (lambda - 2.0).abs() > f64::EPSILON {
        -((1.0 - value).powf(2.0 - lambda) - 1.0) / (2.0 - lambda)
    } else {
        -(-value).ln_1p()
    }
}

fn box_cox(value: f64, lambda: f64) -> f64 {
    if lambda.abs() < 1e-19 { value.ln() } else { (lambda * value.ln()).exp_m1() / lambda }
}

impl Transform for Power {
    fn name(&self) -> &'static str {
        "PowerTransformer"
    }

    fn features(&self) -> Option<usize> {
        Some(self.lambdas.len())
    }

    fn width(&self, columns: usize) -> usize {
        columns
    }

    fn missing(&self) -> Missing {
        Missing::PASSED
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_not_infinite(rows)?;
        let start = output.len();
        for (row, values) in rows.iter_rows().enumerate() {
            if self.family == Family::BoxCox
                && let Some(value) = values.iter().find(|value| **value <= 0.0)
            {
                return Err(PredictError::StepValue { row, step: self.name(), value: value.ln() });
            }
            output.extend(values.iter().zip(&self.lambdas).map(|(value, lambda)| self.apply(*value, *lambda)));
        }
        if let Some(scaler) = &self.scaler {
            scaler.scale(&mut output[start..], rows.columns());
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        25.0 * columns as f64
    }
}
