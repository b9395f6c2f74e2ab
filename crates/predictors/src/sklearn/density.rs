//! Models that give each class, or each component of a mixture, the logarithm of a likelihood: naive Bayes,
//! quadratic discriminants, Gaussian mixtures.

mod bayes;
mod gaussian;

use provost_inference::{Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, PredictError};

use crate::{Method, argmax::argmax};

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    linear::Linear,
    predictor::{Answer, Head},
    record::Record,
    transform::check_finite,
};

use self::{bayes::Categorical, gaussian::Gaussians};

/// Which model it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    GaussianBayes,
    MultinomialBayes,
    ComplementBayes,
    BernoulliBayes,
    CategoricalBayes,
    Quadratic,
    Mixture,
}

/// The logarithms of joint likelihoods.
#[derive(Debug)]
enum Density {
    Gaussians(Gaussians),
    Linear(Linear),
    /// Linear in whether a feature is above a threshold.
    Binary(Linear, f64),
    Categorical(Categorical),
}

#[derive(Debug)]
pub(super) struct DensityModel {
    features: usize,
    density: Density,
    /// None of a mixture.
    classes: Vec<Classes>,
    components: usize,
    has_decisions: bool,
}

impl DensityModel {
    pub(super) fn parse(record: &Record<'_>, family: Family) -> Result<Self, Error> {
        let density = match family {
            Family::GaussianBayes => Density::Gaussians(gaussian::bayes(record)?),
            Family::Quadratic => Density::Gaussians(gaussian::quadratic(record)?),
            Family::Mixture => Density::Gaussians(gaussian::mixture(record)?),
            Family::MultinomialBayes => Density::Linear(bayes::multinomial(record)?),
            Family::ComplementBayes => Density::Linear(bayes::complement(record)?),
            Family::BernoulliBayes => {
                let linear = bayes::bernoulli(record)?;
                match record.some("binarize") {
                    Some(_) => Density::Binary(linear, record.number("binarize")?),
                    None => Density::Linear(linear),
                }
            }
            Family::CategoricalBayes => Density::Categorical(Categorical::parse(record)?),
        };
        let (features, components) = match &density {
            Density::Gaussians(gaussians) => (gaussians.features(), gaussians.count()),
            Density::Linear(linear) | Density::Binary(linear, _) => (linear.features(), linear.outputs()),
            Density::Categorical(categorical) => (categorical.features(), categorical.classes()),
        };
        let classes = match family {
            Family::Mixture => Vec::new(),
            _ => vec![Classes::parse(record.get("classes_")?)?],
        };
        if features == 0 || components == 0 || classes.iter().any(|classes| classes.len() != components) {
            return Err(record.problem("classes_", format!("are not the {components} that the likelihoods are for")));
        }
        Ok(Self { features, density, classes, components, has_decisions: family == Family::Quadratic })
    }
}

impl Model for DensityModel {
    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn methods(&self) -> Vec<Method> {
        let mut methods = vec![Method::PredictProba, Method::Predict];
        if self.has_decisions {
            methods.push(Method::DecisionFunction);
        }
        if self.classes.is_empty() {
            methods.push(Method::ScoreSamples);
        }
        methods
    }

    fn classes(&self) -> &[Classes] {
        &self.classes
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let (shape, kind, finish) = match (method, self.classes.first()) {
            (Method::Predict, Some(classes)) => {
                (OutputShape::Vector, classes.output_kind(), Finish::Highest(classes.values()))
            }
            (Method::Predict, None) => {
                let values = (0..self.components).map(|index| index as f64).collect();
                (OutputShape::Vector, OutputKind::Integer, Finish::Highest(values))
            }
            (Method::DecisionFunction, _) if self.components == 2 => {
                (OutputShape::Vector, OutputKind::Float, Finish::Difference)
            }
            (Method::DecisionFunction, _) => (OutputShape::Matrix(self.components), OutputKind::Float, Finish::Plain),
            (Method::ScoreSamples, _) => (OutputShape::Vector, OutputKind::Float, Finish::Total),
            _ => (OutputShape::Matrix(self.components), OutputKind::Float, Finish::Shares),
        };
        let output = OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        let head = DensityHead { density: self.density, features: self.features, components: self.components, finish };
        Ok(Answer { head: Box::new(head), output, missing_values: MissingValues::Refused })
    }
}

/// What becomes of the logarithms.
#[derive(Debug)]
enum Finish {
    Plain,
    /// What stands for the class that has the highest.
    Highest(Vec<f64>),
    /// Each likelihood's share of their sum.
    Shares,
    /// The second minus the first.
    Difference,
    /// The logarithm of the sum.
    Total,
}

#[derive(Debug)]
struct DensityHead {
    density: Density,
    features: usize,
    components: usize,
    finish: Finish,
}

impl Head for DensityHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        let mut scratch = vec![0.0; self.features];
        for (index, row) in rows.iter_rows().enumerate() {
            let start = output.len();
            match &self.density {
                Density::Gaussians(gaussians) => gaussians.push(row, &mut scratch, output),
                Density::Linear(linear) => linear.score(row, output),
                Density::Binary(linear, threshold) => {
                    let is_above = row.iter().map(|value| f64::from(u8::from(value > threshold)));
                    scratch.iter_mut().zip(is_above).for_each(|(into, value)| *into = value);
                    linear.score(&scratch, output);
                }
                Density::Categorical(categorical) => categorical.push(index, row, output)?,
            }
            self.finish.apply(start, output);
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self) -> f64 {
        let component = match &self.density {
            Density::Gaussians(gaussians) => gaussians.cost_nanoseconds(),
            _ => 1.0 + self.features as f64,
        };
        30.0 + self.components as f64 * (component + 10.0)
    }
}

impl Finish {
    fn apply(&self, start: usize, output: &mut Vec<f64>) {
        let scores = &mut output[start..];
        match self {
            Self::Plain => {}
            Self::Highest(values) => {
                scores[0] = values[argmax(scores)];
                output.truncate(start + 1);
            }
            Self::Shares => {
                let total = log_sum(scores);
                scores.iter_mut().for_each(|score| *score = (*score - total).exp());
            }
            Self::Difference => {
                scores[0] = scores[1] - scores[0];
                output.truncate(start + 1);
            }
            Self::Total => {
                scores[0] = log_sum(scores);
                output.truncate(start + 1);
            }
        }
    }
}

/// The logarithm of the sum of exponentials, without overflow.
fn log_sum(values: &[f64]) -> f64 {
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if highest.is_infinite() {
        return highest;
    }
    values.iter().map(|value| (value - highest).exp()).sum::<f64>().ln() + highest
}
