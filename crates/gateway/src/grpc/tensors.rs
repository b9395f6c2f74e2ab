//! Messages of V2 between gRPC and JSON, for programs that are called over the other of the two.

pub(crate) mod binary;
pub(crate) mod raw;

use bytes::Bytes;
use provost_inference::protocol::proto::inference::{
    Contents, ModelInferRequest, ModelInferResponse, RequestedOutput, Tensor,
};
use serde_json::{Map, Value, json};

/// Most values of a message: one of a byte takes some thirty in memory meanwhile.
const VALUES_MAX: usize = 1 << 20;

/// Why a message cannot be put otherwise.
pub(crate) type Refused = String;

/// A request as JSON.
pub(crate) fn request_to_json(message: &ModelInferRequest) -> Result<Bytes, Refused> {
    let inputs = tensors_to_json(&message.inputs, &message.raw_input_contents)?;
    let mut body = Map::from_iter([("inputs".to_owned(), inputs)]);
    if !message.id.is_empty() {
        body.insert("id".to_owned(), json!(message.id));
    }
    if !message.outputs.is_empty() {
        body.insert("outputs".to_owned(), message.outputs.iter().map(|output| json!({"name": output.name})).collect());
    }
    Ok(Value::Object(body).to_string().into())
}

/// An answer in JSON as a message.
pub(crate) fn response_from_json(body: &[u8]) -> Result<ModelInferResponse, Refused> {
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok(ModelInferResponse {
        model_name: text(&body["model_name"]),
        model_version: text(&body["model_version"]),
        id: text(&body["id"]),
        outputs: tensors_from_json(&body["outputs"])?,
        raw_output_contents: Vec::new(),
    })
}

/// A request in JSON as a message for the model of this name.
pub(crate) fn request_from_json(body: &[u8], model: &str) -> Result<ModelInferRequest, Refused> {
    request_of(&serde_json::from_slice(body).map_err(|error| error.to_string())?, model)
}

fn request_of(body: &Value, model: &str) -> Result<ModelInferRequest, Refused> {
    let outputs = body["outputs"].as_array().into_iter().flatten();
    Ok(ModelInferRequest {
        model_name: model.to_owned(),
        model_version: String::new(),
        id: text(&body["id"]),
        inputs: tensors_from_json(&body["inputs"])?,
        outputs: outputs.map(|output| RequestedOutput { name: text(&output["name"]) }).collect(),
        raw_input_contents: Vec::new(),
    })
}

