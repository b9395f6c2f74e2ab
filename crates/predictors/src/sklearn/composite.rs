//! Estimators that consist of others: what their members say is averaged, voted on, or set side by side.

mod calibrated;
mod head;
mod members;
mod stacking;

use provost_inference::{MissingValues, OutputKind, OutputSchema, OutputShape, Precision};

use crate::Method;

pub(super) use self::{calibrated::Calibrated, stacking::extract as extract_stacking};
use self::{
    head::{Combination, CompositeHead, Decide},
    members::{Member, members},
};
use super::{Error, classes::Classes, estimator::Model, predictor::Answer, record::Record};

/// Which estimator it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Composite {
    VotingClassifier,
    VotingRegressor,
    BaggingClassifier,
    BaggingRegressor,
    AdaBoostRegressor,
    OneVsRest,
    MultiOutput,
}

/// A fitted estimator of several members.
#[derive(Debug)]
pub(super) struct CompositeModel {
    kind: Composite,
    features: Option<usize>,
    members: Vec<Member>,
    /// Of the whole; members tell theirs by number.
    classes: Vec<Classes>,
    votes_hard: bool,
}

impl CompositeModel {
    pub(super) fn parse(record: &Record<'_>, kind: Composite, depth: usize) -> Result<Self, Error> {
        let mut members = members(record, depth)?;
        if kind == Composite::AdaBoostRegressor {
            members::weigh(record, &mut members)?;
        }
        let classes = match kind {
            Composite::VotingClassifier | Composite::BaggingClassifier => {
                vec![Classes::parse(record.get("classes_")?)?]
            }
            Composite::OneVsRest => vec![members::binarized(record)?],
            Composite::VotingRegressor | Composite::BaggingRegressor | Composite::AdaBoostRegressor => Vec::new(),
            Composite::MultiOutput => members.iter().flat_map(|member| member.fitted.classes().to_vec()).collect(),
        };
        let votes_hard = match kind {
            Composite::VotingClassifier => record.get("voting")?.text()? == "hard",
            Composite::BaggingClassifier => !members.iter().all(|member| member.has(Method::PredictProba)),
            _ => false,
        };
        let declared = record.features_in()?.or(record.some("n_features_").map(|one| one.count()).transpose()?);
        let told = members.iter().filter(|member| member.columns.is_none()).find_map(|member| member.fitted.features);
        let model = Self { kind, features: declared.or(told), members, classes, votes_hard };
        model.check(record)?;
        Ok(model)
    }

    fn check(&self, record: &Record<'_>) -> Result<(), Error> {
        let fits = |member: &Member| {
            let given = member.columns.as_ref().map(Vec::len).or(self.features);
            let takes = member.fitted.features;
            takes.is_none() || given.is_none() || takes == given
        };
        let is_classifier = |member: &Member| member.fitted.classes().len() == 1;
        let is_regressor = |member: &Member| member.fitted.classes().is_empty() && member.has(Method::Predict);
        let is_kind = |member: &Member| match self.kind {
            Composite::VotingClassifier | Composite::BaggingClassifier | Composite::OneVsRest => is_classifier(member),
            Composite::VotingRegressor | Composite::BaggingRegressor | Composite::AdaBoostRegressor => {
                is_regressor(member)
            }
            Composite::MultiOutput => member.has(Method::Predict),
        };
        let outputs = match self.kind {
            Composite::OneVsRest if self.members.len() == 1 => 2,
            Composite::OneVsRest => self.members.len(),
            _ => self.classes.first().map_or(0, Classes::len),
        };
        let has_classes = self.kind != Composite::OneVsRest || self.classes.iter().all(|one| one.len() == outputs);
        if !self.members.is_empty() && has_classes && self.members.iter().all(|one| fits(one) && is_kind(one)) {
            return Ok(());
        }
        Err(record.problem("estimators_", "is empty, or holds an estimator that does not fit the others"))
    }

    /// What the members are asked for.
    fn member_method(&self, method: Method) -> Method {
        match self.kind {
            Composite::VotingClassifier | Composite::BaggingClassifier if method != Method::DecisionFunction => {
                if self.votes_hard { Method::Predict } else { Method::PredictProba }
            }
            Composite::OneVsRest if method == Method::Predict => {
                let has_scores = self.members.iter().all(|member| member.has(Method::DecisionFunction));
                if has_scores { Method::DecisionFunction } else { Method::PredictProba }
            }
            _ => method,
        }
    }
}

impl Model for CompositeModel {
    fn features(&self) -> Option<usize> {
        self.features
    }

