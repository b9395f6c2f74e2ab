//! Linear classifiers: a score for each class, or one for two classes, and how some of them become probabilities.

use provost_inference::{OutputKind, OutputSchema, OutputShape, Precision};

use crate::{Method, shown::shown};

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    linear::{Dimensions, Finish, Linear, LinearHead},
    predictor::Answer,
    record::{Part, Record},
    version::Version,
};

/// Which linear classifier it is, where they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its probabilities have changed with the versions.
    LogisticRegression,
    /// Its loss decides whether it has probabilities.
    Sgd,
    /// Its classes stand in the binarizer it was fitted with.
    Ridge,
    /// A linear discriminant.
    Discriminant,
    /// Scores only.
    Plain,
}

/// How scores become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Softmax,
    /// One classifier for each class, or one for two classes.
    OneVersusRest,
    /// Scores from -1 to 1 become probabilities from 0 to 1.
    ModifiedHuber,
}

#[derive(Debug)]
pub(super) struct LinearClassifier {
    linear: Linear,
    classes: Classes,
    /// `None` where there are no probabilities.
    rule: Option<Rule>,
}

impl LinearClassifier {
    pub(super) fn parse(record: &Record<'_>, kind: Kind) -> Result<Self, Error> {
        let (linear, dimensions) = Linear::parse(record)?;
        if dimensions == Dimensions::One && kind != Kind::Ridge {
            return Err(record.problem("coef_", "has one dimension, not two"));
        }
        let classes = match kind {
            Kind::Ridge => binarized_classes(record)?,
            _ => Classes::parse(record.get("classes_")?)?,
        };
        let is_pair = linear.outputs() == 1 && classes.len() == 2;
        if !is_pair && linear.outputs() != classes.len() || classes.len() < 2 {
            let problem = format!("has {} rows for {} classes", linear.outputs(), classes.len());
            return Err(record.problem("coef_", problem));
        }
        let rule = match kind {
            Kind::LogisticRegression => Some(logistic_rule(record, classes.len())?),
            Kind::Sgd => sgd_rule(record)?,
            Kind::Discriminant => Some(discriminant_rule(record, classes.len())),
            Kind::Ridge | Kind::Plain => None,
        };
        Ok(Self { linear, classes, rule })
    }

    fn finish(&self, method: Method) -> Finish {
        let is_pair = self.linear.outputs() == 1;
        match (method, self.rule) {
            (Method::Predict, _) => decide(&self.classes, is_pair),
            (Method::PredictProba, Some(rule)) if is_pair => match rule {
                Rule::OneVersusRest => Finish::LogisticPair,
                Rule::Softmax => Finish::SoftmaxPair,
                Rule::ModifiedHuber => Finish::ModifiedHuberPair,
            },
            (Method::PredictProba, Some(rule)) => match rule {
                Rule::OneVersusRest => Finish::OneVersusRest,
                Rule::Softmax => Finish::Softmax,
                Rule::ModifiedHuber => Finish::ModifiedHuber,
            },
            _ => Finish::Scores,
        }
    }
}

impl Model for LinearClassifier {
    fn features(&self) -> Option<usize> {
        Some(self.linear.features())
    }

    fn methods(&self) -> Vec<Method> {
        match self.rule {
            Some(_) => vec![Method::PredictProba, Method::Predict, Method::DecisionFunction],
            None => vec![Method::Predict, Method::DecisionFunction],
        }
    }

    fn classes(&self) -> &[Classes] {
        std::slice::from_ref(&self.classes)
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let is_vector = method == Method::Predict || method == Method::DecisionFunction && self.linear.outputs() == 1;
        let shape = if is_vector { OutputShape::Vector } else { OutputShape::Matrix(self.classes.len()) };
        let kind = if method == Method::Predict { self.classes.output_kind() } else { OutputKind::Float };
        let output = OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        let finish = self.finish(method);
        Ok(LinearHead { linear: self.linear, finish }.answer(output))
    }
}

fn decide(classes: &Classes, is_pair: bool) -> Finish {
    match classes.values().as_slice() {
        [negative, positive] if is_pair => Finish::Sign([*negative, *positive]),
        values => Finish::Highest(values.to_vec()),
    }
}

/// The classes of a `RidgeClassifier`, which is a regression on what a `LabelBinarizer` makes of them.
fn binarized_classes(record: &Record<'_>) -> Result<Classes, Error> {
    let binarizer = record.get("_label_binarizer")?;
    let binarizer = Record::parse_part(binarizer, Part::LabelBinarizer)?;
    let kind = binarizer.get("y_type_")?;
    match kind.text()? {
        "binary" | "multiclass" => Classes::parse(binarizer.get("classes_")?),
        other => Err(kind.problem(format!("is `{}`: several labels for a row are not supported", shown(other)))),
    }
}

/// Up to 1.7 `multi_class` decides; 1.8 removed it, and only two classes are left to the logistic
/// function.
fn logistic_rule(record: &Record<'_>, classes: usize) -> Result<Rule, Error> {
    let Some(attribute) = record.some("multi_class") else {
        return Ok(if classes == 2 { Rule::OneVersusRest } else { Rule::Softmax });
    };
    match attribute.text()? {
        "ovr" | "warn" => Ok(Rule::OneVersusRest),
        "multinomial" => Ok(Rule::Softmax),
        "auto" | "deprecated" if classes == 2 || solves_one_versus_rest(record)? => Ok(Rule::OneVersusRest),
        "auto" | "deprecated" => Ok(Rule::Softmax),
        other => Err(attribute.problem(format!("is `{}`, which is not known", shown(other)))),
    }
}

/// `liblinear` knows nothing else; `newton-cholesky` learnt softmax in 1.6.
fn solves_one_versus_rest(record: &Record<'_>) -> Result<bool, Error> {
    let is_old = record.version().is_some_and(|version| version < Version(1, 6));
    Ok(match record.get("solver")?.text()? {
        "liblinear" => true,
        "newton-cholesky" => is_old,
        _ => false,
    })
}

/// Softmax is for several classes, since 0.22.
fn discriminant_rule(record: &Record<'_>, classes: usize) -> Rule {
    let is_old = record.version().is_some_and(|version| version < Version(0, 22));
    if classes == 2 || is_old { Rule::OneVersusRest } else { Rule::Softmax }
}

/// Two losses give probabilities. The logistic one was renamed in 1.1.
fn sgd_rule(record: &Record<'_>) -> Result<Option<Rule>, Error> {
    Ok(match record.get("loss")?.text()? {
        "log" | "log_loss" => Some(Rule::OneVersusRest),
        "modified_huber" => Some(Rule::ModifiedHuber),
        _ => None,
    })
}
