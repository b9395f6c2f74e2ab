//! The data plane of a cluster from outside its pods: chooses a predictor by weight as the gateway does in process,
//! and passes the request on to its servers.

mod grpc;
mod hosts;

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body::Body;
use http_body_util::{Either, Full};
use provost_domain::{
    DeploymentId, ErrorCode,
    port::{routes::BackendPublisher, waker::Waker},
    routing_table::{Backend, DeploymentBackends, choose},
};
use rand::{Rng, RngExt as _, SeedableRng, rngs::SmallRng};

use hosts::{Hosts, Named};

use crate::{
    body::{discard, read_body},
    error::RequestError,
    headers::{passed_on, remove_hop_by_hop},
    in_flight::InFlight,
    matcher::{Action, Dialect, dialect, match_path},
    node_server::CONNECT_TIMEOUT,
    service::{Options, PREDICTOR, PUID, not_found, too_many},
};

/// How long a server may take to answer where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How much longer than it may take it is waited for, so that its own word for that comes back.
const GRACE: Duration = Duration::from_secs(5);
/// Pauses, in milliseconds, before a request that no server answered is sent again: servers come and go, and the way to
/// a new one may take seconds to be known on every node. A prediction may be made twice.
const PAUSES: [u64; 7] = [50, 150, 300, 500, 1000, 1500, 1500];
/// Most requests that wait for predictors to wake; each has been read whole.
const HELD_MAX: usize = 256;
/// Most copies for shadows that are under way; further ones are left out.
const MIRRORED_MAX: usize = 256;

/// Where requests are passed on to.
#[derive(Debug, Clone)]
pub struct Proxy(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: Options,
    client: reqwest::Client,
    deployments: ArcSwap<HashMap<String, Arc<Target>>>,
    hosts: ArcSwap<Hosts>,
    in_flight: AtomicUsize,
    waker: Option<Arc<dyn Waker>>,
    /// Requests that are held until a predictor wakes.
    held: AtomicUsize,
}

#[derive(Debug)]
struct Target {
    backends: Vec<Backend>,
    weights: Vec<u32>,
    transformers: BTreeMap<String, Backend>,
    explainers: BTreeMap<String, Backend>,
    unavailable: String,
}

impl Target {
    /// Those that get copies of requests.
    fn shadows(&self) -> impl Iterator<Item = &Backend> {
        self.backends.iter().filter(|backend| backend.is_shadow && backend.weight > 0)
    }

    /// What explains predictions: those of a predictor, else any.
    fn explainer(&self, predictor: Option<&Backend>) -> Option<&Backend> {
        let its = predictor.and_then(|one| self.explainers.get(&one.predictor));
        its.or_else(|| self.explainers.values().next())
    }

    /// The predictor, or what stands beside one, of this name.
    fn named(&self, name: &[u8]) -> Result<&Backend, RequestError> {
        let all = || self.backends.iter().chain(self.transformers.values()).chain(self.explainers.values());
        all().find(|backend| backend.predictor.as_bytes() == name).ok_or_else(|| {
            let names: Vec<_> = self.backends.iter().map(|backend| backend.predictor.as_str()).collect();
            let name = String::from_utf8_lossy(name);
            let info = format!("the deployment has no predictor `{name}`; it has: {}", names.join(", "));
            RequestError::new(ErrorCode::NotFound, info)
        })
    }
}

/// What a request says of who is to answer, beside its deployment and its headers.
#[derive(Debug, Clone, Copy)]
struct Meant<'a> {
    /// The predictor whose Service was asked.
    service: Option<&'a str>,
    explains: bool,
}

impl Meant<'_> {
    /// Whether one predictor is asked for, so that shadows get no copies.
    fn is_for_one(self, headers: &HeaderMap) -> bool {
        self.service.is_some() || headers.contains_key(PREDICTOR)
    }
}

impl Proxy {
    /// A proxy that knows no deployments yet. Without a waker, those that sleep do not answer.
    ///
    /// # Errors
    ///
    /// Where no client can be made.
    pub fn new(options: Options, waker: Option<Arc<dyn Waker>>) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()?;
        let (in_flight, held) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (deployments, hosts) = (ArcSwap::default(), ArcSwap::default());
        Ok(Self(Arc::new(Shared { options, client, deployments, hosts, in_flight, waker, held })))
    }

    /// Requests that are being answered now.
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::Relaxed)
    }

    /// The calling thread's part.
    pub fn thread(&self) -> ProxyThread {
        let random = Rc::new(RefCell::new(SmallRng::from_rng(&mut rand::rng())));
        let grpc = Rc::new(RefCell::new(grpc::FreshClient::new()));
        ProxyThread { shared: Arc::clone(&self.0), random, mirrored: Rc::default(), grpc }
    }
}

