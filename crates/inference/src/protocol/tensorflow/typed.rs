//! All values of a tensor in the type that they have, for those who pass them on as JSON and back.

use bytes::Bytes;

use super::{dtype::dtype_name, error::TensorProblem, tensor::FILLED_MAX};
use crate::protocol::{
    number_type::half,
    proto::tensorflow::{TensorProto, TensorShape},
};

/// Most dimensions of a tensor that is passed on.
pub const DIMENSIONS_MAX: usize = 16;

/// The values of a tensor, of whatever shape.
#[derive(Debug, Clone, PartialEq)]
pub enum Typed {
    /// `DT_FLOAT`.
    Single(Vec<f32>),
    /// `DT_DOUBLE` and `DT_HALF`.
    Double(Vec<f64>),
    /// Whole numbers, but for `DT_UINT64`.
    Whole(Vec<i64>),
    /// `DT_UINT64`.
    Unsigned(Vec<u64>),
    /// `DT_BOOL`.
    Truth(Vec<bool>),
    /// `DT_STRING`: texts or bytes.
    Text(Vec<Bytes>),
}

impl Typed {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
            Self::Whole(values) => values.len(),
            Self::Unsigned(values) => values.len(),
            Self::Truth(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Has one value stand for all.
    fn fill(&mut self, length: usize) {
        fn all<T: Clone>(values: &mut Vec<T>, length: usize) {
            if let Some(value) = values.first().cloned() {
                values.resize(length, value);
            }
        }
        match self {
            Self::Single(values) => all(values, length),
            Self::Double(values) => all(values, length),
            Self::Whole(values) => all(values, length),
            Self::Unsigned(values) => all(values, length),
            Self::Truth(values) => all(values, length),
            Self::Text(values) => all(values, length),
        }
    }
}

/// The lengths of a tensor's dimensions, and its values, of which there are as many as these ask for.
pub fn typed(tensor: &TensorProto) -> Result<(Vec<usize>, Typed), TensorProblem> {
    let shape = lengths(tensor.tensor_shape.as_ref())?;
    let mut values = values(tensor)?;
    // Arrays that hold no value are written, too.
    let outer =
        shape.iter().take_while(|length| **length > 0).try_fold(1_usize, |all, length| all.checked_mul(*length));
    let expected = if shape.contains(&0) { outer.filter(|outer| *outer <= FILLED_MAX).map(|_| 0) } else { outer };
    match (expected, values.len()) {
        (Some(expected), actual) if expected == actual => {}
        (Some(expected), 1) if (1..=FILLED_MAX).contains(&expected) => values.fill(expected),
        (_, actual) => {
            let expected = shape.iter().fold(1_u128, |all, length| all.saturating_mul(*length as u128)).to_string();
            return Err(TensorProblem::Size { shape: shown(&shape), expected, actual });
        }
    }
    Ok((shape, values))
}

fn shown(shape: &[usize]) -> String {
    let lengths: Vec<_> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", lengths.join(","))
}

fn lengths(shape: Option<&TensorShape>) -> Result<Vec<usize>, TensorProblem> {
    let shape = shape.filter(|shape| !shape.unknown_rank).ok_or(TensorProblem::NoShape)?;
    if shape.dim.len() > DIMENSIONS_MAX {
        return Err(TensorProblem::Deep(shape.dim.len(), DIMENSIONS_MAX));
    }
    shape.dim.iter().map(|dim| usize::try_from(dim.size).map_err(|_| TensorProblem::Negative)).collect()
}

fn values(tensor: &TensorProto) -> Result<Typed, TensorProblem> {
    let content = &tensor.tensor_content;
    let name = dtype_name(tensor.dtype);
    let is_typed = content.is_empty();
    let typed = |values: &[i32]| values.iter().map(|value| i64::from(*value)).collect();
    #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "16 bits, as the message has them")]
    let halves = || tensor.half_val.iter().map(|bits| half(*bits as u16)).collect();
    Ok(match name {
        "DT_FLOAT" if is_typed => Typed::Single(tensor.float_val.clone()),
        "DT_FLOAT" => Typed::Single(read(content, name, f32::from_le_bytes)?),
        "DT_DOUBLE" if is_typed => Typed::Double(tensor.double_val.clone()),
        "DT_DOUBLE" => Typed::Double(read(content, name, f64::from_le_bytes)?),
        "DT_HALF" if is_typed => Typed::Double(halves()),
        "DT_HALF" => Typed::Double(read(content, name, |bytes| half(u16::from_le_bytes(bytes)))?),
        "DT_INT64" if is_typed => Typed::Whole(tensor.int64_val.clone()),
        "DT_INT64" => Typed::Whole(read(content, name, i64::from_le_bytes)?),
        "DT_UINT64" if is_typed => Typed::Unsigned(tensor.uint64_val.clone()),
        "DT_UINT64" => Typed::Unsigned(read(content, name, u64::from_le_bytes)?),
        "DT_UINT32" if is_typed => Typed::Whole(tensor.uint32_val.iter().map(|value| i64::from(*value)).collect()),
        "DT_UINT32" => Typed::Whole(read(content, name, |bytes| u32::from_le_bytes(bytes).into())?),
        "DT_INT32" | "DT_INT16" | "DT_INT8" | "DT_UINT16" | "DT_UINT8" if is_typed => {
            Typed::Whole(typed(&tensor.int_val))
        }
        "DT_INT32" => Typed::Whole(read(content, name, |bytes| i32::from_le_bytes(bytes).into())?),
        "DT_INT16" => Typed::Whole(read(content, name, |bytes| i16::from_le_bytes(bytes).into())?),
        "DT_INT8" => Typed::Whole(read(content, name, |bytes| i8::from_le_bytes(bytes).into())?),
        "DT_UINT16" => Typed::Whole(read(content, name, |bytes| u16::from_le_bytes(bytes).into())?),
        "DT_UINT8" => Typed::Whole(read(content, name, |bytes| u8::from_le_bytes(bytes).into())?),
        "DT_BOOL" if is_typed => Typed::Truth(tensor.bool_val.clone()),
        "DT_BOOL" => Typed::Truth(read(content, name, |[byte]| byte != 0)?),
        "DT_STRING" => Typed::Text(tensor.string_val.clone()),
        "" if tensor.dtype == 0 => return Err(TensorProblem::NoDtype),
        "" => return Err(TensorProblem::Dtype(tensor.dtype.to_string())),
        name => return Err(TensorProblem::Dtype(name.to_owned())),
    })
}

/// The values that bytes are, the least significant first.
fn read<const N: usize, T>(
    bytes: &[u8],
    dtype: &'static str,
    value: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, TensorProblem> {
    let (values, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(TensorProblem::Width { size: bytes.len(), dtype, width: N });
    }
    Ok(values.iter().map(|bytes| value(*bytes)).collect())
}

/// Values as a tensor of this type; `None` where one of them is not of it. Without a type it is that of the values.
pub fn tensor_of(shape: &[usize], values: Typed, dtype: Option<i32>) -> Option<TensorProto> {
    let natural = match &values {
        Typed::Single(_) => 1,
        Typed::Double(_) => 2,
        Typed::Whole(_) => 9,
        Typed::Unsigned(_) => 23,
        Typed::Truth(_) => 10,
        Typed::Text(_) => 7,
    };
    let dtype = dtype.unwrap_or(natural);
    let lengths: Vec<_> = shape.iter().map(|length| i64::try_from(*length).unwrap_or(i64::MAX)).collect();
    let mut tensor = TensorProto { dtype, tensor_shape: Some(TensorShape::of(&lengths)), ..TensorProto::default() };
    let is_named = dtype_name(dtype);
    match (is_named, values) {
        ("DT_STRING", Typed::Text(values)) => tensor.string_val = values,
        ("DT_BOOL", Typed::Truth(values)) => tensor.bool_val = values,
        ("DT_FLOAT", Typed::Single(values)) => tensor.float_val = values,
        #[expect(clippy::cast_possible_truncation, reason = "as the type has it")]
        ("DT_FLOAT", values) => tensor.float_val = doubles(values)?.iter().map(|value| *value as f32).collect(),
        ("DT_DOUBLE", values) => tensor.double_val = doubles(values)?,
        ("DT_INT64", values) => tensor.int64_val = wholes(values)?,
        ("DT_UINT64", Typed::Unsigned(values)) => tensor.uint64_val = values,
        ("DT_UINT64", values) => tensor.uint64_val = within(wholes(values)?, u64::MIN, u64::MAX)?,
        ("DT_UINT32", values) => tensor.uint32_val = within(wholes(values)?, u32::MIN, u32::MAX)?,
        ("DT_INT32", values) => tensor.int_val = within(wholes(values)?, i32::MIN, i32::MAX)?,
        ("DT_INT16", values) => tensor.int_val = within(wholes(values)?, i16::MIN.into(), i16::MAX.into())?,
        ("DT_INT8", values) => tensor.int_val = within(wholes(values)?, i8::MIN.into(), i8::MAX.into())?,
        ("DT_UINT16", values) => tensor.int_val = within(wholes(values)?, 0, u16::MAX.into())?,
        ("DT_UINT8", values) => tensor.int_val = within(wholes(values)?, 0, u8::MAX.into())?,
        _ => return None,
    }
    Some(tensor)
}

#[expect(clippy::cast_precision_loss, reason = "as numbers in JSON are")]
fn doubles(values: Typed) -> Option<Vec<f64>> {
    Some(match values {
        Typed::Double(values) => values,
        Typed::Single(values) => values.into_iter().map(f64::from).collect(),
        Typed::Whole(values) => values.into_iter().map(|value| value as f64).collect(),
        Typed::Unsigned(values) => values.into_iter().map(|value| value as f64).collect(),
        Typed::Truth(_) | Typed::Text(_) => return None,
    })
}

/// Whole numbers, which may be written as `1.0`.
fn wholes(values: Typed) -> Option<Vec<i64>> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "checked")]
    let whole = |value: f64| (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64);
    match values {
        Typed::Whole(values) => Some(values),
        Typed::Double(values) => values.into_iter().map(whole).collect(),
        _ => None,
    }
}

