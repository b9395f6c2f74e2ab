//! An image of a Python environment, which runs in it where it is on this machine.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{
    image::libraries,
    oci::{File, Image},
    process,
};

/// Prints the files that an environment consists of, its own and those of the Python it was made with.
const LIST: &str = r#"
import os, sys, sysconfig
left_out = {"__pycache__", "test", "idlelib", "tkinter", "ensurepip", "lib2to3", "turtledemo"}
base = {"base": sys.base_prefix, "installed_base": sys.base_prefix, "platbase": sys.base_prefix, "installed_platbase": sys.base_prefix}
library = sysconfig.get_path("stdlib", vars=base)
for top in (library, sysconfig.get_path("platstdlib", vars=base), sysconfig.get_path("purelib")):
    for at, folders, files in os.walk(top):
        packages = {"site-packages", "dist-packages"} if at == library else set()
        folders[:] = [folder for folder in folders if folder not in left_out | packages]
        print(*(os.path.join(at, file) for file in files), sep="\n")
print(os.path.join(sys.prefix, "pyvenv.cfg"))
"#;

/// Writes an image of the environment of this Python; its programs are run by `python`.
pub(super) fn write(name: &str, python: &Path, user: u32, archive: &Path) -> Result<()> {
    let listed = process::output_of(Command::new(python).args(["-I", "-c", LIST]))?;
    let mut files: BTreeSet<PathBuf> = listed.lines().filter(|line| !line.is_empty()).map(PathBuf::from).collect();
    let modules: Vec<_> = files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "so")).collect();
    // A module whose libraries are missing here is not used here either.
    let needed: Vec<_> = modules.into_iter().flat_map(|module| libraries(module).unwrap_or_default()).collect();
    files.extend(needed);
    files.extend(libraries(&python.canonicalize()?)?);
    let as_they_are = |file: PathBuf| {
        let path = file.to_str().context("a path is no text")?.to_owned();
        Ok(File::program(&path, file))
    };
    let mut files = files.into_iter().map(as_they_are).collect::<Result<Vec<_>>>()?;
    let entrypoint = python.to_str().context("a path is no text")?;
    files.push(File::program(entrypoint, python.canonicalize()?));
    Image { name, entrypoint, user: Some(user), files }.write(archive).map(drop)
}
