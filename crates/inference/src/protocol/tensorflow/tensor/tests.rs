//! How tensors are read, of gRPC and of JSON: every type, bytes, one value for all, and every way to be wrong.

use proptest::prelude::*;

use super::*;
use crate::protocol::{
    json::Cursor,
    tensorflow::{BadTensor, read_json},
};

fn of(dtype: i32, lengths: &[i64]) -> TensorProto {
    TensorProto { dtype, tensor_shape: Some(TensorShape::of(lengths)), ..TensorProto::default() }
}

#[track_caller]
fn check(tensor: &TensorProto, expected: &str) {
    let mut values = vec![7.0];
    let shown = match read_tensor(tensor, &mut values) {
        Ok(shape) => format!("{shape} {:?}", &values[1..]),
        Err(problem) => problem.to_string(),
    };
    assert_eq!(shown, expected);
}

fn read(json: &str, values: &mut Vec<f64>) -> Result<Shape, BadTensor> {
    let mut cursor = Cursor::new(json.as_bytes())?;
    let shape = read_json(&mut cursor, values)?;
    cursor.end()?;
    Ok(shape)
}

#[track_caller]
fn check_json(json: &str, expected: &str) {
    let mut values = vec![7.0];
    let shown = match read(json, &mut values) {
        Ok(shape) => format!("{shape} {:?}", &values[1..]),
        Err(error) => error.to_string(),
    };
    assert_eq!(shown, expected, "{json}");
}

#[test]
fn values_stand_in_the_field_of_their_type() {
    let expected = "[2,1] [1.0, 2.0]";
    check(&TensorProto { double_val: vec![1.0, 2.0], ..of(2, &[2, 1]) }, expected);
    check(&TensorProto { float_val: vec![1.0, 2.0], ..of(1, &[2, 1]) }, expected);
    check(&TensorProto { half_val: vec![0x3c00, 0x4000], ..of(19, &[2, 1]) }, expected);
    check(&TensorProto { int64_val: vec![1, 2], ..of(9, &[2, 1]) }, expected);
    for dtype in [3, 5, 6, 17, 4] {
        check(&TensorProto { int_val: vec![1, 2], ..of(dtype, &[2, 1]) }, expected);
    }
    check(&TensorProto { uint64_val: vec![1, 2], ..of(23, &[2, 1]) }, expected);
    check(&TensorProto { uint32_val: vec![1, 2], ..of(22, &[2, 1]) }, expected);
    check(&TensorProto { bool_val: vec![true, false], ..of(10, &[2]) }, "[2] [1.0, 0.0]");
}

#[test]
fn values_come_as_bytes() {
    let content = |dtype, bytes: &[u8]| TensorProto { tensor_content: bytes.to_vec().into(), ..of(dtype, &[1, 2]) };
    check(&content(2, &[1.5_f64.to_le_bytes(), 2.0_f64.to_le_bytes()].concat()), "[1,2] [1.5, 2.0]");
    check(&content(19, &[0x00, 0x3c, 0x00, 0x40]), "[1,2] [1.0, 2.0]");
    check(&content(4, &[0, 255]), "[1,2] [0.0, 255.0]");
    check(&content(1, &[0; 7]), "`tensor_content` has 7 bytes, and a value of DT_FLOAT has 4");
    check(&content(1, &[0; 4]), "the shape [1,2] asks for 2 values, there are 1");
    check(&content(10, &[0, 2]), "value 1: 2 is not of the type DT_BOOL");
    let both = TensorProto { double_val: vec![1.0], ..content(2, &[0; 16]) };
    check(&both, "it has values in `tensor_content` and in `double_val`: send them in one");
}

#[test]
fn one_value_stands_for_all() {
    check(&TensorProto { double_val: vec![0.5], ..of(2, &[2, 2]) }, "[2,2] [0.5, 0.5, 0.5, 0.5]");
    let much = TensorProto { double_val: vec![0.5], ..of(2, &[1 << 19, 4]) };
    let problem = "the shape [524288,4] asks for 2097152 values; one value may stand for all up to 1048576 of a request: send each value";
    check(&much, problem);
    let mut before = vec![0.0; (1 << 20) - 3];
    let filled = TensorProto { double_val: vec![0.5], ..of(2, &[2, 2]) };
    assert!(matches!(read_tensor(&filled, &mut before), Err(TensorProblem::Filled { .. })));
    let more = TensorProto { double_val: vec![0.5], ..of(2, &[i64::MAX, i64::MAX]) };
    assert!(matches!(read_tensor(&more, &mut Vec::new()), Err(TensorProblem::Filled { .. })));
}

