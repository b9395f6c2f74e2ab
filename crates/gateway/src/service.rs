//! The HTTP side: reads requests within limits and answers them.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header, request::Parts};
use http_body::Body;
use http_body_util::Full;
use opentelemetry::KeyValue;
use provost_domain::{
    DeploymentId, ErrorCode, learned::Told, port::routes::RoutePublisher, routing_table::DeploymentRoutes,
};
use provost_inference::{PredictorTable, protocol::serving, record::RecordSink};
use rand::{Rng, RngExt as _, SeedableRng, rngs::SmallRng};
use tokio::sync::mpsc;

use crate::{
    about::{About, tell, tell_of_server},
    body::{discard, read_body},
    clock::WallClock,
    dialects::Content,
    error::RequestError,
    feedback,
    graph::Learned,
    grpc::is_grpc,
    in_flight::InFlight,
    matcher::{Action, Dialect, Endpoint, OF_SERVICES, dialect, endpoint, is_data_plane, match_path},
    metrics::{MetricsSource, Registry, ThreadMetrics, ThreadRequest},
    node_server::Nodes,
    predict::{Answered, Buffers, Call, Failed, REQUEST_ID_MAX, answer, fail},
    records::Records,
    repository,
    routes::{Deployment, Routes},
    service_graph,
    shadow::Copied,
    traces::Traces,
};

pub(crate) const PUID: HeaderName = HeaderName::from_static("seldon-puid");
pub(crate) const PREDICTOR: HeaderName = HeaderName::from_static("provost-predictor");
/// Bytes of the JSON before the binary tensors of a V2 body.
pub(crate) const INFERENCE_HEADER: HeaderName = HeaderName::from_static("inference-header-content-length");
/// How Envoy ends the host of a request's copy.
const COPY: &str = "-shadow";
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(crate) const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// Limits of the data plane.
#[derive(Debug, Clone)]
pub struct Options {
    /// Longest body that is read, in bytes.
    pub body_max: usize,
    /// Most requests at a time; more are answered 429.
    pub in_flight_max: usize,
    /// A body must have arrived after this long.
    pub body_timeout: Duration,
    /// The deployment, as `namespace/name`, that answers also at paths that name none: that of a pod.
    pub only: Option<String>,
    /// How many of a hundred copies of requests are answered, as Envoy marks copies: `-shadow` ends their host.
    pub copies_percent: Option<u32>,
    /// Where spans go; there are none where it is left out.
    pub traces: Option<Traces>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            body_max: 16 << 20,
            in_flight_max: 1024,
            body_timeout: Duration::from_secs(30),
            only: None,
            copies_percent: None,
            traces: None,
        }
    }
}

/// The data plane of this process.
#[derive(Debug, Clone)]
pub struct Gateway(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) routes: Routes,
    registry: Arc<Registry>,
    pub(crate) in_flight: AtomicUsize,
    sink: Option<Arc<dyn RecordSink>>,
}

impl Gateway {
    /// A gateway to the predictors of `predictors`, which logs to `sink`.
    pub fn new(options: Options, predictors: Arc<dyn PredictorTable>, sink: Option<Arc<dyn RecordSink>>) -> Self {
        let registry = Arc::new(Registry::default());
        let routes = Routes::new(predictors, Arc::clone(&registry));
        Self(Arc::new(Shared { options, routes, registry, in_flight: AtomicUsize::new(0), sink }))
    }

    /// The calling thread's part. Call it once on each serving thread.
    pub fn thread(&self) -> GatewayThread {
        let state = ThreadState {
            buffers: Buffers::default(),
            records: Records::new(self.0.sink.as_ref().map(|sink| sink.open_lane())),
            metrics: ThreadMetrics::default(),
            ids: IdGenerator(SmallRng::from_rng(&mut rand::rng())),
            answer_capacity: 256,
            clock: WallClock::read(),
            // The server of a pod asks for no credentials: what callers send is their model's.
            nodes: Nodes::new(self.0.options.body_max, self.0.options.only.is_some(), self.0.options.traces.clone()),
        };
        let requests = Rc::new(Cell::new(Some(self.0.registry.join())));
        GatewayThread { shared: Arc::clone(&self.0), state: Rc::new(RefCell::new(state)), requests }
    }

