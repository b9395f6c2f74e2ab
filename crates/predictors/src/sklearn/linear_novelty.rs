//! `SGDOneClassSVM`: tells rows like those it was fitted on from others, by a score and an offset.

use provost_inference::{OutputKind, OutputSchema, OutputShape, Precision};

use crate::Method;

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    linear::{Finish, Linear, LinearHead},
    predictor::Answer,
    record::Record,
};

#[derive(Debug)]
pub(super) struct LinearNovelty {
    linear: Linear,
    offset: f64,
}

impl LinearNovelty {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let coefficients = record.get("coef_")?;
        let (weights, shape) = coefficients.floats()?;
        if shape.len() != 1 {
            return Err(coefficients.problem(format!("has the shape {shape:?}")));
        }
        let linear = Linear::new(weights, vec![0.0]).ok_or_else(|| coefficients.problem("is empty, or not finite"))?;
        let offset = record.get("offset_")?;
        let (values, _) = offset.floats()?;
        match values[..] {
            [offset] if offset.is_finite() => Ok(Self { linear, offset }),
            _ => Err(offset.problem("is not one number")),
        }
    }
}

impl Model for LinearNovelty {
    fn features(&self) -> Option<usize> {
        Some(self.linear.features())
    }

    fn methods(&self) -> Vec<Method> {
        vec![Method::Predict, Method::DecisionFunction, Method::ScoreSamples]
    }

    fn classes(&self) -> &[Classes] {
        &[]
    }

    /// The decision is the score minus the offset; 1 is for rows like the others, -1 for outliers.
    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let offset = if method == Method::ScoreSamples { 0.0 } else { self.offset };
        let finish = if method == Method::Predict { Finish::Novelty } else { Finish::Scores };
        let kind = if method == Method::Predict { OutputKind::Integer } else { OutputKind::Float };
        let output =
            OutputSchema { shape: OutputShape::Vector, kind, name: method.name(), precision: Precision::Double };
        Ok(LinearHead { linear: self.linear.shifted(-offset), finish }.answer(output))
    }
}
