//! Runs a model of this process, be it alone or a node of a graph.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use provost_domain::ErrorCode;
use provost_inference::{Features, MissingValues, Predict, PredictError, Schema};

use crate::error::RequestError;

/// Work that is estimated to take longer leaves the I/O thread.
const INLINE_MAX: Duration = Duration::from_micros(100);

/// Whether so many rows are predicted on this thread, by the estimate of one.
pub(crate) fn is_short(row_cost: Duration, rows: usize) -> bool {
    row_cost.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX)) <= INLINE_MAX
}

/// Checks that rows fit a model.
pub(crate) fn check_features(
    schema: &Schema,
    columns: usize,
    first_missing: Option<(usize, usize)>,
) -> Result<(), RequestError> {
    if columns != schema.features {
        let error = PredictError::FeatureCount { expected: schema.features, actual: columns };
        let named = schema.feature_names.as_ref().map(|names| format!(": {}", names.join(", "))).unwrap_or_default();
        return Err(RequestError::new(ErrorCode::BadRequest, format!("{error}{named}")));
    }
    match first_missing {
        Some((row, column)) if schema.missing_values == MissingValues::Refused => {
            Err(PredictError::MissingValue { row, column }.into())
        }
        _ => Ok(()),
    }
}

/// Predicts on this thread, and appends what comes out. A model that panics fails this request and no other.
pub(crate) fn predict(
    model: &dyn Predict,
    (rows, columns): (usize, usize),
    inputs: &[f64],
    outputs: &mut Vec<f64>,
) -> Result<(), RequestError> {
    let features = Features::new(rows, columns, inputs)
        .ok_or(PredictError::FeatureCount { expected: columns, actual: inputs.len() / rows.max(1) })?;
    Ok(catch_unwind(AssertUnwindSafe(|| model.predict(&features, outputs))).map_err(|_| failed())??)
}

/// A model that panicked.
pub(crate) fn failed() -> RequestError {
    let info = "the model failed on this request: please report it with the request's id";
    RequestError::new(ErrorCode::Internal, info)
}
