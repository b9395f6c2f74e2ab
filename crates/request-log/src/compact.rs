//! Merges small files of a day into one, in the order of the log.
//!
//! The merged file covers what its parts cover. Once it is on the disk the parts are no longer part of
//! the dataset; a crash before they are removed leaves files that another covers, which are removed at
//! the next start.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    path::PathBuf,
    sync::Arc,
};

use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, UInt32Array, new_null_array};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use arrow_select::interleave::interleave_record_batch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use provost_inference::record::Timestamp;

use crate::{
    Error,
    dataset::{Coverage, FileName, FileReader, FileWriter, Layout, LogFile, Partition, RowBounds, fixed},
    datasets::{Datasets, Draft},
};

/// More files than this of about the same size are merged.
const FILES_MAX: usize = 16;
/// Fewer files than this are not worth it while the day lasts.
const FILES_MIN: usize = 4;
/// A file of this many bytes is not merged any more.
const FULL_BYTES: u64 = 8 << 20;
/// A merged file has at most about this many bytes.
const MERGED_BYTES: u64 = 64 << 20;
/// A day is over for good when this much time has passed since: records may wait to be rewritten.
const GRACE_NANOS: i64 = 15 * 60 * 1_000_000_000;
/// Rows that are put in order at once.
const CHUNK_ROWS: usize = 8192;

/// What is known of a file to plan with.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    bytes: u64,
    first_seq: i64,
    layout: &'a Layout,
}

/// Merges what is worth it, at most one set of files. Gives the files that became one. Files of
/// `excepted` paths are left alone.
pub(crate) fn compact(datasets: &Datasets, now: Timestamp, excepted: &mut HashSet<PathBuf>) -> Result<usize, Error> {
    let is_over = |partition: &Partition| partition.day.end().0.saturating_add(GRACE_NANOS) <= now.0;
    let planned = datasets.with(|catalogue| {
        catalogue.partitions().find_map(|files| {
            let files: Vec<_> = files.iter().filter(|file| !excepted.contains(&file.path)).collect();
            let first = files.first()?;
            let parts: Vec<_> = files.iter().map(|file| Part::of(file)).collect();
            let merged = plan_merge(&parts, is_over(&first.partition))?;
            Some(merged.into_iter().map(|index| Arc::clone(files[index])).collect::<Vec<_>>())
        })
    })?;
    let Some(parts) = planned else { return Ok(0) };
    let merged = merge(datasets, &parts);
    if merged.as_ref().is_err_and(Error::is_not_found) && datasets.forget_missing()? {
        return Ok(parts.len());
    }
    if matches!(merged, Err(Error::Parquet { .. } | Error::Foreign { .. })) {
        // Whichever it is, the others of the log are not to wait for it.
        excepted.extend(parts.iter().map(|file| file.path.clone()));
    }
    merged.map(|()| parts.len())
}

impl<'a> Part<'a> {
    fn of(file: &'a LogFile) -> Self {
        Self { bytes: file.bytes, first_seq: file.bounds.first_seq, layout: &file.layout }
    }

    /// Files of one tier differ in length by a factor of 16 at most, so that a row is merged at most once
    /// a tier.
    fn tier(&self) -> u32 {
        self.bytes.max(1).ilog2() / 4
    }
}

