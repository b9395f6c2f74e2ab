//! The datasets of a log: which files there are, and how one is added.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    Error,
    dataset::{Catalogue, Coverage, FileName, FileWriter, Layout, LogFile, Partition, RowBounds, TEMPORARY_NAME},
    disk::Disk,
};

/// The folder `datasets` of a log.
#[derive(Debug)]
pub(crate) struct Datasets {
    folder: PathBuf,
    pub(crate) disk: Disk,
    loaded: Mutex<Option<Loaded>>,
    /// Folders whose own entries are known to be on the disk.
    synced: Mutex<HashSet<PathBuf>>,
    is_stopping: AtomicBool,
}

#[derive(Debug)]
struct Loaded {
    catalogue: Catalogue,
    leftovers: Vec<PathBuf>,
}

/// A file to be written.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) partition: &'a Partition,
    pub(crate) layout: Layout,
    pub(crate) covers: Coverage,
    /// The files it takes the place of.
    pub(crate) replaced: &'a [Arc<LogFile>],
}

impl Datasets {
    pub(crate) fn new(folder: PathBuf, disk: Disk) -> Self {
        Self { folder, disk, loaded: Mutex::default(), synced: Mutex::default(), is_stopping: AtomicBool::new(false) }
    }

    /// Looks at the files there are, or changes what is known of them. Whoever comes first reads them
    /// from the disk; the lock is never held for any other work on it.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Catalogue) -> T) -> Result<T, Error> {
        self.with_loaded(|loaded| act(&mut loaded.catalogue))
    }

    fn with_loaded<T>(&self, act: impl FnOnce(&mut Loaded) -> T) -> Result<T, Error> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = match &mut *loaded {
            Some(loaded) => loaded,
            empty => {
                let (catalogue, leftovers) = Catalogue::load(&self.folder)?;
                empty.insert(Loaded { catalogue, leftovers })
            }
        };
        Ok(act(loaded))
    }

    /// Removes what an earlier start of the server, or a pass that failed, left behind. Quick when there
    /// is nothing.
    pub(crate) fn remove_leftovers(&self) -> Result<(), Error> {
        while let Some(path) = self.with_loaded(|loaded| loaded.leftovers.last().cloned())? {
            self.disk.remove(&path)?;
            self.with_loaded(|loaded| loaded.leftovers.pop())?;
        }
        Ok(())
    }

    /// Files that are no longer part of a dataset, or never were: they are removed now or, if that
    /// fails, before anything else is done.
    fn leave(&self, paths: Vec<PathBuf>) -> Result<(), Error> {
        self.with_loaded(|loaded| loaded.leftovers.extend(paths))?;
        self.remove_leftovers()
    }

    /// Makes work in progress end with [`Error::Interrupted`].
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Lets work go on after [`Self::stop`].
    pub(crate) fn resume(&self) {
        self.is_stopping.store(false, Ordering::Relaxed);
    }

    pub(crate) fn check_stop(&self) -> Result<(), Error> {
        if self.is_stopping.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Writes a file and makes it part of the dataset. Up to the moment it is renamed nobody sees it;
    /// when this returns it is on the disk, and what it replaces may be removed.
    pub(crate) fn publish(
        &self,
        draft: Draft<'_>,
        name: impl FnOnce(&RowBounds) -> FileName,
        fill: impl FnOnce(&mut FileWriter) -> Result<(), Error>,
    ) -> Result<Arc<LogFile>, Error> {
        let folder = draft.partition.folder(&self.folder);
        self.create_folder(&folder)?;
        let temporary = folder.join(TEMPORARY_NAME);
        let (summary, name) = self.write(&draft, &temporary, name, fill).inspect_err(|_| self.undo(&temporary))?;
        let path = folder.join(name.to_string());
        let placed = length(&temporary).and_then(|bytes| {
            self.disk.rename(&temporary, &path)?;
            self.disk.sync_folder(&folder)?;
            Ok(bytes)
        });
        let bytes = placed.inspect_err(|_| {
            self.undo(&temporary);
            self.undo(&path);
        })?;
        let Draft { partition, layout, replaced, .. } = draft;
        self.with(|catalogue| catalogue.add(partition, path, bytes, summary, layout, replaced))
    }

    /// Removes a file that did not become part of the dataset. The first error is the one to tell.
    fn undo(&self, path: &Path) {
        if let Err(error) = self.leave(vec![path.to_owned()]) {
            tracing::debug!(%error, "an unfinished file stays until the next pass");
        }
    }

    fn write(
        &self,
        draft: &Draft<'_>,
        path: &Path,
        name: impl FnOnce(&RowBounds) -> FileName,
        fill: impl FnOnce(&mut FileWriter) -> Result<(), Error>,
    ) -> Result<(crate::dataset::FileSummary, FileName), Error> {
        let mut writer = FileWriter::create(&self.disk, path)?;
        fill(&mut writer)?;
        let name = name(&writer.bounds());
        Ok((writer.finish(draft.covers.clone())?, name))
    }

    /// Creates the folder and brings its name to the disk.
    fn create_folder(&self, folder: &Path) -> Result<(), Error> {
        if self.synced().contains(folder) && folder.is_dir() {
            return Ok(());
        }
        self.disk.create_folder(folder)?;
        for parent in folder.ancestors().skip(1).take_while(|parent| parent.starts_with(&self.folder)) {
            self.disk.sync_folder(parent)?;
        }
        if let Some(parent) = self.folder.parent() {
            self.disk.sync_folder(parent)?;
        }
        self.synced().insert(folder.to_owned());
        Ok(())
    }

    fn synced(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes files out of their datasets and removes them. A query that is about to open one starts
    /// again.
    pub(crate) fn discard(&self, files: &[Arc<LogFile>]) -> Result<(), Error> {
        self.with(|catalogue| catalogue.remove(files))?;
        self.leave(files.iter().map(|file| file.path.clone()).collect())
    }

    /// Forgets the files that are not there any more: somebody else removed them. Gives whether there
    /// were any.
    pub(crate) fn forget_missing(&self) -> Result<bool, Error> {
        self.with(|catalogue| {
            let files = catalogue.partitions().flatten();
            let missing: Vec<_> = files.filter(|file| matches!(file.path.try_exists(), Ok(false))).cloned().collect();
            for file in &missing {
                tracing::warn!(path = %file.path.display(), "a file of the request log was removed by someone else");
            }
            catalogue.remove(&missing);
            !missing.is_empty()
        })
    }

    /// Removes the folders of these files as far as nothing is left in them.
    pub(crate) fn remove_empty_folders(&self, files: &[Arc<LogFile>]) {
        for file in files {
            let folders = file.path.ancestors().skip(1).take_while(|folder| *folder != self.folder);
            for folder in folders.take(3) {
                self.synced().remove(folder);
                if !self.disk.remove_empty_folder(folder) {
                    break;
                }
            }
        }
    }
}

fn length(path: &Path) -> Result<u64, Error> {
    let metadata = std::fs::metadata(path);
    let metadata = metadata.map_err(|source| Error::File { operation: "read", path: path.to_owned(), source })?;
    Ok(metadata.len())
}
