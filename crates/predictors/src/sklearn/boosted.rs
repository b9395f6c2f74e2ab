//! Boosters inside pickles: of XGBoost and LightGBM, bare or in their scikit-learn interface.
//!
//! The libraries put their own format into the pickle, which their readers read; what is here is what
//! the interface adds: classes, probabilities of both classes, the best round, the missing value.

mod answer;
mod source;

use provost_inference::{Predict as _, Schema};

use crate::{
    Limits, Method,
    estimators::{Class, Role},
    pickle::{NodeId, Pickle},
};

use super::{
    Error,
    classes::Classes,
    estimator::{Fitted, Model},
    predictor::Answer,
    record::Record,
};

use self::source::Source;

/// A booster, and what its interface knows of it.
#[derive(Debug)]
pub(super) struct Boosted {
    /// The class of Python.
    class: &'static str,
    role: Role,
    source: Source,
    /// Labels of the classes; none where every output is a label of its own, or nothing is classified.
    classes: Option<Classes>,
    /// What stands for a missing value, besides NaN.
    missing: Option<f32>,
}

impl Boosted {
    /// The booster at `id`, if there is one.
    pub(super) fn find(pickle: &Pickle<'_>, id: NodeId, limits: &Limits) -> Result<Option<Self>, Error> {
        let Some(class) = pickle.object(id).and_then(|object| pickle.class_of(object)) else { return Ok(None) };
        let found = crate::estimators::find_class(&class.module, &class.name);
        match found.map(|found| found.class) {
            Some(Class::Boosted(role)) => Self::extract(&Record::parse(pickle, id)?, role, limits.features).map(Some),
            _ => Ok(None),
        }
    }

    fn extract(record: &Record<'_>, role: Role, max_features: usize) -> Result<Self, Error> {
        let source = Source::extract(record, role, max_features)?;
        let class = record.estimator.name;
        let classes = match source.classes() {
            Some(count) if role == Role::Classifier => Some(classes(record, count)?),
            _ => None,
        };
        Ok(Self { class, role, source, classes, missing: missing(record)? })
    }

    /// The booster as an estimator, which may stand in others. How many features it may have is for the
    /// outermost of them to say.
    pub(super) fn fitted(record: &Record<'_>, role: Role) -> Result<Fitted, Error> {
        let model = Self::extract(record, role, usize::MAX)?;
        let names = model.source.feature_names().map(|names| names.into_iter().map(String::into_boxed_str).collect());
        Ok(Fitted { feature_names: names, ..Fitted::model(record, model)? })
    }

    pub(super) fn name(&self) -> String {
        format!("{}({})", self.class, self.source.objective())
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// What it can answer with.
    pub(super) fn methods(&self) -> Vec<Method> {
        match self.role {
            Role::Regressor => vec![Method::Predict, Method::DecisionFunction],
            Role::Classifier if self.source.is_class() => vec![Method::Predict, Method::DecisionFunction],
            Role::Classifier | Role::Booster => vec![Method::PredictProba, Method::Predict, Method::DecisionFunction],
        }
    }

    /// Labels of the classes, as text.
    pub(super) fn class_names(&self) -> Vec<String> {
        self.classes.as_ref().map(Classes::names).unwrap_or_default()
    }
}

impl Model for Boosted {
    fn features(&self) -> Option<usize> {
        Some(self.source.features())
    }

    fn methods(&self) -> Vec<Method> {
        Self::methods(self)
    }

    fn classes(&self) -> &[Classes] {
        self.classes.as_slice()
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let head = self.predictor(method)?;
        let Schema { output, missing_values, .. } = head.schema().clone();
        Ok(Answer { head: Box::new(head), output, missing_values })
    }
}

/// The labels: those of the encoder that turned them into numbers, or of the classifier itself; else
/// they are the numbers.
fn classes(record: &Record<'_>, count: usize) -> Result<Classes, Error> {
    let labels = match record.some("_le") {
        Some(encoder) => encoder.attribute("classes_"),
        None => record.some("_classes").or_else(|| record.some("classes_")),
    };
    let Some(labels) = labels else { return Ok(Classes::numbers(count)) };
    let classes = Classes::parse(labels)?;
    if classes.len() == count {
        return Ok(classes);
    }
    Err(record.problem("classes_", format!("names {} classes, the booster has {count}", classes.len())))
}

/// The parameter `missing` of XGBoost, where it is a number.
#[expect(clippy::cast_possible_truncation, reason = "as XGBoost compares values")]
fn missing(record: &Record<'_>) -> Result<Option<f32>, Error> {
    let Some(missing) = record.some("missing") else { return Ok(None) };
    let value = missing.float().ok_or_else(|| missing.problem("is not a number"))?;
    Ok((!value.is_nan()).then_some(value as f32))
}