/// An answer as JSON.
pub(crate) fn response_to_json(message: &ModelInferResponse) -> Result<Bytes, Refused> {
    let ModelInferResponse { model_name, model_version, id, outputs, raw_output_contents } = message;
    let outputs = tensors_to_json(outputs, raw_output_contents)?;
    let body = json!({"model_name": model_name, "model_version": model_version, "id": id, "outputs": outputs});
    Ok(body.to_string().into())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn tensors_to_json(tensors: &[Tensor], raw: &[Bytes]) -> Result<Value, Refused> {
    if !raw.is_empty() && raw.len() != tensors.len() {
        return Err(format!("there are values of {} tensors for {}", raw.len(), tensors.len()));
    }
    let count = |(index, tensor): (usize, &Tensor)| {
        raw.get(index).map_or_else(|| typed_count(tensor), |bytes| raw_count(tensor, bytes))
    };
    if tensors.iter().enumerate().map(count).sum::<usize>() > VALUES_MAX {
        return Err(format!("there are more than {VALUES_MAX} values: split the request into several"));
    }
    tensors.iter().enumerate().map(|(index, tensor)| tensor_to_json(tensor, raw.get(index))).collect()
}

/// A tensor, whose values are these bytes if they do not stand in it.
fn tensor_to_json(tensor: &Tensor, raw: Option<&Bytes>) -> Result<Value, Refused> {
    let Tensor { name, datatype, shape, contents } = tensor;
    let data = match raw {
        Some(bytes) => raw_values(datatype, bytes),
        None => Some(typed_values(datatype, &contents.clone().unwrap_or_default())),
    };
    let data = data.ok_or_else(|| {
        format!("the values of `{name}`, of the datatype `{datatype}`, have no form in JSON, or are cut off")
    })?;
    Ok(json!({"name": name, "datatype": datatype, "shape": shape, "data": data}))
}

fn typed_count(tensor: &Tensor) -> usize {
    tensor.contents.as_ref().map_or(0, |contents| {
        contents.bool_contents.len()
            + contents.int_contents.len()
            + contents.int64_contents.len()
            + contents.uint_contents.len()
            + contents.uint64_contents.len()
            + contents.fp32_contents.len()
            + contents.fp64_contents.len()
            + contents.bytes_contents.len()
    })
}

/// How many values there may be at most.
fn raw_count(tensor: &Tensor, bytes: &Bytes) -> usize {
    let width = match tensor.datatype.as_str() {
        "INT16" | "UINT16" => 2,
        "INT32" | "UINT32" | "FP32" | "BYTES" => 4,
        "INT64" | "UINT64" | "FP64" => 8,
        _ => 1,
    };
    bytes.len() / width
}

fn typed_values(datatype: &str, contents: &Contents) -> Vec<Value> {
    fn all<T: Copy + Into<Value>>(values: &[T]) -> Vec<Value> {
        values.iter().map(|value| (*value).into()).collect()
    }
    match datatype {
        "BOOL" => all(&contents.bool_contents),
        "INT8" | "INT16" | "INT32" => all(&contents.int_contents),
        "INT64" => all(&contents.int64_contents),
        "UINT8" | "UINT16" | "UINT32" => all(&contents.uint_contents),
        "UINT64" => all(&contents.uint64_contents),
        "FP32" => contents.fp32_contents.iter().map(|value| short(*value)).collect(),
        "BYTES" => contents.bytes_contents.iter().map(|bytes| String::from_utf8_lossy(bytes).into()).collect(),
        _ => all(&contents.fp64_contents),
    }
}

/// A number in 32 bits as its shortest text.
fn short(value: f32) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// Values as bytes, the least significant first.
fn raw_values(datatype: &str, bytes: &[u8]) -> Option<Vec<Value>> {
    fn all<const N: usize>(bytes: &[u8], read: fn([u8; N]) -> Value) -> Option<Vec<Value>> {
        let (values, rest) = bytes.as_chunks::<N>();
        rest.is_empty().then(|| values.iter().map(|value| read(*value)).collect())
    }
    match datatype {
        "BOOL" => all::<1>(bytes, |[value]| (value != 0).into()),
        "INT8" => all(bytes, |value| i8::from_le_bytes(value).into()),
        "INT16" => all(bytes, |value| i16::from_le_bytes(value).into()),
        "INT32" => all(bytes, |value| i32::from_le_bytes(value).into()),
        "INT64" => all(bytes, |value| i64::from_le_bytes(value).into()),
        "UINT8" => all(bytes, |value| u8::from_le_bytes(value).into()),
        "UINT16" => all(bytes, |value| u16::from_le_bytes(value).into()),
        "UINT32" => all(bytes, |value| u32::from_le_bytes(value).into()),
        "UINT64" => all(bytes, |value| u64::from_le_bytes(value).into()),
        "FP32" => all(bytes, |value| short(f32::from_le_bytes(value))),
        "FP64" => all(bytes, |value| f64::from_le_bytes(value).into()),
        "BYTES" => raw_texts(bytes),
        _ => None,
    }
}

/// Texts with their lengths before them.
fn raw_texts(mut bytes: &[u8]) -> Option<Vec<Value>> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (text, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        texts.push(std::str::from_utf8(text).ok()?.into());
        bytes = rest;
    }
    Some(texts)
}

fn tensors_from_json(tensors: &Value) -> Result<Vec<Tensor>, Refused> {
    let all = tensors.as_array().ok_or("there are no tensors")?;
    all.iter().map(tensor_from_json).collect()
}

fn tensor_from_json(tensor: &Value) -> Result<Tensor, Refused> {
    let (name, datatype) = (text(&tensor["name"]), text(&tensor["datatype"]));
    let shape: Option<Vec<i64>> = tensor["shape"].as_array().into_iter().flatten().map(Value::as_i64).collect();
    let mut values = Vec::new();
    if let Some(data) = tensor.get("data") {
        flatten(data, &mut values);
    }
    // Its values follow the JSON.
    let is_binary = tensor.pointer("/parameters/binary_data_size").is_some();
    let contents = if is_binary { Some(Contents::default()) } else { contents(&datatype, &values) };
    match (shape, contents) {
        (Some(shape), Some(contents)) => Ok(Tensor { name, datatype, shape, contents: Some(contents) }),
        _ => Err(format!("the tensor `{name}` is not one of `{datatype}` that can be passed on over gRPC")),
    }
}

/// All values that are no arrays, in their order.
fn flatten<'a>(value: &'a Value, values: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, values)),
        value => values.push(value),
    }
}

