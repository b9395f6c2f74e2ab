//! What a program or a graph is sent of a request, and what the caller gets of its answer, where one of them speaks gRPC: a
//! message goes on as it is to those who take it, and else as JSON. Of V2 binary tensors are a message's to those, too.

use bytes::Bytes;
use http::HeaderMap;
use prost::Message as _;
use provost_domain::ErrorCode;
use provost_inference::protocol::{
    proto::{
        inference::{ModelInferRequest, ModelInferResponse},
        serving::{
            ClassificationResponse, ExamplesRequest, ModelSpec, PredictRequest, PredictResponse, RegressionResponse,
        },
    },
    serving::{
        Request,
        bridge::{
            ByRows, Unpassable, classification_from_json, classification_to_json, examples_to_json, predict_to_json,
            regression_from_json, regression_to_json, response_from_json, response_to_json,
        },
    },
};
use serde_json::json;

use crate::{
    dialects::Content,
    error::RequestError,
    grpc::tensors::{
        self,
        binary::{Binary, request_from_body, response_to_body},
        raw::{Place, placed},
    },
    matcher::Dialect,
    node_grpc::unfit,
    node_server::{Form, Reply, Server},
    service::INFERENCE_HEADER,
};

/// What goes on.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) body: Bytes,
    pub(crate) form: Form,
    /// Which outputs of V2 go back as bytes after JSON.
    pub(crate) binary: Binary,
}

impl Sent {
    /// What a program is sent of a request to a deployment of this name.
    pub(crate) fn to(
        server: &Server,
        (headers, content): (&HeaderMap, &Content),
        deployment: &str,
    ) -> Result<Self, RequestError> {
        let message = |body| Self { body, form: Form::Message, binary: Binary::default() };
        match content {
            Content::Serving(request, asked) if server.is_grpc() => {
                Ok(message(named(request, asked, (server.name(), deployment))))
            }
            Content::V2(_, asked) if server.is_grpc() => {
                let name = ModelInferRequest { model_name: server.name().to_owned(), ..ModelInferRequest::default() };
                Ok(message(together(asked, &name)))
            }
            Content::Json(body) if server.is_grpc() && server.dialect() == Dialect::V2 => {
                let read = request_from_body(body, json_length(headers), server.name());
                let (request, binary) = read.map_err(|reason| unfit(server, &reason))?;
                Ok(Self { binary, ..message(request.encode_to_vec().into()) })
            }
            _ => Ok(Self { body: as_json(content)?, form: Form::Rest, binary: Binary::default() }),
        }
    }

    /// It, as it is logged.
    pub(crate) fn text(&self, content: &Content) -> Bytes {
        match (self.form, content) {
            (Form::Message, Content::Serving(request, _)) => text(request_to_json(request)),
            (Form::Message, Content::V2(request, _)) => text(tensors::request_to_json(request)),
            (Form::Message, _) => {
                let request = ModelInferRequest::decode(self.body.clone()).unwrap_or_default();
                text(tensors::request_to_json(&request))
            }
            _ => self.body.clone(),
        }
    }
}

/// The length of the JSON where bytes follow it; what is no number is longer than any body.
pub(crate) fn json_length(headers: &HeaderMap) -> Option<usize> {
    let length = headers.get(INFERENCE_HEADER)?;
    Some(length.to_str().ok().and_then(|length| length.parse().ok()).unwrap_or(usize::MAX))
}

/// The body of REST that says the same.
pub(crate) fn as_json(content: &Content) -> Result<Bytes, RequestError> {
    match content {
        Content::Serving(request, _) => request_to_json(request).map(Bytes::from).map_err(|reason| {
            let info = format!("the request cannot be passed on over REST, by which the program is called: {reason}");
            RequestError::new(ErrorCode::BadRequest, info)
        }),
        Content::V2(request, _) => {
            tensors::request_to_json(request).map_err(|reason| RequestError::new(ErrorCode::BadRequest, reason))
        }
        _ => Ok(content.body()),
    }
}

/// What came of a request.
pub(crate) struct Given {
    /// As it is logged.
    pub(crate) shown: Reply,
    /// As it goes back, where that is otherwise.
    pub(crate) back: Option<Reply>,
}

impl Given {
    /// What the caller of a request is given of an answer. Refusals go back as they are.
    pub(crate) fn of(
        content: &Content,
        binary: &Binary,
        (reply, is_logged): (Reply, bool),
    ) -> Result<Self, RequestError> {
        if !reply.status.is_success() {
            return Ok(Self { shown: reply, back: None });
        }
        match (content, reply.form) {
            (Content::Serving(request, _), Form::Message) => {
                let shown = is_logged.then(|| text(response_text(request, &reply.body)));
                Ok(Self { shown: Reply::json(shown.unwrap_or_default().into()), back: Some(reply) })
            }
            (Content::Serving(request, _), Form::Rest) => {
                let message = response_message(request, &reply.body).map_err(|reason| unanswered("V1", &reason))?;
                Ok(Self { shown: reply, back: Some(Reply::message(message.into())) })
            }
            (Content::V2(request, _), Form::Message) => {
                let response = infer_response(&reply.body)?;
                let shown = is_logged.then(|| text(tensors::response_to_json(&response)));
                let message = placed(response, place(request)).encode_to_vec();
                let back = Some(Reply::message(message.into()));
                Ok(Self { shown: Reply::json(shown.unwrap_or_default().into()), back })
            }
            (Content::V2(request, _), Form::Rest) => {
                let response = tensors::response_from_json(&reply.body).map_err(|reason| unanswered("V2", &reason))?;
                let message = placed(response, place(request)).encode_to_vec();
                Ok(Self { shown: reply, back: Some(Reply::message(message.into())) })
            }
            (_, Form::Message) => {
                let response = infer_response(&reply.body)?;
                let (body, json) = response_to_body(&response, binary).map_err(|reason| unanswered("JSON", &reason))?;
                let Some(length) = json else { return Ok(Self { shown: Reply::json(body), back: None }) };
                let shown = is_logged.then(|| text(tensors::response_to_json(&response)));
                let back = Some(Reply::with_bytes(body, Some(length)));
                Ok(Self { shown: Reply::json(shown.unwrap_or_default().into()), back })
            }
            (_, Form::Rest) => Ok(Self { shown: reply, back: None }),
        }
    }
}

