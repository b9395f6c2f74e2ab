//! What nodes that are called over gRPC tell of their models: the JSON that they would over REST.

use bytes::Bytes;
use http::HeaderMap;
use prost::Message;
use provost_inference::protocol::proto::{
    inference::{ModelMetadata, ModelQuestion, TensorMetadata, Yes},
    serving::{GetModelStatusRequest, GetModelStatusResponse, ModelSpec, ModelState, ModelVersionStatus},
};
use serde_json::{Value, json};
use tonic::Status;

use super::{GrpcNodes, refused, unreadable};
use crate::{
    error::RequestError,
    node_server::{Question, Reply, Server},
};

pub(super) const METADATA: &str = "/inference.GRPCInferenceService/ModelMetadata";
pub(super) const READY: &str = "/inference.GRPCInferenceService/ModelReady";
pub(super) const STATUS: &str = "/tensorflow.serving.ModelService/GetModelStatus";

impl GrpcNodes {
    /// Asks a node of its model by one of these methods.
    pub(super) async fn tell(
        &self,
        server: &Server,
        question: &Question<'_>,
        headers: &HeaderMap,
    ) -> Result<Reply, RequestError> {
        let name = server.name().to_owned();
        let asked = match question.uri.path() {
            STATUS => {
                let spec = ModelSpec { name, ..ModelSpec::default() };
                GetModelStatusRequest { model_spec: Some(spec) }.encode_to_vec()
            }
            _ => ModelQuestion { name, version: String::new() }.encode_to_vec(),
        };
        let answer = match self.call(&question.uri, asked.into(), headers).await {
            Ok(answer) => answer,
            Err(status) => return refused(server, &status),
        };
        let told = json_of(question.uri.path(), server.name(), answer);
        told.map(|told| Reply::json(told.to_string().into())).map_err(|error| unreadable(server, &error))
    }
}

fn json_of(path: &str, name: &str, answer: Bytes) -> Result<Value, String> {
    Ok(match path {
        STATUS => of_status(name, &read(answer)?),
        READY => json!({"name": name, "ready": read::<Yes>(answer)?.is_so}),
        _ => of_metadata(&read(answer)?),
    })
}

fn read<A: Message + Default>(answer: Bytes) -> Result<A, String> {
    A::decode(answer).map_err(|error| error.to_string())
}

fn of_metadata(told: &ModelMetadata) -> Value {
    let tensors = |tensors: &[TensorMetadata]| -> Value {
        let tensor = |one: &TensorMetadata| json!({"name": one.name, "datatype": one.datatype, "shape": one.shape});
        tensors.iter().map(tensor).collect()
    };
    json!({
        "name": told.name,
        "versions": told.versions,
        "platform": told.platform,
        "inputs": tensors(&told.inputs),
        "outputs": tensors(&told.outputs),
    })
}

/// As KServe and as `TensorFlow` Serving tell it.
fn of_status(name: &str, told: &GetModelStatusResponse) -> Value {
    let state = |one: &ModelVersionStatus| ModelState::try_from(one.state).unwrap_or(ModelState::Unknown);
    let is_ready = told.model_version_status.iter().any(|one| state(one) == ModelState::Available);
    let version = |one: &ModelVersionStatus| {
        let status = one.status.clone().unwrap_or_default();
        let code = if status.error_code == 0 { "OK".to_owned() } else { status.error_code.to_string() };
        let status = json!({"error_code": code, "error_message": status.error_message});
        let state = format!("{:?}", state(one)).to_uppercase();
        json!({"version": one.version.to_string(), "state": state, "status": status})
    };
    let versions: Vec<_> = told.model_version_status.iter().map(version).collect();
    json!({"name": name, "ready": is_ready, "model_version_status": versions})
}

/// The metadata that a program told over REST, as the message that tells it.
pub(crate) fn metadata_of(body: &[u8]) -> Result<ModelMetadata, Status> {
    let told: Value = serde_json::from_slice(body)
        .map_err(|_| Status::internal("the deployment's program tells nothing of its model in JSON"))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tensor = |one: &Value| TensorMetadata {
        name: text(&one["name"]),
        datatype: text(&one["datatype"]),
        shape: one["shape"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect(),
    };
    let tensors = |field: &str| told[field].as_array().into_iter().flatten().map(tensor).collect();
    Ok(ModelMetadata {
        name: text(&told["name"]),
        versions: told["versions"].as_array().into_iter().flatten().map(text).collect(),
        platform: text(&told["platform"]),
        inputs: tensors("inputs"),
        outputs: tensors("outputs"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_comes_back_as_it_was() {
        let tensor = TensorMetadata { name: "x".to_owned(), datatype: "FP32".to_owned(), shape: vec![-1, 4] };
        let told = ModelMetadata {
            name: "m".to_owned(),
            versions: vec!["1".to_owned()],
            platform: "p".to_owned(),
            inputs: vec![tensor.clone()],
            outputs: vec![tensor],
        };
        let json = json_of(METADATA, "m", told.encode_to_vec().into()).unwrap();
        assert_eq!(json["inputs"][0], json!({"name": "x", "datatype": "FP32", "shape": [-1, 4]}));
        assert_eq!(metadata_of(json.to_string().as_bytes()).unwrap(), told);
        assert!(metadata_of(b"<p>").is_err());
    }

    #[test]
    fn a_model_is_ready_once_a_version_is_there() {
        let version =
            |number, state: ModelState| ModelVersionStatus { version: number, state: state.into(), status: None };
        let told = |states: &[ModelState]| {
            let versions = (1..).zip(states).map(|(number, state)| version(number, *state)).collect();
            let told = GetModelStatusResponse { model_version_status: versions };
            json_of(STATUS, "m", told.encode_to_vec().into()).unwrap()
        };
        let ready = told(&[ModelState::End, ModelState::Available]);
        assert_eq!((&ready["ready"], &ready["model_version_status"][1]["state"]), (&json!(true), &json!("AVAILABLE")));
        assert_eq!(told(&[ModelState::Loading])["ready"], json!(false));
        assert_eq!(json_of(READY, "m", Bytes::new()).unwrap(), json!({"name": "m", "ready": false}));
    }
}
