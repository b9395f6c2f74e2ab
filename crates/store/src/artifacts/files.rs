//! The files of an artifact in a folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use provost_inference::{ArtifactFile, ArtifactFiles};

use super::relative;

/// Read access to the files below a folder.
#[derive(Debug, Clone)]
pub struct FolderFiles {
    root: PathBuf,
}

impl FolderFiles {
    /// The files below `root`, which must be a folder.
    pub fn open(root: &Path) -> io::Result<Self> {
        if !fs::metadata(root)?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        Ok(Self { root: root.to_owned() })
    }
}

impl ArtifactFiles for FolderFiles {
    fn list(&self) -> io::Result<Vec<ArtifactFile>> {
        let mut files = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
                if kind.is_dir() {
                    folders.push(path);
                } else if let Some(relative) = relative(&path, &self.root) {
                    files.push(ArtifactFile { path: relative, size: fs::metadata(&path)?.len() });
                }
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn io::Read + Send>> {
        let is_below = Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !is_below {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` is not a path of the artifact")));
        }
        Ok(Box::new(fs::File::open(self.root.join(path))?))
    }
}
