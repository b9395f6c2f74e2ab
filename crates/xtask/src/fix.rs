//! `cargo xtask fix`: formats, and takes what Clippy and Biome propose.

use std::process::ExitCode;

use anyhow::Result;

use crate::{progress::Progress, test::rust::cargo, web, workspace::Workspace};

/// `cargo xtask fix`.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let mut progress = Progress::new(workspace, "fix", &[("clippy", 120), ("format", 2), ("console", 30)])?;
    progress.stage(|stage| {
        let arguments = ["clippy", "--workspace", "--all-targets", "--fix", "--allow-dirty", "--allow-staged"];
        stage.command("cargo", cargo(&workspace.root).args(arguments))?.success()
    })?;
    progress.stage(|stage| stage.command("cargo", cargo(&workspace.root).args(["fmt", "--all"]))?.success())?;
    progress.stage(|stage| web::script(stage, "fix"))?;
    Ok(ExitCode::SUCCESS)
}
