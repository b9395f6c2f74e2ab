//! `GradientBoostingClassifier` and `GradientBoostingRegressor`: trees added up, each a step of a descent.
//!
//! Friedman, Greedy function approximation: a gradient boosting machine (2001).

use provost_inference::{Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, PredictError};

use crate::{Method, estimators::Class, shown::shown};

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    linear::Finish,
    predictor::{Answer, Head},
    record::{Part, Record},
    tree::{LeafShape, Normalisation, Trees},
    tree_head::{Decision, TreeHead},
    version::Version,
};

/// Probabilities are kept so far from 0 and 1 before their logarithms are taken: NumPy's precision of 32-bit floats.
const MARGIN: f64 = f32::EPSILON as f64;

#[derive(Debug)]
pub(super) struct Boosting {
    features: usize,
    trees: Trees,
    /// Number of trees in each step, and of scores.
    width: usize,
    classes: Vec<Classes>,
    /// What a score is multiplied by before it becomes a probability.
    factor: f64,
}

impl Boosting {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        check_loss(record)?;
        let attribute = record.get("estimators_")?;
        let (grid, shape) = attribute.grid()?;
        let &[steps, width] = &*shape else { return Err(attribute.problem(format!("has the shape {shape:?}"))) };
        let classes = match record.estimator.name {
            "GradientBoostingClassifier" => vec![Classes::parse(record.get("classes_")?)?],
            _ => Vec::new(),
        };
        let expected = classes.first().map_or(1, |classes| if classes.len() == 2 { 1 } else { classes.len() });
        if width != expected || steps == 0 {
            return Err(attribute.problem(format!("has the shape {shape:?} for {expected} scores")));
        }
        let features = match record.features_in()? {
            Some(features) => features,
            None => record
                .some("n_features_")
                .or_else(|| record.some("n_features"))
                .map_or_else(|| Err(record.problem("n_features_in_", "is missing")), |features| features.count())?,
        };
        let loss = record.get("loss")?.text()?;
        let trees = Trees::new(features, LeafShape { widths: vec![1], normalisation: Normalisation::AsStored });
        let factor = if loss == "exponential" { 2.0 } else { 1.0 };
        let mut model = Self { features, trees, width, classes, factor };
        model.begin(record)?;
        let rate = record.number("learning_rate")?;
        for (number, id) in grid.iter().enumerate() {
            let tree = Record::parse(record.pickle, *id)?;
            if !matches!(tree.estimator.class, Class::TreeRegressor(_)) {
                return Err(attribute.problem(format!("holds a `{}`", tree.estimator.name)));
            }
            model.trees.add_scaled(&tree, number, rate, (number % width, width))?;
        }
        Ok(model)
    }

    /// What the trees begin with: constants, which are put into a tree.
    fn begin(&mut self, record: &Record<'_>) -> Result<(), Error> {
        let zeros = vec![0.0; self.width];
        let Some(init) = record.some("init_").filter(|init| init.text_if_any().is_none()) else {
            return self.trees.add_constant(&zeros);
        };
        if let Ok(part) = Record::parse_part(init, Part::InitialEstimator) {
            return self.trees.add_constant(&old_constants(&part, self.width)?);
        }
        let estimator = Record::parse(record.pickle, init.id)?;
        match (estimator.estimator.class, self.classes.first()) {
            (Class::Dummy, Some(_)) => {
                let (shares, _) = estimator.get("class_prior_")?.floats()?;
                let is_halved = record.get("loss")?.text()? == "exponential";
                let is_centred = record.version().is_none_or(|version| version >= Version(1, 4));
                let constants = logarithms(&shares, self.width, is_halved, is_centred);
                self.trees.add_constant(&constants.ok_or_else(|| init.problem("does not fit the classes"))?)
            }
            (Class::Dummy, None) => {
                let (constants, _) = estimator.get("constant_")?.floats()?;
                if constants.len() != 1 {
                    return Err(init.problem("predicts several numbers"));
                }
                self.trees.add_constant(&constants)
            }
            _ => Err(init.problem(format!(
                "is a `{}`, which predicts in 32 bits there: only models without an `init` of their own are supported",
                estimator.estimator.name
            ))),
        }
    }
}