    /// The metrics of all threads.
    pub fn metrics(&self) -> MetricsSource {
        MetricsSource(Arc::clone(&self.0.registry))
    }

    /// Has every serving thread hand over the records of what it answered so far to those who send them on.
    pub async fn hand_over_records(&self) {
        self.0.registry.hand_over().await;
    }

    /// Takes what routers learned before this process; call it before there are any.
    pub fn restore_learned(&self, learned: Vec<Learned>) {
        self.0.routes.learners.restore(learned);
    }

    /// What routers have learned, for a time after this process.
    pub fn learned(&self) -> Vec<Learned> {
        self.0.routes.learners.learned()
    }

    /// What the routers of this process were told by feedback since it was started. Of a server with one predictor.
    pub fn learned_here(&self) -> Told {
        self.0.routes.learners.own()
    }

    /// Tells routers what other processes know, in place of what they told before; nothing where it is meant for another
    /// process than this one.
    pub fn tell_learners(&self, others: &Told) {
        self.0.routes.learners.tell(others);
    }

    /// Requests that are being answered now.
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::Relaxed)
    }
}

impl RoutePublisher for Gateway {
    fn current(&self, id: &DeploymentId) -> Option<DeploymentRoutes> {
        self.0.routes.current(id)
    }

    fn publish(&self, id: &DeploymentId, routes: Option<DeploymentRoutes>) {
        self.0.routes.publish(id, routes);
    }
}

/// What one serving thread keeps.
pub(crate) struct ThreadState {
    pub(crate) buffers: Buffers,
    pub(crate) records: Records,
    pub(crate) metrics: ThreadMetrics,
    pub(crate) ids: IdGenerator,
    /// Length of the answer before: a good guess for the next.
    pub(crate) answer_capacity: usize,
    pub(crate) clock: WallClock,
    pub(crate) nodes: Nodes,
}

/// Makes request ids: UUIDs of version 4.
pub(crate) struct IdGenerator(SmallRng);

impl IdGenerator {
    pub(crate) fn next(&mut self) -> String {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        id.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).to_owned()
    }
}

/// What a request is for.
enum Asked {
    /// A prediction, by the body or by examples in it.
    Prediction(Call, Option<serving::Method>),
    /// What came of one.
    Feedback(Call),
    /// What there is.
    About(About),
    /// The server itself, not one of its deployments.
    Server(Action),
    /// Which models there are: of a deployment, or all that can be asked without naming one.
    Repository(Action, Option<Arc<Deployment>>),
}

/// Serves the requests of one thread.
#[derive(Clone)]
pub struct GatewayThread {
    pub(crate) shared: Arc<Shared>,
    pub(crate) state: Rc<RefCell<ThreadState>>,
    requests: Rc<Cell<Option<mpsc::Receiver<ThreadRequest>>>>,
}

impl GatewayThread {
    /// Whether the path belongs to the data plane.
    pub fn is_data_plane(path: &str) -> bool {
        is_data_plane(path) || is_grpc(path)
    }

    /// Whether the path is that of a service of gRPC.
    pub fn is_grpc(path: &str) -> bool {
        is_grpc(path)
    }

