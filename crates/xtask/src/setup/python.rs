//! Python environments in the build directory, made once from committed requirements.

use std::{
    env, fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{process, progress::Stage};

/// Written last: an environment without it is half made.
const COMPLETE: &str = "complete";

/// A Python with packages.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// Its interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// A program that one of its packages brought.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// The folder of a package.
    pub(crate) fn package(&self, name: &str) -> Result<PathBuf> {
        let script = format!("import {name}; print({name}.__path__[0])");
        let output = process::output_of(Command::new(self.python()).args(["-c", &script]))?;
        Ok(PathBuf::from(output.trim()))
    }
}

/// Whether the system's Python can make environments; Debian's needs a package for it.
pub(super) fn can_make_environments() -> bool {
    process::output_of(Command::new("python3").args(["-c", "import venv, ensurepip"])).is_ok()
}

/// A Python of one of these versions, such as `3.8`: that of the system, else one of pyenv's.
pub(crate) fn of_version(versions: &[&str]) -> Option<PathBuf> {
    let of_system = versions.iter().map(|version| PathBuf::from(format!("python{version}")));
    let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let installed = pyenv.and_then(|root| root.join("versions").read_dir().ok()).into_iter().flatten().flatten();
    let is_wanted = |folder: &fs::DirEntry| {
        let name = folder.file_name().to_string_lossy().into_owned();
        versions.iter().any(|version| name.strip_prefix(version).is_some_and(|rest| rest.starts_with('.')))
    };
    let of_pyenv = installed.filter(is_wanted).map(|folder| folder.path().join("bin/python"));
    let works =
        |python: &PathBuf| process::output_of(Command::new(python).args(["-c", "import venv, ensurepip"])).is_ok();
    of_system.chain(of_pyenv).find(works)
}

/// The environment of a requirements file, made anew when the file or the system's Python changed.
pub(crate) fn environment(name: &str, requirements: &str, stage: &Stage<'_>) -> Result<Environment> {
    environment_of(Path::new("python3"), name, requirements, stage)
}

/// The environment of a requirements file for this Python.
pub(crate) fn environment_of(program: &Path, name: &str, requirements: &str, stage: &Stage<'_>) -> Result<Environment> {
    let file = stage.workspace.root.join(requirements);
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read `{requirements}`"))?;
    let python = process::output_of(Command::new(program).arg("-VV"))?;
    let folder = stage.workspace.kept(&format!("python/{name}-{:016x}", key(&text, &python)))?;
    if !folder.join(COMPLETE).is_file() {
        remove_older(&folder, name)?;
        make(program, &folder, &file, stage).with_context(|| format!("cannot install `{requirements}`"))?;
    }
    Ok(Environment { folder })
}

fn make(program: &Path, folder: &Path, requirements: &Path, stage: &Stage<'_>) -> Result<()> {
    stage.says("making a Python environment");
    stage.command("venv", Command::new(program).args(["-m", "venv"]).arg(folder))?.success()?;
    let mut install = Command::new(folder.join("bin/python"));
    install.args(["-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:", "--requirement"]);
    stage.command("pip", install.arg(requirements))?.success()?;
    fs::write(folder.join(COMPLETE), "")?;
    Ok(())
}

/// Environments are large: only one of a name is kept.
fn remove_older(folder: &Path, name: &str) -> Result<()> {
    let Some(parent) = folder.parent() else { return Ok(()) };
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        let found = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_of(&found, name) {
            fs::remove_dir_all(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
        }
    }
    Ok(())
}

fn is_of(folder: &str, name: &str) -> bool {
    let key = folder.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
    key.is_some_and(|key| key.len() == 16 && key.chars().all(|c| c.is_ascii_hexdigit()))
}

/// Changes when the requirements do (comments do not count), or the Python.
fn key(requirements: &str, python: &str) -> u64 {
    let lines = requirements.lines().map(|line| line.split('#').next().unwrap_or(line).trim());
    let mut hasher = DefaultHasher::new();
    lines.filter(|line| !line.is_empty()).for_each(|line| line.hash(&mut hasher));
    python.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_changes_with_requirements_and_python() {
        let base = key("numpy==2.4.6\n", "Python 3.11.2");
        assert_eq!(base, key("# Python 3.11\n\nnumpy==2.4.6  # pinned\n", "Python 3.11.2"));
        assert_ne!(base, key("numpy==2.4.7\n", "Python 3.11.2"));
        assert_ne!(base, key("numpy==2.4.6\n", "Python 3.13.0"));
    }

    #[test]
    fn only_environments_of_the_same_name_are_replaced() {
        assert!(is_of("node-0123456789abcdef", "node"));
        assert!(!is_of("node-tools-0123456789abcdef", "node"));
        assert!(!is_of("sklearn-1.5-0123456789abcdef", "sklearn"));
        assert!(!is_of("node", "node"));
    }
}
