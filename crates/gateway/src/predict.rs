//! From a body's bytes to an answer's bytes: the synchronous part of a request.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use provost_domain::ErrorCode;
use provost_inference::{
    Features, MissingValues, Predict, PredictError,
    protocol::{
        json::unescape,
        seldon::{self, Answer, Meta, parse_request},
    },
    record::{FEATURE_COLUMNS_MAX, Payload},
};

use crate::{
    error::RequestError,
    node_server::{PASSED_BACK, Reply, Server},
    records::Outcome,
    routes::{Deployment, Native, Node, Predictor, Routes},
    service::{PREDICTOR, ThreadState},
};

/// Longest request id, in bytes.
pub(crate) const REQUEST_ID_MAX: usize = 256;
/// Most bytes of a server's refusal that are logged.
const REASON_MAX: usize = 1000;
/// Work that is estimated to take longer leaves the I/O thread.
const INLINE_MAX: Duration = Duration::from_micros(100);

/// What a request brings besides its body.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) deployment: Arc<Deployment>,
    /// The id from the request's header, or a new one.
    pub(crate) header_id: Option<String>,
    pub(crate) pinned: Option<String>,
    pub(crate) arrived: Instant,
}

/// An answer's body, and which predictor made it.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) request_id: String,
    pub(crate) headers: http::HeaderMap,
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
    inputs: Vec<f64>,
    outputs: Vec<f64>,
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
    Native(&'a Native, seldon::Request<'a>),
    /// A server gets the body as it is.
    Server(&'a Server),
}

/// What a native model takes and gives.
struct Read<'a> {
    predictor: &'a Predictor,
    native: &'a Native,
    request: seldon::Request<'a>,
    request_id: String,
}

/// Answers a request on this thread, or away from it when the work is long.
pub(crate) async fn answer(
    state: &std::cell::RefCell<ThreadState>,
    routes: &Routes,
    call: Call,
    (headers, body): (&HeaderMap, Bytes),
) -> Result<Answered, Failed> {
    let mut buffers = std::mem::take(&mut state.borrow_mut().buffers);
    // The state is borrowed for moments only, never while this waits.
    let prepared = prepare(&call, &body, &mut buffers, &mut state.borrow_mut().ids);
    let result = match prepared {
        Ok(Prepared { predictor, work: Work::Native(native, request), request_id }) => {
            let read = Read { predictor, native, request, request_id };
            let started = Instant::now();
            let predicted = run(&read, &mut buffers).await;
            let client = started.elapsed();
            finish(&mut state.borrow_mut(), routes, &call, &body, read, (&buffers, predicted, client))
        }
        Ok(Prepared { predictor, work: Work::Server(server), request_id }) => {
            let nodes = state.borrow().nodes.clone();
            let started = Instant::now();
            let reply = nodes.predict(server, &request_id, headers, body.clone()).await;
            let client = started.elapsed();
            pass_back(&mut state.borrow_mut(), &call, &body, (predictor, request_id), (reply, client))
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
    body: &'a [u8],
    buffers: &mut Buffers,
    ids: &mut crate::service::IdGenerator,
) -> Result<Prepared<'a>, (String, RequestError)> {
    let parsed = parse_request(body, &mut buffers.inputs);
    let body_id = parsed.as_ref().ok().and_then(|request| request.meta.puid);
    let request_id = match (&call.header_id, body_id) {
        (Some(id), _) => id.clone(),
        (None, Some(raw)) => unescape(raw),
        (None, None) => ids.next(),
    };
    match find_work(call, parsed, &request_id) {
        Ok((predictor, work)) => Ok(Prepared { predictor, work, request_id }),
        Err(error) => Err((request_id, error)),
    }
}

/// Who is to do what. What a body is to be is a server's own affair.
fn find_work<'a>(
    call: &'a Call,
    parsed: Result<seldon::Request<'a>, seldon::BadRequest>,
    request_id: &str,
) -> Result<(&'a Predictor, Work<'a>), RequestError> {
    if request_id.len() > REQUEST_ID_MAX {
        let info = format!("the request's id (puid) is longer than {REQUEST_ID_MAX} bytes");
        return Err(RequestError::new(ErrorCode::BadRequest, info));
    }
    let predictor = choose(call, request_id)?;
    let work = match &predictor.node {
        Node::Native(native) => {
            let request = parsed?;
            check_features(native, &request)?;
            Work::Native(native, request)
        }
        Node::Server(server) => Work::Server(server),
    };
    Ok((predictor, work))
}

fn choose<'a>(call: &'a Call, request_id: &str) -> Result<&'a Predictor, RequestError> {
    let deployment = &call.deployment;
    let Some(name) = &call.pinned else {
        return deployment
            .choose(request_id)
            .ok_or_else(|| RequestError::new(ErrorCode::Unavailable, deployment.unavailable.clone()));
    };
    deployment.pinned(name).ok_or_else(|| {
        let names: Vec<_> = deployment.predictors.iter().map(|p| p.stream.predictor.as_str()).collect();
        let info = format!("the deployment has no predictor `{name}`; it has: {}", names.join(", "));
        RequestError::new(ErrorCode::NotFound, info)
    })
}

fn check_features(native: &Native, request: &seldon::Request<'_>) -> Result<(), RequestError> {
    let schema = native.predict.schema();
    if request.columns != schema.features {
        let error = PredictError::FeatureCount { expected: schema.features, actual: request.columns };
        let named = schema.feature_names.as_ref().map(|names| format!(": {}", names.join(", "))).unwrap_or_default();
        return Err(RequestError::new(ErrorCode::BadRequest, format!("{error}{named}")));
    }
    match request.first_missing {
        Some((row, column)) if schema.missing_values == MissingValues::Refused => {
            Err(PredictError::MissingValue { row, column }.into())
        }
        _ => Ok(()),
    }
}

