//! How tensors are read: every form, and every way to be wrong.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(body: &str, expected: &str) {
    let mut values = Vec::new();
    let shown = match parse_request(body.as_bytes(), &mut values) {
        Ok(Request { id, block: Block { layout, first_missing }, outputs, is_binary }) => {
            let layout = match layout {
                Layout::Rows { rows, columns } => format!("{rows}x{columns}"),
                Layout::Line(length) => format!("line {length}"),
                Layout::Columns { rows, names } => format!("{rows} rows of {names:?}"),
                Layout::Named { .. } => "named".to_owned(),
            };
            let missing = first_missing.map(|index| format!(" missing {index}")).unwrap_or_default();
            let id = id.map(|id| format!(" id {id}")).unwrap_or_default();
            let outputs = if outputs.is_empty() { String::new() } else { format!(" outputs {outputs:?}") };
            let form = if is_binary { " as bytes" } else { "" };
            format!("{layout} {values:?}{missing}{id}{outputs}{form}")
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(shown, expected, "{body}");
}

/// A request of one input with these fields.
fn one(fields: &str) -> String {
    format!(r#"{{"inputs":[{{"name":"x",{fields}}}]}}"#)
}

#[test]
fn one_tensor_is_rows_or_a_line() {
    let flat = r#""shape":[2,2],"datatype":"FP64","data":[1,2.5,-3e1,4]"#;
    check(&one(flat), "2x2 [1.0, 2.5, -30.0, 4.0]");
    check(&one(r#""data":[[1,2],[3, 4]],"datatype":"FP32","shape":[2,2]"#), "2x2 [1.0, 2.0, 3.0, 4.0]");
    check(&one(r#""shape":[3],"datatype":"FP16","data":[1,2,3]"#), "line 3 [1.0, 2.0, 3.0]");
    check(&one(r#""shape":[1,2],"datatype":"BOOL","data":[true,false]"#), "1x2 [1.0, 0.0]");
    check(&one(r#""shape":[1,3],"datatype":"FP64","data":[null,1,NaN]"#), "1x3 [NaN, 1.0, NaN] missing 0");
    check(&one(r#""shape":[2,1],"datatype":"INT64","data":[[1],[2]]"#), "2x1 [1.0, 2.0]");
    let parameters = r#""parameters":{"content_type":"np"},"own":[{}],"shape":[1,1],"datatype":"FP64","data":[1]"#;
    check(&one(parameters), "1x1 [1.0]");
}

#[test]
fn several_tensors_are_a_feature_each() {
    let column = |name: &str, shape: &str, data: &str| {
        format!(r#"{{"name":"{name}","shape":{shape},"datatype":"FP64","data":{data}}}"#)
    };
    let body = |second: String| format!(r#"{{"inputs":[{},{second}]}}"#, column("a", "[2,1]", "[[1],[2]]"));
    check(&body(column("b", "[2]", "[3,4]")), r#"2 rows of ["a", "b"] [1.0, 2.0, 3.0, 4.0]"#);
    let shape = "of several inputs each is one feature, of shape [rows] or [rows,1]";
    check(&body(column("b", "[1]", "[3]")), &format!("input `b` has the shape [1], `a` has 2 rows: {shape}"));
    check(&body(column("b", "[2,2]", "[1,2,3,4]")), &format!("input `b` has the shape [2,2], `a` has 2 rows: {shape}"));
}

#[test]
fn an_answer_is_bytes_where_its_output_or_the_request_says_so() {
    let tensor = r#""inputs":[{"name":"x","shape":[1,1],"datatype":"FP64","data":[1]}]"#;
    let outputs = |parameters: &str| format!(r#""outputs":[{{"name":"y","parameters":{parameters}}}]"#);
    for (fields, expected) in [
        (r#""parameters":{"binary_data_output":true}"#.to_owned(), " as bytes"),
        (r#""parameters":{"binary_data_output":false,"other":{"a":[1]}}"#.to_owned(), ""),
        (r#""parameters":null"#.to_owned(), ""),
        (outputs(r#"{"binary_data":true}"#), r#" outputs ["y"] as bytes"#),
        (
            format!(r#"{},"parameters":{{"binary_data_output":true}}"#, outputs(r#"{"binary_data":false}"#)),
            r#" outputs ["y"]"#,
        ),
        (format!(r#"{},"parameters":{{"binary_data_output":true}}"#, outputs("{}")), r#" outputs ["y"] as bytes"#),
    ] {
        check(&format!("{{{tensor},{fields}}}"), &format!("1x1 [1.0]{expected}"));
    }
    let wrong = format!(r#"{{{tensor},"parameters":{{"binary_data_output":"yes"}}}}"#);
    check(&wrong, "`binary_data_output` must be true or false");
}

#[test]
fn ids_parameters_and_outputs_are_read() {
    let tensor = r#""inputs":[{"name":"x","shape":[1,1],"datatype":"FP64","data":[1]}]"#;
    check(&format!(r#"{{"id":"a\"1",{tensor}}}"#), r#"1x1 [1.0] id a\"1"#);
    check(&format!(r#"{{"id":"",{tensor},"id":null,"own":{{"a":[1]}}}}"#), "1x1 [1.0]");
    check(&format!(r#"{{{tensor},"parameters":{{"binary_data_output":true}},"outputs":null}}"#), "1x1 [1.0] as bytes");
    let outputs = r#""outputs":[{"name":"predict","parameters":{"binary_data":false}}]"#;
    check(&format!("{{{tensor},{outputs}}}"), r#"1x1 [1.0] outputs ["predict"]"#);
    let named = "`outputs` must be an array of objects with a `name`";
    for wrong in [r#""predict""#, r#"["predict"]"#, "[{}]", r#"[{"name":1}]"#] {
        check(&format!("{{{tensor},\"outputs\":{wrong}}}"), named);
    }
    check(&format!(r#"{{"id":7,{tensor}}}"#), "`id` must be a text");
    check(&format!(r#"{{"parameters":[],{tensor}}}"#), "`parameters` must be an object");
    check(&format!("{{{tensor},{tensor}}}"), "`inputs` is given twice");
    check(&format!(r#"{{{tensor},"outputs":[],"outputs":[]}}"#), "`outputs` is given twice");
}

#[test]
fn an_id_is_found_in_what_cannot_be_read() {
    assert_eq!(find_id(br#"{"inputs":[{"datatype":"BYTES"}],"id":"a"}"#), Some("a"));
    assert_eq!(find_id(br#"{"id":"a","inputs":"#), Some("a"));
    assert_eq!(find_id(br#"{"id":1}"#), None);
    assert_eq!(find_id(b"\xff"), None);
}

#[test]
fn shape_and_data_must_agree() {
    let of = |shape: &str, data: &str| one(&format!(r#""shape":{shape},"datatype":"FP64","data":{data}"#));
    check(&of("[2,2]", "[1,2,3]"), "input `x`: the shape [2,2] asks for 4 values, `data` has 3");
    check(&of("[3]", "[1,2]"), "input `x`: the shape [3] asks for 3 values, `data` has 2");
    check(&of("[2,3]", "[[1,2],[3,4],[5,6]]"), "input `x`: the shape is [2,3], `data` is nested as [3,2]");
    check(&of("[2]", "[[1,2]]"), "input `x`: the shape is [2], `data` is nested as [1,2]");
    let ragged = "row 1 of `data` has 1 values, row 0 has 2: all rows must have the same number";
    check(&of("[2,2]", "[[1,2],[3]]"), &format!("input `x`: {ragged}"));
    let mixed = "input `x`: `data` must be an array of numbers, or of rows of numbers";
    for data in ["[1,[2]]", "[[1],2]", "[[[1]]]", "[[1,[2]]]"] {
        check(&of("[1,2]", data), mixed);
    }
    let empty = "input `x`: it has no values: send at least one row";
    check(&of("[0,4]", "[]"), empty);
    check(&of("[1,0]", "[[]]"), empty);
    check(
        &of("[18446744073709551615,2]", "[1]"),
        "input `x`: the shape [18446744073709551615,2] asks for 36893488147419103230 values, `data` has 1",
    );
    let dimensions = "dimensions; this model takes [rows, features] or [features]";
    check(&of("[]", "[1]"), &format!("input `x`: the shape has 0 {dimensions}"));
    check(&of("[1,1,1]", "[1]"), &format!("input `x`: the shape has 3 {dimensions}"));
    let whole = "`inputs[].shape` must be an array of whole numbers, as in [1,4]";
    for shape in ["[-1,1]", "[1.5]", "\"1\"", "[\"1\"]", "[99999999999999999999]", "null"] {
        check(&of(shape, "[1]"), whole);
    }
}

#[test]
fn values_must_be_of_the_datatype() {
    let of = |datatype: &str, value: &str| one(&format!(r#""shape":[1,2],"datatype":"{datatype}","data":[1,{value}]"#));
    for (datatype, value) in [
        ("INT8", "-129"),
        ("UINT8", "256"),
        ("UINT8", "-1"),
        ("INT16", "32768"),
        ("UINT16", "65536"),
        ("INT32", "2147483648"),
        ("UINT32", "4294967296"),
        ("INT64", "1.5"),
        ("INT64", "10000000000000000000"),
        ("UINT64", "100000000000000000000"),
        ("BOOL", "2"),
    ] {
        let value = value.parse::<f64>().unwrap();
        let expected = format!("input `x`: value 1: {value} is not of the datatype {datatype}");
        check(&of(datatype, &value.to_string()), &expected);
        check(&of(datatype, "1"), "1x2 [1.0, 1.0]");
        check(&of(datatype, "null"), "1x2 [1.0, NaN] missing 1");
    }
    check(&of("BYTES", "1"), "input `x`: the datatype is BYTES; this model takes numbers, such as FP64");
    check(&of("BYTES", "\"a\""), "input `x`: the datatype is BYTES; this model takes numbers, such as FP64");
    let names = "BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64";
    check(&of("fp64", "1"), &format!("input `x`: `fp64` is not a datatype; use one of {names}"));
    check(&of("FP64", "\"1\""), "input `x`: value 1: expected a number, found a text");
    check(&of("FP64", "1e999"), "input `x`: value 1: the number is too large");
}

#[test]
fn what_is_not_a_request_is_told() {
    let no_inputs = r#"the request has no inputs: send one tensor, as in {"inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[1.0,2.0]}]}"#;
    check("{}", no_inputs);
    check(r#"{"inputs":[]}"#, no_inputs);
    check(r#"{"inputs":{}}"#, "`inputs` must be an array of tensors");
    check(r#"{"inputs":[1]}"#, "`inputs` must be an array of objects");
    check(r#"{"inputs":[{}]}"#, "input `inputs[0]`: `name` is missing");
    check(&one(r#""shape":[1]"#), "input `x`: `datatype` is missing");
    check(&one(r#""datatype":"FP64""#), "input `x`: `shape` is missing");
    check(&one(r#""datatype":7"#), "`inputs[].datatype` must be a text");
    check(
        &one(r#""shape":[1,1],"datatype":"FP64","parameters":{"binary_data_size":8}"#),
        "input `x`: `binary_data_size` is 8, and 0 bytes are left after the JSON (`Inference-Header-Content-Length`)",
    );
    check(&one(r#""shape":[1],"datatype":"FP64","data":"AA==""#), "`inputs[].data` must be an array");
    check(&one(r#""shape":[1],"shape":[1]"#), "a field of `inputs[]` is given twice");
    check("[1]", "the body is not valid JSON: expected an object, found `[` at byte 1");
    let deep = format!("{{\"x\":{}", "{\"a\":".repeat(100_000));
    check(&deep, "the body is not valid JSON: the values are nested too deeply at byte 651");
    let data = format!(r#""shape":[1],"datatype":"FP64","data":{}"#, "[".repeat(1000));
    check(&one(&data), "input `x`: `data` must be an array of numbers, or of rows of numbers");
}

#[test]
fn binary_tensors_follow_the_json_in_the_order_of_the_inputs() {
    let tensor = |name: &str, datatype: &str, size: usize| {
        format!(r#"{{"name":"{name}","shape":[2],"datatype":"{datatype}","parameters":{{"binary_data_size":{size}}}}}"#)
    };
    let json = r#"{"name":"c","shape":[2],"datatype":"FP64","data":[5,6]}"#;
    let head = format!(r#"{{"inputs":[{},{json},{}]}}"#, tensor("a", "FP32", 8), tensor("b", "UINT8", 2));
    let tail = [&1.5_f32.to_le_bytes()[..], &f32::NAN.to_le_bytes(), &[3, 4]].concat();
    let parsed = |tail: &[u8], length: usize| {
        let (body, mut values) = ([head.as_bytes(), tail].concat(), Vec::new());
        let parsed = parse_binary_request(&body, length, &mut values);
        parsed.map(|request| (request.block.first_missing, values)).map_err(|error| error.to_string())
    };
    let (missing, values) = parsed(&tail, head.len()).unwrap();
    assert_eq!((missing, values[0], &values[2..]), (Some(1), 1.5, &[5.0, 6.0, 3.0, 4.0][..]));
    let cut =
        "input `b`: `binary_data_size` is 2, and 1 bytes are left after the JSON (`Inference-Header-Content-Length`)";
    assert_eq!(parsed(&tail[..9], head.len()).unwrap_err(), cut);
    let left = "1 bytes after the JSON belong to no input: `binary_data_size` of all inputs must add up to them";
    assert_eq!(parsed(&[&tail[..], &[0]].concat(), head.len()).unwrap_err(), left);
    let length = format!(
        "the header Inference-Header-Content-Length must be the length of the JSON, which is at most {}",
        head.len()
    );
    assert_eq!(parsed(&[], usize::MAX).unwrap_err(), length);
    let infinite = [&f32::INFINITY.to_le_bytes()[..], &tail[4..]].concat();
    assert_eq!(parsed(&infinite, head.len()).unwrap_err(), "input `a`: value 0: the number is too large");
    for end in 0..head.len() {
        assert!(parsed(&tail, end).is_err(), "{end}");
    }
    let of = |fields: &str| one(&format!(r#""shape":[1],"datatype":"FP64",{fields}"#));
    check(
        &of(r#""data":[1],"parameters":{"binary_data_size":8}"#),
        "input `x`: it has `data` and `binary_data_size`: send one of them",
    );
    check(
        &of(r#""parameters":{"binary_data_size":-8}"#),
        "`inputs[].parameters.binary_data_size` must be a whole number",
    );
    let head = of(r#""parameters":{"binary_data_size":3}"#);
    let body = [head.as_bytes(), &[0; 3]].concat();
    let error = parse_binary_request(&body, head.len(), &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "input `x`: `binary_data_size` is 3, and a value of FP64 has 8 bytes");
}

#[test]
fn every_truncation_is_an_error_and_never_a_panic() {
    let body = br#"{"id":"\u0041","parameters":{"a":1},"inputs":[{"name":"x","shape":[2,1],"datatype":"FP64","parameters":{},"data":[[1.5e3],[null]]},{"name":"y","shape":[2],"datatype":"UINT8","data":[1, 2]}],"outputs":[{"name":"predict"}]}"#;
    for end in 0..body.len() {
        assert!(parse_request(&body[..end], &mut Vec::new()).is_err(), "{end}");
        let _id = find_id(&body[..end]);
    }
    assert!(parse_request(body, &mut Vec::new()).is_ok());
}

#[test]
fn many_fields_and_many_inputs_are_read_once() {
    let fields: String = (0..1_000_000).map(|_| "\"k\":1,").collect();
    let body = format!("{{{fields}{}", &one(r#""shape":[1],"datatype":"FP64","data":[1]"#)[1..]);
    check(&body, "line 1 [1.0]");
    let tensor = r#"{"name":"x","shape":[1],"datatype":"FP64","data":[1]}"#;
    let body = format!("{{\"inputs\":[{}{tensor}]}}", format!("{tensor},").repeat(100_000));
    let mut values = Vec::new();
    assert!(parse_request(body.as_bytes(), &mut values).is_ok());
    assert_eq!(values.len(), 100_001);
}

proptest! {
    #[test]
    fn any_text_is_answered(
        shape in "[0-3,]{0,4}",
        datatype in "FP64|UINT8|BYTES|BOOL|x",
        data in r#"[\[\]{}",:0-9neul.-]{0,30}"#,
    ) {
        let body = one(&format!(r#""shape":[{shape}],"datatype":"{datatype}","data":[{data}]"#));
        let mut values = Vec::new();
        if let Ok(request) = parse_request(body.as_bytes(), &mut values) {
            let count = match request.block.layout {
                Layout::Rows { rows, columns } => rows * columns,
                Layout::Line(length) => length,
                _ => 0,
            };
            prop_assert_eq!(count, values.len());
        }
    }

    #[test]
    fn any_bytes_are_answered(body: Vec<u8>) {
        let _answer = parse_request(&body, &mut Vec::new());
        let _id = find_id(&body);
        let _answer = parse_binary_request(&body, body.len() / 2, &mut Vec::new());
    }
}
