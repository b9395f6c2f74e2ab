//! Objectives: what a margin becomes, and what margin a base score is.

use crate::shown::shown;

use super::{Error, model::Version};

/// What becomes of the margins of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Objective {
    /// Margins are the answer.
    Identity,
    /// The logistic function. Since 1.6 it never gives less than about 3e-39.
    Logistic { is_clamped: bool },
    /// Margins are the answer, but the base score is a probability: up to 1.2.
    LogisticMargin,
    /// 1 above 0, else 0.
    Hinge,
    /// The exponential function.
    Exponential,
    /// Probabilities of classes.
    Softmax,
    /// The class with the highest margin.
    HighestClass,
}

impl Objective {
    /// The objective of this name in files of this version.
    pub(super) fn parse(name: &str, version: Option<Version>) -> Result<Self, Error> {
        let is_since = |major, minor| version.is_some_and(|version| version.is_since(major, minor));
        Ok(match name {
            "reg:squarederror"
            | "reg:linear"
            | "reg:squaredlogerror"
            | "reg:pseudohubererror"
            | "reg:absoluteerror"
            | "reg:quantileerror" => Self::Identity,
            "rank:pairwise" | "rank:ndcg" | "rank:map" => Self::Identity,
            "binary:logistic" | "reg:logistic" => Self::Logistic { is_clamped: is_since(1, 6) },
            "binary:logitraw" if is_since(1, 3) => Self::Identity,
            "binary:logitraw" => Self::LogisticMargin,
            "binary:hinge" => Self::Hinge,
            "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => Self::Exponential,
            "multi:softprob" => Self::Softmax,
            "multi:softmax" => Self::HighestClass,
            other => {
                let what = format!("the objective `{}`", shown(other));
                return Err(Error::Unsupported { what, supported: "" });
            }
        })
    }

    /// Whether it needs one output for each class.
    pub(super) fn is_multi_class(self) -> bool {
        matches!(self, Self::Softmax | Self::HighestClass)
    }

    /// Whether the answer is a probability for each class.
    pub(super) fn is_probabilities(self) -> bool {
        self == Self::Softmax
    }

    /// Number of values in the answer for a row of `groups` margins.
    pub(super) fn width(self, groups: usize) -> usize {
        if self == Self::HighestClass { 1 } else { groups }
    }

    /// The margin that scores start from when the user gave `score`.
    pub(super) fn margin_of(self, score: f32) -> Result<f32, Error> {
        let margin = match self {
            Self::Logistic { .. } | Self::LogisticMargin => -(1.0 / score - 1.0).ln(),
            Self::Exponential => score.ln(),
            _ => score,
        };
        if margin.is_finite() {
            return Ok(margin);
        }
        Err(Error::malformed(format!("the base score {score} is not possible for its objective")))
    }

    /// Appends the answer for a row of margins, which are worked on in place.
    pub(super) fn answer(self, margins: &mut [f32], output: &mut Vec<f64>) {
        match self {
            Self::Identity | Self::LogisticMargin => {}
            Self::Logistic { is_clamped } => each(margins, |margin| logistic(margin, is_clamped)),
            Self::Hinge => each(margins, |margin| if margin > 0.0 { 1.0 } else { 0.0 }),
            Self::Exponential => each(margins, f32::exp),
            Self::Softmax => softmax(margins),
            Self::HighestClass => return output.push(highest(margins)),
        }
        output.extend(margins.iter().map(|margin| f64::from(*margin)));
    }
}

fn each(margins: &mut [f32], transform: impl Fn(f32) -> f32) {
    for margin in margins {
        *margin = transform(*margin);
    }
}

fn logistic(margin: f32, is_clamped: bool) -> f32 {
    let exponent = if is_clamped { (-margin).min(88.7) } else { -margin };
    1.0 / (exponent.exp() + 1.0)
}

/// The sum is kept in 64 bits, as in XGBoost.
#[expect(clippy::cast_possible_truncation, reason = "as XGBoost rounds the sum")]
fn softmax(margins: &mut [f32]) {
    let highest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for margin in margins.iter_mut() {
        *margin = (*margin - highest).exp();
        sum += f64::from(*margin);
    }
    each(margins, |margin| margin / sum as f32);
}

/// Index of the highest margin, the first of equals.
#[expect(clippy::cast_precision_loss, reason = "a class number")]
fn highest(margins: &[f32]) -> f64 {
    let mut best = 0;
    for (index, margin) in margins.iter().enumerate() {
        if *margin > margins[best] {
            best = index;
        }
    }
    best as f64
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_logistic_function_is_clamped_since_1_6() {
        assert_eq!(logistic(-200.0, true), 3.006_636e-39);
        assert_eq!(logistic(-200.0, false), 0.0);
        assert_eq!(logistic(-87.0, true), 1.645_811_5e-38);
    }

    #[test]
    fn a_base_score_that_is_no_probability_is_refused_for_a_logistic_objective() {
        let objective = Objective::parse("binary:logistic", None).unwrap();
        assert_eq!(objective.margin_of(0.5).unwrap(), 0.0);
        for score in [0.0, 1.0, 1.5, -1.0, f32::NAN] {
            assert!(objective.margin_of(score).is_err(), "{score}");
        }
    }

    #[test]
    fn an_unknown_objective_is_refused_by_name() {
        let error = Objective::parse("my:objective", None).unwrap_err();
        assert_eq!(error.to_string(), "the objective `my:objective` is not supported");
    }
}
