//! What a program tells of its signatures, over REST and over gRPC.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_types::Any;
use serde_json::Value;

use crate::protocol::{
    proto::{
        serving::{GetModelMetadataResponse, ModelSpec, SignatureDefMap, VersionChoice},
        tensorflow::{SignatureDef, TensorInfo},
    },
    serving::{SIGNATURE_DEF, signature::write_signatures},
    tensorflow::{dtype_from_value, shape_from_value},
};

/// The message; `None` where the body tells no signatures.
pub fn metadata_from_json(body: &[u8]) -> Option<GetModelMetadataResponse> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let signatures = body.pointer("/metadata/signature_def/signature_def")?.as_object()?;
    let signature_def = signatures
        .iter()
        .map(|(name, signature)| Some((name.clone(), signature_of(signature)?)))
        .collect::<Option<_>>()?;
    let type_url = "type.googleapis.com/tensorflow.serving.SignatureDefMap".to_owned();
    let any = Any { type_url, value: SignatureDefMap { signature_def }.encode_to_vec() };
    let spec = &body["model_spec"];
    let version = spec["version"].as_str().and_then(|version| version.parse().ok()).map(VersionChoice::Number);
    let model_spec =
        Some(ModelSpec { name: text(&spec["name"]), version, signature_name: text(&spec["signature_name"]) });
    Some(GetModelMetadataResponse { model_spec, metadata: BTreeMap::from([(SIGNATURE_DEF.to_owned(), any)]) })
}

/// The signatures that a message tells of; none where it tells no such thing.
pub fn signatures_of(told: &GetModelMetadataResponse) -> SignatureDefMap {
    let map = told.metadata.get(SIGNATURE_DEF);
    map.and_then(|any| SignatureDefMap::decode(&any.value[..]).ok()).unwrap_or_default()
}

/// What a message tells, as JSON.
pub fn metadata_to_json(told: &GetModelMetadataResponse) -> Vec<u8> {
    let spec = told.model_spec.clone().unwrap_or_default();
    let version = if let Some(VersionChoice::Number(version)) = spec.version { version } else { 1 };
    let mut out = Vec::new();
    write_signatures((&spec.name, version), &signatures_of(told).signature_def, &mut out);
    out
}

fn signature_of(signature: &Value) -> Option<SignatureDef> {
    let tensors = |field: &str| -> Option<BTreeMap<String, TensorInfo>> {
        let tensors = signature[field].as_object().into_iter().flatten();
        tensors.map(|(name, tensor)| Some((name.clone(), tensor_of(tensor)?))).collect()
    };
    let method_name = signature.get("method_name").or_else(|| signature.get("methodName")).map(text);
    Some(SignatureDef {
        inputs: tensors("inputs")?,
        outputs: tensors("outputs")?,
        method_name: method_name.unwrap_or_default(),
    })
}

fn tensor_of(tensor: &Value) -> Option<TensorInfo> {
    let shape = tensor.get("tensor_shape").or_else(|| tensor.get("tensorShape"));
    Some(TensorInfo {
        name: text(&tensor["name"]),
        dtype: tensor.get("dtype").map_or(Some(0), dtype_from_value)?,
        tensor_shape: shape.map(|shape| shape_from_value(shape).ok_or(())).transpose().ok()?,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::proto::tensorflow::TensorShape;

    #[test]
    fn signatures_are_those_that_are_told() {
        let body = br#"{"model_spec":{"name":"m","signature_name":"","version":"3"},"metadata":{"signature_def":{"signature_def":{
            "serving_default":{"inputs":{"x":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[{"size":"-1","name":""}],"unknown_rank":false},"name":"x:0"}},
            "outputs":{},"method_name":"tensorflow/serving/predict"}}}}}"#;
        let told = metadata_from_json(body).unwrap();
        assert_eq!(told.model_spec.as_ref().unwrap().version, Some(VersionChoice::Number(3)));
        let map = signatures_of(&told);
        let signature = &map.signature_def["serving_default"];
        assert_eq!(signature.method_name, "tensorflow/serving/predict");
        let expected = TensorInfo { name: "x:0".to_owned(), dtype: 1, tensor_shape: Some(TensorShape::of(&[-1])) };
        assert_eq!(signature.inputs["x"], expected);
        let written = metadata_to_json(&metadata_from_json(body).unwrap());
        assert_eq!(metadata_from_json(&written), metadata_from_json(body));
    }

    #[test]
    fn what_tells_no_signatures_is_none() {
        for body in
            ["{", "{}", r#"{"metadata":{"signature_def":{"signature_def":{"a":{"inputs":{"x":{"dtype":"?"}}}}}}}"#]
        {
            assert_eq!(metadata_from_json(body.as_bytes()), None, "{body}");
        }
    }
}
