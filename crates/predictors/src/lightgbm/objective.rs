//! Objectives: what raw scores become.

use crate::shown::shown;

use super::Error;

/// What becomes of the raw scores of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Objective {
    /// Scores are the answer.
    Identity,
    /// Squares that keep their sign: `reg_sqrt`.
    SignedSquare,
    /// The exponential function.
    Exponential,
    /// The logistic function of the score times `sigmoid`.
    Logistic { sigmoid: f64 },
    /// The logarithm of one plus the exponential function.
    Softplus,
    /// Probabilities of classes.
    Softmax,
}

impl Objective {
    /// The objective of a file: a name, and parameters such as `sigmoid:1`.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut words = text.split_ascii_whitespace();
        let name = words.next().unwrap_or_default();
        let has_square = words.clone().any(|word| word == "sqrt");
        Ok(match name {
            "regression" | "regression_l2" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" if has_square => {
                Self::SignedSquare
            }
            "regression" | "regression_l2" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" => Self::Identity,
            "lambdarank" | "rank_xendcg" | "custom" | "none" | "" => Self::Identity,
            "poisson" | "gamma" | "tweedie" => Self::Exponential,
            "binary" | "multiclassova" => Self::Logistic { sigmoid: sigmoid(words)? },
            "cross_entropy" | "xentropy" => Self::Logistic { sigmoid: 1.0 },
            "cross_entropy_lambda" | "xentlambda" => Self::Softplus,
            "multiclass" => Self::Softmax,
            other => {
                let what = format!("the objective `{}`", shown(other));
                return Err(Error::Unsupported { what, supported: "" });
            }
        })
    }

    /// Turns the scores of one row into the answer.
    pub(super) fn apply(self, scores: &mut [f64]) {
        match self {
            Self::Identity => {}
            Self::SignedSquare => each(scores, |score| score.signum() * score * score),
            Self::Exponential => each(scores, f64::exp),
            Self::Logistic { sigmoid } => each(scores, |score| 1.0 / (1.0 + (-sigmoid * score).exp())),
            Self::Softplus => each(scores, |score| score.exp().ln_1p()),
            Self::Softmax => softmax(scores),
        }
    }
}

fn sigmoid<'a>(words: impl Iterator<Item = &'a str>) -> Result<f64, Error> {
    let mut values = words.filter_map(|word| word.strip_prefix("sigmoid:"));
    let sigmoid = values.next().map_or(Ok(1.0), str::parse);
    let sigmoid = sigmoid.ok().filter(|sigmoid: &f64| sigmoid.is_finite() && *sigmoid > 0.0);
    sigmoid.ok_or_else(|| Error::malformed("`sigmoid` is no number above zero"))
}

fn each(scores: &mut [f64], transform: impl Fn(f64) -> f64) {
    for score in scores {
        *score = transform(*score);
    }
}

fn softmax(scores: &mut [f64]) {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - highest).exp();
        sum += *score;
    }
    each(scores, |score| score / sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_objectives_are_read_and_others_passed_over() {
        assert_eq!(Objective::parse("binary sigmoid:0.7").unwrap(), Objective::Logistic { sigmoid: 0.7 });
        assert_eq!(Objective::parse("quantile alpha:0.9").unwrap(), Objective::Identity);
        assert_eq!(Objective::parse("regression sqrt").unwrap(), Objective::SignedSquare);
        for text in ["binary sigmoid:x", "binary sigmoid:-1", "binary sigmoid:nan"] {
            assert!(Objective::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_unknown_objective_is_refused_by_name() {
        let error = Objective::parse("my_loss").unwrap_err();
        assert_eq!(error.to_string(), "the objective `my_loss` is not supported");
    }
}