    /// Answers a request to the data plane. Never fails: errors are answers.
    pub async fn call<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        if self.is_left_out(request.headers(), request.uri()) {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::NO_CONTENT;
            return response;
        }
        let Some(traces) = &self.shared.options.traces else { return self.answer_request(request).await };
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let method = KeyValue::new("http.request.method", parts.method.to_string());
        let traced = traces.arrives(&mut parts.headers, path.clone(), vec![method, KeyValue::new("url.path", path)]);
        // Boxed, so that requests without a span do not carry room for it.
        let response = Box::pin(self.answer_request(Request::from_parts(parts, body))).await;
        traced.is_of(response.headers(), &[PUID, PREDICTOR]);
        traced.answered(response.status().as_u16());
        response
    }

    /// Whether a request is a copy that a shadow is not to answer.
    pub(crate) fn is_left_out(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let Some(percent) = self.shared.options.copies_percent else { return false };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| uri.authority().map(http::uri::Authority::as_str)).unwrap_or_default();
        let is_copy = host.ends_with(COPY) || host.rsplit_once(':').is_some_and(|(name, _)| name.ends_with(COPY));
        is_copy && rand::rng().random_range(0..100) >= percent
    }

    async fn answer_request<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let arrived = Instant::now();
        let (parts, mut body) = request.into_parts();
        if parts.method == Method::OPTIONS {
            return Response::new(Full::default());
        }
        let (call, by_examples) = match self.find(&parts, arrived) {
            Ok(Asked::Prediction(call, by_examples)) => (call, by_examples),
            Ok(Asked::Feedback(call)) => return Box::pin(self.take_feedback(call, &parts.headers, &mut body)).await,
            Ok(Asked::Server(action)) => return tell_of_server(action, true),
            Ok(Asked::Repository(action, of)) => {
                return Box::pin(self.tell_of_repository((action, of), &parts, &mut body)).await;
            }
            // Boxed, so that a prediction does not carry room for it.
            Ok(Asked::About(about)) => return Box::pin(tell(&self.state, about, &parts.headers)).await,
            Err(error) => return error.response(dialect(parts.uri.path())),
        };
        let dialect = call.dialect;
        let Some(_slot) = InFlight::enter(&self.shared.in_flight, self.shared.options.in_flight_max) else {
            return self.refuse(&call, too_many());
        };
        match read_body(&mut body, &parts.headers, &self.shared.options).await {
            Ok(body) => {
                let content = match by_examples {
                    Some(method) => Content::Examples(body, method),
                    None => Content::Json(body),
                };
                match self.answer(call, (&parts.headers, content)).await {
                    Ok(answered) => respond(answered),
                    Err(failed) => respond_failed(failed, dialect),
                }
            }
            Err(error) => {
                if error.code == ErrorCode::TooLarge {
                    discard(&mut body).await;
                }
                self.refuse(&call, error)
            }
        }
    }

    /// Answers a request, and has shadows get a copy of it.
    pub(crate) async fn answer(&self, call: Call, asked: (&HeaderMap, Content)) -> Result<Answered, Failed> {
        if call.deployment.is_service_graph {
            // Boxed, so that a prediction does not carry room for it.
            return Box::pin(service_graph::answer(self, call, asked)).await;
        }
        let copied = Copied::of(&call, asked.0, &asked.1);
        let result = answer(&self.state, &self.shared.routes, call, asked).await;
        if let Some(copied) = copied {
            copied
                .send(self, result.as_ref().map_or_else(|failed| &failed.request_id, |answered| &answered.request_id));
        }
        result
    }

    /// Takes the feedback of a request's body.
    async fn take_feedback<B>(&self, call: Call, headers: &HeaderMap, body: &mut B) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let Some(_slot) = InFlight::enter(&self.shared.in_flight, self.shared.options.in_flight_max) else {
            return too_many().response(Dialect::Seldon);
        };
        let taken = match read_body(body, headers, &self.shared.options).await {
            Ok(body) => feedback::take(&self.state, &self.shared.routes, call, (headers, body)).await,
            Err(error) => {
                if error.code == ErrorCode::TooLarge {
                    discard(body).await;
                }
                return error.response(Dialect::Seldon);
            }
        };
        taken.map_or_else(|failed| respond_failed(failed, Dialect::Seldon), respond)
    }

    /// Tells which models there are.
    async fn tell_of_repository<B>(
        &self,
        (action, of): (Action, Option<Arc<Deployment>>),
        parts: &Parts,
        body: &mut B,
    ) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let asked = read_body(body, &parts.headers, &self.shared.options).await;
        let told = asked.and_then(|asked| repository::tell(action, &self.shared.routes, of.as_ref(), &asked));
        told.unwrap_or_else(|error| error.response(dialect(parts.uri.path())))
    }

    /// Does what a thread has to do besides requests: call it once, in a task of the thread. Ends when
    /// the gateway goes.
    pub async fn housekeeping(&self) {
        let Some(mut requests) = self.requests.take() else { return };
        let mut second = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                request = requests.recv() => match request {
                    Some(ThreadRequest::Snapshot(request)) => request.answer(&self.state.borrow().metrics),
                    Some(ThreadRequest::HandOver(answer)) => {
                        self.state.borrow_mut().records.hand_over();
                        // Who asked may have gone.
                        let _gone = answer.send(());
                    }
                    None => return,
                },
                _ = second.tick() => self.tick(),
            }
        }
    }

    fn tick(&self) {
        let state = &mut *self.state.borrow_mut();
        state.clock = WallClock::read();
        state.records.tick(state.clock.at(Instant::now()));
        let routes = &self.shared.routes;
        state.records.retain(|stream| routes.uses_stream(stream));
    }

    /// Who is meant and what is asked, and by which id.
    fn find(&self, parts: &Parts, arrived: Instant) -> Result<Asked, RequestError> {
        let (path, headers) = (parts.uri.path(), &parts.headers);
        let (deployment, endpoint) = match match_path(path, self.shared.options.only.as_deref()) {
            Some(target) => {
                let found = self.shared.routes.deployment(target.deployment);
                let deployment = found.ok_or_else(|| self.unknown(target.deployment))?;
                let endpoint = of_services(&parts.method, &deployment).or(target.endpoint);
                (Some(deployment), endpoint.ok_or_else(|| not_found(path))?)
            }
            None => self.find_unnamed(parts)?,
        };
        let method = if endpoint.action.is_post() { Method::POST } else { Method::GET };
        if parts.method != method {
            let info = format!("`{path}` takes {method}, not {}", parts.method);
            return Err(RequestError::new(ErrorCode::MethodNotAllowed, info));
        }
        if matches!(endpoint.action, Action::Index | Action::Models) {
            return Ok(Asked::Repository(endpoint.action, deployment));
        }
        let Some(deployment) = deployment else { return Ok(Asked::Server(endpoint.action)) };
        let pinned = pin(headers);
        let asks_model = endpoint.action.predicts() || endpoint.action == Action::Explain;
        if !asks_model && endpoint.action != Action::Feedback {
            return Ok(Asked::About(About {
                deployment,
                dialect: endpoint.dialect,
                action: endpoint.action,
                model: endpoint.model.unwrap_or_default().to_owned(),
                version: endpoint.version.map(str::to_owned),
                pinned,
            }));
        }
        let header_id = match headers.get(PUID) {
            Some(value) => Some(request_id(value)?),
            None => None,
        };
        let call = Call {
            deployment,
            dialect: endpoint.dialect,
            action: endpoint.action,
            model: endpoint.model.map(str::to_owned),
            version: endpoint.version.map(str::to_owned),
            header_id,
            pinned,
            arrived,
        };
        Ok(match endpoint.action {
            Action::Feedback => Asked::Feedback(call),
            Action::Examples(method) => Asked::Prediction(call, Some(method)),
            _ => Asked::Prediction(call, None),
        })
    }

    /// Who is meant by a path that names no deployment: by the host, else by the model. None is where the server itself is
    /// asked about.
    fn find_unnamed<'a>(&self, parts: &'a Parts) -> Result<(Option<Arc<Deployment>>, Endpoint<'a>), RequestError> {
        let path = parts.uri.path();
        let by_host = self.of_host(&parts.uri, &parts.headers);
        if let Some(endpoint) = by_host.as_ref().and_then(|deployment| of_services(&parts.method, deployment)) {
            return Ok((by_host, endpoint));
        }
        let endpoint = endpoint(path).ok_or_else(|| not_found(path))?;
        let found = by_host.or_else(|| self.shared.routes.with_model(endpoint.model?));
        match (found, endpoint.model) {
            (None, Some(model)) => {
                let info = format!(
                    "there is no deployment `{model}` in the namespace `default`, and no single one with such a model: \
                     ask at /seldon/<namespace>/<name>{path}"
                );
                Err(RequestError::new(ErrorCode::NotFound, info))
            }
            (None, None) if endpoint.action == Action::Predict || endpoint.dialect == Dialect::Seldon => {
                Err(not_found(path))
            }
            (found, _) => Ok((found, endpoint)),
        }
    }

    /// Whether a request is for a graph of services that its host names, which takes any path.
    pub fn is_for_services<B>(&self, request: &Request<B>) -> bool {
        request.method() == Method::POST
            && self.of_host(request.uri(), request.headers()).is_some_and(|found| found.is_service_graph)
    }

    fn of_host(&self, uri: &Uri, headers: &HeaderMap) -> Option<Arc<Deployment>> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).or_else(|| uri.host());
        self.shared.routes.of_host(host?)
    }

    pub(crate) fn unknown(&self, deployment: &str) -> RequestError {
        let (namespace, name) = deployment.split_once('/').unwrap_or_default();
        let info = if self.shared.routes.has_namespace(namespace) {
            format!("there is no deployment `{name}` in the namespace `{namespace}`")
        } else {
            format!("there is no deployment in the namespace `{namespace}`")
        };
        RequestError::new(ErrorCode::NotFound, info)
    }

    /// Answers a request whose body was not read.
    fn refuse(&self, call: &Call, error: RequestError) -> Response<Full<Bytes>> {
        respond_failed(self.fail_unread(call, error), call.dialect)
    }

    /// Notes the failure of a request whose body was not read.
    pub(crate) fn fail_unread(&self, call: &Call, error: RequestError) -> Failed {
        let state = &mut *self.state.borrow_mut();
        let request_id = call.header_id.clone().unwrap_or_else(|| state.ids.next());
        fail(state, call, None, request_id, error)
    }
}

