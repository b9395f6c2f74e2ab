//! The booster within: bytes or text in a library's own format.

use provost_inference::Predict;

use crate::{
    Method,
    estimators::{LIGHTGBM, Role, XGBOOST},
    lightgbm, numpy, xgboost,
};

use super::super::{
    Error,
    record::{Attribute, Record},
};

/// A booster as its library's reader has it.
#[derive(Debug)]
pub(in crate::sklearn) enum Source {
    Xgboost(Box<xgboost::Model>),
    Lightgbm(Box<lightgbm::Model>),
}

impl Source {
    /// The booster of a record, which is one itself or has one, with the rounds that count.
    pub(super) fn extract(record: &Record<'_>, role: Role, max_features: usize) -> Result<Self, Error> {
        if record.estimator.library == XGBOOST {
            xgboost_model(record, role, max_features)
        } else {
            lightgbm_model(record, role, max_features)
        }
    }

    pub(in crate::sklearn) fn library(&self) -> &'static str {
        match self {
            Self::Xgboost(_) => XGBOOST,
            Self::Lightgbm(_) => LIGHTGBM,
        }
    }

    pub(in crate::sklearn) fn version(&self) -> Option<String> {
        match self {
            Self::Xgboost(model) => model.version_text(),
            Self::Lightgbm(_) => None,
        }
    }

    pub(in crate::sklearn) fn features(&self) -> usize {
        match self {
            Self::Xgboost(model) => model.features,
            Self::Lightgbm(model) => model.features,
        }
    }

    pub(in crate::sklearn) fn feature_names(&self) -> Option<Vec<String>> {
        match self {
            Self::Xgboost(model) => model.feature_names.clone(),
            Self::Lightgbm(model) => model.feature_names.clone(),
        }
    }

    pub(in crate::sklearn) fn warnings(&self) -> Vec<String> {
        match self {
            Self::Xgboost(model) => model.warnings(),
            Self::Lightgbm(model) => model.warnings(),
        }
    }

    pub(super) fn objective(&self) -> String {
        match self {
            Self::Xgboost(model) => crate::shown::shown(&model.objective),
            Self::Lightgbm(model) => crate::shown::shown(model.objective_name()),
        }
    }

    /// Values for each row before anything is made of them.
    pub(super) fn outputs(&self) -> usize {
        match self {
            Self::Xgboost(model) => model.groups,
            Self::Lightgbm(model) => model.outputs,
        }
    }

    /// Whether outputs are the classes of one label, and not labels of their own.
    pub(super) fn is_multi_class(&self) -> bool {
        match self {
            Self::Xgboost(model) => model.objective.starts_with("multi:"),
            Self::Lightgbm(_) => self.outputs() > 1,
        }
    }

    /// Whether the answer is the number of a class.
    pub(super) fn is_class(&self) -> bool {
        matches!(self, Self::Xgboost(model) if model.objective == "multi:softmax")
    }

    /// Number of classes; `None` where every output is a label of its own.
    pub(super) fn classes(&self) -> Option<usize> {
        match self.outputs() {
            1 => Some(2),
            outputs => self.is_multi_class().then_some(outputs),
        }
    }

    /// What predicts as the library's own booster does.
    pub(super) fn predictor(self, method: Method) -> Result<Box<dyn Predict>, Error> {
        match self {
            Self::Xgboost(model) => model.predictor(method).map_err(xgboost_error),
            Self::Lightgbm(model) => model.predictor(method).map_err(lightgbm_error),
        }
    }
}

fn xgboost_error(source: xgboost::Error) -> Error {
    Error::Xgboost { source }
}

fn lightgbm_error(source: lightgbm::Error) -> Error {
    Error::Lightgbm { source }
}

/// The attribute of a booster: of the record itself, or of what it keeps as its booster.
fn of_booster<'a>(record: &Record<'a>, role: Role, name: &'static str) -> Result<Option<Attribute<'a>>, Error> {
    if role == Role::Booster {
        return Ok(record.some(name));
    }
    Ok(record.get("_Booster")?.attribute(name))
}

fn xgboost_model(record: &Record<'_>, role: Role, max_features: usize) -> Result<Source, Error> {
    let handle = of_booster(record, role, "handle")?.ok_or_else(|| record.problem("_Booster", "is empty"))?;
    let bytes = numpy::byte_array(record.pickle, handle.id).ok_or_else(|| handle.problem("is no bytes"))?;
    let mut model = xgboost::read_snapshot(&bytes, max_features).map_err(xgboost_error)?;
    if role != Role::Booster {
        // Before 1.4 the interface knew of the best round, since then the booster does.
        let trees = record.some("best_ntree_limit").map(|limit| limit.count()).transpose()?;
        model.stop_early(trees);
    }
    Ok(Source::Xgboost(Box::new(model)))
}

fn lightgbm_model(record: &Record<'_>, role: Role, max_features: usize) -> Result<Source, Error> {
    let handle = of_booster(record, role, "_handle")?.or(of_booster(record, role, "handle")?);
    let handle = handle.ok_or_else(|| record.problem("_Booster", "is empty"))?;
    let mut model = lightgbm::parse(handle.text()?.as_bytes(), max_features).map_err(lightgbm_error)?;
    let best = of_booster(record, role, "best_iteration")?;
    // Zero and negative numbers mean that there is no best round.
    match best.and_then(|best| numpy::integer(record.pickle, best.id)).map(usize::try_from) {
        None | Some(Err(_) | Ok(0)) => {}
        Some(Ok(rounds)) => model.keep_rounds(rounds),
    }
    Ok(Source::Lightgbm(Box::new(model)))
}
