//! Calls of gRPC: Seldon's service, that of the Open Inference Protocol (V2) and TensorFlow Serving's, for the same
//! deployments as over REST; and gRPC's own, by which clients find out what there is.
//!
//! Which deployment is meant, the metadata `seldon` and `namespace` tell, as to Seldon's ingress; V2 without them means the
//! deployment with such a model.

pub(crate) mod bridge;
pub(crate) mod codec;
mod health;
mod limits;
mod metadata;
mod method;
pub(crate) mod reflection;
mod serving;
pub(crate) mod tensors;

use std::{pin::Pin, sync::Arc, time::Instant};

use self::method::Method;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use opentelemetry::KeyValue;
use prost::Message as _;
use provost_domain::ErrorCode;
use provost_inference::protocol::proto::{
    decode,
    inference::{
        Empty, ModelInferRequest, ModelQuestion, RepositoryIndex, RepositoryModel, RepositoryModelAnswer,
        RepositoryModelQuestion, RepositoryQuestion, ServerMetadata, Yes,
    },
    seldon::{Feedback, SeldonMessage},
};
use tonic::{Code, Status, metadata::MetadataMap, server::UnaryService};

use crate::{
    about::{About, of_model},
    body::read_body,
    dialects::Content,
    error::RequestError,
    feedback,
    in_flight::InFlight,
    matcher::{Action, Dialect},
    node_grpc::about::metadata_of,
    predict::{Answered, Call, Failed, check_model, pinned},
    repository::{Listed, NOT_HERE, listed},
    routes::{DEFAULT_NAMESPACE, Deployment, Served},
    service::{GatewayThread, JSON, PREDICTOR, PUID, pin, request_id, too_many},
};

/// Names of the metadata by which Seldon's clients name a deployment.
const SELDON: HeaderName = HeaderName::from_static("seldon");
const NAMESPACE: HeaderName = HeaderName::from_static("namespace");

/// The services that are answered, by how their paths begin.
const SERVICES: [&str; 5] =
    ["/seldon.protos.", "/inference.", "/tensorflow.serving.", "/grpc.health.v1.", "/grpc.reflection."];

/// Whether a path is that of a service of gRPC.
pub(crate) fn is_grpc(path: &str) -> bool {
    SERVICES.iter().any(|service| path.starts_with(service))
}

/// An answer of gRPC that only tells that it went wrong.
pub fn grpc_refusal(code: ErrorCode, info: &str) -> Response<tonic::body::Body> {
    Status::new(Code::from_i32(code.grpc_code()), info).into_http()
}

