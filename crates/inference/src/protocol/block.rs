//! The numbers of a V1 or V2 request, which come row after row or column after column, with names or without, and are
//! put in the model's order once the model is known.

use std::{borrow::Cow, collections::HashMap};

use super::json::{unescape, write_string};
use crate::Schema;

/// How the values of a request stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout<'a> {
    /// Row after row.
    Rows {
        /// Number of instances.
        rows: usize,
        /// Number of features of each.
        columns: usize,
    },
    /// One dimension of so many values: one instance, or one value of each instance where the model has one feature.
    Line(usize),
    /// Column after column.
    Columns {
        /// Number of instances.
        rows: usize,
        /// The columns' names.
        names: Vec<Cow<'a, str>>,
    },
    /// Row after row, each value with a name.
    Named {
        /// Number of instances.
        rows: usize,
        /// The values' names in the order of each row.
        names: Vec<Cow<'a, str>>,
    },
}

/// A shape of one or two dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// So many values.
    One(usize),
    /// Rows and columns.
    Two(usize, usize),
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(length) => write!(f, "[{length}]"),
            Self::Two(rows, columns) => write!(f, "[{rows},{columns}]"),
        }
    }
}

/// Why tensors are no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoRows {
    /// There are no tensors.
    Nothing,
    /// A tensor is not one feature of as many rows as the first has.
    NotAColumn {
        /// The tensor.
        input: String,
        /// Its shape.
        shape: String,
        /// The first tensor.
        first: String,
        /// How many rows that has.
        rows: usize,
    },
}

impl<'a> Layout<'a> {
    /// One tensor of rows, or one a feature.
    pub(super) fn of_tensors(inputs: Vec<(Cow<'a, str>, Shape)>) -> Result<Self, NoRows> {
        let (first, rows) = match inputs.as_slice() {
            [] => return Err(NoRows::Nothing),
            [(_, Shape::One(length))] => return Ok(Self::Line(*length)),
            [(_, Shape::Two(rows, columns))] => return Ok(Self::Rows { rows: *rows, columns: *columns }),
            [(first, Shape::One(rows) | Shape::Two(rows, _)), ..] => (first, *rows),
        };
        let is_column = |shape: Shape| matches!(shape, Shape::One(n) | Shape::Two(n, 1) if n == rows);
        match inputs.iter().find(|(_, shape)| !is_column(*shape)) {
            Some((name, shape)) => {
                let (input, first) = (name.to_string(), first.to_string());
                Err(NoRows::NotAColumn { input, shape: shape.to_string(), first, rows })
            }
            None => Ok(Self::Columns { rows, names: inputs.into_iter().map(|(name, _)| name).collect() }),
        }
    }
}

/// The values of a request, before the model is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<'a> {
    /// How they stand.
    pub layout: Layout<'a>,
    /// Index of the first missing value, if any.
    pub first_missing: Option<usize>,
}

/// The values of a request, row after row in the model's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arranged {
    /// Number of instances.
    pub rows: usize,
    /// Number of features of each.
    pub columns: usize,
    /// Row and column of the first missing value, if any.
    pub first_missing: Option<(usize, usize)>,
    /// The caller's names of the columns as a JSON array, where they are not the model's.
    pub names: Option<String>,
}

/// A name that is none of the model's features.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the model has no feature `{name}`; it has: {features}")]
pub struct UnknownFeature {
    /// The name.
    pub name: String,
    /// The model's names.
    pub features: String,
}

impl Block<'_> {
    /// Puts the values in the order of the model's features. Where their number is not the model's, they stay as they
    /// are: whoever predicts checks it.
    pub fn arrange(self, schema: &Schema, values: &mut Vec<f64>) -> Result<Arranged, UnknownFeature> {
        let Self { layout, first_missing } = self;
        let (rows, columns, names) = match layout {
            Layout::Rows { rows, columns } => (rows, columns, None),
            Layout::Line(length) if schema.features == 1 => (length, 1, None),
            Layout::Line(length) => (1, length, None),
            Layout::Columns { rows, names } => {
                let order = (names.len() == schema.features).then(|| order(&names, schema)).flatten();
                *values = transposed(values, rows, names.len(), order.as_deref());
                (rows, names.len(), if order.is_some() { None } else { Some(json(&names)) })
            }
            Layout::Named { rows, names } => {
                let is_fitting = names.len() == schema.features && schema.feature_names.is_some();
                let order = if is_fitting { Some(known_order(&names, schema)?) } else { None };
                if let Some(order) = order.as_deref().filter(|order| !order.is_sorted()) {
                    permute(values, order);
                }
                (rows, names.len(), if order.is_some() { None } else { Some(json(&names)) })
            }
        };
        // Values may have moved.
        let first = first_missing.and_then(|_| values.iter().position(|value| value.is_nan()));
        let first_missing = first.map(|index| (index / columns.max(1), index % columns.max(1)));
        Ok(Arranged { rows, columns, first_missing, names })
    }
}

/// For each of the model's features, which of the names is it; `None` unless all are there.
fn order(names: &[Cow<'_, str>], schema: &Schema) -> Option<Vec<usize>> {
    let model = schema.feature_names.as_ref()?;
    let places: HashMap<&str, usize> = names.iter().enumerate().map(|(index, name)| (&**name, index)).collect();
    model.iter().map(|name| places.get(&**name).copied()).collect()
}

/// As [`order`], where each name must be the model's.
fn known_order(names: &[Cow<'_, str>], schema: &Schema) -> Result<Vec<usize>, UnknownFeature> {
    order(names, schema).ok_or_else(|| {
        let model = schema.feature_names.as_deref().unwrap_or_default();
        let is_unknown = |name: &&Cow<'_, str>| !model.iter().any(|feature| **feature == ***name);
        // The names differ, and there are as many as the model has: one is not the model's.
        let name = names.iter().find(is_unknown).map(ToString::to_string).unwrap_or_default();
        UnknownFeature { name, features: model.join(", ") }
    })
}

/// A name that stands so between its quotes.
pub(super) fn unescaped(raw: &str) -> Cow<'_, str> {
    if raw.contains('\\') { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) }
}

