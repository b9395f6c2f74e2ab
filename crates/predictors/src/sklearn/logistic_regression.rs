//! `LogisticRegression`: which probabilities it gives has changed with the versions.

use provost_inference::{OutputKind, OutputSchema, OutputShape, Precision};

use crate::{Method, shown::shown};

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    linear::{Dimensions, Finish, Linear, LinearHead},
    predictor::Answer,
    record::Record,
    version::Version,
};

/// How scores become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Softmax,
    /// One classifier for each class, or one for two classes.
    OneVersusRest,
}

#[derive(Debug)]
pub(super) struct LogisticRegression {
    linear: Linear,
    classes: Classes,
    rule: Rule,
}

impl LogisticRegression {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let (linear, dimensions) = Linear::parse(record)?;
        if dimensions == Dimensions::One {
            return Err(record.problem("coef_", "has one dimension, not two"));
        }
        let classes = Classes::parse(record.get("classes_")?)?;
        let is_pair = linear.outputs() == 1 && classes.len() == 2;
        if !is_pair && linear.outputs() != classes.len() || classes.len() < 2 {
            let problem = format!("has {} rows for {} classes", linear.outputs(), classes.len());
            return Err(record.problem("coef_", problem));
        }
        let rule = rule(record, classes.len())?;
        Ok(Self { linear, classes, rule })
    }

    fn head(self, method: Method) -> (LinearHead, OutputSchema) {
        let is_pair = self.linear.outputs() == 1;
        let (shape, kind) = match method {
            Method::PredictProba => (OutputShape::Matrix(self.classes.len()), OutputKind::Float),
            Method::Predict => (OutputShape::Vector, self.classes.output_kind()),
            Method::DecisionFunction if is_pair => (OutputShape::Vector, OutputKind::Float),
            _ => (OutputShape::Matrix(self.classes.len()), OutputKind::Float),
        };
        let finish = match (method, self.rule) {
            (Method::Predict, _) => decide(&self.classes, is_pair),
            (Method::PredictProba, Rule::OneVersusRest) if is_pair => Finish::LogisticPair,
            (Method::PredictProba, Rule::OneVersusRest) => Finish::OneVersusRest,
            (Method::PredictProba, Rule::Softmax) if is_pair => Finish::SoftmaxPair,
            (Method::PredictProba, Rule::Softmax) => Finish::Softmax,
            _ => Finish::Scores,
        };
        let output = OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        (LinearHead { linear: self.linear, finish }, output)
    }
}

impl Model for LogisticRegression {
    fn features(&self) -> Option<usize> {
        Some(self.linear.features())
    }

    fn methods(&self) -> Vec<Method> {
        vec![Method::PredictProba, Method::Predict, Method::DecisionFunction]
    }

    fn classes(&self) -> &[Classes] {
        std::slice::from_ref(&self.classes)
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let (head, output) = self.head(method);
        Ok(head.answer(output))
    }
}

fn decide(classes: &Classes, is_pair: bool) -> Finish {
    match classes.values().as_slice() {
        [negative, positive] if is_pair => Finish::Sign([*negative, *positive]),
        values => Finish::Highest(values.to_vec()),
    }
}

/// Up to 1.7 `multi_class` decides; 1.8 removed it, and only two classes are left to the logistic
/// function.
fn rule(record: &Record<'_>, classes: usize) -> Result<Rule, Error> {
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
