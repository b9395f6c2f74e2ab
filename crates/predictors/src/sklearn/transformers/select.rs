//! Choice of features, by what was found out about them when the estimator was fitted.

#![expect(clippy::float_cmp, reason = "numbers are equal to the last bit or they are not")]

use provost_inference::{Features, PredictError};

use crate::shown::shown;

use super::{
    super::{
        Error,
        record::{Attribute, Record},
        transform::{Missing, Transform, check_finite, check_not_infinite},
        version::Version,
    },
    Transformer,
};

#[derive(Debug)]
pub(in super::super) struct Selection {
    name: &'static str,
    features: usize,
    chosen: Vec<usize>,
    missing: Missing,
}

impl Selection {
    pub(super) fn parse(record: &Record<'_>, kind: Transformer) -> Result<Self, Error> {
        let mask = match kind {
            Transformer::Variance => above(record)?,
            Transformer::Univariate => univariate(record)?,
            Transformer::FromModel => from_model(record)?,
            _ => record.get("support_")?.truths()?,
        };
        let chosen = mask.iter().enumerate().filter(|(_, is_chosen)| **is_chosen).map(|(index, _)| index);
        let is_able = record.version().is_none_or(|version| version >= Version(0, 22));
        let missing = if kind == Transformer::Variance && is_able { Missing::PASSED } else { Missing::REFUSED };
        Ok(Self { name: record.estimator.name, features: mask.len(), chosen: chosen.collect(), missing })
    }
}

impl Selection {
    /// Some columns, in their order.
    pub(in super::super) fn of(features: usize, chosen: Vec<usize>) -> Self {
        Self { name: "columns", features, chosen, missing: Missing::PASSED }
    }
}

/// `VarianceThreshold`.
fn above(record: &Record<'_>) -> Result<Vec<bool>, Error> {
    let threshold = record.number("threshold")?;
    let (variances, _) = record.get("variances_")?.floats()?;
    Ok(variances.into_iter().map(|variance| variance > threshold).collect())
}

/// What a test of each feature has found, and the parameter of the choice.
#[derive(Debug)]
struct Tested<'a> {
    record: &'a Record<'a>,
    parameter: Attribute<'a>,
}

fn univariate(record: &Record<'_>) -> Result<Vec<bool>, Error> {
    let (mode, name) = match record.estimator.name {
        "SelectKBest" => ("k_best", "k"),
        "SelectPercentile" => ("percentile", "percentile"),
        "SelectFpr" => ("fpr", "alpha"),
        "SelectFdr" => ("fdr", "alpha"),
        "SelectFwe" => ("fwe", "alpha"),
        _ => (record.get("mode")?.text()?, "param"),
    };
    let tested = Tested { record, parameter: record.get(name)? };
    match mode {
        "k_best" => tested.best(),
        "percentile" => tested.percentile(),
        "fpr" => tested.below(|alpha, _| alpha),
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        "fwe" => tested.below(|alpha, features| alpha / features as f64),
        "fdr" => tested.false_discoveries(),
        other => Err(record.problem("mode", format!("is `{}`, which is not known", shown(other)))),
    }
}

impl Tested<'_> {
    fn number(&self) -> Result<f64, Error> {
        self.parameter.float().ok_or_else(|| self.parameter.problem("is not a number"))
    }

    /// Scores, where what is not a number is the lowest.
    fn scores(&self) -> Result<Vec<f64>, Error> {
        let (scores, _) = self.record.get("scores_")?.floats()?;
        Ok(scores.into_iter().map(|score| if score.is_nan() { f64::MIN } else { score }).collect())
    }

    /// The highest `k`, of equals the last.
    fn best(&self) -> Result<Vec<bool>, Error> {
        let scores = self.scores()?;
        if self.parameter.text_if_any() == Some("all") {
            return Ok(vec![true; scores.len()]);
        }
        let count = self.parameter.count()?.min(scores.len());
        let mut order: Vec<_> = (0..scores.len()).collect();
        order.sort_by(|one, other| scores[*one].total_cmp(&scores[*other]));
        let mut mask = vec![false; scores.len()];
        order.iter().rev().take(count).for_each(|index| mask[*index] = true);
        Ok(mask)
    }

    /// Those above a percentile, and of those at it the first that there is room for.
    fn percentile(&self) -> Result<Vec<bool>, Error> {
        let (scores, percentile) = (self.scores()?, self.number()?);
        if !(0.0..=100.0).contains(&percentile) || scores.is_empty() {
            return Err(self.parameter.problem("is not from 0 to 100"));
        }
        if percentile == 100.0 || percentile == 0.0 {
            return Ok(vec![percentile > 0.0; scores.len()]);
        }
        let threshold = linear_percentile(&scores, 100.0 - percentile);
        let mut mask: Vec<_> = scores.iter().map(|score| *score > threshold).collect();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "as Python rounds"
        )]
        let room = (scores.len() as f64 * percentile / 100.0) as usize;
        let taken = mask.iter().filter(|is_chosen| **is_chosen).count();
        let ties = (0..scores.len()).filter(|index| scores[*index] == threshold);
        ties.take(room.saturating_sub(taken)).for_each(|index| mask[index] = true);
        Ok(mask)
    }

    /// Those whose p-value is below a bound, which depends on the number of features.
    fn below(&self, bound: fn(f64, usize) -> f64) -> Result<Vec<bool>, Error> {
        let (values, _) = self.record.get("pvalues_")?.floats()?;
        let bound = bound(self.number()?, values.len());
        Ok(values.into_iter().map(|value| value < bound).collect())
    }

    /// Benjamini and Hochberg, Controlling the false discovery rate (1995).
    fn false_discoveries(&self) -> Result<Vec<bool>, Error> {
        let (values, _) = self.record.get("pvalues_")?.floats()?;
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let step = self.number()? / sorted.len() as f64;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let passing = sorted.iter().enumerate().filter(|(index, value)| **value <= step * (index + 1) as f64);
        let highest = passing.map(|(_, value)| *value).next_back();
        Ok(values.into_iter().map(|value| highest.is_some_and(|highest| value <= highest)).collect())
    }
}

