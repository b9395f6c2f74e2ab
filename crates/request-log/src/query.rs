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
    dataset::{Dataset, FileReader, Layout, LogFile, Projection, Rows, micros},
    rewrite::{Place, for_each_run},
    segment::StoredStream,
};

/// What a query looks at.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Rows of this sequence number and later ones came after the query.
    pub(crate) ceiling: i64,
    pub(crate) tail: Vec<TailSegment>,
    pub(crate) files: Vec<Arc<LogFile>>,
}

/// A row that belongs to the answer so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    seq: i64,
    row: u32,
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

    /// Whether a row of this number might still be wanted.
    fn may_want(&self, seq: i64) -> bool {
        self.rows.len() < self.wanted || self.rows.peek().is_some_and(|oldest| oldest.0.seq <= seq)
    }
}

/// The bounds a row has to be within, besides the condition.
#[derive(Debug, Clone)]
struct Bounds {
    /// Exclusive.
    before: (i64, u32),
    /// In microseconds.
    times: Range<i64>,
}

impl Bounds {
    fn of(query: &LogQuery, ceiling: i64) -> Self {
        let before = query.before.map(|Position { seq, row }| (i64::try_from(seq).unwrap_or(i64::MAX), row));
        // A time is cut to microseconds, so a bound between two of them is rounded up.
        let bound = |time: Timestamp| micros(time) + i64::from(time.0.rem_euclid(1000) > 0);
        let since = query.since.map_or(i64::MIN, bound);
        let until = query.until.map_or(i64::MAX, bound);
        Self { before: before.unwrap_or((ceiling, 0)).min((ceiling, 0)), times: since..until }
    }

    fn has_times(&self) -> bool {
        self.times != (i64::MIN..i64::MAX)
    }

    /// Whether rows of these numbers and times, bounds included, may be within.
    fn may_hold(&self, first_seq: i64, times: Option<(i64, i64)>) -> bool {
        (first_seq, 0) < self.before
            && times.is_none_or(|(first, last)| first < self.times.end && last >= self.times.start)
    }

    /// How many rows of a record, from row 0 on, are within.
    fn rows_within(&self, seq: i64, time: i64, rows: u32) -> u32 {
        if !self.times.contains(&time) || seq > self.before.0 {
            0
        } else if seq == self.before.0 {
            rows.min(self.before.1)
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
    let bounds = Bounds::of(query, snapshot.ceiling);
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
        while let Some((last_seq, unit)) = units.pop() {
            if !self.newest.may_want(last_seq) {
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

    fn units(&self) -> BinaryHeap<(i64, Unit)> {
        let tail = self.snapshot.tail.iter().enumerate().filter_map(|(index, segment)| {
            let (first_seq, last_seq) = segment.bounds(&self.dataset)?;
            self.bounds.may_hold(first_seq, None).then_some((last_seq, Unit::Segment(index)))
        });
        let files = self.snapshot.files.iter().enumerate().filter_map(|(index, file)| {
            let times = (file.bounds.first_time, file.bounds.last_time);
            self.bounds
                .may_hold(file.bounds.first_seq, Some(times))
                .then_some((file.bounds.last_seq, Unit::File(index)))
        });
        tail.chain(files).collect()
    }

    /// The rows found, read as a whole.
    fn answer(mut self, limit: usize) -> Result<LogPage, Error> {
        let mut rows: Vec<Candidate> =
            std::mem::take(&mut self.newest.rows).into_iter().map(|Reverse(row)| row).collect();
        rows.sort_unstable_by_key(|row| Reverse((row.seq, row.row)));
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more);
        let next = next.map(|Candidate { seq, row, .. }| Position { seq: seq.cast_unsigned(), row: *row });
        let mut columns = answer::empty(&self.layout, rows.len());
        self.read_segments(&rows, &mut columns)?;
        self.read_files(&rows, &mut columns)?;
        Ok(LogPage { columns, next })
    }

    fn read_segments(&self, rows: &[Candidate], columns: &mut Columns) -> Result<(), Error> {
        let mut found: Vec<(Place, u32, usize)> = Vec::new();
        for (target, Candidate { row, place, .. }) in rows.iter().enumerate() {
            if let RowPlace::Segment(place) = place {
                found.push((*place, *row, target));
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
            let reader = &self.files[&file];
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
