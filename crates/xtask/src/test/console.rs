//! The console's own checks: types, lints, unit tests.

use anyhow::Result;

use super::{counts::Counts, suite::Outcome};
use crate::{progress::Stage, setup::Node, web};

/// What `npm run check` runs before the unit tests: the compiler and the linter.
const TOOLS: usize = 2;

/// Runs it.
pub(super) fn run(stage: &Stage<'_>) -> Result<Outcome> {
    let node = match Node::find(stage) {
        Ok(node) => node,
        Err(error) => return Ok(Outcome::skipped(&error)),
    };
    let folder = web::install_dependencies(stage, &node)?;
    let finished = stage.command("npm", node.npm(&folder).args(["run", "check"]))?;
    let mut counts = Counts::of_vitest(&finished.output).with_status(finished.is_success);
    if finished.is_success {
        counts.passed += TOOLS;
    }
    Ok(Outcome::Ran { counts, output: finished.output })
}
