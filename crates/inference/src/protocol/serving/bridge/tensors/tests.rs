//! Tensors as rows and columns of JSON, and back.

use super::*;
use crate::protocol::proto::tensorflow::{TensorInfo, TensorShape};

fn doubles(lengths: &[i64], values: &[f64]) -> TensorProto {
    let tensor_shape = Some(TensorShape::of(lengths));
    TensorProto { dtype: 2, tensor_shape, double_val: values.to_vec(), ..TensorProto::default() }
}

fn request(inputs: &[(&str, TensorProto)]) -> PredictRequest {
    let inputs = inputs.iter().map(|(name, tensor)| ((*name).to_owned(), tensor.clone())).collect();
    let spec = ModelSpec { name: "m".to_owned(), ..ModelSpec::default() };
    PredictRequest { model_spec: Some(spec), inputs, output_filter: Vec::new() }
}

fn json(request: &PredictRequest) -> String {
    String::from_utf8(predict_to_json(request).unwrap()).unwrap()
}

/// A signature whose input `x` is of `DT_FLOAT`.
fn signatures(inputs: &[&str]) -> SignatureDefMap {
    let info = TensorInfo { dtype: 1, ..TensorInfo::default() };
    let inputs = inputs.iter().map(|name| ((*name).to_owned(), info.clone())).collect();
    SignatureDefMap { signature_def: [(DEFAULT.to_owned(), SignatureDef { inputs, ..SignatureDef::default() })].into() }
}

