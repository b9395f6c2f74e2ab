//! A reader of another make, in Python, opens the request log's files as they are.

use anyhow::Result;

use super::{rust, suite::Outcome};
use crate::{
    progress::Stage,
    setup::{self, Environment, Tool},
};

/// What asks it.
const TESTS: [&str; 2] = ["--test", "interop"];
const REQUIREMENTS: &str = "crates/request-log/tests/requirements.txt";

/// Runs it.
pub(super) fn run(stage: &Stage<'_>) -> Result<Outcome> {
    match environment(stage) {
        Ok(environment) => rust::run_again(stage, &TESTS, &[("PROVOST_PYTHON", &environment.python())]),
        Err(error) => Ok(Outcome::skipped(&error)),
    }
}

fn environment(stage: &Stage<'_>) -> Result<Environment> {
    setup::ensure(&[Tool::Python], stage)?;
    setup::environment("request-log", REQUIREMENTS, stage)
}
