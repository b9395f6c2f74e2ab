//! One input tensor: its values go straight into the block, and are held against shape and datatype at its end.

use std::borrow::Cow;

use super::{
    datatype::{Datatype, check_values},
    error::{BadRequest, TensorProblem},
};
use crate::protocol::{
    BadValue,
    block::{Shape, unescaped},
    json::{Cursor, JsonError, unescape},
    proto::inference as proto,
    values::{BadElement, read_value, read_values},
};

/// An input whose values stand in the block.
#[derive(Debug, Clone)]
pub(super) struct Tensor<'a> {
    pub(super) name: Cow<'a, str>,
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
    /// Length of the values in bytes, where they follow the JSON.
    binary: Option<usize>,
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

/// Reads the input at `place` and appends its values, which are taken from `tail` if they follow the JSON.
pub(super) fn read_tensor<'a>(
    cursor: &mut Cursor<'a>,
    place: usize,
    (values, first_missing): (&mut Vec<f64>, &mut Option<usize>),
    tail: &mut &[u8],
) -> Result<Tensor<'a>, BadRequest> {
    if cursor.peek().is_some_and(|byte| byte != b'{') {
        return Err(BadRequest::Type { field: "inputs", expected: "an array of objects" });
    }
    let start = values.len();
    let mut fields = Fields::default();
    let read = cursor.object(|cursor, key| fields.member(cursor, key, values, first_missing));
    let tensor = read.and_then(|()| fields.finish((values, start, first_missing), tail).map_err(Stop::Tensor));
    tensor.map_err(|stop| match stop {
        Stop::Request(error) => error,
        Stop::Tensor(problem) => {
            let problem = if fields.datatype == Some("BYTES") { TensorProblem::Bytes } else { problem };
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
            "parameters" if cursor.peek() == Some(b'{') => return Ok(self.parameters(cursor)?),
            // Clients add fields of their own.
            _ => return Ok(cursor.raw().map(drop)?),
        };
        if is_twice { Err(Stop::Request(BadRequest::Twice("a field of `inputs[]`"))) } else { Ok(()) }
    }

    /// Of the parameters, only where the values are matters to numbers.
    fn parameters(&mut self, cursor: &mut Cursor<'a>) -> Result<(), BadRequest> {
        cursor.object(|cursor, key| {
            let value = cursor.raw()?;
            if key == "binary_data_size" {
                let wrong =
                    BadRequest::Type { field: "inputs[].parameters.binary_data_size", expected: "a whole number" };
                self.binary = Some(value.parse().map_err(|_| wrong)?);
            }
            Ok(())
        })
    }

    /// Holds the values, which are those from `start` on, against what was said of them.
    fn finish(
        &self,
        (values, start, first_missing): (&mut Vec<f64>, usize, &mut Option<usize>),
        tail: &mut &[u8],
    ) -> Result<Tensor<'a>, TensorProblem> {
        let name = self.name.ok_or(TensorProblem::Missing("name"))?;
        let datatype = Datatype::parse(self.datatype.ok_or(TensorProblem::Missing("datatype"))?)?;
        let shape = match self.shape.ok_or(TensorProblem::Missing("shape"))? {
            ([length, _], 1) => Shape::One(length),
            ([rows, columns], 2) => Shape::Two(rows, columns),
            (_, dimensions) => return Err(TensorProblem::Dimensions(dimensions)),
        };
        let nesting = match (self.data, self.binary) {
            (Some(nesting), None) => nesting,
            (None, Some(size)) => {
                let (bytes, rest) =
                    tail.split_at_checked(size).ok_or(TensorProblem::CutOff { size, actual: tail.len() })?;
                *tail = rest;
                datatype.read(bytes, values, first_missing)?;
                Nesting::Flat
            }
            (None, None) => return Err(TensorProblem::NoData),
            (Some(_), Some(_)) => return Err(TensorProblem::Both),
        };
        finished(unescaped(name), (datatype, shape), nesting, values.get(start..).unwrap_or_default())
    }
}

/// A tensor whose values are as many as its shape asks for, and each of its datatype.
fn finished<'a>(
    name: Cow<'a, str>,
    (datatype, shape): (Datatype, Shape),
    nesting: Nesting,
    values: &[f64],
) -> Result<Tensor<'a>, TensorProblem> {
    check_size(shape, nesting, values.len())?;
    match values.iter().position(|value| !datatype.holds(*value)) {
        None => Ok(Tensor { name, shape }),
        Some(index) => {
            let value = values[index].to_string();
            Err(TensorProblem::NotOfDatatype { index, value, datatype: datatype.name })
        }
    }
}

/// Where the values of a tensor of gRPC are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    /// In the tensor.
    Typed,
    /// Beside it.
    Raw(&'a [u8]),
}

/// Reads a tensor of gRPC and appends its values.
pub(super) fn of_message<'a>(
    tensor: &'a proto::Tensor,
    own: Values<'_>,
    (values, first_missing): (&mut Vec<f64>, &mut Option<usize>),
) -> Result<Tensor<'a>, TensorProblem> {
    let datatype = Datatype::parse(&tensor.datatype)?;
    let shape = shape_of(&tensor.shape)?;
    let start = values.len();
    match (own, &tensor.contents) {
        (Values::Raw(bytes), None) => datatype.read(bytes, values, first_missing)?,
        (Values::Raw(_), Some(contents)) if *contents != proto::Contents::default() => {
            return Err(TensorProblem::TypedAndRaw);
        }
        (Values::Raw(bytes), Some(_)) => datatype.read(bytes, values, first_missing)?,
        (Values::Typed, Some(contents)) => {
            append(datatype.name, contents, values);
            check_values(values.get(start..).unwrap_or_default(), start, first_missing)?;
        }
        (Values::Typed, None) => return Err(TensorProblem::Empty),
    }
    finished(Cow::Borrowed(&tensor.name), (datatype, shape), Nesting::Flat, values.get(start..).unwrap_or_default())
}

fn shape_of(shape: &[i64]) -> Result<Shape, TensorProblem> {
    let length = |length: i64| usize::try_from(length).map_err(|_| TensorProblem::Negative);
    match *shape {
        [rows] => Ok(Shape::One(length(rows)?)),
        [rows, columns] => Ok(Shape::Two(length(rows)?, length(columns)?)),
        _ => Err(TensorProblem::Dimensions(shape.len())),
    }
}

/// Appends the values that stand in the field of the datatype. Beyond ±2⁵³ whole numbers are rounded, as those in JSON are.
#[expect(clippy::cast_precision_loss, reason = "as numbers in JSON are")]
fn append(datatype: &str, contents: &proto::Contents, values: &mut Vec<f64>) {
    match datatype {
        "FP64" => values.extend_from_slice(&contents.fp64_contents),
        "FP32" => values.extend(contents.fp32_contents.iter().map(|value| f64::from(*value))),
        "INT64" => values.extend(contents.int64_contents.iter().map(|value| *value as f64)),
        "UINT64" => values.extend(contents.uint64_contents.iter().map(|value| *value as f64)),
        "BOOL" => values.extend(contents.bool_contents.iter().map(|value| f64::from(u8::from(*value)))),
        _ if datatype.starts_with("INT") => values.extend(contents.int_contents.iter().map(|value| f64::from(*value))),
        _ if datatype.starts_with("UINT") => {
            values.extend(contents.uint_contents.iter().map(|value| f64::from(*value)));
        }
        // FP16 has no field: it stands beside the tensor.
        _ => {}
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
