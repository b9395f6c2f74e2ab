//! A node that is a server of its own: a program of the user's, called as Seldon's orchestrator calls it. Bodies pass
//! through in both directions as they are.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header,
    uri::{Authority, Scheme},
};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use opentelemetry::KeyValue;
use provost_domain::{
    ErrorCode,
    routing_table::{Batching, NodeServer},
};
use provost_inference::protocol::serving;
use tokio::sync::Semaphore;

use crate::{
    batching::OfInstances,
    error::RequestError,
    feedback::FEEDBACK_PATH,
    headers::passed_on,
    matcher::{Action, Dialect},
    node_grpc::{self, GrpcNodes},
    node_tls::SecureNodes,
    predict::{Answered, BYTES},
    service::{INFERENCE_HEADER, JSON, PUID},
    traces::Traces,
};

/// Where it tells how it is.
const STATUS: &str = "/health/status";
/// How long it may take to answer where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long connecting to it may take.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long it may take to tell how it is.
const STATUS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is kept that nothing is asked on: less than the two seconds after which the web server of
/// Seldon's Python wrapper closes it.
const KEPT_IDLE: Duration = Duration::from_millis(1500);

/// A node that is called over the network.
#[derive(Debug)]
pub(crate) struct Server {
    node: String,
    /// What it is called in messages.
    called: String,
    is_grpc: bool,
    dialect: Dialect,
    predict: Uri,
    timeout: Duration,
    /// What it says to take, where it was asked.
    pub(crate) signatures: node_grpc::Signatures,
    /// What gathers its requests of V1, where they are gathered.
    pub(crate) batcher: Option<Arc<OfInstances>>,
    /// One for each request that it may get at once: the others wait in their order.
    turns: Option<Semaphore>,
}

