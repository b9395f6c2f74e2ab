//! Reads a `SeldonMessage` in one pass: numbers go straight into the caller's block, everything else
//! stays a slice of the body.

use super::{BadRequest, Data};
use crate::protocol::{
    block::Shape as TensorShape,
    json::{Cursor, unescape},
    tensorflow::{BadTensor, read_json},
    values::{BadValue, VALUES_MAX, read_value},
};

/// How the numbers came, and so how the answer goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `data.ndarray`: nested arrays.
    Ndarray,
    /// `data.tensor`: shape and values.
    Tensor,
    /// `data.tftensor`: a tensor of `TensorFlow`.
    Tftensor,
}

/// A request without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// How the numbers came.
    pub form: Form,
    /// Number of instances, at least 1.
    pub rows: usize,
    /// Number of features of each.
    pub columns: usize,
    /// Row and column of the first missing value (`null` or `NaN`), if any.
    pub first_missing: Option<(usize, usize)>,
    /// `data.names` as written.
    pub names: Option<&'a str>,
    /// What came in `meta`.
    pub meta: Meta<'a>,
}

/// The parts of `meta` that are kept; each as written, an object or array where not said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meta<'a> {
    /// The request's id as it stands between its quotes.
    pub puid: Option<&'a str>,
    /// Tags.
    pub tags: Option<&'a str>,
    /// Routing decisions.
    pub routing: Option<&'a str>,
    /// Nodes passed so far.
    pub request_path: Option<&'a str>,
    /// Custom metrics (an array).
    pub metrics: Option<&'a str>,
}

/// Reads a request and appends its values, row after row, to `values`, which must be empty. A missing
/// value is NaN.
pub fn parse_request<'a>(body: &'a [u8], values: &mut Vec<f64>) -> Result<Request<'a>, BadRequest> {
    let mut cursor = Cursor::new(body)?;
    let mut message = Message::default();
    cursor.object(|cursor, key| message.member(cursor, key, values))?;
    cursor.end()?;
    message.finish(values)
}

/// Reads `data` alone.
pub(super) fn read_data<'a>(cursor: &mut Cursor<'a>, values: &mut Vec<f64>) -> Result<Data<'a>, BadRequest> {
    let mut message = Message::default();
    message.data(cursor, values)?;
    let Request { form, rows, columns, first_missing, names, .. } = message.finish(values)?;
    Ok(Data { form, rows, columns, first_missing, names })
}

/// Reads `meta` alone.
pub(super) fn read_meta<'a>(cursor: &mut Cursor<'a>) -> Result<Meta<'a>, BadRequest> {
    let mut message = Message::default();
    message.meta(cursor)?;
    Ok(message.meta)
}

/// The texts of `data.names` as [`Request::names`] gives it; names that are no texts are left as written.
pub fn parse_names(raw: &str) -> Vec<String> {
    let mut names = Vec::new();
    let Ok(mut cursor) = Cursor::new(raw.as_bytes()) else { return names };
    // The text was read once already, so it is an array.
    let _read = cursor.array(|cursor| {
        names.push(match cursor.peek() {
            Some(b'"') => unescape(cursor.string()?),
            _ => cursor.raw()?.to_owned(),
        });
        Ok::<_, BadRequest>(())
    });
    names
}

#[derive(Default)]
struct Message<'a> {
    payload: Option<Payload>,
    names: Option<&'a str>,
    meta: Meta<'a>,
}

/// What is known of a payload once its values are read.
struct Payload {
    form: Form,
    shape: Shape,
    first_missing: Option<usize>,
}

enum Shape {
    /// Rows of equal length.
    Rows { rows: usize, columns: usize },
    /// As a tensor states it; absent or present, right or wrong.
    Stated(Option<Vec<usize>>),
}

impl Payload {
    fn dimensions(&self, values: usize) -> Result<(usize, usize), BadRequest> {
        let (rows, columns) = match &self.shape {
            Shape::Rows { rows, columns } => (*rows, *columns),
            Shape::Stated(None) => return Err(BadRequest::Type { field: "data.tensor.shape", expected: SHAPE }),
            Shape::Stated(Some(shape)) => match shape[..] {
                [rows, columns] if rows.checked_mul(columns) == Some(values) => (rows, columns),
                [rows, columns] => {
                    let expected = (rows as u128 * columns as u128).to_string();
                    return Err(BadRequest::TensorSize { expected, actual: values });
                }
                _ => return Err(BadRequest::Dimensions(shape.len())),
            },
        };
        if rows == 0 || columns == 0 { Err(BadRequest::Empty) } else { Ok((rows, columns)) }
    }
}