/// Between the two nearest values, as NumPy has it.
fn linear_percentile(values: &[f64], percentile: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let place = percentile / 100.0 * (sorted.len() - 1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let below = (place as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    let (low, high, share) = (sorted[below], sorted[above], place.fract());
    if share >= 0.5 { high - (high - low) * (1.0 - share) } else { low + (high - low) * share }
}

/// `SelectFromModel` on a model with `coef_`: features whose weights are not below a threshold.
fn from_model(record: &Record<'_>) -> Result<Vec<bool>, Error> {
    let attribute = record.get("estimator_")?;
    let model = Record::parse(record.pickle, attribute.id)?;
    let Some(coefficients) = model.some("coef_") else {
        let problem = format!("is a `{}`; models with `coef_` are supported", model.estimator.name);
        return Err(attribute.problem(problem));
    };
    let norm = record.some("norm_order").and_then(|norm| norm.float());
    if norm.is_some_and(|norm| norm != 1.0) {
        return Err(record.problem("norm_order", "is not 1, which is the only one that is supported"));
    }
    let (weights, shape) = coefficients.floats()?;
    let features = shape.last().copied().unwrap_or(0);
    let mut importances = vec![0.0; features];
    for row in weights.chunks_exact(features.max(1)) {
        importances.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight.abs());
    }
    let threshold = threshold(record, &model, &importances)?;
    let mut mask: Vec<_> = importances.iter().map(|importance| *importance >= threshold).collect();
    keep_most(record, &importances, &mut mask)?;
    Ok(mask)
}

/// `max_features`: of those chosen, the most important, of equals the first.
fn keep_most(record: &Record<'_>, importances: &[f64], mask: &mut [bool]) -> Result<(), Error> {
    let attribute = record.some("max_features_").or_else(|| record.some("max_features"));
    let Some(attribute) = attribute else { return Ok(()) };
    let most = attribute.count()?;
    let mut order: Vec<_> = (0..importances.len()).collect();
    order.sort_by(|one, other| importances[*other].total_cmp(&importances[*one]));
    order.into_iter().skip(most).for_each(|index| mask[index] = false);
    Ok(())
}

/// A number, or a multiple of the mean or median.
fn threshold(record: &Record<'_>, model: &Record<'_>, importances: &[f64]) -> Result<f64, Error> {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let mean = || importances.iter().sum::<f64>() / importances.len() as f64;
    let Some(attribute) = record.some("threshold") else {
        let is_lasso = model.estimator.name.contains("Lasso")
            || model.some("penalty").is_some_and(|penalty| penalty.text_if_any() == Some("l1"))
            || model.estimator.name.contains("ElasticNet") && model.number("l1_ratio").is_ok_and(|ratio| ratio == 1.0);
        return Ok(if is_lasso { 1e-5 } else { mean() });
    };
    let Some(text) = attribute.text_if_any() else {
        return attribute.float().ok_or_else(|| attribute.problem("is not a number"));
    };
    let (factor, reference) = text.split_once('*').unwrap_or(("1", text));
    let factor = factor.trim().parse::<f64>().ok().filter(|factor| factor.is_finite());
    match (factor, reference.trim()) {
        (Some(factor), "mean") => Ok(factor * mean()),
        (Some(factor), "median") if !importances.is_empty() => Ok(factor * linear_percentile(importances, 50.0)),
        _ => Err(attribute.problem(format!("is `{}`, which is not known", shown(text)))),
    }
}

impl Transform for Selection {
    fn name(&self) -> &'static str {
        self.name
    }

    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn width(&self, _columns: usize) -> usize {
        self.chosen.len()
    }

    fn missing(&self) -> Missing {
        self.missing
    }

    fn source(&self, column: usize) -> Option<usize> {
        self.chosen.get(column).copied()
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        if self.missing.passes {
            check_not_infinite(rows)?;
        } else {
            check_finite(rows)?;
        }
        for row in rows.iter_rows() {
            output.extend(self.chosen.iter().map(|column| row[*column]));
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        0.3 * columns as f64 + self.chosen.len() as f64
    }
}
