//! Kernels: how alike two rows are.

use multiversion::multiversion;

use crate::shown::shown;

use super::{
    super::{
        Error,
        linear::{dot, square_distance},
        record::Record,
    },
    exponential,
};

/// A kernel with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kernel {
    Linear,
    /// `(gamma x·y + coef0) ^ degree`
    Polynomial {
        gamma: f64,
        coef0: f64,
        degree: i32,
    },
    /// `exp(-gamma |x - y|²)`
    Radial {
        gamma: f64,
    },
    /// `tanh(gamma x·y + coef0)`
    Sigmoid {
        gamma: f64,
        coef0: f64,
    },
}

impl Kernel {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let attribute = record.get("kernel")?;
        let Some(name) = attribute.text_if_any() else { return Err(record.calls_a_function()) };
        Ok(match name {
            "linear" => Self::Linear,
            "rbf" => Self::Radial { gamma: record.number("_gamma")? },
            "poly" => Self::Polynomial {
                gamma: record.number("_gamma")?,
                coef0: record.number("coef0")?,
                degree: degree(record)?,
            },
            "sigmoid" => Self::Sigmoid { gamma: record.number("_gamma")?, coef0: record.number("coef0")? },
            "precomputed" => return Err(attribute.problem("is `precomputed`: rows would be kernels, not features")),
            other => return Err(attribute.problem(format!("is `{}`, which is not known", shown(other)))),
        })
    }

    /// The kernel of a row with each of some vectors, one after the other.
    pub(super) fn evaluate(self, row: &[f64], vectors: &[f64], into: &mut [f64]) {
        let pairs = vectors.chunks_exact(row.len().max(1)).zip(&mut *into);
        match self {
            Self::Linear => pairs.for_each(|(vector, into)| *into = dot(vector, row)),
            Self::Polynomial { gamma, coef0, degree } => {
                pairs.for_each(|(vector, into)| *into = (gamma * dot(vector, row) + coef0).powi(degree));
            }
            Self::Radial { gamma } => {
                square_distances(row, vectors, into);
                into.iter_mut().for_each(|value| *value *= -gamma);
                exponential::exp_all(into);
            }
            Self::Sigmoid { gamma, coef0 } => {
                pairs.for_each(|(vector, into)| *into = (gamma * dot(vector, row) + coef0).tanh());
            }
        }
    }

    /// An estimate of the time for one vector of so many features.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn cost_nanoseconds(self, features: usize) -> f64 {
        let function = if self == Self::Linear { 1.0 } else { 10.0 };
        function + 0.6 * features as f64
    }
}

fn degree(record: &Record<'_>) -> Result<i32, Error> {
    let degree = record.get("degree")?;
    let whole = degree.float().filter(|value| value.fract() == 0.0 && (0.0..=1e6).contains(value));
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
    whole.map(|value| value as i32).ok_or_else(|| degree.problem("is not a whole number up to a million"))
}

/// The square of the Euclidean distance of a row to each of some vectors.
#[multiversion(targets("x86_64+avx2"))]
fn square_distances(row: &[f64], vectors: &[f64], into: &mut [f64]) {
    let pairs = vectors.chunks_exact(row.len().max(1)).zip(into);
    pairs.for_each(|(vector, into)| *into = square_distance(vector, row));
}