/// Which files of a day are to become one: of a day that is over all that are not full, else those of a
/// tier of which there are too many.
fn plan_merge(parts: &[Part<'_>], is_over: bool) -> Option<Vec<usize>> {
    let mut small: Vec<usize> = (0..parts.len()).filter(|index| parts[*index].bytes < FULL_BYTES).collect();
    small.sort_by_key(|index| (parts[*index].first_seq, *index));
    if is_over {
        return choose(parts, &small, 2);
    }
    let tiers: HashSet<u32> = small.iter().map(|index| parts[*index].tier()).collect();
    tiers.into_iter().find_map(|tier| {
        let own: Vec<usize> = small.iter().copied().filter(|index| parts[*index].tier() == tier).collect();
        if own.len() > FILES_MAX { choose(parts, &own, FILES_MIN) } else { None }
    })
}

/// The first files that fit together, if they are at least `least`.
fn choose(parts: &[Part<'_>], candidates: &[usize], least: usize) -> Option<Vec<usize>> {
    (0..candidates.len()).find_map(|from| {
        let mut chosen: Vec<usize> = Vec::new();
        let (mut bytes, mut layout) = (0, Layout::default());
        for &index in &candidates[from..] {
            let part = parts[index];
            if layout.is_compatible(part.layout) && (chosen.is_empty() || bytes + part.bytes <= MERGED_BYTES) {
                layout.extend(part.layout);
                bytes += part.bytes;
                chosen.push(index);
            }
        }
        (chosen.len() >= least).then_some(chosen)
    })
}

/// Writes one file of the rows of several and removes these.
fn merge(datasets: &Datasets, parts: &[Arc<LogFile>]) -> Result<(), Error> {
    let mut layout = Layout::default();
    parts.iter().for_each(|part| layout.extend(&part.layout));
    let schema = Arc::new(layout.schema());
    let covers: Coverage = parts.iter().flat_map(|part| part.covers.ranges()).copied().collect();
    let epoch = covers.ranges().iter().map(|range| range.epoch).max().unwrap_or_default();
    let draft = Draft { partition: &parts[0].partition, layout, covers, replaced: parts };
    let name = |RowBounds { rows, first_seq, last_seq, .. }: &RowBounds| FileName::Merged {
        epoch,
        first_seq: *first_seq,
        last_seq: *last_seq,
        rows: *rows,
    };
    let check_stop = || datasets.check_stop();
    datasets.publish(draft, name, |writer| write_merged(parts, schema, &check_stop, writer))?;
    datasets.discard(parts)
}

/// Writes the rows of files in the order of their log. `check_stop` is asked now and then whether to go on.
pub(crate) fn write_merged(
    parts: &[Arc<LogFile>],
    schema: SchemaRef,
    check_stop: &dyn Fn() -> Result<(), Error>,
    writer: &mut FileWriter,
) -> Result<(), Error> {
    Merger::new(parts, schema).run(check_stop, writer)
}

/// The columns of all these files together; `None` where they do not fit into one.
pub(crate) fn common_layout<'a>(layouts: impl IntoIterator<Item = &'a Layout>) -> Option<Layout> {
    layouts.into_iter().try_fold(Layout::default(), |mut common, layout| {
        let fits = common.is_compatible(layout);
        common.extend(layout);
        fits.then_some(common)
    })
}

/// Reads files at once, as far as they overlap, and puts their rows in order.
struct Merger<'a> {
    parts: &'a [Arc<LogFile>],
    schema: SchemaRef,
    /// The next row of each file; a file that is not open yet has none before its first.
    heads: BinaryHeap<Reverse<(i64, u32, usize)>>,
    cursors: Vec<Option<Cursor>>,
    /// The batches that rows are taken from, and the rows.
    batches: Vec<RecordBatch>,
    rows: Vec<(usize, usize)>,
}

/// A file that is being read.
struct Cursor {
    reader: ParquetRecordBatchReader,
    /// Index of its batch.
    batch: usize,
    seqs: Int64Array,
    rows: UInt32Array,
    at: usize,
}

impl<'a> Merger<'a> {
    fn new(parts: &'a [Arc<LogFile>], schema: SchemaRef) -> Self {
        let heads = parts.iter().enumerate().map(|(index, part)| Reverse((part.bounds.first_seq, 0, index)));
        let cursors = parts.iter().map(|_| None).collect();
        Self { parts, schema, heads: heads.collect(), cursors, batches: Vec::new(), rows: Vec::new() }
    }

    fn run(mut self, check_stop: &dyn Fn() -> Result<(), Error>, writer: &mut FileWriter) -> Result<(), Error> {
        while let Some(Reverse((_, _, part))) = self.heads.pop() {
            if self.cursors[part].is_none() {
                self.open(part)?;
            } else {
                self.take_rows(part);
                self.advance(part)?;
            }
            if self.rows.len() >= CHUNK_ROWS {
                check_stop()?;
                self.flush(writer)?;
            }
        }
        self.flush(writer)
    }

    fn open(&mut self, part: usize) -> Result<(), Error> {
        let file = FileReader::open(&self.parts[part].path)?;
        let reader = file.read_all()?;
        let empty = RecordBatch::new_empty(Arc::clone(&self.schema));
        let (seqs, rows) = keys(&empty);
        self.cursors[part] = Some(Cursor { reader, batch: 0, seqs, rows, at: 0 });
        self.advance(part)
    }

    /// Takes rows of the file until another file's are due.
    fn take_rows(&mut self, part: usize) {
        let Some(cursor) = &mut self.cursors[part] else { return };
        let other = self.heads.peek().map(|Reverse((seq, row, _))| (*seq, *row));
        while let Some(key) = cursor.key()
            && other.is_none_or(|other| key <= other)
            && self.rows.len() < CHUNK_ROWS
        {
            self.rows.push((cursor.batch, cursor.at));
            cursor.at += 1;
        }
    }

    /// Puts the file's next row among the heads, reading on where it has to.
    fn advance(&mut self, part: usize) -> Result<(), Error> {
        let Some(cursor) = &mut self.cursors[part] else { return Ok(()) };
        while cursor.key().is_none() {
            let failed = Error::parquet("read", &self.parts[part].path);
            let Some(batch) = cursor.reader.next() else {
                self.cursors[part] = None;
                return Ok(());
            };
            let batch = batch.and_then(|batch| fit(&batch, &self.schema)).map_err(|error| failed(error.into()))?;
            (cursor.seqs, cursor.rows) = keys(&batch);
            (cursor.batch, cursor.at) = (self.batches.len(), 0);
            self.batches.push(batch);
        }
        if let Some((seq, row)) = cursor.key() {
            self.heads.push(Reverse((seq, row, part)));
        }
        Ok(())
    }

