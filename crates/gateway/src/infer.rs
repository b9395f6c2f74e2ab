//! A message of V2 on its way between nodes: what one answered is what the next is asked.

use bytes::Bytes;
use prost::Message as _;
use provost_inference::protocol::proto::inference::{ModelInferRequest, ModelInferResponse};

use crate::grpc::tensors::{self, Refused};

/// A request or an answer of V2's gRPC.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Infer {
    /// What is asked.
    Request(ModelInferRequest),
    /// What was answered.
    Response(ModelInferResponse),
}

impl Infer {
    /// An answer that came.
    pub(crate) fn answered(message: Bytes) -> Result<Self, Refused> {
        ModelInferResponse::decode(message).map(Self::Response).map_err(|error| error.to_string())
    }

    /// What asks the model of this name.
    pub(crate) fn request(&self, model: &str) -> ModelInferRequest {
        let model_name = model.to_owned();
        match self {
            Self::Request(request) => ModelInferRequest { model_name, ..request.clone() },
            Self::Response(response) => ModelInferRequest {
                model_name,
                id: response.id.clone(),
                inputs: response.outputs.clone(),
                raw_input_contents: response.raw_output_contents.clone(),
                ..ModelInferRequest::default()
            },
        }
    }

    /// What goes back to a caller: of what nobody answered, what was asked.
    pub(crate) fn response(&self) -> ModelInferResponse {
        match self {
            Self::Response(response) => response.clone(),
            Self::Request(request) => ModelInferResponse {
                model_name: request.model_name.clone(),
                model_version: request.model_version.clone(),
                id: request.id.clone(),
                outputs: request.inputs.clone(),
                raw_output_contents: request.raw_input_contents.clone(),
            },
        }
    }

    /// It as JSON.
    pub(crate) fn to_json(&self) -> Result<Bytes, Refused> {
        match self {
            Self::Request(request) => tensors::request_to_json(request),
            Self::Response(response) => tensors::response_to_json(response),
        }
    }
}
