//! The arithmetic of linear models: a dot product for each output, then what the model makes of it.

use provost_inference::{Features, MissingValues, OutputSchema, PredictError};

use crate::argmax::argmax;

use super::{
    Error,
    predictor::{Answer, Head},
    record::Record,
    transform::check_finite,
};

/// Scores are `weights · row + intercept`.
#[derive(Debug)]
pub(super) struct Linear {
    features: usize,
    /// One run of `features` weights for each output.
    weights: Vec<f64>,
    intercepts: Vec<f64>,
}

/// Whether `coef_` had one dimension (one output) or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimensions {
    One,
    Two,
}

impl Linear {
    /// Reads `coef_` and `intercept_`.
    pub(super) fn parse(record: &Record<'_>) -> Result<(Self, Dimensions), Error> {
        let coefficients = record.get("coef_")?;
        let (weights, shape) = coefficients.floats()?;
        let (outputs, features, dimensions) = match *shape {
            [features] => (1, features, Dimensions::One),
            [outputs, features] => (outputs, features, Dimensions::Two),
            _ => return Err(coefficients.problem(format!("has the shape {shape:?}"))),
        };
        if weights.is_empty() || !weights.iter().all(|weight| weight.is_finite()) {
            return Err(coefficients.problem("is empty, or holds a number that is not finite"));
        }
        let intercepts = intercepts(record, outputs)?;
        Ok((Self { features, weights, intercepts }, dimensions))
    }

    /// One output of these weights.
    pub(super) fn new(weights: Vec<f64>, intercepts: Vec<f64>) -> Option<Self> {
        let features = weights.len().checked_div(intercepts.len())?;
        let is_sound = features > 0 && weights.len() == features * intercepts.len();
        let is_finite = weights.iter().chain(&intercepts).all(|value| value.is_finite());
        (is_sound && is_finite).then_some(Self { features, weights, intercepts })
    }

