//! The datatypes of numbers by their names.

use super::error::TensorProblem;
use crate::protocol::{BadValue, json::unescape, number_type::NumberType};

/// All datatypes that are taken, for messages.
pub(super) const NAMES: &str = "BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64";

/// A datatype of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datatype {
    /// As it is written.
    pub(super) name: &'static str,
    of: NumberType,
}

const fn datatype(name: &'static str, of: NumberType) -> Datatype {
    Datatype { name, of }
}

const DATATYPES: [Datatype; 12] = [
    datatype("FP64", NumberType::FP64),
    datatype("FP32", NumberType::FP32),
    datatype("FP16", NumberType::FP16),
    datatype("INT64", NumberType::INT64),
    datatype("INT32", NumberType::INT32),
    datatype("INT16", NumberType::INT16),
    datatype("INT8", NumberType::INT8),
    datatype("UINT64", NumberType::UINT64),
    datatype("UINT32", NumberType::UINT32),
    datatype("UINT16", NumberType::UINT16),
    datatype("UINT8", NumberType::UINT8),
    datatype("BOOL", NumberType::BOOL),
];

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
        self.of.holds(value)
    }

    /// Appends the values of a binary tensor. NaN is a missing value.
    pub(super) fn read(
        self,
        bytes: &[u8],
        values: &mut Vec<f64>,
        first_missing: &mut Option<usize>,
    ) -> Result<(), TensorProblem> {
        if !bytes.len().is_multiple_of(self.of.width) {
            return Err(TensorProblem::Width { size: bytes.len(), datatype: self.name, width: self.of.width });
        }
        let start = values.len();
        values.extend(self.of.values(bytes));
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
