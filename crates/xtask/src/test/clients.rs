//! Clients and programs of others, unmodified, against the real server.

use std::path::PathBuf;

use anyhow::Result;

use super::{rust, suite::Outcome};
use crate::{
    progress::Stage,
    setup::{self, Tool},
};

/// What runs them.
const TESTS: [&str; 2] = ["--test", "clients"];
/// Names the Python of Seldon's client and wrapper.
pub(super) const SELDON: &str = "PROVOST_SELDON_PYTHON";
/// Their Pythons: no one environment holds them all. Each with the variable that names it to the tests.
const CLIENTS: [(&str, &str, &str); 4] = [
    ("triton", "crates/cli/tests/clients/triton.txt", "PROVOST_TRITON_PYTHON"),
    ("seldon", "crates/cli/tests/clients/seldon.txt", SELDON),
    ("serving", "crates/cli/tests/clients/serving.txt", "PROVOST_SERVING_PYTHON"),
    ("kserve", "crates/cli/tests/clients/kserve.txt", "PROVOST_KSERVE_PYTHON"),
];

/// That of `KFServing`, which no newer Python takes; where there is none of these, it is left out.
const KFSERVING: (&str, &str, &str) =
    ("kfserving", "crates/cli/tests/clients/kfserving.txt", "PROVOST_KFSERVING_PYTHON");
const KFSERVING_VERSIONS: [&str; 2] = ["3.8", "3.9"];

/// Runs it.
pub(super) fn run(stage: &Stage<'_>) -> Result<Outcome> {
    match environments(stage) {
        Ok(pythons) => {
            let variables: Vec<_> = pythons.iter().map(|(variable, python)| (*variable, python.as_path())).collect();
            rust::run_again(stage, &TESTS, &variables)
        }
        Err(error) => Ok(Outcome::skipped(&error)),
    }
}

/// Pythons, each by the variable that names it.
pub(super) type Pythons = Vec<(&'static str, PathBuf)>;

/// Those of the clients.
pub(super) fn environments(stage: &Stage<'_>) -> Result<Pythons> {
    setup::ensure(&[Tool::Python], stage)?;
    let made = CLIENTS
        .into_iter()
        .map(|(name, requirements, variable)| Ok((variable, setup::environment(name, requirements, stage)?.python())));
    let mut made = made.collect::<Result<Vec<_>>>()?;
    let (name, requirements, variable) = KFSERVING;
    match setup::of_version(&KFSERVING_VERSIONS) {
        Some(python) => {
            made.push((variable, setup::environment_of(&python, name, requirements, stage)?.python()));
        }
        None => stage.says("KFServing's client is left out: it needs Python 3.8 or 3.9"),
    }
    Ok(made)
}
