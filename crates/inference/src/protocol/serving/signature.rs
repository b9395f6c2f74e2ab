//! What is told of a model: its signatures and its state, as messages and as JSON.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_types::Any;

use super::{
    answer::NamedModel,
    request::{classes, is_one_number},
};
use crate::{
    OutputShape,
    protocol::{
        json::write_string,
        proto::{
            serving::{
                GetModelMetadataResponse, GetModelStatusResponse, ModelState, ModelVersionStatus, SignatureDefMap,
                StatusProto,
            },
            tensorflow::{SignatureDef, TensorInfo, TensorShape},
        },
        tensorflow::{dtype_name, dtype_number},
    },
};

/// What can be asked for of a model.
pub const SIGNATURE_DEF: &str = "signature_def";
/// The longest version that is a number; revisions, which may look like one, are longer.
const DIGITS_MAX: usize = 9;
const DT_STRING: i32 = 7;
const DT_DOUBLE: i32 = 2;
const DT_FLOAT: i32 = 1;

/// The number of a version, as `TensorFlow` Serving has them: of one that is no number 1.
pub fn version_number(version: &str) -> i64 {
    let number = version.parse().ok().filter(|number: &i64| *number >= 0 && version.len() <= DIGITS_MAX);
    number.filter(|number| number.to_string() == version).unwrap_or(1)
}

/// The message that tells of a model.
pub fn metadata(by: &NamedModel<'_>) -> GetModelMetadataResponse {
    let signatures = SignatureDefMap { signature_def: signatures(by) };
    let type_url = "type.googleapis.com/tensorflow.serving.SignatureDefMap".to_owned();
    let any = Any { type_url, value: signatures.encode_to_vec() };
    let metadata = BTreeMap::from([(SIGNATURE_DEF.to_owned(), any)]);
    GetModelMetadataResponse { model_spec: Some(by.spec("")), metadata }
}

/// How the version of a model is; the reason where it does not answer.
pub fn status(version: i64, reason: Option<&str>) -> GetModelStatusResponse {
    const UNAVAILABLE: i32 = 14;
    let state = if reason.is_none() { ModelState::Available } else { ModelState::Loading };
    let error_code = if reason.is_none() { 0 } else { UNAVAILABLE };
    let status = StatusProto { error_code, error_message: reason.unwrap_or_default().to_owned() };
    let version = ModelVersionStatus { version, state: state.into(), status: Some(status) };
    GetModelStatusResponse { model_version_status: vec![version] }
}

fn signatures(by: &NamedModel<'_>) -> BTreeMap<String, SignatureDef> {
    let schema = by.model.schema();
    let output = &schema.output;
    let length = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let (columns, width) = (length(schema.features), length(output.width()));
    let tensor = |name: &str, dtype, shape: &[i64]| {
        (name.to_owned(), TensorInfo { name: name.to_owned(), dtype, tensor_shape: Some(TensorShape::of(shape)) })
    };
    let signature = |inputs, outputs: &[(String, TensorInfo)], method: &str| SignatureDef {
        inputs: BTreeMap::from([inputs]),
        outputs: outputs.iter().cloned().collect(),
        method_name: format!("tensorflow/serving/{method}"),
    };
    let examples = || tensor("inputs", DT_STRING, &[-1]);
    let shape = match output.shape {
        OutputShape::Vector => vec![-1],
        OutputShape::Matrix(_) => vec![-1, width],
    };
    let predict = signature(
        tensor("inputs", DT_DOUBLE, &[-1, columns]),
        &[tensor(output.name, dtype_number(output), &shape)],
        "predict",
    );
    let mut signatures = BTreeMap::from([("serving_default".to_owned(), predict)]);
    if classes(by.model).is_some() {
        let outputs = [tensor("classes", DT_STRING, &[-1, width]), tensor("scores", DT_FLOAT, &[-1, width])];
        signatures.insert("classification".to_owned(), signature(examples(), &outputs, "classify"));
    }
    if is_one_number(by.model) {
        let outputs = [tensor("outputs", DT_FLOAT, &[-1, 1])];
        signatures.insert("regression".to_owned(), signature(examples(), &outputs, "regress"));
    }
    signatures
}

/// Appends what `GET /v1/models/<model>/metadata` tells.
pub fn write_metadata(by: &NamedModel<'_>, out: &mut Vec<u8>) {
    write_signatures((by.name, by.version), &signatures(by), out);
}

/// Appends what is told of a model of these signatures.
pub(super) fn write_signatures(
    (name, version): (&str, i64),
    signatures: &BTreeMap<String, SignatureDef>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"{\"model_spec\":{\"name\":");
    write_string(name, out);
    out.extend_from_slice(b",\"signature_name\":\"\",\"version\":");
    write_string(&version.to_string(), out);
    out.extend_from_slice(b"},\"metadata\":{\"signature_def\":{\"signature_def\":");
    write_map(signatures, out, |signature, out| {
        out.extend_from_slice(b"{\"inputs\":");
        write_map(&signature.inputs, out, write_tensor);
        out.extend_from_slice(b",\"outputs\":");
        write_map(&signature.outputs, out, write_tensor);
        out.extend_from_slice(b",\"method_name\":");
        write_string(&signature.method_name, out);
        out.push(b'}');
    });
    out.extend_from_slice(b"}}}");
}

fn write_map<T>(map: &BTreeMap<String, T>, out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'{');
    for (index, (name, value)) in map.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(name, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

fn write_tensor(tensor: &TensorInfo, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"dtype\":");
    match dtype_name(tensor.dtype) {
        "" => out.extend_from_slice(tensor.dtype.to_string().as_bytes()),
        name => write_string(name, out),
    }
    out.extend_from_slice(b",\"tensor_shape\":{\"dim\":[");
    for (index, dim) in tensor.tensor_shape.iter().flat_map(|shape| &shape.dim).enumerate() {
        out.extend_from_slice(if index > 0 { b",{\"size\":\"" } else { b"{\"size\":\"" });
        out.extend_from_slice(dim.size.to_string().as_bytes());
        out.extend_from_slice(b"\",\"name\":\"\"}");
    }
    let is_unknown = tensor.tensor_shape.as_ref().is_some_and(|shape| shape.unknown_rank);
    out.extend_from_slice(if is_unknown { b"],\"unknown_rank\":true" } else { b"],\"unknown_rank\":false" });
    out.extend_from_slice(b"},\"name\":");
    write_string(&tensor.name, out);
    out.push(b'}');
}