#[test]
fn tensors_of_as_many_rows_are_instances_and_others_inputs() {
    let one = request(&[("x", doubles(&[2, 2], &[1.0, 2.0, 3.0, 4.5]))]);
    assert_eq!(json(&one), r#"{"instances":[[1.0,2.0],[3.0,4.5]]}"#);
    let several = request(&[("a", doubles(&[2], &[1.0, 2.0])), ("b", doubles(&[2, 1], &[3.0, 4.0]))]);
    assert_eq!(json(&several), r#"{"instances":[{"a":1.0,"b":[3.0]},{"a":2.0,"b":[4.0]}]}"#);
    let uneven = request(&[("a", doubles(&[1], &[1.0])), ("b", doubles(&[2], &[3.0, 4.0]))]);
    assert_eq!(json(&uneven), r#"{"inputs":{"a":[1.0],"b":[3.0,4.0]}}"#);
    let mut scalar = request(&[("a", doubles(&[], &[1.0]))]);
    scalar.model_spec.as_mut().unwrap().signature_name = "other".to_owned();
    assert_eq!(json(&scalar), r#"{"signature_name":"other","inputs":1.0}"#);
    let none = predict_to_json(&request(&[])).unwrap_err();
    assert_eq!(none.to_string(), "there is neither `instances` nor `inputs`");
    let odd = predict_to_json(&request(&[("x", doubles(&[3], &[1.0, 2.0]))])).unwrap_err();
    assert_eq!(odd.to_string(), "the tensor `x`: the shape [3] asks for 3 values, there are 2");
}

#[test]
fn instances_and_inputs_are_tensors() {
    let two = [("a", doubles(&[2], &[1.0, 2.5])), ("b", doubles(&[2, 1], &[3.5, 4.0]))];
    for (body, expected, by_rows) in [
        (r#"{"instances":[[1.5],[2]]}"#, request(&[("inputs", doubles(&[2, 1], &[1.5, 2.0]))]), ByRows::Yes),
        (r#"{"inputs":[1.5,2]}"#, request(&[("inputs", doubles(&[2], &[1.5, 2.0]))]), ByRows::No),
        (r#"{"instances":[{"a":1,"b":[3.5]},{"b":[4],"a":2.5}]}"#, request(&two), ByRows::Yes),
        (r#"{"inputs":{"a":[1,2.5],"b":[[3.5],[4]]},"more":NaN}"#, request(&two), ByRows::No),
    ] {
        assert_eq!(predict_from_json(body.as_bytes(), "m", None).unwrap(), (expected, by_rows), "{body}");
    }
}

#[test]
fn names_and_types_are_those_of_the_signature() {
    let body = br#"{"instances":[[1,2]]}"#;
    let (request, _) = predict_from_json(body, "m", Some(&signatures(&["x"]))).unwrap();
    assert_eq!((request.inputs["x"].dtype, &request.inputs["x"].float_val), (1, &vec![1.0, 2.0]));
    let (request, _) = predict_from_json(body, "m", Some(&signatures(&["x", "y"]))).unwrap();
    assert_eq!(request.inputs["inputs"].dtype, 9);
    let refused = predict_from_json(br#"{"inputs":{"x":["a"]}}"#, "m", Some(&signatures(&["x"]))).unwrap_err();
    assert_eq!(refused.to_string(), "the values of `x` are not of the type DT_FLOAT");
}

#[test]
fn what_is_no_request_is_told() {
    for (body, told) in [
        ("{}", "there is neither `instances` nor `inputs`"),
        (r#"{"instances":[1],"inputs":[1]}"#, "`inputs` is there twice"),
        (r#"{"instances":[{"a":1},{"b":1}]}"#, "instance 1 has other names than the first"),
        (r#"{"instances":[{"a":1,"b":1},{"b":1}]}"#, "instance 1 has other names than the first"),
        (r#"{"instances":[{"a":1,"a":1}]}"#, "`a` is there twice"),
        (r#"{"instances":[1,{"a":1}]}"#, "instance 1 has other names than the first"),
        (r#"{"instances":[{"a":1},1]}"#, "instance 1 has other names than the first"),
        (r#"{"instances":[{}]}"#, "instance 0 has other names than the first"),
        (r#"{"instances":[[1],[2,3]]}"#, "`instances` is no tensor: its arrays are of different lengths or depths"),
        (r#"{"inputs":{}}"#, "expected a tensor in `inputs` or `outputs`"),
    ] {
        assert_eq!(predict_from_json(body.as_bytes(), "m", None).unwrap_err().to_string(), told, "{body}");
    }
}

#[test]
fn outputs_go_both_ways() {
    let asked = request(&[]);
    let response = |outputs: &[(&str, TensorProto)]| PredictResponse {
        outputs: outputs.iter().map(|(name, tensor)| ((*name).to_owned(), tensor.clone())).collect(),
        model_spec: asked.model_spec.clone(),
    };
    let one = response(&[("predictions", doubles(&[2], &[0.5, 1.5]))]);
    let two = response(&[("a", doubles(&[1, 1], &[0.5])), ("b", doubles(&[1], &[1.5]))]);
    for (body, expected, by_rows) in [
        (r#"{"predictions":[0.5,1.5]}"#, &one, ByRows::Yes),
        (r#"{"predictions":[{"a":[0.5],"b":1.5}]}"#, &two, ByRows::Yes),
        (r#"{"outputs":{"a":[[0.5]],"b":[1.5]}}"#, &two, ByRows::No),
    ] {
        assert_eq!(response_from_json(body.as_bytes(), &asked).unwrap(), *expected, "{body}");
        assert_eq!(String::from_utf8(response_to_json(expected, by_rows).unwrap()).unwrap(), body);
    }
    let only = PredictRequest { output_filter: vec!["b".to_owned()], ..asked.clone() };
    let filtered = response_from_json(br#"{"outputs":{"a":[1],"b":[1.5]}}"#, &only).unwrap();
    assert_eq!(filtered, response(&[("b", doubles(&[1], &[1.5]))]));
    let named = response_from_json(br#"{"predictions":[1.5]}"#, &only).unwrap();
    assert_eq!(named, response(&[("b", doubles(&[1], &[1.5]))]));
    let missing = response_from_json(br#"{"outputs":{"a":[1],"c":[1]}}"#, &only).unwrap_err();
    assert_eq!(missing, Unpassable::NoOutput("b".to_owned()));
}