impl GatewayThread {
    /// Answers a call of gRPC. Never fails: errors are answers.
    pub async fn call_grpc<B>(&self, request: Request<B>) -> Response<tonic::body::Body>
    where
        B: Body<Data = Bytes> + Unpin + Send + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        if self.is_left_out(request.headers(), request.uri()) {
            return Status::ok("a copy that is left out").into_http();
        }
        let Some(traces) = &self.shared.options.traces else { return self.answer_grpc_request(request).await };
        let (mut parts, body) = request.into_parts();
        let method = parts.uri.path().trim_start_matches('/').to_owned();
        let system = KeyValue::new("rpc.system", "grpc");
        let traced =
            traces.arrives(&mut parts.headers, method.clone(), vec![system, KeyValue::new("rpc.method", method)]);
        let response = Box::pin(self.answer_grpc_request(Request::from_parts(parts, body))).await;
        traced.is_of(response.headers(), &[PUID, PREDICTOR]);
        match Status::from_header_map(response.headers()).filter(|status| status.code() != tonic::Code::Ok) {
            Some(status) => traced.failed(status.message()),
            None => traced.answered(response.status().as_u16()),
        }
        response
    }

    async fn answer_grpc_request<B>(&self, request: Request<B>) -> Response<tonic::body::Body>
    where
        B: Body<Data = Bytes> + Unpin + Send + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        let arrived = Instant::now();
        if reflection::is_asked(request.uri().path()) {
            return reflection::answer(request).await;
        }
        let (parts, mut body) = request.into_parts();
        let Some(method) = Method::of(parts.uri.path()) else {
            return Status::unimplemented(format!("there is no method `{}`", parts.uri.path())).into_http();
        };
        let options = &self.shared.options;
        let body = match read_body(&mut body, &parts.headers, options).await {
            Ok(body) => Full::new(body),
            Err(error) => return grpc_refusal(error.code, &error.info),
        };
        let mut grpc = tonic::server::Grpc::new(codec::Whole).max_decoding_message_size(options.body_max);
        grpc.unary(Unary { thread: self.clone(), method, arrived }, Request::from_parts(parts, body)).await
    }

    async fn answer_grpc(
        &self,
        method: Method,
        arrived: Instant,
        request: tonic::Request<Bytes>,
    ) -> Result<tonic::Response<Bytes>, Status> {
        let (metadata, _, message) = request.into_parts();
        let headers = metadata.into_headers();
        match method {
            Method::SeldonPredict => {
                let deployment = self.named(&headers)?.ok_or_else(unnamed)?;
                let plain = if are_models(&deployment) { limits::SELDON } else { limits::BRIDGED };
                let message = within(&message, plain).and_then(decoded)?;
                self.predict_seldon((deployment, headers, arrived), message).await
            }
            Method::SeldonFeedback => {
                let message = within(&message, limits::FEEDBACK).and_then(decoded)?;
                let deployment = self.named(&headers)?.ok_or_else(unnamed)?;
                self.take_feedback_message((deployment, headers, arrived), &message).await
            }
            Method::ModelInfer => {
                let request: ModelInferRequest = within(&message, limits::V2).and_then(decoded)?;
                let deployment = self.of_model(&headers, &request.model_name)?;
                self.predict_v2((deployment, headers, arrived), (request, message)).await
            }
            Method::TensorsPredict => {
                let request = within(&message, limits::TENSORS).and_then(decoded)?;
                self.predict_serving((serving::Request::Predict(request), message), (headers, arrived)).await
            }
            Method::Classify => {
                let request = within(&message, limits::EXAMPLES).and_then(decoded)?;
                self.predict_serving((serving::Request::Classify(request), message), (headers, arrived)).await
            }
            Method::Regress => {
                let request = within(&message, limits::EXAMPLES).and_then(decoded)?;
                self.predict_serving((serving::Request::Regress(request), message), (headers, arrived)).await
            }
            Method::SeldonModelMetadata => self.tell_of_node(headers, &decoded(&message)?).await,
            Method::SeldonGraphMetadata => {
                let _nothing: Empty = decoded(&message)?;
                self.tell_of_graph(headers).await
            }
            Method::HealthCheck => self.tell_health(&headers, &decoded(&message)?),
            Method::Signatures => self.tell_signatures(headers, &decoded(&message)?).await,
            Method::ModelStatus => self.tell_status(&headers, &decoded(&message)?),
            Method::ServerLive => Ok(encoded(&Yes { is_so: true })),
            Method::ServerReady => {
                let _nothing: Empty = decoded(&message)?;
                let is_so = self.named(&headers)?.is_none_or(|deployment| !deployment.predictors.is_empty());
                Ok(encoded(&Yes { is_so }))
            }
            Method::ServerMetadata => Ok(encoded(&ServerMetadata {
                name: "provost".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                extensions: Vec::new(),
            })),
            Method::RepositoryIndex => self.list_models(&headers, &decoded(&message)?),
            Method::RepositoryUnload => Err(Status::invalid_argument(NOT_HERE)),
            Method::RepositoryLoad => {
                let question: RepositoryModelQuestion = decoded(&message)?;
                let name = question.model().to_owned();
                let asked = ModelQuestion { name: name.clone(), version: String::new() };
                self.tell_of_model(Method::ModelReady, headers, &asked).await?;
                Ok(encoded(&RepositoryModelAnswer { model_name: name, is_done: true }))
            }
            Method::ModelReady | Method::ModelMetadata => {
                self.tell_of_model(method, headers, &decoded(&message)?).await
            }
        }
    }

    async fn tell_of_model(
        &self,
        method: Method,
        headers: HeaderMap,
        question: &ModelQuestion,
    ) -> Result<tonic::Response<Bytes>, Status> {
        let deployment = self.of_model(&headers, &question.name)?;
        let pin = pin(&headers);
        let predictor = match &pin {
            Some(name) => Some(pinned(&deployment, name)?),
            None => deployment.of_model(&question.name),
        };
        let predictor = match predictor {
            Some(predictor) => predictor,
            None if method == Method::ModelReady => return Ok(encoded(&Yes { is_so: false })),
            None => return Err(Status::unavailable(deployment.unavailable.clone())),
        };
        let version = Some(question.version.as_str()).filter(|version| !version.is_empty());
        check_model(&deployment, predictor, Some(&question.name), version)?;
        match (&predictor.served, method) {
            (_, Method::ModelReady) => Ok(encoded(&Yes { is_so: true })),
            (Served::Native(native), _) => Ok(encoded(&native.v2.metadata_message())),
            _ => {
                // A program knows itself by its node's name.
                let is_deployments = question.name == deployment.name;
                let model = if is_deployments { predictor.model.clone() } else { question.name.clone() };
                self.ask_metadata(Arc::clone(&deployment), headers, (model, version.map(str::to_owned))).await
            }
        }
    }

    /// The metadata that a program tells, or a node of a graph.
    async fn ask_metadata(
        &self,
        deployment: Arc<Deployment>,
        headers: HeaderMap,
        (model, version): (String, Option<String>),
    ) -> Result<tonic::Response<Bytes>, Status> {
        let (action, pinned) = (Action::Model, pin(&headers));
        let about = About { deployment, dialect: Dialect::V2, action, model, version, pinned };
        let body = self.told_of_model(about, headers).await?;
        Ok(encoded(&metadata_of(&body)?))
    }

    /// What is told of a model over REST.
    async fn told_of_model(&self, about: About, headers: HeaderMap) -> Result<Bytes, Status> {
        let (parts, body) = of_model(&self.state, &about, &as_rest(headers)).await?.into_parts();
        let body = body.collect().await.unwrap_or_else(|never| match never {}).to_bytes();
        if parts.status.is_success() { Ok(body) } else { Err(refused(parts.status, &body)) }
    }

    fn list_models(
        &self,
        headers: &HeaderMap,
        question: &RepositoryQuestion,
    ) -> Result<tonic::Response<Bytes>, Status> {
        let mut models = listed(&self.shared.routes, self.named(headers)?.as_ref());
        models.retain(|model| !question.ready || model.reason.is_none());
        let entry = |model: Listed| RepositoryModel {
            state: model.state().to_owned(),
            name: model.name,
            version: model.version,
            reason: model.reason.unwrap_or_default(),
        };
        Ok(encoded(&RepositoryIndex { models: models.into_iter().map(entry).collect() }))
    }

    /// The deployment that the metadata names, or the only one; `None` where neither is.
    fn named(&self, headers: &HeaderMap) -> Result<Option<Arc<Deployment>>, Status> {
        let Some(key) = key_of_metadata(headers).or_else(|| self.shared.options.only.clone()) else { return Ok(None) };
        let found = self.shared.routes.deployment(&key);
        Ok(Some(found.ok_or_else(|| Status::from(self.unknown(&key)))?))
    }

    /// The same, or else the one with a model of this name.
    fn of_model(&self, headers: &HeaderMap, model: &str) -> Result<Arc<Deployment>, Status> {
        let named = self.named(headers)?.or_else(|| self.shared.routes.with_model(model));
        named.ok_or_else(|| {
            Status::not_found(format!(
                "there is no deployment `{model}` in the namespace `{DEFAULT_NAMESPACE}`, and no single one with such a \
                 model: name it by the metadata `seldon` and `namespace`"
            ))
        })
    }

    async fn predict_seldon(
        &self,
        (deployment, headers, arrived): (Arc<Deployment>, HeaderMap, Instant),
        message: SeldonMessage,
    ) -> Result<tonic::Response<Bytes>, Status> {
        let is_bridged = !are_models(&deployment);
        let content =
            if is_bridged { Content::Json(bridge::to_json(&message)?) } else { Content::Seldon(Box::new(message)) };
        let headers = if is_bridged { as_rest(headers) } else { headers };
        let call = call(deployment, Dialect::Seldon, (&headers, arrived))?;
        let answered = self.predict(call, (&headers, content)).await?;
        if is_bridged { bridged(answered) } else { Ok(respond(answered)) }
    }

    async fn take_feedback_message(
        &self,
        (deployment, headers, arrived): (Arc<Deployment>, HeaderMap, Instant),
        message: &Feedback,
    ) -> Result<tonic::Response<Bytes>, Status> {
        let (body, headers) = (bridge::feedback_to_json(message)?, as_rest(headers));
        let call = call(deployment, Dialect::Seldon, (&headers, arrived))?;
        let Some(_slot) = InFlight::enter(&self.shared.in_flight, self.shared.options.in_flight_max) else {
            return Err(too_many().into());
        };
        let taken = feedback::take(&self.state, &self.shared.routes, call, (&headers, body)).await;
        bridged(taken.map_err(failed)?)
    }

    async fn predict_v2(
        &self,
        (deployment, headers, arrived): (Arc<Deployment>, HeaderMap, Instant),
        (request, message): (ModelInferRequest, Bytes),
    ) -> Result<tonic::Response<Bytes>, Status> {
        let headers = if are_here(&deployment) { headers } else { as_rest(headers) };
        let mut call = call(deployment, Dialect::V2, (&headers, arrived))?;
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        (call.model, call.version) = (given(&request.model_name), given(&request.model_version));
        let answered = self.predict(call, (&headers, Content::V2(Box::new(request), message))).await?;
        if answered.status.is_success() { Ok(respond(answered)) } else { Err(refused(answered.status, &answered.body)) }
    }

    async fn predict(&self, call: Call, (headers, content): (&HeaderMap, Content)) -> Result<Answered, Status> {
        let Some(_slot) = InFlight::enter(&self.shared.in_flight, self.shared.options.in_flight_max) else {
            return Err(failed(self.fail_unread(&call, too_many())));
        };
        self.answer(call, (headers, content)).await.map_err(failed)
    }
}

