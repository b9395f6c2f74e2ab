//! Artifacts in the file system: each under its digest, made of all its files.
//!
//! The digest is SHA-256 over one line for each file in the order of their paths:
//! `<SHA-256 of the content> <length> <path>`.

mod environments;
mod fetch;
mod files;

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use provost_domain::{
    Digest,
    port::artifacts::{ArtifactStore, FetchError, Source},
};

pub use environments::{Environment, Environments};
pub use fetch::Patience;
pub(crate) use fetch::{Location, reason};
pub use files::FolderFiles;

/// Limits of one artifact.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of the artifacts.
    pub folder: PathBuf,
    /// Most bytes of one artifact.
    pub bytes_max: u64,
    /// Most files of one artifact.
    pub files_max: usize,
    /// Local paths are read only below these folders; `None` for everywhere.
    pub roots: Option<Vec<PathBuf>>,
    /// Credentials for what is not local.
    pub environments: Environments,
    /// How long to wait for what does not come over the network.
    pub patience: Patience,
}

impl Options {
    /// The defaults, for artifacts in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            bytes_max: 16 << 30,
            files_max: 10_000,
            roots: None,
            environments: Environments::default(),
            patience: Patience::default(),
        }
    }
}

/// Keeps artifacts in a folder.
#[derive(Debug, Clone)]
pub struct FilesystemArtifacts {
    options: Options,
}

impl FilesystemArtifacts {
    /// A store in `options.folder`, which is made as needed. What an interrupted copy left is removed.
    pub fn open(options: Options) -> io::Result<Self> {
        let store = Self { options };
        std::fs::create_dir_all(store.kept())?;
        if store.incoming().exists() {
            std::fs::remove_dir_all(store.incoming())?;
        }
        std::fs::create_dir_all(store.incoming())?;
        Ok(store)
    }

    /// The files of an artifact that is kept.
    pub fn files(&self, digest: &Digest) -> io::Result<FolderFiles> {
        FolderFiles::open(&self.path(digest))
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.kept().join(digest.hex())
    }

    fn kept(&self) -> PathBuf {
        self.options.folder.join("sha256")
    }

    fn incoming(&self) -> PathBuf {
        self.options.folder.join("incoming")
    }

    fn remove_others(&self, used: &BTreeSet<&str>) -> io::Result<()> {
        for entry in std::fs::read_dir(self.kept())? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|name| used.contains(name)) {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl ArtifactStore for FilesystemArtifacts {
    async fn fetch(&self, source: &Source) -> Result<Digest, FetchError> {
        let (store, source) = (self.clone(), source.clone());
        let fetched = tokio::task::spawn_blocking(move || fetch::fetch(&store, &source)).await;
        fetched.map_err(|error| FetchError(format!("reading the model's files failed: {error}")))?
    }

    async fn remove_unused(&self, used: &[Digest]) {
        let used = used.iter().map(Digest::hex).collect();
        if let Err(error) = self.remove_others(&used) {
            tracing::warn!(%error, "cannot remove artifacts that are no longer used");
        }
    }
}

/// Copies an artifact into a folder rather than into a store, replacing what an earlier copy left there; tells its digest.
pub async fn download(options: Options, source: Source) -> Result<Digest, FetchError> {
    let copied = tokio::task::spawn_blocking(move || {
        let folder = options.folder.clone();
        fetch::download(&FilesystemArtifacts { options }, &source, &folder)
    });
    copied.await.map_err(|error| FetchError(format!("reading the model's files failed: {error}")))?
}

/// The path below a folder, with `/` between its parts; `None` where it is not UTF-8.
fn relative(path: &Path, folder: &Path) -> Option<String> {
    let parts = path.strip_prefix(folder).ok()?.iter().map(|part| part.to_str());
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

#[cfg(test)]
mod tests;
