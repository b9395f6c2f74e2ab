//! From a body's bytes to an answer's bytes: the synchronous part of a request.

use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use prost::Message as _;
use provost_domain::ErrorCode;
use provost_inference::{
    Features, MissingValues, OutputSchema, Predict, PredictError,
    protocol::{
        block::Arranged,
        json::unescape,
        proto,
        seldon::{self, Answer, Form, Meta},
        v1, v2,
    },
    record::{FEATURE_COLUMNS_MAX, Payload},
};

use crate::{
    error::RequestError,
    exchange::{Asked, Passed, pass_on, pass_through},
    graph::{Entry, Graph, Numbers},
    matcher::{Action, Dialect},
    node_server::Server,
    records::Outcome,
    routes::{Deployment, Native, Node, Predictor, Routes},
    service::{INFERENCE_HEADER, PREDICTOR, ThreadState},
};

/// Longest request id, in bytes.
pub(crate) const REQUEST_ID_MAX: usize = 256;
/// Work that is estimated to take longer leaves the I/O thread.
pub(crate) const INLINE_MAX: Duration = Duration::from_micros(100);

/// What a request brings besides its body.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) dialect: Dialect,
    /// The model's name in the path.
    pub(crate) model: Option<String>,
    /// Its version there.
    pub(crate) version: Option<String>,
    /// The id from the request's header, or a new one.
    pub(crate) header_id: Option<String>,
    pub(crate) pinned: Option<String>,
    pub(crate) arrived: Instant,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Content {
    /// A body of REST.
    Json(Bytes),
    /// A message of Seldon's gRPC service.
    Seldon(Box<proto::seldon::SeldonMessage>),
    /// A request of V2's gRPC service.
    V2(Box<proto::inference::ModelInferRequest>),
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
    /// A server gets the body as it is, at this address; what it says is known where it is numbers.
    Server(&'a Server, http::Uri, Option<Asked<'a>>),
    /// A message goes through a graph; what it says is known where it is numbers.
    Graph(&'a Graph, Entry, Option<Asked<'a>>),
}

