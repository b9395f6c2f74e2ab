//! Entries for fuzzing: each feeds bytes to one reader, and what it makes of them to a prediction.
//! They return the error in words, by which a fuzzer can tell inputs that behave alike.

use provost_inference::{
    Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, Schema,
    protocol::{
        block::Block,
        proto::{self, decode},
        seldon, serving, v1, v2,
    },
};

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

/// LightGBM's text files.
pub fn lightgbm(bytes: &[u8]) -> Result<(), String> {
    finish(load_bytes("model.txt", bytes, &options(ModelServer::Lightgbm)))
}

/// CatBoost's JSON.
pub fn catboost(bytes: &[u8]) -> Result<(), String> {
    finish(load_bytes("model.json", bytes, &options(ModelServer::Catboost)))
}

/// Requests of V1.
pub fn v1(bytes: &[u8]) -> Result<(), String> {
    let mut values = Vec::new();
    let request = v1::parse_request(bytes, &mut values).map_err(shown)?;
    arrange(request.block, values)
}

/// Requests of V2, whose JSON is taken to end where the last object does.
pub fn v2(bytes: &[u8]) -> Result<(), String> {
    let (mut values, _id) = (Vec::new(), v2::find_id(bytes));
    let length = bytes.iter().rposition(|byte| *byte == b'}').map_or(0, |last| last + 1);
    let request = v2::parse_binary_request(bytes, length, &mut values).map_err(shown)?;
    v2::ResponseTemplate::new(&schema(), "m", "1", "any").check_outputs(&request).map_err(shown)?;
    arrange(request.block, values)
}

/// Messages of Seldon over REST, with tensors of TensorFlow among them.
pub fn seldon(bytes: &[u8]) -> Result<(), String> {
    let mut values = Vec::new();
    let request = seldon::parse_request(bytes, &mut values).map_err(shown)?;
    fit(request.rows, request.columns, &values)
}

/// The same over gRPC.
pub fn message(bytes: &[u8]) -> Result<(), String> {
    let message: proto::seldon::SeldonMessage = decode(&bytes.to_vec().into()).map_err(shown)?;
    let mut values = Vec::new();
    let numbers = seldon::read_message(&message, &mut values).map_err(shown)?;
    fit(numbers.rows, numbers.columns, &values)
}

/// Requests of TensorFlow Serving; the first byte tells which.
pub fn serving(bytes: &[u8]) -> Result<(), String> {
    let (method, message) = bytes.split_first().ok_or("nothing")?;
    let message = message.to_vec().into();
    let request = match method % 3 {
        0 => decode(&message).map(serving::Request::Predict),
        1 => decode(&message).map(serving::Request::Classify),
        _ => decode(&message).map(serving::Request::Regress),
    };
    let (request, mut values) = (request.map_err(shown)?, Vec::new());
    arrange(serving::read_request(&request, &mut values).map_err(shown)?, values)
}

/// Puts the values of a request in the order of a model, as many as were told.
fn arrange(block: Block<'_>, mut values: Vec<f64>) -> Result<(), String> {
    let arranged = block.arrange(&schema(), &mut values).map_err(shown)?;
    fit(arranged.rows, arranged.columns, &values)
}

fn fit(rows: usize, columns: usize, values: &[f64]) -> Result<(), String> {
    let block = Features::new(rows, columns, values);
    block.map(drop).ok_or_else(|| "the values are not as many as rows and columns".to_owned())
}

fn schema() -> Schema {
    let (shape, kind) = (OutputShape::Vector, OutputKind::Float);
    Schema {
        features: 2,
        feature_names: Some(["a".into(), "b".into()].into()),
        missing_values: MissingValues::Accepted,
        output: OutputSchema { shape, kind, name: "predict", precision: Precision::Double },
    }
}

/// The message; the names of requests in it may hold anything.
fn shown(error: impl ToString) -> String {
    error.to_string().escape_debug().to_string()
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
