//! Programs that are built with Go, once, from versions that `crates/xtask/programs` pins.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use super::go;
use crate::{process, progress::Stage, workspace::Workspace};

/// Written last: a set of programs without it is half made.
const COMPLETE: &str = "complete";
const NO_PIN: &str = "cannot read the pinned versions";
const GB: u64 = 1_000_000_000;
/// What Go's caches may take while everything is built.
const SPACE_MIN: u64 = 12 * GB;
/// Where versions of programs are pinned: a folder a module.
const MODULES: &str = "crates/xtask/programs";

/// Programs that one Go module pins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Programs {
    /// Its folder in `crates/xtask/programs`.
    pub(crate) module: &'static str,
    /// The packages to build; a program has the last part of its package's path as its name.
    pub(crate) packages: &'static [&'static str],
    /// The pinned module whose version programs are to show, and the variables that hold it, where the
    /// linker must set it.
    pub(crate) version: Option<(&'static str, &'static [VersionVariable])>,
    /// Files of pinned modules that are wanted beside the programs: the module, and the path in it.
    pub(crate) files: &'static [(&'static str, &'static str)],
}

/// A variable of a program, and which part of a version it holds.
pub(crate) type VersionVariable = (&'static str, VersionPart);

/// A part of a version such as `v1.34.4`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum VersionPart {
    All,
    Major,
    Minor,
}

impl Programs {
    /// Where they are once built; the versions are part of it.
    pub(crate) fn folder(&self, workspace: &Workspace) -> Result<PathBuf> {
        let pinned = self.pinned(workspace)?;
        let folder = workspace.kept(&format!("programs/{}-{:016x}/built", self.module, key(&pinned)))?;
        Ok(folder.with_file_name(""))
    }

    fn pinned(&self, workspace: &Workspace) -> Result<String> {
        let module = self.source(workspace);
        let [sums, versions] = ["go.sum", "go.mod"].map(|name| fs::read_to_string(module.join(name)));
        Ok(format!("{}{}{:?}", sums.context(NO_PIN)?, versions.context(NO_PIN)?, self))
    }

    fn source(&self, workspace: &Workspace) -> PathBuf {
        workspace.root.join(MODULES).join(self.module)
    }

    fn are_built(&self, workspace: &Workspace) -> Result<bool> {
        Ok(self.folder(workspace)?.join(COMPLETE).is_file())
    }

    fn link_flags(&self, workspace: &Workspace) -> Result<String> {
        let mut flags = "-s -w".to_owned();
        if let Some((module, variables)) = self.version {
            let versions = fs::read_to_string(self.source(workspace).join("go.mod")).context(NO_PIN)?;
            let version = version_of(&versions, module).with_context(|| format!("`{module}` is not pinned"))?;
            for (variable, part) in variables {
                flags.push_str(&format!(" -X {variable}={}", part.of(version)));
            }
        }
        Ok(flags)
    }
}

impl VersionPart {
    fn of(self, version: &str) -> &str {
        let mut parts = version.trim_start_matches('v').split('.');
        match self {
            Self::All => version,
            Self::Major => parts.next().unwrap_or_default(),
            Self::Minor => parts.nth(1).unwrap_or_default(),
        }
    }
}

/// Builds programs, and gives the folder of each set. Built once: Go's caches, which are ten times as large,
/// are removed after.
pub(crate) fn programs(stage: &Stage<'_>, sets: &[Programs]) -> Result<Vec<PathBuf>> {
    let workspace = stage.workspace;
    let mut missing = Vec::new();
    for set in sets {
        if !set.are_built(workspace)? {
            missing.push(set);
        }
    }
    if !missing.is_empty() {
        check_space(&workspace.target)?;
        let go = go::find(stage)?;
        let caches = workspace.kept("go-caches/built")?.with_file_name("");
        let built = missing.iter().try_for_each(|set| build(stage, &go, &caches, set));
        remove(&caches)?;
        built?;
    }
    sets.iter().map(|set| set.folder(workspace)).collect()
}

fn build(stage: &Stage<'_>, go: &Path, caches: &Path, set: &Programs) -> Result<()> {
    stage.says(&format!("building {} with Go", set.module));
    let folder = set.folder(stage.workspace)?;
    let mut command = go_command(stage.workspace, go, caches, set);
    command.args(["build", "-trimpath", "-ldflags", &set.link_flags(stage.workspace)?, "-o"]).arg(&folder);
    stage.command("go-build", command.args(set.packages))?.success()?;
    for (module, path) in set.files {
        let mut command = go_command(stage.workspace, go, caches, set);
        let source = process::output_of(command.args(["list", "-m", "-f", "{{.Dir}}", module]))?;
        let file = folder.join(name_of(path));
        fs::copy(Path::new(source.trim()).join(path), &file).with_context(|| format!("`{module}` has no `{path}`"))?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
    }
    fs::write(folder.join(COMPLETE), "")?;
    Ok(())
}

fn go_command(workspace: &Workspace, go: &Path, caches: &Path, set: &Programs) -> Command {
    let mut command = Command::new(go);
    command.current_dir(set.source(workspace));
    command.env("CGO_ENABLED", "0").env("GOFLAGS", "-mod=readonly -buildvcs=false").env("GOTOOLCHAIN", "local");
    command.env("GOCACHE", caches.join("build")).env("GOMODCACHE", caches.join("modules"));
    command
}

/// Go's caches grow while programs are built, and a full disk would fail everything else too.
fn check_space(folder: &Path) -> Result<()> {
    let disk = rustix::fs::statvfs(folder).with_context(|| format!("cannot look at `{}`", folder.display()))?;
    let free = disk.f_bavail * disk.f_frsize;
    ensure!(free >= SPACE_MIN, "{} GB are free; building programs with Go takes {} GB", free / GB, SPACE_MIN / GB);
    Ok(())
}

/// The last part of a path that is no version of a module.
fn name_of(path: &str) -> &str {
    let is_version = |part: &str| part.strip_prefix('v').is_some_and(|rest| rest.parse::<u32>().is_ok());
    path.rsplit('/').find(|part| !is_version(part)).unwrap_or(path)
}

/// The version that a `go.mod` requires of a module.
fn version_of<'a>(versions: &'a str, module: &str) -> Option<&'a str> {
    let required = versions.lines().map(|line| line.trim().trim_start_matches("require "));
    required.filter_map(|line| line.strip_prefix(module)?.strip_prefix(' ')).find_map(|rest| rest.split(' ').next())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_called_as_its_package_without_the_version() {
        assert_eq!(name_of("go.etcd.io/etcd/server/v3"), "server");
        assert_eq!(name_of("helm.sh/helm/v3/cmd/helm"), "helm");
        assert_eq!(name_of("examples/gateway/00-crds.yaml"), "00-crds.yaml");
    }

    #[test]
    fn a_version_is_that_of_the_module_itself() {
        let versions = "module m\n\nrequire k8s.io/api v0.34.4 // indirect\n\nrequire (\n\tk8s.io/kubernetes/x v1.1.1\n\tk8s.io/kubernetes v1.34.4\n)\n";
        assert_eq!(version_of(versions, "k8s.io/kubernetes"), Some("v1.34.4"));
        assert_eq!(version_of(versions, "k8s.io/api"), Some("v0.34.4"));
        assert_eq!(version_of(versions, "k8s.io/other"), None);
        assert_eq!(
            [VersionPart::All, VersionPart::Major, VersionPart::Minor].map(|part| part.of("v1.34.4")),
            ["v1.34.4", "1", "34"]
        );
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
