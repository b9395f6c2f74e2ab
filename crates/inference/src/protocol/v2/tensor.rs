//! One input tensor: its values go straight into the block, and are held against shape and datatype at its end.

use super::error::{BadRequest, TensorProblem};
use crate::protocol::{
    BadValue,
    json::{Cursor, JsonError, unescape},
    values::{BadElement, read_value, read_values},
};

/// All datatypes that are taken, for messages.
pub(super) const NAMES: &str = "BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64";

/// A datatype of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Datatype {
    /// As it is written.
    pub name: &'static str,
    /// The whole numbers it holds; `None` for floating point.
    range: Option<(f64, f64)>,
}

/// The datatypes, with the least and the greatest number of those that are whole.
const DATATYPES: [Datatype; 12] = [
    Datatype { name: "FP64", range: None },
    Datatype { name: "FP32", range: None },
    Datatype { name: "FP16", range: None },
    Datatype { name: "INT64", range: Some((-9_223_372_036_854_775_808.0, 9_223_372_036_854_775_807.0)) },
    Datatype { name: "INT32", range: Some((-2_147_483_648.0, 2_147_483_647.0)) },
    Datatype { name: "INT16", range: Some((-32_768.0, 32_767.0)) },
    Datatype { name: "INT8", range: Some((-128.0, 127.0)) },
    Datatype { name: "UINT64", range: Some((0.0, 18_446_744_073_709_551_615.0)) },
    Datatype { name: "UINT32", range: Some((0.0, 4_294_967_295.0)) },
    Datatype { name: "UINT16", range: Some((0.0, 65_535.0)) },
    Datatype { name: "UINT8", range: Some((0.0, 255.0)) },
    Datatype { name: "BOOL", range: Some((0.0, 1.0)) },
];

impl Datatype {
    fn parse(raw: &str) -> Result<Self, TensorProblem> {
        let known = DATATYPES.into_iter().find(|datatype| datatype.name == raw);
        known.ok_or_else(|| match raw {
            "BYTES" => TensorProblem::Bytes,
            _ => TensorProblem::Datatype(unescape(raw)),
        })
    }

    /// Whether a value is of this type. A missing one is of any.
    fn holds(self, value: f64) -> bool {
        let is_whole = |(least, greatest): (f64, f64)| (least..=greatest).contains(&value) && value.fract() == 0.0;
        value.is_nan() || self.range.is_none_or(is_whole)
    }
}

/// A shape of one or two dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    One(usize),
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

/// An input whose values stand in the block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tensor<'a> {
    /// As it stands between its quotes.
    pub(super) name: &'a str,
    pub(super) shape: Shape,
}

/// What is read of a tensor before all of it is known.
#[derive(Debug, Default)]
struct Fields<'a> {
    name: Option<&'a str>,
    /// The first two dimensions, and how many there are.
    shape: Option<([usize; 2], usize)>,
    datatype: Option<&'a str>,
    data: Option<Nesting>,
}

/// How `data` is nested.
#[derive(Debug, Clone, Copy)]
enum Nesting {
    Flat,
    Rows(usize, usize),
}

/// Why reading stopped: before the name is known, the input is known by its place.
#[derive(Debug)]
enum Stop {
    Request(BadRequest),
    Tensor(TensorProblem),
}

impl From<BadRequest> for Stop {
    fn from(error: BadRequest) -> Self {
        Self::Request(error)
    }
}

impl From<JsonError> for Stop {
    fn from(error: JsonError) -> Self {
        Self::Request(error.into())
    }
}

/// Reads the input at `place` and appends its values.
pub(super) fn read_tensor<'a>(
    cursor: &mut Cursor<'a>,
    place: usize,
    values: &mut Vec<f64>,
    first_missing: &mut Option<usize>,
) -> Result<Tensor<'a>, BadRequest> {
    if cursor.peek().is_some_and(|byte| byte != b'{') {
        return Err(BadRequest::Type { field: "inputs", expected: "an array of objects" });
    }
    let start = values.len();
    let mut fields = Fields::default();
    let read = cursor.object(|cursor, key| fields.member(cursor, key, values, first_missing));
    let tensor = read.and_then(|()| fields.finish(values.get(start..).unwrap_or_default()).map_err(Stop::Tensor));
    tensor.map_err(|stop| match stop {
        Stop::Request(error) => error,
        Stop::Tensor(problem) => {
            let input = fields.name.map_or_else(|| format!("inputs[{place}]"), unescape);
            BadRequest::Tensor { input, problem }
        }
    })
}

impl<'a> Fields<'a> {
    fn member(
        &mut self,
        cursor: &mut Cursor<'a>,
        key: &'a str,
        values: &mut Vec<f64>,
        first_missing: &mut Option<usize>,
    ) -> Result<(), Stop> {
        let is_twice = match key {
            "name" => self.name.replace(read_text(cursor, "inputs[].name")?).is_some(),
            "datatype" => self.datatype.replace(read_text(cursor, "inputs[].datatype")?).is_some(),
            "shape" => self.shape.replace(read_shape(cursor)?).is_some(),
            "data" => self.data.replace(read_data(cursor, values, first_missing)?).is_some(),
            // Parameters tell how to decode what is no plain number, and clients add fields of their own.
            _ => return Ok(cursor.raw().map(drop)?),
        };
        if is_twice { Err(Stop::Request(BadRequest::Twice("a field of `inputs[]`"))) } else { Ok(()) }
    }

