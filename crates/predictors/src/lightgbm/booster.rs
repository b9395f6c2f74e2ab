//! The predictor that a booster becomes.

use std::{sync::Arc, time::Duration};

use provost_inference::{
    Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, Predict, PredictError, Schema,
};

use crate::{
    Method,
    tree::{Care, WideForest},
};

use super::{Error, leaves::Forest, model::Model, objective::Objective};

/// Rows that are taken through trees together.
const ROWS_A_BLOCK: usize = 256;

/// Adds up what the leaves of trees hold, and answers as the objective has it.
#[derive(Debug)]
pub(super) struct Booster {
    schema: Schema,
    /// Of a classifier that answers with a probability for each class.
    class_labels: Option<Box<[Box<str>]>>,
    forest: Forest,
    objective: Objective,
    outputs: usize,
    /// What sums are divided by. Raw scores of random forests are sums too.
    rounds: Option<f64>,
}

impl Booster {
    pub(super) fn new(model: Model, method: Method) -> Result<Self, Error> {
        let objective = Objective::parse(&model.objective)?;
        let is_multi_class = model.objective_name().starts_with("multiclass");
        let is_raw = method == Method::DecisionFunction;
        let schema = schema(&model, is_raw);
        let label = |class: usize| class.to_string().into_boxed_str();
        let has_labels = is_multi_class && !is_raw;
        #[expect(clippy::cast_precision_loss, reason = "a number of rounds")]
        let rounds = (model.tree_count / model.outputs) as f64;
        Ok(Self {
            class_labels: has_labels.then(|| (0..model.outputs).map(label).collect()),
            forest: model.trees.build(model.features)?,
            objective: if is_raw { Objective::Identity } else { objective },
            outputs: model.outputs,
            rounds: (model.is_averaged && !is_raw && rounds > 0.0).then_some(rounds),
            schema,
        })
    }
}

fn schema(model: &Model, is_raw: bool) -> Schema {
    let name = if is_raw { Method::DecisionFunction } else { Method::Predict };
    let names = model.feature_names.as_ref();
    Schema {
        features: model.features,
        feature_names: names.map(|names| names.iter().map(|name| name.as_str().into()).collect::<Arc<_>>()),
        missing_values: MissingValues::Accepted,
        output: OutputSchema {
            shape: if model.outputs == 1 { OutputShape::Vector } else { OutputShape::Matrix(model.outputs) },
            kind: OutputKind::Float,
            name: name.name(),
            precision: Precision::Double,
        },
    }
}

impl Predict for Booster {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn predict(&self, input: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let (expected, actual) = (self.schema.features, input.columns());
        if actual != expected {
            return Err(PredictError::FeatureCount { expected, actual });
        }
        let first = output.len();
        output.resize(first + input.rows() * self.outputs, 0.0);
        let blocks = input.values().chunks(ROWS_A_BLOCK * expected);
        for (values, scores) in blocks.zip(output[first..].chunks_mut(ROWS_A_BLOCK * self.outputs)) {
            self.add(values, scores);
            self.finish(scores);
        }
        Ok(())
    }

    fn class_labels(&self) -> Option<&[Box<str>]> {
        self.class_labels.as_deref()
    }

    fn row_cost(&self) -> Duration {
        let nanoseconds = match &self.forest {
            Forest::Plain(forest) => forest.walk_nanoseconds(),
            Forest::Linear { forest, .. } => 2.0 * forest.walk_nanoseconds(),
        };
        Duration::from_secs_f64((30.0 + nanoseconds) * 1e-9)
    }
}

impl Booster {
    fn add(&self, values: &[f64], scores: &mut [f64]) {
        let rows = Rows { values, columns: self.schema.features, outputs: self.outputs };
        match &self.forest {
            Forest::Plain(forest) => rows.add(forest, scores, |leaf, _| leaf),
            Forest::Linear { forest, leaves } => rows.add(forest, scores, |leaf, row| leaves.value(leaf, row)),
        }
    }

    /// Turns the sums of rows into answers.
    fn finish(&self, scores: &mut [f64]) {
        if let Some(rounds) = self.rounds {
            scores.iter_mut().for_each(|score| *score /= rounds);
        }
        for scores in scores.chunks_exact_mut(self.outputs) {
            self.objective.apply(scores);
        }
    }
}

/// Some rows before a forest.
#[derive(Debug, Clone, Copy)]
struct Rows<'a> {
    values: &'a [f64],
    columns: usize,
    outputs: usize,
}

impl<'a> Rows<'a> {
    /// Adds what each row's leaves are worth to the outputs of their trees, tree after tree.
    fn add<P: Copy + Default>(
        self,
        forest: &WideForest<P>,
        scores: &mut [f64],
        worth: impl Fn(P, &[f64]) -> f64 + Copy,
    ) {
        let care = forest.care_for(self.values);
        if forest.is_better_by_tree(self.values.len() / self.columns) {
            for tree in 0..forest.tree_count() {
                self.add_tree(forest, care, tree, scores, worth);
            }
            return;
        }
        for (row, scores) in self.values.chunks_exact(self.columns).zip(scores.chunks_exact_mut(self.outputs)) {
            add_row(forest, care, row, scores, worth);
        }
    }

    fn row(self, row: usize) -> &'a [f64] {
        &self.values[row * self.columns..][..self.columns]
    }

    fn add_tree<P: Copy + Default>(
        self,
        forest: &WideForest<P>,
        care: Care,
        tree: usize,
        scores: &mut [f64],
        worth: impl Fn(P, &[f64]) -> f64,
    ) {
        let scores = &mut scores[tree % self.outputs..];
        forest.visit_tree(care, tree, self.values, self.columns, |first, leaves| {
            let scores = scores[first * self.outputs..].iter_mut().step_by(self.outputs);
            for (index, (score, leaf)) in scores.zip(leaves).enumerate() {
                *score += worth(*leaf, self.row(first + index));
            }
        });
    }
}

fn add_row<P: Copy + Default>(
    forest: &WideForest<P>,
    care: Care,
    row: &[f64],
    scores: &mut [f64],
    worth: impl Fn(P, &[f64]) -> f64,
) {
    if let [score] = scores {
        let mut sum = *score;
        forest.visit_row(care, row, |_, leaves| {
            for leaf in leaves {
                sum += worth(*leaf, row);
            }
        });
        *score = sum;
        return;
    }
    let outputs = scores.len();
    forest.visit_row(care, row, |first, leaves| {
        for (index, leaf) in leaves.iter().enumerate() {
            scores[(first + index) % outputs] += worth(*leaf, row);
        }
    });
}
