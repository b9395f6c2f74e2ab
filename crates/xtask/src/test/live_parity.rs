//! Two versions of scikit-learn write models and answer here and now; the engines must answer alike.
//!
//! The committed fixtures prove this for versions as they were; this proves it for this machine, and for
//! the newest version when its requirements file is raised.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use super::{rust, suite::Outcome};
use crate::{
    progress::Stage,
    setup::{self, Environment, Tool},
};

const GENERATOR: &str = "crates/predictors/fixtures/live.py";
/// What compares them.
const TESTS: [&str; 3] = ["--test", "fixtures", "a_scikit_learn_of_this_machine"];
/// Both run on any Python from 3.11 on.
const VERSIONS: [(&str, &str); 2] = [
    ("sklearn-1.5", "crates/predictors/fixtures/requirements/sklearn-1.5.txt"),
    ("sklearn-newest", "crates/xtask/requirements/sklearn-newest.txt"),
];

/// Runs it.
pub(super) fn run(stage: &Stage<'_>) -> Result<Outcome> {
    let environments = match environments(stage) {
        Ok(environments) => environments,
        Err(error) => return Ok(Outcome::skipped(&error)),
    };
    let fixtures = empty_folder(stage)?;
    for (name, environment) in &environments {
        stage.says(&format!("writing the fixtures of {name}"));
        generate(stage, name, environment, &fixtures)?;
    }
    rust::run_again(stage, &TESTS, &[("PROVOST_LIVE_FIXTURES", &fixtures)])
}

fn environments(stage: &Stage<'_>) -> Result<Vec<(&'static str, Environment)>> {
    setup::ensure(&[Tool::Python], stage)?;
    let made = |(name, requirements)| Ok((name, setup::environment(name, requirements, stage)?));
    VERSIONS.into_iter().map(made).collect()
}

/// What was written before is written again: the versions may be others now.
fn empty_folder(stage: &Stage<'_>) -> Result<PathBuf> {
    let folder = stage.workspace.kept("live-fixtures")?;
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty `{}`", folder.display()))?;
    }
    fs::create_dir(&folder)?;
    Ok(folder)
}

fn generate(stage: &Stage<'_>, name: &str, environment: &Environment, fixtures: &Path) -> Result<()> {
    let mut python = Command::new(environment.python());
    python.arg(stage.workspace.root.join(GENERATOR)).arg("--out").arg(fixtures).env("PYTHONDONTWRITEBYTECODE", "1");
    stage.command(name, &mut python)?.success().map(drop)
}
