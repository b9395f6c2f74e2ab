//! The estimators that are supported: one list for the readers, the error messages and the
//! documentation.

mod scikit_learn;

use std::sync::LazyLock;

use crate::{
    Method,
    sklearn::{Composite, Family, Kind, Link, Part, Search, Task, Transformer},
};

/// An estimator that can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupportedEstimator {
    /// Its class, or the booster of XGBoost or LightGBM.
    pub name: &'static str,
    /// The library: `scikit-learn`, `XGBoost`, `LightGBM` or `CatBoost`.
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
    Isolation,
    Network,
    Dummy,
    Boosting,
    Composite(Composite),
    Stacking,
    Calibrated,
    Isotonic,
    Density(Family),
    LinearDiscriminant,
    Neighbours(Search),
    Clusters,
    Centroids,
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
    /// A booster in a file of its library's own.
    Booster,
    /// A booster in a pickle.
    Boosted(Role),
}

/// What a class makes of a booster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing.
    Booster,
    Classifier,
    /// A regressor or a ranker.
    Regressor,
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

/// The class that stands in `module` under `name`: a supported estimator or part of one.
pub(crate) fn find_class(module: &str, name: &str) -> Option<&'static SupportedEstimator> {
    let known = scikit_learn::SUPPORTED.iter().chain(scikit_learn::PARTS).chain(&BOOSTED);
    known.into_iter().find(|estimator| estimator.name == name && estimator.modules.contains(&module))
}

pub(crate) const SCIKIT_LEARN: &str = "scikit-learn";
pub(crate) const XGBOOST: &str = "XGBoost";
pub(crate) const LIGHTGBM: &str = "LightGBM";
pub(crate) const CATBOOST: &str = "CatBoost";

/// Every estimator that can be served.
static SUPPORTED: LazyLock<Vec<SupportedEstimator>> =
    LazyLock::new(|| scikit_learn::SUPPORTED.iter().chain(&BOOSTED).copied().collect());

const RAW_REGRESSOR: &[Method] = &[Method::Predict, Method::DecisionFunction];
const CLASSIFIER: &[Method] = &[Method::PredictProba, Method::Predict, Method::DecisionFunction];

/// Boosters of XGBoost, LightGBM and CatBoost, in files of their own and in pickles.
static BOOSTED: [SupportedEstimator; 14] = [
    booster("gbtree", XGBOOST, "0.90"),
    booster("dart", XGBOOST, "0.90"),
    booster("gblinear", XGBOOST, "0.90"),
    SupportedEstimator {
        modules: &["lightgbm.basic"],
        class: Class::Boosted(Role::Booster),
        ..booster("Booster", LIGHTGBM, "2.3")
    },
    boosted("XGBClassifier", XGBOOST, Role::Classifier),
    boosted("XGBRegressor", XGBOOST, Role::Regressor),
    boosted("XGBRanker", XGBOOST, Role::Regressor),
    boosted("XGBRFClassifier", XGBOOST, Role::Classifier),
    boosted("XGBRFRegressor", XGBOOST, Role::Regressor),
    boosted("Booster", XGBOOST, Role::Booster),
    boosted("LGBMClassifier", LIGHTGBM, Role::Classifier),
    boosted("LGBMRegressor", LIGHTGBM, Role::Regressor),
    boosted("LGBMRanker", LIGHTGBM, Role::Regressor),
    booster("CatBoost", CATBOOST, "1.0"),
];

const fn booster(name: &'static str, library: &'static str, since: &'static str) -> SupportedEstimator {
    let (methods, class) = (CLASSIFIER, Class::Booster);
    SupportedEstimator { name, library, since, methods, modules: &[], class }
}

const fn boosted(name: &'static str, library: &'static str, role: Role) -> SupportedEstimator {
    let is_xgboost = library.len() == XGBOOST.len();
    let modules: &[&str] = match role {
        Role::Booster => &["xgboost.core"],
        _ if is_xgboost => &["xgboost.sklearn"],
        _ => &["lightgbm.sklearn"],
    };
    let methods = if matches!(role, Role::Regressor) { RAW_REGRESSOR } else { CLASSIFIER };
    let since = if is_xgboost { "0.90" } else { "2.3" };
    SupportedEstimator { name, library, since, methods, modules, class: Class::Boosted(role) }
}

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
