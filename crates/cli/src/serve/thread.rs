//! What each serving thread does with a request: access first, then the data plane, then the rest.

use std::{panic::AssertUnwindSafe, rc::Rc, sync::Arc, time::Duration};

use axum::Router;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use provost_api::{
    figures, flush,
    problem::{MEDIA_TYPE, Problem},
};
use provost_control_plane::rest::deployments::Caller;
use provost_domain::{ErrorCode, plan::Timestamp};
use provost_gateway::{GatewayThread, METRICS_MEDIA_TYPE, ProxyThread, grpc_refusal};
use provost_service_kit::{
    access::{COOKIE, Denied, Rules, Surface},
    listener::{Body, InTime, ThreadService},
};
use tower::ServiceExt as _;

use super::views::View;

/// The page on which a browser shows its token.
const LOGIN_PAGE: &str = include_str!("login.html");
/// Longest form of the login page.
const LOGIN_MAX: usize = 4096;

/// What answers besides the data plane; without routes, nothing does.
#[derive(Debug, Clone, Default)]
pub(super) struct Routers {
    pub(super) api: Router,
    pub(super) console: Router,
}

/// What answers predictions.
#[derive(Debug, Clone)]
pub(super) enum DataPlane {
    /// Predictors of this process.
    Gateway(GatewayThread),
    /// Servers elsewhere.
    Proxy(ProxyThread),
}

impl DataPlane {
    /// The part of the server that a request is for: what no other part takes may be for a graph of services.
    fn surface<B>(&self, request: &Request<B>) -> Surface {
        match (surface(request.uri().path()), self) {
            (Surface::Console, Self::Gateway(gateway)) if gateway.is_for_services(request) => Surface::Inference,
            (surface, _) => surface,
        }
    }
}

/// The service of one thread.
#[derive(Debug, Clone)]
pub(super) struct ServeThread(Rc<Parts>);

#[derive(Debug)]
struct Parts {
    data_plane: DataPlane,
    routers: Routers,
    view: View,
    rules: Arc<Rules>,
    is_tls: bool,
    body_timeout: Duration,
}

impl ServeThread {
    /// Serves what comes over TLS or not; bodies must have arrived after this long.
    pub(super) fn new(
        data_plane: DataPlane,
        (routers, view): (Routers, View),
        rules: Arc<Rules>,
        (is_tls, body_timeout): (bool, Duration),
    ) -> Self {
        Self(Rc::new(Parts { data_plane, routers, view, rules, is_tls, body_timeout }))
    }

    async fn call_grpc(gateway: &GatewayThread, request: Request<Incoming>) -> Response<Body> {
        gateway.call_grpc(request).await.map(|body| Either::Right(axum::body::Body::new(body)))
    }

    async fn pass_on(proxy: &ProxyThread, request: Request<Incoming>) -> Response<Body> {
        proxy.call(request).await.map(|body| match body {
            Either::Left(own) => Either::Left(own),
            Either::Right(passed_on) => Either::Right(axum::body::Body::new(passed_on)),
        })
    }

