//! From what is asked to what is answered: who answers it, the prediction, the log.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use provost_domain::ErrorCode;
use provost_inference::{
    protocol::{json::unescape, proto::inference::ModelInferRequest},
    record::{FEATURE_COLUMNS_MAX, Payload},
};

use crate::{
    batching,
    dialects::{Content, Input, Parsed, answered_as, asked, parse, read, texts, write_answer},
    error::RequestError,
    exchange::{Asked, Passed, is_gathered, pass_on, pass_through},
    graph::{Entry, Graph},
    grpc::tensors::{
        self,
        binary::{Binary, request_from_body},
    },
    matcher::{Action, Dialect},
    native,
    node_server::{Reply, Server, not_spoken},
    passing::{Sent, as_json, json_length, text},
    records::Outcome,
    routes::{Deployment, Native, Predictor, Routes, Served},
    service::{INFERENCE_HEADER, PREDICTOR, ThreadState},
};

/// The type of an answer whose values are bytes.
pub(crate) const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// Why a graph of services does not do what models do.
pub(crate) const OF_SERVICES_ALONE: &str =
    "a graph of services takes requests by POST alone: ask its services for the rest";
/// Why a graph is not asked with examples.
const OF_MODELS_ALONE: &str = "a graph does not take examples: ask it by `:predict`";
/// Longest request id, in bytes.
pub(crate) const REQUEST_ID_MAX: usize = 256;

/// What a request brings besides its body.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) dialect: Dialect,
    /// A prediction, or an explanation.
    pub(crate) action: Action,
    /// The model's name in the path.
    pub(crate) model: Option<String>,
    /// Its version there.
    pub(crate) version: Option<String>,
    /// The id from the request's header, or a new one.
    pub(crate) header_id: Option<String>,
    pub(crate) pinned: Option<String>,
    pub(crate) arrived: Instant,
}

impl Call {
    /// Whether it is logged: explanations are no predictions.
    pub(crate) fn is_logged(&self) -> bool {
        self.deployment.is_logged && self.action.predicts()
    }
}

/// An answer's body, and which predictor made it.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) request_id: String,
    pub(crate) headers: http::HeaderMap,
}

impl Answered {
    /// With another answer in its place, where there is one.
    pub(crate) fn with(self, back: Option<Reply>) -> Self {
        let Some(back) = back else { return self };
        let Self { request_id, headers, .. } = self;
        back.answered(headers, request_id)
    }
}

/// A failure, with what is known of the request.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: RequestError,
    pub(crate) request_id: String,
    pub(crate) predictor: Option<http::HeaderValue>,
}

/// Buffers that every request of a thread uses again.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) inputs: Vec<f64>,
    pub(crate) outputs: Vec<f64>,
}

/// A request that waits for its prediction.
struct Prepared<'a> {
    predictor: &'a Predictor,
    work: Work<'a>,
    request_id: String,
}

/// What is to be done.
enum Work<'a> {
    /// A model of this process predicts for a request that was read.
    Native(&'a Native, Input<'a>),
    /// A server gets the body, at this address; what it says is known where it is numbers.
    Server(&'a Arc<Server>, http::Uri, Option<Asked<'a>>, Sent),
    /// A message goes through a graph, and is logged as such a body; what it says is known where it is numbers.
    Graph(&'a Graph, Entry, Option<Asked<'a>>, Bytes),
}

/// What a native model takes and gives.
struct Read<'a> {
    predictor: &'a Predictor,
    native: &'a Native,
    input: Input<'a>,
    request_id: String,
}

/// Answers a request on this thread, or away from it when the work is long.
pub(crate) async fn answer(
    state: &std::cell::RefCell<ThreadState>,
    routes: &Routes,
    call: Call,
    (headers, content): (&HeaderMap, Content),
) -> Result<Answered, Failed> {
    let mut buffers = std::mem::take(&mut state.borrow_mut().buffers);
    // The state is borrowed for moments only, never while this waits.
    let prepared = prepare(&call, (headers, &content), &mut buffers, &mut state.borrow_mut().ids);
    let result = match prepared {
        Ok(Prepared { predictor, work: Work::Native(native, input), request_id }) => {
            let read = Read { predictor, native, input, request_id };
            let started = Instant::now();
            let batcher = read.native.batcher.as_ref().filter(|_| is_gathered(&call, &content));
            let predicted = match batcher {
                Some(batcher) => {
                    let batch = state.borrow_mut().ids.next();
                    Box::pin(run_with_others(&read, batcher, &mut buffers, batch)).await.map(Some)
                }
                None => run(&read, &mut buffers).await.map(|()| None),
            };
            let client = started.elapsed();
            finish(&mut state.borrow_mut(), routes, &call, &content, read, (&buffers, predicted, client))
        }
        Ok(Prepared { predictor, work: Work::Server(server, uri, asked, sent), request_id }) => {
            let body = if call.is_logged() { sent.text(&content) } else { Bytes::new() };
            let passed = Passed { predictor, request_id, body: &body, asked };
            let to = (server, uri, sent);
            // Boxed, so that a prediction of a model here does not carry room for it.
            Box::pin(pass_on(state, routes, (&call, headers, &content), to, passed, &mut buffers)).await
        }
        Ok(Prepared { predictor, work: Work::Graph(graph, entry, asked, body), request_id }) => {
            let passed = Passed { predictor, request_id, body: &body, asked };
            Box::pin(pass_through(state, routes, (&call, headers, &content), (graph, entry), passed, &mut buffers))
                .await
        }
        Err((request_id, error)) => Err(fail(&mut state.borrow_mut(), &call, None, request_id, error)),
    };
    let kept = &mut state.borrow_mut().buffers;
    if kept.inputs.capacity() <= buffers.inputs.capacity() {
        *kept = buffers.shrunk();
    }
    result
}

