//! A tensor between message and JSON, whatever it holds, for those who only pass it on.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Map, Number, Value, json};

use super::dtype::{dtype_name, dtype_of_name};
use crate::protocol::proto::tensorflow::{Dim, TensorProto, TensorShape};

/// Types whose values are no plain ones.
const RESOURCE_AND_VARIANT: [i32; 2] = [20, 21];

/// A tensor as JSON; `None` where it holds what is not passed on.
pub fn to_value(tensor: &TensorProto) -> Option<Value> {
    if RESOURCE_AND_VARIANT.contains(&tensor.dtype) {
        return None;
    }
    let name = dtype_name(tensor.dtype);
    let dtype = if name.is_empty() { Value::from(tensor.dtype) } else { name.into() };
    let mut json = Map::from_iter([("dtype".to_owned(), dtype)]);
    if let Some(shape) = &tensor.tensor_shape {
        json.insert("tensorShape".to_owned(), shape_to_value(shape));
    }
    if !tensor.tensor_content.is_empty() {
        json.insert("tensorContent".to_owned(), STANDARD.encode(&tensor.tensor_content).into());
    }
    let singles = |values: &[f32]| values.iter().map(|value| float(f64::from(*value))).collect();
    let doubles = |values: &[f64]| values.iter().map(|value| float(*value)).collect();
    let fields: [(&str, Vec<Value>); 11] = [
        ("halfVal", tensor.half_val.iter().map(|value| json!(value)).collect()),
        ("floatVal", singles(&tensor.float_val)),
        ("doubleVal", doubles(&tensor.double_val)),
        ("intVal", tensor.int_val.iter().map(|value| json!(value)).collect()),
        ("stringVal", tensor.string_val.iter().map(|value| STANDARD.encode(value).into()).collect()),
        ("scomplexVal", singles(&tensor.scomplex_val)),
        ("int64Val", tensor.int64_val.iter().map(|value| value.to_string().into()).collect()),
        ("boolVal", tensor.bool_val.iter().map(|value| json!(value)).collect()),
        ("dcomplexVal", doubles(&tensor.dcomplex_val)),
        ("uint32Val", tensor.uint32_val.iter().map(|value| json!(value)).collect()),
        ("uint64Val", tensor.uint64_val.iter().map(|value| value.to_string().into()).collect()),
    ];
    let filled = fields.into_iter().filter(|(_, values)| !values.is_empty());
    json.extend(filled.map(|(name, values)| (name.to_owned(), Value::Array(values))));
    Some(json.into())
}

fn shape_to_value(shape: &TensorShape) -> Value {
    let dim = |Dim { size, name }: &Dim| json!({"size": size.to_string(), "name": name});
    let dims: Vec<_> = shape.dim.iter().map(dim).collect();
    json!({"dim": dims, "unknownRank": shape.unknown_rank})
}

/// A number, or the text that stands for what JSON has no number for.
fn float(value: f64) -> Value {
    let text = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    Number::from_f64(value).map_or_else(|| text.into(), Value::Number)
}

/// A tensor that came as JSON; `None` where it is none.
pub fn from_value(json: &Value) -> Option<TensorProto> {
    let mut tensor = TensorProto::default();
    for (name, value) in json.as_object()?.iter().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            "dtype" => tensor.dtype = dtype_from_value(value)?,
            "tensorShape" | "tensor_shape" => tensor.tensor_shape = Some(shape_from_value(value)?),
            "versionNumber" | "version_number" => tensor.version_number = number(value)?,
            "tensorContent" | "tensor_content" => tensor.tensor_content = bytes(value)?,
            "halfVal" | "half_val" => tensor.half_val = all(value, number)?,
            "floatVal" | "float_val" => tensor.float_val = all(value, single)?,
            "doubleVal" | "double_val" => tensor.double_val = all(value, double)?,
            "intVal" | "int_val" => tensor.int_val = all(value, number)?,
            "stringVal" | "string_val" => tensor.string_val = all(value, bytes)?,
            "scomplexVal" | "scomplex_val" => tensor.scomplex_val = all(value, single)?,
            "int64Val" | "int64_val" => tensor.int64_val = all(value, number)?,
            "boolVal" | "bool_val" => tensor.bool_val = all(value, Value::as_bool)?,
            "dcomplexVal" | "dcomplex_val" => tensor.dcomplex_val = all(value, double)?,
            "uint32Val" | "uint32_val" => tensor.uint32_val = all(value, number)?,
            "uint64Val" | "uint64_val" => tensor.uint64_val = all(value, number)?,
            _ => return None,
        }
    }
    Some(tensor)
}

fn all<T>(value: &Value, each: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(each).collect()
}

/// A whole number, which may be a text.
fn number<T: std::str::FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

