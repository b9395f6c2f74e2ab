//! The predictor that a model becomes.

use std::{sync::Arc, time::Duration};

use provost_inference::{
    Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, Predict, PredictError, Schema,
};

use crate::{Method, argmax::argmax};

use super::{
    loss::Loss,
    model::{Model, Trees},
};

/// Features of a row that fit on the stack.
const SMALL: usize = 64;

/// Adds up what the leaves of trees hold, and answers as the loss has it.
#[derive(Debug)]
pub(super) struct CatboostPredictor {
    schema: Schema,
    class_labels: Option<Box<[Box<str>]>>,
    nan_is_above: Box<[bool]>,
    trees: Trees,
    scale: f64,
    bias: Box<[f64]>,
    answer: Answer,
}

/// What becomes of the values of a row.
#[derive(Debug)]
enum Answer {
    Same,
    Exponent,
    BothClasses,
    Softmax,
    Logistic,
    /// The class of the highest value, or the second if the only value is above zero.
    Class(Box<[f64]>),
}

impl CatboostPredictor {
    pub(super) fn new(model: Model, method: Method) -> Self {
        let answer = answer(&model, method);
        let names = model.labels.names().into_iter().map(String::into_boxed_str);
        let class_labels = (method == Method::PredictProba && model.labels.len() > 0).then(|| names.collect());
        let schema = schema(&model, method, &answer);
        let Model { nan_is_above, trees, scale, bias, .. } = model;
        Self { schema, class_labels, nan_is_above, trees, scale, bias, answer }
    }

    fn predict_row(&self, row: &[f64], narrow: &mut [f32], output: &mut Vec<f64>) {
        for ((value, into), nan_is_above) in row.iter().zip(narrow.iter_mut()).zip(&self.nan_is_above) {
            #[expect(clippy::cast_possible_truncation, reason = "as CatBoost compares values")]
            let value = *value as f32;
            *into = if value.is_nan() && *nan_is_above { f32::INFINITY } else { value };
        }
        let first = output.len();
        output.resize(first + self.bias.len(), 0.0);
        let sums = &mut output[first..];
        self.trees.add_to(narrow, sums);
        sums.iter_mut().zip(&self.bias).for_each(|(sum, bias)| *sum = *sum * self.scale + bias);
        self.answer.apply(first, output);
    }
}

fn answer(model: &Model, method: Method) -> Answer {
    let classes = if model.loss == Loss::Binary { 2 } else { model.bias.len() };
    match (method, model.loss) {
        (Method::Predict, Loss::Exponent) => Answer::Exponent,
        (Method::Predict, Loss::Binary | Loss::MultiClass | Loss::OneVsAll) => {
            Answer::Class(model.labels.values(classes))
        }
        (Method::PredictProba, Loss::Binary) => Answer::BothClasses,
        (Method::PredictProba, Loss::MultiClass) => Answer::Softmax,
        (Method::PredictProba, Loss::OneVsAll) => Answer::Logistic,
        _ => Answer::Same,
    }
}

fn schema(model: &Model, method: Method, answer: &Answer) -> Schema {
    let width = match answer {
        Answer::BothClasses => 2,
        Answer::Class(_) => 1,
        _ => model.bias.len(),
    };
    let names = model.feature_names.as_ref();
    Schema {
        features: model.features(),
        feature_names: names.map(|names| names.iter().map(|name| name.as_str().into()).collect::<Arc<_>>()),
        missing_values: MissingValues::Accepted,
        output: OutputSchema {
            shape: if width == 1 { OutputShape::Vector } else { OutputShape::Matrix(width) },
            kind: if matches!(answer, Answer::Class(_)) { model.labels.output_kind() } else { OutputKind::Float },
            name: method.name(),
            precision: Precision::Double,
        },
    }
}

impl Answer {
    /// Turns the values from `first` on into the answer for a row.
    fn apply(&self, first: usize, output: &mut Vec<f64>) {
        let values = &mut output[first..];
        match self {
            Self::Same => {}
            Self::Exponent => values.iter_mut().for_each(|value| *value = value.exp()),
            Self::Logistic => values.iter_mut().for_each(|value| *value = logistic(*value)),
            Self::Softmax => softmax(values),
            Self::BothClasses => {
                let value = values[0];
                values[0] = logistic(-value);
                output.push(logistic(value));
            }
            Self::Class(labels) => {
                let class = if values.len() == 1 { usize::from(values[0] > 0.0) } else { argmax(values) };
                output.truncate(first);
                output.push(labels[class]);
            }
        }
    }
}

fn logistic(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

fn softmax(values: &mut [f64]) {
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for value in values.iter_mut() {
        *value = (*value - highest).exp();
        sum += *value;
    }
    values.iter_mut().for_each(|value| *value /= sum);
}

impl Predict for CatboostPredictor {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn predict(&self, input: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let (expected, actual) = (self.schema.features, input.columns());
        if actual != expected {
            return Err(PredictError::FeatureCount { expected, actual });
        }
        output.reserve(input.rows() * self.bias.len().max(self.schema.output.width()));
        let mut small = [0.0; SMALL];
        let mut large = vec![0.0; if expected > SMALL { expected } else { 0 }];
        let narrow = if expected > SMALL { &mut large[..] } else { &mut small[..expected] };
        for row in input.iter_rows() {
            self.predict_row(row, narrow, output);
        }
        Ok(())
    }

    fn class_labels(&self) -> Option<&[Box<str>]> {
        self.class_labels.as_deref()
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn row_cost(&self) -> Duration {
        let steps = self.trees.splits.len() + self.trees.trees.len() * (2 + self.bias.len());
        Duration::from_secs_f64((30.0 + steps as f64) * 1e-9)
    }
}
