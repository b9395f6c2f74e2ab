//! The writing side: one lane for each serving thread.

use std::{
    collections::HashSet,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use memmap2::MmapMut;
use provost_inference::record::{Lost, Payload, Record, RecordLane, Timestamp};

use super::{
    SegmentName,
    frame::{Writer, encode_stream, frame_length, record_length, write_record, write_stream},
    mapping,
};

/// After a failure to make a segment, the next attempt comes this much later.
const RETRY: Duration = Duration::from_millis(250);

/// Where segments are kept and how long they grow.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Folder of the segments.
    pub folder: PathBuf,
    /// Start of the server, from 1; see [`SegmentName::epoch`].
    pub epoch: u32,
    /// Length of a segment in bytes. A record that is longer gets a segment of its own.
    pub segment_bytes: usize,
    /// A segment that is not full is finished at this age.
    pub segment_age: Duration,
}

/// Segments being written and how many records were lost, shared by all lanes of a log. The lock is
/// taken when a segment starts or ends, never for a record.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Numbers records; starts at the epoch's first number.
    pub(crate) next_seq: AtomicU64,
    pub(crate) lost: AtomicU64,
    open: Mutex<Open>,
}

/// Segments that some lane writes to now, and what has to be brought to the disk besides.
#[derive(Debug, Default)]
struct Open {
    active: Vec<ActiveSegment>,
    /// Segments that were finished since the last sync.
    finished: Vec<Arc<File>>,
    /// Whether segments were started since the last sync, so that the folder has names to sync.
    has_new: bool,
}

/// A segment that some lane writes to now, or is about to make.
#[derive(Debug, Clone)]
struct ActiveSegment {
    name: SegmentName,
    file: Option<Arc<File>>,
}

/// What was written since the last sync.
#[derive(Debug)]
pub(crate) struct Unsynced {
    pub(crate) files: Vec<Arc<File>>,
    pub(crate) has_new: bool,
}

impl Shared {
    /// For a log whose records are numbered from here.
    pub(crate) fn numbering_from(seq: u64) -> Self {
        Self { next_seq: AtomicU64::new(seq), ..Self::default() }
    }

    /// The segments that are being written now. To tell finished segments from these, list the folder
    /// first: a segment is here before its file is there.
    pub(crate) fn active(&self) -> HashSet<SegmentName> {
        self.open().active.iter().map(|segment| segment.name).collect()
    }

    /// What has to be brought to the disk now.
    pub(crate) fn take_unsynced(&self) -> Unsynced {
        let mut open = self.open();
        let mut files = std::mem::take(&mut open.finished);
        files.extend(open.active.iter().filter_map(|segment| segment.file.clone()));
        Unsynced { files, has_new: std::mem::take(&mut open.has_new) }
    }

    fn start(&self, name: SegmentName) {
        self.open().active.push(ActiveSegment { name, file: None });
    }

    fn started(&self, name: SegmentName, file: &Arc<File>) {
        let mut open = self.open();
        open.has_new = true;
        let segments = open.active.iter_mut().filter(|segment| segment.name == name);
        segments.for_each(|segment| segment.file = Some(Arc::clone(file)));
    }

