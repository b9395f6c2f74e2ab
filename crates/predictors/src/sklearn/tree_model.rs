//! Decision trees and forests of them, for classification and regression.

use provost_inference::{MissingValues, OutputKind, OutputSchema, OutputShape, Precision};

use crate::{
    Method,
    estimators::{Class, Splits},
};

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    predictor::Answer,
    record::{Attribute, Record},
    tree::{LeafShape, Normalisation, Trees},
    tree_head::{Decision, TreeHead},
    version::Version,
};

/// A fitted tree or forest.
#[derive(Debug)]
pub(super) struct TreeModel {
    features: usize,
    trees: Trees,
    ensemble: Ensemble,
    target: Target,
    missing_values: MissingValues,
}

/// Whether the estimator is one tree, or averages many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ensemble {
    Tree,
    Forest,
}

/// What is predicted.
#[derive(Debug, Clone, PartialEq)]
enum Target {
    /// The classes of each output.
    Classes(Vec<Classes>),
    /// A number of outputs.
    Numbers(usize),
}

impl TreeModel {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let (ensemble, splits) = match record.estimator.class {
            Class::TreeClassifier(splits) | Class::TreeRegressor(splits) => (Ensemble::Tree, splits),
            Class::ForestClassifier(splits) | Class::ForestRegressor(splits) => (Ensemble::Forest, splits),
            _ => return Err(record.unsupported()),
        };
        let target = Target::parse(record)?;
        let features = features(record)?;
        let trees = Trees::new(features, leaf_shape(record, &target));
        let mut model = Self { features, trees, ensemble, target, missing_values: MissingValues::Refused };
        model.add_trees(record, splits)?;
        Ok(model)
    }

    fn add_trees(&mut self, record: &Record<'_>, splits: Splits) -> Result<(), Error> {
        let members = match self.ensemble {
            Ensemble::Tree => vec![*record],
            Ensemble::Forest => members(record, splits)?,
        };
        let first = members.first().ok_or_else(|| record.problem("estimators_", "is empty"))?;
        self.missing_values = missing_values(first, splits, self.ensemble)?;
        let mut members = members.iter().enumerate();
        members.try_for_each(|(number, member)| self.trees.add(member, number))
    }

    /// The model as it answers with `method`, one of its methods.
    fn head(self, method: Method) -> (TreeHead, OutputSchema) {
        let output = self.target.output(method);
        let decision = match (&self.target, method) {
            (Target::Classes(classes), Method::Predict) => Decision::among(classes),
            _ => Decision::None,
        };
        let head = TreeHead {
            width: self.trees.shape.width(),
            forest: self.trees.forest.build(),
            leaf_values: self.trees.leaf_values,
            averages: self.ensemble == Ensemble::Forest,
            decision,
            missing_values: self.missing_values,
        };
        (head, output)
    }
}

impl Model for TreeModel {
    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn methods(&self) -> Vec<Method> {
        match self.classes().len() {
            1 => vec![Method::PredictProba, Method::Predict],
            _ => vec![Method::Predict],
        }
    }

    fn classes(&self) -> &[Classes] {
        match &self.target {
            Target::Classes(classes) => classes,
            Target::Numbers(_) => &[],
        }
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let missing_values = self.missing_values;
        let (head, output) = self.head(method);
        Ok(Answer { head: Box::new(head), output, missing_values })
    }
}

impl Target {
    fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let outputs = record.get("n_outputs_")?;
        let count = outputs.count()?;
        if count == 0 {
            return Err(outputs.problem("is 0"));
        }
        match record.estimator.class {
            Class::TreeRegressor(_) | Class::ForestRegressor(_) => Ok(Self::Numbers(count)),
            _ => classes(record.get("classes_")?, count).map(Self::Classes),
        }
    }

    fn widths(&self) -> Vec<usize> {
        match self {
            Self::Classes(classes) => classes.iter().map(Classes::len).collect(),
            Self::Numbers(outputs) => vec![1; *outputs],
        }
    }

    fn output(&self, method: Method) -> OutputSchema {
        let output = |shape, kind| OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        let (outputs, kind) = match self {
            Self::Classes(classes) if method == Method::PredictProba => {
                let width = classes.iter().map(Classes::len).sum();
                return output(OutputShape::Matrix(width), OutputKind::Float);
            }
            Self::Classes(classes) => (classes.len(), Classes::common_kind(classes)),
            Self::Numbers(outputs) => (*outputs, OutputKind::Float),
        };
        output(if outputs == 1 { OutputShape::Vector } else { OutputShape::Matrix(outputs) }, kind)
    }
}