impl Buffers {
    /// Empties the buffers, and lets go of what one large request made them.
    fn shrunk(mut self) -> Self {
        const KEPT: usize = 1 << 16;
        self.inputs.clear();
        self.outputs.clear();
        self.inputs.shrink_to(KEPT);
        self.outputs.shrink_to(KEPT);
        self
    }
}

/// Reads the body, chooses the predictor, and checks that the request fits it.
fn prepare<'a>(
    call: &'a Call,
    (headers, content): (&HeaderMap, &'a Content),
    buffers: &mut Buffers,
    ids: &mut crate::service::IdGenerator,
) -> Result<Prepared<'a>, (String, RequestError)> {
    let (parsed, body_id) = parse(call, headers, content, &mut buffers.inputs);
    let request_id = match (&call.header_id, body_id) {
        (Some(id), _) => id.clone(),
        (None, Some(raw)) if matches!(content, Content::Json(_)) => unescape(raw),
        (None, Some(id)) => id.to_owned(),
        (None, None) => ids.next(),
    };
    match find_work(call, (headers, content, parsed), &request_id, &mut buffers.inputs) {
        Ok((predictor, work)) => Ok(Prepared { predictor, work, request_id }),
        Err(error) => Err((request_id, error)),
    }
}

/// Who is to do what. What a body is to be is a server's own affair.
fn find_work<'a>(
    call: &'a Call,
    (headers, content, parsed): (&HeaderMap, &'a Content, Result<Parsed<'a>, RequestError>),
    request_id: &str,
    values: &mut Vec<f64>,
) -> Result<(&'a Predictor, Work<'a>), RequestError> {
    if request_id.len() > REQUEST_ID_MAX {
        let info = format!("the request's id (puid) is longer than {REQUEST_ID_MAX} bytes");
        return Err(RequestError::new(ErrorCode::BadRequest, info));
    }
    let predictor = choose(call, request_id)?;
    let (model, version) = (call.model.as_deref(), call.version.as_deref());
    let work = match &predictor.served {
        // Those are asked by `service_graph::answer`.
        Served::Services(_) => return Err(RequestError::new(ErrorCode::NotFound, OF_SERVICES_ALONE)),
        Served::Native(_) | Served::Graph(_) if call.action == Action::Explain => return Err(no_explainer()),
        Served::Native(native) => {
            check_model(&call.deployment, predictor, model, version)?;
            let input = read(native, parsed?, values)?;
            native::check_features(native.predict.schema(), input.columns, input.first_missing)?;
            Work::Native(native, input)
        }
        Served::Server(server) => {
            let uri = server.find((call.dialect, call.action), model, version)?;
            if let (Content::Serving(..), Some(version), false) = (content, version, server.is_grpc()) {
                let info = format!("{} is called over REST in V1, which has no version `{version}`", server.called());
                return Err(RequestError::new(ErrorCode::NotFound, info));
            }
            let sent = Sent::to(server, (headers, content), &call.deployment.name)?;
            Work::Server(server, uri, asked(parsed.ok().as_ref()), sent)
        }
        Served::Graph(_) if matches!(call.action, Action::Examples(_)) => {
            return Err(RequestError::new(ErrorCode::NotFound, OF_MODELS_ALONE));
        }
        Served::Graph(graph) => {
            check_model(&call.deployment, predictor, model, version)?;
            if graph.dialect == Some(Dialect::V2) && call.dialect == Dialect::V2 {
                let (entry, body) = enter_v2((headers, content), call.is_logged())?;
                return Ok((predictor, Work::Graph(graph, entry, None, body)));
            }
            let body = if graph.dialect == Some(Dialect::V1) { as_json(content)? } else { content.body() };
            let (entry, asked) = enter(graph, call.dialect, (&body, parsed), values)?;
            Work::Graph(graph, entry, asked, body)
        }
    };
    Ok((predictor, work))
}