fn double(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

#[expect(clippy::cast_possible_truncation, reason = "as the message has it")]
fn single(value: &Value) -> Option<f32> {
    double(value).map(|value| value as f32)
}

fn bytes(value: &Value) -> Option<Bytes> {
    STANDARD.decode(value.as_str()?).ok().map(Bytes::from)
}

/// The number of a type by its name or number.
pub(in crate::protocol) fn dtype_from_value(value: &Value) -> Option<i32> {
    value.as_str().map_or_else(|| number(value), dtype_of_name)
}

/// A shape that came as JSON; `None` where it is none.
pub(in crate::protocol) fn shape_from_value(value: &Value) -> Option<TensorShape> {
    let dim = |dim: &Value| {
        let size = dim.get("size").map_or(Some(0), number)?;
        Some(Dim { size, name: dim["name"].as_str().unwrap_or_default().to_owned() })
    };
    let unknown_rank = value["unknownRank"] == true || value["unknown_rank"] == true;
    Some(TensorShape { dim: value.get("dim").map_or(Some(Vec::new()), |dims| all(dims, dim))?, unknown_rank })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tensor: &TensorProto, json: &Value) {
        assert_eq!(to_value(tensor).as_ref(), Some(json));
        assert_eq!(from_value(json).as_ref(), Some(tensor));
    }

    #[test]
    fn a_tensor_is_the_same_both_ways() {
        let of = |dtype| TensorProto { dtype, tensor_shape: Some(TensorShape::of(&[2])), ..TensorProto::default() };
        let shape = json!({"dim": [{"size": "2", "name": ""}], "unknownRank": false});
        let json =
            |dtype: &str, field: &str, values: Value| json!({"dtype": dtype, "tensorShape": shape, field: values});
        let doubles = TensorProto { double_val: vec![0.1, f64::INFINITY], ..of(2) };
        check(&doubles, &json("DT_DOUBLE", "doubleVal", json!([0.1, "Infinity"])));
        check(&TensorProto { float_val: vec![0.5, -2.0], ..of(1) }, &json("DT_FLOAT", "floatVal", json!([0.5, -2.0])));
        check(
            &TensorProto { int64_val: vec![i64::MIN], ..of(9) },
            &json("DT_INT64", "int64Val", json!([i64::MIN.to_string()])),
        );
        check(
            &TensorProto { uint64_val: vec![u64::MAX], ..of(23) },
            &json("DT_UINT64", "uint64Val", json!([u64::MAX.to_string()])),
        );
        check(&TensorProto { int_val: vec![-1], ..of(3) }, &json("DT_INT32", "intVal", json!([-1])));
        check(
            &TensorProto { uint32_val: vec![u32::MAX], ..of(22) },
            &json("DT_UINT32", "uint32Val", json!([u32::MAX])),
        );
        check(&TensorProto { half_val: vec![15360], ..of(19) }, &json("DT_HALF", "halfVal", json!([15360])));
        check(
            &TensorProto { bool_val: vec![true, false], ..of(10) },
            &json("DT_BOOL", "boolVal", json!([true, false])),
        );
        check(
            &TensorProto { string_val: vec!["yes".into()], ..of(7) },
            &json("DT_STRING", "stringVal", json!(["eWVz"])),
        );
        check(
            &TensorProto { scomplex_val: vec![1.0, 2.0], ..of(8) },
            &json("DT_COMPLEX64", "scomplexVal", json!([1.0, 2.0])),
        );
        check(
            &TensorProto { dcomplex_val: vec![1.0, 2.0], ..of(18) },
            &json("DT_COMPLEX128", "dcomplexVal", json!([1.0, 2.0])),
        );
        check(
            &TensorProto { tensor_content: Bytes::from_static(&[0, 1]), ..of(4) },
            &json("DT_UINT8", "tensorContent", json!("AAE=")),
        );
        let quantized = TensorProto { dtype: 11, ..TensorProto::default() };
        check(&quantized, &json!({"dtype": 11}));
    }

    #[test]
    fn both_spellings_are_read_and_what_is_no_tensor_is_none() {
        let spelled = json!({"dtype": 2, "tensor_shape": {"dim": [{}], "unknown_rank": true}, "double_val": ["NaN"], "int_val": null});
        let tensor = from_value(&spelled).unwrap();
        assert_eq!(tensor.tensor_shape.unwrap(), TensorShape { unknown_rank: true, ..TensorShape::of(&[0]) });
        assert!(tensor.double_val[0].is_nan());
        for json in [
            json!([]),
            json!({"values": []}),
            json!({"dtype": "FLOAT"}),
            json!({"int64Val": ["x"]}),
            json!({"tensorContent": "*"}),
        ] {
            assert_eq!(from_value(&json), None, "{json}");
        }
        assert_eq!(to_value(&TensorProto { dtype: 20, ..TensorProto::default() }), None);
    }
}
