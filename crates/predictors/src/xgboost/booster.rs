//! The predictor that a booster becomes.

use std::{ops::Range, sync::Arc, time::Duration};

use provost_inference::{
    Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, Predict, PredictError, Schema,
};

use crate::{
    Method,
    tree::{Eight, Forest, LANES, RowBlock, for_each_block},
};

use super::{
    Error,
    model::{BaseScore, Model},
    objective::Objective,
};

/// Margins of a block of rows that fit on the stack.
const SMALL: usize = 64;
/// Outputs that a model may claim whatever its number of trees.
const MAX_GROUPS_WITHOUT_TREES: usize = 1024;

/// Adds up what the trees' leaves hold, in 32 bits and in the order of the library.
#[derive(Debug)]
pub(super) struct Booster {
    schema: Schema,
    /// Of a classifier that answers with a probability for each class.
    class_labels: Option<Box<[Box<str>]>>,
    forest: Forest,
    objective: Objective,
    /// The margin of each output that does not come from trees.
    base: Box<[f32]>,
    base_order: BaseOrder,
    /// The margin that each tree adds to.
    tree_groups: Box<[u32]>,
}

/// When the base margin is added, which decides the last bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BaseOrder {
    /// Sums start from it: since 1.3.
    First,
    /// Trees are added up before it.
    Last,
}

impl Booster {
    pub(super) fn new(model: Model) -> Result<Self, Error> {
        let objective = Objective::parse(&model.objective, model.version)?;
        let groups = model.groups;
        if objective.is_multi_class() && groups < 2 {
            return Err(Error::malformed("a model of several classes has no `num_class`"));
        }
        if groups > MAX_GROUPS_WITHOUT_TREES.max(model.trees.len()) {
            return Err(Error::malformed(format!("it claims {groups} outputs, more than trees")));
        }
        let base = base_margins(&model.base_score, objective, groups)?;
        let tree_groups = tree_groups(&model)?;
        let starts_from_base = model.version.is_some_and(|version| version.is_since(1, 3));
        let base_order = if starts_from_base { BaseOrder::First } else { BaseOrder::Last };
        let schema = schema(&model, objective);
        let label = |class: usize| class.to_string().into_boxed_str();
        let class_labels = objective.is_probabilities().then(|| (0..schema.output.width()).map(label).collect());
        let forest = model.trees.build(model.features)?;
        Ok(Self { schema, class_labels, forest, objective, base, base_order, tree_groups })
    }
}

fn schema(model: &Model, objective: Objective) -> Schema {
    let names = model.feature_names.as_ref().filter(|names| names.len() == model.features);
    let width = objective.width(model.groups);
    Schema {
        features: model.features,
        feature_names: names.map(|names| names.iter().map(|name| name.as_str().into()).collect::<Arc<_>>()),
        missing_values: MissingValues::Accepted,
        output: OutputSchema {
            shape: if width == 1 { OutputShape::Vector } else { OutputShape::Matrix(width) },
            kind: OutputKind::Float,
            name: Method::Predict.name(),
            precision: Precision::Single,
        },
    }
}

/// One margin for each output.
fn base_margins(base_score: &BaseScore, objective: Objective, groups: usize) -> Result<Box<[f32]>, Error> {
    let margins = match base_score {
        BaseScore::Margin(margins) => margins.clone(),
        BaseScore::Score(scores) => {
            scores.iter().map(|score| objective.margin_of(*score)).collect::<Result<Vec<_>, _>>()?
        }
    };
    match margins.as_slice() {
        [margin] => Ok(vec![*margin; groups].into()),
        margins if margins.len() == groups => Ok(margins.into()),
        margins => Err(Error::malformed(format!("it has {} base scores for {groups} outputs", margins.len()))),
    }
}

fn tree_groups(model: &Model) -> Result<Box<[u32]>, Error> {
    let (trees, listed) = (model.trees.len(), model.tree_groups.len());
    if trees != listed {
        return Err(Error::malformed(format!("it has {trees} trees, but lists outputs for {listed}")));
    }
    let known = |group: &i64| {
        let known = usize::try_from(*group).is_ok_and(|group| group < model.groups);
        known.then(|| u32::try_from(*group).ok()).flatten()
    };
    let groups = model.tree_groups.iter().map(known).collect::<Option<_>>();
    groups.ok_or_else(|| Error::malformed("a tree adds to an output that does not exist"))
}

