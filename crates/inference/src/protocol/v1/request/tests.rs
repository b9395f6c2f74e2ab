//! How instances are read: every form, and every way to be wrong.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(body: &str, expected: &str) {
    let mut values = Vec::new();
    let shown = match parse_request(body.as_bytes(), &mut values) {
        Ok(Request { block: Block { layout, first_missing } }) => {
            let missing = first_missing.map(|index| format!(" missing {index}")).unwrap_or_default();
            match layout {
                Layout::Named { rows, names } => format!("{rows}x{names:?} {values:?}{missing}"),
                Layout::Rows { rows, columns } => format!("{rows}x{columns} {values:?}{missing}"),
                other => format!("{other:?}"),
            }
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(shown, expected, "{body}");
}

#[test]
fn reads_every_form() {
    check(r#"{"instances":[[1,2.5],[-3e1,4]]}"#, "2x2 [1.0, 2.5, -30.0, 4.0]");
    check(r#"{"signature_name":"serving_default","inputs":[[1,2]]}"#, "1x2 [1.0, 2.0]");
    check(r#"{"instances":[1, 2,true]}"#, "3x1 [1.0, 2.0, 1.0]");
    check(r#"{"instances":[[1,null],[NaN,2]]}"#, "2x2 [1.0, NaN, NaN, 2.0] missing 1");
    check(r#"{"instances":[{"a":1,"b":2},{"b":4,"a":3}]}"#, r#"2x["a", "b"] [1.0, 2.0, 3.0, 4.0]"#);
    check(r#"{"instances":[{"a":1,"b":2},{"b":null,"a":3}]}"#, r#"2x["a", "b"] [1.0, 2.0, 3.0, NaN] missing 3"#);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    check("{}", r#"the request has no `instances`: send them as in {"instances":[[1.0,2.0]]}"#);
    let several = "the request has more than one of `instances` and `inputs`: send one";
    check(r#"{"instances":[[1]],"inputs":[[1]]}"#, several);
    check(r#"{"instances":[[1]],"instances":[[1]]}"#, several);
    check(r#"{"instances":{"a":[1]}}"#, "`instances` must be an array of instances, as in [[1.0,2.0]]");
    check(r#"{"inputs":{"a":[1]}}"#, "`inputs` must be an array of instances, as in [[1.0,2.0]]");
    let empty = "there are no instances, or they have no values: send at least one, as in [[1.0,2.0]]";
    for body in [r#"{"instances":[]}"#, r#"{"instances":[[]]}"#, r#"{"instances":[{}]}"#, r#"{"instances":[{},{}]}"#] {
        check(body, empty);
    }
    check(
        r#"{"instances":[[1,2],[3]]}"#,
        "instance 1 has 1 values, instance 0 has 2: all instances must have the same number",
    );
    let mixed = "is not what instance 0 is: send all as arrays, or all as objects, or all as numbers";
    check(r#"{"instances":[[1],2]}"#, &format!("instance 1 {mixed}"));
    check(r#"{"instances":[{"a":1},[2]]}"#, &format!("instance 1 {mixed}"));
    check(r#"{"instances":[[1,"x"]]}"#, "instance 0, value 1: expected a number, found a text");
    check(r#"{"instances":["x"]}"#, "instance 0, value 0: expected a number, found a text");
    check(r#"{"instances":[[[1]]]}"#, "instance 0, value 0: expected a number, found an array");
    check(r#"{"instances":[[1,1e999]]}"#, "instance 0, value 1: the number is too large");
    check(r#"{"instances":[{"b64":"aGk="}]}"#, "instance 0, `b64`: expected a number, found a text");
    check(r#"{"instances":[{"a":1},{"a":{}}]}"#, "instance 1, `a`: expected a number, found an object");
    check(r#"{"instances":[{"a":1,"a":2}]}"#, "instance 0 has `a` twice");
    check(r#"{"instances":[{"a":1,"b":2},{"a":1,"a":2}]}"#, "instance 1 has `a` twice");
    let same = "all instances must have the same features";
    check(r#"{"instances":[{"a":1},{"c":1}]}"#, &format!("instance 1 has `c`, which instance 0 has not: {same}"));
    check(r#"{"instances":[{"a":1,"b":2},{"b":1}]}"#, &format!("instance 1 has no `a`: {same}"));
    check(r#"{"instances":[[1]]}x"#, "the body is not valid JSON: expected the end, found `x` at byte 20");
    let deep = format!("{{\"x\":{}", "[".repeat(100_000));
    check(&deep, "the body is not valid JSON: the values are nested too deeply at byte 135");
    check(&format!("{{\"instances\":{}", "[".repeat(1000)), "instance 0, value 0: expected a number, found an array");
}

#[test]
fn every_truncation_is_an_error_and_never_a_panic() {
    for body in [
        &br#"{"instances":[[1.5e3,null],[NaN,true]],"signature_name":"\u0041"}"#[..],
        br#"{"instances":[{"a":1,"b":2.5},{"b":3,"a":4}]}"#,
    ] {
        for end in 0..body.len() {
            assert!(parse_request(&body[..end], &mut Vec::new()).is_err(), "{end}");
        }
        assert!(parse_request(body, &mut Vec::new()).is_ok());
    }
}

#[test]
fn a_million_names_take_time_in_proportion() {
    let object = |order: &mut dyn Iterator<Item = u32>| {
        let members: Vec<_> = order.map(|name| format!("\"{name}\":1")).collect();
        format!("{{{}}}", members.join(","))
    };
    let count = 200_000;
    let body = format!("{{\"instances\":[{},{}]}}", object(&mut (0..count)), object(&mut (0..count).rev()));
    let mut values = Vec::new();
    assert!(parse_request(body.as_bytes(), &mut values).is_ok());
    assert_eq!(values.len(), 400_000);
}

proptest! {
    #[test]
    fn any_text_is_answered(body in r#"(\{"in(stances|puts)":)?[\[\]{}",:0-9a-bneul.-]{0,40}"#) {
        let mut values = Vec::new();
        if let Ok(request) = parse_request(body.as_bytes(), &mut values) {
            let count = match request.block.layout {
                Layout::Rows { rows, columns } => rows * columns,
                Layout::Named { rows, names } => rows * names.len(),
                _ => 0,
            };
            prop_assert_eq!(count, values.len());
        }
    }

    #[test]
    fn any_bytes_are_answered(body: Vec<u8>) {
        let _answer = parse_request(&body, &mut Vec::new());
    }
}
