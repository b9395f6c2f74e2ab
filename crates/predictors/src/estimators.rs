//! The estimators that are supported: one list for the readers, the error messages and the
//! documentation.

mod scikit_learn;

use std::sync::LazyLock;

use crate::{
    Method,
    sklearn::{Kind, Link, Part, Task, Transformer},
};

/// An estimator that can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupportedEstimator {
    /// Its class, or the booster of XGBoost.
    pub name: &'static str,
    /// The library: `scikit-learn` or `XGBoost`.
    pub library: &'static str,
    /// The oldest version of the library whose files are read.
    pub since: &'static str,
    /// What its predictor can answer with. Empty for a pipeline, which answers as its last step does.
    pub methods: &'static [Method],
    /// Modules in which versions of the library have kept the class.
    pub(crate) modules: &'static [&'static str],
    pub(crate) class: Class,
}

/// Which extractor reads an estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    LinearClassifier(Kind),
    LinearRegressor(Link),
    LinearNovelty,
    TransformedTarget,
    Svm(Task),
    /// It predicts as the fitted estimator in this attribute does.
    Unwrapped(&'static str),
    StandardScaler,
    MinMaxScaler,
    MaxAbsScaler,
    RobustScaler,
    Binarizer,
    Transformer(Transformer),
    Pipeline,
    TreeClassifier(Splits),
    TreeRegressor(Splits),
    ForestClassifier(Splits),
    ForestRegressor(Splits),
    /// Part of an estimator, and none to serve.
    Part(Part),
    Booster,
}

/// How the trees of an estimator choose their splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Splits {
    Best,
    Random,
}

/// Every estimator that can be served.
pub fn supported_estimators() -> &'static [SupportedEstimator] {
    &SUPPORTED
}

/// The classes of scikit-learn, for error messages.
pub(crate) fn supported_names() -> String {
    let names: Vec<_> = scikit_learn::SUPPORTED.iter().map(|estimator| estimator.name).collect();
    names.join(", ")
}

/// The class of scikit-learn that stands in `module` under `name`: a supported estimator or part of one.
pub(crate) fn find_class(module: &str, name: &str) -> Option<&'static SupportedEstimator> {
    let known = scikit_learn::SUPPORTED.iter().chain(scikit_learn::PARTS);
    known.into_iter().find(|estimator| estimator.name == name && estimator.modules.contains(&module))
}

pub(crate) const SCIKIT_LEARN: &str = "scikit-learn";
pub(crate) const XGBOOST: &str = "XGBoost";

/// Every estimator that can be served.
static SUPPORTED: LazyLock<Vec<SupportedEstimator>> = LazyLock::new(|| {
    let booster = SupportedEstimator {
        name: "gbtree",
        library: XGBOOST,
        since: "0.90",
        methods: &[Method::PredictProba, Method::Predict],
        modules: &[],
        class: Class::Booster,
    };
    scikit_learn::SUPPORTED.iter().copied().chain([booster]).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_found_under_its_old_and_its_new_module_only() {
        let class = |module| find_class(module, "LogisticRegression").map(|found| found.class);
        assert_eq!(class("sklearn.linear_model.logistic"), Some(Class::LinearClassifier(Kind::LogisticRegression)));
        assert_eq!(class("sklearn.linear_model._logistic"), Some(Class::LinearClassifier(Kind::LogisticRegression)));
        assert_eq!(class("evil"), None);
    }
}