impl BackendPublisher for Proxy {
    fn publish_all(&self, deployments: BTreeMap<DeploymentId, DeploymentBackends>) {
        self.0.hosts.store(Arc::new(Hosts::of(deployments.iter())));
        let targets = deployments.into_iter().map(
            |(id, DeploymentBackends { backends, transformers, explainers, unavailable })| {
                let weight = |backend: &Backend| if backend.is_shadow { 0 } else { backend.weight };
                let weights = backends.iter().map(weight).collect();
                (
                    format!("{}/{}", id.namespace, id.name),
                    Arc::new(Target { backends, weights, transformers, explainers, unavailable }),
                )
            },
        );
        self.0.deployments.store(Arc::new(targets.collect()));
    }
}

/// Passes on the requests of one thread.
#[derive(Debug, Clone)]
pub struct ProxyThread {
    shared: Arc<Shared>,
    random: Rc<RefCell<SmallRng>>,
    mirrored: Rc<()>,
    grpc: Rc<RefCell<grpc::FreshClient>>,
}

/// An answer of ours, or of the server that was asked.
type Answer = Either<Full<Bytes>, reqwest::Body>;

impl ProxyThread {
    /// Answers a request to the data plane. Never fails: errors are answers.
    pub async fn call<B>(&self, request: Request<B>) -> Response<Answer>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        if request.method() == Method::OPTIONS {
            return Response::new(Either::Left(Full::default()));
        }
        let Some(_slot) = InFlight::enter(&self.shared.in_flight, self.shared.options.in_flight_max) else {
            return refuse(&too_many(), dialect(request.uri().path()));
        };
        let dialect = dialect(request.uri().path());
        match self.pass_on(request).await {
            Ok(response) => response,
            Err(error) => refuse(&error, dialect),
        }
    }

    async fn pass_on<B>(&self, request: Request<B>) -> Result<Response<Answer>, RequestError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (parts, mut body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let by_host = if path.starts_with("/seldon/") { None } else { self.by_host(&parts) };
        let only = by_host.as_ref().map(|named| named.deployment.as_str());
        let target = match_path(parts.uri.path(), only).ok_or_else(|| not_found(parts.uri.path()))?;
        let deployment = self.shared.deployments.load().get(target.deployment).cloned();
        let deployment = deployment.ok_or_else(|| unknown(target.deployment))?;
        let action = target.endpoint.map(|endpoint| endpoint.action);
        let service = by_host.as_ref().and_then(|named| named.predictor.as_deref());
        let meant = Meant { service, explains: action == Some(Action::Explain) };
        let backend = self.choose(&deployment, &parts.headers, meant)?;
        let body = match read_body(&mut body, &parts.headers, &self.shared.options).await {
            Ok(body) => body,
            Err(error) => {
                discard(&mut body).await;
                return Err(error);
            }
        };
        let headers = passed_on(&parts.headers, false);
        let outgoing = Outgoing { method: &parts.method, path, headers: &headers, body: &body };
        let is_prediction = parts.method == Method::POST && action.is_some_and(Action::predicts);
        if is_prediction && !meant.is_for_one(&parts.headers) {
            self.copied_to(&deployment).for_each(|shadow| self.mirror(&outgoing, shadow));
        }
        self.send(&outgoing, backend).await
    }

    /// The shadows that get a copy of this request: each its percentage of all.
    fn copied_to<'a>(&self, deployment: &'a Target) -> impl Iterator<Item = &'a Backend> {
        let random = Rc::clone(&self.random);
        deployment.shadows().filter(move |shadow| random.borrow_mut().random_range(0..100) < shadow.weight)
    }

    /// What the host means, where the path says nothing.
    fn by_host(&self, parts: &http::request::Parts) -> Option<Named> {
        let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        self.shared.hosts.load().find(host.or_else(|| parts.uri.host())?)
    }

    /// What has the name of the Service that was asked, else what gets requests in place of the predictor that is asked for
    /// by name, or to which the request's id falls, or any by weight; else that.
    fn choose<'a>(
        &self,
        deployment: &'a Target,
        headers: &HeaderMap,
        meant: Meant<'_>,
    ) -> Result<&'a Backend, RequestError> {
        if let Some(name) = meant.service.map(str::as_bytes) {
            let asked = deployment.named(name)?;
            return Ok(deployment.explainer(Some(asked)).filter(|_| meant.explains).unwrap_or(asked));
        }
        let predictor = match headers.get(PREDICTOR) {
            Some(name) => deployment.named(name.as_bytes()),
            None => self.any(deployment, headers),
        };
        let found = predictor.as_ref().ok().copied();
        let explainer = deployment.explainer(found).filter(|_| meant.explains);
        let transformer = || deployment.transformers.get(&found?.predictor);
        explainer.or_else(transformer).map_or(predictor, Ok)
    }

    /// The predictor that the request's id falls to, else any by weight.
    fn any<'a>(&self, deployment: &'a Target, headers: &HeaderMap) -> Result<&'a Backend, RequestError> {
        let random = self.random.borrow_mut().next_u64().to_le_bytes();
        let id = headers.get(PUID).map_or(&random[..], HeaderValue::as_bytes);
        let chosen = choose(&deployment.weights, 0, id).and_then(|index| deployment.backends.get(index));
        chosen.ok_or_else(|| RequestError::new(ErrorCode::Unavailable, deployment.unavailable.clone()))
    }

    async fn send(&self, outgoing: &Outgoing<'_>, backend: &Backend) -> Result<Response<Answer>, RequestError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let authority = self.authority(backend).await?;
            let error = match outgoing.to(&self.shared.client, &authority).timeout(timeout(backend)).send().await {
                Ok(answer) => return Ok(answered(answer)),
                Err(error) => error,
            };
            match pauses.next().filter(|_| !error.is_timeout()) {
                Some(pause) => tokio::time::sleep(Duration::from_millis(pause)).await,
                None => return Err(failed(backend, &error)),
            }
        }
    }

    /// Where a predictor is; the request is held until it wakes where it sleeps.
    async fn authority<'a>(&self, backend: &'a Backend) -> Result<Cow<'a, str>, RequestError> {
        let (Some(sleeper), Some(waker)) = (&backend.sleeper, &self.shared.waker) else {
            return Ok(Cow::Borrowed(&backend.authority));
        };
        let Some(_slot) = InFlight::enter(&self.shared.held, HELD_MAX) else {
            let info =
                format!("predictor `{}` sleeps, and too many requests wait already: try again", backend.predictor);
            return Err(RequestError::new(ErrorCode::Unavailable, info));
        };
        waker.awake(sleeper).await.map(Cow::Owned).map_err(|reason| {
            let info = format!("predictor `{}` does not wake: {reason}; look at its instances", backend.predictor);
            RequestError::new(ErrorCode::GatewayTimeout, info)
        })
    }

    /// Sends a copy to a shadow, and lets its answer go.
    fn mirror(&self, outgoing: &Outgoing<'_>, shadow: &Backend) {
        if Rc::strong_count(&self.mirrored) > MIRRORED_MAX {
            return;
        }
        let (sending, slot) = (outgoing.to(&self.shared.client, &shadow.authority).send(), Rc::clone(&self.mirrored));
        tokio::task::spawn_local(async move {
            if let Err(error) = sending.await {
                tracing::debug!(%error, "a shadow does not answer");
            }
            drop(slot);
        });
    }
}

