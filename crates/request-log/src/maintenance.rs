//! What is done beside serving: cleaning up, rewriting, merging, removing.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use provost_inference::record::Timestamp;

use crate::{
    Error, RequestLog,
    compact::compact,
    dataset::LogFile,
    log::Files,
    pause::Pause,
    retention::retain,
    rewrite::{Segment, rewrite},
};

/// Most bytes of segments, and most segments, that are rewritten together.
const BATCH_BYTES: u64 = 64 << 20;
const BATCH_SEGMENTS: usize = 1024;
/// Segments of a block of files that are sent elsewhere.
const BLOCK_SEGMENTS: u32 = 8;

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows rewritten as Parquet.
    pub rows: u64,
    /// Bytes of Parquet they became.
    pub bytes: u64,
    /// Segments that were rewritten and removed.
    pub segments: usize,
    /// Files that were merged into others.
    pub merged_files: usize,
    /// Files that retention removed.
    pub removed_files: usize,
    /// Whether there is more to do at once.
    pub has_more: bool,
}

/// What was done since the log was opened, and how it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Rows rewritten as Parquet.
    pub rows_rewritten: u64,
    /// Bytes of Parquet they became.
    pub bytes_rewritten: u64,
    /// Files that were merged into others.
    pub merged_files: u64,
    /// Files that retention removed.
    pub removed_files: u64,
    /// Finished segments that wait to be rewritten, and their bytes.
    pub pending_segments: u64,
    /// Bytes of these.
    pub pending_bytes: u64,
    /// Files of all datasets.
    pub files: u64,
    /// Bytes of these.
    pub file_bytes: u64,
    /// Why the last pass failed; `None` when it did not.
    pub last_error: Option<String>,
}

/// What is remembered between passes.
#[derive(Debug, Default)]
pub(crate) struct Maintenance {
    /// Held during a pass: there is one at a time.
    state: Mutex<State>,
    statistics: Mutex<Statistics>,
}

#[derive(Debug, Default)]
struct State {
    /// Since when the oldest finished segment of a lane waits.
    waiting: HashMap<LaneName, Timestamp>,
    pause: Pause,
    /// Files that could not be merged.
    unmergeable: HashSet<PathBuf>,
}

/// Epoch and lane.
type LaneName = (u32, u16);

/// A finished segment and its length.
type Pending = (Segment, u64);

impl RequestLog {
    /// Does what there is to do: cleans up after an earlier start, once; rewrites finished segments of
    /// each serving thread as Parquet; merges small files; removes what is too old or too much. Blocks;
    /// call it about once a second, and again at once when it says that there is more. After a failure
    /// it pauses by itself, and nothing is lost.
    pub fn maintain(&self, now: Timestamp) -> Result<Report, Error> {
        let mut state = self.maintenance.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.pause.is_on(now) {
            return Ok(Report::default());
        }
        let mut report = Report::default();
        let done = self.run(now, &mut state, &mut report);
        state.pause.note(now, &done);
        self.count(&report, done.as_ref().err());
        done.map(|()| report)
    }

    /// Rewrites all finished segments, however few and new they are, once a pass in progress has ended. For a
    /// server that stops: its lanes are gone, and with them the segments that were being written.
    pub fn finish(&self) -> Result<Report, Error> {
        let _one_at_a_time = self.maintenance.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.datasets.resume();
        let mut report = Report::default();
        let done = self.rewrite_leftovers_and_all(&mut report);
        self.count(&report, done.as_ref().err());
        done.map(|()| report)
    }

    /// Rewrites all finished segments now, however few and new they are, once a pass in progress has ended. Blocks.
    pub fn rewrite_now(&self) -> Result<Report, Error> {
        let _one_at_a_time = self.maintenance.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut report = Report::default();
        let done = self.datasets.check_stop().and_then(|()| self.rewrite_leftovers_and_all(&mut report));
        self.count(&report, done.as_ref().err());
        done.map(|()| report)
    }

    fn rewrite_leftovers_and_all(&self, report: &mut Report) -> Result<(), Error> {
        self.datasets.remove_leftovers()?;
        self.rewrite_all(report)
    }

    /// What was done since the log was opened, and how it stood after the last pass.
    pub fn statistics(&self) -> Statistics {
        self.statistics_guard().clone()
    }

    /// Makes a pass in progress end early with [`Error::Interrupted`], and further ones at once.
    pub fn stop_maintenance(&self) {
        self.datasets.stop();
    }

    fn run(&self, now: Timestamp, state: &mut State, report: &mut Report) -> Result<(), Error> {
        self.datasets.check_stop()?;
        self.datasets.remove_leftovers()?;
        let lanes = self.pending()?;
        let rewritten = self.rewrite_due(now, state, &lanes, report);
        // Room is made even when a full disk does not let segments be rewritten.
        let segments = self.finished_segments().map_err(|source| self.listing(source))?;
        let removed = retain(&self.datasets, now, self.options.retention, &segments)?;
        report.removed_files = removed.len();
        if self.options.files == Files::Sent {
            // Nobody else has them. Files that wait to be sent are not merged either: one of the parts may be
            // in the bucket already.
            self.count_lost(removed.iter().map(|file| file.bounds.rows).sum());
            return rewritten;
        }
        rewritten?;
        report.merged_files = compact(&self.datasets, now, &mut state.unmergeable)?;
        report.has_more |= report.merged_files > 0;
        Ok(())
    }

