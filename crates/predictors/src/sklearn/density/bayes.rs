//! Naive Bayes of counts, of yes and no, and of categories.

use provost_inference::PredictError;

use super::super::{Error, linear::Linear, record::Record};

/// The class's share, and that of each feature in it.
pub(super) fn multinomial(record: &Record<'_>) -> Result<Linear, Error> {
    let (weights, classes) = feature_logs(record)?;
    linear(record, weights, class_logs(record, classes)?)
}

/// Rennie and others, Tackling the poor assumptions of naive Bayes text classifiers (2003).
pub(super) fn complement(record: &Record<'_>) -> Result<Linear, Error> {
    let (weights, classes) = feature_logs(record)?;
    let priors = if classes == 1 { class_logs(record, classes)? } else { vec![0.0; classes] };
    linear(record, weights, priors)
}

/// With `p` of a feature, `x log p + (1 - x) log(1 - p)` is `x (log p - log(1 - p)) + log(1 - p)`.
pub(super) fn bernoulli(record: &Record<'_>) -> Result<Linear, Error> {
    let (mut weights, classes) = feature_logs(record)?;
    let mut priors = class_logs(record, classes)?;
    let features = weights.len() / classes.max(1);
    for (row, prior) in weights.chunks_exact_mut(features.max(1)).zip(&mut priors) {
        for weight in row {
            let against = (1.0 - weight.exp()).ln();
            *weight -= against;
            *prior += against;
        }
    }
    linear(record, weights, priors)
}

fn linear(record: &Record<'_>, weights: Vec<f64>, priors: Vec<f64>) -> Result<Linear, Error> {
    let linear = Linear::new(weights, priors);
    linear.ok_or_else(|| record.problem("feature_log_prob_", "is empty, or holds a number that is not finite"))
}

fn feature_logs(record: &Record<'_>) -> Result<(Vec<f64>, usize), Error> {
    let attribute = record.get("feature_log_prob_")?;
    let (values, shape) = attribute.floats()?;
    match *shape {
        [classes, _] if !values.is_empty() => Ok((values, classes)),
        _ => Err(attribute.problem(format!("has the shape {shape:?}"))),
    }
}

fn class_logs(record: &Record<'_>, classes: usize) -> Result<Vec<f64>, Error> {
    let attribute = record.get("class_log_prior_")?;
    let (values, _) = attribute.floats()?;
    if values.len() != classes || values.iter().any(|value| !value.is_finite()) {
        return Err(attribute.problem(format!("is not finite, or not for {classes} classes")));
    }
    Ok(values)
}

/// `CategoricalNB`: features are numbers of categories.
#[derive(Debug)]
pub(super) struct Categorical {
    priors: Vec<f64>,
    /// For each feature the logarithms of each category, a run for each class.
    features: Vec<Vec<f64>>,
}

impl Categorical {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let (priors, _) = record.get("class_log_prior_")?.floats()?;
        let priors = class_logs(record, priors.len())?;
        let attribute = record.get("feature_log_prob_")?;
        let feature = |id: &_| {
            let (values, shape) = attribute.element(*id).floats()?;
            let is_sound = shape.len() == 2 && shape[0] == priors.len() && values.iter().all(|value| value.is_finite());
            if is_sound { Ok(values) } else { Err(attribute.problem("holds what does not fit `class_log_prior_`")) }
        };
        let features = attribute.list()?.iter().map(feature).collect::<Result<_, Error>>()?;
        Ok(Self { priors, features })
    }

    pub(super) fn features(&self) -> usize {
        self.features.len()
    }

    pub(super) fn classes(&self) -> usize {
        self.priors.len()
    }

    /// Values are cut to whole numbers, as scikit-learn does.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "negative numbers are errors")]
    pub(super) fn push(&self, row: usize, values: &[f64], output: &mut Vec<f64>) -> Result<(), PredictError> {
        let start = output.len();
        output.extend_from_slice(&self.priors);
        for (column, (value, logs)) in values.iter().zip(&self.features).enumerate() {
            let count = logs.len() / self.priors.len();
            let category = value.trunc() as usize;
            if *value <= -1.0 || category >= count {
                return Err(PredictError::UnknownCategory { row, column, value: *value });
            }
            let of_classes = logs.iter().skip(category).step_by(count);
            output[start..].iter_mut().zip(of_classes).for_each(|(sum, log)| *sum += log);
        }
        Ok(())
    }
}
