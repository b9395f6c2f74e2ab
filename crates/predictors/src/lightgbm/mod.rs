//! Builds predictors from LightGBM's text files, of versions 2 to 4 of the format.
//!
//! Answers are those of `Booster.predict`, in the 64-bit arithmetic of the library and in its order.

mod booster;
mod error;
mod leaves;
mod model;
mod objective;
mod text;
mod tree;

pub use self::error::Error;
pub(crate) use self::model::{Model, parse};

use std::sync::Arc;

use crate::{LoadError, LoadOptions, LoadedModel, Method, ModelDescription, estimators::LIGHTGBM, shown::shown};

use self::booster::Booster;

/// Loads the booster in a model file.
pub(crate) fn load(path: &str, bytes: &[u8], options: &LoadOptions) -> Result<LoadedModel, LoadError> {
    let build = || {
        let method = options.method.unwrap_or(Method::PredictProba);
        build(path, parse(bytes, options.limits.features)?, method)
    };
    build().map_err(|source| LoadError::Lightgbm { file: path.to_owned(), source })
}

fn build(path: &str, model: Model, method: Method) -> Result<LoadedModel, Error> {
    let description = ModelDescription {
        library: LIGHTGBM,
        library_version: None,
        estimator: format!("Booster({})", shown(model.objective_name())),
        file: path.to_owned(),
        features: model.features,
        feature_names: model.feature_names.clone(),
        classes: Vec::new(),
        method,
        warnings: model.warnings(),
    };
    let predictor = Arc::new(Booster::new(model, method)?);
    Ok(LoadedModel { predictor, description })
}