/// The deployment that the metadata names, as `<namespace>/<name>`.
pub(crate) fn key_of_metadata(headers: &HeaderMap) -> Option<String> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    Some(format!("{}/{}", text(&NAMESPACE).unwrap_or(DEFAULT_NAMESPACE), text(&SELDON)?))
}

/// Answers one call.
struct Unary {
    thread: GatewayThread,
    method: Method,
    arrived: Instant,
}

impl UnaryService<Bytes> for Unary {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>>>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let Self { thread, method, arrived } = self;
        let (thread, method, arrived) = (thread.clone(), *method, *arrived);
        Box::pin(async move { thread.answer_grpc(method, arrived, request).await })
    }
}

fn call(
    deployment: Arc<Deployment>,
    dialect: Dialect,
    (headers, arrived): (&HeaderMap, Instant),
) -> Result<Call, Status> {
    let header_id = headers.get(PUID).map(request_id).transpose()?;
    let (action, pinned) = (Action::Predict, pin(headers));
    Ok(Call { deployment, dialect, action, model: None, version: None, header_id, pinned, arrived })
}

/// Whether models of this process answer all requests, each alone.
fn are_models(deployment: &Deployment) -> bool {
    deployment.predictors.iter().all(|predictor| matches!(predictor.served, Served::Native(_)))
}

