//! Debian's packages.

use std::{collections::BTreeSet, fs, process::Command};

use anyhow::{Result, bail};

use crate::{process, progress::Stage};

/// Where apt keeps which packages there are.
const LISTS: &str = "/var/lib/apt/lists";

/// Installs packages, or fails with the command that would.
pub(super) fn install(packages: &[&str], stage: &Stage<'_>) -> Result<()> {
    let packages: BTreeSet<_> = packages.iter().copied().collect();
    if process::find("apt-get").is_none() {
        bail!("these are missing, by the names of Debian's packages: {}", words(&packages));
    }
    if !rustix::process::geteuid().is_root() {
        bail!("something is missing. Install it with\n\n    sudo {}\n\nand run this again", command_line(&packages));
    }
    stage.says(&format!("installing {}", words(&packages)));
    install_as_root(&packages, stage)
}

fn install_as_root(packages: &BTreeSet<&str>, stage: &Stage<'_>) -> Result<()> {
    let is_listed = has_lists();
    if !is_listed {
        stage.command("apt-update", apt_get().arg("update"))?.success()?;
    }
    let installed = stage.command("apt-install", &mut install_command(packages))?;
    if installed.is_success || !is_listed {
        return installed.success().map(drop);
    }
    // The lists may be older than the packages.
    stage.command("apt-update", apt_get().arg("update"))?.success()?;
    stage.command("apt-install", &mut install_command(packages))?.success().map(drop)
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn install_command(packages: &BTreeSet<&str>) -> Command {
    let mut command = apt_get();
    command.args(["install", "--yes", "--no-install-recommends"]).args(packages);
    command
}

fn command_line(packages: &BTreeSet<&str>) -> String {
    format!("apt-get install --no-install-recommends {}", words(packages))
}

fn words(packages: &BTreeSet<&str>) -> String {
    packages.iter().copied().collect::<Vec<_>>().join(" ")
}

fn has_lists() -> bool {
    let entries = fs::read_dir(LISTS).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_each_package_once() {
        let packages = BTreeSet::from(["python3", "ca-certificates", "python3"]);
        assert_eq!(command_line(&packages), "apt-get install --no-install-recommends ca-certificates python3");
    }
}