const SHAPE: &str = "an array of two whole numbers, as in [1, 4]";

impl<'a> Message<'a> {
    /// The whole, once all is read.
    fn finish(self, values: &[f64]) -> Result<Request<'a>, BadRequest> {
        let payload = self.payload.ok_or(BadRequest::NoPayload)?;
        let (rows, columns) = payload.dimensions(values.len())?;
        let first_missing = payload.first_missing.map(|index| (index / columns, index % columns));
        Ok(Request { form: payload.form, rows, columns, first_missing, names: self.names, meta: self.meta })
    }

    fn member(&mut self, cursor: &mut Cursor<'a>, key: &'a str, values: &mut Vec<f64>) -> Result<(), BadRequest> {
        match key {
            "data" => self.data(cursor, values),
            "meta" => self.meta(cursor),
            "status" => Ok(cursor.raw().map(drop)?),
            "strData" => Err(BadRequest::Payload("strData")),
            "binData" => Err(BadRequest::Payload("binData")),
            "jsonData" => Err(BadRequest::Payload("jsonData")),
            "customData" => Err(BadRequest::Payload("customData")),
            _ => Err(BadRequest::UnknownField(unescape(key))),
        }
    }

    fn data(&mut self, cursor: &mut Cursor<'a>, values: &mut Vec<f64>) -> Result<(), BadRequest> {
        if cursor.peek() != Some(b'{') {
            return Err(wrong_type(cursor, "data", "an object"));
        }
        cursor.object(|cursor, key| match key {
            "names" if cursor.take_word("null") => Ok(()),
            "names" if cursor.peek() != Some(b'[') => Err(wrong_type(cursor, "data.names", "an array of texts")),
            "names" => {
                self.names = Some(cursor.raw()?);
                Ok(())
            }
            "ndarray" => self.set_payload(read_ndarray(cursor, values)?, values),
            "tensor" => self.set_payload(read_tensor(cursor, values)?, values),
            "tftensor" => self.set_payload(read_tftensor(cursor, values)?, values),
            _ => Err(BadRequest::UnknownField(format!("data.{}", unescape(key)))),
        })
    }

    fn set_payload(&mut self, payload: Payload, values: &[f64]) -> Result<(), BadRequest> {
        if values.len() > VALUES_MAX {
            return Err(BadRequest::TooManyValues(VALUES_MAX));
        }
        match self.payload.replace(payload) {
            None => Ok(()),
            Some(_) => Err(BadRequest::SeveralPayloads),
        }
    }

    /// Reads `meta`. Keys it does not know are passed over: clients put their own there.
    fn meta(&mut self, cursor: &mut Cursor<'a>) -> Result<(), BadRequest> {
        if cursor.take_word("null") {
            return Ok(());
        }
        if cursor.peek() != Some(b'{') {
            return Err(wrong_type(cursor, "meta", "an object"));
        }
        let meta = &mut self.meta;
        cursor.object(|cursor, key| {
            let (slot, field, open, expected) = match key {
                "puid" => return read_puid(cursor, &mut meta.puid),
                "tags" => (&mut meta.tags, "meta.tags", b'{', "an object"),
                "routing" => (&mut meta.routing, "meta.routing", b'{', "an object"),
                "requestPath" => (&mut meta.request_path, "meta.requestPath", b'{', "an object"),
                "metrics" => (&mut meta.metrics, "meta.metrics", b'[', "an array"),
                _ => return Ok(cursor.raw().map(drop)?),
            };
            if cursor.take_word("null") {
                return Ok(());
            }
            if cursor.peek() != Some(open) {
                return Err(wrong_type(cursor, field, expected));
            }
            *slot = Some(cursor.raw()?);
            Ok(())
        })
    }
}

/// A value of another type than it must be; where the text ends instead, that is what is told.
fn wrong_type(cursor: &mut Cursor<'_>, field: &'static str, expected: &'static str) -> BadRequest {
    match cursor.peek() {
        Some(_) => BadRequest::Type { field, expected },
        None => cursor.expected("a value").into(),
    }
}

fn read_puid<'a>(cursor: &mut Cursor<'a>, puid: &mut Option<&'a str>) -> Result<(), BadRequest> {
    match cursor.peek() {
        Some(b'"') => *puid = Some(cursor.string()?).filter(|text| !text.is_empty()),
        _ if cursor.take_word("null") => {}
        _ => return Err(wrong_type(cursor, "meta.puid", "a text")),
    }
    Ok(())
}