#[test]
fn missing_values_are_nan() {
    check(&TensorProto { double_val: vec![f64::NAN, 1.0], ..of(2, &[1, 2]) }, "[1,2] [NaN, 1.0]");
    check_json(
        r#"{"dtype":2,"tensorShape":{"dim":[{"size":1},{"size":2}]},"doubleVal":["NaN",null]}"#,
        "[1,2] [NaN, NaN]",
    );
}

#[test]
fn tensors_that_cannot_be_taken_are_told_why() {
    let values = |tensor| TensorProto { double_val: vec![1.0, 2.0], ..tensor };
    check(
        &of(0, &[1]),
        "`dtype` is missing: send one of DT_DOUBLE, DT_FLOAT, DT_HALF, DT_INT64, DT_INT32, DT_INT16, DT_INT8, DT_UINT64, DT_UINT32, DT_UINT16, DT_UINT8, DT_BOOL",
    );
    let text = TensorProto { string_val: vec!["x".into()], ..of(7, &[1, 1]) };
    assert_eq!(read_tensor(&text, &mut Vec::new()), Err(TensorProblem::Dtype("DT_STRING".to_owned())));
    check(&TensorProto { tensor_shape: None, ..values(of(2, &[])) }, &TensorProblem::NoShape.to_string());
    let unknown = Some(TensorShape { unknown_rank: true, ..TensorShape::default() });
    check(&TensorProto { tensor_shape: unknown, ..values(of(2, &[])) }, &TensorProblem::NoShape.to_string());
    check(&values(of(2, &[-1, 2])), "the shape has a negative length");
    check(&values(of(2, &[1, 1, 2])), "the shape has 3 dimensions; this model takes [rows, features]");
    check(&values(of(2, &[])), "the shape has 0 dimensions; this model takes [rows, features]");
    check(&values(of(2, &[2, 4])), "the shape [2,4] asks for 8 values, there are 2");
    check(
        &values(of(2, &[i64::MAX, 4])),
        "the shape [9223372036854775807,4] asks for 36893488147419103228 values, there are 2",
    );
    check(&of(2, &[1, 4]), "it has no values: send at least one row");
    check(&values(of(2, &[0, 4])), "it has no values: send at least one row");
    check(
        &values(of(1, &[1, 2])),
        "the values of DT_FLOAT stand in `float_val` or `tensor_content`; there are some in `double_val`",
    );
    let several = TensorProto { int_val: vec![1], ..values(of(2, &[1, 2])) };
    check(&several, "it has values in `double_val` and in `int_val`: send them in one");
    check(&TensorProto { int_val: vec![300], ..of(4, &[1, 1]) }, "value 0: 300 is not of the type DT_UINT8");
    check(&TensorProto { half_val: vec![-1], ..of(19, &[1, 1]) }, "value 0: -1 is not of the type DT_HALF");
    let infinite = TensorProto { double_val: vec![f64::INFINITY], ..of(2, &[1, 1]) };
    check(&infinite, "value 0: the number is too large");
}

