//! Turns records into columns: one row an instance.

use std::{ops::Range, sync::Arc};

use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt32Array,
    builder::{BooleanBufferBuilder, NullBufferBuilder, StringBuilder},
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use provost_inference::{OutputKind, record::Timestamp};

use super::{
    body::{body_text, values_text},
    layout::{ColumnType, Layout, StreamColumns, fixed},
};
use crate::segment::{StoredPayload, StoredRecord, StoredStream};

/// Rows of one batch.
const BATCH_ROWS: usize = 8192;
/// A batch ends early at this many bytes of text.
const BATCH_TEXT_BYTES: usize = 4 << 20;

/// Microseconds since the Unix epoch: the resolution of the log.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.0.div_euclid(1000)
}

/// How many rows a record becomes.
pub(crate) fn rows_of(record: &StoredRecord<'_>) -> u32 {
    match record.payload {
        StoredPayload::Values { .. } => record.rows,
        StoredPayload::Text { .. } | StoredPayload::Failed { .. } => 1,
    }
}

/// Which columns to make.
#[derive(Debug, Clone)]
pub(crate) struct Projection {
    pub(crate) fixed: [bool; fixed::NAMES.len()],
    pub(crate) bodies: bool,
    /// One for each value column.
    pub(crate) values: Vec<bool>,
}

impl Projection {
    /// All columns of a layout.
    pub(crate) fn all(layout: &Layout) -> Self {
        Self { fixed: [true; fixed::NAMES.len()], bodies: layout.has_bodies, values: vec![true; layout.value_count()] }
    }
}

/// A stream as rows of it are appended.
#[derive(Debug, Clone)]
pub(crate) struct StreamPlace {
    stream: Arc<StoredStream>,
    columns: StreamColumns,
    kind: OutputKind,
    predictor: i32,
    revision: i32,
}

/// Rows of a record.
#[derive(Debug, Clone)]
pub(crate) struct RowsOf<'a> {
    pub(crate) record: StoredRecord<'a>,
    pub(crate) rows: Range<u32>,
}

impl<'a> RowsOf<'a> {
    pub(crate) fn all(record: StoredRecord<'a>) -> Self {
        let rows = 0..rows_of(&record);
        Self { record, rows }
    }

    fn len(&self) -> u32 {
        self.rows.end - self.rows.start
    }

    fn is_values(&self) -> bool {
        matches!(self.record.payload, StoredPayload::Values { .. })
    }

    fn part(&self, part: Part) -> &'a [[u8; 8]] {
        match (&self.record.payload, part) {
            (StoredPayload::Values { inputs, .. }, Part::Inputs) => inputs,
            (StoredPayload::Values { outputs, .. }, Part::Outputs) => outputs,
            _ => &[],
        }
    }
}

/// Builds batches of rows. No value is allocated for itself.
#[derive(Debug)]
pub(crate) struct Rows {
    layout: Arc<Layout>,
    projection: Projection,
    schema: SchemaRef,
    predictors: Vec<Arc<str>>,
    revisions: Vec<Arc<str>>,
    columns: Columns,
    len: usize,
}

#[derive(Debug, Default)]
struct Columns {
    request_id: StringBuilder,
    row: Vec<u32>,
    time: Vec<i64>,
    seq: Vec<i64>,
    predictor: Vec<i32>,
    revision: Vec<i32>,
    status: Vec<i32>,
    latency: Vec<f64>,
    error: StringBuilder,
    request: StringBuilder,
    response: StringBuilder,
    values: Vec<Option<Values>>,
}

impl Rows {
    pub(crate) fn new(layout: Arc<Layout>, projection: Projection) -> Self {
        let schema = Arc::new(projected_schema(&layout, &projection));
        let mut rows = Self {
            layout,
            projection,
            schema,
            predictors: Vec::new(),
            revisions: Vec::new(),
            columns: Columns::default(),
            len: 0,
        };
        rows.columns.values = rows.new_values();
        rows
    }

