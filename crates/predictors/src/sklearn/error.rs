//! Why a scikit-learn model is not served.

use crate::{LoadError, LoadErrorKind, Method, lightgbm, pickle, tree, xgboost};

/// Why a scikit-learn model is not served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file holds something that is no estimator.
    #[error("the file holds {found}, not an estimator of scikit-learn")]
    NotAnEstimator {
        /// What it holds.
        found: String,
    },
    /// The estimator is not among the supported ones.
    #[error("`{name}` is not supported; supported are {}{}", crate::estimators::supported_names(), also(others))]
    UnsupportedEstimator {
        /// Its dotted name.
        name: String,
        /// Other names the file asks for that are not on the list.
        others: Vec<String>,
    },
    /// An attribute of an estimator is not what it should be.
    #[error("`{estimator}.{attribute}` {problem}")]
    Attribute {
        /// The estimator's class.
        estimator: String,
        /// The attribute.
        attribute: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The estimator lacks the method.
    #[error("`{estimator}` has no `{method}`; {}", available_methods(available))]
    NoMethod {
        /// The estimator.
        estimator: String,
        /// The method.
        method: Method,
        /// The methods it has.
        available: Vec<Method>,
    },
    /// Probabilities of several outputs, which no single table holds.
    #[error(
        "`{estimator}` predicts {outputs} outputs, whose probabilities are a table for each; set the parameter `method` to `predict`"
    )]
    SeveralOutputs {
        /// The estimator.
        estimator: String,
        /// Number of outputs.
        outputs: usize,
    },
    /// The estimator calls a function of Python's.
    #[error(
        "`{estimator}` calls a function of Python, which is not run here; leave the step out, or serve the model from a container with Seldon's Python wrapper"
    )]
    CallsFunction {
        /// The estimator.
        estimator: &'static str,
    },
    /// Nothing in the file tells how many features there are.
    #[error("`{estimator}` takes any number of features, so it can stand in a pipeline with others, not alone")]
    AnyFeatures {
        /// The estimator.
        estimator: String,
    },
    /// A step of a pipeline that is no transformer stands before the last.
    #[error("step {step} of the pipeline, `{estimator}`, is no transformer and not the last step")]
    NotATransformer {
        /// Number of the step, from 1.
        step: usize,
        /// The estimator.
        estimator: String,
    },
    /// Two steps of a pipeline do not fit together.
    #[error("step {step} of the pipeline takes {actual} features, the step before gives {expected}")]
    StepFeatures {
        /// Number of the step, from 1.
        step: usize,
        /// What the step before gives.
        expected: usize,
        /// What the step takes.
        actual: usize,
    },
    /// Pipelines are nested too deep.
    #[error("pipelines are nested more than {limit} deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A tree is broken.
    #[error("tree {tree} of `{estimator}` is broken")]
    Tree {
        /// The estimator's class.
        estimator: String,
        /// Index of the tree.
        tree: usize,
        /// What is wrong.
        #[source]
        source: tree::Error,
    },
    /// The booster of XGBoost in the pickle is not served.
    #[error("the booster of XGBoost within is not served")]
    Xgboost {
        /// What is wrong.
        #[source]
        source: xgboost::Error,
    },
    /// The booster of LightGBM in the pickle is not served.
    #[error("the booster of LightGBM within is not served")]
    Lightgbm {
        /// What is wrong.
        #[source]
        source: lightgbm::Error,
    },
    /// Far more would be made of the file than it holds.
    #[error("the file refers to its parts so often that the model would outgrow the file many times")]
    OverBudget,
    /// The model is too large to count.
    #[error("the model has {features} features; the limit is {limit}")]
    TooManyFeatures {
        /// Number of features.
        features: usize,
        /// The limit.
        limit: usize,
    },
}

impl Error {
    /// A pickle that asks for estimators of scikit-learn and its relatives is no danger, only not
    /// supported; any other refusal stays one of the pickle.
    pub(super) fn from_pickle(file: &str, source: pickle::Error) -> LoadError {
        let file = file.to_owned();
        let pickle::Error::RefusedNames { names } = source else {
            return LoadError::Pickle { file, source };
        };
        match unsupported_estimator(&names) {
            Some(source) => LoadError::Sklearn { file, source },
            None => LoadError::Pickle { file, source: pickle::Error::RefusedNames { names } },
        }
    }

    pub(crate) fn kind(&self) -> LoadErrorKind {
        match self {
            Self::UnsupportedEstimator { .. }
            | Self::NoMethod { .. }
            | Self::SeveralOutputs { .. }
            | Self::CallsFunction { .. }
            | Self::AnyFeatures { .. } => LoadErrorKind::Unsupported,
            Self::Xgboost { source } => source.kind(),
            Self::Lightgbm { source } => source.kind(),
            Self::OverBudget | Self::TooManyFeatures { .. } | Self::TooDeep { .. } => LoadErrorKind::TooLarge,
            Self::NotAnEstimator { .. }
            | Self::NotATransformer { .. }
            | Self::Attribute { .. }
            | Self::StepFeatures { .. }
            | Self::Tree { .. } => LoadErrorKind::Malformed,
        }
    }
}

/// Libraries whose objects stand in models. A file that asks for a name from anywhere else is
/// refused for that, whatever estimators it holds.
const MODEL_LIBRARIES: [&str; 8] = ["sklearn", "numpy", "scipy", "joblib", "_loss", "xgboost", "lightgbm", "pandas"];

fn unsupported_estimator(names: &[String]) -> Option<Error> {
    let library = |name: &String| name.split('.').next().unwrap_or_default().to_owned();
    if !names.iter().all(|name| MODEL_LIBRARIES.contains(&library(name).as_str())) {
        return None;
    }
    let is_estimator = |name: &&String| {
        let class = name.rsplit('.').next().unwrap_or_default();
        matches!(library(name).as_str(), "sklearn" | "xgboost" | "lightgbm") && class.starts_with(char::is_uppercase)
    };
    let name = names.iter().find(is_estimator)?.clone();
    let others = names.iter().filter(|other| **other != name).cloned().collect();
    Some(Error::UnsupportedEstimator { name, others })
}

fn also(others: &[String]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let others: Vec<_> = others.iter().map(|name| format!("`{name}`")).collect();
    format!("; the file also asks for {}", others.join(", "))
}

fn available_methods(available: &[Method]) -> String {
    let methods: Vec<_> = available.iter().map(|method| format!("`{method}`")).collect();
    format!("it has {}", methods.join(", "))
}