fn no_explainer() -> RequestError {
    RequestError::new(ErrorCode::NotFound, "the deployment has no explainer; ask for predictions")
}

/// A request as it enters a graph; what it says is known where it is numbers.
fn enter<'a>(
    graph: &Graph,
    dialect: Dialect,
    (body, parsed): (&Bytes, Result<Parsed<'a>, RequestError>),
    values: &mut Vec<f64>,
) -> Result<(Entry, Option<Asked<'a>>), RequestError> {
    match (graph.dialect, dialect) {
        (None, Dialect::V1 | Dialect::V2) => {
            let (block, form) = answered_as(parsed?)?;
            let entry = Entry::of_block(graph, (block, values.clone()), form)?;
            let asked = entry.message.payload.numbers().ok().map(|numbers| {
                values.clone_from(&numbers.values);
                Asked { rows: numbers.rows, columns: numbers.columns, names: None }
            });
            Ok((entry, asked))
        }
        (None | Some(Dialect::Seldon), Dialect::Seldon) => {
            let entry = match &parsed {
                Ok(Parsed::Seldon(request)) => Entry::of_numbers(graph, body, (request, values))?,
                // Not numbers; whether that will do is for the nodes to say.
                _ => Entry::of_json(body)?,
            };
            Ok((entry, asked(parsed.ok().as_ref())))
        }
        (Some(speaks), dialect) if speaks == dialect => Ok((Entry::of_body(dialect, body.clone()), None)),
        (Some(speaks), _) => Err(not_spoken("the programs of the graph speak", speaks)),
    }
}

/// A request of V2 as it enters a graph of programs that speak it, and as it is logged.
fn enter_v2((headers, content): (&HeaderMap, &Content), is_logged: bool) -> Result<(Entry, Bytes), RequestError> {
    let (request, binary) = match content {
        Content::V2(request, _) => (ModelInferRequest::clone(request), Binary::default()),
        _ => {
            let (body, json) = (content.body(), json_length(headers));
            // JSON alone goes on as it came.
            if json.is_none() && !says_binary(&body) {
                return Ok((Entry::of_body(Dialect::V2, body.clone()), body));
            }
            let read = request_from_body(&body, json, "");
            read.map_err(|reason| RequestError::new(ErrorCode::BadRequest, reason))?
        }
    };
    let shown = if is_logged { text(tensors::request_to_json(&request)) } else { Bytes::new() };
    Ok((Entry { binary, ..Entry::of_infer(request) }, shown))
}

/// Whether a body may ask for an answer with bytes after its JSON.
fn says_binary(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|body| body.contains("\"binary_data"))
}

pub(crate) fn choose<'a>(call: &'a Call, request_id: &str) -> Result<&'a Predictor, RequestError> {
    let deployment = &call.deployment;
    if let Some(name) = &call.pinned {
        return pinned(deployment, name);
    }
    let of_version = call.version.as_ref().and_then(|version| deployment.of_version(version));
    of_version
        .or_else(|| deployment.choose(request_id))
        .ok_or_else(|| RequestError::new(ErrorCode::Unavailable, deployment.unavailable.clone()))
}

/// The predictor that a caller asks for by name.
pub(crate) fn pinned<'a>(deployment: &'a Deployment, name: &str) -> Result<&'a Predictor, RequestError> {
    deployment.pinned(name).ok_or_else(|| {
        let names: Vec<_> = deployment.predictors.iter().map(|p| p.stream.predictor.as_str()).collect();
        let info = format!("the deployment has no predictor `{name}`; it has: {}", names.join(", "));
        RequestError::new(ErrorCode::NotFound, info)
    })
}

/// Checks that the caller may mean the predictor's model by this name, which may be any of the deployment's, since
/// traffic is split between models of different names; and by this version, which must be the model's.
pub(crate) fn check_model(
    deployment: &Deployment,
    predictor: &Predictor,
    model: Option<&str>,
    version: Option<&str>,
) -> Result<(), RequestError> {
    if let Some(name) = model.filter(|name| !deployment.has_model(name)) {
        let mut names: Vec<_> = deployment.predictors.iter().map(|predictor| predictor.model.as_str()).collect();
        names.dedup();
        let info = format!("there is no model `{name}` in the deployment; it has: {}", names.join(", "));
        return Err(RequestError::new(ErrorCode::NotFound, info));
    }
    if let Some(version) = version.filter(|version| predictor.version() != Some(version)) {
        let versions: Vec<_> = deployment.predictors.iter().filter_map(Predictor::version).collect();
        let info = format!("there is no version `{version}` of the model; there is: {}", versions.join(", "));
        return Err(RequestError::new(ErrorCode::NotFound, info));
    }
    Ok(())
}