/// A request as its dialect reads it; the values are in the thread's buffer.
enum Parsed<'a> {
    Seldon(seldon::Request<'a>),
    V1(v1::Request<'a>),
    V2(v2::Request<'a>),
    SeldonMessage(seldon::MessageNumbers<'a>, Option<&'a proto::seldon::Meta>),
    V2Message(v2::Request<'a>, bool),
}

/// A request in the model's terms.
struct Input<'a> {
    rows: usize,
    columns: usize,
    first_missing: Option<(usize, usize)>,
    /// The caller's names of the features as a JSON array, where they say more than the model's.
    names: Option<Cow<'a, str>>,
    form: AnswerForm<'a>,
}

/// What an answer takes from the request.
enum AnswerForm<'a> {
    Seldon(Form, Meta<'a>),
    V1,
    /// The caller's id.
    V2(Option<&'a str>),
    SeldonMessage(Form, Option<&'a proto::seldon::Meta>),
    /// The caller's id, and whether values stand beside the tensors.
    V2Message(Option<&'a str>, bool),
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
            let predicted = run(&read, &mut buffers).await;
            let client = started.elapsed();
            finish(&mut state.borrow_mut(), routes, &call, &content, read, (&buffers, predicted, client))
        }
        Ok(Prepared { predictor, work: Work::Server(server, uri, asked), request_id }) => {
            let body = content.body();
            let passed = Passed { predictor, request_id, body: &body, asked };
            // Boxed, so that a prediction of a model here does not carry room for it.
            Box::pin(pass_on(state, routes, (&call, headers), (server, uri), passed, &mut buffers)).await
        }
        Ok(Prepared { predictor, work: Work::Graph(graph, entry, asked), request_id }) => {
            let body = content.body();
            let passed = Passed { predictor, request_id, body: &body, asked };
            Box::pin(pass_through(state, routes, (&call, headers), (graph, entry), passed, &mut buffers)).await
        }
        Err((request_id, error)) => Err(fail(&mut state.borrow_mut(), &call, None, request_id, error)),
    };
    let kept = &mut state.borrow_mut().buffers;
    if kept.inputs.capacity() <= buffers.inputs.capacity() {
        *kept = buffers.shrunk();
    }
    result
}

impl Content {
    /// The body of REST; empty for messages of gRPC, which only models of this process read.
    fn body(&self) -> Bytes {
        match self {
            Self::Json(body) => body.clone(),
            Self::Seldon(_) | Self::V2(_) => Bytes::new(),
        }
    }
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
    match find_work(call, (content, parsed), &request_id, &mut buffers.inputs) {
        Ok((predictor, work)) => Ok(Prepared { predictor, work, request_id }),
        Err(error) => Err((request_id, error)),
    }
}

/// Reads the body as its dialect has it; and the request's id, if it has one.
fn parse<'a>(
    call: &Call,
    headers: &HeaderMap,
    content: &'a Content,
    values: &mut Vec<f64>,
) -> (Result<Parsed<'a>, RequestError>, Option<&'a str>) {
    let body = match content {
        Content::Json(body) => body,
        Content::Seldon(message) => return parse_seldon_message(message, values),
        Content::V2(message) => {
            let is_raw = !message.raw_input_contents.is_empty();
            let parsed = v2::read_message(message, values).map(|request| Parsed::V2Message(request, is_raw));
            return (parsed.map_err(Into::into), Some(&*message.id).filter(|id| !id.is_empty()));
        }
    };
    match call.dialect {
        Dialect::Seldon => match seldon::parse_request(body, values) {
            Ok(request) => {
                let id = request.meta.puid;
                (Ok(Parsed::Seldon(request)), id)
            }
            // A body that no model takes may be for a program of the user's own.
            Err(error) => {
                (Err(error.into()), seldon::parse_envelope(body).ok().and_then(|envelope| envelope.meta.puid))
            }
        },
        Dialect::V1 => (v1::parse_request(body, values).map(Parsed::V1).map_err(Into::into), None),
        Dialect::V2 => parse_v2(headers, body, values),
    }
}

fn parse_seldon_message<'a>(
    message: &'a proto::seldon::SeldonMessage,
    values: &mut Vec<f64>,
) -> (Result<Parsed<'a>, RequestError>, Option<&'a str>) {
    let meta = message.meta.as_ref();
    let parsed = seldon::read_message(message, values).map(|numbers| Parsed::SeldonMessage(numbers, meta));
    (parsed.map_err(Into::into), meta.map(|meta| meta.puid.as_str()).filter(|id| !id.is_empty()))
}

fn parse_v2<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
    values: &mut Vec<f64>,
) -> (Result<Parsed<'a>, RequestError>, Option<&'a str>) {
    let (head, parsed) = match headers.get(INFERENCE_HEADER) {
        None => (body, v2::parse_request(body, values)),
        Some(length) => {
            // What is no number is longer than any body.
            let length = length.to_str().ok().and_then(|length| length.parse().ok()).unwrap_or(usize::MAX);
            (body.get(..length).unwrap_or_default(), v2::parse_binary_request(body, length, values))
        }
    };
    match parsed {
        Ok(request) => {
            let id = request.id;
            (Ok(Parsed::V2(request)), id)
        }
        Err(error) => (Err(error.into()), v2::find_id(head)),
    }
}

/// Who is to do what. What a body is to be is a server's own affair.
fn find_work<'a>(
    call: &'a Call,
    (content, parsed): (&'a Content, Result<Parsed<'a>, RequestError>),
    request_id: &str,
    values: &mut Vec<f64>,
) -> Result<(&'a Predictor, Work<'a>), RequestError> {
    if request_id.len() > REQUEST_ID_MAX {
        let info = format!("the request's id (puid) is longer than {REQUEST_ID_MAX} bytes");
        return Err(RequestError::new(ErrorCode::BadRequest, info));
    }
    let predictor = choose(call, request_id)?;
    let (model, version) = (call.model.as_deref(), call.version.as_deref());
    let work = match &predictor.node {
        Node::Native(native) => {
            check_model(&call.deployment, predictor, model, version)?;
            let input = read(native, parsed?, values)?;
            check_features(native, &input)?;
            Work::Native(native, input)
        }
        Node::Server(server) => {
            let uri = server.find((call.dialect, Action::Predict), model, version)?;
            Work::Server(server, uri, asked(parsed.ok().as_ref()))
        }
        Node::Graph(_) if call.dialect != Dialect::Seldon => return Err(not_of_graph(call.dialect)),
        Node::Graph(graph) => {
            let entry = match &parsed {
                Ok(Parsed::Seldon(request)) => Entry::of_numbers(graph, &content.body(), (request, values))?,
                // Not numbers; whether that will do is for the nodes to say.
                _ => Entry::of_json(&content.body())?,
            };
            Work::Graph(graph, entry, asked(parsed.ok().as_ref()))
        }
    };
    Ok((predictor, work))
}

