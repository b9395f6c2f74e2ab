//! `CalibratedClassifierCV`: scores of classifiers, of which sigmoids or steps make probabilities.

use provost_inference::{Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, PredictError};

use crate::{Method, argmax::argmax, estimators::Class, shown::shown};

use super::{
    super::{
        Error,
        classes::Classes,
        estimator::{self, Fitted, Model},
        isotonic::Isotonic,
        predictor::{Answer, Head},
        record::{Part, Record},
    },
    head::HeadOf,
    members::Member,
};

/// Makes a probability of a score.
#[derive(Debug)]
enum Calibrator {
    /// `1 / (1 + exp(a score + b))`: Platt (1999).
    Sigmoid {
        a: f64,
        b: f64,
    },
    Isotonic(Isotonic),
}

impl Calibrator {
    fn parse(record: &Record<'_>) -> Result<Self, Error> {
        match record.estimator.class {
            Class::Part(Part::Sigmoid) => Ok(Self::Sigmoid { a: record.number("a_")?, b: record.number("b_")? }),
            _ => Isotonic::parse(record).map(Self::Isotonic),
        }
    }

    fn apply(&self, score: f64) -> f64 {
        match self {
            Self::Sigmoid { a, b } => 1.0 / (1.0 + (a * score + b).exp()),
            Self::Isotonic(isotonic) => isotonic.at(score),
        }
    }
}

#[derive(Debug)]
pub(in super::super) struct Calibrated {
    classes: Classes,
    features: Option<usize>,
    members: Vec<(Fitted, Vec<Calibrator>)>,
}

impl Calibrated {
    pub(in super::super) fn parse(record: &Record<'_>, depth: usize) -> Result<Self, Error> {
        let classes = Classes::parse(record.get("classes_")?)?;
        let method = record.get("method")?;
        if !matches!(method.text()?, "sigmoid" | "isotonic") {
            let problem = format!("is `{}`; supported are `sigmoid` and `isotonic`", shown(method.text()?));
            return Err(method.problem(problem));
        }
        let list = record.get("calibrated_classifiers_")?;
        let mut members = Vec::new();
        for id in list.list()? {
            let part = Record::parse_part(list.element(*id), Part::CalibratedClassifier)?;
            let fitted = part.some("estimator").or_else(|| part.some("base_estimator"));
            let fitted = fitted.ok_or_else(|| list.problem("holds a classifier without an estimator"))?;
            let fitted = estimator::extract_nested(record.pickle, fitted.id, depth + 1)?;
            let calibrators = part.some("calibrators").or_else(|| part.some("calibrators_"));
            let calibrators = calibrators.ok_or_else(|| list.problem("holds a classifier without calibrators"))?;
            let calibrator = |id: &_| {
                let calibrator = calibrators.element(*id);
                let sigmoid = Record::parse_part(calibrator, Part::Sigmoid);
                Calibrator::parse(&sigmoid.or_else(|_| Record::parse(record.pickle, *id))?)
            };
            let calibrators = calibrators.list()?.iter().map(calibrator).collect::<Result<Vec<_>, _>>()?;
            let expected = if classes.len() == 2 { 1 } else { classes.len() };
            let is_whole = fitted.classes().first().is_some_and(|own| own.len() == classes.len());
            if !is_whole || calibrators.len() != expected {
                return Err(list.problem("holds a classifier that has not seen all classes"));
            }
            members.push((fitted, calibrators));
        }
        if members.is_empty() {
            return Err(list.problem("is empty"));
        }
        let told = members.iter().find_map(|(fitted, _)| fitted.features);
        Ok(Self { classes, features: record.features_in()?.or(told), members })
    }
}

impl Model for Calibrated {
    fn features(&self) -> Option<usize> {
        self.features
    }

    fn methods(&self) -> Vec<Method> {
        vec![Method::PredictProba, Method::Predict]
    }

    fn classes(&self) -> &[Classes] {
        std::slice::from_ref(&self.classes)
    }

    fn answer(self: Box<Self>, method: Method, features: usize) -> Result<Answer, Error> {
        let mut members = Vec::new();
        for (fitted, calibrators) in self.members {
            let has_scores = fitted.methods().contains(&Method::DecisionFunction);
            let asked = if has_scores { Method::DecisionFunction } else { Method::PredictProba };
            let (head, ..) = Member { fitted, columns: None, weight: 1.0 }.answer(asked, features, None)?;
            // Of two probabilities only the second is calibrated.
            let skipped = head.width.saturating_sub(calibrators.len());
            members.push((head, skipped, calibrators));
        }
        let width = self.classes.len();
        let (shape, kind, values) = match method {
            Method::Predict => (OutputShape::Vector, self.classes.output_kind(), Some(self.classes.values())),
            _ => (OutputShape::Matrix(width), OutputKind::Float, None),
        };
        let output = OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        let head = CalibratedHead { members, width, values };
        Ok(Answer { head: Box::new(head), output, missing_values: MissingValues::Refused })
    }
}

#[derive(Debug)]
struct CalibratedHead {
    /// Each with how many of its columns are left out, and what calibrates the others.
    members: Vec<(HeadOf, usize, Vec<Calibrator>)>,
    width: usize,
    /// What stands for each class, if classes are asked for.
    values: Option<Vec<f64>>,
}

impl Head for CalibratedHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let mut sums = vec![0.0; rows.rows() * self.width];
        let (mut said, mut shares) = (Vec::new(), vec![0.0; self.width]);
        for (member, skipped, calibrators) in &self.members {
            said.clear();
            member.head.predict(rows, &mut said)?;
            for (scores, sums) in said.chunks_exact(member.width).zip(sums.chunks_exact_mut(self.width)) {
                calibrate(&scores[*skipped..], calibrators, &mut shares);
                sums.iter_mut().zip(&shares).for_each(|(sum, share)| *sum += share);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let count = self.members.len() as f64;
        for row in sums.chunks_exact_mut(self.width) {
            row.iter_mut().for_each(|sum| *sum /= count);
            match &self.values {
                Some(values) => output.push(values[argmax(row)]),
                None => output.extend_from_slice(row),
            }
        }
        Ok(())
    }

    fn cost_nanoseconds(&self) -> f64 {
        let member = |(member, _, calibrators): &(HeadOf, usize, Vec<Calibrator>)| {
            let calibrators: f64 = calibrators.iter().map(|_| 20.0).sum();
            member.head.cost_nanoseconds() + calibrators
        };
        self.members.iter().map(member).sum()
    }
}

/// The probabilities of one member, scaled to a sum of 1; all are alike where they are 0.
fn calibrate(scores: &[f64], calibrators: &[Calibrator], shares: &mut [f64]) {
    if let ([score], [calibrator], [negative, positive]) = (scores, calibrators, &mut *shares) {
        *positive = calibrator.apply(*score);
        *negative = 1.0 - *positive;
        return;
    }
    let calibrated = scores.iter().zip(calibrators).map(|(score, calibrator)| calibrator.apply(*score));
    shares.iter_mut().zip(calibrated).for_each(|(share, probability)| *share = probability);
    let sum: f64 = shares.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let even = 1.0 / shares.len() as f64;
    shares.iter_mut().for_each(|share| *share = if sum == 0.0 { even } else { *share / sum });
}