    fn methods(&self) -> Vec<Method> {
        let all_have = |method| self.members.iter().all(|member| member.has(method));
        let candidates = match self.kind {
            Composite::VotingClassifier if self.votes_hard => vec![Method::Predict],
            Composite::VotingClassifier => vec![Method::PredictProba, Method::Predict],
            Composite::BaggingClassifier => vec![Method::PredictProba, Method::Predict, Method::DecisionFunction],
            Composite::OneVsRest => vec![Method::PredictProba, Method::Predict, Method::DecisionFunction],
            Composite::VotingRegressor
            | Composite::BaggingRegressor
            | Composite::AdaBoostRegressor
            | Composite::MultiOutput => vec![Method::Predict],
        };
        let is_able = |method: &Method| match (self.kind, method) {
            (_, Method::Predict) | (Composite::BaggingClassifier, Method::PredictProba) => true,
            (_, method) => all_have(*method),
        };
        candidates.into_iter().filter(is_able).collect()
    }

    fn classes(&self) -> &[Classes] {
        &self.classes
    }

    fn answer(self: Box<Self>, method: Method, features: usize) -> Result<Answer, Error> {
        let asked = self.member_method(method);
        let is_binary = self.kind == Composite::OneVsRest && self.members.len() == 1;
        let combination = match self.kind {
            Composite::OneVsRest => Combination::Positive { is_share: asked == Method::PredictProba },
            Composite::MultiOutput | Composite::AdaBoostRegressor => Combination::Beside,
            _ if self.votes_hard && asked == Method::Predict => Combination::Votes(self.classes[0].len()),
            _ => Combination::Mean,
        };
        // AdaBoost checks its input itself, whatever its members take.
        let mut missing_values = match self.kind {
            Composite::AdaBoostRegressor => MissingValues::Refused,
            _ => MissingValues::Accepted,
        };
        let (decide, shape, kind) = self.outcome(method, asked, is_binary);
        let class_count = self.classes.first().map_or(0, Classes::len);
        let mut members = Vec::with_capacity(self.members.len());
        let mut outputs = Vec::new();
        let Self { kind: composite, members: given, classes, .. } = *self;
        for member in given {
            let places = member.places(asked, class_count)?;
            let (member, output, missing) = member.answer(asked, features, places)?;
            if missing == MissingValues::Refused {
                missing_values = MissingValues::Refused;
            }
            outputs.push(output);
            members.push(member);
        }
        if composite == Composite::AdaBoostRegressor && outputs.iter().any(|output| output.width() != 1) {
            return Err(members::several_outputs());
        }
        let (shape, kind) = match composite {
            Composite::MultiOutput => {
                let width = outputs.iter().map(OutputSchema::width).sum();
                (OutputShape::Matrix(width), kind)
            }
            _ if kind.is_none() => (outputs[0].shape, Some(OutputKind::Float)),
            _ => (shape, kind),
        };
        let kind = kind.unwrap_or_else(|| Classes::common_kind(&classes));
        let output = OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        let head = CompositeHead::new(members, combination, decide);
        Ok(Answer { head: Box::new(head), output, missing_values })
    }
}

impl CompositeModel {
    /// What becomes of what was combined, and the shape of it; no kind where members tell.
    fn outcome(&self, method: Method, asked: Method, is_binary: bool) -> (Decide, OutputShape, Option<OutputKind>) {
        let Some(classes) = self.classes.first().filter(|_| self.kind != Composite::MultiOutput) else {
            let kind = (self.classes.is_empty()).then_some(OutputKind::Float);
            let kind = if self.kind == Composite::MultiOutput { kind } else { None };
            let is_median = self.kind == Composite::AdaBoostRegressor;
            return (if is_median { Decide::Median } else { Decide::Nothing }, OutputShape::Vector, kind);
        };
        let matrix = OutputShape::Matrix(classes.len());
        match method {
            Method::Predict if is_binary => {
                let threshold = if asked == Method::DecisionFunction { 0.0 } else { 0.5 };
                let decide = Decide::Above(threshold, classes.values());
                (decide, OutputShape::Vector, Some(classes.output_kind()))
            }
            Method::Predict => (Decide::Highest(classes.values()), OutputShape::Vector, Some(classes.output_kind())),
            Method::PredictProba if is_binary => (Decide::Pair, matrix, Some(OutputKind::Float)),
            Method::PredictProba if self.kind == Composite::OneVsRest => {
                (Decide::Shares, matrix, Some(OutputKind::Float))
            }
            Method::PredictProba => (Decide::Nothing, matrix, Some(OutputKind::Float)),
            _ if is_binary => (Decide::Nothing, OutputShape::Vector, Some(OutputKind::Float)),
            _ if self.kind == Composite::OneVsRest => (Decide::Nothing, matrix, Some(OutputKind::Float)),
            _ => (Decide::Nothing, OutputShape::Vector, None),
        }
    }
}