fn within<T: TryFrom<i64> + PartialOrd>(values: Vec<i64>, least: T, greatest: T) -> Option<Vec<T>> {
    let value = |value: i64| T::try_from(value).ok().filter(|value| (&least..=&greatest).contains(&value));
    values.into_iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dtype: i32, lengths: &[i64]) -> TensorProto {
        TensorProto { dtype, tensor_shape: Some(TensorShape::of(lengths)), ..TensorProto::default() }
    }

    #[test]
    fn values_are_the_same_typed_and_as_bytes() {
        let pairs = [
            (TensorProto { float_val: vec![0.5], ..of(1, &[1]) }, 0.5_f32.to_le_bytes().to_vec()),
            (TensorProto { double_val: vec![0.1], ..of(2, &[1]) }, 0.1_f64.to_le_bytes().to_vec()),
            (TensorProto { half_val: vec![15360], ..of(19, &[1]) }, 15360_u16.to_le_bytes().to_vec()),
            (TensorProto { int64_val: vec![i64::MIN], ..of(9, &[1]) }, i64::MIN.to_le_bytes().to_vec()),
            (TensorProto { uint64_val: vec![u64::MAX], ..of(23, &[1]) }, u64::MAX.to_le_bytes().to_vec()),
            (TensorProto { uint32_val: vec![u32::MAX], ..of(22, &[1]) }, u32::MAX.to_le_bytes().to_vec()),
            (TensorProto { int_val: vec![-7], ..of(3, &[1]) }, (-7_i32).to_le_bytes().to_vec()),
            (TensorProto { int_val: vec![-7], ..of(5, &[1]) }, (-7_i16).to_le_bytes().to_vec()),
            (TensorProto { int_val: vec![-7], ..of(6, &[1]) }, (-7_i8).to_le_bytes().to_vec()),
            (TensorProto { int_val: vec![65535], ..of(17, &[1]) }, u16::MAX.to_le_bytes().to_vec()),
            (TensorProto { int_val: vec![255], ..of(4, &[1]) }, vec![255]),
            (TensorProto { bool_val: vec![true], ..of(10, &[1]) }, vec![1]),
        ];
        for (tensor, bytes) in pairs {
            let content = TensorProto { tensor_content: bytes.into(), ..of(tensor.dtype, &[1]) };
            let read = typed(&tensor).unwrap();
            assert_eq!(typed(&content).unwrap(), read);
            if tensor.dtype != 19 {
                assert_eq!(tensor_of(&read.0, read.1, Some(tensor.dtype)).unwrap(), tensor);
            }
        }
    }

    #[test]
    fn one_value_stands_for_all_and_other_numbers_of_them_do_not() {
        let filled = TensorProto { int_val: vec![3], ..of(3, &[2, 2]) };
        assert_eq!(typed(&filled), Ok((vec![2, 2], Typed::Whole(vec![3; 4]))));
        for (lengths, told) in [
            (&[3_i64][..], "the shape [3] asks for 3 values, there are 2"),
            (
                &[i64::MAX, i64::MAX, 0],
                "the shape [9223372036854775807,9223372036854775807,0] asks for 0 values, there are 2",
            ),
        ] {
            let tensor = TensorProto { int_val: vec![1, 2], ..of(3, lengths) };
            assert_eq!(typed(&tensor).unwrap_err().to_string(), told);
        }
        assert!(typed(&TensorProto { int_val: vec![1], ..of(3, &[1 << 40]) }).is_err());
        assert!(typed(&of(3, &[1 << 40, 0])).is_err());
        assert_eq!(typed(&of(3, &[2, 0])), Ok((vec![2, 0], Typed::Whole(Vec::new()))));
        assert_eq!(typed(&of(3, &[1; 17])).unwrap_err(), TensorProblem::Deep(17, 16));
        assert_eq!(typed(&of(20, &[1])).unwrap_err(), TensorProblem::Dtype("DT_RESOURCE".to_owned()));
    }

    #[test]
    fn values_are_put_in_the_type_that_is_asked_for() {
        let as_type = |values, dtype| tensor_of(&[2], values, Some(dtype));
        assert_eq!(as_type(Typed::Whole(vec![1, 2]), 1).unwrap().float_val, [1.0, 2.0]);
        assert_eq!(as_type(Typed::Double(vec![1.0, 2.0]), 3).unwrap().int_val, [1, 2]);
        assert_eq!(as_type(Typed::Double(vec![1.5, 2.0]), 3), None);
        assert_eq!(as_type(Typed::Whole(vec![256, 0]), 4), None);
        assert_eq!(as_type(Typed::Whole(vec![-1, 0]), 23), None);
        assert_eq!(as_type(Typed::Text(vec!["a".into(), "b".into()]), 2), None);
        assert_eq!(as_type(Typed::Truth(vec![true, false]), 10).unwrap().bool_val, [true, false]);
        assert_eq!(tensor_of(&[1], Typed::Double(vec![0.5]), None).unwrap().dtype, 2);
    }
}