impl Server {
    /// The server of a node; `None`, and a word in the log, where its address is none.
    pub(crate) fn new(node: &str, server: &NodeServer) -> Option<Self> {
        let timeout = server.timeout.map_or(TIMEOUT, Duration::from_millis);
        let dialect = Dialect::of(server.protocol);
        let path = if server.grpc {
            node_grpc::method(dialect, "/predict").unwrap_or("/").to_owned()
        } else {
            path(dialect, Action::Predict, node, None)
        };
        let predict = uri(&server.authority, &path).or_else(|| {
            tracing::error!(node, authority = server.authority, "a route names no address");
            None
        })?;
        let most = server.concurrency.and_then(|most| usize::try_from(most).ok());
        let turns = most.map(|most| Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Some(Self {
            node: node.to_owned(),
            called: format!("node `{node}`"),
            is_grpc: server.grpc,
            dialect,
            predict,
            timeout,
            signatures: node_grpc::Signatures::default(),
            batcher: None,
            turns,
        })
    }

    /// The same, whose requests of V1 are gathered so.
    pub(crate) fn gathering(self, batching: Option<Batching>) -> Self {
        Self { batcher: batching.map(OfInstances::new), ..self }
    }

    /// Whether it is asked for predictions of its own model there.
    pub(crate) fn predicts_at(&self, uri: &Uri) -> bool {
        self.predict == *uri
    }

    /// What answers a step of a graph of services at an address. It may take so long, or what others may.
    pub(crate) fn at_url(called: &str, predict: Uri, timeout: Option<Duration>) -> Self {
        let (node, called) = (called.to_owned(), called.to_owned());
        Self {
            node,
            called,
            is_grpc: false,
            dialect: Dialect::V1,
            predict,
            timeout: timeout.unwrap_or(TIMEOUT),
            signatures: node_grpc::Signatures::default(),
            batcher: None,
            turns: None,
        }
    }

    /// Where it answers what is asked at a path.
    pub(crate) fn at(&self, path: &str) -> Option<Uri> {
        uri(self.authority(), path)
    }

    /// Where it takes feedback.
    pub(crate) fn feedback(&self) -> Option<Uri> {
        self.of_graph(FEEDBACK_PATH)
    }

    /// Where it does as a node of a graph what Seldon's protocol has at a path: in V1 and V2 it is asked for a prediction
    /// whether it predicts or transforms.
    pub(crate) fn of_graph(&self, path: &str) -> Option<Uri> {
        if self.is_grpc {
            return self.at(node_grpc::method(self.dialect, path)?);
        }
        match (self.dialect, path) {
            (Dialect::Seldon, _) => self.at(path),
            (_, "/predict" | "/transform-input" | "/transform-output") => Some(self.predict.clone()),
            (Dialect::V1, FEEDBACK_PATH) => self.at(&format!("/v1/models/{}:feedback", self.node)),
            (Dialect::V1, _) => self.at(&format!("/v1/models/{}:{}", self.node, path.trim_start_matches('/'))),
            (Dialect::V2, FEEDBACK_PATH) => self.at("/feedback"),
            (Dialect::V2, _) => self.at(path),
        }
    }

    /// The node's name.
    pub(crate) fn name(&self) -> &str {
        &self.node
    }

    /// Whether it is called over gRPC.
    pub(crate) fn is_grpc(&self) -> bool {
        self.is_grpc
    }

    /// What it speaks.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What it is called in messages.
    pub(crate) fn called(&self) -> &str {
        &self.called
    }

    /// Where it is.
    pub(crate) fn authority(&self) -> &str {
        self.predict.authority().map_or("", Authority::as_str)
    }

    /// Where it answers what is asked of a model. A name and a version in the caller's path go on, as Seldon's
    /// orchestrator passes them on; else the node's name stands there. A program speaks one dialect.
    pub(crate) fn find(
        &self,
        (dialect, action): (Dialect, Action),
        model: Option<&str>,
        version: Option<&str>,
    ) -> Result<Uri, RequestError> {
        if dialect != self.dialect {
            return Err(not_spoken(&format!("the program of node `{}` speaks", self.node), self.dialect));
        }
        let model = model.unwrap_or(&self.node);
        if let Some(path) = self.is_grpc.then(|| node_grpc::method_of(dialect, action)).flatten() {
            return self.at(path).ok_or_else(|| RequestError::new(ErrorCode::Internal, "a node has no address"));
        }
        if action == Action::Predict && (self.is_grpc || version.is_none() && model == self.node) {
            return Ok(self.predict.clone());
        }
        if self.is_grpc {
            let info = format!("{} is called over gRPC, and is not asked for more than predictions", self.called());
            return Err(RequestError::new(ErrorCode::NotFound, info));
        }
        let found = uri(self.authority(), &path(dialect, action, model, version));
        found.ok_or_else(|| RequestError::new(ErrorCode::BadRequest, format!("`{model}` is not the name of a model")))
    }
}

/// A program that is asked in another protocol than its own.
pub(crate) fn not_spoken(who: &str, dialect: Dialect) -> RequestError {
    let (protocol, at) = match dialect {
        Dialect::Seldon => ("seldon", "api/v1.0/predictions"),
        Dialect::V1 => ("tensorflow", "v1/models/<model>:predict"),
        Dialect::V2 => ("kfserving", "v2/models/<model>/infer"),
    };
    let info = format!("{who} `{protocol}`, which is at {at}: ask there, or change spec.protocol");
    RequestError::new(ErrorCode::NotFound, info)
}

/// The path of a node's program, as Seldon's orchestrator calls it.
fn path(dialect: Dialect, action: Action, model: &str, version: Option<&str>) -> String {
    let version = version.map(|version| format!("/versions/{version}")).unwrap_or_default();
    match (dialect, action) {
        (Dialect::Seldon, _) => "/predict".to_owned(),
        (Dialect::V1, Action::Predict) => format!("/v1/models/{model}:predict"),
        (Dialect::V1, Action::Examples(serving::Method::Classify)) => format!("/v1/models/{model}:classify"),
        (Dialect::V1, Action::Examples(serving::Method::Regress)) => format!("/v1/models/{model}:regress"),
        (Dialect::V1, Action::Explain) => format!("/v1/models/{model}:explain"),
        (Dialect::V1, Action::Signatures) => format!("/v1/models/{model}/metadata"),
        (Dialect::V1, _) => format!("/v1/models/{model}"),
        (Dialect::V2, Action::Predict) => format!("/v2/models/{model}{version}/infer"),
        (Dialect::V2, Action::Explain) => format!("/v2/models/{model}{version}/explain"),
        (Dialect::V2, Action::ModelReady) => format!("/v2/models/{model}{version}/ready"),
        (Dialect::V2, _) => format!("/v2/models/{model}{version}"),
    }
}

fn uri(authority: &str, path: &str) -> Option<Uri> {
    Uri::builder().scheme("http").authority(authority).path_and_query(path).build().ok()
}

/// What a node is asked.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    /// Of the caller.
    pub(crate) headers: &'a HeaderMap,
    /// Goes on as the header `Seldon-Puid`, where there is one.
    pub(crate) request_id: Option<&'a str>,
    pub(crate) body: Bytes,
    pub(crate) form: Form,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// What goes over REST; for a node that is called over gRPC, and does not speak V2, it is turned into a message, and
    /// the answer back.
    Rest,
    /// A message of the node's own service of gRPC, as is the answer, but for refusals.
    Message,
}