/// Whether this process answers all requests, without programs of users.
fn are_here(deployment: &Deployment) -> bool {
    deployment.predictors.iter().all(|predictor| match &predictor.served {
        Served::Native(_) => true,
        Served::Graph(graph) => graph.dialect.is_none(),
        Served::Server(_) | Served::Services(_) => false,
    })
}

/// The headers of a call as those of a request of REST.
fn as_rest(mut headers: HeaderMap) -> HeaderMap {
    let of_grpc: Vec<_> = headers.keys().filter(|name| name.as_str().starts_with("grpc-")).cloned().collect();
    of_grpc.iter().for_each(|name| drop(headers.remove(name)));
    headers.insert(header::CONTENT_TYPE, JSON);
    headers
}

/// A message that can be read.
fn within(message: &Bytes, plain: limits::Plain) -> Result<&Bytes, Status> {
    let is_readable = limits::is_readable(message, plain);
    is_readable.then_some(message).ok_or_else(|| {
        Status::resource_exhausted(
            "the message has too many parts: send numbers as `tensor` (Seldon), or few tensors with many values (V2, TensorFlow)",
        )
    })
}

fn decoded<M: prost::Message + Default>(message: &Bytes) -> Result<M, Status> {
    decode(message).map_err(|error| Status::invalid_argument(format!("the message cannot be read: {error}")))
}