    fn new_values(&self) -> Vec<Option<Values>> {
        let wanted = self.layout.values().zip(&self.projection.values);
        wanted.map(|(column, is_wanted)| is_wanted.then(|| Values::new(column.kind))).collect()
    }

    /// Prepares for rows of a stream.
    pub(crate) fn place(&mut self, stream: &Arc<StoredStream>) -> StreamPlace {
        StreamPlace {
            stream: Arc::clone(stream),
            columns: self.layout.columns_of(stream),
            kind: stream.output_kind(),
            predictor: key_of(&mut self.predictors, &stream.predictor),
            revision: key_of(&mut self.revisions, &stream.revision),
        }
    }

    /// Appends rows of records, which are of one stream, as far as there is room; gives what is left.
    pub(crate) fn append_as_fits<'r, 'a>(
        &mut self,
        records: &'r mut [RowsOf<'a>],
        place: &StreamPlace,
    ) -> &'r mut [RowsOf<'a>] {
        let mut room = u32::try_from(self.room()).unwrap_or(u32::MAX);
        let fit =
            records.iter().take_while(|own| room.checked_sub(own.len()).map(|left| room = left).is_some()).count();
        if fit > 0 {
            self.append(&records[..fit], place);
        } else if let Some(first) = records.first_mut() {
            let end = first.rows.start + room;
            self.append(&[RowsOf { record: first.record.clone(), rows: first.rows.start..end }], place);
            first.rows.start = end;
        }
        &mut records[fit..]
    }

    /// Appends rows of records, which are of one stream.
    pub(crate) fn append(&mut self, records: &[RowsOf<'_>], place: &StreamPlace) {
        let runs = records.chunk_by(|a, b| a.is_values() && b.is_values());
        for run in runs.filter(|run| run[0].is_values() || run[0].len() > 0) {
            self.append_fixed(run, place);
            if run[0].is_values() {
                self.append_values(run, place);
            } else if let StoredPayload::Text { request, response } = &run[0].record.payload
                && self.projection.bodies
            {
                self.append_bodies(Some(&body_text(request)), Some(&body_text(response)));
            }
            self.len += run.iter().map(|own| own.len() as usize).sum::<usize>();
        }
    }

    fn append_fixed(&mut self, records: &[RowsOf<'_>], place: &StreamPlace) {
        let Columns { request_id, row, time, seq, predictor, revision, status, latency, error, .. } = &mut self.columns;
        let wanted = &self.projection.fixed;
        let count = records.iter().map(|own| own.len() as usize).sum();
        if wanted[fixed::REQUEST_ID] {
            for own in records {
                own.rows.clone().for_each(|_| request_id.append_value(own.record.request_id));
            }
        }
        if wanted[fixed::ROW] {
            records.iter().for_each(|own| row.extend(own.rows.clone()));
        }
        if wanted[fixed::TIME] {
            repeat(time, records, |record| micros(record.time));
        }
        if wanted[fixed::SEQ] {
            repeat(seq, records, |record| record.seq.cast_signed());
        }
        if wanted[fixed::PREDICTOR] {
            predictor.extend(std::iter::repeat_n(place.predictor, count));
        }
        if wanted[fixed::REVISION] {
            revision.extend(std::iter::repeat_n(place.revision, count));
        }
        if wanted[fixed::STATUS] {
            repeat(status, records, |record| i32::from(record.status));
        }
        if wanted[fixed::LATENCY] {
            repeat(latency, records, |record| seconds(record.latency));
        }
        if wanted[fixed::ERROR]
            && let StoredPayload::Failed { reason } = records[0].record.payload
        {
            pad_text(error, self.len);
            error.append_value(reason);
        }
    }

    fn append_values(&mut self, records: &[RowsOf<'_>], place: &StreamPlace) {
        match &place.columns {
            StreamColumns::Values { features, outputs } => {
                for (index, column) in features.iter().enumerate() {
                    let Some(values) = &mut self.columns.values[*column] else { continue };
                    let source = Strided { records, width: features.len(), index, part: Part::Inputs };
                    values.append(self.len, &OutputKind::Float, &source);
                }
                for (index, column) in outputs.iter().enumerate() {
                    let Some(values) = &mut self.columns.values[*column] else { continue };
                    let source = Strided { records, width: outputs.len(), index, part: Part::Outputs };
                    values.append(self.len, &place.kind, &source);
                }
            }
            StreamColumns::Bodies if self.projection.bodies => {
                for own in records {
                    let (inputs, outputs) = (own.part(Part::Inputs), own.part(Part::Outputs));
                    for row in own.rows.start as usize..own.rows.end as usize {
                        let request = values_text(&place.stream.features, &OutputKind::Float, inputs, row);
                        let response = values_text(&place.stream.outputs, &place.kind, outputs, row);
                        self.append_bodies(Some(&request), Some(&response));
                    }
                }
            }
            StreamColumns::Bodies => {}
        }
    }

    fn append_bodies(&mut self, request: Option<&str>, response: Option<&str>) {
        // Several rows of one record come here one after the other.
        let before = self.columns.request_len().max(self.len);
        pad_text(&mut self.columns.request, before);
        pad_text(&mut self.columns.response, before);
        self.columns.request.append_option(request);
        self.columns.response.append_option(response);
    }

    /// How many more rows fit; 0 when the batch has to be finished first.
    pub(crate) fn room(&self) -> usize {
        if self.columns.text_bytes() >= BATCH_TEXT_BYTES { 0 } else { BATCH_ROWS.saturating_sub(self.len) }
    }

    /// The rows so far as a batch; the next batch starts empty.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let empty = Columns { values: self.new_values(), ..Columns::default() };
        let columns = std::mem::replace(&mut self.columns, empty);
        let len = std::mem::take(&mut self.len);
        let arrays = columns.finish(self, len)?;
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(len));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
    }
}