/// Row after row what stands column after column, the columns in this order.
pub(super) fn transposed(values: &[f64], rows: usize, columns: usize, order: Option<&[usize]>) -> Vec<f64> {
    let mut transposed = Vec::with_capacity(values.len());
    for row in 0..rows {
        let source = |column: usize| order.map_or(column, |order| order[column]);
        transposed.extend((0..columns).map(|column| values[source(column) * rows + row]));
    }
    transposed
}

/// Puts each row in this order.
fn permute(values: &mut [f64], order: &[usize]) {
    let mut before = vec![0.0; order.len()];
    for row in values.chunks_exact_mut(order.len()) {
        before.copy_from_slice(row);
        for (value, place) in row.iter_mut().zip(order) {
            *value = before[*place];
        }
    }
}

/// The names as a JSON array of texts.
fn json(names: &[Cow<'_, str>]) -> String {
    let mut out = b"[".to_vec();
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(name, &mut out);
    }
    out.push(b']');
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MissingValues, OutputKind, OutputSchema, OutputShape, Precision};

    fn schema(features: usize, names: Option<&[&str]>) -> Schema {
        let (shape, kind) = (OutputShape::Vector, OutputKind::Float);
        Schema {
            features,
            feature_names: names.map(|names| names.iter().map(|name| Box::from(*name)).collect()),
            missing_values: MissingValues::Accepted,
            output: OutputSchema { shape, kind, name: "predict", precision: Precision::Double },
        }
    }

    #[track_caller]
    fn check(layout: Layout<'_>, schema: &Schema, values: &[f64], expected: &str) {
        let mut values = values.to_vec();
        let first_missing = values.iter().position(|value| value.is_nan());
        let shown = match (Block { layout, first_missing }).arrange(schema, &mut values) {
            Ok(Arranged { rows, columns, first_missing, names }) => {
                let missing = first_missing.map(|place| format!(" missing {place:?}")).unwrap_or_default();
                let names = names.map(|names| format!(" {names}")).unwrap_or_default();
                format!("{rows}x{columns} {values:?}{missing}{names}")
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }

    fn cows(names: &[&'static str]) -> Vec<Cow<'static, str>> {
        names.iter().map(|name| Cow::Borrowed(*name)).collect()
    }

    #[test]
    fn columns_become_rows_in_the_models_order() {
        let columns = |names: &[&'static str]| Layout::Columns { rows: 2, names: cows(names) };
        let values = [1.0, 2.0, 10.0, 20.0];
        check(columns(&["a", "b"]), &schema(2, Some(&["a", "b"])), &values, "2x2 [1.0, 10.0, 2.0, 20.0]");
        check(columns(&["b", "a"]), &schema(2, Some(&["a", "b"])), &values, "2x2 [10.0, 1.0, 20.0, 2.0]");
        let by_position = r#"2x2 [1.0, 10.0, 2.0, 20.0] ["b","c"]"#;
        check(columns(&["b", "c"]), &schema(2, Some(&["a", "b"])), &values, by_position);
        check(columns(&["b", "c"]), &schema(2, None), &values, by_position);
        check(columns(&["b", "c"]), &schema(3, Some(&["a", "b", "c"])), &values, by_position);
        check(columns(&["a", "a"]), &schema(2, None), &values, r#"2x2 [1.0, 10.0, 2.0, 20.0] ["a","a"]"#);
        let missing = "2x2 [NaN, 1.0, 20.0, 2.0] missing (0, 0)";
        check(columns(&["b", "a"]), &schema(2, Some(&["a", "b"])), &[1.0, 2.0, f64::NAN, 20.0], missing);
    }

    #[test]
    fn named_values_must_be_the_models() {
        let named = |names: &[&'static str]| Layout::Named { rows: 2, names: cows(names) };
        let values = [1.0, 2.0, 3.0, 4.0];
        check(named(&["a", "b"]), &schema(2, Some(&["a", "b"])), &values, "2x2 [1.0, 2.0, 3.0, 4.0]");
        check(named(&["b", "a"]), &schema(2, Some(&["a", "b"])), &values, "2x2 [2.0, 1.0, 4.0, 3.0]");
        let unknown = "the model has no feature `c`; it has: a, b";
        check(named(&["b", "c"]), &schema(2, Some(&["a", "b"])), &values, unknown);
        check(named(&["b", "c"]), &schema(2, None), &values, r#"2x2 [1.0, 2.0, 3.0, 4.0] ["b","c"]"#);
    }

    #[test]
    fn one_dimension_is_one_row_or_one_column() {
        check(Layout::Line(3), &schema(3, None), &[1.0, 2.0, 3.0], "1x3 [1.0, 2.0, 3.0]");
        check(Layout::Line(3), &schema(1, None), &[1.0, 2.0, 3.0], "3x1 [1.0, 2.0, 3.0]");
        check(Layout::Line(3), &schema(4, None), &[1.0, 2.0, 3.0], "1x3 [1.0, 2.0, 3.0]");
        check(
            Layout::Rows { rows: 1, columns: 2 },
            &schema(2, None),
            &[1.0, f64::NAN],
            "1x2 [1.0, NaN] missing (0, 1)",
        );
    }
}
