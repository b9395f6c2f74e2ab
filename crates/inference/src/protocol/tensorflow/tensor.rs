//! Reads a tensor: its values go into the block, and are held against shape and type at its end.

use bytes::Bytes;

use super::{
    dtype::{Dtype, Field},
    error::TensorProblem,
};
use crate::protocol::{
    BadValue,
    block::Shape,
    number_type::half,
    proto::tensorflow::{TensorProto, TensorShape},
};

/// Most values of a request of which one value stands for many: a short message must not take much memory.
pub(super) const FILLED_MAX: usize = 1 << 20;

/// What is said of a tensor besides its values, which stand in the block where they do not come as bytes.
#[derive(Debug, Default)]
pub(super) struct Stated {
    pub(super) dtype: Option<Dtype>,
    /// Lengths of its first dimensions, and how many it has.
    pub(super) shape: Option<([i64; 2], usize)>,
    /// The field whose values stand in the block.
    pub(super) field: Option<Field>,
    pub(super) content: Bytes,
}

/// Reads a tensor of gRPC and appends its values. NaN is a missing value.
pub fn read_tensor(tensor: &TensorProto, values: &mut Vec<f64>) -> Result<Shape, TensorProblem> {
    let start = values.len();
    let dtype = Some(Dtype::of_number(tensor.dtype)?);
    let shape = tensor.tensor_shape.as_ref().and_then(lengths);
    let field = append(tensor, values)?;
    Stated { dtype, shape, field, content: tensor.tensor_content.clone() }.finish(values, start)
}

fn lengths(shape: &TensorShape) -> Option<([i64; 2], usize)> {
    let length = |index: usize| shape.dim.get(index).map_or(0, |dim| dim.size);
    (!shape.unknown_rank).then(|| ([length(0), length(1)], shape.dim.len()))
}

/// Appends the values of the one field that has some. Beyond ±2⁵³ whole numbers are rounded, as those in JSON are.
#[expect(clippy::cast_precision_loss, reason = "as numbers in JSON are")]
fn append(tensor: &TensorProto, values: &mut Vec<f64>) -> Result<Option<Field>, TensorProblem> {
    let filled = filled(tensor);
    let mut fields = filled.into_iter().filter(|(_, length)| *length > 0).map(|(field, _)| field);
    let (field, other) = (fields.next(), fields.next());
    if let (Some(field), Some(other)) = (field, other) {
        return Err(TensorProblem::Several(field.name(), other.name()));
    }
    match field {
        Some(Field::Double) => values.extend_from_slice(&tensor.double_val),
        Some(Field::Float) => values.extend(tensor.float_val.iter().map(|value| f64::from(*value))),
        Some(Field::Half) => values.extend(tensor.half_val.iter().map(|value| f64::from(*value))),
        Some(Field::Int64) => values.extend(tensor.int64_val.iter().map(|value| *value as f64)),
        Some(Field::Int) => values.extend(tensor.int_val.iter().map(|value| f64::from(*value))),
        Some(Field::Uint64) => values.extend(tensor.uint64_val.iter().map(|value| *value as f64)),
        Some(Field::Uint32) => values.extend(tensor.uint32_val.iter().map(|value| f64::from(*value))),
        Some(Field::Bool) => values.extend(tensor.bool_val.iter().map(|value| f64::from(u8::from(*value)))),
        Some(Field::Other(_)) | None => {}
    }
    Ok(field)
}

/// The fields with their lengths.
fn filled(tensor: &TensorProto) -> [(Field, usize); 11] {
    [
        (Field::Double, tensor.double_val.len()),
        (Field::Float, tensor.float_val.len()),
        (Field::Half, tensor.half_val.len()),
        (Field::Int64, tensor.int64_val.len()),
        (Field::Int, tensor.int_val.len()),
        (Field::Uint64, tensor.uint64_val.len()),
        (Field::Uint32, tensor.uint32_val.len()),
        (Field::Bool, tensor.bool_val.len()),
        (Field::Other("string_val"), tensor.string_val.len()),
        (Field::Other("scomplex_val"), tensor.scomplex_val.len()),
        (Field::Other("dcomplex_val"), tensor.dcomplex_val.len()),
    ]
}