/// What a node answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// Those of its headers that [`PASSED_BACK`] names.
    headers: [Option<HeaderValue>; 3],
    pub(crate) body: Bytes,
    pub(crate) form: Form,
}

impl Reply {
    /// An answer with those of its headers that are passed on.
    pub(crate) fn of(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Self {
        Self { status, headers: PASSED_BACK.map(|name| headers.get(name).cloned()), body, form: Form::Rest }
    }

    /// An answer of this process.
    pub(crate) fn json(body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, headers: [Some(JSON), None, None], body: body.into(), form: Form::Rest }
    }

    /// A message of gRPC.
    pub(crate) fn message(body: Bytes) -> Self {
        Self { status: StatusCode::OK, headers: [None, None, None], body, form: Form::Message }
    }

    /// An answer of this process; its JSON is so long where bytes follow it.
    pub(crate) fn with_bytes(body: Vec<u8>, json: Option<usize>) -> Self {
        let headers = json.map(|length| [Some(BYTES), None, Some(length.into())]);
        Self { headers: headers.unwrap_or([Some(JSON), None, None]), ..Self::json(body) }
    }

    /// What goes back to the caller, who gets these headers, too.
    pub(crate) fn answered(self, mut headers: HeaderMap, request_id: String) -> Answered {
        headers.remove(header::CONTENT_TYPE);
        self.add_headers(&mut headers);
        Answered { status: self.status, body: self.body, request_id, headers }
    }

    /// Adds its headers that are passed on.
    pub(crate) fn add_headers(&self, headers: &mut HeaderMap) {
        let passed = PASSED_BACK.into_iter().zip(&self.headers);
        headers.extend(passed.filter_map(|(name, value)| Some((name, value.clone()?))));
    }
}

/// The headers of an answer that are passed on.
const PASSED_BACK: [header::HeaderName; 3] = [header::CONTENT_TYPE, header::CONTENT_ENCODING, INFERENCE_HEADER];

/// Calls the nodes of one thread, whose connections it keeps.
#[derive(Debug, Clone)]
pub(crate) struct Nodes {
    client: Client<HttpConnector, Full<Bytes>>,
    grpc: GrpcNodes,
    secure: SecureNodes,
    /// Longest answer that is taken, in bytes.
    body_max: usize,
    with_credentials: bool,
    traces: Option<Traces>,
}

impl Nodes {
    pub(crate) fn new(body_max: usize, with_credentials: bool, traces: Option<Traces>) -> Self {
        Self {
            client: client(),
            grpc: GrpcNodes::new(body_max),
            secure: SecureNodes::default(),
            body_max,
            with_credentials,
            traces,
        }
    }

    /// Asks a node.
    pub(crate) async fn ask(&self, server: &Server, question: Question<'_>) -> Result<Reply, RequestError> {
        let mut headers = self.headers(question.request_id, question.headers);
        let traced = self.traces.as_ref().map(|traces| {
            let node = KeyValue::new("provost.node", server.name().to_owned());
            let address = KeyValue::new("server.address", server.authority().to_owned());
            traces.leaves(&mut headers, question.uri.path().to_owned(), vec![node, address])
        });
        let answered = tokio::time::timeout(server.timeout, self.take_turn(server, &question, &headers)).await;
        let answered = answered.unwrap_or_else(|_| {
            let Server { called, timeout, .. } = server;
            let info = format!("{called} did not answer within {} ms", timeout.as_millis());
            Err(RequestError::new(ErrorCode::GatewayTimeout, info))
        });
        match (traced, &answered) {
            (Some(traced), Ok(reply)) => traced.answered(reply.status.as_u16()),
            (Some(traced), Err(error)) => traced.failed(&error.info),
            (None, _) => {}
        }
        answered
    }