    /// With so much more on every score.
    pub(super) fn shifted(mut self, shift: f64) -> Self {
        self.intercepts.iter_mut().for_each(|intercept| *intercept += shift);
        self
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    pub(super) fn outputs(&self) -> usize {
        self.intercepts.len()
    }

    /// Number of multiplications for a row.
    pub(super) fn weight_count(&self) -> usize {
        self.weights.len()
    }

    /// Appends the scores of a row.
    pub(super) fn score(&self, row: &[f64], output: &mut Vec<f64>) {
        for (weights, intercept) in self.weights.chunks_exact(self.features).zip(&self.intercepts) {
            output.push(dot(weights, row) + intercept);
        }
    }
}

/// Four sums at once, which the processor adds side by side.
pub(super) fn dot(weights: &[f64], row: &[f64]) -> f64 {
    let (weights, weights_rest) = weights.as_chunks::<4>();
    let (row, row_rest) = row.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (weights, values) in weights.iter().zip(row) {
        for lane in 0..4 {
            sums[lane] += weights[lane] * values[lane];
        }
    }
    let rest: f64 = weights_rest.iter().zip(row_rest).map(|(weight, value)| weight * value).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// The square of the Euclidean distance, in four sums at once.
#[expect(clippy::inline_always, reason = "loops that it is in are compiled for several processors")]
#[inline(always)]
pub(super) fn square_distance(one: &[f64], other: &[f64]) -> f64 {
    let (one, one_rest) = one.as_chunks::<4>();
    let (other, other_rest) = other.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (one, other) in one.iter().zip(other) {
        for lane in 0..4 {
            let difference = one[lane] - other[lane];
            sums[lane] += difference * difference;
        }
    }
    let rest: f64 = one_rest.iter().zip(other_rest).map(|(one, other)| (one - other) * (one - other)).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// `intercept_`: an array, or one number for all outputs where none was fitted.
fn intercepts(record: &Record<'_>, outputs: usize) -> Result<Vec<f64>, Error> {
    let attribute = record.get("intercept_")?;
    let (values, shape) = match attribute.float() {
        Some(value) => (vec![value], Box::default()),
        None => attribute.floats()?,
    };
    if shape.len() > 1 {
        return Err(attribute.problem(format!("has the shape {shape:?}")));
    }
    match values.len() {
        1 => Ok(vec![values[0]; outputs]),
        len if len == outputs => Ok(values),
        len => Err(attribute.problem(format!("has {len} values for {outputs} outputs"))),
    }
}

/// What becomes of a linear model's scores.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Finish {
    /// Nothing.
    Scores,
    /// One score becomes the probabilities of two classes, by the logistic function.
    LogisticPair,
    /// Each score becomes a probability by the logistic function; they are scaled to a sum of 1.
    OneVersusRest,
    /// Scores become probabilities by softmax.
    Softmax,
    /// One score and its negative become the probabilities of two classes, by softmax.
    SoftmaxPair,
    /// One score decides between two classes.
    Sign([f64; 2]),
    /// The highest score decides.
    Highest(Vec<f64>),
    /// Each score's exponential.
    Exponential,
    /// One score becomes the probabilities of two classes: from -1 to 1, in a straight line.
    ModifiedHuberPair,
    /// The same for each class; all are alike where none is above 0.
    ModifiedHuber,
    /// 1 where the score is not below 0, else -1.
    Novelty,
}

impl Finish {
    /// Works on the scores of one row, which stand in `output` from `start`.
    pub(super) fn apply(&self, start: usize, output: &mut Vec<f64>) {
        let scores = &mut output[start..];
        match self {
            Self::Scores => {}
            Self::LogisticPair => {
                let probability = logistic(scores[0]);
                scores[0] = 1.0 - probability;
                output.push(probability);
            }
            Self::OneVersusRest => one_versus_rest(scores),
            Self::Softmax => softmax(scores),
            Self::SoftmaxPair => {
                let score = scores[0];
                scores[0] = -score;
                output.push(score);
                softmax(&mut output[start..]);
            }
            Self::Sign(classes) => scores[0] = classes[usize::from(scores[0] > 0.0)],
            Self::Highest(classes) => {
                scores[0] = classes[argmax(scores)];
                output.truncate(start + 1);
            }
            Self::Exponential => scores.iter_mut().for_each(|score| *score = score.exp()),
            Self::ModifiedHuberPair => {
                let probability = clipped(scores[0]);
                scores[0] = 1.0 - probability;
                output.push(probability);
            }
            Self::ModifiedHuber => modified_huber(scores),
            Self::Novelty => scores[0] = if scores[0] >= 0.0 { 1.0 } else { -1.0 },
        }
    }
}

/// The probability by the modified Huber loss: `(min(max(score, -1), 1) + 1) / 2`.
fn clipped(score: f64) -> f64 {
    f64::midpoint(score.clamp(-1.0, 1.0), 1.0)
}

fn modified_huber(scores: &mut [f64]) {
    scores.iter_mut().for_each(|score| *score = clipped(*score));
    let mut sum: f64 = scores.iter().sum();
    if sum == 0.0 {
        scores.fill(1.0);
        sum = scores.iter().sum();
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

fn one_versus_rest(scores: &mut [f64]) {
    for score in scores.iter_mut() {
        *score = logistic(*score);
    }
    let sum: f64 = scores.iter().sum();
    for score in scores {
        *score /= sum;
    }
}

fn softmax(scores: &mut [f64]) {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for score in scores.iter_mut() {
        *score = (*score - highest).exp();
    }
    let sum: f64 = scores.iter().sum();
    for score in scores {
        *score /= sum;
    }
}

/// A linear model and what becomes of its scores.
#[derive(Debug)]
pub(super) struct LinearHead {
    pub(super) linear: Linear,
    pub(super) finish: Finish,
}

impl LinearHead {
    /// What answers with this head: linear models take no missing values.
    pub(super) fn answer(self, output: OutputSchema) -> Answer {
        Answer { head: Box::new(self), output, missing_values: MissingValues::Refused }
    }
}

impl Head for LinearHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        for row in rows.iter_rows() {
            let start = output.len();
            self.linear.score(row, output);
            self.finish.apply(start, output);
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self) -> f64 {
        30.0 + 0.5 * self.linear.weight_count() as f64 + 12.0 * self.linear.outputs() as f64
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn softmax_holds_for_scores_of_any_size() {
        let mut scores = [1e6, 0.0, -1e6];
        softmax(&mut scores);
        assert_eq!(scores, [1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_dot_product_counts_what_four_lanes_leave_over() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(dot(&values, &values), 91.0);
    }

    #[test]
    fn one_versus_rest_is_zero_over_zero_where_every_class_is_far_away() {
        let mut scores = [-1000.0, -1000.0];
        one_versus_rest(&mut scores);
        assert!(scores.iter().all(|probability| probability.is_nan()));
    }
}
