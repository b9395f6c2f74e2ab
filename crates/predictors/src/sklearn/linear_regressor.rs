//! Linear regressors, whatever they were fitted by, and those whose targets are the exponential of a score.

use provost_inference::{OutputKind, OutputSchema, OutputShape, Precision};

use crate::{Method, shown::shown};

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    linear::{Dimensions, Finish, Linear, LinearHead},
    predictor::Answer,
    record::Record,
};

/// What stands between a score and the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// Nothing.
    Identity,
    /// The target is the score's exponential.
    Log,
    /// The model says which: `TweedieRegressor`.
    Told,
}

#[derive(Debug)]
pub(super) struct LinearRegressor {
    linear: Linear,
    dimensions: Dimensions,
    finish: Finish,
}

impl LinearRegressor {
    pub(super) fn parse(record: &Record<'_>, link: Link) -> Result<Self, Error> {
        let (linear, dimensions) = Linear::parse(record)?;
        let is_log = match link {
            Link::Identity => false,
            Link::Log => true,
            Link::Told => has_log_link(record)?,
        };
        Ok(Self { linear, dimensions, finish: if is_log { Finish::Exponential } else { Finish::Scores } })
    }
}

/// `link` of a `TweedieRegressor`; `auto` is the identity for the normal distribution only.
fn has_log_link(record: &Record<'_>) -> Result<bool, Error> {
    let link = record.get("link")?;
    match link.text()? {
        "identity" => Ok(false),
        "log" => Ok(true),
        "auto" => {
            let power = record.get("power")?;
            let power = power.float().ok_or_else(|| power.problem("is not a number"))?;
            Ok(power > 0.0)
        }
        other => Err(link.problem(format!("is `{}`, which is not known", shown(other)))),
    }
}

impl Model for LinearRegressor {
    fn features(&self) -> Option<usize> {
        Some(self.linear.features())
    }

    fn methods(&self) -> Vec<Method> {
        vec![Method::Predict]
    }

    fn classes(&self) -> &[Classes] {
        &[]
    }

    /// A model fitted on a column of targets answers with a column, as scikit-learn does.
    fn answer(self: Box<Self>, _method: Method, _features: usize) -> Result<Answer, Error> {
        let shape = match self.dimensions {
            Dimensions::One => OutputShape::Vector,
            Dimensions::Two => OutputShape::Matrix(self.linear.outputs()),
        };
        let head = LinearHead { linear: self.linear, finish: self.finish };
        let (kind, name) = (OutputKind::Float, Method::Predict.name());
        Ok(head.answer(OutputSchema { shape, kind, name, precision: Precision::Double }))
    }
}