impl Predict for Booster {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn predict(&self, input: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        if input.columns() != self.schema.features {
            let (expected, actual) = (self.schema.features, input.columns());
            return Err(PredictError::FeatureCount { expected, actual });
        }
        output.reserve(input.rows() * self.schema.output.width());
        for_each_block(input, MissingValues::Accepted, |block| self.predict_block(block, output))
    }

    fn class_labels(&self) -> Option<&[Box<str>]> {
        self.class_labels.as_deref()
    }

    fn row_cost(&self) -> Duration {
        Duration::from_secs_f64((30.0 + self.forest.walk_nanoseconds()) * 1e-9)
    }
}

impl Booster {
    fn predict_block(&self, block: &RowBlock<'_>, output: &mut Vec<f64>) {
        let groups = self.base.len();
        let rows = block.count();
        let mut small = [0.0; SMALL];
        let mut large = Vec::new();
        let margins = if rows * groups <= SMALL {
            &mut small[..rows * groups]
        } else {
            large.resize(rows * groups, 0.0);
            large.as_mut_slice()
        };
        if self.base_order == BaseOrder::First {
            self.add_base(margins);
        }
        self.add_trees(block, margins);
        if self.base_order == BaseOrder::Last {
            self.add_base(margins);
        }
        for margins in margins.chunks_exact_mut(groups) {
            self.objective.answer(margins, output);
        }
    }

    fn add_base(&self, margins: &mut [f32]) {
        for margins in margins.chunks_exact_mut(self.base.len()) {
            margins.iter_mut().zip(&self.base).for_each(|(margin, base)| *margin += base);
        }
    }

    /// Adds what each row's leaves hold, tree after tree.
    fn add_trees(&self, block: &RowBlock<'_>, margins: &mut [f32]) {
        let groups = self.base.len();
        let mut sums = Vec::new();
        if self.forest.visit_eights(block, |rows, eight| self.add_trees_to_eight(rows, eight, &mut sums, margins)) {
            return;
        }
        if !self.forest.is_better_by_tree(block) {
            let rows = margins.chunks_exact_mut(groups).enumerate();
            rows.for_each(|(row, margins)| self.add_trees_to_row(block, row, margins));
            return;
        }
        for (tree, group) in self.tree_groups.iter().enumerate() {
            let margins = &mut margins[*group as usize..];
            self.forest.visit_tree(block, tree, |row, leaves| {
                let margins = margins[row * groups..].iter_mut().step_by(groups);
                margins.zip(leaves).for_each(|(margin, leaf)| *margin += f32::from_bits(*leaf));
            });
        }
    }

    /// Adds the leaves of eight rows to their margins, which stand side by side in `sums` meanwhile.
    fn add_trees_to_eight(
        &self,
        rows: Range<usize>,
        eight: &Eight<'_>,
        sums: &mut Vec<[f32; LANES]>,
        margins: &mut [f32],
    ) {
        let groups = self.base.len();
        let margins = &mut margins[rows.start * groups..rows.end * groups];
        sums.resize(groups, [0.0; LANES]);
        for (lane, margins) in margins.chunks_exact(groups).enumerate() {
            sums.iter_mut().zip(margins).for_each(|(sums, margin)| sums[lane] = *margin);
        }
        eight.add_to(&self.tree_groups, sums);
        for (lane, margins) in margins.chunks_exact_mut(groups).enumerate() {
            margins.iter_mut().zip(&*sums).for_each(|(margin, sums)| *margin = sums[lane]);
        }
    }

    fn add_trees_to_row(&self, block: &RowBlock<'_>, row: usize, margins: &mut [f32]) {
        if let [margin] = margins {
            let mut sum = *margin;
            self.forest.visit_row(block, row, |_, leaves| {
                for leaf in leaves {
                    sum += f32::from_bits(*leaf);
                }
            });
            *margin = sum;
            return;
        }
        self.forest.visit_row(block, row, |tree, leaves| {
            for (group, leaf) in self.tree_groups[tree..].iter().zip(leaves) {
                margins[*group as usize] += f32::from_bits(*leaf);
            }
        });
    }
}
