//! Transformers, each by the name of its class.

mod beside;
mod bins;
mod categories;
mod elimination;
mod imputer;
mod normal;
mod normalizer;
mod one_hot;
mod ordinal;
mod polynomial;
mod power;
mod projection;
mod quantile;
mod select;

pub(super) use self::{projection::Projection, select::Selection};
use super::{
    Error,
    estimator::Fitted,
    record::Record,
    transform::{Identity, Missing},
};

/// Which transformer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transformer {
    Function,
    Normalizer,
    Polynomial,
    Power,
    Quantile,
    Bins,
    Imputer,
    MissingIndicator,
    OneHot,
    Ordinal,
    Variance,
    /// Chooses features by scores of their own.
    Univariate,
    /// Chooses the features of a mask.
    Mask,
    FromModel,
    Pca,
    TruncatedSvd,
    Columns,
    Union,
}

/// Reads a transformer and what it consists of.
pub(super) fn extract(record: &Record<'_>, kind: Transformer, depth: usize) -> Result<Fitted, Error> {
    match kind {
        Transformer::Function => function(record),
        Transformer::Normalizer => Fitted::transform(record, normalizer::Normalizer::parse(record)?),
        Transformer::Polynomial => Fitted::transform(record, polynomial::Polynomial::parse(record)?),
        Transformer::Power => Fitted::transform(record, power::Power::parse(record)?),
        Transformer::Quantile => Fitted::transform(record, quantile::Quantiles::parse(record)?),
        Transformer::Bins => Fitted::transform(record, bins::Bins::parse(record)?),
        Transformer::Imputer => Fitted::transform(record, imputer::Imputer::parse(record)?),
        Transformer::MissingIndicator => Fitted::transform(record, imputer::Indicator::parse(record)?),
        Transformer::OneHot => Fitted::transform(record, one_hot::OneHot::parse(record)?),
        Transformer::Ordinal => Fitted::transform(record, ordinal::Ordinal::parse(record)?),
        Transformer::Mask => Fitted::model(record, elimination::Elimination::parse(record, depth)?),
        Transformer::Variance | Transformer::Univariate | Transformer::FromModel => {
            Fitted::transform(record, select::Selection::parse(record, kind)?)
        }
        Transformer::Pca | Transformer::TruncatedSvd => {
            Fitted::transform(record, projection::Projection::parse(record, kind)?)
        }
        Transformer::Columns => beside::columns(record, depth),
        Transformer::Union => beside::union(record, depth),
    }
}

/// Without a function, a `FunctionTransformer` does nothing but check its input where it is told to; before 0.22 it
/// was told to by default.
fn function(record: &Record<'_>) -> Result<Fitted, Error> {
    if record.some("func").is_some() {
        return Err(record.calls_a_function());
    }
    let checks = record.some("validate").map_or(Ok(record.find("validate").is_some()), |switch| switch.truth())?;
    let missing = if checks { Missing::REFUSED } else { Missing::PASSED };
    Fitted::transform(record, Identity { features: record.features_in()?, missing })
}
