//! `TransformedTargetRegressor`: a regressor of scaled targets, whose answers are scaled back.

use provost_inference::{Features, OutputSchema, OutputShape, PredictError};

use crate::{Method, estimators::Class};

use super::{
    Error,
    classes::Classes,
    estimator::{self, Fitted, Model},
    predictor::{Answer, Head},
    record::Record,
    transformers::Transformer,
};

#[derive(Debug)]
pub(super) struct TransformedTarget {
    regressor: Fitted,
    /// A factor and a summand for each output; none where targets are as they were.
    scales: Vec<Scale>,
    is_vector: bool,
}

/// What is done to undo a scaler: in its order, so that the last bit is the same.
#[derive(Debug, Clone, Copy)]
enum Scale {
    /// Of `StandardScaler`.
    MultiplyAdd(f64, f64),
    /// Of `MinMaxScaler`.
    SubtractDivide(f64, f64),
}

impl Scale {
    fn undo(self, value: f64) -> f64 {
        match self {
            Self::MultiplyAdd(factor, summand) => value * factor + summand,
            Self::SubtractDivide(subtrahend, divisor) => (value - subtrahend) / divisor,
        }
    }
}

pub(super) fn extract(record: &Record<'_>, depth: usize) -> Result<Fitted, Error> {
    let regressor = estimator::extract_nested(record.pickle, record.get("regressor_")?.id, depth + 1)?;
    if !regressor.methods().contains(&Method::Predict) || !regressor.classes().is_empty() {
        return Err(record.problem("regressor_", "is no regressor"));
    }
    let scales = scales(record)?;
    let is_vector = record.get("_training_dim")?.count()? == 1;
    let name = format!("TransformedTargetRegressor({})", regressor.name);
    let fitted = Fitted::model(record, TransformedTarget { regressor, scales, is_vector })?;
    Ok(Fitted { name, ..fitted })
}

fn scales(record: &Record<'_>) -> Result<Vec<Scale>, Error> {
    let attribute = record.get("transformer_")?;
    let transformer = Record::parse(record.pickle, attribute.id)?;
    let column = |name| -> Result<Vec<f64>, Error> { Ok(transformer.get(name)?.floats()?.0) };
    match transformer.estimator.class {
        Class::Transformer(Transformer::Function) => {
            let has_function = ["func", "inverse_func"].iter().any(|name| transformer.some(name).is_some());
            if has_function { Err(transformer.calls_a_function()) } else { Ok(Vec::new()) }
        }
        Class::StandardScaler => {
            let has = |name| transformer.get(name)?.truth();
            let factors = if has("with_std")? { Some(column("scale_")?) } else { None };
            let summands = if has("with_mean")? { Some(column("mean_")?) } else { None };
            Ok(standard_scales(factors, summands))
        }
        Class::MinMaxScaler if !transformer.is_true("clip")? => {
            let scales = column("min_")?.into_iter().zip(column("scale_")?);
            Ok(scales.map(|(min, scale)| Scale::SubtractDivide(min, scale)).collect())
        }
        _ => Err(attribute.problem(format!(
            "is a `{}`; supported are StandardScaler and MinMaxScaler without `clip`",
            transformer.estimator.name
        ))),
    }
}

fn standard_scales(factors: Option<Vec<f64>>, summands: Option<Vec<f64>>) -> Vec<Scale> {
    match (factors, summands) {
        (Some(factors), Some(summands)) => {
            factors.into_iter().zip(summands).map(|(factor, summand)| Scale::MultiplyAdd(factor, summand)).collect()
        }
        (Some(factors), None) => factors.into_iter().map(|factor| Scale::MultiplyAdd(factor, 0.0)).collect(),
        (None, Some(summands)) => summands.into_iter().map(|summand| Scale::MultiplyAdd(1.0, summand)).collect(),
        (None, None) => Vec::new(),
    }
}

impl Model for TransformedTarget {
    fn features(&self) -> Option<usize> {
        self.regressor.features
    }

    fn methods(&self) -> Vec<Method> {
        vec![Method::Predict]
    }

    fn classes(&self) -> &[Classes] {
        &[]
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let Self { regressor, scales, is_vector } = *self;
        let name = regressor.name.clone();
        let Answer { head, output, missing_values } = regressor.answer(method)?;
        let width = output.width();
        if !scales.is_empty() && scales.len() != width || is_vector && width != 1 {
            let problem = format!("has {} columns for {width} outputs", scales.len());
            return Err(Error::Attribute { estimator: name, attribute: "transformer_", problem });
        }
        let shape = if is_vector { OutputShape::Vector } else { OutputShape::Matrix(width) };
        let output = OutputSchema { shape, ..output };
        Ok(Answer { head: Box::new(TargetHead { head, scales }), output, missing_values })
    }
}

#[derive(Debug)]
struct TargetHead {
    head: Box<dyn Head>,
    scales: Vec<Scale>,
}

impl Head for TargetHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let start = output.len();
        self.head.predict(rows, output)?;
        for row in output[start..].chunks_exact_mut(self.scales.len().max(1)) {
            row.iter_mut().zip(&self.scales).for_each(|(value, scale)| *value = scale.undo(*value));
        }
        Ok(())
    }

    fn cost_nanoseconds(&self) -> f64 {
        self.head.cost_nanoseconds() + 2.0
    }
}
