//! `IsolationForest`: how soon random splits tell a row from others.
//!
//! Liu, Ting and Zhou, Isolation forest (2008).

use provost_inference::{Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, PredictError};

use crate::Method;

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    predictor::{Answer, Head},
    record::Record,
    tree::{LeafShape, Normalisation, Trees},
    tree_head::{Decision, TreeHead},
    version::Version,
};

#[derive(Debug)]
pub(super) struct IsolationForest {
    features: usize,
    trees: Trees,
    /// What the sum of path lengths is divided by.
    divisor: f64,
    offset: f64,
    missing_values: MissingValues,
}

impl IsolationForest {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        if record.version().is_some_and(|version| version < Version(0, 22)) {
            return Err(record.problem("_sklearn_version", "is before 0.22, which measured paths otherwise"));
        }
        let features = record.features_in()?.or(record.some("n_features_").map(|one| one.count()).transpose()?);
        let features = features.ok_or_else(|| record.problem("n_features_in_", "is missing"))?;
        let (estimators, columns) = (record.get("estimators_")?, record.get("estimators_features_")?);
        let (list, chosen) = (estimators.list()?, columns.list()?);
        if list.is_empty() || list.len() != chosen.len() {
            return Err(columns.problem("is not as long as `estimators_`, or both are empty"));
        }
        let mut trees = Trees::new(features, LeafShape { widths: vec![1], normalisation: Normalisation::AsStored });
        for (number, (tree, chosen)) in list.iter().zip(chosen).enumerate() {
            let tree = Record::parse(record.pickle, *tree)?;
            let chosen = columns.element(*chosen).indices(features)?;
            trees.add_depths(&tree, number, &chosen, average_path)?;
        }
        let samples = record.get("max_samples_")?.count()?;
        #[expect(clippy::cast_precision_loss, reason = "as Python counts")]
        let divisor = list.len() as f64 * average_path(samples as f64);
        let is_able = record.version().is_none_or(|version| version >= Version(1, 6));
        let missing_values = if is_able { MissingValues::Accepted } else { MissingValues::Refused };
        Ok(Self { features, trees, divisor, offset: record.number("offset_")?, missing_values })
    }
}

/// The mean length of a path among so many rows: `c(n)` of the paper.
fn average_path(samples: f64) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    if samples <= 1.0 {
        0.0
    } else if samples <= 2.0 {
        1.0
    } else {
        2.0 * ((samples - 1.0).ln() + EULER) - 2.0 * (samples - 1.0) / samples
    }
}

impl Model for IsolationForest {
    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn methods(&self) -> Vec<Method> {
        vec![Method::Predict, Method::DecisionFunction, Method::ScoreSamples]
    }

    fn classes(&self) -> &[Classes] {
        &[]
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let kind = if method == Method::Predict { OutputKind::Integer } else { OutputKind::Float };
        let output =
            OutputSchema { shape: OutputShape::Vector, kind, name: method.name(), precision: Precision::Double };
        let missing_values = self.missing_values;
        let trees = TreeHead {
            width: 1,
            forest: self.trees.forest.build(),
            leaf_values: self.trees.leaf_values,
            averages: false,
            decision: Decision::None,
            missing_values,
        };
        let head = IsolationHead { trees, divisor: self.divisor, offset: self.offset, method };
        Ok(Answer { head: Box::new(head), output, missing_values })
    }
}

#[derive(Debug)]
struct IsolationHead {
    trees: TreeHead,
    divisor: f64,
    offset: f64,
    method: Method,
}

impl Head for IsolationHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let start = output.len();
        self.trees.predict(rows, output)?;
        for value in &mut output[start..] {
            let score = -(-*value / self.divisor).exp2();
            *value = match self.method {
                Method::ScoreSamples => score,
                Method::Predict => {
                    if score - self.offset < 0.0 {
                        -1.0
                    } else {
                        1.0
                    }
                }
                _ => score - self.offset,
            };
        }
        Ok(())
    }

    fn cost_nanoseconds(&self) -> f64 {
        self.trees.cost_nanoseconds() + 20.0
    }
}
