//! The columns of a file or of an answer.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow_schema::{DataType, Field, Schema, TimeUnit};
use provost_inference::OutputKind;

use crate::segment::StoredStream;

/// Most columns of features and outputs in one file. Rows of streams for which there is no room left
/// keep their values as text, like rows of too many features.
const VALUE_COLUMNS_MAX: usize = 4096;

/// The columns every file has, by their place in a row.
pub(crate) mod fixed {
    pub(crate) const REQUEST_ID: usize = 0;
    pub(crate) const ROW: usize = 1;
    pub(crate) const TIME: usize = 2;
    pub(crate) const SEQ: usize = 3;
    pub(crate) const PREDICTOR: usize = 4;
    pub(crate) const REVISION: usize = 5;
    pub(crate) const STATUS: usize = 6;
    pub(crate) const LATENCY: usize = 7;
    pub(crate) const ERROR: usize = 8;

    pub(crate) const NAMES: [&str; 9] =
        ["request_id", "row", "time", "seq", "predictor", "revision", "status", "latency", "error"];
}

/// Names of the columns of bodies, where there are any.
pub(crate) const BODIES: [&str; 2] = ["request", "response"];

/// How the values of a feature or an output are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ColumnType {
    Float,
    Integer,
    Boolean,
    Text,
}

impl ColumnType {
    fn of_output(kind: &OutputKind) -> Self {
        match kind {
            OutputKind::Float => Self::Float,
            OutputKind::Integer => Self::Integer,
            OutputKind::Boolean => Self::Boolean,
            OutputKind::Label(_) => Self::Text,
        }
    }

    fn of_arrow(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Float64 => Some(Self::Float),
            DataType::Int64 => Some(Self::Integer),
            DataType::Boolean => Some(Self::Boolean),
            DataType::Utf8 => Some(Self::Text),
            _ => None,
        }
    }

    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Float => DataType::Float64,
            Self::Integer => DataType::Int64,
            Self::Boolean => DataType::Boolean,
            Self::Text => DataType::Utf8,
        }
    }

    /// The type that holds the values of both: integers of a model are exact as floating-point numbers,
    /// and all else that differs becomes text.
    pub(crate) fn unify(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Float, Self::Integer) | (Self::Integer, Self::Float) => Self::Float,
            _ => Self::Text,
        }
    }
}

/// A column of a feature or an output.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ValueColumn {
    /// `x.<feature>` or `y.<output>`.
    pub(crate) name: Box<str>,
    pub(crate) kind: ColumnType,
}

/// The columns besides the [fixed] ones: bodies, features, outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Layout {
    pub(crate) has_bodies: bool,
    /// Columns of features, in the order of the features.
    pub(crate) features: Vec<ValueColumn>,
    /// Columns of outputs, likewise.
    pub(crate) outputs: Vec<ValueColumn>,
}

/// Where the values of a stream's records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamColumns {
    /// A value column for each feature and each output.
    Values { features: Vec<usize>, outputs: Vec<usize> },
    /// Into the bodies as text, since the file has no columns left.
    Bodies,
}

impl Layout {
    /// The layout of a file with this schema; `None` where the file is not one of ours.
    pub(crate) fn of_schema(schema: &Schema) -> Option<Self> {
        let expected = Self::default().schema();
        let (fixed_fields, rest) = schema.fields().split_at_checked(fixed::NAMES.len())?;
        let is_same =
            |(a, b): (&Arc<Field>, &Arc<Field>)| a.name() == b.name() && plain(a.data_type()) == b.data_type();
        fixed_fields.iter().zip(expected.fields()).all(is_same).then_some(())?;
        let mut layout = Self::default();
        for field in rest {
            if BODIES.contains(&field.name().as_str()) {
                layout.has_bodies = true;
                continue;
            }
            let column =
                ValueColumn { name: field.name().as_str().into(), kind: ColumnType::of_arrow(field.data_type())? };
            match field.name().as_bytes() {
                [b'x', b'.', ..] => layout.features.push(column),
                [b'y', b'.', ..] => layout.outputs.push(column),
                _ => return None,
            }
        }
        Some(layout)
    }

    /// The schema of a file, as pandas, DuckDB and Spark see it.
    pub(crate) fn schema(&self) -> Schema {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let required = |column: usize, data_type| Field::new(fixed::NAMES[column], data_type, false);
        let mut fields = vec![
            required(fixed::REQUEST_ID, DataType::Utf8),
            described(required(fixed::ROW, DataType::UInt32), "instance within the request, from 0"),
            required(fixed::TIME, time),
            described(required(fixed::SEQ, DataType::Int64), "order of the log"),
            required(fixed::PREDICTOR, DataType::Utf8),
            required(fixed::REVISION, DataType::Utf8),
            described(required(fixed::STATUS, DataType::Int32), "HTTP status of the answer"),
            with_unit(described(required(fixed::LATENCY, DataType::Float64), "time the answer took"), "s"),
            described(Field::new(fixed::NAMES[fixed::ERROR], DataType::Utf8, true), "why the request failed"),
        ];
        if self.has_bodies {
            fields.extend(BODIES.map(|name| Field::new(name, DataType::Utf8, true)));
        }
        fields.extend(self.values().map(|ValueColumn { name, kind }| Field::new(name.as_ref(), kind.arrow(), true)));
        Schema::new(fields)
    }

