//! Nodes that are called over gRPC: what they are asked and answer is JSON in this process, as that of others.

pub(crate) mod about;
mod serving;

use std::error::Error as _;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use prost::Message as _;
use provost_domain::ErrorCode;
use provost_inference::protocol::{
    proto::seldon::{SeldonMessage, SeldonMessageList},
    seldon,
    serving::Method,
    write_error,
};
use tonic::{Code, Status, body::Body};

use crate::{
    error::RequestError,
    grpc::{bridge, codec::Whole},
    matcher::{Action, Dialect},
    node_server::{Form, Question, Reply, Server, connector},
};

pub(crate) use serving::Signatures;

/// Where nodes take and give messages (Seldon Core 1.9, `prediction.proto`).
const AGGREGATE: &str = "/seldon.protos.Combiner/Aggregate";
const FEEDBACK: &str = "/seldon.protos.Model/SendFeedback";

/// The method that does what Seldon's protocol over REST has at a path; `None` where there is none.
pub(crate) fn method(dialect: Dialect, path: &str) -> Option<&'static str> {
    Some(match (dialect, path) {
        (Dialect::Seldon, "/predict") => "/seldon.protos.Model/Predict",
        (Dialect::Seldon, "/transform-input") => "/seldon.protos.Transformer/TransformInput",
        (Dialect::Seldon, "/transform-output") => "/seldon.protos.OutputTransformer/TransformOutput",
        (Dialect::Seldon, "/route") => "/seldon.protos.Router/Route",
        (Dialect::Seldon, "/aggregate") => AGGREGATE,
        (Dialect::Seldon, "/send-feedback") => FEEDBACK,
        (Dialect::V2, "/predict" | "/transform-input" | "/transform-output") => {
            "/inference.GRPCInferenceService/ModelInfer"
        }
        (Dialect::V1, "/predict" | "/transform-input" | "/transform-output") => serving::PREDICT,
        _ => return None,
    })
}

/// The method that does what is asked of a model besides predictions; `None` where there is none.
pub(crate) fn method_of(dialect: Dialect, action: Action) -> Option<&'static str> {
    match (dialect, action) {
        (Dialect::V1, Action::Examples(Method::Classify)) => Some(serving::CLASSIFY),
        (Dialect::V1, Action::Examples(Method::Regress)) => Some(serving::REGRESS),
        (Dialect::V1, Action::Signatures) => Some(serving::METADATA),
        (Dialect::V1, Action::Model) => Some(about::STATUS),
        (Dialect::V2, Action::Model) => Some(about::METADATA),
        (Dialect::V2, Action::ModelReady) => Some(about::READY),
        _ => None,
    }
}

/// Calls nodes over HTTP/2.
#[derive(Debug, Clone)]
pub(crate) struct GrpcNodes {
    client: Client<HttpConnector, Body>,
    answer_max: usize,
}

/// A client that speaks HTTP/2 alone, as gRPC does in the clear.
pub(crate) fn http2_client<B>() -> Client<HttpConnector, B>
where
    B: http_body::Body + Send,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).http2_only(true).build(connector())
}

impl GrpcNodes {
    pub(crate) fn new(answer_max: usize) -> Self {
        Self { client: http2_client(), answer_max }
    }

    /// Asks a node, whose refusal is an answer.
    pub(crate) async fn ask(
        &self,
        server: &Server,
        question: &Question<'_>,
        headers: &HeaderMap,
    ) -> Result<Reply, RequestError> {
        let Question { uri, body, form, .. } = question;
        if *form == Form::Message {
            let answer = self.call(uri, body.clone(), headers).await;
            return answer.map_or_else(|status| refused(server, &status), |answer| Ok(Reply::message(answer)));
        }
        if matches!(uri.path(), about::STATUS | about::METADATA | about::READY) {
            return Box::pin(self.tell(server, question, headers)).await;
        }
        if server.dialect() == Dialect::V1 {
            return Box::pin(self.ask_serving(server, question, headers)).await;
        }
        let message = message(server, uri, body)?;
        match self.call(uri, message, headers).await {
            Ok(answer) => Ok(Reply::json(json(server, &answer)?.into())),
            Err(status) => refused(server, &status),
        }
    }

