//! Reads fixtures, loads their models and compares answers.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is not as it should be")]

pub mod answer;
pub mod models;
pub mod pickle_writer;
pub mod record;

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

use provost_inference::{ArtifactFile, ArtifactFiles};

/// The folder of fixtures.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// An artifact of one file.
#[derive(Debug)]
pub struct OneFile(pub PathBuf);

impl ArtifactFiles for OneFile {
    fn list(&self) -> io::Result<Vec<ArtifactFile>> {
        let path = self.0.file_name().unwrap().to_string_lossy().into_owned();
        Ok(vec![ArtifactFile { path, size: fs::metadata(&self.0)?.len() }])
    }

    fn open(&self, _path: &str) -> io::Result<Box<dyn io::Read + Send>> {
        Ok(Box::new(fs::File::open(&self.0)?))
    }
}

/// An error with all its causes, as a person sees it.
pub fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

/// The entries of a folder, sorted.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The last part of a path.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
