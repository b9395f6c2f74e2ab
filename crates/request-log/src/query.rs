//! Pages of rows, newest first, over the files of a dataset and the segments not yet rewritten.
//!
//! A query takes its snapshot in this order: the next sequence number, the segments, the files. A
//! record of a segment that one of these files covers is left out, so that no row comes twice; a
//! segment goes only after its files are there, so that none is missed. What is removed while the query
//! reads makes it start again. Serving threads notice nothing.
//!
//! Segments, files and row groups are looked at from the newest on, each with the greatest sequence
//! number it may hold, until none can hold a row that is newer than those found. Only then are the
//! rows read as a whole.

mod answer;
mod condition;
mod prune;
mod scan;
mod tail;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    ops::Range,
    sync::Arc,
};

use arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::RowSelection;
use provost_inference::record::{Columns, LogPage, LogQuery, Position, ReadError, Timestamp};

pub(crate) use tail::{Tail, TailSegment};

use self::{
    answer::text_at,
    condition::{Condition, Known},
};
use crate::{
    Error,
    dataset::{Dataset, FileReader, Layout, LogFile, Projection, RowBounds, Rows, micros},
    rewrite::{Place, for_each_run},
    segment::StoredStream,
};

/// Most files that a query has open at a time: there may be more than a process may have.
const OPEN_MAX: usize = 256;

/// What a query looks at.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) order: Order,
    pub(crate) tail: Vec<TailSegment>,
    pub(crate) files: Vec<Arc<LogFile>>,
}

/// What makes one row newer than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The sequence number: one server wrote all rows. Those of `ceiling` and later came after the query.
    Sequence { ceiling: i64 },
    /// Time, then the server, then its sequence number. There are files only.
    Time,
}

impl Order {
    fn key(self, time: i64, source: u64, seq: i64, row: u32) -> Key {
        match self {
            Self::Sequence { .. } => Key { time: 0, source: 0, seq, row },
            Self::Time => Key { time, source, seq, row },
        }
    }

    /// At most as great as any key of a row from these on.
    fn least(self, time: i64, seq: i64) -> Key {
        match self {
            Self::Sequence { .. } => Key { time: 0, source: 0, seq, row: 0 },
            Self::Time => Key { time, source: 0, seq: i64::MIN, row: 0 },
        }
    }

    /// At least as great as any key of a row up to these.
    fn greatest(self, time: i64, seq: i64) -> Key {
        match self {
            Self::Sequence { .. } => Key { time: 0, source: 0, seq, row: u32::MAX },
            Self::Time => Key { time, source: u64::MAX, seq: i64::MAX, row: u32::MAX },
        }
    }

    /// Greater than any key of a row that was there when the query came.
    fn end(self) -> Key {
        match self {
            Self::Sequence { ceiling } => Key { time: 0, source: 0, seq: ceiling, row: 0 },
            Self::Time => Key { time: i64::MAX, source: u64::MAX, seq: i64::MAX, row: u32::MAX },
        }
    }
}

/// A row's place in the order of a log; the newest row has the greatest. Times are in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    time: i64,
    source: u64,
    seq: i64,
    row: u32,
}

impl From<Position> for Key {
    fn from(Position { time, source, seq, row }: Position) -> Self {
        Self { time, source, seq: i64::try_from(seq).unwrap_or(i64::MAX), row }
    }
}

impl From<Key> for Position {
    fn from(Key { time, source, seq, row }: Key) -> Self {
        Self { time, source, seq: seq.cast_unsigned(), row }
    }
}

/// A row that belongs to the answer so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    key: Key,
    place: RowPlace,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RowPlace {
    Segment(Place),
    File { file: usize, group: usize, index: usize },
}

/// Something that may hold rows of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Segment(usize),
    File(usize),
    Group(usize, usize),
}

/// The newest rows found so far, no more than are wanted.
#[derive(Debug)]
struct Newest {
    wanted: usize,
    rows: BinaryHeap<Reverse<Candidate>>,
}

impl Newest {
    fn offer(&mut self, candidate: Candidate) {
        if self.rows.len() < self.wanted {
            self.rows.push(Reverse(candidate));
        } else if let Some(mut oldest) = self.rows.peek_mut()
            && oldest.0 < candidate
        {
            *oldest = Reverse(candidate);
        }
    }

    /// Whether a row up to this key might still be wanted.
    fn may_want(&self, greatest: Key) -> bool {
        self.rows.len() < self.wanted || self.rows.peek().is_some_and(|oldest| oldest.0.key <= greatest)
    }
}