/// What is asked of a graph of services, whatever the path.
fn of_services(method: &Method, deployment: &Deployment) -> Option<Endpoint<'static>> {
    (deployment.is_service_graph && method == Method::POST).then_some(OF_SERVICES)
}

/// The predictor that a caller asks for.
pub(crate) fn pin(headers: &HeaderMap) -> Option<String> {
    headers.get(PREDICTOR).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

pub(crate) fn too_many() -> RequestError {
    RequestError::new(ErrorCode::Overloaded, "too many requests at a time: try again")
}

pub(crate) fn not_found(path: &str) -> RequestError {
    let predictions = match dialect(path) {
        Dialect::Seldon => "api/v1.0/predictions",
        Dialect::V1 => "v1/models/<model>:predict",
        Dialect::V2 => "v2/models/<model>/infer",
    };
    let info = format!("there is nothing at `{path}`: predictions are at /seldon/<namespace>/<name>/{predictions}");
    RequestError::new(ErrorCode::NotFound, info)
}

/// The id a caller gave in the header `Seldon-Puid`: printable, without what JSON would escape.
pub(crate) fn request_id(value: &HeaderValue) -> Result<String, RequestError> {
    let is_plain = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b'"' | b'\\');
    let bytes = value.as_bytes();
    if bytes.is_empty() || bytes.len() > REQUEST_ID_MAX || !bytes.iter().all(is_plain) {
        let info = format!(
            "the header Seldon-Puid must be 1 to {REQUEST_ID_MAX} printable ASCII characters without quotes and backslashes"
        );
        return Err(RequestError::new(ErrorCode::BadRequest, info));
    }
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

fn respond(answered: Answered) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answered.body));
    *response.status_mut() = answered.status;
    *response.headers_mut() = answered.headers;
    set_request_id(response.headers_mut(), answered.request_id);
    response
}

fn respond_failed(failed: Failed, dialect: Dialect) -> Response<Full<Bytes>> {
    let mut response = failed.error.response(dialect);
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    if let Some(predictor) = failed.predictor {
        headers.insert(PREDICTOR, predictor);
    }
    set_request_id(headers, failed.request_id);
    response
}

fn set_request_id(headers: &mut HeaderMap, request_id: String) {
    // An id from a body may hold what a header cannot.
    if let Ok(id) = HeaderValue::from_maybe_shared(Bytes::from(request_id)) {
        headers.insert(PUID, id);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("options", &self.options).field("routes", &self.routes).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for GatewayThread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayThread").field("shared", &self.shared).finish_non_exhaustive()
    }
}
