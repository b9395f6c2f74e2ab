//! The predictor that a booster becomes.

use std::{sync::Arc, time::Duration};

use provost_inference::{
    Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, Predict, PredictError, Schema,
};

use crate::{
    Method,
    tree::{RowBlock, for_each_block},
};

use super::{
    Error,
    model::{BaseScore, Model, Scores},
    objective::Objective,
    scorer::Scorer,
};

/// Margins of a block of rows that fit on the stack.
const SMALL: usize = 64;

/// Adds up what trees or features are worth, and answers as the objective has it.
#[derive(Debug)]
pub(super) struct Booster {
    schema: Schema,
    /// Of a classifier that answers with a probability for each class.
    class_labels: Option<Box<[Box<str>]>>,
    scorer: Scorer,
    objective: Objective,
    /// The margin of each output that does not come from trees or features.
    base: Box<[f32]>,
    base_order: BaseOrder,
}

/// When the base margin is added, which decides the last bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BaseOrder {
    /// Sums start from it.
    First,
    /// Trees are added up before it: up to 1.2.
    Last,
}

impl Booster {
    pub(super) fn new(model: Model, method: Method) -> Result<Self, Error> {
        let objective = Objective::parse(&model.objective, model.version)?;
        let groups = model.groups;
        if objective.is_multi_class() && groups < 2 {
            return Err(Error::malformed("a model of several classes has no `num_class`"));
        }
        let base_order = match &model.scores {
            Scores::Trees(_) => BaseOrder::of_trees(&model),
            Scores::Weights(_) => BaseOrder::First,
        };
        let base = base_margins(&model.base_score, objective, groups)?;
        let objective = if method == Method::DecisionFunction { Objective::Identity } else { objective };
        let schema = schema(&model, objective, method);
        let label = |class: usize| class.to_string().into_boxed_str();
        let class_labels = objective.is_probabilities().then(|| (0..schema.output.width()).map(label).collect());
        let scorer = Scorer::new(model.scores, model.features, groups)?;
        Ok(Self { schema, class_labels, scorer, objective, base, base_order })
    }
}

impl BaseOrder {
    fn of_trees(model: &Model) -> Self {
        if model.version.is_some_and(|version| version.is_since(1, 3)) { Self::First } else { Self::Last }
    }
}

fn schema(model: &Model, objective: Objective, method: Method) -> Schema {
    let names = model.feature_names.as_ref().filter(|names| names.len() == model.features);
    let width = objective.width(model.groups);
    let name = if method == Method::DecisionFunction { method } else { Method::Predict };
    Schema {
        features: model.features,
        feature_names: names.map(|names| names.iter().map(|name| name.as_str().into()).collect::<Arc<_>>()),
        missing_values: MissingValues::Accepted,
        output: OutputSchema {
            shape: if width == 1 { OutputShape::Vector } else { OutputShape::Matrix(width) },
            kind: OutputKind::Float,
            name: name.name(),
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
        Duration::from_secs_f64((30.0 + self.scorer.nanoseconds()) * 1e-9)
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
        self.scorer.add(block, groups, margins);
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
}