/// Predicts. What is estimated to take long leaves this thread to others meanwhile.
async fn run(read: &Read<'_>, buffers: &mut Buffers) -> Result<(), RequestError> {
    let (rows, columns) = (read.request.rows, read.request.columns);
    let cost = read.native.row_cost.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX));
    if cost <= INLINE_MAX {
        return predict(&*read.native.predict, rows, columns, buffers);
    }
    let predictor = Arc::clone(&read.native.predict);
    let mut moved = std::mem::take(buffers);
    let work = tokio::task::spawn_blocking(move || {
        let result = predict(&*predictor, rows, columns, &mut moved);
        (moved, result)
    });
    let (moved, result) = work.await.map_err(|_| model_failed())?;
    *buffers = moved;
    result
}

/// Predicts on this thread. A model that panics fails this request and no other.
fn predict(predictor: &dyn Predict, rows: usize, columns: usize, buffers: &mut Buffers) -> Result<(), RequestError> {
    buffers.outputs.clear();
    let features = Features::new(rows, columns, &buffers.inputs)
        .ok_or(PredictError::FeatureCount { expected: columns, actual: buffers.inputs.len() / rows.max(1) })?;
    let predicted = catch_unwind(AssertUnwindSafe(|| predictor.predict(&features, &mut buffers.outputs)));
    Ok(predicted.map_err(|_| model_failed())??)
}

fn model_failed() -> RequestError {
    let info = "the model failed on this request: please report it with the request's id";
    RequestError::new(ErrorCode::Internal, info)
}

/// Writes the answer, then the log, then counts: in this order, the log comes before the first byte
/// goes out.
fn finish(
    state: &mut ThreadState,
    routes: &Routes,
    call: &Call,
    body: &[u8],
    read: Read<'_>,
    (buffers, predicted, client): (&Buffers, Result<(), RequestError>, Duration),
) -> Result<Answered, Failed> {
    let Read { predictor, native, request, request_id } = read;
    if let Err(error) = predicted {
        return Err(fail(state, call, Some(predictor), request_id, error));
    }
    let mut written = Vec::with_capacity(state.answer_capacity);
    write_answer(native, &request, &request_id, &buffers.outputs, &mut written);
    state.answer_capacity = written.len().next_multiple_of(64).min(1 << 16);
    let answered = Instant::now();
    let server = answered.duration_since(call.arrived);
    if call.deployment.is_logged {
        let (stream, is_mismatch) = state.records.stream(routes, predictor, (native.predict.schema(), request.names));
        state.metrics.feature_name_mismatches += u64::from(is_mismatch);
        let payload = if request.columns > FEATURE_COLUMNS_MAX {
            Payload::Text { request: body, response: &written }
        } else {
            Payload::Values { inputs: &buffers.inputs, outputs: &buffers.outputs }
        };
        let time = state.clock.at(answered);
        let outcome = Outcome { request_id: &request_id, time, latency: server, status: 200, rows: request.rows };
        state.records.append(&stream, &outcome, payload);
    }
    state.metrics.record(predictor.slot, 200, server, client);
    Ok(Answered { status: StatusCode::OK, body: written.into(), request_id, headers: predictor.headers.clone() })
}

/// Logs and counts what a server answered, as [`finish`] does; its status and body are the caller's.
fn pass_back(
    state: &mut ThreadState,
    call: &Call,
    body: &[u8],
    (predictor, request_id): (&Predictor, String),
    (reply, client): (Result<Reply, RequestError>, Duration),
) -> Result<Answered, Failed> {
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => return Err(fail(state, call, Some(predictor), request_id, error)),
    };
    let answered = Instant::now();
    let (server, status) = (answered.duration_since(call.arrived), reply.status.as_u16());
    if call.deployment.is_logged {
        let refusal = String::from_utf8_lossy(reply.body.get(..REASON_MAX).unwrap_or(&reply.body));
        let payload = if reply.status.is_success() {
            Payload::Text { request: body, response: &reply.body }
        } else {
            Payload::Failed { reason: &refusal }
        };
        let time = state.clock.at(answered);
        let outcome = Outcome { request_id: &request_id, time, latency: server, status, rows: 1 };
        state.records.append(&predictor.stream, &outcome, payload);
    }
    state.metrics.record(predictor.slot, status, server, client);
    let mut headers = predictor.headers.clone();
    headers.remove(http::header::CONTENT_TYPE);
    let passed = PASSED_BACK.into_iter().zip(reply.headers).filter_map(|(name, value)| Some((name, value?)));
    headers.extend(passed);
    Ok(Answered { status: reply.status, body: reply.body, request_id, headers })
}

/// Writes the body. The caller's own id in `meta` goes back as it came.
fn write_answer(
    native: &Native,
    request: &seldon::Request<'_>,
    request_id: &str,
    outputs: &[f64],
    written: &mut Vec<u8>,
) {
    let meta: &Meta<'_> = &request.meta;
    let puid = meta.puid.unwrap_or(request_id);
    let answer = Answer { form: request.form, rows: request.rows, outputs, puid, meta };
    native.template.write(&answer, written);
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
    if call.deployment.is_logged {
        let kept_id = request_id.get(..request_id.floor_char_boundary(REQUEST_ID_MAX)).unwrap_or_default();
        let time = state.clock.at(failed);
        let outcome = Outcome { request_id: kept_id, time, latency: server, status, rows: 1 };
        state.records.append(stream, &outcome, Payload::Failed { reason: &error.info });
    }
    state.metrics.record(slot, status, server, Duration::ZERO);
    Failed { error, request_id, predictor: predictor.and_then(|predictor| predictor.headers.get(PREDICTOR).cloned()) }
}
