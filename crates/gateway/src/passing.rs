//! What a program or a graph is sent of a request, and what the caller gets of its answer, where one of them speaks gRPC: a
//! message goes on as it is to those who take it, and else as JSON.

use bytes::Bytes;
use prost::Message as _;
use provost_domain::ErrorCode;
use provost_inference::protocol::{
    proto::serving::{
        ClassificationResponse, ExamplesRequest, ModelSpec, PredictRequest, PredictResponse, RegressionResponse,
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
    node_server::{Form, Reply, Server},
};

/// What goes on.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) body: Bytes,
    pub(crate) form: Form,
}

impl Sent {
    /// What a program is sent of a request to a deployment of this name.
    pub(crate) fn to(server: &Server, content: &Content, deployment: &str) -> Result<Self, RequestError> {
        match content {
            Content::Serving(request, message) if server.is_grpc() => {
                Ok(Self { body: named(request, message, (server.name(), deployment)), form: Form::Message })
            }
            _ => Ok(Self { body: as_json(content)?, form: Form::Rest }),
        }
    }

    /// It, as it is logged.
    pub(crate) fn text(&self, content: &Content) -> Bytes {
        match (self.form, content) {
            (Form::Message, Content::Serving(request, _)) => text(request_to_json(request)),
            _ => self.body.clone(),
        }
    }
}

/// The body of REST that says the same.
pub(crate) fn as_json(content: &Content) -> Result<Bytes, RequestError> {
    match content {
        Content::Serving(request, _) => request_to_json(request).map(Bytes::from).map_err(|reason| {
            let info = format!("the request cannot be passed on over REST, by which the program is called: {reason}");
            RequestError::new(ErrorCode::BadRequest, info)
        }),
        _ => Ok(content.body()),
    }
}

/// What came of a request.
pub(crate) struct Given {
    /// As it is logged, and as it goes back over REST.
    pub(crate) reply: Reply,
    /// As it goes back over gRPC.
    pub(crate) message: Option<Bytes>,
}

impl Given {
    /// What the caller of a request is given of an answer. Refusals go back as they are.
    pub(crate) fn of(content: &Content, reply: Reply, is_logged: bool) -> Result<Self, RequestError> {
        let Content::Serving(request, _) = content else { return Ok(Self { reply, message: None }) };
        if !reply.status.is_success() {
            return Ok(Self { reply, message: None });
        }
        if reply.form == Form::Message {
            let shown = if is_logged { text(response_text(request, &reply.body)) } else { Bytes::new() };
            return Ok(Self { message: Some(reply.body), reply: Reply::json(shown.into()) });
        }
        let message = response_message(request, &reply.body).map_err(|reason| {
            let info = format!("the deployment's program did not answer in V1: {reason}");
            RequestError::new(ErrorCode::Internal, info)
        })?;
        Ok(Self { reply, message: Some(message.into()) })
    }
}

/// What is logged of a message that has no form in JSON: why.
fn text(json: Result<Vec<u8>, Unpassable>) -> Bytes {
    json.unwrap_or_else(|reason| json!({"not_shown": reason.to_string()}).to_string().into()).into()
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

/// The message as it came; for the node's model, where it names none or the deployment: of two values of a field the later
/// counts, and parts of a message are put together.
fn named(request: &Request, message: &Bytes, (node, deployment): (&str, &str)) -> Bytes {
    let name = request.model_spec().map_or("", |spec| &spec.name);
    if !name.is_empty() && name != deployment {
        return message.clone();
    }
    let model_spec = Some(ModelSpec { name: node.to_owned(), ..ModelSpec::default() });
    let added = match request {
        Request::Predict(_) => PredictRequest { model_spec, ..PredictRequest::default() }.encode_to_vec(),
        Request::Classify(_) | Request::Regress(_) => ExamplesRequest { model_spec, input: None }.encode_to_vec(),
    };
    [&message[..], &added[..]].concat().into()
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