fn read_ndarray(cursor: &mut Cursor<'_>, values: &mut Vec<f64>) -> Result<Payload, BadRequest> {
    let (mut rows, mut columns, mut first_missing) = (0, 0, None);
    if cursor.peek() != Some(b'[') {
        return Err(wrong_type(cursor, "data.ndarray", "an array of rows, as in [[1.0, 2.0]]"));
    }
    cursor.array(|cursor| {
        if cursor.peek() != Some(b'[') {
            return Err(not_a_row(cursor)?);
        }
        let start = values.len();
        cursor.array(|cursor| {
            let place = (rows, values.len() - start);
            read_number(cursor, place, values, &mut first_missing)?;
            cursor.plain_numbers(values);
            Ok::<_, BadRequest>(())
        })?;
        let length = values.len() - start;
        if rows > 0 && length != columns {
            return Err(BadRequest::Ragged { row: rows, expected: columns, actual: length });
        }
        (rows, columns) = (rows + 1, length);
        Ok(())
    })?;
    Ok(Payload { form: Form::Ndarray, shape: Shape::Rows { rows, columns }, first_missing })
}

/// An element of `ndarray` that is no array: the caller sent one dimension, or not JSON.
fn not_a_row(cursor: &mut Cursor<'_>) -> Result<BadRequest, BadRequest> {
    if !cursor.take_word("NaN") {
        cursor.raw()?;
    }
    Ok(BadRequest::Dimensions(1))
}

fn read_tensor(cursor: &mut Cursor<'_>, values: &mut Vec<f64>) -> Result<Payload, BadRequest> {
    let (mut shape, mut first_missing) = (None, None);
    if cursor.peek() != Some(b'{') {
        return Err(wrong_type(cursor, "data.tensor", "an object with `shape` and `values`"));
    }
    cursor.object(|cursor, key| match key {
        "shape" => {
            shape = Some(read_shape(cursor)?);
            Ok(())
        }
        "values" if cursor.peek() != Some(b'[') => Err(wrong_type(cursor, "data.tensor.values", "an array of numbers")),
        "values" => cursor.array(|cursor| {
            let place = (0, values.len());
            read_number(cursor, place, values, &mut first_missing)?;
            cursor.plain_numbers(values);
            Ok(())
        }),
        _ => Err(BadRequest::UnknownField(format!("data.tensor.{}", unescape(key)))),
    })?;
    Ok(Payload { form: Form::Tensor, shape: Shape::Stated(shape), first_missing })
}

fn read_tftensor(cursor: &mut Cursor<'_>, values: &mut Vec<f64>) -> Result<Payload, BadRequest> {
    if cursor.peek() != Some(b'{') {
        return Err(wrong_type(cursor, "data.tftensor", "an object with `dtype`, `tensorShape` and values"));
    }
    let start = values.len();
    let shape = read_json(cursor, values).map_err(|error| match error {
        BadTensor::Json(error) => error.into(),
        error => BadRequest::Tftensor(error),
    })?;
    let first_missing = values.iter().skip(start).position(|value| value.is_nan());
    match shape {
        TensorShape::Two(rows, columns) => {
            Ok(Payload { form: Form::Tftensor, shape: Shape::Rows { rows, columns }, first_missing })
        }
        TensorShape::One(_) => Err(BadRequest::Dimensions(1)),
    }
}

fn read_shape(cursor: &mut Cursor<'_>) -> Result<Vec<usize>, BadRequest> {
    let wrong = || BadRequest::Type { field: "data.tensor.shape", expected: SHAPE };
    if cursor.peek() != Some(b'[') {
        return Err(wrong());
    }
    let mut shape = Vec::new();
    cursor.array(|cursor| {
        let size = cursor.raw()?;
        shape.push(size.parse().map_err(|_| wrong())?);
        if shape.len() > 8 { Err(BadRequest::Dimensions(shape.len())) } else { Ok(()) }
    })?;
    Ok(shape)
}

/// Reads a value; where it is none, tells at which place.
fn read_number(
    cursor: &mut Cursor<'_>,
    (row, column): (usize, usize),
    values: &mut Vec<f64>,
    first_missing: &mut Option<usize>,
) -> Result<(), BadRequest> {
    read_value(cursor, values, first_missing).map_err(|error| match error {
        BadValue::Json(error) => error.into(),
        BadValue::Found(found) => BadRequest::NotANumber { row, column, found },
        BadValue::Array => BadRequest::Dimensions(3),
        BadValue::TooLarge => BadRequest::TooLarge { row, column },
    })
}

#[cfg(test)]
mod tests;
