//! The record beside each fixture model: what the library was asked and what it answered.

use std::{
    fs,
    path::{Path, PathBuf},
};

use provost_predictors::{LoadError, LoadOptions, LoadedModel, Method, ModelServer, load};
use serde_json::Value;

use super::{
    OneFile,
    answer::{Answer, Tolerance},
    chain, entries, file_name,
};

/// How the names of cases begin that are to be met to the last bit.
const EXACT: [&str; 4] = ["tree_", "forest_", "extra_", "scaler_"];

/// One case: a record, and the folder it stands in with its model files.
pub struct Case {
    pub name: String,
    pub folder: PathBuf,
    pub record: Value,
}

impl Case {
    /// All cases of a folder.
    pub fn all(folder: &Path) -> Vec<Self> {
        let is_record = |path: &PathBuf| {
            let name = file_name(path);
            let is_json = path.extension().is_some_and(|extension| extension == "json");
            is_json && !name.contains(".model.") && name != "index.json"
        };
        entries(folder).into_iter().filter(is_record).map(|path| Self::read(&path)).collect()
    }

    fn read(path: &Path) -> Self {
        let record: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let name = record["case"].as_str().unwrap().to_owned();
        Self { name, folder: path.parent().unwrap().to_owned(), record }
    }

    /// The model files of the case.
    pub fn files(&self) -> Vec<String> {
        let files = self.record["files"].as_array().unwrap();
        files.iter().map(|file| file.as_str().unwrap().to_owned()).collect()
    }

    pub fn version(&self) -> &str {
        self.record["version"].as_str().unwrap()
    }

    /// The server for models of the library.
    pub fn server(&self) -> ModelServer {
        match self.record["library"].as_str() {
            Some("xgboost") => ModelServer::Xgboost,
            Some("lightgbm") => ModelServer::Lightgbm,
            Some("catboost") => ModelServer::Catboost,
            _ => ModelServer::Sklearn,
        }
    }

    /// How close answers must be. Trees, boosters and scalers are exact; other sums may be made in another
    /// order; `LightGBM` 2.3 takes the logarithm of one plus a number where later versions, and we, do better;
    /// and `CatBoost` itself reads numbers in JSON with an error in their last bit.
    pub fn tolerance(&self) -> Tolerance {
        let is_exact = EXACT.iter().any(|part| self.name.starts_with(part)) || self.name.ends_with("forest");
        match self.server() {
            ModelServer::Lightgbm if self.name == "cross_entropy_lambda" => Tolerance::Within(1e-15),
            ModelServer::Sklearn if !is_exact => Tolerance::Within(1e-9),
            ModelServer::Catboost => Tolerance::Within(1e-14),
            _ => Tolerance::Exact,
        }
    }

    /// Whether a file is a pickle of another library's booster or of its scikit-learn interface.
    pub fn is_pickled(&self, file: &str) -> bool {
        self.server() != ModelServer::Sklearn && [".joblib", ".pkl"].iter().any(|ending| file.ends_with(ending))
    }

    /// What the library answered by this file: the interface answers as itself.
    pub fn expected_by(&self, file: &str, method: Method) -> Option<Answer> {
        if !(self.is_pickled(file) && file.ends_with(".joblib")) {
            return self.expected(method);
        }
        let answers = &self.record["wrapper_expected"][method.name()];
        (!answers.is_null()).then(|| Answer::parse(answers))
    }

    /// Loads one of the files.
    pub fn load(&self, file: &str, method: Option<Method>) -> Result<LoadedModel, LoadError> {
        let server = if self.is_pickled(file) { ModelServer::Sklearn } else { self.server() };
        let options = LoadOptions { method, ..LoadOptions::new(server) };
        load(&OneFile(self.folder.join(file)), &options)
    }

    /// The rows that the library was asked about.
    pub fn rows(&self) -> Vec<Vec<f64>> {
        let rows = self.record["inputs"].as_array().unwrap().iter();
        let row = |row: &Value| row.as_array().unwrap().iter().map(number).collect();
        rows.map(row).collect()
    }

    /// Whether nothing in the file tells how many features there are: before 0.24, of some transformers.
    pub fn takes_any_features(&self) -> bool {
        let error = self.load(&self.files()[0], None).err();
        error.is_some_and(|error| chain(&error).contains("takes any number of features"))
    }

    /// The probabilities of several outputs are refused, and so are those of a booster whose answer is a class,
    /// likelihoods of `PCA` and probabilities of `NearestCentroid`. Before 0.22 the scores of several classes depended
    /// on the other rows asked about with them.
    pub fn is_served(&self, method: Method) -> bool {
        match method {
            Method::PredictProba | Method::DecisionFunction if self.name.starts_with("near_NearestCentroid") => false,
            Method::PredictProba => self.name != "classifier_softmax" && !self.name.ends_with("clf_multi_output"),
            Method::Transform => !self.name.starts_with("vote_") && self.name != "other_IsotonicRegression",
            Method::ScoreSamples => !self.name.contains("PCA"),
            Method::DecisionFunction => !self.is_by_batch(),
            Method::Predict => true,
        }
    }

    fn is_by_batch(&self) -> bool {
        let has_several = !self.record["classes"].is_null() && !self.name.contains("pair");
        self.version() == "0.20.4" && self.name.starts_with("svm_") && has_several
    }

    /// What the library answered.
    pub fn expected(&self, method: Method) -> Option<Answer> {
        let has_margin = matches!(self.server(), ModelServer::Xgboost | ModelServer::Lightgbm);
        let is_margin = method == Method::DecisionFunction && has_margin;
        let answers = &self.record["expected"][if is_margin { "margin" } else { method.name() }];
        let answer = (!answers.is_null()).then(|| Answer::parse(answers))?;
        // What transformers make are numbers here.
        Some(if method == Method::Transform { answer.of_numbers() } else { answer })
    }

    /// Names the case in a message.
    pub fn place(&self, file: &str) -> String {
        format!("{}/{file}", self.folder.strip_prefix(super::fixtures()).unwrap_or(&self.folder).display())
    }

    /// Loads a file and predicts, with the error as a person sees it.
    pub fn answer(&self, file: &str, method: Method) -> Result<Answer, String> {
        let loaded = self.load(file, Some(method)).map_err(|error| chain(&error))?;
        Answer::predict(&*loaded.predictor, &self.rows()).map_err(|error| error.to_string())
    }
}

/// A number of a record: `null` is NaN, and text an infinity.
pub fn number(value: &Value) -> f64 {
    match value {
        Value::Null => f64::NAN,
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::String(text) => text.parse().unwrap(),
        other => other.as_f64().unwrap(),
    }
}
