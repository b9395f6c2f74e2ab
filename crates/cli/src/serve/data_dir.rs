//! The folder that everything is kept in: one server at a time.

use std::{
    fs::{File, TryLockError},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

/// A data directory that this process holds.
#[derive(Debug)]
pub(super) struct DataDir {
    folder: PathBuf,
    /// Held as long as this lives; the kernel lets go when the process dies.
    _lock: File,
}

impl DataDir {
    /// Makes the folder as needed, and takes it for this process.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        let path = folder.join("lock");
        let lock = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.with_context(|| format!("cannot open `{}`", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "another provost serves from `{}`: stop it, or choose another folder with --data-dir",
                folder.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock `{}`", path.display())),
        }
    }

    pub(super) fn metadata(&self) -> PathBuf {
        self.folder.join("metadata.db")
    }

    pub(super) fn artifacts(&self) -> PathBuf {
        self.folder.join("artifacts")
    }

    pub(super) fn request_log(&self) -> PathBuf {
        self.folder.join("request-log")
    }

    /// What routers learned.
    pub(super) fn learned(&self) -> PathBuf {
        self.folder.join("learned.json")
    }

    fn server_file(&self) -> PathBuf {
        self.folder.join("server.json")
    }

    /// Leaves the server's address where commands look for it.
    pub(super) fn announce(&self, url: &str) -> anyhow::Result<()> {
        let content = serde_json::json!({ "url": url, "pid": std::process::id() });
        let path = self.server_file();
        let written = File::create(&path).and_then(|mut file| file.write_all(content.to_string().as_bytes()));
        written.with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Takes the address away.
    pub(super) fn retract(&self) {
        // A file that is left only costs the next command an attempt to connect.
        let _left = std::fs::remove_file(self.server_file());
    }
}
