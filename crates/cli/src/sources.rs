//! Reading the manifests that a command line names.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use crate::failure::Failure;

/// The texts of all files, with the names for messages.
pub(crate) fn read_sources(paths: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    let mut sources = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
            sources.push(("standard input".to_owned(), text));
            continue;
        }
        for file in files(path)? {
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
            sources.push((file.display().to_string(), text));
        }
    }
    Ok(sources)
}

/// The file itself, or the manifests of a folder in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let context = || format!("cannot read `{}`", path.display());
    if !std::fs::metadata(path).with_context(context)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let is_manifest = |path: &PathBuf| {
        path.extension().and_then(|e| e.to_str()).is_some_and(|e| matches!(e, "yaml" | "yml" | "json"))
    };
    let entries =
        std::fs::read_dir(path).with_context(context)?.collect::<Result<Vec<_>, _>>().with_context(context)?;
    let mut files: Vec<_> = entries.iter().map(std::fs::DirEntry::path).filter(is_manifest).collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(format!("`{}` holds no .yaml, .yml or .json files", path.display())));
    }
    Ok(files)
}