fn encoded(message: &impl prost::Message) -> tonic::Response<Bytes> {
    tonic::Response::new(message.encode_to_vec().into())
}

fn respond(answered: Answered) -> tonic::Response<Bytes> {
    let metadata = metadata(answered.request_id, answered.headers.get(PREDICTOR));
    tonic::Response::from_parts(metadata, answered.body, http::Extensions::default())
}

/// An answer of Seldon's in JSON as a message.
fn bridged(answered: Answered) -> Result<tonic::Response<Bytes>, Status> {
    if !answered.status.is_success() {
        return Err(refused(answered.status, &answered.body));
    }
    let message = bridge::from_json(&answered.body);
    let message =
        message.ok_or_else(|| Status::internal("the deployment's program did not answer with a Seldon message"))?;
    Ok(respond(Answered { body: message.encode_to_vec().into(), ..answered }))
}

fn failed(failed: Failed) -> Status {
    let Failed { error, request_id, predictor } = failed;
    let mut status = Status::from(error);
    *status.metadata_mut() = metadata(request_id, predictor.as_ref());
    status
}

fn metadata(request_id: String, predictor: Option<&http::HeaderValue>) -> MetadataMap {
    let mut headers = HeaderMap::new();
    // An id from a message may hold what metadata cannot.
    headers.extend(http::HeaderValue::from_maybe_shared(Bytes::from(request_id)).ok().map(|id| (PUID, id)));
    headers.extend(predictor.map(|name| (PREDICTOR, name.clone())));
    MetadataMap::from_headers(headers)
}

/// What a program refused, in its own words.
fn refused(status: StatusCode, body: &[u8]) -> Status {
    let code = match status.as_u16() {
        400 | 413 | 422 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        429 => Code::ResourceExhausted,
        501 => Code::Unimplemented,
        503 => Code::Unavailable,
        504 => Code::DeadlineExceeded,
        _ => Code::Unknown,
    };
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    let info = json.pointer("/status/info").or_else(|| json.get("error"));
    let info = info.and_then(serde_json::Value::as_str).unwrap_or(&text);
    Status::new(code, info.chars().take(1000).collect::<String>())
}

fn unnamed() -> Status {
    Status::not_found("no deployment is named: name it by the metadata `seldon` and `namespace`")
}

impl From<RequestError> for Status {
    fn from(error: RequestError) -> Self {
        Self::new(Code::from_i32(error.code.grpc_code()), error.info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_known_by_their_paths() {
        for (path, expected) in [
            ("/seldon.protos.Seldon/Predict", true),
            ("/inference.GRPCInferenceService/ModelInfer", true),
            ("/tensorflow.serving.PredictionService/Predict", true),
            ("/grpc.health.v1.Health/Check", true),
            ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", true),
            ("/seldon/default/iris/api/v1.0/predictions", false),
            ("/inference", false),
        ] {
            assert_eq!(is_grpc(path), expected, "{path}");
        }
        assert_eq!(Method::of("/seldon.protos.Seldon/Nothing"), None);
    }
}