/// What estimators of before 0.21 begin with.
fn old_constants(part: &Record<'_>, width: usize) -> Result<Vec<f64>, Error> {
    let found = ["priors", "prior", "mean", "quantile"].into_iter().find_map(|name| part.some(name));
    let Some(attribute) = found else { return Ok(vec![0.0; width]) };
    let values = match attribute.float() {
        Some(value) => vec![value],
        None => attribute.floats()?.0,
    };
    if values.len() == width { Ok(values) } else { Err(attribute.problem(format!("is not of {width} numbers"))) }
}

/// Scores from which the classes' shares would come: a logit of two, logarithms of more.
fn logarithms(shares: &[f64], width: usize, is_halved: bool, is_centred: bool) -> Option<Vec<f64>> {
    let shares: Vec<_> = shares.iter().map(|share| share.clamp(MARGIN, 1.0 - MARGIN)).collect();
    if width == 1 {
        let &[_, share] = shares.as_slice() else { return None };
        let logit = (share / (1.0 - share)).ln();
        return Some(vec![if is_halved { 0.5 * logit } else { logit }]);
    }
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let mean = shares.iter().map(|share| share.ln()).sum::<f64>() / shares.len() as f64;
    let centre = if is_centred { mean } else { 0.0 };
    (shares.len() == width).then(|| shares.iter().map(|share| share.ln() - centre).collect())
}

impl Model for Boosting {
    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn methods(&self) -> Vec<Method> {
        if self.classes.is_empty() {
            return vec![Method::Predict];
        }
        vec![Method::PredictProba, Method::Predict, Method::DecisionFunction]
    }

    fn classes(&self) -> &[Classes] {
        &self.classes
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let is_pair = self.width == 1;
        let (shape, kind, finish) = match (method, self.classes.first()) {
            (Method::Predict, Some(classes)) => {
                let finish = match classes.values().as_slice() {
                    [negative, positive] if is_pair => Finish::Sign([*negative, *positive]),
                    values => Finish::Highest(values.to_vec()),
                };
                (OutputShape::Vector, classes.output_kind(), finish)
            }
            (Method::PredictProba, Some(classes)) => {
                let finish = if is_pair { Finish::LogisticPair } else { Finish::Softmax };
                (OutputShape::Matrix(classes.len()), OutputKind::Float, finish)
            }
            _ if is_pair => (OutputShape::Vector, OutputKind::Float, Finish::Scores),
            _ => (OutputShape::Matrix(self.width), OutputKind::Float, Finish::Scores),
        };
        let factor = if method == Method::PredictProba { self.factor } else { 1.0 };
        let output = OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        let trees = TreeHead {
            width: self.width,
            forest: self.trees.forest.build(),
            leaf_values: self.trees.leaf_values,
            averages: false,
            decision: Decision::None,
            missing_values: MissingValues::Refused,
        };
        let head = BoostingHead { trees, factor, finish };
        Ok(Answer { head: Box::new(head), output, missing_values: MissingValues::Refused })
    }
}

#[derive(Debug)]
struct BoostingHead {
    trees: TreeHead,
    factor: f64,
    finish: Finish,
}

impl Head for BoostingHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let mut scores = Vec::with_capacity(rows.rows() * self.trees.width);
        self.trees.predict(rows, &mut scores)?;
        for row in scores.chunks_exact(self.trees.width) {
            let start = output.len();
            output.extend(row.iter().map(|score| score * self.factor));
            self.finish.apply(start, output);
        }
        Ok(())
    }

    fn cost_nanoseconds(&self) -> f64 {
        self.trees.cost_nanoseconds() + 20.0
    }
}

/// A loss that is not known is told when the model is read.
fn check_loss(record: &Record<'_>) -> Result<(), Error> {
    let loss = record.get("loss")?;
    let text = loss.text()?;
    let known = match record.estimator.name {
        "GradientBoostingClassifier" => &["deviance", "log_loss", "exponential"][..],
        _ => &["ls", "squared_error", "lad", "absolute_error", "huber", "quantile"][..],
    };
    if known.contains(&text) { Ok(()) } else { Err(loss.problem(format!("is `{}`, which is not known", shown(text)))) }
}
