//! Test nodes and helpers: the real server in a process of its own, on a port of its own.
//!
//! Nothing here sleeps for a fixed time: [`eventually`] polls until a condition holds, and says what it
//! saw last when it does not.
#![expect(clippy::panic, clippy::print_stderr, reason = "failures of helpers fail the test, with the server's log")]

mod logged;
mod node;
mod shell;
pub mod wrapped_model;

use std::{fmt::Debug, path::PathBuf, time::Duration};

pub use logged::{keep_log, logged_ids};
pub use node::{Node, NodeOptions, Reply};
pub use shell::Shell;

/// How long [`eventually`] waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// Polls `check` until it gives `Ok`, and panics with its last error when that takes too long.
#[track_caller]
pub fn eventually<T, E: Debug>(mut check: impl AsyncFnMut() -> Result<T, E>) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match check().await {
                Ok(value) => return value,
                Err(error) => assert!(tokio::time::Instant::now() < deadline, "{place}: still {error:?}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A file or folder of the repository.
pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).canonicalize().expect("it is in the repository")
}

/// What a model of the example answers for the rows of `examples/iris/expected.json`, row after row.
pub fn expected_probabilities(model: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(repository("examples/iris/expected.json")).expect("it is in the repository");
    let expected: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let rows: Vec<Vec<f64>> =
        serde_json::from_value(expected[model]["predict_proba"].clone()).expect("it has rows of numbers");
    rows.concat()
}

/// A manifest of one predictor that serves the model at `uri`.
pub fn manifest(name: &str, server: &str, uri: &str) -> String {
    format!(
        "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata:\n  name: {name}\nspec:\n  predictors:\n  - name: main\n    graph:\n      name: classifier\n      implementation: {server}\n      modelUri: {uri}\n"
    )
}
