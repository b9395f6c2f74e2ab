//! From what a booster says to what its scikit-learn interface answers.

use std::time::Duration;

use provost_inference::{Features, OutputKind, OutputShape, Precision, Predict, PredictError, Schema};

use crate::{Method, argmax::argmax, estimators::Role};

use super::{super::predictor::Head, Boosted, Error};

/// A booster that answers with one method.
#[derive(Debug)]
pub(in crate::sklearn) struct BoostedPredictor {
    schema: Schema,
    class_labels: Option<Box<[Box<str>]>>,
    booster: Box<dyn Predict>,
    answer: Answer,
    missing: Option<f32>,
}

/// What becomes of the values of a row.
#[derive(Debug)]
enum Answer {
    /// They are the answer.
    Same,
    /// One probability becomes two, in 32 bits or in 64.
    BothClasses(Precision),
    /// The class that has the highest value, or the second if the only value is above one half.
    Class(Box<[f64]>),
    /// The class that has this number.
    ClassOf(Box<[f64]>),
    /// Whether each label holds.
    Labels,
}

impl Boosted {
    /// What answers with `method`, one of its methods.
    pub(in crate::sklearn) fn predictor(self, method: Method) -> Result<BoostedPredictor, Error> {
        let answer = self.answer(method);
        let (names, kind) = (self.class_names(), self.classes.as_ref().map(super::Classes::output_kind));
        let booster = self.source.predictor(method)?;
        let mut schema = booster.schema().clone();
        schema.output.name = method.name();
        match &answer {
            Answer::Same => {}
            Answer::BothClasses(_) => schema.output.shape = OutputShape::Matrix(2),
            Answer::Class(_) | Answer::ClassOf(_) => {
                schema.output.shape = OutputShape::Vector;
                schema.output.kind = kind.unwrap_or(OutputKind::Integer);
            }
            Answer::Labels => schema.output.kind = OutputKind::Integer,
        }
        let has_labels = method == Method::PredictProba && names.len() == schema.output.width() && !names.is_empty();
        let labels = names.into_iter().map(String::into_boxed_str);
        let class_labels = if has_labels { Some(labels.collect()) } else { booster.class_labels().map(Into::into) };
        Ok(BoostedPredictor { schema, class_labels, booster, answer, missing: self.missing })
    }

    fn answer(&self, method: Method) -> Answer {
        if self.role != Role::Classifier {
            return Answer::Same;
        }
        let is_single = self.source.outputs() == 1;
        let is_class_known = is_single || self.source.is_multi_class();
        let precision =
            if self.source.library() == crate::estimators::XGBOOST { Precision::Single } else { Precision::Double };
        match method {
            Method::PredictProba if is_single => Answer::BothClasses(precision),
            Method::Predict if self.source.is_class() => Answer::ClassOf(self.class_values()),
            Method::Predict if is_class_known => Answer::Class(self.class_values()),
            Method::Predict => Answer::Labels,
            _ => Answer::Same,
        }
    }

    /// What stands for each class in the output.
    fn class_values(&self) -> Box<[f64]> {
        self.classes.as_ref().map(super::Classes::values).unwrap_or_default().into()
    }
}

impl Answer {
    /// Turns `rows` of values from `first` on into answers.
    fn apply(&self, rows: usize, first: usize, output: &mut Vec<f64>) {
        let width = (output.len() - first) / rows.max(1);
        match self {
            Self::Same => {}
            Self::BothClasses(precision) => both_classes(*precision, rows, first, output),
            Self::Class(values) => shrink(rows, first, output, |row| {
                let highest = if width == 1 { usize::from(row[0] > 0.5) } else { argmax(row) };
                values[highest]
            }),
            Self::ClassOf(values) => shrink(rows, first, output, |row| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number of a class")]
                let class = row[0] as usize;
                values[class.min(values.len() - 1)]
            }),
            Self::Labels => output[first..].iter_mut().for_each(|value| *value = f64::from(u8::from(*value > 0.5))),
        }
    }
}

/// Puts the probability of the first class before that of the second, from the last row on.
#[expect(clippy::cast_possible_truncation, reason = "XGBoost's probabilities are 32-bit floats")]
fn both_classes(precision: Precision, rows: usize, first: usize, output: &mut Vec<f64>) {
    output.resize(first + 2 * rows, 0.0);
    for row in (0..rows).rev() {
        let second = output[first + row];
        let other = match precision {
            Precision::Single => f64::from(1.0 - second as f32),
            Precision::Double => 1.0 - second,
        };
        output[first + 2 * row] = other;
        output[first + 2 * row + 1] = second;
    }
}

/// Puts one value in the place of each row's.
fn shrink(rows: usize, first: usize, output: &mut Vec<f64>, value: impl Fn(&[f64]) -> f64) {
    let width = (output.len() - first) / rows.max(1);
    for row in 0..rows {
        output[first + row] = value(&output[first + row * width..][..width]);
    }
    output.truncate(first + rows);
}

impl Predict for BoostedPredictor {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn predict(&self, input: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let first = output.len();
        match self.missing {
            Some(missing) if input.columns() == self.schema.features => {
                let values: Vec<_> = input.values().iter().map(|value| without(missing, *value)).collect();
                if let Some(rows) = Features::new(input.rows(), input.columns(), &values) {
                    self.booster.predict(&rows, output)?;
                }
            }
            _ => self.booster.predict(input, output)?,
        }
        self.answer.apply(input.rows(), first, output);
        Ok(())
    }

    fn class_labels(&self) -> Option<&[Box<str>]> {
        self.class_labels.as_deref()
    }

    fn row_cost(&self) -> Duration {
        self.booster.row_cost()
    }
}

impl Head for BoostedPredictor {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        Predict::predict(self, rows, output)
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self) -> f64 {
        self.row_cost().as_nanos() as f64
    }
}

/// The value, or NaN where it is the one that stands for missing.
#[expect(clippy::cast_possible_truncation, clippy::float_cmp, reason = "as XGBoost compares them")]
fn without(missing: f32, value: f64) -> f64 {
    if value as f32 == missing { f64::NAN } else { value }
}
