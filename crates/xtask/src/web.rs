//! `cargo xtask web`: the console's dependencies and its build, skipped where nothing changed.
//!
//! Below `web/node_modules` two files remember what was installed and built from.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};

use crate::{
    progress::{Progress, Stage},
    setup::Node,
    workspace::Workspace,
};

/// What a build does not depend on.
const NOT_INPUTS: [&str; 3] = ["node_modules", "dist", "e2e"];

/// `cargo xtask web`.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let mut progress = Progress::new(workspace, "web", &[("console", 60)])?;
    progress.stage(build)?;
    println!("\nThe console is in web/dist. The next build of the server embeds it.");
    Ok(ExitCode::SUCCESS)
}

/// Runs one of the console's scripts.
pub(crate) fn script(stage: &Stage<'_>, name: &str) -> Result<String> {
    let node = Node::find(stage)?;
    let folder = install_dependencies(stage, &node)?;
    stage.command("npm", node.npm(&folder).args(["run", name]))?.success()
}

/// Builds the console where its files changed.
pub(crate) fn build(stage: &Stage<'_>) -> Result<()> {
    let node = Node::find(stage)?;
    let folder = install_dependencies(stage, &node)?;
    let is_there = folder.join("dist/index.html").is_file();
    let inputs = hash_of(&inputs(&folder)?)?;
    if is_there && is_remembered(&folder, "built", inputs) {
        stage.results_in("nothing changed");
        return Ok(());
    }
    stage.says("building the console");
    stage.command("build", node.npm(&folder).args(["run", "build"]))?.success()?;
    remember(&folder, "built", inputs)
}

/// Installs what the lock file names, where it changed. Returns the console's folder.
pub(crate) fn install_dependencies(stage: &Stage<'_>, node: &Node) -> Result<PathBuf> {
    let folder = stage.workspace.root.join("web");
    let inputs = hash_of(&[folder.join("package.json"), folder.join("package-lock.json")])?;
    if !is_remembered(&folder, "installed", inputs) {
        stage.says("installing the console's dependencies");
        stage.command("npm-ci", node.npm(&folder).arg("ci"))?.success()?;
        remember(&folder, "installed", inputs)?;
    }
    Ok(folder)
}

fn remembered(folder: &Path, what: &str) -> PathBuf {
    folder.join("node_modules").join(format!(".provost-{what}"))
}

fn is_remembered(folder: &Path, what: &str, inputs: u64) -> bool {
    fs::read_to_string(remembered(folder, what)).is_ok_and(|text| text == format!("{inputs:016x}"))
}

fn remember(folder: &Path, what: &str, inputs: u64) -> Result<()> {
    let file = remembered(folder, what);
    fs::write(&file, format!("{inputs:016x}")).with_context(|| format!("cannot write `{}`", file.display()))
}

/// The files that a build reads.
fn inputs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))? {
        let path = entry?.path();
        match path.is_dir() {
            true if NOT_INPUTS.iter().any(|name| path.ends_with(name)) => {}
            true => files.extend(inputs(&path)?),
            false => files.push(path),
        }
    }
    files.sort();
    Ok(files)
}

fn hash_of(files: &[PathBuf]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let content = fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        (file, content).hash(&mut hasher);
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    #[test]
    fn what_is_built_or_installed_is_no_input() {
        let folder =
            folder(&[("index.html", ""), ("src/main.tsx", ""), ("dist/a.js", ""), ("node_modules/b/c.js", "")]);
        let names: Vec<_> = inputs(folder.path()).unwrap();
        let names: Vec<_> = names.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, [Path::new("index.html"), Path::new("src/main.tsx")]);
    }

    #[test]
    fn a_changed_file_is_not_what_was_remembered() {
        let folder = folder(&[("index.html", "one"), ("node_modules/.keep", "")]);
        let before = hash_of(&inputs(folder.path()).unwrap()).unwrap();
        remember(folder.path(), "built", before).unwrap();
        assert!(is_remembered(folder.path(), "built", before));
        fs::write(folder.path().join("index.html"), "two").unwrap();
        let after = hash_of(&inputs(folder.path()).unwrap()).unwrap();
        assert!(!is_remembered(folder.path(), "built", after));
    }
}
