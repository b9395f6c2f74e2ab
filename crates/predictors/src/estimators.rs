//! The estimators that are supported: one list for the readers, the error messages and the
//! documentation.

use crate::Method;

/// An estimator that can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupportedEstimator {
    /// Its class, or the booster of XGBoost or LightGBM.
    pub name: &'static str,
    /// The library: `scikit-learn`, `XGBoost` or `LightGBM`.
    pub library: &'static str,
    /// The oldest version of the library whose files are read.
    pub since: &'static str,
    /// What its predictor can answer with. Empty for a transformer, and for a pipeline, which
    /// answers as its last step does.
    pub methods: &'static [Method],
    /// Modules in which versions of the library have kept the class.
    pub(crate) modules: &'static [&'static str],
    pub(crate) class: Class,
}

/// Which extractor reads an estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    LogisticRegression,
    LinearRegression,
    StandardScaler,
    Pipeline,
    TreeClassifier(Splits),
    TreeRegressor(Splits),
    ForestClassifier(Splits),
    ForestRegressor(Splits),
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
    let names: Vec<_> = scikit_learn().map(|estimator| estimator.name).collect();
    names.join(", ")
}

/// The supported class that stands in `module` under `name`.
pub(crate) fn find_class(module: &str, name: &str) -> Option<&'static SupportedEstimator> {
    SUPPORTED.iter().find(|estimator| estimator.name == name && estimator.modules.contains(&module))
}

fn scikit_learn() -> impl Iterator<Item = &'static SupportedEstimator> {
    SUPPORTED.iter().filter(|estimator| estimator.library == SCIKIT_LEARN)
}

pub(crate) const SCIKIT_LEARN: &str = "scikit-learn";
pub(crate) const XGBOOST: &str = "XGBoost";
pub(crate) const LIGHTGBM: &str = "LightGBM";

const CLASSIFIER: &[Method] = &[Method::PredictProba, Method::Predict];
const REGRESSOR: &[Method] = &[Method::Predict];
const RAW_REGRESSOR: &[Method] = &[Method::Predict, Method::DecisionFunction];
const LINEAR_CLASSIFIER: &[Method] = &[Method::PredictProba, Method::Predict, Method::DecisionFunction];

// scikit-learn 0.22 gave its modules an underscore.
const LOGISTIC: &[&str] = &["sklearn.linear_model.logistic", "sklearn.linear_model._logistic"];
const LINEAR: &[&str] = &["sklearn.linear_model.base", "sklearn.linear_model._base"];
const PREPROCESSING: &[&str] = &["sklearn.preprocessing.data", "sklearn.preprocessing._data"];
const PIPELINE: &[&str] = &["sklearn.pipeline"];
const TREE: &[&str] = &["sklearn.tree.tree", "sklearn.tree._classes"];
const FOREST: &[&str] = &["sklearn.ensemble.forest", "sklearn.ensemble._forest"];

const SUPPORTED: [SupportedEstimator; 25] = [
    sklearn("LogisticRegression", LOGISTIC, Class::LogisticRegression, LINEAR_CLASSIFIER),
    sklearn("LinearRegression", LINEAR, Class::LinearRegression, REGRESSOR),
    sklearn("StandardScaler", PREPROCESSING, Class::StandardScaler, &[]),
    sklearn("Pipeline", PIPELINE, Class::Pipeline, &[]),
    sklearn("DecisionTreeClassifier", TREE, Class::TreeClassifier(Splits::Best), CLASSIFIER),
    sklearn("DecisionTreeRegressor", TREE, Class::TreeRegressor(Splits::Best), REGRESSOR),
    sklearn("ExtraTreeClassifier", TREE, Class::TreeClassifier(Splits::Random), CLASSIFIER),
    sklearn("ExtraTreeRegressor", TREE, Class::TreeRegressor(Splits::Random), REGRESSOR),
    sklearn("RandomForestClassifier", FOREST, Class::ForestClassifier(Splits::Best), CLASSIFIER),
    sklearn("RandomForestRegressor", FOREST, Class::ForestRegressor(Splits::Best), REGRESSOR),
    sklearn("ExtraTreesClassifier", FOREST, Class::ForestClassifier(Splits::Random), CLASSIFIER),
    sklearn("ExtraTreesRegressor", FOREST, Class::ForestRegressor(Splits::Random), REGRESSOR),
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
];

const fn sklearn(
    name: &'static str,
    modules: &'static [&'static str],
    class: Class,
    methods: &'static [Method],
) -> SupportedEstimator {
    SupportedEstimator { name, library: SCIKIT_LEARN, since: "0.20", methods, modules, class }
}

const fn booster(name: &'static str, library: &'static str, since: &'static str) -> SupportedEstimator {
    let (methods, class) = (LINEAR_CLASSIFIER, Class::Booster);
    SupportedEstimator { name, library, since, methods, modules: &[], class }
}

const fn boosted(name: &'static str, library: &'static str, role: Role) -> SupportedEstimator {
    let is_xgboost = library.len() == XGBOOST.len();
    let modules: &[&str] = match role {
        Role::Booster => &["xgboost.core"],
        _ if is_xgboost => &["xgboost.sklearn"],
        _ => &["lightgbm.sklearn"],
    };
    let methods = if matches!(role, Role::Regressor) { RAW_REGRESSOR } else { LINEAR_CLASSIFIER };
    let since = if is_xgboost { "0.90" } else { "2.3" };
    SupportedEstimator { name, library, since, methods, modules, class: Class::Boosted(role) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_found_under_its_old_and_its_new_module_only() {
        let class = |module| find_class(module, "LogisticRegression").map(|found| found.class);
        assert_eq!(class("sklearn.linear_model.logistic"), Some(Class::LogisticRegression));
        assert_eq!(class("sklearn.linear_model._logistic"), Some(Class::LogisticRegression));
        assert_eq!(class("evil"), None);
    }
}
