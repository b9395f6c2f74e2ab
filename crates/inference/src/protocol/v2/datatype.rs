//! The datatypes of numbers: what they hold, and how they are read from bytes.

use super::error::TensorProblem;
use crate::protocol::{BadValue, json::unescape};

/// All datatypes that are taken, for messages.
pub(super) const NAMES: &str = "BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64";

/// A datatype of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datatype {
    /// As it is written.
    pub(super) name: &'static str,
    /// The whole numbers it holds; `None` for floating point.
    range: Option<(f64, f64)>,
    /// Bytes of a value.
    width: usize,
    /// Reads a value of so many bytes, little-endian.
    read: fn(&[u8]) -> f64,
}

const fn float(name: &'static str, width: usize, read: fn(&[u8]) -> f64) -> Datatype {
    Datatype { name, range: None, width, read }
}

const fn whole(name: &'static str, width: usize, least: f64, greatest: f64, read: fn(&[u8]) -> f64) -> Datatype {
    Datatype { name, range: Some((least, greatest)), width, read }
}

/// Beyond ±2⁵³ whole numbers are rounded.
#[expect(clippy::cast_precision_loss, reason = "as numbers in JSON are")]
const DATATYPES: [Datatype; 12] = [
    float("FP64", 8, |bytes| read(bytes, f64::from_le_bytes)),
    float("FP32", 4, |bytes| read(bytes, |bytes| f64::from(f32::from_le_bytes(bytes)))),
    float("FP16", 2, |bytes| read(bytes, |bytes| half(u16::from_le_bytes(bytes)))),
    whole("INT64", 8, -9_223_372_036_854_775_808.0, 9_223_372_036_854_775_807.0, |bytes| {
        read(bytes, |bytes| i64::from_le_bytes(bytes) as f64)
    }),
    whole("INT32", 4, -2_147_483_648.0, 2_147_483_647.0, |bytes| read(bytes, |bytes| i32::from_le_bytes(bytes).into())),
    whole("INT16", 2, -32_768.0, 32_767.0, |bytes| read(bytes, |bytes| i16::from_le_bytes(bytes).into())),
    whole("INT8", 1, -128.0, 127.0, |bytes| read(bytes, |bytes| i8::from_le_bytes(bytes).into())),
    whole("UINT64", 8, 0.0, 18_446_744_073_709_551_615.0, |bytes| {
        read(bytes, |bytes| u64::from_le_bytes(bytes) as f64)
    }),
    whole("UINT32", 4, 0.0, 4_294_967_295.0, |bytes| read(bytes, |bytes| u32::from_le_bytes(bytes).into())),
    whole("UINT16", 2, 0.0, 65_535.0, |bytes| read(bytes, |bytes| u16::from_le_bytes(bytes).into())),
    whole("UINT8", 1, 0.0, 255.0, |bytes| read(bytes, |[byte]| byte.into())),
    whole("BOOL", 1, 0.0, 1.0, |bytes| read(bytes, |[byte]| byte.into())),
];

/// Reads a value of exactly N bytes, as all that are asked for are.
fn read<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f64) -> f64 {
    bytes.first_chunk().map_or(f64::NAN, |bytes| value(*bytes))
}

/// IEEE 754's binary16.
fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match i32::from(bits >> 10 & 0x1f) {
        0 => fraction * 2.0_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + fraction) * 2.0_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

impl Datatype {
    pub(super) fn parse(raw: &str) -> Result<Self, TensorProblem> {
        let known = DATATYPES.into_iter().find(|datatype| datatype.name == raw);
        known.ok_or_else(|| match raw {
            "BYTES" => TensorProblem::Bytes,
            _ => TensorProblem::Datatype(unescape(raw)),
        })
    }

    /// Whether a value is of this type. A missing one is of any.
    pub(super) fn holds(self, value: f64) -> bool {
        let is_whole = |(least, greatest): (f64, f64)| (least..=greatest).contains(&value) && value.fract() == 0.0;
        value.is_nan() || self.range.is_none_or(is_whole)
    }

    /// Appends the values of a binary tensor. NaN is a missing value.
    pub(super) fn read(
        self,
        bytes: &[u8],
        values: &mut Vec<f64>,
        first_missing: &mut Option<usize>,
    ) -> Result<(), TensorProblem> {
        if !bytes.len().is_multiple_of(self.width) {
            return Err(TensorProblem::Width { size: bytes.len(), datatype: self.name, width: self.width });
        }
        let start = values.len();
        values.extend(bytes.chunks_exact(self.width).map(self.read));
        check_values(values.get(start..).unwrap_or_default(), start, first_missing)
    }
}

/// Checks values that are no text, which stand in the block from `start` on. NaN is a missing value.
pub(super) fn check_values(
    values: &[f64],
    start: usize,
    first_missing: &mut Option<usize>,
) -> Result<(), TensorProblem> {
    if let Some(index) = values.iter().position(|value| value.is_infinite()) {
        return Err(TensorProblem::Value { index, error: BadValue::TooLarge });
    }
    if let Some(index) = values.iter().position(|value| value.is_nan()) {
        first_missing.get_or_insert(start + index);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, bytes: &[u8], expected: &[f64]) {
        let mut values = Vec::new();
        Datatype::parse(name).unwrap().read(bytes, &mut values, &mut None).unwrap();
        assert_eq!(values, expected, "{name}");
    }

    #[test]
    fn values_are_read_little_endian() {
        check("FP64", &[0.1_f64.to_le_bytes(), (-2.0_f64).to_le_bytes()].concat(), &[0.1, -2.0]);
        check("FP32", &0.5_f32.to_le_bytes(), &[0.5]);
        check("FP16", &[0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b], &[1.0, -2.0, 2.0_f64.powi(-24), 65504.0]);
        check("INT64", &(-5_i64).to_le_bytes(), &[-5.0]);
        check("INT32", &(-5_i32).to_le_bytes(), &[-5.0]);
        check("INT16", &(-5_i16).to_le_bytes(), &[-5.0]);
        check("INT8", &(-5_i8).to_le_bytes(), &[-5.0]);
        check("UINT64", &7_u64.to_le_bytes(), &[7.0]);
        check("UINT32", &u32::MAX.to_le_bytes(), &[4_294_967_295.0]);
        check("UINT16", &[1, 2], &[513.0]);
        check("UINT8", &[0, 255], &[0.0, 255.0]);
        check("BOOL", &[0, 1], &[0.0, 1.0]);
    }
}