/// Predicts. What is estimated to take long leaves this thread to others meanwhile.
async fn run(read: &Read<'_>, buffers: &mut Buffers) -> Result<(), RequestError> {
    let size = (read.input.rows, read.input.columns);
    buffers.outputs.clear();
    if native::is_short(read.native.row_cost, read.input.rows) {
        return native::predict(&*read.native.predict, size, &buffers.inputs, &mut buffers.outputs);
    }
    let model = Arc::clone(&read.native.predict);
    let mut moved = std::mem::take(buffers);
    let work = tokio::task::spawn_blocking(move || {
        let result = native::predict(&*model, size, &moved.inputs, &mut moved.outputs);
        (moved, result)
    });
    let (moved, result) = work.await.map_err(|_| native::failed())?;
    *buffers = moved;
    result
}

/// Predicts with others that come about now, and gives the batch's id.
async fn run_with_others(
    read: &Read<'_>,
    batcher: &Arc<batching::OfRows>,
    buffers: &mut Buffers,
    batch: String,
) -> Result<Arc<str>, RequestError> {
    let Read { native, input, .. } = read;
    let model = (Arc::clone(&native.predict), native.row_cost);
    let rows = (input.rows, input.columns, buffers.inputs.clone());
    let share = batching::predict(batcher, model, rows, batch).await?;
    buffers.outputs = share.of;
    Ok(share.batch)
}

/// Writes the answer, then the log, then counts: in this order, the log comes before the first byte
/// goes out.
fn finish(
    state: &mut ThreadState,
    routes: &Routes,
    call: &Call,
    content: &Content,
    read: Read<'_>,
    (buffers, predicted, client): (&Buffers, Result<Option<Arc<str>>, RequestError>, Duration),
) -> Result<Answered, Failed> {
    let Read { predictor, native, input, request_id } = read;
    let batch = match predicted {
        Ok(batch) => batch,
        Err(error) => return Err(fail(state, call, Some(predictor), request_id, error)),
    };
    let mut written = Vec::with_capacity(state.answer_capacity);
    let head = write_answer(native, &input, &request_id, &buffers.outputs, &mut written);
    if let Some(batch) = batch {
        batching::tell(&batch, &mut written);
    }
    state.answer_capacity = written.len().next_multiple_of(64).min(1 << 16);
    let answered = Instant::now();
    let server = answered.duration_since(call.arrived);
    if call.is_logged() {
        let names = (native.predict.schema(), input.names.as_deref());
        let (stream, is_mismatch) = state.records.stream(routes, predictor, names);
        state.metrics.feature_name_mismatches += u64::from(is_mismatch);
        let texts = (input.columns > FEATURE_COLUMNS_MAX).then(|| texts(content, &input, (native, buffers), &written));
        let payload = match &texts {
            Some((request, response)) => Payload::Text { request, response },
            None => Payload::Values { inputs: &buffers.inputs, outputs: &buffers.outputs },
        };
        let time = state.clock.at(answered);
        let outcome = Outcome { request_id: &request_id, time, latency: server, status: 200, rows: input.rows };
        state.records.append(&stream, &outcome, payload);
    }
    state.metrics.record(predictor.slot, 200, server, client);
    let mut headers = predictor.headers.clone();
    if let Some(length) = head {
        headers.insert(header::CONTENT_TYPE, BYTES);
        headers.insert(INFERENCE_HEADER, length.into());
    }
    Ok(Answered { status: StatusCode::OK, body: written.into(), request_id, headers })
}

/// Logs and counts a failure.
pub(crate) fn fail(
    state: &mut ThreadState,
    call: &Call,
    predictor: Option<&Predictor>,
    request_id: String,
    error: RequestError,
) -> Failed {
    let failed = Instant::now();
    let (server, status) = (failed.duration_since(call.arrived), error.code.http_status());
    // A request that reached no predictor is counted for the one it would have fallen to.
    let predictor = predictor.or_else(|| choose(call, &request_id).ok());
    let (stream, slot) = match predictor {
        Some(predictor) => (&predictor.stream, predictor.slot),
        None => (&call.deployment.failures, call.deployment.failures_slot),
    };
    if call.is_logged() {
        let kept_id = request_id.get(..request_id.floor_char_boundary(REQUEST_ID_MAX)).unwrap_or_default();
        let time = state.clock.at(failed);
        let outcome = Outcome { request_id: kept_id, time, latency: server, status, rows: 1 };
        state.records.append(stream, &outcome, Payload::Failed { reason: &error.info });
    }
    match predictor.map(|predictor| &predictor.served) {
        Some(Served::Graph(_) | Served::Services(_)) => state.metrics.record_request(slot, status, server),
        _ => state.metrics.record(slot, status, server, Duration::ZERO),
    }
    Failed { error, request_id, predictor: predictor.and_then(|predictor| predictor.headers.get(PREDICTOR).cloned()) }
}