impl Columns {
    fn request_len(&self) -> usize {
        arrow_array::builder::ArrayBuilder::len(&self.request)
    }

    fn text_bytes(&self) -> usize {
        let texts = [&self.request_id, &self.error, &self.request, &self.response];
        texts.iter().map(|text| text.values_slice().len()).sum()
    }

    fn finish(mut self, rows: &Rows, len: usize) -> Result<Vec<ArrayRef>, ArrowError> {
        let wanted = &rows.projection.fixed;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(rows.schema.fields().len());
        let mut push = |is_wanted: bool, array: ArrayRef| {
            if is_wanted {
                arrays.push(array);
            }
        };
        pad_text(&mut self.error, len);
        push(wanted[fixed::REQUEST_ID], Arc::new(self.request_id.finish()));
        push(wanted[fixed::ROW], Arc::new(UInt32Array::from(self.row)));
        push(wanted[fixed::TIME], Arc::new(TimestampMicrosecondArray::from(self.time).with_timezone("UTC")));
        push(wanted[fixed::SEQ], Arc::new(Int64Array::from(self.seq)));
        push(wanted[fixed::PREDICTOR], dictionary(self.predictor, &rows.predictors)?);
        push(wanted[fixed::REVISION], dictionary(self.revision, &rows.revisions)?);
        push(wanted[fixed::STATUS], Arc::new(Int32Array::from(self.status)));
        push(wanted[fixed::LATENCY], Arc::new(Float64Array::from(self.latency)));
        push(wanted[fixed::ERROR], Arc::new(self.error.finish()));
        if rows.projection.bodies {
            pad_text(&mut self.request, len);
            pad_text(&mut self.response, len);
            arrays.push(Arc::new(self.request.finish()));
            arrays.push(Arc::new(self.response.finish()));
        }
        arrays.extend(self.values.into_iter().flatten().map(|values| values.finish(len)));
        Ok(arrays)
    }
}