    /// Holds the values against what was said of them.
    fn finish(&self, values: &[f64]) -> Result<Tensor<'a>, TensorProblem> {
        let name = self.name.ok_or(TensorProblem::Missing("name"))?;
        let datatype = Datatype::parse(self.datatype.ok_or(TensorProblem::Missing("datatype"))?)?;
        let shape = match self.shape.ok_or(TensorProblem::Missing("shape"))? {
            ([length, _], 1) => Shape::One(length),
            ([rows, columns], 2) => Shape::Two(rows, columns),
            (_, dimensions) => return Err(TensorProblem::Dimensions(dimensions)),
        };
        check_size(shape, self.data.ok_or(TensorProblem::NoData)?, values.len())?;
        match values.iter().position(|value| !datatype.holds(*value)) {
            None => Ok(Tensor { name, shape }),
            Some(index) => {
                let value = values[index].to_string();
                Err(TensorProblem::NotOfDatatype { index, value, datatype: datatype.name })
            }
        }
    }
}

fn check_size(shape: Shape, nesting: Nesting, actual: usize) -> Result<(), TensorProblem> {
    let (rows, columns) = match shape {
        Shape::One(length) => (length, 1),
        Shape::Two(rows, columns) => (rows, columns),
    };
    if rows.checked_mul(columns) != Some(actual) {
        let expected = (rows as u128 * columns as u128).to_string();
        return Err(TensorProblem::Size { shape: shape.to_string(), expected, actual });
    }
    if actual == 0 {
        return Err(TensorProblem::Empty);
    }
    match nesting {
        Nesting::Rows(rows, columns) if shape != Shape::Two(rows, columns) => {
            Err(TensorProblem::Nesting { shape: shape.to_string(), rows, columns })
        }
        _ => Ok(()),
    }
}

fn read_text<'a>(cursor: &mut Cursor<'a>, field: &'static str) -> Result<&'a str, BadRequest> {
    match cursor.peek() {
        Some(b'"') | None => Ok(cursor.string()?),
        Some(_) => Err(BadRequest::Type { field, expected: "a text" }),
    }
}

fn read_shape(cursor: &mut Cursor<'_>) -> Result<([usize; 2], usize), BadRequest> {
    let wrong = || BadRequest::Type { field: "inputs[].shape", expected: "an array of whole numbers, as in [1,4]" };
    if cursor.peek().is_some_and(|byte| byte != b'[') {
        return Err(wrong());
    }
    let (mut shape, mut dimensions) = ([0; 2], 0);
    cursor.array(|cursor| {
        let size = cursor.raw()?.parse().map_err(|_| wrong())?;
        if let Some(dimension) = shape.get_mut(dimensions) {
            *dimension = size;
        }
        dimensions += 1;
        Ok::<_, BadRequest>(())
    })?;
    Ok((shape, dimensions))
}

/// Reads `data`, an array of numbers or of rows of numbers.
fn read_data(
    cursor: &mut Cursor<'_>,
    values: &mut Vec<f64>,
    first_missing: &mut Option<usize>,
) -> Result<Nesting, Stop> {
    if cursor.peek().is_some_and(|byte| byte != b'[') {
        return Err(Stop::Request(BadRequest::Type { field: "inputs[].data", expected: "an array" }));
    }
    let start = values.len();
    let mut nesting = None;
    cursor.array(|cursor| {
        let is_row = cursor.peek() == Some(b'[');
        match (is_row, nesting) {
            (true, None | Some(Nesting::Rows(..))) => {
                let before = values.len();
                read_values(cursor, values, first_missing).map_err(bad_element)?;
                nesting = Some(next_row(nesting, values.len() - before)?);
            }
            (false, None | Some(Nesting::Flat)) => {
                nesting = Some(Nesting::Flat);
                let index = values.len() - start;
                read_value(cursor, values, first_missing).map_err(|error| bad_element(BadElement { index, error }))?;
                cursor.plain_numbers(values);
            }
            _ => return Err(Stop::Tensor(TensorProblem::Mixed)),
        }
        Ok(())
    })?;
    Ok(nesting.unwrap_or(Nesting::Flat))
}

/// The nesting with one row more, of so many values.
fn next_row(nesting: Option<Nesting>, actual: usize) -> Result<Nesting, Stop> {
    match nesting {
        Some(Nesting::Rows(row, expected)) if expected != actual => {
            Err(Stop::Tensor(TensorProblem::Ragged { row, expected, actual }))
        }
        Some(Nesting::Rows(rows, columns)) => Ok(Nesting::Rows(rows + 1, columns)),
        _ => Ok(Nesting::Rows(1, actual)),
    }
}

fn bad_element(BadElement { index, error }: BadElement) -> Stop {
    match error {
        BadValue::Json(error) => Stop::Request(error.into()),
        BadValue::Array => Stop::Tensor(TensorProblem::Mixed),
        error => Stop::Tensor(TensorProblem::Value { index, error }),
    }
}
