//! Files that must be refused: damaged ones, bombs, and pickles that would run something.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is not as it should be")]

mod support;

use std::{collections::BTreeMap, fs, path::Path, time::Instant};

use provost_predictors::{Limits, LoadError, LoadErrorKind, LoadOptions, ModelServer, load, pickle, sklearn, xgboost};
use serde_json::Value;
use support::{OneFile, chain, entries, file_name, fixtures};

/// Beyond this a file counts as one that hangs, on a busy machine and without optimisation.
const PATIENCE_SECONDS: f64 = 60.0;

fn server(path: &Path) -> ModelServer {
    if file_name(path).starts_with("xgboost") { ModelServer::Xgboost } else { ModelServer::Sklearn }
}

/// Loads a file; a bomb with the limit below what it expands to.
fn load_hostile(path: &Path, expectation: &Value) -> Result<(), LoadError> {
    let mut limits = Limits::default();
    if let Some(size) = expectation["expands_to"].as_u64() {
        limits.free_decoded_bytes = (size / 2).min(4 << 20);
        limits.decoded_bytes = limits.free_decoded_bytes;
    }
    let options = LoadOptions { limits, ..LoadOptions::new(server(path)) };
    load(&OneFile(path.to_owned()), &options).map(drop)
}

/// Whether the error is what `answer` asks for, in the words of fixtures/README.md.
fn is_answer(error: &LoadError, answer: &str) -> bool {
    let text = chain(error);
    let (kind, detail) = answer.split_once(' ').unwrap_or((answer, ""));
    match (kind, detail.split_once(' ')) {
        ("corrupt" | "truncated", _) => error.kind() == LoadErrorKind::Malformed,
        ("limit", _) => error.kind() == LoadErrorKind::TooLarge,
        ("unfitted", _) => text.contains("was the estimator fitted"),
        ("refused:", Some(("global", name))) => refuses_name(error, name),
        ("refused:", Some(("opcode", name))) => refuses_opcode(error, name),
        ("unsupported", Some((_, name))) => names_unsupported(error, name),
        _ => text.contains(detail.rsplit(' ').next().unwrap()),
    }
}

fn refuses_name(error: &LoadError, name: &str) -> bool {
    let LoadError::Pickle { source: pickle::Error::RefusedNames { names }, .. } = error else {
        return false;
    };
    names.iter().any(|refused| refused == name) && chain(error).contains("nothing in the file was run")
}

fn refuses_opcode(error: &LoadError, opcode: &str) -> bool {
    let LoadError::Pickle { source: pickle::Error::RefusedOpcode { name, .. }, .. } = error else {
        return false;
    };
    *name == opcode
}

fn names_unsupported(error: &LoadError, wanted: &str) -> bool {
    match error {
        LoadError::Sklearn { source: sklearn::Error::UnsupportedEstimator { name, .. }, .. } => {
            name.ends_with(wanted) && chain(error).contains("supported are LogisticRegression")
        }
        LoadError::Xgboost { source: xgboost::Error::Unsupported { what, .. }, .. } => what.contains(wanted),
        _ => false,
    }
}

#[test]
fn every_hostile_file_is_refused_for_the_right_reason() {
    let folder = fixtures().join("hostile");
    let expected = fs::read(folder.join("expected.json")).unwrap();
    let expected: BTreeMap<String, Value> = serde_json::from_slice(&expected).unwrap();
    assert!(expected.len() >= 240, "only {} files", expected.len());
    assert_eq!(entries(&folder).len(), expected.len() + 1, "a file is not in expected.json");
    let problems: Vec<_> =
        expected.iter().filter_map(|(name, expected)| problem(&folder.join(name), expected)).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

fn problem(path: &Path, expectation: &Value) -> Option<String> {
    let start = Instant::now();
    let outcome = load_hostile(path, expectation);
    let seconds = start.elapsed().as_secs_f64();
    if seconds > PATIENCE_SECONDS {
        return Some(format!("{}: took {seconds} s", path.display()));
    }
    let name = file_name(path);
    let Err(error) = outcome else { return Some(format!("{name}: was loaded")) };
    let also = expectation["also"].as_array().into_iter().flatten();
    let mut answers = also.chain([&expectation["expected"]]).filter_map(Value::as_str);
    let is_right = answers.any(|answer| is_answer(&error, answer));
    let wanted = &expectation["expected"];
    (!is_right).then(|| format!("{name}: {} ({:?}), not {wanted}", chain(&error), error.kind()))
}