/// A request on its way.
struct Outgoing<'a> {
    method: &'a Method,
    path: &'a str,
    headers: &'a HeaderMap,
    body: &'a Bytes,
}

impl Outgoing<'_> {
    fn to(&self, client: &reqwest::Client, authority: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{authority}{}", self.path);
        client.request(self.method.clone(), url).headers(self.headers.clone()).body(self.body.clone())
    }
}

/// How long a predictor is waited for.
fn timeout(backend: &Backend) -> Duration {
    backend.timeout.map_or(TIMEOUT, |millis| TIMEOUT.max(Duration::from_millis(millis).saturating_add(GRACE)))
}

fn answered(answer: reqwest::Response) -> Response<Answer> {
    let mut response = Response::from(answer).map(Either::Right);
    remove_hop_by_hop(response.headers_mut());
    response
}

fn failed(backend: &Backend, error: &reqwest::Error) -> RequestError {
    tracing::warn!(predictor = backend.predictor, authority = backend.authority, %error, "a predictor does not answer");
    let code =
        if error.is_timeout() && !error.is_connect() { ErrorCode::GatewayTimeout } else { ErrorCode::Unavailable };
    silent(backend, code)
}

/// A predictor that does not answer, or not in time.
fn silent(backend: &Backend, code: ErrorCode) -> RequestError {
    let info = format!("predictor `{}` does not answer: try again, and look at its instances", backend.predictor);
    RequestError::new(code, info)
}

fn unknown(deployment: &str) -> RequestError {
    let (namespace, name) = deployment.split_once('/').unwrap_or_default();
    let info = format!("there is no deployment `{name}` in the namespace `{namespace}`");
    RequestError::new(ErrorCode::NotFound, info)
}

fn refuse(error: &RequestError, dialect: Dialect) -> Response<Answer> {
    error.response(dialect).map(Either::Left)
}

#[cfg(test)]
mod tests;