/// The bounds a row has to be within, besides the condition.
#[derive(Debug, Clone)]
struct Bounds {
    /// Exclusive.
    before: Key,
    /// In microseconds.
    times: Range<i64>,
}

impl Bounds {
    fn of(query: &LogQuery, order: Order) -> Self {
        let end = order.end();
        // A time is cut to microseconds, so a bound between two of them is rounded up.
        let bound = |time: Timestamp| micros(time) + i64::from(time.0.rem_euclid(1000) > 0);
        let since = query.since.map_or(i64::MIN, bound);
        let until = query.until.map_or(i64::MAX, bound);
        Self { before: query.before.map_or(end, Key::from).min(end), times: since..until }
    }

    fn has_times(&self) -> bool {
        self.times != (i64::MIN..i64::MAX)
    }

    /// Whether rows from this key on and of these times, bounds included, may be within.
    fn may_hold(&self, least: Key, times: Option<(i64, i64)>) -> bool {
        least < self.before && times.is_none_or(|(first, last)| first < self.times.end && last >= self.times.start)
    }

    /// How many rows of a record of a segment, from row 0 on, are within.
    fn rows_within(&self, seq: i64, time: i64, rows: u32) -> u32 {
        if !self.times.contains(&time) || seq > self.before.seq {
            0
        } else if seq == self.before.seq {
            rows.min(self.before.row)
        } else {
            rows
        }
    }
}

/// One query at work.
#[derive(Debug)]
struct Query<'a> {
    dataset: Dataset,
    snapshot: &'a Snapshot,
    /// The columns of the deployment.
    layout: Arc<Layout>,
    bounds: Bounds,
    condition: Option<Condition>,
    newest: Newest,
    files: BTreeMap<usize, FileReader>,
    streams: Vec<Arc<StoredStream>>,
}

/// Reads a page. An [`Error`] whose file was not found means that the snapshot is out of date.
pub(crate) fn page(query: &LogQuery, snapshot: &Snapshot) -> Result<Result<LogPage, ReadError>, Error> {
    let dataset = Dataset { namespace: query.namespace.clone(), deployment: query.deployment.clone() };
    let layout = Arc::new(snapshot.layout(&dataset));
    let known = Known { layout: &layout, has_rows: !snapshot.is_empty(&dataset) };
    let condition = match query.filter.as_ref().map(|filter| Condition::resolve(filter, known)).transpose() {
        Ok(condition) => condition,
        Err(error) => return Ok(Err(error)),
    };
    let wanted = query.limit.saturating_add(1);
    let newest = Newest { wanted, rows: BinaryHeap::new() };
    let bounds = Bounds::of(query, snapshot.order);
    let (files, streams) = (BTreeMap::new(), Vec::new());
    Query { dataset, snapshot, layout, bounds, condition, newest, files, streams }.run(query.limit).map(Ok)
}

impl Snapshot {
    /// The columns of the dataset, the newest first.
    fn layout(&self, dataset: &Dataset) -> Layout {
        let mut layout = Layout::default();
        for segment in self.tail.iter().rev() {
            segment.layouts(dataset).iter().for_each(|other| layout.try_extend(other));
        }
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_by_key(|file| Reverse(file.bounds.last_seq));
        // Files mostly share their layout.
        files.dedup_by(|a, b| Arc::ptr_eq(&a.layout, &b.layout));
        files.iter().for_each(|file| layout.try_extend(&file.layout));
        layout
    }

    fn is_empty(&self, dataset: &Dataset) -> bool {
        self.files.is_empty() && !self.tail.iter().any(|segment| segment.holds(dataset))
    }
}