    fn rewrite_due(
        &self,
        now: Timestamp,
        state: &mut State,
        lanes: &BTreeMap<LaneName, Vec<Pending>>,
        report: &mut Report,
    ) -> Result<(), Error> {
        state.waiting.retain(|lane, _| lanes.contains_key(lane));
        for (lane, pending) in lanes {
            if !self.is_due(now, state, *lane, pending) {
                continue;
            }
            report.has_more |= self.rewrite_first(pending, report)? < pending.len();
            state.waiting.remove(lane);
        }
        Ok(())
    }

    fn rewrite_all(&self, report: &mut Report) -> Result<(), Error> {
        for pending in self.pending()?.values() {
            let mut rest = pending.as_slice();
            while !rest.is_empty() {
                rest = &rest[self.rewrite_first(rest, report)?..];
            }
        }
        Ok(())
    }

    /// Rewrites as many segments of a lane as are rewritten together; gives how many these are.
    fn rewrite_first(&self, pending: &[Pending], report: &mut Report) -> Result<usize, Error> {
        let batch = first_batch(pending, self.options.files);
        let files = rewrite(&self.datasets, &batch)?;
        report.rows += files.iter().map(|file| file.bounds.rows).sum::<u64>();
        report.bytes += files.iter().map(|file| file.bytes).sum::<u64>();
        report.segments += batch.len();
        Ok(batch.len())
    }

    fn is_due(&self, now: Timestamp, state: &mut State, lane: LaneName, pending: &[Pending]) -> bool {
        let since = *state.waiting.entry(lane).or_insert(now);
        let waits = u64::try_from(now.0.saturating_sub(since.0)).map(Duration::from_nanos);
        // What an earlier start left does not grow, and a clock that stepped back tells nothing.
        lane.0 < self.epoch
            || waits.map_or(true, |waits| waits >= self.options.rewrite_delay)
            || pending.iter().map(|(_, bytes)| bytes).sum::<u64>() >= self.options.rewrite_bytes
    }

    /// The finished segments by lane, each in order.
    fn pending(&self) -> Result<BTreeMap<LaneName, Vec<Pending>>, Error> {
        let mut lanes: BTreeMap<LaneName, Vec<Pending>> = BTreeMap::new();
        for name in self.finished_segments().map_err(|source| self.listing(source))? {
            let path = self.segment_path(name);
            let bytes = std::fs::metadata(&path).map_err(|source| self.listing(source))?.len();
            lanes.entry((name.epoch, name.lane)).or_default().push((Segment { name, path }, bytes));
        }
        Ok(lanes)
    }

    fn listing(&self, source: std::io::Error) -> Error {
        Error::File { operation: "list", path: self.folder().join("segments"), source }
    }

    fn count(&self, report: &Report, error: Option<&Error>) {
        let pending = self.pending().unwrap_or_default();
        let pending: Vec<u64> = pending.values().flatten().map(|(_, bytes)| *bytes).collect();
        let sizes =
            |files: &mut dyn Iterator<Item = u64>| files.fold((0, 0), |(count, bytes), own| (count + 1, bytes + own));
        let files = self.datasets.with(|catalogue| {
            sizes(&mut catalogue.partitions().flatten().map(|file: &std::sync::Arc<LogFile>| file.bytes))
        });
        let mut statistics = self.statistics_guard();
        statistics.rows_rewritten += report.rows;
        statistics.bytes_rewritten += report.bytes;
        statistics.merged_files += report.merged_files as u64;
        statistics.removed_files += report.removed_files as u64;
        (statistics.pending_segments, statistics.pending_bytes) = sizes(&mut pending.into_iter());
        (statistics.files, statistics.file_bytes) = files.unwrap_or_default();
        statistics.last_error = error.map(with_causes);
    }

    fn statistics_guard(&self) -> MutexGuard<'_, Statistics> {
        self.maintenance.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As many segments as are rewritten together, one at least. What is sent elsewhere is merged there by blocks, so
/// that no file reaches over the edge of one.
fn first_batch(pending: &[Pending], files: Files) -> Vec<Segment> {
    let mut sum = 0;
    let block = |pending: &Pending| pending.0.name.number / BLOCK_SEGMENTS;
    let fits = |(index, own): &(usize, &Pending)| {
        sum += own.1;
        *index == 0 || (sum <= BATCH_BYTES && (files == Files::Kept || block(own) == block(&pending[0])))
    };
    let batch = pending.iter().enumerate().take(BATCH_SEGMENTS).take_while(fits);
    batch.map(|(_, (segment, _))| segment.clone()).collect()
}

fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
