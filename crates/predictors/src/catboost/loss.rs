//! Losses: what raw values become.

use crate::{Method, shown::shown};

use super::Error;

/// What a model was trained for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// A number, as it is: regression and ranking.
    Value,
    /// A number, of which the model knows the logarithm.
    Exponent,
    /// One of two classes.
    Binary,
    /// One of several classes.
    MultiClass,
    /// One of several classes, each against all others.
    OneVsAll,
}

impl Loss {
    pub(super) fn parse(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "RMSE" | "MAE" | "Quantile" | "MAPE" | "Huber" | "Lq" | "Expectile" | "LogCosh" => Self::Value,
            "QueryRMSE" | "QuerySoftMax" | "YetiRank" | "YetiRankPairwise" | "PairLogit" | "PairLogitPairwise" => {
                Self::Value
            }
            "Poisson" | "Tweedie" => Self::Exponent,
            "Logloss" | "CrossEntropy" => Self::Binary,
            "MultiClass" => Self::MultiClass,
            "MultiClassOneVsAll" => Self::OneVsAll,
            other => {
                let what = format!("the loss `{}`", shown(other));
                return Err(Error::unsupported(what, ""));
            }
        })
    }

    /// What it can answer with, the default first.
    pub(super) fn methods(self) -> &'static [Method] {
        match self {
            Self::Value | Self::Exponent => &[Method::Predict, Method::DecisionFunction],
            _ => &[Method::PredictProba, Method::Predict, Method::DecisionFunction],
        }
    }

    /// Whether a model of so many values for each row can be of this loss.
    pub(super) fn takes(self, outputs: usize) -> bool {
        match self {
            Self::Value | Self::Exponent | Self::Binary => outputs == 1,
            Self::MultiClass | Self::OneVsAll => outputs >= 2,
        }
    }
}
