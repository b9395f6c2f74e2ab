//! Distances between rows.

use crate::{pickle::Node, shown::shown};

use super::super::{
    Error,
    linear::{dot, square_distance},
    record::Record,
};

/// How far rows are from each other. Some are compared by a simpler number of the same order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Metric {
    Euclidean,
    Manhattan,
    Chebyshev,
    Minkowski(f64),
    Cosine,
}

impl Metric {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let attribute = record.get("effective_metric_")?;
        let Some(name) = attribute.text_if_any() else { return Err(record.calls_a_function()) };
        Ok(match name {
            "euclidean" | "l2" => Self::Euclidean,
            "manhattan" | "cityblock" | "l1" => Self::Manhattan,
            "chebyshev" | "infinity" => Self::Chebyshev,
            "cosine" => Self::Cosine,
            "minkowski" => Self::minkowski(exponent(record)?),
            other => {
                return Err(attribute.problem(format!(
                    "is `{}`; supported are euclidean, manhattan, chebyshev, minkowski and cosine",
                    shown(other)
                )));
            }
        })
    }

    fn minkowski(exponent: f64) -> Self {
        if exponent.is_infinite() {
            Self::Chebyshev
        } else if (exponent - 1.0).abs() < f64::EPSILON {
            Self::Manhattan
        } else if (exponent - 2.0).abs() < f64::EPSILON {
            Self::Euclidean
        } else {
            Self::Minkowski(exponent)
        }
    }

    /// A number that is the greater the farther two rows are apart.
    pub(super) fn rank(self, one: &[f64], other: &[f64]) -> f64 {
        let differences = || one.iter().zip(other).map(|(one, other)| (one - other).abs());
        match self {
            Self::Euclidean => square_distance(one, other),
            Self::Manhattan => differences().sum(),
            Self::Chebyshev => differences().fold(0.0, f64::max),
            Self::Minkowski(exponent) => differences().map(|difference| difference.powf(exponent)).sum(),
            Self::Cosine => (1.0 - dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()).clamp(0.0, 2.0),
        }
    }

    /// The distance of a rank.
    pub(super) fn distance(self, rank: f64) -> f64 {
        match self {
            Self::Euclidean => rank.sqrt(),
            Self::Minkowski(exponent) => rank.powf(exponent.recip()),
            Self::Manhattan | Self::Chebyshev | Self::Cosine => rank,
        }
    }

    /// The rank of a distance.
    pub(super) fn rank_of(self, distance: f64) -> f64 {
        match self {
            Self::Euclidean => distance * distance,
            Self::Minkowski(exponent) => distance.powf(exponent),
            Self::Manhattan | Self::Chebyshev | Self::Cosine => distance,
        }
    }

    /// An estimate of the time for one pair of rows.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn cost_nanoseconds(self, features: usize) -> f64 {
        let step = match self {
            Self::Euclidean | Self::Manhattan | Self::Chebyshev => 1.0,
            Self::Cosine => 2.0,
            Self::Minkowski(_) => 15.0,
        };
        2.0 + step * features as f64
    }
}

/// `p` of the metric, of which there may be weights.
fn exponent(record: &Record<'_>) -> Result<f64, Error> {
    let attribute = record.get("effective_metric_params_")?;
    let Node::Dict(entries) = attribute.pickle.node(attribute.id) else {
        return Err(attribute.problem("is no dictionary"));
    };
    attribute.pickle.charge(entries.len()).map_err(|_| Error::OverBudget)?;
    if let Some(weights) = attribute.pickle.entry(entries, "w")
        && !matches!(attribute.pickle.node(weights), Node::None)
    {
        return Err(attribute.problem("has weights `w`, which are not supported"));
    }
    let exponent = attribute.pickle.entry(entries, "p").and_then(|id| attribute.element(id).float()).unwrap_or(2.0);
    if exponent > 0.0 { Ok(exponent) } else { Err(attribute.problem("has a `p` that is not above 0")) }
}