    /// Writes the rows taken so far and forgets the batches that are used up.
    fn flush(&mut self, writer: &mut FileWriter) -> Result<(), Error> {
        if !self.rows.is_empty() {
            let batches: Vec<_> = self.batches.iter().collect();
            let merged = interleave_record_batch(&batches, &self.rows);
            writer.write(&merged.map_err(|error| Error::parquet("merge", &self.parts[0].path)(error.into()))?)?;
            self.rows.clear();
        }
        let mut kept = Vec::new();
        for cursor in self.cursors.iter_mut().flatten() {
            kept.push(self.batches[cursor.batch].clone());
            cursor.batch = kept.len() - 1;
        }
        self.batches = kept;
        Ok(())
    }
}

impl Cursor {
    fn key(&self) -> Option<(i64, u32)> {
        (self.at < self.seqs.len()).then(|| (self.seqs.value(self.at), self.rows.value(self.at)))
    }
}

fn keys(batch: &RecordBatch) -> (Int64Array, UInt32Array) {
    let column = |column: usize| batch.column(column).as_any();
    let seqs = column(fixed::SEQ).downcast_ref::<Int64Array>().cloned();
    let rows = column(fixed::ROW).downcast_ref::<UInt32Array>().cloned();
    (seqs.unwrap_or_else(|| Int64Array::from(vec![0; 0])), rows.unwrap_or_else(|| UInt32Array::from(vec![0; 0])))
}

/// The batch with the columns of another schema, which holds all its values.
fn fit(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(array) if field.data_type() == &DataType::Float64 => as_float(array),
        Some(array) => Arc::clone(array),
        None => new_null_array(field.data_type(), batch.num_rows()),
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect())
}

#[expect(clippy::cast_precision_loss, reason = "whole numbers of a model are exact within ±2⁵³")]
fn as_float(array: &ArrayRef) -> ArrayRef {
    match array.as_any().downcast_ref::<Int64Array>() {
        Some(integers) => {
            Arc::new(integers.unary::<_, arrow_array::types::Float64Type>(|value| value as f64) as Float64Array)
        }
        None => Arc::clone(array),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{ColumnType, ValueColumn};

    fn layout(kind: ColumnType) -> Layout {
        Layout { outputs: vec![ValueColumn { name: "y.c".into(), kind }], ..Layout::default() }
    }

    #[track_caller]
    fn check(files: &[(u64, ColumnType)], is_over: bool, expected: Option<&[usize]>) {
        let layouts: Vec<_> = files.iter().map(|(_, kind)| layout(*kind)).collect();
        let part = |(index, layout): (usize, _)| Part {
            bytes: files[index].0,
            first_seq: i64::try_from(index).unwrap(),
            layout,
        };
        let parts: Vec<_> = layouts.iter().enumerate().map(part).collect();
        assert_eq!(plan_merge(&parts, is_over).as_deref(), expected);
    }

    const KB: u64 = 1 << 10;
    const MB: u64 = 1 << 20;
    use ColumnType::{Float, Integer, Text};

    #[test]
    fn a_day_that_is_over_becomes_one_file_as_far_as_files_are_small() {
        check(&[(MB, Float)], true, None);
        check(&[(MB, Float), (KB, Float), (7 * MB, Float), (8 * MB, Float)], true, Some(&[0, 1, 2]));
        let large = [(7 * MB, Float); 12];
        check(&large, true, Some(&[0, 1, 2, 3, 4, 5, 6, 7, 8]));
    }

    #[test]
    fn types_that_do_not_fit_stay_apart() {
        check(&[(KB, Text), (KB, Float), (KB, Integer), (KB, Text)], true, Some(&[0, 3]));
        check(&[(KB, Text), (KB, Float), (KB, Integer)], true, Some(&[1, 2]));
        check(&[(KB, Text), (KB, Float)], true, None);
    }

    #[test]
    fn while_the_day_lasts_many_files_of_about_one_size_are_merged() {
        let files: Vec<_> = (0..16).map(|_| (KB, Float)).collect();
        check(&files, false, None);
        let more: Vec<_> = [(100 * KB, Float)].into_iter().chain(files).chain([(2 * KB, Float)]).collect();
        let expected: Vec<_> = (1..18).collect();
        check(&more, false, Some(&expected));
        let large: Vec<_> = (0..17).map(|_| (7 * MB, Float)).collect();
        check(&large, false, Some(&[0, 1, 2, 3, 4, 5, 6, 7, 8]));
    }
}