    async fn call(&self, uri: &Uri, message: Bytes, headers: &HeaderMap) -> Result<Bytes, Status> {
        let origin = Uri::builder().scheme("http").path_and_query("/");
        let origin = origin.authority(uri.authority().map_or("", |authority| authority.as_str())).build();
        let origin = origin.map_err(|error| Status::internal(error.to_string()))?;
        let mut grpc = tonic::client::Grpc::with_origin(self.client.clone(), origin)
            .max_decoding_message_size(self.answer_max)
            .max_encoding_message_size(usize::MAX);
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let path = uri.path_and_query().cloned().unwrap_or_else(|| http::uri::PathAndQuery::from_static("/"));
        let metadata = tonic::metadata::MetadataMap::from_headers(headers.clone());
        let request = tonic::Request::from_parts(metadata, tonic::Extensions::default(), message);
        Ok(grpc.unary(request, path, Whole).await?.into_inner())
    }
}

/// What a node that speaks Seldon's protocol is asked in JSON as the message of its method.
fn message(server: &Server, uri: &Uri, body: &[u8]) -> Result<Bytes, RequestError> {
    let unfit = |reason: &str| unfit(server, reason);
    let no_message = "it is no message of Seldon's";
    Ok(match uri.path() {
        AGGREGATE => {
            let all: Vec<serde_json::Value> = serde_json::from_slice(body)?;
            let all = all.iter().map(bridge::message_from_json).collect::<Option<Vec<_>>>();
            SeldonMessageList { seldon_messages: all.ok_or_else(|| unfit(no_message))? }.encode_to_vec()
        }
        FEEDBACK => bridge::feedback_from_json(body).ok_or_else(|| unfit(no_message))?.encode_to_vec(),
        _ => bridge::from_json(body).ok_or_else(|| unfit(no_message))?.encode_to_vec(),
    }
    .into())
}

/// What a node answered as JSON.
fn json(server: &Server, answer: &Bytes) -> Result<Bytes, RequestError> {
    let unreadable = |reason: String| unreadable(server, &reason);
    let answer = SeldonMessage::decode(answer.clone()).map_err(|error| unreadable(error.to_string()))?;
    bridge::to_json(&answer).map_err(|error| unreadable(error.info))
}

/// What cannot be asked of a node over gRPC.
pub(crate) fn unfit(server: &Server, reason: &str) -> RequestError {
    let info = format!("{} is called over gRPC, and what it is asked has no message there: {reason}", server.called());
    RequestError::new(ErrorCode::BadRequest, info)
}

fn unreadable(server: &Server, reason: &str) -> RequestError {
    let info = format!("{} did not answer with a message that can be used: {reason}", server.called());
    RequestError::new(ErrorCode::Internal, info)
}

/// What became of a call that was not answered: what a node says of itself has no cause in this process.
fn refused(server: &Server, status: &Status) -> Result<Reply, RequestError> {
    if status.code() == Code::Unavailable || status.source().is_some() {
        return Err(unreachable(server, status));
    }
    Ok(refusal(server.dialect(), status))
}

fn unreachable(server: &Server, status: &Status) -> RequestError {
    tracing::warn!(node = server.name(), error = %status, "a node does not answer");
    let info = format!("{} does not answer over gRPC: try again, and look at its log", server.called());
    RequestError::new(ErrorCode::Unavailable, info)
}

/// What a node refused, as it would have over REST.
fn refusal(dialect: Dialect, status: &Status) -> Reply {
    let code = match status.code() {
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut body = Vec::new();
    match dialect {
        Dialect::Seldon => {
            seldon::write_error(code.as_u16(), "MICROSERVICE_INTERNAL_ERROR", status.message(), &mut body);
        }
        Dialect::V1 | Dialect::V2 => write_error(status.message(), &mut body),
    }
    let mut reply = Reply::json(body);
    reply.status = code;
    reply
}
