//! `cargo xtask check`: what can be said of a change without running it.

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    test::{run_suites, suite::Suite},
    workspace::Workspace,
};

/// `cargo xtask check`.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let report = run_suites(workspace, "check", &suites())?;
    println!("\n{}", report.text());
    Ok(report.exit_code())
}

fn suites() -> Vec<Suite> {
    let looks = [Suite::Tidy, Suite::Format, Suite::Console, Suite::Clippy, Suite::Licences];
    Suite::all().filter(|suite| looks.contains(suite)).collect()
}
