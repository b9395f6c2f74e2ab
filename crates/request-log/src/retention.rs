//! What is kept: whole files go, those of the oldest day first.

use std::{collections::HashSet, path::PathBuf, sync::Arc, time::Duration};

use provost_inference::record::Timestamp;

use crate::{
    Error,
    dataset::{Day, LogFile},
    datasets::Datasets,
    segment::SegmentName,
};

/// How much of the log is kept. The log of a deployment that is deleted stays until it is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// A day is removed when all of it is older than this.
    pub age: Duration,
    /// All datasets together are no longer than this many bytes.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { age: Duration::from_secs(30 * 86_400), bytes: 10 << 30 }
    }
}

impl Retention {
    /// Whether all of the day is older than it may be.
    pub(crate) fn is_too_old(&self, day: Day, now: Timestamp) -> bool {
        let age = i64::try_from(self.age.as_nanos()).unwrap_or(i64::MAX);
        day.end() <= Timestamp(now.0.saturating_sub(age))
    }
}

/// A file or object that may be removed, told by `id` from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Removable<T> {
    pub(crate) day: Day,
    pub(crate) last_time: i64,
    pub(crate) bytes: u64,
    pub(crate) id: T,
}

/// Which files are to be removed: those too old, then the oldest until the rest is small enough.
pub(crate) fn plan_retention<T: Ord>(mut listing: Vec<Removable<T>>, now: Timestamp, limits: Retention) -> Vec<T> {
    listing.sort_unstable();
    let mut bytes: u64 = listing.iter().map(|file| file.bytes).sum();
    let mut removed = Vec::new();
    for file in listing {
        if limits.is_too_old(file.day, now) || bytes > limits.bytes {
            bytes -= file.bytes;
            removed.push(file.id);
        }
    }
    removed
}

/// Removes what is not to be kept. A file stays as long as some segment it covers is there, or its
/// records would come back. Gives the files that went.
pub(crate) fn retain(
    datasets: &Datasets,
    now: Timestamp,
    limits: Retention,
    segments: &[SegmentName],
) -> Result<Vec<Arc<LogFile>>, Error> {
    let files: Vec<Arc<LogFile>> = datasets.with(|catalogue| catalogue.partitions().flatten().cloned().collect())?;
    let listing = files.iter().map(|file| Removable {
        day: file.partition.day,
        last_time: file.bounds.last_time,
        bytes: file.bytes,
        id: file.path.clone(),
    });
    let removed: HashSet<PathBuf> = plan_retention(listing.collect(), now, limits).into_iter().collect();
    let may_go = |file: &Arc<LogFile>| !segments.iter().any(|segment| file.covers.contains(*segment));
    let removed: Vec<_> = files.into_iter().filter(|file| removed.contains(&file.path) && may_go(file)).collect();
    if !removed.is_empty() {
        tracing::info!(files = removed.len(), "removing the oldest files of the request log");
        datasets.discard(&removed)?;
        datasets.remove_empty_folders(&removed);
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000_000;

    #[track_caller]
    fn check(files: &[(i64, u64)], now: i64, days: u64, bytes: u64, expected: &[usize]) {
        let listed = |(index, (day, bytes)): (usize, &(i64, u64))| Removable {
            day: Day::of(Timestamp(day * DAY)),
            last_time: i64::try_from(index).unwrap(),
            bytes: *bytes,
            id: PathBuf::from(index.to_string()),
        };
        let limits = Retention { age: Duration::from_secs(days * 86_400), bytes };
        let removed = plan_retention(files.iter().enumerate().map(listed).collect(), Timestamp(now), limits);
        assert_eq!(removed, expected.iter().map(|index| PathBuf::from(index.to_string())).collect::<Vec<_>>());
    }

    #[test]
    fn a_day_goes_when_all_of_it_is_too_old() {
        let files = [(100, 1), (101, 1), (102, 1)];
        check(&files, 111 * DAY - 1, 10, 100, &[]);
        check(&files, 111 * DAY, 10, 100, &[0]);
        check(&files, 112 * DAY, 10, 100, &[0, 1]);
        check(&files, 1000 * DAY, 10, 100, &[0, 1, 2]);
    }

    #[test]
    fn the_oldest_go_until_the_rest_is_small_enough() {
        let files = [(101, 30), (100, 20), (101, 10), (102, 40)];
        check(&files, 102 * DAY, 30, 100, &[]);
        check(&files, 102 * DAY, 30, 99, &[1]);
        check(&files, 102 * DAY, 30, 79, &[1, 0]);
        check(&files, 102 * DAY, 30, 49, &[1, 0, 2]);
        check(&files, 102 * DAY, 30, 0, &[1, 0, 2, 3]);
    }

    #[test]
    fn a_clock_far_off_does_not_overflow() {
        check(&[(100, 1)], i64::MIN, u64::MAX / 86_400, 1, &[]);
        check(&[(100, 1)], i64::MAX, 0, 1, &[0]);
    }
}