fn unanswered(protocol: &str, reason: &dyn std::fmt::Display) -> RequestError {
    let info = format!("the deployment's program did not answer in {protocol}: {reason}");
    RequestError::new(ErrorCode::Internal, info)
}

fn infer_response(message: &Bytes) -> Result<ModelInferResponse, RequestError> {
    ModelInferResponse::decode(message.clone()).map_err(|reason| unanswered("V2", &reason))
}

/// Where the values of an answer stand: where those of the request do.
fn place(request: &ModelInferRequest) -> Place {
    if request.raw_input_contents.is_empty() { Place::Typed } else { Place::Raw }
}

/// What is logged of a message that has no form in JSON: why.
pub(crate) fn text(json: Result<impl Into<Bytes>, impl std::fmt::Display>) -> Bytes {
    json.map_or_else(|reason| json!({"not_shown": reason.to_string()}).to_string().into(), Into::into)
}

/// A message with fields of another: of two values of a field the later counts, and parts of a message are put together.
fn together(message: &Bytes, added: &impl prost::Message) -> Bytes {
    [&message[..], &added.encode_to_vec()[..]].concat().into()
}

fn request_to_json(request: &Request) -> Result<Vec<u8>, Unpassable> {
    match request {
        Request::Predict(request) => predict_to_json(request),
        Request::Classify(request) | Request::Regress(request) => examples_to_json(request),
    }
}

fn response_message(request: &Request, body: &[u8]) -> Result<Vec<u8>, Unpassable> {
    let spec = request.model_spec();
    Ok(match request {
        Request::Predict(request) => response_from_json(body, request)?.encode_to_vec(),
        Request::Classify(_) => classification_from_json(body, spec)?.encode_to_vec(),
        Request::Regress(_) => regression_from_json(body, spec)?.encode_to_vec(),
    })
}

fn response_text(request: &Request, message: &Bytes) -> Result<Vec<u8>, Unpassable> {
    let unreadable = |_| Unpassable::Form("a message that can be read");
    Ok(match request {
        Request::Predict(_) => {
            response_to_json(&PredictResponse::decode(message.clone()).map_err(unreadable)?, ByRows::Yes)?
        }
        Request::Classify(_) => {
            classification_to_json(&ClassificationResponse::decode(message.clone()).map_err(unreadable)?)
        }
        Request::Regress(_) => regression_to_json(&RegressionResponse::decode(message.clone()).map_err(unreadable)?),
    })
}

/// The message as it came; for the node's model, where it names none or the deployment.
fn named(request: &Request, message: &Bytes, (node, deployment): (&str, &str)) -> Bytes {
    let name = request.model_spec().map_or("", |spec| &spec.name);
    if !name.is_empty() && name != deployment {
        return message.clone();
    }
    let model_spec = Some(ModelSpec { name: node.to_owned(), ..ModelSpec::default() });
    match request {
        Request::Predict(_) => together(message, &PredictRequest { model_spec, ..PredictRequest::default() }),
        Request::Classify(_) | Request::Regress(_) => together(message, &ExamplesRequest { model_spec, input: None }),
    }
}

#[cfg(test)]
mod tests {
    use provost_inference::protocol::proto::{
        serving::VersionChoice,
        tensorflow::{TensorProto, TensorShape},
    };

    use super::*;

    fn request(name: &str) -> PredictRequest {
        let version = Some(VersionChoice::Number(3));
        let spec = ModelSpec { name: name.to_owned(), version, signature_name: "s".to_owned() };
        let tensor_shape = Some(TensorShape::of(&[1]));
        let tensor = TensorProto { dtype: 1, tensor_shape, float_val: vec![0.5], ..TensorProto::default() };
        PredictRequest { model_spec: Some(spec), inputs: [("x".to_owned(), tensor)].into(), output_filter: Vec::new() }
    }

    #[test]
    fn a_message_goes_on_as_it_is_for_the_nodes_model() {
        for (name, expected) in [("", "node"), ("deployment", "node"), ("other", "other")] {
            let asked = request(name);
            // A field that is not known here.
            let message: Bytes = [&asked.encode_to_vec()[..], &[0xa8, 0x06, 0x07]].concat().into();
            let sent = named(&Request::Predict(asked), &message, ("node", "deployment"));
            assert!(sent.starts_with(&message));
            assert_eq!(PredictRequest::decode(sent).unwrap(), request(expected));
        }
    }

    #[test]
    fn what_has_no_form_in_json_is_told_in_the_log() {
        let mut odd = request("m");
        odd.inputs.values_mut().for_each(|tensor| tensor.dtype = 8);
        let told = String::from_utf8(text(predict_to_json(&odd)).to_vec()).unwrap();
        assert!(told.starts_with(r#"{"not_shown":"the tensor `x`: the type `DT_COMPLEX64` is not taken"#), "{told}");
    }
}