    async fn operations(&self, method: &Method, uri: &Uri) -> Response<Body> {
        let path = uri.path();
        match path {
            "/-/live" => text("ok\n"),
            "/-/ready" if self.0.view.is_ready() => text("ok\n"),
            "/-/ready" => status(StatusCode::SERVICE_UNAVAILABLE, text("deployments are being loaded\n")),
            "/-/version" => text(concat!(env!("CARGO_PKG_VERSION"), "\n")),
            "/-/metrics" | "/metrics" => {
                let mut response = text(self.0.view.metrics().await);
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(METRICS_MEDIA_TYPE));
                response
            }
            figures::PATH => self.figures(uri.query()),
            figures::LOAD_PATH => self.load().await,
            flush::PATH => self.flush(method).await,
            _ => problem(ErrorCode::NotFound, format!("there is nothing at `{path}`")),
        }
    }

    /// What a pod tells the control plane of itself.
    fn figures(&self, query: Option<&str>) -> Response<Body> {
        let since = query.and_then(|query| query.strip_prefix("since=")?.parse().ok()).map(Timestamp::from_millis);
        told(self.0.view.figures(since))
    }

    /// What a pod tells whoever scales it.
    async fn load(&self) -> Response<Body> {
        told(self.0.view.load().await)
    }

    /// Sends what this pod has logged to the bucket.
    async fn flush(&self, method: &Method) -> Response<Body> {
        let Some(flush) = self.0.view.flush() else {
            return problem(ErrorCode::NotFound, "the request log of this server stays here");
        };
        if method != Method::POST {
            return only_post();
        }
        if flush.run().await {
            status(StatusCode::NO_CONTENT, text(""))
        } else {
            problem(ErrorCode::Unavailable, "the request log could not be sent yet")
        }
    }

    /// Takes what the routers of other pods learned, and tells what those of this one did.
    async fn learned(&self, request: Request<Incoming>) -> Response<Body> {
        if request.method() != Method::POST {
            return only_post();
        }
        let body = match self.read(request.into_body(), figures::LEARNED_MAX).await {
            Ok(body) => body,
            Err(response) => return *response,
        };
        match serde_json::from_slice(&body) {
            Ok(others) => told(self.0.view.learned(&others)),
            Err(error) => problem(ErrorCode::BadRequest, format!("this is not what routers learn: {error}")),
        }
    }

    /// Reads a body of so many bytes at most; else the answer to it.
    async fn read(&self, body: Incoming, limit: usize) -> Result<Bytes, Box<Response<Body>>> {
        let body = Limited::new(InTime::new(body, self.0.body_timeout), limit);
        match http_body_util::BodyExt::collect(body).await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(Box::new(problem(ErrorCode::TooLarge, format!("the body may have {limit} bytes"))))
            }
            Err(_) => Err(Box::new(problem(ErrorCode::BadRequest, "the body ends too early, or comes too slowly"))),
        }
    }

    /// Has a router answer; a panic is an answer, too.
    async fn route(&self, router: &Router, mut request: Request<Incoming>, caller: &str) -> Response<Body> {
        request.extensions_mut().insert(Caller(caller.to_owned()));
        let in_time = |body| axum::body::Body::new(InTime::new(body, self.0.body_timeout));
        let answering = router.clone().oneshot(request.map(in_time));
        match AssertUnwindSafe(answering).catch_unwind().await {
            Ok(Ok(response)) => response.map(Either::Right),
            Ok(Err(never)) => match never {},
            Err(_panicked) => {
                tracing::error!("answering a request panicked");
                problem(
                    ErrorCode::Internal,
                    "the server failed on this request: please report it with the server's log",
                )
            }
        }
    }

    /// Takes the token of a browser, and keeps it in a cookie.
    async fn log_in(&self, request: Request<Incoming>) -> Response<Body> {
        if request.method() != Method::POST {
            return html(StatusCode::OK, LOGIN_PAGE);
        }
        let form = match self.read(request.into_body(), LOGIN_MAX).await {
            Ok(body) => String::from_utf8_lossy(&body).into_owned(),
            Err(response) => return *response,
        };
        let token = form.strip_prefix("token=").unwrap_or_default();
        let is_valid = self.0.rules.token.as_ref().is_some_and(|valid| valid.matches(token));
        // What a form would escape cannot stand in a cookie either.
        let secure = if self.0.is_tls { "; Secure" } else { "" };
        match HeaderValue::from_str(&format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}")) {
            Ok(cookie) if is_valid => {
                let mut response = status(StatusCode::SEE_OTHER, text(""));
                response.headers_mut().insert(header::SET_COOKIE, cookie);
                response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
                response
            }
            _ => html(StatusCode::UNAUTHORIZED, LOGIN_PAGE),
        }
    }
}

