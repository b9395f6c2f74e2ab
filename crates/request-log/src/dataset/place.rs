//! Names: datasets, days, partitions and files.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use provost_inference::record::Timestamp;

use super::SegmentRange;
use crate::segment::StoredStream;

const DAY_NANOS: i64 = 86_400_000_000_000;

/// The deployment whose records a dataset holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Dataset {
    pub(crate) namespace: String,
    pub(crate) deployment: String,
}

impl Dataset {
    /// The dataset that records of the stream go to.
    pub(crate) fn of(stream: &StoredStream) -> Self {
        Self { namespace: stream.namespace.clone(), deployment: stream.deployment.clone() }
    }

    /// Whether records of the stream go to this dataset.
    pub(crate) fn is_of(&self, stream: &StoredStream) -> bool {
        self.namespace == stream.namespace && self.deployment == stream.deployment
    }

    /// The dataset whose folder is called so within that of its namespace, which is called so.
    pub(crate) fn of_folders(namespace: &str, deployment: &str) -> Option<Self> {
        Some(Self { namespace: name_of_folder(namespace)?, deployment: name_of_folder(deployment)? })
    }

    /// The dataset's folder within the folder of all datasets.
    pub(crate) fn folder(&self, datasets: &Path) -> PathBuf {
        datasets.join(folder_name(&self.namespace)).join(folder_name(&self.deployment))
    }
}

/// A name as a folder's name. Namespaces and deployments have plain names; whatever else a segment may
/// hold must not lead out of the folder.
fn folder_name(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let mut folder = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        if is_plain(byte) || (byte == b'.' && index > 0) {
            folder.push(char::from(byte));
        } else {
            folder.push_str(&format!("%{byte:02X}"));
        }
    }
    if folder.is_empty() { "%".to_owned() } else { folder }
}

/// The name that [`folder_name`] made a folder's name of.
pub(super) fn name_of_folder(folder: &str) -> Option<String> {
    if folder == "%" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(folder.len());
    let mut rest = folder.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (digits, after) = rest.split_first_chunk::<2>()?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    (folder_name(&name) == folder).then_some(name)
}

/// A day in UTC, counted from the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(i32);

impl Day {
    /// The day a time falls on.
    pub(crate) fn of(time: Timestamp) -> Self {
        // Nanoseconds in an i64 reach 106,751 days either way.
        Self(i32::try_from(time.0.div_euclid(DAY_NANOS)).unwrap_or_default())
    }

    /// The first moment of the day.
    pub(crate) fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0).saturating_mul(DAY_NANOS))
    }

    /// The first moment after the day.
    pub(crate) fn end(self) -> Timestamp {
        Timestamp((i64::from(self.0) + 1).saturating_mul(DAY_NANOS))
    }

    /// The day of a partition's folder, `day=YYYY-MM-DD`.
    pub(crate) fn of_folder(folder: &str) -> Option<Self> {
        let date: jiff::civil::Date = folder.strip_prefix("day=")?.parse().ok()?;
        let day = Self(epoch().until(date).ok()?.get_days());
        (format!("day={day}") == folder).then_some(day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use jiff::ToSpan as _;
        epoch().saturating_add(self.0.days()).fmt(f)
    }
}

fn epoch() -> jiff::civil::Date {
    jiff::civil::date(1970, 1, 1)
}

/// A day of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Partition {
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) day: Day,
}

impl Partition {
    pub(crate) fn folder(&self, datasets: &Path) -> PathBuf {
        self.dataset.folder(datasets).join(format!("day={}", self.day))
    }
}

/// Names a file within its partition; never used twice for different rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileName {
    /// Rewritten segments of one lane.
    Rewritten(SegmentRange),
    /// Several files merged into one: the last epoch, the rows' first and last sequence number, and how
    /// many rows there are, which a further merge makes more.
    Merged { epoch: u32, first_seq: i64, last_seq: i64, rows: u64 },
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rewritten(SegmentRange { epoch, lane, first, last }) => {
                write!(f, "{epoch:08}-{lane:03}-{first:08}-{last:08}.parquet")
            }
            Self::Merged { epoch, first_seq, last_seq, rows } => {
                write!(f, "{epoch:08}-merged-{first_seq:016x}-{last_seq:016x}-{rows}.parquet")
            }
        }
    }
}

impl FileName {
    /// The name without its extension.
    pub(crate) fn stem(&self) -> String {
        let mut name = self.to_string();
        name.truncate(name.len() - ".parquet".len());
        name
    }

    /// The segments that a name without its extension tells of.
    pub(crate) fn range_of(stem: &str) -> Option<SegmentRange> {
        let mut parts = stem.split('-');
        let (epoch, lane) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let range = SegmentRange { epoch, lane, first: parts.next()?.parse().ok()?, last: parts.next()?.parse().ok()? };
        // Spelt otherwise it would not be found again by its name.
        (range.first <= range.last && Self::Rewritten(range).stem() == stem).then_some(range)
    }

    /// The epoch a file's name begins with, whatever else is in it.
    pub(crate) fn epoch_of(name: &str) -> Option<u32> {
        name.strip_suffix(".parquet")?.split('-').next()?.parse().ok()
    }
}

/// What a file is called while it is written, one at a time. Users' patterns, which end in `.parquet`,
/// do not see it.
pub(crate) const TEMPORARY_NAME: &str = "next.parquet.new";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_utc_and_read_back() {
        let day = Day::of(Timestamp(1_785_715_199_999_999_999));
        assert_eq!((day.to_string().as_str(), day.end()), ("2026-08-02", Timestamp(1_785_715_200_000_000_000)));
        assert_eq!(Day::of_folder("day=2026-08-02"), Some(day));
        assert_eq!(Day::of(Timestamp(-1)).to_string(), "1969-12-31");
        for extreme in [i64::MIN, i64::MAX] {
            let day = Day::of(Timestamp(extreme));
            assert_eq!(Day::of_folder(&format!("day={day}")), Some(day));
        }
        assert_eq!(Day::of_folder("day=2026-8-2"), None);
        assert_eq!(Day::of_folder("day=soon"), None);
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for (name, folder) in
            [("iris-v1.2", "iris-v1.2"), ("..", "%2E."), ("a/b", "a%2Fb"), ("", "%"), ("é%", "%C3%A9%25")]
        {
            assert_eq!(folder_name(name), folder);
            assert_eq!(name_of_folder(folder).as_deref(), Some(name));
        }
        assert_eq!(name_of_folder("a b"), None);
        assert_eq!(name_of_folder("%zz"), None);
    }

    #[test]
    fn file_names_carry_what_they_cover() {
        let rewritten = FileName::Rewritten(SegmentRange { epoch: 3, lane: 1, first: 4, last: 7 });
        assert_eq!(rewritten.to_string(), "00000003-001-00000004-00000007.parquet");
        let range_of = |stem| FileName::range_of(stem).map(FileName::Rewritten);
        assert_eq!(range_of("00000003-001-00000004-00000007"), Some(rewritten));
        for other in
            ["3-1-4-7", "00000003-001-00000007-00000004", "00000003-001-00000004", "00000003-001-00000004-+0000007"]
        {
            assert_eq!(range_of(other), None, "{other}");
        }
        let merged = FileName::Merged { epoch: 3, first_seq: 0x300_0000_0000, last_seq: 0x300_0000_00ff, rows: 300 };
        assert_eq!(merged.to_string(), "00000003-merged-0000030000000000-00000300000000ff-300.parquet");
        assert_eq!(FileName::epoch_of(&merged.to_string()), Some(3));
    }
}