    fn finish(&self, name: SegmentName, file: Option<Arc<File>>) {
        let mut open = self.open();
        open.active.retain(|segment| segment.name != name);
        open.finished.extend(file);
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends records to segments of its own.
#[derive(Debug)]
pub struct Lane {
    pub(super) layout: Layout,
    lane: u16,
    number: u32,
    shared: Arc<Shared>,
    segment: Option<Segment>,
    /// When a segment could last not be started.
    failed_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Segment {
    name: SegmentName,
    file: Arc<File>,
    mapping: MmapMut,
    used: usize,
    /// Up to where its pages are ready to be written.
    ready: usize,
    started: Timestamp,
    /// Ids of the streams that are described in this segment.
    streams: Vec<u64>,
}

impl Lane {
    pub(crate) fn new(layout: Layout, lane: u16, shared: Arc<Shared>) -> Self {
        Self { layout, lane, number: 0, shared, segment: None, failed_at: None }
    }

    fn append_frame(&mut self, record: &Record<'_>) -> Option<()> {
        is_sound(record).then_some(())?;
        let encoded = match &self.segment {
            Some(segment) if segment.streams.contains(&record.stream.id) => None,
            _ => Some(encode_stream(record.stream)),
        };
        let length = frame_length(record_length(record));
        let needed = length + encoded.as_ref().map_or(0, |encoded| frame_length(1 + encoded.len()));
        if self.segment.as_ref().is_none_or(|segment| segment.mapping.len() - segment.used < needed) {
            self.roll(record, length)?;
            // A new segment has to hold the stream too.
            return self.write(record, length, Some(encode_stream(record.stream)));
        }
        self.write(record, length, encoded)
    }

    fn write(&mut self, record: &Record<'_>, length: usize, stream: Option<Vec<u8>>) -> Option<()> {
        let segment = self.segment.as_mut()?;
        let end = segment.used + length + stream.as_ref().map_or(0, |encoded| frame_length(1 + encoded.len()));
        segment.ready = mapping::make_ready(&segment.mapping, segment.ready, end);
        if let Some(encoded) = stream {
            write_stream(&encoded, Writer::new(&mut segment.mapping[segment.used..]));
            segment.used += frame_length(1 + encoded.len());
            segment.streams.push(record.stream.id);
        }
        let seq = self.shared.next_seq.fetch_add(1, Ordering::Relaxed);
        write_record(record, seq, Writer::new(&mut segment.mapping[segment.used..segment.used + length]));
        segment.used += length;
        Some(())
    }

    /// Ends the segment and starts one that has room for the record.
    fn roll(&mut self, record: &Record<'_>, length: usize) -> Option<()> {
        // A clock that steps back does not make the pause longer.
        let is_pause = |failed: Timestamp| (0..nanos(RETRY)).contains(&record.time.0.saturating_sub(failed.0));
        if self.failed_at.is_some_and(is_pause) {
            return None;
        }
        self.finish();
        let needed = length + frame_length(1 + encode_stream(record.stream).len());
        match self.start(needed.max(self.layout.segment_bytes), record.time) {
            Ok(segment) => {
                self.failed_at = None;
                self.segment = Some(segment);
                Some(())
            }
            Err(error) => {
                if self.failed_at.is_none() {
                    tracing::error!(%error, folder = %self.layout.folder.display(), "cannot start a segment of the request log: predictions go on and their records are lost");
                }
                self.failed_at = Some(record.time);
                None
            }
        }
    }

    fn start(&mut self, length: usize, now: Timestamp) -> io::Result<Segment> {
        if u32::try_from(length).is_err() {
            return Err(io::Error::other("the record is longer than 4 GiB"));
        }
        let name = SegmentName { epoch: self.layout.epoch, lane: self.lane, number: self.number };
        self.shared.start(name);
        let (file, mapping) =
            mapping::create(&self.path(name), length).inspect_err(|_| self.shared.finish(name, None))?;
        let file = Arc::new(file);
        self.number += 1;
        self.shared.started(name, &file);
        Ok(Segment { name, file, mapping, used: 0, ready: 0, started: now, streams: Vec::new() })
    }

    /// Ends the segment: it is cut to its length and left to the rewriter.
    fn finish(&mut self) {
        let Some(segment) = self.segment.take() else { return };
        drop(segment.mapping);
        if let Err(error) = segment.file.set_len(segment.used as u64) {
            tracing::warn!(%error, segment = %segment.name, "cannot shorten a finished segment");
        }
        self.shared.finish(segment.name, Some(segment.file));
    }

    fn path(&self, name: SegmentName) -> PathBuf {
        path_of(&self.layout.folder, name)
    }
}

/// Whether the record can be read back: the payload fits the stream, and the numbers their fields.
fn is_sound(record: &Record<'_>) -> bool {
    let rows = record.rows as usize;
    let fits = match record.payload {
        Payload::Values { inputs, outputs } => {
            rows.checked_mul(record.stream.features.len()) == Some(inputs.len())
                && rows.checked_mul(record.stream.outputs.len()) == Some(outputs.len())
        }
        Payload::Text { .. } | Payload::Failed { .. } => true,
    };
    fits && record.stream.id < 1 << 48
}

/// Where the segment of that name is kept.
pub(crate) fn path_of(folder: &Path, name: SegmentName) -> PathBuf {
    folder.join(name.to_string())
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

impl RecordLane for Lane {
    fn append(&mut self, record: &Record<'_>) -> Result<(), Lost> {
        self.append_frame(record).ok_or_else(|| {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            Lost
        })
    }

    fn tick(&mut self, now: Timestamp) {
        let age = nanos(self.layout.segment_age);
        // A clock that steps back ends the segment early, which is harmless.
        let is_old = |segment: &Segment| !(0..age).contains(&now.0.saturating_sub(segment.started.0));
        if self.segment.as_ref().is_some_and(is_old) {
            self.finish();
        }
    }

    fn hand_over(&mut self) {
        self.finish();
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.finish();
    }
}
