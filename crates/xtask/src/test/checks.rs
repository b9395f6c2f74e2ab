//! Suites that look at the code and run none of it.

use anyhow::Result;

use super::{counts::Counts, rust::cargo, suite::Outcome};
use crate::{process::Finished, progress::Stage, tidy};

/// House rules; each rule is a test.
pub(super) fn tidy(stage: &Stage<'_>) -> Result<Outcome> {
    let report = tidy::check(&stage.workspace.root)?;
    let counts = Counts { passed: report.kept, failed: report.broken, skipped: 0 };
    Ok(Outcome::Ran { counts, output: report.text() })
}

/// rustfmt would change nothing.
pub(super) fn format(stage: &Stage<'_>) -> Result<Outcome> {
    let command = &mut cargo(&stage.workspace.root);
    let mut finished = stage.command("cargo", command.args(["fmt", "--all", "--check", "--", "--files-with-diff"]))?;
    finished.output += "`cargo xtask fix` formats them";
    Ok(outcome(finished))
}

/// Clippy, with warnings as errors.
pub(super) fn clippy(stage: &Stage<'_>) -> Result<Outcome> {
    let command = &mut cargo(&stage.workspace.root);
    command.args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
    Ok(outcome(stage.command("cargo", command)?))
}

/// Licences, sources and bans of dependencies. Advisories are looked up weekly, not on each change.
pub(super) fn licences(stage: &Stage<'_>) -> Result<Outcome> {
    let command = &mut cargo(&stage.workspace.root);
    command.args(["deny", "--offline", "check", "bans", "licenses", "sources"]);
    Ok(outcome(stage.command("cargo", command)?))
}

fn outcome(finished: Finished) -> Outcome {
    let counts = Counts::default().with_status(finished.is_success);
    Outcome::Ran { counts, output: finished.output }
}
