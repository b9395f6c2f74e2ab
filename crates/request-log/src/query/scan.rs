//! Finds rows that satisfy a query, reading no more columns than it takes to tell.

use std::sync::Arc;

use arrow_array::{Array, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt32Array};

use super::{
    Candidate, Key, Order, Query, RowPlace, Unit, finish,
    prune::{asks_for_id, integer_bounds, may_hold_ids, may_match},
};
use crate::{
    Error,
    dataset::{BODIES, Day, Projection, Rows, RowsOf, StreamPlace, fixed, micros, rows_of},
    rewrite::{Place, open},
    segment::{Entry, StoredStream},
};

impl Query<'_> {
    /// Opens a file and gives those of its row groups that may hold rows of the answer.
    pub(super) fn open_file(&mut self, index: usize) -> Result<Vec<(Key, Unit)>, Error> {
        let order = self.snapshot.order;
        let reader = self.reader(index)?;
        let mut units = Vec::new();
        for (number, group) in reader.metadata().row_groups().iter().enumerate() {
            let (first_seq, last_seq) = integer_bounds(group, fixed::SEQ).unwrap_or((i64::MIN, i64::MAX));
            let times = integer_bounds(group, fixed::TIME);
            let is_possible = self.condition.as_ref().is_none_or(|condition| may_match(condition, &reader, group));
            let (first_time, last_time) = times.unwrap_or((i64::MIN, i64::MAX));
            if is_possible && self.bounds.may_hold(order.least(first_time, first_seq), times) {
                units.push((order.greatest(last_time, last_seq), Unit::Group(index, number)));
            }
        }
        Ok(units)
    }

    pub(super) fn scan_group(&mut self, file: usize, group: usize) -> Result<(), Error> {
        let reader = self.reader(file)?;
        if let Some(condition) = self.condition.as_ref().filter(|condition| asks_for_id(condition))
            && let Some(ids) = reader.request_ids(group)?
            && !may_hold_ids(condition, &ids)
        {
            return Ok(());
        }
        let failed = Error::parquet("read", reader.path());
        let names = self.scanned_columns();
        let builder = reader.read(names.iter().filter_map(|name| reader.column(name)));
        let builder = builder.with_row_groups(vec![group]).with_batch_size(reader.batch_rows(group));
        let mut start = 0;
        for batch in builder.build().map_err(&failed)? {
            let batch = batch.map_err(|error| failed(error.into()))?;
            let source = self.snapshot.files[file].source;
            self.offer_rows(&batch, source, |index| RowPlace::File { file, group, index: start + index });
            start += batch.num_rows();
        }
        Ok(())
    }

    /// The columns needed to tell whether a row belongs to the answer.
    fn scanned_columns(&self) -> Vec<&str> {
        let mut names = vec![fixed::NAMES[fixed::SEQ], fixed::NAMES[fixed::ROW]];
        if self.bounds.has_times() || self.snapshot.order == Order::Time {
            names.push(fixed::NAMES[fixed::TIME]);
        }
        if let Some(condition) = &self.condition {
            condition.columns(&mut names);
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Offers the rows of a batch of scanned columns.
    fn offer_rows(&mut self, batch: &RecordBatch, source: u64, place: impl Fn(usize) -> RowPlace) {
        let seqs = column::<Int64Array>(batch, fixed::SEQ);
        let rows = column::<UInt32Array>(batch, fixed::ROW);
        let times = column::<TimestampMicrosecondArray>(batch, fixed::TIME);
        let (Some(seqs), Some(rows)) = (seqs, rows) else { return };
        let mask = self.condition.as_ref().map(|condition| condition.evaluate(batch));
        for index in 0..batch.num_rows() {
            let time = times.map_or(0, |times| times.value(index));
            let key = self.snapshot.order.key(time, source, seqs.value(index), rows.value(index));
            let is_within = key < self.bounds.before
                && times.is_none_or(|times| self.bounds.times.contains(&times.value(index)))
                && mask.as_ref().is_none_or(|mask| mask[index]);
            if is_within {
                self.newest.offer(Candidate { key, place: place(index) });
            }
        }
    }

    pub(super) fn scan_segment(&mut self, segment: usize) -> Result<(), Error> {
        let tail = &self.snapshot.tail[segment];
        let reader = open(&tail.path)?;
        let index = |index: usize| u32::try_from(index).unwrap_or_default(); // A segment is shorter than 4 GiB.
        let rows = self.condition.is_some().then(|| Rows::new(Arc::clone(&self.layout), self.scanned()));
        let mut batch = rows.map(|rows| (rows, Vec::new()));
        let mut streams: Vec<Stream> = Vec::new();
        let mut records = reader.records();
        while let Some(Entry { offset, length, stream, record }) = records.next() {
            while streams.len() <= stream {
                let entered = self.enter(records.stream(streams.len()), batch.as_mut().map(|(rows, _)| rows));
                streams.push(entered);
            }
            let Stream { number: Some(number), place: stream_place } = &streams[stream] else { continue };
            if tail.is_covered(Day::of(record.time)) {
                continue;
            }
            let seq = record.seq.cast_signed();
            let rows = self.bounds.rows_within(seq, micros(record.time), rows_of(&record));
            if rows == 0 {
                continue;
            }
            let place =
                Place { segment: index(segment), stream: *number, offset: index(offset), length: index(length) };
            match (&mut batch, stream_place) {
                (Some(batch), Some(stream_place)) => {
                    self.add(batch, RowsOf { record, rows: 0..rows }, stream_place, place)?;
                }
                _ => {
                    let place = RowPlace::Segment(place);
                    let keys = (0..rows).map(|row| self.snapshot.order.key(micros(record.time), 0, seq, row));
                    keys.for_each(|key| self.newest.offer(Candidate { key, place }));
                }
            }
        }
        batch.map_or(Ok(()), |mut batch| self.offer_batch(&mut batch))
    }

    fn enter(&mut self, stored: &Arc<StoredStream>, rows: Option<&mut Rows>) -> Stream {
        let number = self.dataset.is_of(stored).then(|| {
            self.streams.push(Arc::clone(stored));
            u32::try_from(self.streams.len() - 1).unwrap_or_default()
        });
        let place = rows.filter(|_| number.is_some()).map(|rows| rows.place(stored));
        Stream { number, place }
    }

    /// The scanned columns of rows of segments.
    fn scanned(&self) -> Projection {
        let names = self.scanned_columns();
        Projection {
            fixed: fixed::NAMES.map(|name| names.contains(&name)),
            bodies: BODIES.iter().any(|name| names.contains(name)),
            values: self.layout.values().map(|column| names.contains(&column.name.as_ref())).collect(),
        }
    }

    fn add(
        &mut self,
        batch: &mut (Rows, Vec<Place>),
        record: RowsOf<'_>,
        stream: &StreamPlace,
        place: Place,
    ) -> Result<(), Error> {
        batch.1.extend(record.rows.clone().map(|_| place));
        let mut records = [record];
        let mut rest = records.as_mut_slice();
        while !rest.is_empty() {
            if batch.0.room() == 0 {
                self.offer_batch(batch)?;
            }
            rest = batch.0.append_as_fits(rest, stream);
        }
        Ok(())
    }

    fn offer_batch(&mut self, (rows, places): &mut (Rows, Vec<Place>)) -> Result<(), Error> {
        let batch = finish(rows)?;
        self.offer_rows(&batch, 0, |index| RowPlace::Segment(places[index]));
        // Rows of the last record may still be to come.
        places.drain(..batch.num_rows());
        Ok(())
    }
}

/// The stream that records of a segment are of.
#[derive(Debug)]
struct Stream {
    /// Its number within the query; none for a stream of another dataset.
    number: Option<u32>,
    place: Option<StreamPlace>,
}

fn column<T: 'static>(batch: &RecordBatch, column: usize) -> Option<&T> {
    batch.column_by_name(fixed::NAMES[column])?.as_any().downcast_ref()
}
