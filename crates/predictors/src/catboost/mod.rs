//! Builds predictors from CatBoost's models in JSON, where they are plain: symmetric trees over
//! features that are numbers.
//!
//! CatBoost hashes categories with statistics of the training data; models that use them, texts or
//! embeddings are refused by name, and so is its binary format.

mod document;
mod error;
mod loss;
mod model;
mod predictor;

pub use self::error::Error;

use std::sync::Arc;

use crate::{LoadError, LoadOptions, LoadedModel, Method, ModelDescription, estimators::CATBOOST};

use self::{model::Model, predictor::CatboostPredictor};

/// Loads the model in a file.
pub(crate) fn load(path: &str, bytes: &[u8], options: &LoadOptions) -> Result<LoadedModel, LoadError> {
    let build = || build(path, document::parse(bytes, options.limits.features)?, options.method);
    build().map_err(|source| LoadError::Catboost { file: path.to_owned(), source })
}

fn build(path: &str, model: Model, wanted: Option<Method>) -> Result<LoadedModel, Error> {
    let methods = model.loss.methods();
    let method = wanted.unwrap_or(methods[0]);
    if !methods.contains(&method) {
        return Err(Error::NoMethod { loss: model.loss_name, method, available: methods });
    }
    let description = ModelDescription {
        library: CATBOOST,
        library_version: model.version.clone(),
        estimator: format!("CatBoost({})", model.loss_name),
        file: path.to_owned(),
        features: model.features(),
        feature_names: model.feature_names.clone(),
        classes: model.labels.names(),
        method,
        warnings: Vec::new(),
    };
    Ok(LoadedModel { predictor: Arc::new(CatboostPredictor::new(model, method)), description })
}