impl Stated {
    /// Holds the values, which are those from `start` on, against what was said of them.
    pub(super) fn finish(self, values: &mut Vec<f64>, start: usize) -> Result<Shape, TensorProblem> {
        let dtype = self.dtype.ok_or(TensorProblem::NoDtype)?;
        let shape = shape(self.shape)?;
        match (self.field, &self.content[..]) {
            (Some(field), []) if field != dtype.field => {
                let (expected, actual) = (dtype.field.name(), field.name());
                return Err(TensorProblem::Field { dtype: dtype.name, expected, actual });
            }
            (Some(_), []) => fill(shape, values, start)?,
            (None, []) => return Err(TensorProblem::Empty),
            (None, content) => read_content(dtype, shape, content, values)?,
            (Some(field), _) => return Err(TensorProblem::Several("tensor_content", field.name())),
        }
        let is_typed = self.content.is_empty();
        let values = values.get_mut(start..).unwrap_or_default();
        check(dtype, values, if is_typed { dtype.field } else { Field::Double })?;
        Ok(shape)
    }
}

fn shape(stated: Option<([i64; 2], usize)>) -> Result<Shape, TensorProblem> {
    let length = |length: i64| usize::try_from(length).map_err(|_| TensorProblem::Negative);
    match stated.ok_or(TensorProblem::NoShape)? {
        ([rows, _], 1) => Ok(Shape::One(length(rows)?)),
        ([rows, columns], 2) => Ok(Shape::Two(length(rows)?, length(columns)?)),
        (_, dimensions) => Err(TensorProblem::Dimensions(dimensions)),
    }
}

/// Number of values that a shape asks for; the error where there are not as many.
fn check_size(shape: Shape, actual: usize) -> Result<(), TensorProblem> {
    let (rows, columns) = sides(shape);
    match rows.checked_mul(columns) {
        Some(0) => Err(TensorProblem::Empty),
        Some(expected) if expected == actual => Ok(()),
        _ => Err(TensorProblem::Size { shape: shape.to_string(), expected: product(shape), actual }),
    }
}

fn sides(shape: Shape) -> (usize, usize) {
    match shape {
        Shape::One(length) => (length, 1),
        Shape::Two(rows, columns) => (rows, columns),
    }
}

fn product(shape: Shape) -> String {
    let (rows, columns) = sides(shape);
    (rows as u128 * columns as u128).to_string()
}

/// One value stands for all, as `TensorFlow` has it; else there must be as many as the shape asks for.
fn fill(shape: Shape, values: &mut Vec<f64>, start: usize) -> Result<(), TensorProblem> {
    let (rows, columns) = sides(shape);
    let is_one = values.len() == start + 1;
    match rows.checked_mul(columns).and_then(|expected| start.checked_add(expected)) {
        Some(end) if end == start => Err(TensorProblem::Empty),
        Some(end) if is_one && (end == start + 1 || end <= FILLED_MAX) => {
            let value = values.get(start).copied().unwrap_or(f64::NAN);
            values.resize(end, value);
            Ok(())
        }
        _ if is_one => {
            let (shape, expected) = (shape.to_string(), product(shape));
            Err(TensorProblem::Filled { shape, expected, max: FILLED_MAX })
        }
        _ => check_size(shape, values.len() - start),
    }
}

fn read_content(dtype: Dtype, shape: Shape, content: &[u8], values: &mut Vec<f64>) -> Result<(), TensorProblem> {
    let (size, width) = (content.len(), dtype.of.width);
    if !size.is_multiple_of(width) {
        return Err(TensorProblem::Width { size, dtype: dtype.name, width });
    }
    check_size(shape, size / width)?;
    values.extend(dtype.of.values(content));
    Ok(())
}

/// Checks that each value is one of the type, and makes it so where the field holds something else.
fn check(dtype: Dtype, values: &mut [f64], field: Field) -> Result<(), TensorProblem> {
    for (index, value) in values.iter_mut().enumerate() {
        *value = match field {
            #[expect(clippy::cast_possible_truncation, reason = "as the message of gRPC has it")]
            Field::Float => f64::from(*value as f32),
            Field::Half => half(bits(*value).ok_or_else(|| not_of(dtype, index, *value))?),
            _ => *value,
        };
        if value.is_infinite() {
            return Err(TensorProblem::Value { index, error: BadValue::TooLarge });
        }
        if !dtype.of.holds(*value) {
            return Err(not_of(dtype, index, *value));
        }
    }
    Ok(())
}

fn not_of(dtype: Dtype, index: usize, value: f64) -> TensorProblem {
    TensorProblem::NotOfDtype { index, value: value.to_string(), dtype: dtype.name }
}

/// The 16 bits that a whole number is.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
fn bits(value: f64) -> Option<u16> {
    ((0.0..=65_535.0).contains(&value) && value.fract() == 0.0).then_some(value as u16)
}

#[cfg(test)]
mod tests;