    /// Columns of features, then columns of outputs.
    pub(crate) fn values(&self) -> impl Iterator<Item = &ValueColumn> {
        self.features.iter().chain(&self.outputs)
    }

    /// Number of columns of features and outputs.
    pub(crate) fn value_count(&self) -> usize {
        self.features.len() + self.outputs.len()
    }

    /// The union with another layout; types that differ are widened.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.has_bodies |= other.has_bodies;
        extend(&mut self.features, &other.features);
        extend(&mut self.outputs, &other.outputs);
    }

    /// The union with another layout as long as there is room for its columns, else room for its values
    /// as text.
    pub(crate) fn try_extend(&mut self, other: &Self) {
        let mut extended = self.clone();
        extended.extend(other);
        if extended.value_count() <= VALUE_COLUMNS_MAX {
            *self = extended;
        } else {
            self.has_bodies = true;
        }
    }

    /// Whether files of both layouts can be one file that holds every value as it is.
    pub(crate) fn is_compatible(&self, other: &Self) -> bool {
        let mut both = self.clone();
        both.extend(other);
        let kept = |part: &Self| {
            let kinds: HashMap<_, _> = part.values().map(|column| (&column.name, column.kind)).collect();
            both.values().all(|column| {
                column.kind != ColumnType::Text || kinds.get(&column.name).is_none_or(|kind| *kind == ColumnType::Text)
            })
        };
        both.value_count() <= VALUE_COLUMNS_MAX && kept(self) && kept(other)
    }
}

/// The layout for records of several streams.
#[derive(Debug, Default)]
pub(crate) struct LayoutBuilder {
    layout: Layout,
}

impl LayoutBuilder {
    /// Makes room for a stream's values.
    pub(crate) fn add_stream(&mut self, stream: &StoredStream) {
        self.layout.try_extend(&layout_of(stream));
    }

    /// Makes room for bodies.
    pub(crate) fn add_bodies(&mut self) {
        self.layout.has_bodies = true;
    }

    pub(crate) fn finish(self) -> Layout {
        self.layout
    }
}

impl Layout {
    /// Where the values of the stream's records go.
    pub(crate) fn columns_of(&self, stream: &StoredStream) -> StreamColumns {
        let places: HashMap<_, _> = self.values().enumerate().map(|(index, column)| (&column.name, index)).collect();
        let own = layout_of(stream);
        let find = |columns: &[ValueColumn]| columns.iter().map(|column| places.get(&column.name).copied()).collect();
        match (find(&own.features), find(&own.outputs)) {
            (Some(features), Some(outputs)) => StreamColumns::Values { features, outputs },
            _ => StreamColumns::Bodies,
        }
    }
}

/// The columns of a stream alone.
pub(crate) fn layout_of(stream: &StoredStream) -> Layout {
    let kind = ColumnType::of_output(&stream.output_kind());
    Layout {
        has_bodies: false,
        features: columns("x.", &stream.features, ColumnType::Float),
        outputs: columns("y.", &stream.outputs, kind),
    }
}

/// A column for each name. A name that comes again gets a number, so that no value is lost.
fn columns(prefix: &str, names: &[String], kind: ColumnType) -> Vec<ValueColumn> {
    let mut seen = HashSet::with_capacity(names.len());
    let unique = |name: &String| {
        let plain = format!("{prefix}{name}");
        let numbered = (2..).map(|number| format!("{prefix}{name}#{number}"));
        let mut candidates = std::iter::once(plain).chain(numbered);
        candidates.find(|candidate| seen.insert(candidate.clone())).unwrap_or_default()
    };
    names.iter().map(unique).map(|name| ValueColumn { name: name.into(), kind }).collect()
}

fn extend(columns: &mut Vec<ValueColumn>, others: &[ValueColumn]) {
    // The usual case, and linear: the same columns in the same order.
    if columns == others {
        return;
    }
    let places: HashMap<_, _> =
        columns.iter().enumerate().map(|(index, column)| (column.name.clone(), index)).collect();
    for other in others {
        match places.get(&other.name) {
            Some(&index) => columns[index].kind = columns[index].kind.unify(other.kind),
            None => columns.push(other.clone()),
        }
    }
}

/// The type of the values of a dictionary.
fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

fn described(field: Field, text: &str) -> Field {
    with_metadata(field, "description", text)
}

fn with_unit(field: Field, unit: &str) -> Field {
    with_metadata(field, "unit", unit)
}

fn with_metadata(field: Field, key: &str, value: &str) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(key.to_owned(), value.to_owned());
    field.with_metadata(metadata)
}
