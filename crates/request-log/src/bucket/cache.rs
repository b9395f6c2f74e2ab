//! Copies of objects in a folder, of a limited size. Objects never change, so that a copy is good for ever.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use super::{Bucket, ObjectName};
use crate::{
    Error,
    dataset::{FileReader, FileSummary, Layout, LogFile, Partition},
};

/// What a copy is called while it is written.
const UNFINISHED: &str = "new";
/// Most objects that are remembered for not being files of a log.
const FOREIGN_MAX: usize = 10_000;

/// Where copies are, and how much of them.
#[derive(Debug, Clone)]
pub struct CacheOptions {
    /// Their folder, which belongs to one process.
    pub folder: PathBuf,
    /// All of them take at most this many bytes. A query that needs more at once is refused.
    pub bytes: u64,
}

/// An object that is there.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) partition: Partition,
    pub(crate) name: ObjectName,
    pub(crate) bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Cache {
    options: CacheOptions,
    state: Mutex<State>,
    /// Numbers the copies under way.
    next: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    copies: HashMap<PathBuf, Copy>,
    /// Copies by when they were used last.
    by_use: BTreeMap<u64, PathBuf>,
    uses: u64,
    bytes: u64,
    layouts: HashSet<Arc<Layout>>,
    /// Objects that are not files of a log.
    foreign: HashSet<PathBuf>,
}

#[derive(Debug)]
struct Copy {
    bytes: u64,
    used: u64,
    /// Known once it was read.
    file: Option<Arc<LogFile>>,
}

impl Listed {
    /// What a copy says of itself, which its name must bear out.
    pub(crate) fn describe(&self, copy: &Path) -> Result<(FileSummary, Layout), Error> {
        let (summary, layout) = FileReader::open(copy)?.describe()?;
        let times = (summary.bounds.first_time, summary.bounds.last_time);
        if times != (self.name.first_time, self.name.last_time) {
            let reason = "its rows are of other times than its name says".to_owned();
            return Err(Error::Foreign { path: copy.to_owned(), reason });
        }
        Ok((summary, layout))
    }

    /// A copy as a file of the log.
    pub(crate) fn file(&self, copy: &Path, summary: FileSummary, layout: Arc<Layout>) -> LogFile {
        LogFile {
            path: copy.to_owned(),
            partition: self.partition.clone(),
            source: self.name.origin.number(),
            bytes: self.bytes,
            covers: summary.covers,
            bounds: summary.bounds,
            layout,
        }
    }
}

impl Cache {
    /// With the copies that are there.
    pub(crate) fn open(options: CacheOptions) -> io::Result<Self> {
        std::fs::create_dir_all(&options.folder)?;
        let mut state = State::default();
        let found = find(&options.folder)?;
        found.into_iter().for_each(|(_, path, bytes)| state.add(path, bytes, None));
        let cache = Self { options, state: Mutex::new(state), next: AtomicU64::new(0) };
        cache.shrink();
        Ok(cache)
    }

    pub(crate) fn bytes_max(&self) -> u64 {
        self.options.bytes
    }

    /// A copy of the object; `None` where it is not a file of a log.
    pub(crate) async fn file(&self, bucket: &Bucket, object: &Listed) -> Result<Option<Arc<LogFile>>, Error> {
        let path = object.partition.folder(&self.options.folder).join(object.name.to_string());
        if self.state().foreign.contains(&path) {
            return Ok(None);
        }
        let (is_there, known) = self.state().touch(&path, object.bytes);
        if known.is_some() {
            return Ok(known);
        }
        let mut read = if is_there { Some(self.read(object, &path)) } else { None };
        // There is none, or a power cut spoiled it.
        if read.as_ref().is_none_or(|read| read.as_ref().is_err_and(Error::is_of_content)) {
            self.copy(bucket, object, &path).await?;
            read = None;
        }
        match read.unwrap_or_else(|| self.read(object, &path)) {
            Ok(file) => {
                let file = Arc::new(file);
                self.state().add(path, object.bytes, Some(Arc::clone(&file)));
                Ok(Some(file))
            }
            Err(error) if error.is_of_content() => {
                self.refuse(path, &error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Never looks at an object again that is not a file of a log.
    fn refuse(&self, path: PathBuf, error: &Error) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(%error, cause, "an object among those of the request log is not read");
        remove(&path);
        let mut state = self.state();
        state.remove(&path);
        if state.foreign.len() >= FOREIGN_MAX {
            state.foreign.clear();
        }
        state.foreign.insert(path);
    }

    async fn copy(&self, bucket: &Bucket, object: &Listed, path: &Path) -> Result<(), Error> {
        let failed = |operation, source| Error::File { operation, path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed("create the folder of", error))?;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let unfinished = path.with_file_name(number.to_string()).with_extension(UNFINISHED);
        let key = bucket.key(object);
        let copied = bucket.get(&key, &unfinished, object.bytes).await;
        let placed =
            copied.and_then(|()| std::fs::rename(&unfinished, path).map_err(|error| failed("rename a file to", error)));
        placed.inspect_err(|_| remove(&unfinished))
    }

    fn read(&self, object: &Listed, path: &Path) -> Result<LogFile, Error> {
        let (summary, layout) = object.describe(path)?;
        Ok(object.file(path, summary, self.state().intern(layout)))
    }

    /// Forgets copies that somebody removed.
    pub(crate) fn forget_missing(&self) {
        let mut state = self.state();
        let missing: Vec<_> =
            state.copies.keys().filter(|path| matches!(path.try_exists(), Ok(false))).cloned().collect();
        missing.iter().for_each(|path| state.remove(path));
    }

    /// Removes the copies that were not used for longest, until the others are few enough.
    pub(crate) fn shrink(&self) {
        let mut state = self.state();
        while state.bytes > self.options.bytes
            && let Some((_, path)) = state.by_use.first_key_value()
        {
            let path = path.clone();
            state.remove(&path);
            remove(&path);
        }
        state.layouts.retain(|layout| Arc::strong_count(layout) > 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, path: PathBuf, bytes: u64, file: Option<Arc<LogFile>>) {
        self.remove(&path);
        self.uses += 1;
        self.bytes += bytes;
        self.by_use.insert(self.uses, path.clone());
        self.copies.insert(path, Copy { bytes, used: self.uses, file });
    }

    fn remove(&mut self, path: &Path) {
        if let Some(copy) = self.copies.remove(path) {
            self.by_use.remove(&copy.used);
            self.bytes -= copy.bytes;
        }
    }

    /// Whether there is a copy of this length, and what is known of it. It is used now.
    fn touch(&mut self, path: &Path, bytes: u64) -> (bool, Option<Arc<LogFile>>) {
        let known = self.copies.get(path).filter(|copy| copy.bytes == bytes);
        let Some(file) = known.map(|copy| copy.file.clone()) else { return (false, None) };
        self.add(path.to_owned(), bytes, file.clone());
        (true, file)
    }

    fn intern(&mut self, layout: Layout) -> Arc<Layout> {
        if let Some(known) = self.layouts.get(&layout) {
            return Arc::clone(known);
        }
        let layout = Arc::new(layout);
        self.layouts.insert(Arc::clone(&layout));
        layout
    }
}

/// The copies that are there, with when they were made and their length, the oldest first. What was being written when
/// a process ended goes.
fn find(folder: &Path) -> io::Result<Vec<(SystemTime, PathBuf, u64)>> {
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let (path, metadata) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            if metadata.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == UNFINISHED) {
                std::fs::remove_file(path)?;
            } else {
                found.push((metadata.modified()?, path, metadata.len()));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "cannot remove a copy of a file of the request log");
    }
}
