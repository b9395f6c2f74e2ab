//! `LinearRegression`: one target, or several.

use provost_inference::{OutputKind, OutputSchema, OutputShape, Precision};

use crate::Method;

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    linear::{Dimensions, Finish, Linear, LinearHead},
    predictor::Answer,
    record::Record,
};

#[derive(Debug)]
pub(super) struct LinearRegression {
    linear: Linear,
    dimensions: Dimensions,
}

impl LinearRegression {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let (linear, dimensions) = Linear::parse(record)?;
        Ok(Self { linear, dimensions })
    }

    /// A model fitted on a column of targets answers with a column, as scikit-learn does.
    fn head(self) -> (LinearHead, OutputSchema) {
        let shape = match self.dimensions {
            Dimensions::One => OutputShape::Vector,
            Dimensions::Two => OutputShape::Matrix(self.linear.outputs()),
        };
        let head = LinearHead { linear: self.linear, finish: Finish::Scores };
        let name = Method::Predict.name();
        (head, OutputSchema { shape, kind: OutputKind::Float, name, precision: Precision::Double })
    }
}

impl Model for LinearRegression {
    fn features(&self) -> Option<usize> {
        Some(self.linear.features())
    }

    fn methods(&self) -> Vec<Method> {
        vec![Method::Predict]
    }

    fn classes(&self) -> &[Classes] {
        &[]
    }

    fn answer(self: Box<Self>, _method: Method, _features: usize) -> Result<Answer, Error> {
        let (head, output) = self.head();
        Ok(head.answer(output))
    }
}
