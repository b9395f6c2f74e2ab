//! The columns of an answer, filled from batches.

use std::sync::Arc;

use arrow_array::{
    Array, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt32Array, types::Int32Type,
};
use provost_inference::record::{Column, Columns};

use crate::dataset::{BODIES, ColumnType, Layout, fixed, number_text};

/// The fixed columns in the order of an answer: what people look for first.
const ORDER: [usize; 9] = [
    fixed::TIME,
    fixed::SEQ,
    fixed::REQUEST_ID,
    fixed::ROW,
    fixed::PREDICTOR,
    fixed::REVISION,
    fixed::STATUS,
    fixed::LATENCY,
    fixed::ERROR,
];

/// No values yet, for `rows` rows of a deployment with these columns.
pub(super) fn empty(layout: &Layout, rows: usize) -> Columns {
    let mut answer = Columns::default();
    let mut add = |name: &str, kind| {
        answer.names.push(name.to_owned());
        answer.columns.push(nulls(kind, rows));
    };
    ORDER.iter().for_each(|column| add(fixed::NAMES[*column], fixed_type(*column)));
    if layout.has_bodies {
        BODIES.iter().for_each(|name| add(name, ColumnType::Text));
    }
    layout.values().for_each(|column| add(&column.name, column.kind));
    answer
}

fn fixed_type(column: usize) -> ColumnType {
    match column {
        fixed::ROW | fixed::TIME | fixed::SEQ | fixed::STATUS => ColumnType::Integer,
        fixed::LATENCY => ColumnType::Float,
        _ => ColumnType::Text,
    }
}

fn nulls(kind: ColumnType, rows: usize) -> Column {
    match kind {
        ColumnType::Float => Column::Float(vec![None; rows]),
        ColumnType::Integer => Column::Integer(vec![None; rows]),
        ColumnType::Boolean => Column::Boolean(vec![None; rows]),
        ColumnType::Text => Column::Text(vec![None; rows]),
    }
}

/// Puts row `i` of the batch into row `targets[i]` of the answer.
pub(super) fn fill(answer: &mut Columns, batch: &RecordBatch, targets: &[usize]) {
    for (name, column) in answer.names.iter().zip(&mut answer.columns) {
        let Some(array) = batch.column_by_name(name) else { continue };
        let array = array.as_ref();
        match column {
            Column::Float(values) => put(values, array, targets, float_at),
            Column::Integer(values) => put(values, array, targets, integer_at),
            Column::Boolean(values) => put(values, array, targets, boolean_at),
            Column::Text(values) => put(values, array, targets, |array, row| text_at(array, row).map(Arc::from)),
        }
    }
}

fn put<T>(
    values: &mut [Option<T>],
    array: &dyn Array,
    targets: &[usize],
    value: impl Fn(&dyn Array, usize) -> Option<T>,
) {
    for (row, target) in targets.iter().enumerate() {
        if array.is_valid(row) {
            values[*target] = value(array, row);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "whole numbers of a model are exact within ±2⁵³")]
fn float_at(array: &dyn Array, row: usize) -> Option<f64> {
    let any = array.as_any();
    let float = any.downcast_ref::<Float64Array>().map(|array| array.value(row));
    float.or_else(|| any.downcast_ref::<Int64Array>().map(|array| array.value(row) as f64))
}

fn integer_at(array: &dyn Array, row: usize) -> Option<i64> {
    let any = array.as_any();
    if let Some(array) = any.downcast_ref::<Int64Array>() {
        Some(array.value(row))
    } else if let Some(array) = any.downcast_ref::<TimestampMicrosecondArray>() {
        Some(array.value(row).saturating_mul(1000))
    } else if let Some(array) = any.downcast_ref::<Int32Array>() {
        Some(array.value(row).into())
    } else {
        any.downcast_ref::<UInt32Array>().map(|array| array.value(row).into())
    }
}

fn boolean_at(array: &dyn Array, row: usize) -> Option<bool> {
    array.as_any().downcast_ref::<BooleanArray>().map(|array| array.value(row))
}

/// A value as text, as it is written where a column of text holds values of other types.
pub(super) fn text_at(array: &dyn Array, row: usize) -> Option<std::borrow::Cow<'_, str>> {
    let any = array.as_any();
    if let Some(array) = any.downcast_ref::<StringArray>() {
        Some(array.value(row).into())
    } else if let Some(array) = any.downcast_ref::<DictionaryArray<Int32Type>>() {
        text_at(array.values(), usize::try_from(array.keys().value(row)).ok()?)
    } else if let Some(array) = any.downcast_ref::<Float64Array>() {
        let value = array.value(row);
        (!value.is_nan()).then(|| number_text(value).into())
    } else if let Some(array) = any.downcast_ref::<Int64Array>() {
        Some(array.value(row).to_string().into())
    } else {
        boolean_at(array, row).map(|value| if value { "true".into() } else { "false".into() })
    }
}
