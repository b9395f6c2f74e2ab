//! A node that is a server of its own: a program of the user's, called as Seldon's orchestrator calls it. Bodies pass
//! through in both directions as they are.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header, uri::Authority};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use provost_domain::{ErrorCode, routing_table::NodeServer};

use crate::{error::RequestError, headers::passed_on, service::PUID};

/// Where a MODEL predicts.
const PREDICT: &str = "/predict";
/// Where it tells how it is.
const STATUS: &str = "/health/status";
/// How long it may take to answer where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long connecting to it may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long it may take to tell how it is.
const STATUS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is kept that nothing is asked on: less than the two seconds after which the web server of
/// Seldon's Python wrapper closes it.
const KEPT_IDLE: Duration = Duration::from_millis(1500);

/// A node that is called over the network.
#[derive(Debug)]
pub(crate) struct Server {
    node: String,
    predict: Uri,
    timeout: Duration,
}

impl Server {
    /// The server of a node; `None` where its address is none.
    pub(crate) fn new(node: &str, server: &NodeServer) -> Option<Self> {
        let timeout = server.timeout.map_or(TIMEOUT, Duration::from_millis);
        Some(Self { node: node.to_owned(), predict: uri(&server.authority, PREDICT)?, timeout })
    }

    fn authority(&self) -> &str {
        self.predict.authority().map_or("", Authority::as_str)
    }
}

fn uri(authority: &str, path: &str) -> Option<Uri> {
    Uri::builder().scheme("http").authority(authority).path_and_query(path).build().ok()
}

/// What a node answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// Its `Content-Type` and `Content-Encoding`.
    pub(crate) headers: [Option<HeaderValue>; 2],
    pub(crate) body: Bytes,
}

/// The headers of an answer that are passed on.
pub(crate) const PASSED_BACK: [header::HeaderName; 2] = [header::CONTENT_TYPE, header::CONTENT_ENCODING];

/// Calls the nodes of one thread, whose connections it keeps.
#[derive(Debug, Clone)]
pub(crate) struct Nodes {
    client: Client<HttpConnector, Full<Bytes>>,
    /// Longest answer that is taken, in bytes.
    body_max: usize,
    with_credentials: bool,
}

impl Nodes {
    pub(crate) fn new(body_max: usize, with_credentials: bool) -> Self {
        Self { client: client(), body_max, with_credentials }
    }

    /// Asks a node to predict.
    pub(crate) async fn predict(
        &self,
        server: &Server,
        request_id: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Reply, RequestError> {
        let headers = self.headers(request_id, headers);
        let answered = tokio::time::timeout(server.timeout, self.call(server, &headers, body)).await;
        answered.unwrap_or_else(|_| {
            let Server { node, timeout, .. } = server;
            let info = format!("node `{node}` did not answer within {} ms", timeout.as_millis());
            Err(RequestError::new(ErrorCode::GatewayTimeout, info))
        })
    }

    async fn call(&self, server: &Server, headers: &HeaderMap, body: Bytes) -> Result<Reply, RequestError> {
        let request = || request(&server.predict, headers, &body);
        let sent = match self.client.request(request()).await {
            // A server that was just restarted closed the connections that are kept.
            Err(error) if !error.is_connect() => self.client.request(request()).await,
            sent => sent,
        };
        let (parts, body) = sent.map_err(|error| unreachable(server, &error))?.into_parts();
        let body = Limited::new(body, self.body_max).collect().await.map_err(|error| cut_off(server, &*error))?;
        let headers = PASSED_BACK.map(|name| parts.headers.get(name).cloned());
        Ok(Reply { status: parts.status, headers, body: body.to_bytes() })
    }

    fn headers(&self, request_id: &str, headers: &HeaderMap) -> HeaderMap {
        let mut headers = passed_on(headers, self.with_credentials);
        // What is logged is to be read.
        headers.remove(header::ACCEPT_ENCODING);
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(PUID, id);
        }
        headers
    }
}

fn client() -> Client<HttpConnector, Full<Bytes>> {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(KEPT_IDLE).build(connector)
}

fn request(uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers.clone();
    request
}

fn unreachable(server: &Server, error: &Error) -> RequestError {
    let Server { node, .. } = server;
    let authority = server.authority();
    tracing::warn!(node, authority, %error, "a node does not answer");
    let info = format!("node `{node}` does not answer at {authority}: try again, and look at its log");
    RequestError::new(ErrorCode::Unavailable, info)
}

fn cut_off(server: &Server, error: &(dyn std::error::Error + Send + Sync + 'static)) -> RequestError {
    let info = if error.is::<LengthLimitError>() {
        format!("the answer of node `{}` is longer than gateway.body-max allows", server.node)
    } else {
        format!("the answer of node `{}` ends too early", server.node)
    };
    RequestError::new(ErrorCode::Internal, info)
}

/// Asks the server at `authority`, which is `host:port`, how it is, as Seldon's wrappers tell it at `/health/status`; one
/// that has nothing there is well. The error tells a person why it cannot be called.
pub async fn check_server(authority: &str) -> Result<(), String> {
    let uri = uri(authority, STATUS).ok_or("has no address that can be called")?;
    let mut request = Request::new(Full::default());
    *request.uri_mut() = uri;
    match tokio::time::timeout(STATUS_TIMEOUT, client().request(request)).await {
        Ok(Ok(response)) if response.status().is_server_error() => {
            Err(format!("says at {STATUS} that it is not well: {}", response.status()))
        }
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err("does not answer yet: start it, or look at its log".to_owned()),
    }
}
