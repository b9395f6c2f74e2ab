//! Boosters inside pickles: of XGBoost and LightGBM, bare or in their scikit-learn interface.
//!
//! The libraries put their own format into the pickle, which their readers read; what is here is what
//! the interface adds: classes, probabilities of both classes, the best round, the missing value.

mod answer;
mod source;

use crate::{
    Limits, Method,
    estimators::{Class, Role},
    pickle::{NodeId, Pickle},
};

use super::{Error, classes::Classes, record::Record};

use self::source::Source;

/// A booster, and what its interface knows of it.
#[derive(Debug)]
pub(super) struct Boosted {
    /// The class of Python.
    class: &'static str,
    role: Role,
    source: Source,
    /// Labels of the classes; none where they are numbers from 0 on.
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
            Some(Class::Boosted(role)) => Self::extract(&Record::parse(pickle, id)?, role, limits).map(Some),
            _ => Ok(None),
        }
    }

    fn extract(record: &Record<'_>, role: Role, limits: &Limits) -> Result<Self, Error> {
        let source = Source::extract(record, role, limits)?;
        let class = record.estimator.name;
        let is_classifier = role == Role::Classifier;
        let classes = if is_classifier { classes(record)? } else { None };
        let boosted = Self { class, role, source, classes, missing: missing(record)? };
        let (count, expected) = (boosted.class_count(), boosted.source.classes());
        if is_classifier && expected.is_some_and(|expected| expected != count) {
            let expected = expected.unwrap_or_default();
            return Err(record.problem("classes_", format!("names {count} classes, the booster has {expected}")));
        }
        Ok(boosted)
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
        match (&self.classes, self.role) {
            (Some(classes), _) => classes.names(),
            (None, Role::Classifier) => (0..self.class_count()).map(|class| class.to_string()).collect(),
            (None, _) => Vec::new(),
        }
    }

    fn class_count(&self) -> usize {
        self.classes.as_ref().map_or_else(|| self.source.classes().unwrap_or(2), Classes::len)
    }
}

/// The labels: those of the encoder that turned them into numbers, or of the classifier itself.
fn classes(record: &Record<'_>) -> Result<Option<Classes>, Error> {
    if let Some(encoder) = record.some("_le") {
        let labels = encoder.attribute("classes_");
        return labels.map(Classes::parse).transpose();
    }
    let own = record.some("_classes").or_else(|| record.some("classes_"));
    own.map(Classes::parse).transpose()
}

/// The parameter `missing` of XGBoost, where it is a number.
#[expect(clippy::cast_possible_truncation, reason = "as XGBoost compares values")]
fn missing(record: &Record<'_>) -> Result<Option<f32>, Error> {
    let Some(missing) = record.some("missing") else { return Ok(None) };
    let value = missing.float().ok_or_else(|| missing.problem("is not a number"))?;
    Ok((!value.is_nan()).then_some(value as f32))
}
