//! The files of a model artifact, wherever they are kept.

use std::io;

/// One file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactFile {
    /// Path relative to the artifact's root, with `/` between its parts.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
}

/// Read access to the files of one artifact. Predictors load through this and know no paths.
pub trait ArtifactFiles {
    /// All files, in the order of their paths. An artifact that is a single file lists that one.
    fn list(&self) -> io::Result<Vec<ArtifactFile>>;

    /// Opens the file at `path`, one of the paths that [`list`](Self::list) gave.
    fn open(&self, path: &str) -> io::Result<Box<dyn io::Read + Send>>;
}
