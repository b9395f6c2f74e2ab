//! Reads a tensor of JSON, as proto3 maps it: names of fields in either spelling, whole numbers as numbers or texts,
//! bytes in base64.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;

use super::{
    dtype::{Dtype, Field},
    error::{BadTensor, TensorProblem},
    tensor::Stated,
};
use crate::protocol::{
    BadValue,
    block::Shape,
    json::{Cursor, unescape},
    values::read_value,
};

const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// Reads a tensor and appends its values. NaN is a missing value.
pub(in crate::protocol) fn read_json(cursor: &mut Cursor<'_>, values: &mut Vec<f64>) -> Result<Shape, BadTensor> {
    let (start, mut stated) = (values.len(), Stated::default());
    cursor.object(|cursor, key| stated.member(cursor, key, values))?;
    Ok(stated.finish(values, start)?)
}

impl Stated {
    fn member(&mut self, cursor: &mut Cursor<'_>, key: &str, values: &mut Vec<f64>) -> Result<(), BadTensor> {
        if cursor.take_word("null") {
            return Ok(());
        }
        let (is_twice, field) = match key {
            "dtype" => (self.dtype.replace(read_dtype(cursor)?).is_some(), "dtype"),
            "tensorShape" | "tensor_shape" => (self.shape(cursor)?, "tensor_shape"),
            "tensorContent" | "tensor_content" => {
                let content = read_content(cursor)?;
                (!std::mem::replace(&mut self.content, content).is_empty(), "tensor_content")
            }
            "versionNumber" | "version_number" => return Ok(cursor.raw().map(drop)?),
            _ => {
                let field = Field::find(key).ok_or_else(|| BadTensor::UnknownField(unescape(key)))?;
                return self.values(cursor, field, values);
            }
        };
        if is_twice { Err(TensorProblem::Twice(field).into()) } else { Ok(()) }
    }

    /// Reads the shape, and tells whether there was one.
    fn shape(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, BadTensor> {
        let (mut lengths, mut dimensions, mut is_known) = ([0; 2], 0, true);
        open(cursor, b'{', "tensor_shape", "an object with `dim`")?;
        cursor.object(|cursor, key| match key {
            "dim" => {
                open(cursor, b'[', "tensor_shape.dim", DIM)?;
                cursor.array(|cursor| {
                    let size = read_dim(cursor)?;
                    if let Some(length) = lengths.get_mut(dimensions) {
                        *length = size;
                    }
                    dimensions += 1;
                    Ok(())
                })
            }
            "unknownRank" | "unknown_rank" => {
                is_known = cursor.raw()? != "true";
                Ok(())
            }
            _ => Err(BadTensor::UnknownField(format!("tensor_shape.{}", unescape(key)))),
        })?;
        let stated = is_known.then_some((lengths, dimensions));
        Ok(std::mem::replace(&mut self.shape, stated).is_some())
    }

    fn values(&mut self, cursor: &mut Cursor<'_>, field: Field, values: &mut Vec<f64>) -> Result<(), BadTensor> {
        open(cursor, b'[', field.name(), "an array")?;
        let start = values.len();
        let mut others = 0;
        cursor.array(|cursor| {
            if let Field::Other(_) = field {
                others += 1;
                return Ok(cursor.raw().map(drop)?);
            }
            let index = values.len() - start;
            read_scalar(cursor, values).map_err(|error| match error {
                BadValue::Json(error) => BadTensor::Json(error),
                error => TensorProblem::Value { index, error }.into(),
            })?;
            cursor.plain_numbers(values);
            Ok::<_, BadTensor>(())
        })?;
        match self.field {
            _ if values.len() == start && others == 0 => {}
            Some(other) if other == field => return Err(TensorProblem::Twice(field.name()).into()),
            Some(other) => return Err(TensorProblem::Several(other.name(), field.name()).into()),
            None => self.field = Some(field),
        }
        Ok(())
    }
}

const DIM: &str = "an array of objects with a `size`, as in [{\"size\":1},{\"size\":4}]";

/// Checks how a value begins; where the text ends instead, that is what is told.
fn open(cursor: &mut Cursor<'_>, with: u8, field: &'static str, expected: &'static str) -> Result<(), BadTensor> {
    match cursor.peek() {
        Some(byte) if byte == with => Ok(()),
        Some(_) => Err(BadTensor::Type { field, expected }),
        None => Err(cursor.expected("a value").into()),
    }
}

/// The name of a type, or its number.
fn read_dtype(cursor: &mut Cursor<'_>) -> Result<Dtype, BadTensor> {
    if cursor.peek() == Some(b'"') {
        return Ok(Dtype::of_name(&unescape(cursor.string()?))?);
    }
    let wrong = BadTensor::Type { field: "dtype", expected: "the name of a type, as in \"DT_DOUBLE\", or its number" };
    let number = cursor.raw()?.parse().map_err(|_| wrong)?;
    Ok(Dtype::of_number(number)?)
}

fn read_dim(cursor: &mut Cursor<'_>) -> Result<i64, BadTensor> {
    let wrong = || BadTensor::Type { field: "tensor_shape.dim", expected: DIM };
    open(cursor, b'{', "tensor_shape.dim", DIM)?;
    let mut size = 0;
    cursor.object(|cursor, key| match key {
        "size" if cursor.peek() == Some(b'"') => {
            size = cursor.string()?.parse().map_err(|_| wrong())?;
            Ok(())
        }
        "size" => {
            size = cursor.raw()?.parse().map_err(|_| wrong())?;
            Ok(())
        }
        "name" => Ok(cursor.raw().map(drop)?),
        _ => Err(wrong()),
    })?;
    Ok(size)
}

fn read_content(cursor: &mut Cursor<'_>) -> Result<Bytes, BadTensor> {
    open(cursor, b'"', "tensor_content", "a text in base64")?;
    let raw = cursor.string()?;
    let text = if raw.contains('\\') { unescape(raw) } else { raw.to_owned() };
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    Ok(engine.decode(text).map_err(|_| TensorProblem::Base64)?.into())
}

/// Reads a number, which may stand in a text.
fn read_scalar(cursor: &mut Cursor<'_>, values: &mut Vec<f64>) -> Result<(), BadValue> {
    if cursor.peek() != Some(b'"') {
        return read_value(cursor, values, &mut None);
    }
    match cursor.string()? {
        "NaN" => values.push(f64::NAN),
        "Infinity" | "-Infinity" => return Err(BadValue::TooLarge),
        text => {
            let mut inner = Cursor::new(text.as_bytes())?;
            let number = inner.number().and_then(|number| inner.end().map(|()| number));
            values.push(number.map_err(|_| BadValue::Found("a text"))?);
        }
    }
    Ok(())
}
