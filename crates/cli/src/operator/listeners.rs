//! What an operator answers: how it is, to Kubernetes and Prometheus, and whether a manifest is valid, to the API
//! server.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use axum::{Json, Router, routing};
use http::{Request, Response, StatusCode, header};
use http_body_util::Either;
use hyper::body::Incoming;
use provost_deployer::{
    kubernetes::ObjectName,
    operator::{Client, Figures, Options, admission, certificates},
};
use provost_gateway::METRICS_MEDIA_TYPE;
use provost_service_kit::{
    listener::{self, Body, Handle, InTime, ThreadService},
    tls::TlsSource,
};
use tower::ServiceExt as _;

/// Where the API server calls the webhook.
const WEBHOOK_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 9443);
/// Longest review, in bytes: an object of the API server's own limit, before and after.
const REVIEW_MAX: usize = 8 << 20;

/// Starts to tell how the operator is. One that stands by is ready, too.
pub(super) fn serve_figures(
    address: SocketAddr,
    figures: Arc<Figures>,
    is_ready: Arc<AtomicBool>,
) -> anyhow::Result<Handle> {
    let ready = move || {
        let is_ready = is_ready.load(Ordering::Relaxed);
        async move {
            if is_ready {
                (StatusCode::OK, "ok\n")
            } else {
                (StatusCode::SERVICE_UNAVAILABLE, "there is no webhook yet\n")
            }
        }
    };
    let metrics = move || {
        let text = figures.exposition();
        async move { ([(header::CONTENT_TYPE, METRICS_MEDIA_TYPE)], text) }
    };
    let router = Router::new()
        .route("/-/live", routing::get(async || "ok\n"))
        .route("/-/ready", routing::get(ready))
        .route("/-/metrics", routing::get(metrics.clone()))
        .route("/metrics", routing::get(metrics));
    serve(address, None, router)
}

/// Answers reviews once there is a certificate, for ever.
pub(super) async fn serve_webhook(client: Client, webhook: ObjectName, options: Options, is_ready: Arc<AtomicBool>) {
    let listening: Mutex<Option<(TlsSource, Handle)>> = Mutex::new(None);
    let use_pair = |certificate: &str, key: &str| -> anyhow::Result<()> {
        let new = TlsSource::from_pem(certificate, key)?;
        let mut listening = listening.lock().unwrap_or_else(PoisonError::into_inner);
        match listening.as_ref() {
            Some((source, _)) => source.replace(&new),
            None => {
                let handle = serve(WEBHOOK_ADDRESS, Some(new.clone()), reviews(options.clone()))?;
                *listening = Some((new, handle));
                is_ready.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    let give = |certificate: &str, key: &str| {
        if let Err(error) = use_pair(certificate, key) {
            tracing::error!(error = format!("{error:#}"), "the webhook does not listen with its new certificate");
        }
    };
    certificates::keep(client, webhook, give).await;
}

fn reviews(options: Options) -> Router {
    let answer = move |Json(review): Json<admission::Review>| {
        let catalog = options.servers.current();
        let answer = admission::review(review, &catalog, &options.settings, options.controller_id.as_deref());
        async move { Json(answer) }
    };
    Router::new().route("/validate", routing::post(answer)).layer(axum::extract::DefaultBodyLimit::max(REVIEW_MAX))
}

fn serve(address: SocketAddr, tls: Option<TlsSource>, router: Router) -> anyhow::Result<Handle> {
    let listener = std::net::TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let options = listener::Options { threads: 1, ..listener::Options::default() };
    Ok(listener::serve(listener, &options, tls, move || Routes(router.clone()))?)
}

/// A body must have arrived after this long.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Has a router answer.
#[derive(Debug, Clone)]
struct Routes(Router);

impl ThreadService for Routes {
    async fn call(&self, request: Request<Incoming>) -> Response<Body> {
        let in_time = |body| axum::body::Body::new(InTime::new(body, BODY_TIMEOUT));
        match self.0.clone().oneshot(request.map(in_time)).await {
            Ok(response) => response.map(Either::Right),
            Err(never) => match never {},
        }
    }

    async fn background(&self) {
        std::future::pending::<()>().await;
    }
}
