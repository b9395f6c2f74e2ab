//! Entries for fuzzing: each feeds bytes to one reader, and what it makes of them to a prediction.
//! They return the error in words, by which a fuzzer can tell inputs that behave alike.

use provost_inference::Features;

use crate::{Limits, LoadError, LoadOptions, LoadedModel, ModelServer, load_bytes, xgboost};

/// Pickles, joblib files and compressed ones.
pub fn pickle(bytes: &[u8]) -> Result<(), String> {
    finish(load_bytes("model.pkl", bytes, &options(ModelServer::Sklearn)))
}

/// XGBoost's UBJSON.
pub fn ubj(bytes: &[u8]) -> Result<(), String> {
    finish(xgboost::load_with(xgboost::parse_ubj, "model.ubj", bytes, &options(ModelServer::Xgboost)))
}

/// XGBoost's binary format.
pub fn legacy(bytes: &[u8]) -> Result<(), String> {
    finish(xgboost::load_with(xgboost::parse_legacy, "model.bst", bytes, &options(ModelServer::Xgboost)))
}

/// Limits for small files, and for models that can be asked for a prediction in little memory.
fn options(server: ModelServer) -> LoadOptions {
    let limits = Limits { free_decoded_bytes: 1 << 20, features: 1000, ..Limits::default() };
    LoadOptions { limits, ..LoadOptions::new(server) }
}

/// Predicts with a model that was loaded, on rows of zeros and of missing values.
fn finish(loaded: Result<LoadedModel, LoadError>) -> Result<(), String> {
    let loaded = loaded.map_err(|error| in_words(&error))?;
    let features = loaded.predictor.schema().features;
    let values: Vec<_> = (0..5).flat_map(|_| vec![0.0; features]).chain(vec![f64::NAN; features]).collect();
    let Some(rows) = Features::new(6, features, &values) else { return Ok(()) };
    let mut output = Vec::new();
    loaded.predictor.predict(&rows, &mut output).map_err(|error| error.to_string())
}

fn in_words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", in_words(source)),
        None => error.to_string(),
    }
}
