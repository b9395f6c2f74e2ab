//! The repository's own text files: what is generated, installed or kept by a server is left out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// Folders, by name, that hold nothing of ours.
const NOT_OURS: [&str; 5] = [".git", "node_modules", "provost-data", "dist", "__pycache__"];
/// Files, by extension, that people write. Models and pictures are not text.
const WRITTEN: [&str; 16] =
    ["rs", "md", "toml", "ts", "tsx", "html", "css", "json", "yaml", "yml", "py", "sql", "sh", "txt", "svg", "proto"];

/// A file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    /// What it says.
    pub(super) text: String,
}

impl File {
    /// Its extension.
    pub(super) fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether it was written by a program from something else that is here.
    pub(super) fn is_generated(&self) -> bool {
        ["Cargo.lock", "package-lock.json"].contains(&self.name())
            || self.path.contains("/fixtures/")
            || self.path.contains("/generated/")
            || self.path.starts_with("contracts/")
    }
}

/// The files people write.
#[derive(Debug)]
pub(super) struct Repository {
    /// By path.
    files: BTreeMap<String, File>,
    /// Every path, also of files that are no text, and of folders.
    paths: Vec<String>,
}

impl Repository {
    /// Reads it.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut repository = Self { files: BTreeMap::new(), paths: Vec::new() };
        repository.read_folder(root, "").with_context(|| format!("cannot read `{}`", root.display()))?;
        Ok(repository)
    }

    /// A repository that is made up.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let mut repository = Self { files: BTreeMap::new(), paths: Vec::new() };
        for (path, text) in files {
            let parents = path.match_indices('/').map(|(end, _)| path.get(..end).unwrap().to_owned());
            repository.paths.extend(parents);
            repository.add(File { path: (*path).to_owned(), text: (*text).to_owned() });
        }
        repository
    }

    /// The text files.
    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    /// The text files of an extension.
    pub(super) fn files_of(&self, extension: &str) -> impl Iterator<Item = &File> {
        self.files().filter(move |file| file.extension() == extension)
    }

    /// A text file.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Whether a file or folder is there.
    pub(super) fn has(&self, path: &str) -> bool {
        path.is_empty() || self.paths.iter().any(|found| found == path)
    }

    /// All paths.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let relative = format!("{prefix}{name}");
            if path.is_symlink() {
                self.paths.push(relative);
            } else if path.is_dir() {
                self.read_subfolder(&path, &name, &relative)?;
            } else {
                self.read_file(&path, relative)?;
            }
        }
        Ok(())
    }

    fn read_subfolder(&mut self, path: &Path, name: &str, relative: &str) -> Result<()> {
        // Cargo marks its target directories as caches.
        if NOT_OURS.contains(&name) || path.join("CACHEDIR.TAG").is_file() {
            return Ok(());
        }
        self.paths.push(relative.to_owned());
        self.read_folder(path, &format!("{relative}/"))
    }

    fn read_file(&mut self, path: &Path, relative: String) -> Result<()> {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let is_text = WRITTEN.contains(&extension.as_ref()) || relative.starts_with(".ci/");
        if is_text {
            self.add(File { path: relative, text: fs::read_to_string(path)? });
        } else {
            self.paths.push(relative);
        }
        Ok(())
    }

    fn add(&mut self, file: File) {
        self.paths.push(file.path.clone());
        self.files.insert(file.path.clone(), file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a.rs", "model.bst", "web/dist/b.js", "build/CACHEDIR.TAG", "build/c.rs", "docs/d.md"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let repository = Repository::read(folder.path()).unwrap();
        assert_eq!(repository.paths().collect::<Vec<_>>(), ["a.rs", "docs", "docs/d.md", "model.bst", "web"]);
        assert_eq!(repository.files().count(), 2);
    }

    #[test]
    fn a_file_knows_its_name_and_extension() {
        let file = File { path: "web/src/api/generated/schema.d.ts".to_owned(), text: String::new() };
        assert_eq!((file.name(), file.extension()), ("schema.d.ts", "ts"));
        assert!(file.is_generated());
    }
}
