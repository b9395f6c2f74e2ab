//! Where things are: the repository, the build directory, and what xtask keeps in there.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// The repository and its build directory.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The repository's root.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// The repository that the current directory is in.
    pub(crate) fn find() -> Result<Self> {
        let here = env::current_dir().context("cannot tell the current directory")?;
        let root = here.ancestors().find(|folder| folder.join("crates/xtask/Cargo.toml").is_file());
        let root = root.context("run this inside the repository")?.to_owned();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => here.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// Something that xtask keeps; the folder it is in exists afterwards.
    pub(crate) fn kept(&self, path: &str) -> Result<PathBuf> {
        let path = self.target.join("xtask").join(path);
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        Ok(path)
    }

    /// A path as people type it: relative to the repository where it is inside.
    pub(crate) fn display(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// Whether this is a CI run, where a suite that cannot run is a failure.
pub(crate) fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}
