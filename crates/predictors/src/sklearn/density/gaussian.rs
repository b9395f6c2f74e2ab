//! Normal distributions of several features: `GaussianNB`, quadratic discriminants and Gaussian mixtures.
//!
//! Bishop, Pattern recognition and machine learning (2006), sections 2.3 and 9.2.

use std::f64::consts::PI;

use crate::shown::shown;

use super::super::{Error, linear::dot, record::Record};

/// Some normal distributions. The logarithm of each is `constant - |A (x - mean)|² / 2`.
#[derive(Debug)]
pub(super) struct Gaussians {
    means: Vec<f64>,
    /// The `A` of each: the diagonal, or row after row.
    scales: Vec<Vec<f64>>,
    is_diagonal: bool,
    constants: Vec<f64>,
    features: usize,
}

impl Gaussians {
    fn new(means: (Vec<f64>, Box<[usize]>), record: &Record<'_>) -> Result<Self, Error> {
        let (means, shape) = means;
        let &[count, features] = &*shape else {
            return Err(record.problem("means_", format!("has the shape {shape:?}")));
        };
        if means.is_empty() || means.iter().any(|mean| !mean.is_finite()) {
            return Err(record.problem("means_", "is empty, or holds a number that is not finite"));
        }
        let scales = Vec::with_capacity(count);
        Ok(Self { means, scales, is_diagonal: true, constants: Vec::with_capacity(count), features })
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    pub(super) fn count(&self) -> usize {
        self.constants.len()
    }

    /// Checked when all are there.
    fn checked(self, record: &Record<'_>) -> Result<Self, Error> {
        let is_finite = self.scales.iter().flatten().chain(&self.constants).all(|value| value.is_finite());
        let is_whole =
            self.scales.len() * self.features == self.means.len() && self.constants.len() == self.scales.len();
        let fits = |scales: &Vec<f64>| {
            if self.is_diagonal { scales.len() == self.features } else { scales.len().is_multiple_of(self.features) }
        };
        if is_finite && is_whole && self.scales.iter().all(fits) {
            return Ok(self);
        }
        Err(record.problem("means_", "does not fit the variances, or one of them is not above 0"))
    }

    /// Appends the logarithm of each.
    pub(super) fn push(&self, row: &[f64], scratch: &mut [f64], output: &mut Vec<f64>) {
        let distributions = self.means.chunks_exact(self.features).zip(&self.scales).zip(&self.constants);
        for ((mean, scales), constant) in distributions {
            scratch.iter_mut().zip(row.iter().zip(mean)).for_each(|(into, (value, mean))| *into = value - mean);
            let square: f64 = if self.is_diagonal {
                scratch.iter().zip(scales).map(|(value, scale)| (value * scale) * (value * scale)).sum()
            } else {
                scales.chunks_exact(self.features).map(|scales| dot(scales, scratch)).map(|value| value * value).sum()
            };
            output.push(constant - 0.5 * square);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn cost_nanoseconds(&self) -> f64 {
        let scales = self.scales.first().map_or(0, Vec::len);
        (self.features + scales) as f64
    }
}

/// `GaussianNB`: features are independent in each class. `var_` was `sigma_` before 1.0.
pub(super) fn bayes(record: &Record<'_>) -> Result<Gaussians, Error> {
    let mut gaussians = Gaussians::new(record.get("theta_")?.floats()?, record)?;
    let attribute = record.some("var_").or_else(|| record.some("sigma_"));
    let (variances, _) = attribute.ok_or_else(|| record.problem("var_", "is missing"))?.floats()?;
    let (priors, _) = record.get("class_prior_")?.floats()?;
    for (variances, prior) in variances.chunks_exact(gaussians.features).zip(&priors) {
        let logs: f64 = variances.iter().map(|variance| (2.0 * PI * variance).ln()).sum();
        gaussians.constants.push(prior.ln() - 0.5 * logs);
        gaussians.scales.push(variances.iter().map(|variance| variance.sqrt().recip()).collect());
    }
    gaussians.checked(record)
}

/// `QuadraticDiscriminantAnalysis`: `rotations_` and `scalings_` are eigenvectors and eigenvalues of each class.
pub(super) fn quadratic(record: &Record<'_>) -> Result<Gaussians, Error> {
    if let Some(solver) = record.some("solver")
        && solver.text()? != "svd"
    {
        return Err(solver.problem(format!("is `{}`; supported is `svd`", shown(solver.text()?))));
    }
    let mut gaussians = Gaussians::new(record.get("means_")?.floats()?, record)?;
    gaussians.is_diagonal = false;
    let (priors, _) = record.get("priors_")?.floats()?;
    let (rotations, scalings) = (record.get("rotations_")?, record.get("scalings_")?);
    let classes = rotations.list()?.iter().zip(scalings.list()?).zip(priors);
    for ((rotation, scaling), prior) in classes {
        let (rotation, shape) = rotations.element(*rotation).floats()?;
        let (scaling, _) = scalings.element(*scaling).floats()?;
        if *shape != [gaussians.features, scaling.len()] {
            return Err(rotations.problem(format!("has the shape {shape:?}, which does not fit `scalings_`")));
        }
        let column = |(index, variance): (usize, &f64)| {
            let root = variance.sqrt();
            rotation.iter().skip(index).step_by(scaling.len()).map(move |value| value / root).collect::<Vec<_>>()
        };
        gaussians.scales.push(scaling.iter().enumerate().flat_map(column).collect());
        let logs: f64 = scaling.iter().map(|variance| variance.ln()).sum();
        gaussians.constants.push(prior.ln() - 0.5 * logs);
    }
    gaussians.checked(record)
}

/// `GaussianMixture`: `precisions_cholesky_` by the type of covariance.
pub(super) fn mixture(record: &Record<'_>) -> Result<Gaussians, Error> {
    let mut gaussians = Gaussians::new(record.get("means_")?.floats()?, record)?;
    let features = gaussians.features;
    let (weights, _) = record.get("weights_")?.floats()?;
    let attribute = record.get("precisions_cholesky_")?;
    let (factors, _) = attribute.floats()?;
    let kind = record.get("covariance_type")?;
    let kind_text = kind.text()?;
    let (size, is_diagonal) = match kind_text {
        "full" | "tied" => (features.saturating_mul(features), false),
        "diag" => (features, true),
        "spherical" => (1, true),
        other => return Err(kind.problem(format!("is `{}`, which is not known", shown(other)))),
    };
    let expected = if kind_text == "tied" { size } else { size.saturating_mul(weights.len()) };
    if factors.len() != expected || weights.len() * features != gaussians.means.len() {
        return Err(attribute.problem(format!("has {} numbers, not {expected}", factors.len())));
    }
    gaussians.is_diagonal = is_diagonal;
    for (component, weight) in weights.iter().enumerate() {
        let first = if kind_text == "tied" { 0 } else { component * size };
        record.pickle.charge(8 * size.max(features)).map_err(|_| Error::OverBudget)?;
        let (scales, logs) = scales(&factors[first..first + size], features, is_diagonal);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let normal = 0.5 * features as f64 * (2.0 * PI).ln();
        gaussians.scales.push(scales);
        gaussians.constants.push(weight.ln() + logs - normal);
    }
    gaussians.checked(record)
}

/// The scales of a factor, whose columns are the rows of `A`, and the logarithm of its determinant.
fn scales(factor: &[f64], features: usize, is_diagonal: bool) -> (Vec<f64>, f64) {
    if is_diagonal {
        let scales: Vec<_> = factor.iter().copied().cycle().take(features).collect();
        let logs = scales.iter().map(|scale| scale.ln()).sum();
        return (scales, logs);
    }
    let column = |index: usize| factor.iter().skip(index).step_by(features).copied();
    let logs = (0..features).map(|index| factor[index * features + index].ln()).sum();
    ((0..features).flat_map(column).collect(), logs)
}
