//! Every Rust test: plain `cargo test` from the root, as anybody would run it.
//!
//! One profile and one set of flags: choosing single packages would resolve other features, and compile
//! most dependencies again.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use super::{counts::Counts, suite::Outcome};
use crate::{process::Finished, progress::Stage};

/// Runs it.
pub(super) fn run(stage: &Stage<'_>) -> Result<Outcome> {
    let finished =
        stage.command("cargo", cargo(&stage.workspace.root).args(["test", "--workspace", "--no-fail-fast"]))?;
    Ok(outcome(finished))
}

/// Runs tests again, told by variables to do what they cannot do without. Arguments choose them.
pub(super) fn run_again(stage: &Stage<'_>, arguments: &[&str], variables: &[(&str, &Path)]) -> Result<Outcome> {
    run_with(stage, cargo(&stage.workspace.root), arguments, variables)
}

/// The same, by a cargo that was prepared.
pub(super) fn run_with(
    stage: &Stage<'_>,
    mut command: Command,
    arguments: &[&str],
    variables: &[(&str, &Path)],
) -> Result<Outcome> {
    command.args(["test", "--workspace", "--no-fail-fast"]).args(arguments).envs(variables.iter().copied());
    let finished = stage.command("cargo", &mut command)?;
    let counts = Counts::of_cargo(&finished.output);
    ensure!(counts != Counts::default() || !finished.is_success, "no test is chosen by `{}`", arguments.join(" "));
    Ok(outcome(finished))
}

/// Builds the server as the tests build it.
pub(super) fn build_server(stage: &Stage<'_>) -> Result<PathBuf> {
    let workspace = stage.workspace;
    stage.command("build", cargo(&workspace.root).args(["build", "--workspace", "--bins", "--tests"]))?.success()?;
    Ok(workspace.target.join("debug/provost"))
}

/// Cargo, at the root.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    command
}

fn outcome(finished: Finished) -> Outcome {
    let counts = Counts::of_cargo(&finished.output).with_status(finished.is_success);
    Outcome::Ran { counts, output: finished.output }
}
