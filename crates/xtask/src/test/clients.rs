//! Clients and programs of others, unmodified, against the real server.

use anyhow::Result;

use super::{rust, suite::Outcome};
use crate::{
    progress::Stage,
    setup::{self, Environment, Tool},
};

/// What runs them.
const TESTS: [&str; 2] = ["--test", "clients"];
/// Their Pythons: no one environment holds both.
const CLIENTS: [(&str, &str); 2] =
    [("triton", "crates/cli/tests/clients/triton.txt"), ("seldon", "crates/cli/tests/clients/seldon.txt")];

/// Runs it.
pub(super) fn run(stage: &Stage<'_>) -> Result<Outcome> {
    match environments(stage) {
        Ok([triton, seldon]) => {
            let [triton, seldon] = [triton.python(), seldon.python()];
            rust::run_again(stage, &TESTS, &[("PROVOST_TRITON_PYTHON", &triton), ("PROVOST_SELDON_PYTHON", &seldon)])
        }
        Err(error) => Ok(Outcome::skipped(&error)),
    }
}

fn environments(stage: &Stage<'_>) -> Result<[Environment; 2]> {
    setup::ensure(&[Tool::Python], stage)?;
    let [triton, seldon] = CLIENTS;
    let made = |(name, requirements)| setup::environment(name, requirements, stage);
    Ok([made(triton)?, made(seldon)?])
}
