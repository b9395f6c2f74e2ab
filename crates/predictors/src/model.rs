//! What to load and what was loaded.

use std::{fmt, sync::Arc};

use provost_inference::Predict;

use crate::Limits;

/// How a model is to be loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Whose rules count for file names and methods.
    pub server: ModelServer,
    /// What the predictor answers with. `None` is the first of [`Method::ALL`] that the estimator has.
    pub method: Option<Method>,
    /// Bounds on memory and size.
    pub limits: Limits,
}

impl LoadOptions {
    /// The options of `server` with its default method and limits.
    pub fn new(server: ModelServer) -> Self {
        Self { server, method: None, limits: Limits::default() }
    }
}

/// A prepackaged model server, whose rules for files and methods are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModelServer {
    /// `SKLEARN_SERVER`.
    Sklearn,
    /// `XGBOOST_SERVER`.
    Xgboost,
    /// `LIGHTGBM_SERVER`.
    Lightgbm,
    /// `CATBOOST_SERVER`.
    Catboost,
}

/// What a predictor answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Probabilities of the classes.
    PredictProba,
    /// Classes, or targets of a regression.
    Predict,
    /// Scores from which classes are decided.
    DecisionFunction,
    /// What a transformer makes of the features.
    Transform,
    /// Scores of single rows, such as how normal they are.
    ScoreSamples,
}

impl Method {
    /// Every method; of those that an estimator has, the first is the default.
    pub const ALL: [Self; 5] =
        [Self::PredictProba, Self::Predict, Self::Transform, Self::DecisionFunction, Self::ScoreSamples];

    /// The name of the method in Python and in a deployment's parameter `method`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PredictProba => "predict_proba",
            Self::Predict => "predict",
            Self::DecisionFunction => "decision_function",
            Self::Transform => "transform",
            Self::ScoreSamples => "score_samples",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A model that is ready to predict.
#[derive(Debug, Clone)]
pub struct LoadedModel {
    /// Answers requests.
    pub predictor: Arc<dyn Predict>,
    /// What was loaded, for people.
    pub description: ModelDescription,
}

/// What a model file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelDescription {
    /// The library that wrote the file: `scikit-learn`, `XGBoost`, `LightGBM` or `CatBoost`.
    pub library: &'static str,
    /// Its version, where the file says so.
    pub library_version: Option<String>,
    /// The estimator, such as `Pipeline(StandardScaler, LogisticRegression)`.
    pub estimator: String,
    /// Path of the file within the artifact.
    pub file: String,
    /// Number of features.
    pub features: usize,
    /// Names of the features, where the file has them.
    pub feature_names: Option<Vec<String>>,
    /// Labels of the classes of a classifier; empty otherwise.
    pub classes: Vec<String>,
    /// What the predictor answers with.
    pub method: Method,
    /// What a person should know though the model works.
    pub warnings: Vec<String>,
}