/// What a request says where it is numbers.
fn asked<'a>(parsed: Option<&Parsed<'a>>) -> Option<Asked<'a>> {
    match parsed {
        Some(Parsed::Seldon(seldon::Request { rows, columns, names, .. })) => {
            Some(Asked { rows: *rows, columns: *columns, names: *names })
        }
        _ => None,
    }
}

/// Between the nodes of a graph, messages are Seldon's.
pub(crate) fn not_of_graph(dialect: Dialect) -> RequestError {
    let asked = if dialect == Dialect::V1 { "V1" } else { "V2" };
    let info = format!(
        "a graph of several nodes does not answer {asked} yet: ask at api/v1.0/predictions, in Seldon's protocol"
    );
    RequestError::new(ErrorCode::NotFound, info)
}

fn choose<'a>(call: &'a Call, request_id: &str) -> Result<&'a Predictor, RequestError> {
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

/// Puts a request in the model's terms, and its values in the model's order.
fn read<'a>(native: &Native, parsed: Parsed<'a>, values: &mut Vec<f64>) -> Result<Input<'a>, RequestError> {
    let (block, form) = match parsed {
        Parsed::Seldon(seldon::Request { form, rows, columns, first_missing, names, meta }) => {
            let (names, form) = (names.map(Cow::Borrowed), AnswerForm::Seldon(form, meta));
            return Ok(Input { rows, columns, first_missing, names, form });
        }
        Parsed::SeldonMessage(numbers, meta) => {
            let seldon::MessageNumbers { form, rows, columns, first_missing, names } = numbers;
            let names = (!names.is_empty()).then(|| Cow::Owned(serde_json::Value::from(names).to_string()));
            return Ok(Input { rows, columns, first_missing, names, form: AnswerForm::SeldonMessage(form, meta) });
        }
        Parsed::V1(request) => (request.block, AnswerForm::V1),
        Parsed::V2Message(request, is_raw) => {
            native.v2.check_outputs(&request)?;
            (request.block, AnswerForm::V2Message(request.id, is_raw))
        }
        Parsed::V2(request) => {
            native.v2.check_outputs(&request)?;
            (request.block, AnswerForm::V2(request.id))
        }
    };
    let Arranged { rows, columns, first_missing, names } = block.arrange(native.predict.schema(), values)?;
    Ok(Input { rows, columns, first_missing, names: names.map(Cow::Owned), form })
}

fn check_features(native: &Native, input: &Input<'_>) -> Result<(), RequestError> {
    let schema = native.predict.schema();
    if input.columns != schema.features {
        let error = PredictError::FeatureCount { expected: schema.features, actual: input.columns };
        let named = schema.feature_names.as_ref().map(|names| format!(": {}", names.join(", "))).unwrap_or_default();
        return Err(RequestError::new(ErrorCode::BadRequest, format!("{error}{named}")));
    }
    match input.first_missing {
        Some((row, column)) if schema.missing_values == MissingValues::Refused => {
            Err(PredictError::MissingValue { row, column }.into())
        }
        _ => Ok(()),
    }
}

