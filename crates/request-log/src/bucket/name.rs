//! How objects are named:
//!
//! ```text
//! <namespace>/<deployment>/day=YYYY-MM-DD/<origin>.<file>.<first>-<last>.parquet
//! ```
//!
//! The folders and `<file>` are those of the server that wrote it. `<origin>` is who that was, and `<first>` and
//! `<last>` are the bounds of the rows' times, so that a reader knows without a look at the object whether it
//! is wanted. A name follows from the file alone: whoever sends a file twice writes one object.
//!
//! `<file>` tells which segments of its server the rows come from. One object holds the rows of others, merged, if
//! its segments and its times include theirs: see [`super::covered`].

use std::{fmt, path::Path as FilePath};

use object_store::path::Path;

use crate::dataset::{Dataset, FileName, LogFile, Partition, SegmentRange};

/// Longest part of a server's name that an object's name repeats.
const HOST_MAX: usize = 100;
/// Longest name that is looked at: file systems take no longer ones.
const NAME_MAX: usize = 250;

/// Tells servers that write to one bucket apart: the name of the machine or pod, which may come again, and a
/// number that the log's folder got when it was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Origin(String);

impl Origin {
    pub(crate) fn new(host: &str, folder: u64) -> Self {
        let host: String = host.chars().map(|c| if is_plain(c) { c } else { '_' }).take(HOST_MAX).collect();
        let host = host.trim_start_matches('.');
        Self(format!("{}.{folder:016x}", if host.is_empty() { "server" } else { host }))
    }

    /// The one that an object's name begins with.
    fn parse(text: &str) -> Option<Self> {
        let (host, folder) = text.rsplit_once('.')?;
        let is_host = !host.is_empty() && !host.starts_with('.') && host.chars().all(is_plain);
        (is_host && parse_number(folder).is_some()).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A number for it, the same everywhere: the FNV-1a hash.
    pub(crate) fn number(&self) -> u64 {
        self.0.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// A number as names have it.
fn parse_number(text: &str) -> Option<u64> {
    let number = (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten()?;
    (format!("{number:016x}") == text).then_some(number)
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
    pub(crate) file: String,
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

    /// The name of an object of merged rows.
    pub(crate) fn merged(origin: &Origin, range: SegmentRange, (first_time, last_time): (i64, i64)) -> Self {
        Self { origin: origin.clone(), file: FileName::Rewritten(range).stem(), first_time, last_time }
    }

    /// The segments that the rows come from; `None` where the name does not tell.
    pub(crate) fn segments(&self) -> Option<SegmentRange> {
        FileName::range_of(&self.file)
    }

    /// The name of an object; `None` where it is not one of the log.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (rest, times) = text.strip_suffix(".parquet")?.rsplit_once('.')?;
        let (first, last) = times.split_once('-')?;
        let [first_time, last_time] = [parse_number(first)?, parse_number(last)?].map(u64::cast_signed);
        let (origin, file) = rest.rsplit_once('.')?;
        let is_file = !file.is_empty() && file.chars().all(is_plain);
        let origin = Origin::parse(origin).filter(|_| is_file && first_time <= last_time && text.len() <= NAME_MAX)?;
        Some(Self { origin, file: file.to_owned(), first_time, last_time })
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

/// What the keys of a partition begin with.
pub(crate) fn folder_of(folder: &Path, partition: &Partition) -> Path {
    below(folder, &partition.folder(FilePath::new("")))
}

/// What the keys of a dataset begin with.
pub(crate) fn dataset_folder(folder: &Path, dataset: &Dataset) -> Path {
    below(folder, &dataset.folder(FilePath::new("")))
}

fn below(folder: &Path, path: &FilePath) -> Path {
    path.iter().filter_map(|part| part.to_str()).fold(folder.clone(), Path::join)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let name = |host: &str, times: (i64, i64)| ObjectName {
            origin: Origin::new(host, 7),
            file: "00000001-000-00000000-00000003".to_owned(),
            first_time: times.0,
            last_time: times.1,
        };
        for name in [name("iris-main-0.a", (5, 9)), name("", (i64::MIN, i64::MAX)), name(&"ü/".repeat(999), (-1, -1))]
        {
            let text = name.to_string();
            assert!(text.len() < 200 && !text.contains('/') && !text.starts_with('.'), "{text}");
            assert_eq!(ObjectName::parse(&text), Some(name));
        }
    }

    #[test]
    fn what_is_no_name_of_ours_is_left_alone() {
        let times = "0000000000000005-0000000000000009";
        for text in [
            "a.parquet",
            "pod.0000000000000007.file.5-9.parquet",
            &format!("pod.0000000000000007.file.{times}.csv"),
            &format!("pod.0000000000000007..{times}.parquet"),
            &format!("0000000000000007.file.{times}.parquet"),
            &format!("pod.7.file.{times}.parquet"),
            &format!("../pod.0000000000000007.file.{times}.parquet"),
            &format!(".pod.0000000000000007.file.{times}.parquet"),
            "pod.0000000000000007.file.0000000000000009-0000000000000005.parquet",
        ] {
            assert_eq!(ObjectName::parse(text), None, "{text}");
        }
    }
}