/// The values in the field of their datatype; `None` where one is none of it.
fn contents(datatype: &str, values: &[&Value]) -> Option<Contents> {
    fn all<T>(values: &[&Value], read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
        values.iter().map(|value| read(value)).collect()
    }
    let signed = |value: &Value| i32::try_from(value.as_i64()?).ok();
    let unsigned = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let truth = |value: &Value| value.as_bool().or_else(|| value.as_u64().map(|value| value != 0));
    // JSON has no NaN: a missing number is null.
    let double = |value: &Value| if value.is_null() { Some(f64::NAN) } else { value.as_f64() };
    #[expect(clippy::cast_possible_truncation, reason = "as the datatype has it")]
    let single = |value: &Value| double(value).map(|value| value as f32);
    let mut contents = Contents::default();
    match datatype {
        "BOOL" => contents.bool_contents = all(values, truth)?,
        "INT8" | "INT16" | "INT32" => contents.int_contents = all(values, signed)?,
        "INT64" => contents.int64_contents = all(values, Value::as_i64)?,
        "UINT8" | "UINT16" | "UINT32" => contents.uint_contents = all(values, unsigned)?,
        "UINT64" => contents.uint64_contents = all(values, Value::as_u64)?,
        "FP32" => contents.fp32_contents = all(values, single)?,
        "FP64" => contents.fp64_contents = all(values, double)?,
        "BYTES" => contents.bytes_contents = all(values, |value| value.as_str().map(|text| text.as_bytes().to_vec()))?,
        _ => return None,
    }
    Some(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(datatype: &str, data: &Value) -> Value {
        json!({"inputs": [{"name": "a", "datatype": datatype, "shape": [2], "data": data}], "id": "i", "outputs": [{"name": "b"}]})
    }

    #[test]
    fn requests_come_back_as_they_were() {
        for (datatype, data) in [
            ("BOOL", json!([true, false])),
            ("INT8", json!([-1, 2])),
            ("INT64", json!([i64::MIN, 2])),
            ("UINT16", json!([1, 2])),
            ("UINT64", json!([u64::MAX, 2])),
            ("FP32", json!([0.1, 2.5])),
            ("FP64", json!([0.1, 1e300])),
            ("BYTES", json!(["a", "ü"])),
        ] {
            let body = request(datatype, &data);
            let message = request_from_json(body.to_string().as_bytes(), "m").unwrap();
            assert_eq!(message.model_name, "m");
            let back: Value = serde_json::from_slice(&request_to_json(&message).unwrap()).unwrap();
            assert_eq!(back, body, "{datatype}");
        }
    }

    #[test]
    fn a_missing_number_keeps_its_place() {
        for datatype in ["FP32", "FP64"] {
            let body = request(datatype, &json!([null, 2.5]));
            let message = request_from_json(body.to_string().as_bytes(), "m").unwrap();
            let contents = message.inputs[0].contents.clone().unwrap();
            assert_eq!(contents.fp32_contents.len() + contents.fp64_contents.len(), 2, "{datatype}");
            let back: Value = serde_json::from_slice(&request_to_json(&message).unwrap()).unwrap();
            assert_eq!(back, body, "{datatype}");
        }
    }

    #[test]
    fn values_beside_the_tensors_are_read() {
        let answer = |datatype: &str, bytes: &'static [u8]| {
            let tensor = Tensor { name: "a".to_owned(), datatype: datatype.to_owned(), shape: vec![1], contents: None };
            let raw_output_contents = vec![Bytes::from_static(bytes)];
            let answer = ModelInferResponse { outputs: vec![tensor], raw_output_contents, ..Default::default() };
            response_to_json(&answer)
                .map(|body| serde_json::from_slice::<Value>(&body).unwrap()["outputs"][0]["data"].clone())
        };
        assert_eq!(answer("FP32", &[0, 0, 128, 63]), Ok(json!([1.0])));
        assert_eq!(answer("INT16", &[255, 255]), Ok(json!([-1])));
        assert_eq!(answer("BYTES", &[1, 0, 0, 0, b'a']), Ok(json!(["a"])));
        let cut_off = "the values of `a`, of the datatype `FP32`, have no form in JSON, or are cut off";
        assert_eq!(answer("FP32", &[0]), Err(cut_off.to_owned()));
        assert!(answer("FP16", &[0, 0]).is_err());
    }

    #[test]
    fn values_are_bounded_by_their_number() {
        let tensor = |datatype: &str| Tensor { datatype: datatype.to_owned(), ..Tensor::default() };
        let bytes = [Bytes::from(vec![0; VALUES_MAX + 8])];
        let refused = tensors_to_json(&[tensor("BOOL")], &bytes).unwrap_err();
        assert_eq!(refused, "there are more than 1048576 values: split the request into several");
        assert!(tensors_to_json(&[tensor("FP64")], &bytes).is_ok());
    }

    #[test]
    fn what_is_no_tensor_is_told() {
        for data in [json!(["a", 1]), json!([2.5, 1]), json!([3_000_000_000_u64, 1]), json!([null, 1])] {
            let refused = request_from_json(request("INT32", &data).to_string().as_bytes(), "m").unwrap_err();
            assert_eq!(refused, "the tensor `a` is not one of `INT32` that can be passed on over gRPC");
        }
        assert_eq!(request_from_json(b"{}", "m").unwrap_err(), "there are no tensors");
        assert!(response_from_json(b"<p>").is_err());
    }
}
