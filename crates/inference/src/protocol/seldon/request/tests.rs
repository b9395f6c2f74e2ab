//! How requests are read: both forms, missing values, and every way to be wrong.

use super::*;

#[track_caller]
fn check(body: &str, expected: &str) {
    let mut values = Vec::new();
    let shown = match parse_request(body.as_bytes(), &mut values) {
        Ok(request) => format!("{:?} {}x{} {values:?}", request.form, request.rows, request.columns),
        Err(error) => error.to_string(),
    };
    assert_eq!(shown, expected, "{body}");
}

#[test]
fn reads_both_forms() {
    check(r#"{"data":{"names":["a","b"],"ndarray":[[1,2.5],[-3e1,4]]}}"#, "Ndarray 2x2 [1.0, 2.5, -30.0, 4.0]");
    check(r#"{"data":{"tensor":{"values":[1,2,3],"shape":[1,3]}}}"#, "Tensor 1x3 [1.0, 2.0, 3.0]");
    check(r#"{"data":{"ndarray":[[true,false]]},"status":{"code":0}}"#, "Ndarray 1x2 [1.0, 0.0]");
}

#[test]
fn tensors_of_tensorflow_are_read() {
    let tensor = |rest: &str| format!(r#"{{"data":{{"tftensor":{{"dtype":"DT_DOUBLE",{rest}}}}}}}"#);
    let shape = r#""tensorShape":{"dim":[{"size":"1"},{"size":"2"}]}"#;
    check(&tensor(&format!(r#"{shape},"doubleVal":[1,2.5]"#)), "Tftensor 1x2 [1.0, 2.5]");
    let few = "`data.tftensor`: the shape [1,2] asks for 2 values, there are 3";
    check(&tensor(&format!(r#"{shape},"doubleVal":[1,2,3]"#)), few);
    let line = r#""tensorShape":{"dim":[{"size":"2"}]},"doubleVal":[1,2.5]"#;
    check(&tensor(line), "`data` must have two dimensions (rows and features), as in [[1.0, 2.0]]; it has 1");
    check(r#"{"data":{"tftensor":{"value":1}}}"#, "`data.tftensor`: `value` is not a field of a tensor");
    check(r#"{"data":{"tftensor":[]}}"#, "`data.tftensor` must be an object with `dtype`, `tensorShape` and values");
    check(r#"{"data":{"tftensor":{]}}"#, "the body is not valid JSON: expected a string, found `]` at byte 22");
    let mut values = Vec::new();
    let body = tensor(&format!(r#"{shape},"doubleVal":[1,"NaN"]"#));
    assert_eq!(parse_request(body.as_bytes(), &mut values).unwrap().first_missing, Some((0, 1)));
}

#[test]
fn missing_values_are_null_or_nan_and_placed() {
    let mut values = Vec::new();
    let request = parse_request(br#"{"data":{"ndarray":[[1,2],[3,null],[NaN,4]]}}"#, &mut values).unwrap();
    assert_eq!(request.first_missing, Some((1, 1)));
    assert!(values[3].is_nan() && values[4].is_nan());
}

#[test]
fn keeps_names_and_meta_as_written() {
    let body = br#"{"meta":{"puid":"p\"1","tags":{"a":[1]},"routing":{"r":-1},"requestPath":{"up":"i:1"},"metrics":[],"own":7},
        "data":{"names":["a", "\u00e9", 3],"ndarray":[[1,2,3]]}}"#;
    let mut values = Vec::new();
    let request = parse_request(body, &mut values).unwrap();
    assert_eq!(parse_names(request.names.unwrap()), ["a", "é", "3"]);
    let meta = request.meta;
    assert_eq!(meta.puid, Some(r#"p\"1"#));
    assert_eq!(meta.tags, Some(r#"{"a":[1]}"#));
    assert_eq!(meta.routing, Some(r#"{"r":-1}"#));
    assert_eq!(meta.request_path, Some(r#"{"up":"i:1"}"#));
    assert_eq!(meta.metrics, Some("[]"));
}

#[test]
fn other_payloads_are_refused_by_name() {
    let hint = "is not a payload this model takes: send `data.ndarray` or `data.tensor`";
    for (body, name) in [
        (r#"{"strData":"a"}"#, "strData"),
        (r#"{"binData":"aGk="}"#, "binData"),
        (r#"{"jsonData":{}}"#, "jsonData"),
        (r#"{"customData":{}}"#, "customData"),
    ] {
        check(body, &format!("`{name}` {hint}"));
    }
    check("{}", "the request has no payload: send `data.ndarray` or `data.tensor`");
    check(r#"{"data":{}}"#, "the request has no payload: send `data.ndarray` or `data.tensor`");
    check(r#"{"foo":1}"#, "`foo` is not a field of a Seldon message");
    check(r#"{"data":{"ndaray":[]}}"#, "`data.ndaray` is not a field of a Seldon message");
    let both = r#"{"data":{"ndarray":[[1]],"tensor":{"shape":[1,1],"values":[1]}}}"#;
    check(both, "the request has more than one payload: send one of `data.ndarray` and `data.tensor`");
}

#[test]
fn wrong_shapes_say_where() {
    check(r#"{"data":{"ndarray":[[1,2],[3]]}}"#, "row 1 has 1 values, row 0 has 2: all rows must have the same number");
    check(r#"{"data":{"ndarray":[[1,"x"]]}}"#, "row 0, column 1: expected a number, found a text");
    check(r#"{"data":{"ndarray":[[1,1e999]]}}"#, "row 0, column 1: the number is too large");
    let dimensions = "`data` must have two dimensions (rows and features), as in [[1.0, 2.0]]; it has";
    check(r#"{"data":{"ndarray":[1,2]}}"#, &format!("{dimensions} 1"));
    check(r#"{"data":{"ndarray":[[[1]]]}}"#, &format!("{dimensions} 3"));
    check(r#"{"data":{"tensor":{"shape":[4],"values":[1,2,3,4]}}}"#, &format!("{dimensions} 1"));
    check(r#"{"data":{"ndarray":[]}}"#, "`data` has no rows: send at least one, as in [[1.0, 2.0]]");
    check(r#"{"data":{"ndarray":[[]]}}"#, "`data` has no rows: send at least one, as in [[1.0, 2.0]]");
    check(r#"{"data":{"tensor":{"shape":[2,2],"values":[1]}}}"#, "the tensor's shape asks for 4 values, it has 1");
    let shape = "`data.tensor.shape` must be an array of two whole numbers, as in [1, 4]";
    check(r#"{"data":{"tensor":{"values":[1]}}}"#, shape);
    check(r#"{"data":{"tensor":{"shape":[-1,1],"values":[1]}}}"#, shape);
    let huge = r#"{"data":{"tensor":{"shape":[18446744073709551615,2],"values":[1]}}}"#;
    check(huge, "the tensor's shape asks for 36893488147419103230 values, it has 1");
    check(r#"{"data":[1]}"#, "`data` must be an object");
    check(r#"{"data":{"names":"a","ndarray":[[1]]}}"#, "`data.names` must be an array of texts");
    check(r#"{"meta":{"tags":[]},"data":{"ndarray":[[1]]}}"#, "`meta.tags` must be an object");
}

#[test]
fn every_truncation_is_an_error_and_never_a_panic() {
    let body = br#"{"data":{"names":["a"],"ndarray":[[1.5e3,null]]},"meta":{"puid":"x","tags":{"k":"\u0041"}}}"#;
    for end in 0..body.len() {
        assert!(parse_request(&body[..end], &mut Vec::new()).is_err(), "{end}");
    }
}