fn projected_schema(layout: &Layout, projection: &Projection) -> Schema {
    let bodies = [projection.bodies; 2];
    let bodies = if layout.has_bodies { bodies.as_slice() } else { &[] };
    let wanted = projection.fixed.iter().chain(bodies).chain(&projection.values);
    let schema = layout.schema();
    let kept =
        schema.fields().iter().zip(wanted).filter(|(_, is_wanted)| **is_wanted).map(|(field, _)| as_dictionary(field));
    Schema::new(kept.collect::<Vec<_>>())
}

/// Few different texts are quicker to write as a dictionary.
fn as_dictionary(field: &Arc<Field>) -> Arc<Field> {
    if [fixed::PREDICTOR, fixed::REVISION].iter().any(|column| fixed::NAMES[*column] == field.name()) {
        let data_type = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    } else {
        Arc::clone(field)
    }
}

fn key_of(values: &mut Vec<Arc<str>>, value: &str) -> i32 {
    let index = values.iter().position(|known| known.as_ref() == value).unwrap_or_else(|| {
        values.push(value.into());
        values.len() - 1
    });
    // As many as there are streams in one batch of segments.
    i32::try_from(index).unwrap_or_default()
}

fn dictionary(keys: Vec<i32>, values: &[Arc<str>]) -> Result<ArrayRef, ArrowError> {
    let values: StringArray = values.iter().map(|value| Some(value.as_ref())).collect();
    Ok(Arc::new(DictionaryArray::try_new(Int32Array::from(keys), Arc::new(values))?))
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 104 days")]
fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

fn repeat<T: Copy>(column: &mut Vec<T>, records: &[RowsOf<'_>], value: impl Fn(&StoredRecord<'_>) -> T) {
    if are_single(records) {
        column.extend(records.iter().map(|own| value(&own.record)));
    } else {
        records.iter().for_each(|own| column.extend(std::iter::repeat_n(value(&own.record), own.len() as usize)));
    }
}

/// Whether each record has one row, as most requests have: columns are then copied without a look at
/// the number of rows.
fn are_single(records: &[RowsOf<'_>]) -> bool {
    records.iter().all(|own| own.len() == 1)
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Inputs,
    Outputs,
}

/// Column `index` of rows of `width` values.
#[derive(Debug, Clone, Copy)]
struct Strided<'a> {
    records: &'a [RowsOf<'a>],
    width: usize,
    index: usize,
    part: Part,
}

impl Strided<'_> {
    fn for_each(&self, mut act: impl FnMut(f64)) {
        let Self { records, width, index, part } = *self;
        for own in records {
            let values = own.part(part);
            for row in own.rows.clone() {
                act(f64::from_le_bytes(values[row as usize * width + index]));
            }
        }
    }

    fn extend(&self, column: &mut Vec<f64>) {
        let Self { records, width, index, part } = *self;
        if are_single(records) {
            column.extend(
                records.iter().map(|own| f64::from_le_bytes(own.part(part)[own.rows.start as usize * width + index])),
            );
        } else {
            for own in records {
                let values = own.part(part).get(own.rows.start as usize * width + index..).unwrap_or_default();
                column.extend(
                    values.iter().step_by(width).take(own.len() as usize).map(|value| f64::from_le_bytes(*value)),
                );
            }
        }
    }
}

fn pad_text(builder: &mut StringBuilder, len: usize) {
    let missing = len.saturating_sub(arrow_array::builder::ArrayBuilder::len(builder));
    builder.append_nulls(missing);
}

/// The values of one feature or output. A record that has none costs nothing: the gap is filled when
/// the next value comes.
#[derive(Debug)]
enum Values {
    Float(Vec<f64>, NullBufferBuilder),
    Integer(Vec<i64>, NullBufferBuilder),
    Boolean(BooleanBufferBuilder, NullBufferBuilder),
    Text(StringBuilder),
}

