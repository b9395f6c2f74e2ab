//! `cargo xtask contracts`: writes again what the binary prints, and the console's types from it.
//!
//! The test `contracts` of the binary's crate knows which page is made from what; it compares, or writes
//! when told to.

use std::process::ExitCode;

use anyhow::Result;

use crate::{progress::Progress, test::rust::cargo, web, workspace::Workspace};

/// `cargo xtask contracts`.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let mut progress = Progress::new(workspace, "contracts", &[("contracts", 300), ("console", 10)])?;
    progress.stage(|stage| {
        let mut command = cargo(&workspace.root);
        command.args(["test", "--workspace", "--test", "contracts"]).env("UPDATE", "1");
        stage.command("cargo", &mut command)?.success()
    })?;
    progress.stage(|stage| web::script(stage, "generate"))?;
    println!(
        "\nWritten: contracts/, docs/reference/, the chart's kinds and web/src/api/generated/. `git diff` shows what changed."
    );
    Ok(ExitCode::SUCCESS)
}
