//! How objects are named:
//!
//! ```text
//! <namespace>/<deployment>/day=YYYY-MM-DD/<origin>.<file>.<first>-<last>.parquet
//! ```
//!
//! The folders and `<file>` are those of the server that wrote it. `<origin>` is who that was, and `<first>` and
//! `<last>` are the bounds of the rows' times, so that a reader knows without a look at the object whether it
//! is wanted. A name follows from the file alone: whoever sends a file twice writes one object.

use std::fmt;

use object_store::path::Path;

use crate::dataset::{LogFile, Partition};

/// Longest part of a server's name that an object's name repeats.
const HOST_MAX: usize = 100;

/// Tells servers that write to one bucket apart: the name of the machine or pod, which may come again, and a
/// number that the log's folder got when it was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Origin(String);

impl Origin {
    pub(crate) fn new(host: &str, folder: u64) -> Self {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let host: String = host.chars().map(|c| if is_plain(c) { c } else { '_' }).take(HOST_MAX).collect();
        let host = host.trim_start_matches('.');
        Self(format!("{}.{folder:016x}", if host.is_empty() { "server" } else { host }))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of an object within its partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectName {
    pub(crate) origin: Origin,
    /// The file's name where it was written, without its extension.
    file: String,
    /// Bounds of the rows' times in microseconds, both included.
    pub(crate) first_time: i64,
    pub(crate) last_time: i64,
}

impl ObjectName {
    fn of(origin: &Origin, file: &LogFile) -> Self {
        let stem = file.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let (first_time, last_time) = (file.bounds.first_time, file.bounds.last_time);
        Self { origin: origin.clone(), file: stem.to_owned(), first_time, last_time }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, file, first_time, last_time } = self;
        write!(f, "{origin}.{file}.{:016x}-{:016x}.parquet", first_time.cast_unsigned(), last_time.cast_unsigned())
    }
}

/// The key of the object that a file becomes.
pub(crate) fn key_of(folder: &Path, origin: &Origin, file: &LogFile) -> Path {
    folder_of(folder, &file.partition).join(ObjectName::of(origin, file).to_string())
}

fn folder_of(folder: &Path, partition: &Partition) -> Path {
    let parts = partition.folder(std::path::Path::new(""));
    parts.iter().filter_map(|part| part.to_str()).fold(folder.clone(), Path::join)
}