#[test]
fn json_is_read_as_proto3_maps_it() {
    let shape = r#""tensorShape":{"dim":[{"size":"1"},{"size":2,"name":"a"}],"unknownRank":false}"#;
    let tensor = |rest: &str| format!("{{{shape},{rest}}}");
    check_json(&tensor(r#""dtype":"DT_DOUBLE","doubleVal":[1.5, 2]"#), "[1,2] [1.5, 2.0]");
    check_json(&tensor(r#""doubleVal":[1,2,3],"dtype":2"#), "the shape [1,2] asks for 2 values, there are 3");
    check_json(&tensor(r#""dtype":9,"int64Val":["-3","4"],"versionNumber":0"#), "[1,2] [-3.0, 4.0]");
    check_json(&tensor(r#""dtype":"DT_INT32","int_val":[1],"doubleVal":[]"#), "[1,2] [1.0, 1.0]");
    check_json(&tensor(r#""dtype":"DT_BOOL","boolVal":[true,false]"#), "[1,2] [1.0, 0.0]");
    check_json(&tensor(r#""dtype":"DT_HALF","halfVal":[15360,16384]"#), "[1,2] [1.0, 2.0]");
    // As over gRPC, a number of 32 bits is one.
    check_json(&tensor(r#""dtype":"DT_FLOAT","floatVal":[0.1,0.5]"#), "[1,2] [0.10000000149011612, 0.5]");
    check_json(&tensor(r#""dtype":"DT_FLOAT","floatVal":[1e300,0]"#), "value 0: the number is too large");
    for content in ["AACAPwAAAMA=", "AACAPwAAAMA", "AACAPw\\u0041AAMA="] {
        let json = tensor(&format!(r#""dtype":"DT_FLOAT","tensorContent":"{content}""#));
        check_json(&json, "[1,2] [1.0, -2.0]");
    }
    let url_safe = r#"{"dtype":"DT_UINT8","tensor_shape":{"dim":[{"size":"3"}]},"tensor_content":"-_-_"}"#;
    check_json(url_safe, "[3] [251.0, 255.0, 191.0]");
}

#[test]
fn json_that_cannot_be_taken_is_told_why() {
    let shape = r#""tensorShape":{"dim":[{"size":1},{"size":1}]}"#;
    let tensor = |rest: &str| format!("{{{shape},{rest}}}");
    check_json(&tensor(r#""dtype":"DT_DOUBLE","doubleVal":["x"]"#), "value 0: expected a number, found a text");
    check_json(&tensor(r#""dtype":"DT_DOUBLE","doubleVal":[[1]]"#), "value 0: expected a number, found an array");
    check_json(&tensor(r#""dtype":"DT_DOUBLE","doubleVal":["Infinity"]"#), "value 0: the number is too large");
    check_json(&tensor(r#""dtype":"DT_DOUBLE","doubleVal":1"#), "`double_val` must be an array");
    check_json(&tensor(r#""dtype":"DT_DOUBLE","doubleVal":[1],"doubleVal":[1]"#), "`double_val` is there twice");
    check_json(
        &tensor(r#""dtype":"DT_DOUBLE","doubleVal":[1],"stringVal":["eA=="]"#),
        "it has values in `double_val` and in `string_val`: send them in one",
    );
    check_json(&tensor(r#""dtype":"DT_INT64","int64Val":[1.5]"#), "value 0: 1.5 is not of the type DT_INT64");
    check_json(&tensor(r#""dtype":"DT_UINT8","tensorContent":"*""#), "`tensor_content` is not base64");
    check_json(
        &tensor(r#""dtype":[1],"doubleVal":[1]"#),
        "`dtype` must be the name of a type, as in \"DT_DOUBLE\", or its number",
    );
    check_json(&tensor(r#""dtype":2,"values":[1]"#), "`values` is not a field of a tensor");
    check_json(&tensor(r#""dtype":2,"dtype":2,"doubleVal":[1]"#), "`dtype` is there twice");
    for dim in [r#"[{"size":"x"}]"#, "[1]", "1", r#"[{"size":1.5}]"#, r#"[{"length":1}]"#] {
        let json = format!(r#"{{"dtype":2,"tensorShape":{{"dim":{dim}}},"doubleVal":[1]}}"#);
        assert!(
            read(&json, &mut Vec::new()).unwrap_err().to_string().starts_with("`tensor_shape.dim` must be"),
            "{dim}"
        );
    }
    check_json(
        r#"{"dtype":2,"tensorShape":{},"doubleVal":[1]}"#,
        "the shape has 0 dimensions; this model takes [rows, features]",
    );
    check_json("{", "the body is not valid JSON: expected a string, the text ends at byte 2");
    check_json(r#"{"doubleVal":"#, "the body is not valid JSON: expected a value, the text ends at byte 14");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The same tensor says the same as a message, as bytes and as JSON.
    #[test]
    fn all_ways_to_send_numbers_are_one(rows in 1_usize..5, columns in 1_usize..5, seed in any::<[i32; 16]>()) {
        let numbers: Vec<f64> = seed.iter().take(rows * columns).map(|value| f64::from(*value) / 64.0).collect();
        let lengths = [rows, columns].map(|length| i64::try_from(length).unwrap());
        let typed = TensorProto { double_val: numbers.clone(), ..of(2, &lengths) };
        let bytes: Vec<u8> = numbers.iter().flat_map(|value| value.to_le_bytes()).collect();
        let raw = TensorProto { tensor_content: bytes.into(), ..of(2, &lengths) };
        let json = format!(
            r#"{{"doubleVal":{numbers:?},"tensorShape":{{"dim":[{{"size":{rows}}},{{"size":"{columns}"}}]}},"dtype":"DT_DOUBLE"}}"#
        );
        let mut values = [Vec::new(), Vec::new(), Vec::new()];
        read_tensor(&typed, &mut values[0]).unwrap();
        read_tensor(&raw, &mut values[1]).unwrap();
        read(&json, &mut values[2]).unwrap();
        prop_assert!(values.iter().all(|values| *values == numbers), "{:?}", values);
    }
}