    /// Waits until the node gets a further request.
    async fn take_turn(
        &self,
        server: &Server,
        question: &Question<'_>,
        headers: &HeaderMap,
    ) -> Result<Reply, RequestError> {
        let _turn = match &server.turns {
            // Nobody closes it.
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        };
        self.call(server, question, headers).await
    }

    async fn call(&self, server: &Server, question: &Question<'_>, headers: &HeaderMap) -> Result<Reply, RequestError> {
        if server.is_grpc {
            return self.grpc.ask(server, question, headers).await;
        }
        if question.uri.scheme() == Some(&Scheme::HTTPS) {
            return self.secure.ask(server, (question, headers), self.body_max).await;
        }
        let sent = match self.client.request(request(question, headers)).await {
            // A server that was just restarted closed the connections that are kept.
            Err(error) if !error.is_connect() => self.client.request(request(question, headers)).await,
            sent => sent,
        };
        let (parts, body) = sent.map_err(|error| unreachable(server, &error))?.into_parts();
        let body = Limited::new(body, self.body_max).collect().await.map_err(|error| cut_off(server, &*error))?;
        Ok(Reply::of(parts.status, &parts.headers, body.to_bytes()))
    }

    fn headers(&self, request_id: Option<&str>, headers: &HeaderMap) -> HeaderMap {
        let mut headers = passed_on(headers, self.with_credentials);
        // What is logged is to be read.
        headers.remove(header::ACCEPT_ENCODING);
        if let Some(id) = request_id.and_then(|id| HeaderValue::from_str(id).ok()) {
            headers.insert(PUID, id);
        }
        headers
    }
}

/// Connects to a server in the time that it may take.
pub(crate) fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_nodelay(true);
    connector
}

fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(KEPT_IDLE).build(connector())
}

fn request(question: &Question<'_>, headers: &HeaderMap) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(question.body.clone()));
    *request.method_mut() = question.method.clone();
    *request.uri_mut() = question.uri.clone();
    *request.headers_mut() = headers.clone();
    request
}

fn unreachable(server: &Server, error: &Error) -> RequestError {
    let Server { node, called, .. } = server;
    let authority = server.authority();
    tracing::warn!(node, authority, %error, "a node does not answer");
    let info = format!("{called} does not answer at {authority}: try again, and look at its log");
    RequestError::new(ErrorCode::Unavailable, info)
}

fn cut_off(server: &Server, error: &(dyn std::error::Error + Send + Sync + 'static)) -> RequestError {
    if error.is::<LengthLimitError>() {
        return too_long(server);
    }
    ends_early(server)
}

pub(crate) fn too_long(server: &Server) -> RequestError {
    let info = format!("the answer of {} is longer than gateway.body-max allows", server.called);
    RequestError::new(ErrorCode::Internal, info)
}

pub(crate) fn ends_early(server: &Server) -> RequestError {
    RequestError::new(ErrorCode::Internal, format!("the answer of {} ends too early", server.called))
}

/// Asks the server at `authority`, which is `host:port`, how it is, as Seldon's wrappers tell it at `/health/status`; one
/// that has nothing there is well. The error tells a person why it cannot be called.
pub async fn check_server(authority: &str, is_grpc: bool) -> Result<(), String> {
    const SILENT: &str = "does not answer yet: start it, or look at its log";
    if is_grpc {
        // Programs made with Seldon's wrapper have no service that tells how they are.
        let connecting = tokio::time::timeout(STATUS_TIMEOUT, tokio::net::TcpStream::connect(authority)).await;
        return connecting
            .map_err(drop)
            .and_then(|connected| connected.map(drop).map_err(drop))
            .map_err(|()| SILENT.into());
    }
    let uri = uri(authority, STATUS).ok_or("has no address that can be called")?;
    let mut request = Request::new(Full::default());
    *request.uri_mut() = uri;
    match tokio::time::timeout(STATUS_TIMEOUT, client().request(request)).await {
        Ok(Ok(response)) if response.status().is_server_error() => {
            Err(format!("says at {STATUS} that it is not well: {}", response.status()))
        }
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(SILENT.to_owned()),
    }
}