/// `classes_`: an array of labels, or a list of arrays where there are several outputs.
fn classes(attribute: Attribute<'_>, outputs: usize) -> Result<Vec<Classes>, Error> {
    if outputs == 1 && attribute.list().is_err() {
        return Classes::parse(attribute).map(|classes| vec![classes]);
    }
    let list = attribute.list()?;
    if list.len() != outputs {
        return Err(attribute.problem(format!("has {} lists for {outputs} outputs", list.len())));
    }
    list.iter().map(|id| Classes::parse(attribute.element(*id))).collect()
}

/// Number of features; the attribute was renamed in 0.24.
fn features(record: &Record<'_>) -> Result<usize, Error> {
    let features = match record.features_in()? {
        Some(features) => features,
        None => record.get("n_features_")?.count()?,
    };
    if features == 0 { Err(record.problem("n_features_in_", "is 0")) } else { Ok(features) }
}

fn leaf_shape(record: &Record<'_>, target: &Target) -> LeafShape {
    let holds_fractions = record.version().is_some_and(|version| version >= Version(1, 4));
    let normalisation = match target {
        Target::Classes(_) if !holds_fractions => Normalisation::DivideBySum,
        _ => Normalisation::AsStored,
    };
    LeafShape { widths: target.widths(), normalisation }
}

/// The trees of a forest, which must be of the forest's own kind.
fn members<'a>(record: &Record<'a>, splits: Splits) -> Result<Vec<Record<'a>>, Error> {
    let expected = match record.estimator.class {
        Class::ForestClassifier(_) => Class::TreeClassifier(splits),
        _ => Class::TreeRegressor(splits),
    };
    let estimators = record.get("estimators_")?;
    let member = |id| {
        let member = Record::parse(record.pickle, id)?;
        if member.estimator.class == expected {
            return Ok(member);
        }
        Err(estimators.problem(format!("holds a `{}`", member.estimator.name)))
    };
    estimators.list()?.iter().map(|id| member(*id)).collect()
}

/// Which trees take missing values, by version, criterion and splitter.
fn missing_values(tree: &Record<'_>, splits: Splits, ensemble: Ensemble) -> Result<MissingValues, Error> {
    let Some(version) = tree.version() else { return Ok(MissingValues::Refused) };
    let since = match ensemble {
        Ensemble::Tree => Version(1, 3),
        Ensemble::Forest => Version(1, 4),
    };
    let splitter = tree.get("splitter")?.text_if_any().unwrap_or_default();
    let is_splitter_able = match (version < Version(1, 6), splits) {
        (true, _) => splitter == "best",
        (false, Splits::Best) => matches!(splitter, "best" | "random"),
        (false, Splits::Random) => splitter == "random",
    };
    let is_able = version >= since && is_splitter_able;
    let is_limited = version < Version(1, 9) && !lifts_limits(tree)?;
    Ok(if is_able && !is_limited { MissingValues::Accepted } else { MissingValues::Refused })
}

/// Up to 1.8, only some criteria take missing values, and no monotonic constraints.
fn lifts_limits(tree: &Record<'_>) -> Result<bool, Error> {
    let criterion = tree.get("criterion")?.text_if_any().unwrap_or_default();
    let is_able = match tree.estimator.class {
        Class::TreeClassifier(_) => matches!(criterion, "gini" | "log_loss" | "entropy"),
        _ => matches!(criterion, "squared_error" | "friedman_mse" | "poisson"),
    };
    Ok(is_able && tree.some("monotonic_cst").is_none())
}