impl Values {
    fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Float => Self::Float(Vec::new(), NullBufferBuilder::new(0)),
            ColumnType::Integer => Self::Integer(Vec::new(), NullBufferBuilder::new(0)),
            ColumnType::Boolean => Self::Boolean(BooleanBufferBuilder::new(0), NullBufferBuilder::new(0)),
            ColumnType::Text => Self::Text(StringBuilder::new()),
        }
    }

    /// Appends values that are to be read as `kind`, the first of them at row `before`.
    fn append(&mut self, before: usize, kind: &OutputKind, source: &Strided<'_>) {
        self.pad(before);
        match self {
            Self::Float(values, nulls) if *kind == OutputKind::Float => {
                source.extend(values);
                nulls.append_n_non_nulls(values.len() - before);
            }
            // As the column of that type would have it.
            Self::Float(values, nulls) => source.for_each(|value| {
                nulls.append(!value.is_nan());
                values.push(value);
            }),
            Self::Integer(values, nulls) => source.for_each(|value| {
                nulls.append(!value.is_nan());
                values.push(integer(value));
            }),
            Self::Boolean(values, nulls) => source.for_each(|value| {
                nulls.append(!value.is_nan());
                values.append(value != 0.0);
            }),
            Self::Text(builder) => source.for_each(|value| append_text(builder, kind, value)),
        }
    }

    fn pad(&mut self, len: usize) {
        match self {
            Self::Float(values, nulls) => {
                nulls.append_n_nulls(len.saturating_sub(values.len()));
                values.resize(len.max(values.len()), 0.0);
            }
            Self::Integer(values, nulls) => {
                nulls.append_n_nulls(len.saturating_sub(values.len()));
                values.resize(len.max(values.len()), 0);
            }
            Self::Boolean(values, nulls) => {
                let missing = len.saturating_sub(values.len());
                nulls.append_n_nulls(missing);
                values.append_n(missing, false);
            }
            Self::Text(builder) => pad_text(builder, len),
        }
    }

    fn finish(mut self, len: usize) -> ArrayRef {
        self.pad(len);
        match self {
            Self::Float(values, mut nulls) => Arc::new(Float64Array::new(values.into(), nulls.finish())),
            Self::Integer(values, mut nulls) => Arc::new(Int64Array::new(values.into(), nulls.finish())),
            Self::Boolean(mut values, mut nulls) => Arc::new(BooleanArray::new(values.finish(), nulls.finish())),
            Self::Text(mut builder) => Arc::new(builder.finish()),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "whole numbers of a model are within ±2⁵³; others end at the bounds"
)]
fn integer(value: f64) -> i64 {
    value as i64
}

/// A value as text: a label, or a value of another type in a column that holds several.
fn append_text(builder: &mut StringBuilder, kind: &OutputKind, value: f64) {
    if value.is_nan() {
        return builder.append_null();
    }
    match kind {
        OutputKind::Label(labels) => match label(labels, value) {
            Some(label) => builder.append_value(label),
            None => builder.append_value(number_text(value)),
        },
        OutputKind::Float => builder.append_value(number_text(value)),
        OutputKind::Integer => builder.append_value(integer(value).to_string()),
        OutputKind::Boolean => builder.append_value(if value == 0.0 { "false" } else { "true" }),
    }
}

/// A number as text: the shortest that reads back the same, and a whole number as such, so that it does
/// not matter whether it was kept as an integer meanwhile.
pub(crate) fn number_text(value: f64) -> String {
    let whole = integer(value);
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "this is the question")]
    let is_whole = whole as f64 == value && whole.unsigned_abs() <= 1 << 53;
    if is_whole { whole.to_string() } else { format!("{value:?}") }
}

/// The label a value is the index of.
pub(super) fn label(labels: &[Box<str>], value: f64) -> Option<&str> {
    let index = usize::try_from(integer(value)).ok()?;
    labels.get(index).map(AsRef::as_ref)
}