/// Predicts. What is estimated to take long leaves this thread to others meanwhile.
async fn run(read: &Read<'_>, buffers: &mut Buffers) -> Result<(), RequestError> {
    let (rows, columns) = (read.input.rows, read.input.columns);
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

/// Predicts on this thread.
fn predict(predictor: &dyn Predict, rows: usize, columns: usize, buffers: &mut Buffers) -> Result<(), RequestError> {
    buffers.outputs.clear();
    let features = Features::new(rows, columns, &buffers.inputs)
        .ok_or(PredictError::FeatureCount { expected: columns, actual: buffers.inputs.len() / rows.max(1) })?;
    guarded(|| predictor.predict(&features, &mut buffers.outputs))
}

/// Runs a model. One that panics fails this request and no other.
pub(crate) fn guarded(predict: impl FnOnce() -> Result<(), PredictError>) -> Result<(), RequestError> {
    Ok(catch_unwind(AssertUnwindSafe(predict)).map_err(|_| model_failed())??)
}

pub(crate) fn model_failed() -> RequestError {
    let info = "the model failed on this request: please report it with the request's id";
    RequestError::new(ErrorCode::Internal, info)
}

/// Writes the answer, then the log, then counts: in this order, the log comes before the first byte
/// goes out.
fn finish(
    state: &mut ThreadState,
    routes: &Routes,
    call: &Call,
    content: &Content,
    read: Read<'_>,
    (buffers, predicted, client): (&Buffers, Result<(), RequestError>, Duration),
) -> Result<Answered, Failed> {
    let Read { predictor, native, input, request_id } = read;
    if let Err(error) = predicted {
        return Err(fail(state, call, Some(predictor), request_id, error));
    }
    let mut written = Vec::with_capacity(state.answer_capacity);
    write_answer(native, &input, &request_id, &buffers.outputs, &mut written);
    state.answer_capacity = written.len().next_multiple_of(64).min(1 << 16);
    let answered = Instant::now();
    let server = answered.duration_since(call.arrived);
    if call.deployment.is_logged {
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
    Ok(Answered { status: StatusCode::OK, body: written.into(), request_id, headers: predictor.headers.clone() })
}

/// Writes the body in the caller's dialect. The caller's own id in it goes back as it came.
fn write_answer(native: &Native, input: &Input<'_>, request_id: &str, outputs: &[f64], written: &mut Vec<u8>) {
    let rows = input.rows;
    match &input.form {
        AnswerForm::Seldon(form, meta) => {
            let puid = meta.puid.unwrap_or(request_id);
            native.template.write(&Answer { form: *form, rows, outputs, puid, meta }, written);
        }
        AnswerForm::SeldonMessage(form, meta) => {
            let answer = seldon::MessageAnswer { form: *form, rows, outputs, puid: request_id, meta: *meta };
            // There is room in a vector.
            let _written = native.template.message(&answer).encode(written);
        }
        AnswerForm::V2Message(id, is_raw) => {
            let answer = v2::Answer { id: id.unwrap_or(request_id), rows, outputs };
            let _written = native.v2.message(&answer, *is_raw).encode(written);
        }
        AnswerForm::V1 => v1::write_answer(&native.predict.schema().output, outputs, written),
        AnswerForm::V2(id) => {
            native.v2.write(&v2::Answer { id: id.unwrap_or(request_id), rows, outputs }, written);
        }
    }
}

/// Request and answer as they are logged where they are no columns: as they were; those of gRPC as JSON of Seldon's.
fn texts<'a>(
    content: &'a Content,
    input: &Input<'_>,
    (native, buffers): (&Native, &Buffers),
    written: &'a [u8],
) -> (Cow<'a, [u8]>, Cow<'a, [u8]>) {
    if let Content::Json(body) = content {
        return (Cow::Borrowed(body), Cow::Borrowed(written));
    }
    let data = |schema: &OutputSchema, values: &[f64]| {
        let mut text = b"{\"data\":".to_vec();
        seldon::write_data(schema, None, (Form::Ndarray, input.rows), values, &mut text);
        text.push(b'}');
        Cow::Owned(text)
    };
    let request = data(&Numbers::plain(input.columns), &buffers.inputs);
    (request, data(&native.predict.schema().output, &buffers.outputs))
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
    match predictor.map(|predictor| &predictor.node) {
        Some(Node::Graph(_)) => state.metrics.record_request(slot, status, server),
        _ => state.metrics.record(slot, status, server, Duration::ZERO),
    }
    Failed { error, request_id, predictor: predictor.and_then(|predictor| predictor.headers.get(PREDICTOR).cloned()) }
}
