//! The types of numbers by their numbers and names, and the fields in which their values stand.

use super::error::TensorProblem;
use crate::protocol::number_type::NumberType;

/// All types that are taken, for messages.
pub(super) const NAMES: &str = "DT_DOUBLE, DT_FLOAT, DT_HALF, DT_INT64, DT_INT32, DT_INT16, DT_INT8, DT_UINT64, \
                                DT_UINT32, DT_UINT16, DT_UINT8, DT_BOOL";

/// A type of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dtype {
    number: i32,
    pub(super) name: &'static str,
    /// Where its values stand.
    pub(super) field: Field,
    pub(super) of: NumberType,
}

/// A field of a tensor with values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Double,
    Float,
    Half,
    Int64,
    Int,
    Uint64,
    Uint32,
    Bool,
    /// Those of what are no numbers.
    Other(&'static str),
}

impl Field {
    /// The fields by their names: in JSON, and in the definition of the message, which JSON may have, too.
    const NAMES: [(&str, &str, Self); 14] = [
        ("doubleVal", "double_val", Self::Double),
        ("floatVal", "float_val", Self::Float),
        ("halfVal", "half_val", Self::Half),
        ("int64Val", "int64_val", Self::Int64),
        ("intVal", "int_val", Self::Int),
        ("uint64Val", "uint64_val", Self::Uint64),
        ("uint32Val", "uint32_val", Self::Uint32),
        ("boolVal", "bool_val", Self::Bool),
        ("stringVal", "string_val", Self::Other("string_val")),
        ("scomplexVal", "scomplex_val", Self::Other("scomplex_val")),
        ("dcomplexVal", "dcomplex_val", Self::Other("dcomplex_val")),
        ("resourceHandleVal", "resource_handle_val", Self::Other("resource_handle_val")),
        ("variantVal", "variant_val", Self::Other("variant_val")),
        ("float8Val", "float8_val", Self::Other("float8_val")),
    ];

    /// The field of this name.
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(json, own, _)| [*json, *own].contains(&name)).map(|(_, _, field)| field)
    }

    /// Its name in the definition of the message.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(.., field)| *field == self).map_or("", |(_, name, _)| name)
    }
}

const fn dtype(number: i32, name: &'static str, field: Field, of: NumberType) -> Dtype {
    Dtype { number, name, field, of }
}

const DTYPES: [Dtype; 12] = [
    dtype(2, "DT_DOUBLE", Field::Double, NumberType::FP64),
    dtype(1, "DT_FLOAT", Field::Float, NumberType::FP32),
    dtype(19, "DT_HALF", Field::Half, NumberType::FP16),
    dtype(9, "DT_INT64", Field::Int64, NumberType::INT64),
    dtype(3, "DT_INT32", Field::Int, NumberType::INT32),
    dtype(5, "DT_INT16", Field::Int, NumberType::INT16),
    dtype(6, "DT_INT8", Field::Int, NumberType::INT8),
    dtype(23, "DT_UINT64", Field::Uint64, NumberType::UINT64),
    dtype(22, "DT_UINT32", Field::Uint32, NumberType::UINT32),
    dtype(17, "DT_UINT16", Field::Int, NumberType::UINT16),
    dtype(4, "DT_UINT8", Field::Int, NumberType::UINT8),
    dtype(10, "DT_BOOL", Field::Bool, NumberType::BOOL),
];

/// Types that are no numbers, for messages.
const OTHERS: [(i32, &str); 6] = [
    (7, "DT_STRING"),
    (8, "DT_COMPLEX64"),
    (14, "DT_BFLOAT16"),
    (18, "DT_COMPLEX128"),
    (20, "DT_RESOURCE"),
    (21, "DT_VARIANT"),
];

/// The name of a type by its number; empty for one that models neither take nor give.
pub(in crate::protocol) fn dtype_name(number: i32) -> &'static str {
    let numbers = DTYPES.iter().map(|dtype| (dtype.number, dtype.name));
    numbers.chain(OTHERS).find(|(other, _)| *other == number).map_or("", |(_, name)| name)
}

/// The number of a type of this name, of those that [`dtype_name`] has and `DT_INVALID`.
pub(super) fn dtype_of_name(name: &str) -> Option<i32> {
    let numbers = DTYPES.iter().map(|dtype| (dtype.number, dtype.name)).chain(OTHERS).chain([(0, "DT_INVALID")]);
    numbers.into_iter().find(|(_, other)| *other == name).map(|(number, _)| number)
}

impl Dtype {
    /// The type of this number.
    pub(super) fn of_number(number: i32) -> Result<Self, TensorProblem> {
        let known = DTYPES.into_iter().find(|dtype| dtype.number == number);
        known.ok_or_else(|| match dtype_name(number) {
            "" if number == 0 => TensorProblem::NoDtype,
            "" => TensorProblem::Dtype(number.to_string()),
            name => TensorProblem::Dtype(name.to_owned()),
        })
    }

    /// The type of this name.
    pub(super) fn of_name(name: &str) -> Result<Self, TensorProblem> {
        let known = DTYPES.into_iter().find(|dtype| dtype.name == name);
        known.ok_or_else(|| match name {
            "DT_INVALID" => TensorProblem::NoDtype,
            _ => TensorProblem::Dtype(name.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_in_the_message_about_others() {
        let names: Vec<_> = DTYPES.iter().map(|dtype| dtype.name).collect();
        assert_eq!(NAMES, names.join(", "));
        for Dtype { number, name, field, .. } in DTYPES {
            assert_eq!(Dtype::of_number(number).unwrap().name, name);
            assert_eq!(Dtype::of_name(name).unwrap().field, field);
            assert_eq!(Field::find(field.name()), Some(field));
        }
    }

    #[test]
    fn what_is_no_type_of_numbers_is_told_by_its_name() {
        let told = |problem: Result<Dtype, TensorProblem>| problem.map(|dtype| dtype.name).unwrap_err();
        assert_eq!(told(Dtype::of_number(7)), TensorProblem::Dtype("DT_STRING".to_owned()));
        assert_eq!(told(Dtype::of_number(99)), TensorProblem::Dtype("99".to_owned()));
        assert_eq!(told(Dtype::of_name("DOUBLE")), TensorProblem::Dtype("DOUBLE".to_owned()));
        assert_eq!(told(Dtype::of_number(0)), TensorProblem::NoDtype);
    }
}
