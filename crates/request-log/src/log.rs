//! The log of one server: where it is kept, and the lanes of its serving threads.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use provost_inference::record::{LogPage, LogQuery, LogReader, ReadError, RecordLane, RecordSink};

use crate::{
    Error,
    dataset::Dataset,
    datasets::Datasets,
    disk::Disk,
    epoch,
    maintenance::Maintenance,
    query::{self, Order, Snapshot, Tail},
    retention::Retention,
    segment::{Lane, Layout, SegmentName, Shared},
};

/// Bits of a sequence number that count within one start of the server.
const SEQ_BITS: u32 = 40;
/// How often a query starts again because files went away under it.
const ATTEMPTS: usize = 20;

/// What becomes of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// They stay, and small ones are merged.
    Kept,
    /// [`Uploads`](crate::Uploads) sends them to a bucket. One that retention removes before is lost, and its
    /// rows are counted.
    Sent,
}

/// How a log is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of the log.
    pub folder: PathBuf,
    /// Length of a segment in bytes.
    pub segment_bytes: usize,
    /// A segment that is not full is finished at this age.
    pub segment_age: Duration,
    /// Finished segments of a thread become Parquet together when they are this many bytes.
    pub rewrite_bytes: u64,
    /// Finished segments become Parquet after this time, however few they are.
    pub rewrite_delay: Duration,
    /// What is kept of the datasets.
    pub retention: Retention,
    /// What becomes of their files.
    pub files: Files,
}

impl Options {
    /// The defaults, for a log in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            segment_bytes: 8 << 20,
            segment_age: Duration::from_secs(60),
            rewrite_bytes: 64 << 20,
            rewrite_delay: Duration::from_secs(10),
            retention: Retention::default(),
            files: Files::Kept,
        }
    }
}

/// A log that is open for writing. One process at a time may have it open; whoever opens it holds a
/// lock on the folder it is in.
#[derive(Debug)]
pub struct RequestLog {
    pub(crate) options: Options,
    pub(crate) epoch: u32,
    next_lane: AtomicU16,
    shared: Arc<Shared>,
    pub(crate) datasets: Datasets,
    pub(crate) maintenance: Maintenance,
    tail: Tail,
}

impl RequestLog {
    /// Opens the log in `options.folder` for a new start of the server. What earlier starts left is
    /// not read here, so that readiness does not wait for it.
    pub fn open(options: Options) -> io::Result<Self> {
        Self::open_on(options, Disk::default())
    }

    pub(crate) fn open_on(options: Options, disk: Disk) -> io::Result<Self> {
        std::fs::create_dir_all(segments_folder(&options.folder))?;
        epoch::check_format(&options.folder)?;
        let epoch = epoch::start(&options.folder)?;
        let shared = Shared::numbering_from(u64::from(epoch) << SEQ_BITS);
        Ok(Self {
            epoch,
            next_lane: AtomicU16::new(0),
            shared: Arc::new(shared),
            datasets: Datasets::new(options.folder.join("datasets"), disk),
            maintenance: Maintenance::default(),
            tail: Tail::default(),
            options,
        })
    }

    /// How many records could not be kept since the log was opened.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn count_lost(&self, records: u64) {
        self.shared.lost.fetch_add(records, Ordering::Relaxed);
    }

    /// Brings the records that were appended so far to the disk. Called about once a second: a power
    /// cut loses at most what came since.
    pub fn sync(&self) -> io::Result<()> {
        let unsynced = self.shared.take_unsynced();
        unsynced.files.iter().try_for_each(|file| file.sync_data())?;
        if unsynced.has_new {
            std::fs::File::open(segments_folder(&self.options.folder))?.sync_all()?;
        }
        Ok(())
    }

    /// Brings to the disk that segments were removed: a file may go only when none of them can come back.
    pub(crate) fn sync_segments(&self) -> Result<(), Error> {
        self.datasets.disk.sync_folder(&segments_folder(&self.options.folder))
    }

    /// The segments that are finished and not yet removed, oldest first.
    pub fn finished_segments(&self) -> io::Result<Vec<SegmentName>> {
        // In this order: see `Shared::active`.
        let mut names = self.segments()?;
        let active = self.shared.active();
        names.retain(|name| !active.contains(name));
        Ok(names)
    }

    /// All segments, oldest first, those being written included.
    pub fn segments(&self) -> io::Result<Vec<SegmentName>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(segments_folder(&self.options.folder))? {
            names.extend(SegmentName::of_path(&entry?.path()));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Where the segment of that name is kept.
    pub fn segment_path(&self, name: SegmentName) -> PathBuf {
        crate::segment::path_of(&segments_folder(&self.options.folder), name)
    }

    /// Folder of the log.
    pub fn folder(&self) -> &Path {
        &self.options.folder
    }

    /// What a query sees. In this order: see [`crate::query`].
    fn snapshot(&self, dataset: &Dataset) -> Result<Snapshot, Error> {
        let failed = |source| Error::File { operation: "list", path: segments_folder(self.folder()), source };
        let ceiling = self.shared.next_seq.load(Ordering::Acquire).cast_signed();
        let segments: Vec<_> =
            self.segments().map_err(failed)?.iter().map(|name| (*name, self.segment_path(*name))).collect();
        let mut tail = self.tail.read(&segments, &self.shared.active())?;
        let files = self.datasets.with(|catalogue| catalogue.files(dataset))?;
        tail.iter_mut().for_each(|(name, segment)| segment.cover(*name, &files));
        let order = Order::Sequence { ceiling };
        Ok(Snapshot { order, tail: tail.into_iter().map(|(_, segment)| segment).collect(), files })
    }
}

impl LogReader for RequestLog {
    fn page(&self, query: &LogQuery) -> Result<LogPage, ReadError> {
        let dataset = Dataset { namespace: query.namespace.clone(), deployment: query.deployment.clone() };
        let mut attempts = 1..=ATTEMPTS;
        loop {
            match self.snapshot(&dataset).and_then(|snapshot| query::page(query, &snapshot)) {
                Ok(page) => return page,
                // A segment was rewritten or files were merged meanwhile, or someone else removed a file.
                Err(error) if error.is_not_found() && attempts.next().is_some() => {
                    self.datasets.forget_missing().map_err(|error| ReadError::Store(Box::new(error)))?;
                }
                Err(error) => return Err(ReadError::Store(Box::new(error))),
            }
        }
    }
}

impl RecordSink for RequestLog {
    fn open_lane(&self) -> Box<dyn RecordLane> {
        let layout = Layout {
            folder: segments_folder(&self.options.folder),
            epoch: self.epoch,
            segment_bytes: self.options.segment_bytes,
            segment_age: self.options.segment_age,
        };
        let lane = self.next_lane.fetch_add(1, Ordering::Relaxed);
        Box::new(Lane::new(layout, lane, Arc::clone(&self.shared)))
    }
}

fn segments_folder(folder: &Path) -> PathBuf {
    folder.join("segments")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_has_an_epoch_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let open = || RequestLog::open(Options::new(folder.path().join("log"))).unwrap();
        let (first, second) =
            (open().shared.next_seq.load(Ordering::Relaxed), open().shared.next_seq.load(Ordering::Relaxed));
        assert_eq!((first, second), (1 << SEQ_BITS, 2 << SEQ_BITS));
    }
}