impl ThreadService for ServeThread {
    async fn call(&self, request: Request<Incoming>) -> Response<Body> {
        let surface = self.0.data_plane.surface(&request);
        let caller = match self.0.rules.check(surface, request.headers()) {
            Ok(caller) => caller,
            Err(Denied::TokenNeeded | Denied::TokenWrong) if request.uri().path() == "/-/login" => {
                return Box::pin(self.log_in(request)).await;
            }
            Err(denied) if GatewayThread::is_grpc(request.uri().path()) => {
                return refuse_grpc(code(&denied), &denied.to_string());
            }
            Err(denied) => return deny(surface, &denied),
        };
        match surface {
            Surface::Inference => match &self.0.data_plane {
                DataPlane::Gateway(gateway) if GatewayThread::is_grpc(request.uri().path()) => {
                    Box::pin(Self::call_grpc(gateway, request)).await
                }
                DataPlane::Gateway(gateway) => gateway.call(request).await.map(Either::Left),
                DataPlane::Proxy(proxy) if GatewayThread::is_grpc(request.uri().path()) => {
                    let answer = Box::pin(proxy.call_grpc(request)).await;
                    answer.map(|body| Either::Right(axum::body::Body::new(body)))
                }
                DataPlane::Proxy(proxy) => Box::pin(Self::pass_on(proxy, request)).await,
            },
            // Boxed, so that a prediction does not carry room for what it is not.
            Surface::Health | Surface::Metrics if request.uri().path() == figures::LEARNED_PATH => {
                Box::pin(self.learned(request)).await
            }
            Surface::Health | Surface::Metrics => Box::pin(self.operations(request.method(), request.uri())).await,
            Surface::Api => Box::pin(self.route(&self.0.routers.api, request, caller)).await,
            Surface::Console => Box::pin(self.route(&self.0.routers.console, request, caller)).await,
        }
    }

    async fn background(&self) {
        match &self.0.data_plane {
            DataPlane::Gateway(gateway) => gateway.housekeeping().await,
            DataPlane::Proxy(_) => {}
        }
    }
}

fn only_post() -> Response<Body> {
    let mut response = problem(ErrorCode::MethodNotAllowed, "ask for it by POST");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// What only pods tell, as JSON.
fn told<T: serde::Serialize>(figures: Option<T>) -> Response<Body> {
    let Some(figures) = figures else {
        return problem(ErrorCode::NotFound, "this server tells its figures at /metrics");
    };
    // A struct of texts and numbers always encodes.
    let mut response = text(serde_json::to_vec(&figures).unwrap_or_default());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The part of the server that a path belongs to.
fn surface(path: &str) -> Surface {
    if GatewayThread::is_data_plane(path) {
        return Surface::Inference;
    }
    match path {
        "/-/live" | "/-/ready" => Surface::Health,
        "/-/metrics"
        | "/metrics"
        | "/-/version"
        | figures::PATH
        | figures::LOAD_PATH
        | figures::LEARNED_PATH
        | flush::PATH => Surface::Metrics,
        _ if path.starts_with("/api/") || path.starts_with("/apis/") => Surface::Api,
        _ => Surface::Console,
    }
}

fn refuse_grpc(code: ErrorCode, info: &str) -> Response<Body> {
    grpc_refusal(code, info).map(|body| Either::Right(axum::body::Body::new(body)))
}

fn code(denied: &Denied) -> ErrorCode {
    match denied {
        Denied::TokenNeeded | Denied::TokenWrong => ErrorCode::Unauthenticated,
        Denied::Host(_) | Denied::Origin(_) => ErrorCode::Forbidden,
    }
}

fn deny(surface: Surface, denied: &Denied) -> Response<Body> {
    let code = code(denied);
    if surface == Surface::Console && code == ErrorCode::Unauthenticated {
        return html(StatusCode::UNAUTHORIZED, LOGIN_PAGE);
    }
    let mut response = problem(code, denied.to_string());
    if code == ErrorCode::Unauthenticated {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn text(body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(body.into())));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn status(status: StatusCode, mut response: Response<Body>) -> Response<Body> {
    *response.status_mut() = status;
    response
}

fn html(code: StatusCode, page: &'static str) -> Response<Body> {
    let mut response = status(code, text(page));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

fn problem(code: ErrorCode, detail: impl Into<String>) -> Response<Body> {
    // A struct of texts and numbers always encodes.
    let body = serde_json::to_vec(&Problem::new(code, detail)).unwrap_or_default();
    let code = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = status(code, text(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_belongs_to_one_surface() {
        for (path, expected) in [
            ("/", Surface::Console),
            ("/deployments", Surface::Console),
            ("/-/login", Surface::Console),
            ("/api/v1/status", Surface::Api),
            ("/apis/serving.kserve.io/v1beta1/inferenceservices", Surface::Api),
            ("/seldon/a/b/api/v1.0/predictions", Surface::Inference),
            ("/-/live", Surface::Health),
            ("/-/ready", Surface::Health),
            ("/metrics", Surface::Metrics),
            ("/-/metrics", Surface::Metrics),
            ("/-/flush", Surface::Metrics),
            ("/-/learned", Surface::Metrics),
        ] {
            assert_eq!(surface(path), expected, "{path}");
        }
    }
}
