//! Making the root: Debian's smallest, the machine's network settings, a C compiler, Rust, and the clone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use super::namespace;
use crate::{process, progress::Stage};

/// Where the clone is, inside.
pub(super) const CLONE: &str = "home/builder/provost";
/// Where Rust is, inside.
pub(super) const RUST: &str = "opt/rust";
/// What somebody needs who builds a Rust program.
const PACKAGES: &str = "ca-certificates gcc git libc6-dev";
/// Which packages there are, and whom to trust about them.
const APT: [&str; 2] = ["/etc/apt", "/usr/share/keyrings"];
/// How this machine reaches a network, where it has settings of its own.
const NETWORK: [&str; 5] =
    ["/etc/hosts", "/etc/pip.conf", "/etc/resolv.conf", "/etc/ssl/certs", "/usr/local/share/ca-certificates"];

/// What is built inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// What is committed, as a clone has it.
    Commit,
    /// The files as they are.
    Files,
}

/// Makes the root anew.
pub(super) fn make(stage: &Stage<'_>, folder: &Path) -> Result<()> {
    remove(folder)?;
    let (suite, mirror) = source_of_packages()?;
    stage.says(&format!("Debian {suite}"));
    // debootstrap mounts things; in a namespace of its own nothing stays mounted.
    let mut debootstrap = Command::new("unshare");
    debootstrap.args(["--mount", "debootstrap", "--variant=minbase", &suite]).arg(folder).arg(&mirror);
    stage.command("debootstrap", &mut debootstrap)?.success()?;
    copy_all(&APT, folder)?;
    let script = format!("apt-get update && apt-get install --yes --no-install-recommends {PACKAGES}");
    stage.command("apt", &mut namespace::command(folder, "/", &script))?.success()?;
    // After the packages: installing certificates writes what is copied here.
    copy_all(&NETWORK, folder)
}

/// Copies Rust and the repository.
pub(super) fn copy(stage: &Stage<'_>, folder: &Path, source: Source) -> Result<()> {
    stage.says("copying Rust");
    copy_rust(folder)?;
    stage.says("copying the repository");
    let clone = folder.join(CLONE);
    fs::create_dir_all(&clone)?;
    match source {
        Source::Commit => {
            let mut git = Command::new("git");
            git.args(["clone", "--quiet", "--no-hardlinks"]).arg(&stage.workspace.root).arg(&clone);
            stage.command("clone", &mut git)?.success().map(drop)
        }
        Source::Files => copy_files(&stage.workspace.root, &clone),
    }
}

/// Removes the root, unless something is mounted in it.
pub(super) fn remove(folder: &Path) -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    if let Some(mount) = mounted_below(&mounts, folder) {
        bail!("`{mount}` is mounted: unmount it first, and nothing below is lost");
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    Ok(())
}

fn mounted_below<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    places.into_iter().find(|place| Path::new(place).starts_with(folder))
}

/// This machine's Debian, and where its apt gets it from.
fn source_of_packages() -> Result<(String, String)> {
    let release = fs::read_to_string("/etc/os-release").context("this is no Debian")?;
    let suite = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let suite = suite.context("this Debian has no code name")?;
    let format = "$(CODENAME) $(COMPONENT) $(REPO_URI)";
    let targets = process::output_of(Command::new("apt-get").args(["indextargets", "--format", format]))?;
    let mirror = mirror(&targets, suite).with_context(|| format!("apt knows no source of Debian {suite}"))?;
    Ok((suite.to_owned(), mirror.to_owned()))
}

fn mirror<'a>(targets: &'a str, suite: &str) -> Option<&'a str> {
    targets.lines().find_map(|line| line.strip_prefix(&format!("{suite} main ")))
}

/// Copies what is there of these to the same places inside.
fn copy_all(paths: &[&str], folder: &Path) -> Result<()> {
    for path in paths.iter().map(Path::new).filter(|path| path.exists()) {
        let inside = folder.join(path.strip_prefix("/").unwrap_or(path));
        copy_over(path, &inside)?;
    }
    Ok(())
}

fn copy_over(from: &Path, to: &Path) -> Result<()> {
    let parent = to.parent().unwrap_or(to);
    fs::create_dir_all(parent)?;
    // Links may lead to files that only this machine has.
    let mut command = Command::new("cp");
    command.args(["--recursive", "--dereference", "--preserve=mode", "--remove-destination", "--no-target-directory"]);
    process::output_of(command.arg(from).arg(to)).map(drop)
}

/// The toolchain in use, without its documentation.
fn copy_rust(folder: &Path) -> Result<()> {
    let toolchain = process::output_of(Command::new("rustc").args(["--print", "sysroot"]))?;
    let to = folder.join(RUST);
    fs::create_dir_all(&to)?;
    for part in ["bin", "lib", "libexec"] {
        let from = Path::new(toolchain.trim()).join(part);
        if from.is_dir() {
            process::output_of(Command::new("cp").arg("--archive").arg(from).arg(&to))?;
        }
    }
    Ok(())
}

/// The files that a commit of everything would hold.
fn copy_files(root: &Path, clone: &Path) -> Result<()> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    for path in process::output_of(&mut git)?.split('\0').filter(|path| !path.is_empty()) {
        let (from, to) = (root.join(path), clone.join(path));
        if from.is_file() {
            fs::create_dir_all(to.parent().map(PathBuf::from).unwrap_or_default())?;
            fs::copy(&from, &to).with_context(|| format!("cannot copy `{path}`"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_come_from_where_apt_gets_them() {
        let targets = "trixie main mirror:/one\nbookworm contrib mirror:/two\nbookworm main mirror:/three\n";
        assert_eq!(mirror(targets, "bookworm"), Some("mirror:/three"));
        assert_eq!(mirror(targets, "sid"), None);
    }

    #[test]
    fn a_root_with_mounts_is_not_removed() {
        let mounts = "25 1 254:0 / / rw - ext4 x rw\n40 25 0:5 / /build/root/proc rw - proc proc rw\n";
        assert_eq!(mounted_below(mounts, Path::new("/build/root")), Some("/build/root/proc"));
        assert_eq!(mounted_below(mounts, Path::new("/build/roo")), None);
    }
}
