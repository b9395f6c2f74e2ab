//! Replays what fuzzing has found: each input ends in a model or an error, and soon.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is not as it should be")]

mod support;

use std::{fs, time::Instant};

use provost_predictors::fuzz;
use support::entries;

/// Far beyond what an input takes in a build without optimisation.
const PATIENCE_SECONDS: f64 = 60.0;

fn replay(name: &str, reader: fn(&[u8]) -> Result<(), String>) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let inputs = entries(&folder);
    assert!(inputs.len() >= 10, "only {} inputs in {}", inputs.len(), folder.display());
    for path in inputs {
        let start = Instant::now();
        if let Err(message) = reader(&fs::read(&path).unwrap()) {
            assert!(message.chars().all(|c| !c.is_control()), "{}: {message:?}", path.display());
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!(seconds < PATIENCE_SECONDS, "{} took {seconds} s", path.display());
    }
}

#[test]
fn the_pickle_reader_survives_its_corpus() {
    replay("pickle", fuzz::pickle);
}

#[test]
fn the_ubj_reader_survives_its_corpus() {
    replay("ubj", fuzz::ubj);
}

#[test]
fn the_legacy_reader_survives_its_corpus() {
    replay("legacy", fuzz::legacy);
}

#[test]
fn the_lightgbm_reader_survives_its_corpus() {
    replay("lightgbm", fuzz::lightgbm);
}

#[test]
fn the_catboost_reader_survives_its_corpus() {
    replay("catboost", fuzz::catboost);
}

#[test]
fn requests_are_answered() {
    replay("v1", fuzz::v1);
    replay("v2", fuzz::v2);
    replay("seldon", fuzz::seldon);
    replay("message", fuzz::message);
    replay("serving", fuzz::serving);
}
