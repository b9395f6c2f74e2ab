//! `PCA` and its relatives, and `TruncatedSVD`: sums of weighted features.

use provost_inference::{Features, PredictError};

use super::{
    super::{
        Error,
        linear::dot,
        record::Record,
        transform::{Missing, Transform, check_finite},
    },
    Transformer,
};

#[derive(Debug)]
pub(in super::super) struct Projection {
    name: &'static str,
    features: usize,
    /// What is subtracted first.
    mean: Option<Vec<f64>>,
    /// A run of weights for each output.
    weights: Vec<f64>,
    /// What each output is divided by.
    scales: Option<Vec<f64>>,
}

impl Projection {
    pub(super) fn parse(record: &Record<'_>, kind: Transformer) -> Result<Self, Error> {
        let attribute = record.get("components_")?;
        let (weights, shape) = attribute.floats()?;
        let &[outputs, features] = &*shape else { return Err(attribute.problem(format!("has the shape {shape:?}"))) };
        if weights.is_empty() || weights.iter().any(|weight| !weight.is_finite()) {
            return Err(attribute.problem("is empty, or holds a number that is not finite"));
        }
        let vector = |name, len| -> Result<Option<Vec<f64>>, Error> {
            let Some(attribute) = record.some(name) else { return Ok(None) };
            let (values, _) = attribute.floats()?;
            if values.len() == len { Ok(Some(values)) } else { Err(attribute.problem("does not fit `components_`")) }
        };
        let is_pca = kind == Transformer::Pca;
        let mean = if is_pca { vector("mean_", features)? } else { None };
        let whitens = is_pca && record.is_true("whiten")?;
        let variances = if whitens { vector("explained_variance_", outputs)? } else { None };
        let scales = variances.map(|variances| variances.into_iter().map(f64::sqrt).collect());
        if whitens && scales.is_none() {
            return Err(record.problem("explained_variance_", "is missing"));
        }
        Ok(Self { name: record.estimator.name, features, mean, weights, scales })
    }
}

impl Projection {
    /// Of a linear discriminant: `scalings_`, of which the first so many are used, and with `svd` the mean first.
    pub(in super::super) fn discriminant(record: &Record<'_>, has_mean: bool) -> Result<Self, Error> {
        let attribute = record.get("scalings_")?;
        let (scalings, shape) = attribute.floats()?;
        let &[features, axes] = &*shape else { return Err(attribute.problem(format!("has the shape {shape:?}"))) };
        let outputs = record.get("_max_components")?.count()?.min(axes);
        if scalings.is_empty() || scalings.iter().any(|value| !value.is_finite()) {
            return Err(attribute.problem("is empty, or holds a number that is not finite"));
        }
        let mean = if has_mean { Some(record.get("xbar_")?.floats()?.0) } else { None };
        if mean.as_ref().is_some_and(|mean| mean.len() != features) {
            return Err(record.problem("xbar_", "is of another number of features than `scalings_`"));
        }
        let axis = |axis| scalings.iter().skip(axis).step_by(axes).copied();
        let weights = (0..outputs).flat_map(axis).collect();
        Ok(Self { name: record.estimator.name, features, mean, weights, scales: None })
    }
}

impl Transform for Projection {
    fn name(&self) -> &'static str {
        self.name
    }

    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn width(&self, _columns: usize) -> usize {
        self.weights.len() / self.features
    }

    fn missing(&self) -> Missing {
        Missing::REFUSED
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        let mut centred = vec![0.0; self.features];
        for row in rows.iter_rows() {
            centred.copy_from_slice(row);
            if let Some(mean) = &self.mean {
                centred.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
            }
            let start = output.len();
            output.extend(self.weights.chunks_exact(self.features).map(|weights| dot(weights, &centred)));
            if let Some(scales) = &self.scales {
                output[start..].iter_mut().zip(scales).for_each(|(value, scale)| *value /= scale);
            }
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        columns as f64 + 0.5 * self.weights.len() as f64
    }
}