impl Query<'_> {
    fn run(mut self, limit: usize) -> Result<LogPage, Error> {
        let mut units = self.units();
        while let Some((greatest, unit)) = units.pop() {
            if !self.newest.may_want(greatest) {
                break;
            }
            match unit {
                Unit::Segment(segment) => self.scan_segment(segment)?,
                Unit::File(file) => units.extend(self.open_file(file)?),
                Unit::Group(file, group) => self.scan_group(file, group)?,
            }
        }
        self.answer(limit)
    }

    /// The file, opened unless it is.
    fn reader(&mut self, index: usize) -> Result<FileReader, Error> {
        if let Some(reader) = self.files.get(&index) {
            return Ok(reader.clone());
        }
        if self.files.len() >= OPEN_MAX {
            self.files.clear();
        }
        let reader = FileReader::open(&self.snapshot.files[index].path)?;
        self.files.insert(index, reader.clone());
        Ok(reader)
    }

    fn units(&self) -> BinaryHeap<(Key, Unit)> {
        let order = self.snapshot.order;
        let tail = self.snapshot.tail.iter().enumerate().filter_map(|(index, segment)| {
            let (first_seq, last_seq) = segment.bounds(&self.dataset)?;
            let is_possible = self.bounds.may_hold(order.least(0, first_seq), None);
            is_possible.then_some((order.greatest(0, last_seq), Unit::Segment(index)))
        });
        let files = self.snapshot.files.iter().enumerate().filter_map(|(index, file)| {
            let RowBounds { first_seq, last_seq, first_time, last_time, .. } = file.bounds;
            let is_possible = self.bounds.may_hold(order.least(first_time, first_seq), Some((first_time, last_time)));
            is_possible.then_some((order.greatest(last_time, last_seq), Unit::File(index)))
        });
        tail.chain(files).collect()
    }

    /// The rows found, read as a whole.
    fn answer(mut self, limit: usize) -> Result<LogPage, Error> {
        let mut rows: Vec<Candidate> =
            std::mem::take(&mut self.newest.rows).into_iter().map(|Reverse(row)| row).collect();
        rows.sort_unstable_by_key(|row| Reverse(row.key));
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more);
        let next = next.map(|row| Position::from(row.key));
        let mut columns = answer::empty(&self.layout, rows.len());
        self.read_segments(&rows, &mut columns)?;
        self.read_files(&rows, &mut columns)?;
        Ok(LogPage { columns, next })
    }

    fn read_segments(&self, rows: &[Candidate], columns: &mut Columns) -> Result<(), Error> {
        let mut found: Vec<(Place, u32, usize)> = Vec::new();
        for (target, Candidate { key, place }) in rows.iter().enumerate() {
            if let RowPlace::Segment(place) = place {
                found.push((*place, key.row, target));
            }
        }
        found.sort_unstable();
        let places: Vec<Place> = found.iter().map(|(place, ..)| *place).collect();
        let paths: Vec<_> = self.snapshot.tail.iter().map(|segment| segment.path.as_path()).collect();
        let mut batch = Rows::new(Arc::clone(&self.layout), Projection::all(&self.layout));
        let stream_places: Vec<_> = self.streams.iter().map(|stream| batch.place(stream)).collect();
        let mut targets = found.iter().map(|(_, row, target)| (*row, *target));
        for_each_run(&paths, &self.streams, &places, |stream, records| {
            let wanted: Vec<_> = targets.by_ref().take(records.len()).collect();
            for (own, (row, _)) in records.iter_mut().zip(&wanted) {
                own.rows = *row..*row + 1;
            }
            batch.append(records, &stream_places[stream]);
            let wanted: Vec<_> = wanted.iter().map(|(_, target)| *target).collect();
            answer::fill(columns, &finish(&mut batch)?, &wanted);
            Ok(())
        })
    }

    fn read_files(&mut self, rows: &[Candidate], columns: &mut Columns) -> Result<(), Error> {
        let mut groups: BTreeMap<(usize, usize), Vec<(usize, usize)>> = BTreeMap::new();
        for (target, row) in rows.iter().enumerate() {
            if let RowPlace::File { file, group, index } = row.place {
                groups.entry((file, group)).or_default().push((index, target));
            }
        }
        for ((file, group), mut rows) in groups {
            rows.sort_unstable();
            let reader = self.reader(file)?;
            let failed = Error::parquet("read", reader.path());
            let count = usize::try_from(reader.metadata().row_group(group).num_rows()).unwrap_or_default();
            let ranges = rows.iter().map(|(index, _)| *index..*index + 1);
            let selection = RowSelection::from_consecutive_ranges(ranges, count);
            let width = reader.metadata().file_metadata().schema_descr().num_columns();
            let builder = reader.read(0..width).with_row_groups(vec![group]).with_row_selection(selection);
            let mut targets = rows.iter().map(|(_, target)| *target);
            for batch in builder.with_batch_size(reader.batch_rows(group)).build().map_err(&failed)? {
                let batch = batch.map_err(|error| failed(error.into()))?;
                let targets: Vec<_> = targets.by_ref().take(batch.num_rows()).collect();
                answer::fill(columns, &batch, &targets);
            }
        }
        Ok(())
    }
}

fn finish(rows: &mut Rows) -> Result<RecordBatch, Error> {
    rows.finish().map_err(|error| Error::parquet("make a page of", "".as_ref())(error.into()))
}
