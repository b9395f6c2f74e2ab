//! Builds predictors from XGBoost models: JSON, UBJSON, and the binary format up to version 3.0.
//!
//! Boosters `gbtree`, `dart` and `gblinear`. Answers are those of `Booster.predict`, in the 32-bit
//! arithmetic of the library.

mod booster;
mod booster_kind;
mod document;
mod document_tree;
mod error;
mod legacy;
mod model;
mod objective;
mod scorer;
mod snapshot;
mod trees;
mod ubj;

pub use self::error::Error;
pub(crate) use self::{
    document::parse_ubj, legacy::parse as parse_legacy, model::Model, snapshot::read as read_snapshot,
};

use std::sync::Arc;

use crate::{LoadError, LoadOptions, LoadedModel, Method, ModelDescription, estimators::XGBOOST};

use self::booster::Booster;

/// Loads the booster in a model file.
pub(crate) fn load(path: &str, bytes: &[u8], options: &LoadOptions) -> Result<LoadedModel, LoadError> {
    load_with(parse, path, bytes, options)
}

/// Loads bytes with the reader of one format, whatever they look like.
pub(crate) fn load_with(
    parse: fn(&[u8]) -> Result<Model, Error>,
    path: &str,
    bytes: &[u8],
    options: &LoadOptions,
) -> Result<LoadedModel, LoadError> {
    let build = || {
        let method = options.method.unwrap_or(Method::PredictProba);
        build(path, parse(bytes)?.within(options.limits.features)?, method)
    };
    build().map_err(|source| LoadError::Xgboost { file: path.to_owned(), source })
}

/// Reads a model in whichever format the bytes are.
fn parse(bytes: &[u8]) -> Result<Model, Error> {
    match bytes {
        // First, for this format may begin with any bytes.
        _ if legacy::is_legacy(bytes) => parse_legacy(bytes),
        [b'{', b'"' | b'}' | b' ' | b'\t' | b'\r' | b'\n', ..] => document::parse_json(bytes),
        [b' ' | b'\t' | b'\r' | b'\n', ..] => document::parse_json(bytes),
        [b'{', ..] => parse_ubj(bytes),
        [b'b', b's', b'6', b'4', ..] => Err(Error::Unsupported {
            what: "the base64 form of the binary format (`bs64`)".to_owned(),
            supported: "; save the model as JSON or UBJSON",
        }),
        [0x80, 0..=5, ..] => {
            let hint = "; it may be a pickle: save the model with `save_model`, or serve it by SKLEARN_SERVER";
            Err(Error::UnknownFormat { hint })
        }
        _ => parse_legacy(bytes),
    }
}

fn build(path: &str, model: Model, method: Method) -> Result<LoadedModel, Error> {
    let description = ModelDescription {
        library: XGBOOST,
        library_version: model.version_text(),
        estimator: format!("{}({})", model.booster, model.objective),
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
