//! Changes to the disk, each of which can be made to fail in a test.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::Error;

/// A change to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    CreateFolder,
    CreateFile,
    Write,
    SyncFile,
    Rename,
    SyncFolder,
    Remove,
}

impl Change {
    fn verb(self) -> &'static str {
        match self {
            Self::CreateFolder | Self::CreateFile => "create",
            Self::Write => "write",
            Self::SyncFile | Self::SyncFolder => "sync",
            Self::Rename => "rename",
            Self::Remove => "remove",
        }
    }
}

/// The disk as maintenance sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) faults: Option<std::sync::Arc<crate::tests::faults::Faults>>,
}

impl Disk {
    #[cfg_attr(not(test), expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "faults come from tests"))]
    fn before(&self, change: Change, path: &Path) -> io::Result<()> {
        tracing::trace!(?change, path = %path.display());
        #[cfg(test)]
        if let Some(faults) = &self.faults {
            return faults.before(change, path);
        }
        Ok(())
    }

    fn run<T>(&self, change: Change, path: &Path, run: impl FnOnce() -> io::Result<T>) -> Result<T, Error> {
        self.before(change, path).and_then(|()| run()).map_err(|source| Error::File {
            operation: change.verb(),
            path: path.to_owned(),
            source,
        })
    }

    pub(crate) fn create_folder(&self, path: &Path) -> Result<(), Error> {
        self.run(Change::CreateFolder, path, || std::fs::create_dir_all(path))
    }

    /// A new file; one of that name is replaced.
    pub(crate) fn create_file(&self, path: &Path) -> Result<NewFile, Error> {
        let file = self.run(Change::CreateFile, path, || File::create(path))?;
        Ok(NewFile { disk: self.clone(), path: path.to_owned(), file })
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), Error> {
        self.run(Change::Rename, from, || std::fs::rename(from, to))
    }

    pub(crate) fn sync_folder(&self, path: &Path) -> Result<(), Error> {
        self.run(Change::SyncFolder, path, || File::open(path)?.sync_all())
    }

    /// Removes a file. One that is gone already is what was wanted.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), Error> {
        self.run(Change::Remove, path, || match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }

    /// Removes the folder if nothing is in it.
    pub(crate) fn remove_empty_folder(&self, path: &Path) -> bool {
        self.before(Change::Remove, path).and_then(|()| std::fs::remove_dir(path)).is_ok()
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct NewFile {
    disk: Disk,
    path: PathBuf,
    file: File,
}

impl NewFile {
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.disk.run(Change::SyncFile, &self.path, || self.file.sync_all())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.disk.before(Change::Write, &self.path) {
            // A crash leaves a part behind.
            self.file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
