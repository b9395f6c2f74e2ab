//! Loads model artifacts without executing them, and predicts.
//!
//! [`load`] finds the model file of an artifact, recognises its format, reads it with a reader that
//! runs nothing ([`pickle`], [`xgboost`], [`lightgbm`], [`catboost`]), and builds a predictor whose answers equal those of the
//! library that wrote the file.
//!
//! **Invariants**: this crate knows no paths and no network; it imports, calls and evaluates nothing
//! that a file names; what it allocates is bounded by the length of the file.

#![expect(clippy::doc_markdown, reason = "NumPy, XGBoost, LightGBM, CatBoost and UBJSON are names, not code")]

mod argmax;
pub mod catboost;
mod decompress;
mod error;
mod estimators;
mod file;
#[doc(hidden)]
pub mod fuzz;
pub mod lightgbm;
mod limits;
mod model;
mod numpy;
pub mod pickle;
mod recognize;
mod shown;
pub mod sklearn;
mod tree;
pub mod xgboost;

use provost_inference::ArtifactFiles;

pub use self::{
    error::{LoadError, LoadErrorKind},
    estimators::{SupportedEstimator, supported_estimators},
    limits::Limits,
    model::{LoadOptions, LoadedModel, Method, ModelDescription, ModelServer},
    tree::Error as TreeError,
};

/// Loads the model of an artifact as the prepackaged server named in `options` would.
pub fn load(files: &dyn ArtifactFiles, options: &LoadOptions) -> Result<LoadedModel, LoadError> {
    let file = file::find(files, options.server)?;
    let bytes = file::read(files, &file, &options.limits)?;
    let mut loaded = load_bytes(&file.path, &bytes, options)?;
    loaded.description.warnings.splice(0..0, file.warnings);
    Ok(loaded)
}

fn load_bytes(path: &str, bytes: &[u8], options: &LoadOptions) -> Result<LoadedModel, LoadError> {
    match options.server {
        ModelServer::Sklearn => sklearn::load(path, bytes, options),
        ModelServer::Xgboost => xgboost::load(path, bytes, options),
        ModelServer::Lightgbm => lightgbm::load(path, bytes, options),
        ModelServer::Catboost => catboost::load(path, bytes, options),
    }
}
