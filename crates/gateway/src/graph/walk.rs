//! The way of one request through a graph (Seldon Core 1.9, `executor/predictor/predictor_process.go`): a node gets the
//! request, its children, which may be asked at once, get what it makes of it, and it gets what they answer.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Method, Uri};
use prost::Message as _;
use provost_domain::ErrorCode;
use provost_inference::{
    Predict,
    protocol::{
        json::{Cursor, JsonError},
        proto::inference::ModelInferRequest,
        seldon::{self, Envelope, parse_envelope},
    },
};
use serde_json::{Map, Value, json};

use super::{
    AnswerAs, Graph, Node, Runs, Step, built_in,
    message::{Members, Message, Numbers, Payload, Wire, members, payload_of},
    wire, write_as,
};
use crate::{
    error::RequestError,
    grpc::tensors,
    infer::Infer,
    matcher::Dialect,
    native,
    node_grpc::unfit,
    node_metrics,
    node_server::{Form, Nodes, Question, Reply, Server},
    service::ThreadState,
};

/// A router's answer by which all children are asked.
pub(super) const ALL: i64 = -1;
/// A router's answer by which none is, and what there is goes back.
pub(super) const NONE: i64 = -2;

/// Why a request did not come through.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// A node could not be asked, or its answer cannot be used.
    Error(RequestError),
    /// A node refused; its answer is the caller's.
    Refused(Box<Reply>),
}

impl From<RequestError> for Stopped {
    fn from(error: RequestError) -> Self {
        Self::Error(error)
    }
}

/// One request on its way.
pub(crate) struct Walk<'a> {
    nodes: Nodes,
    state: &'a RefCell<ThreadState>,
    /// The caller's.
    headers: &'a HeaderMap,
    request_id: &'a str,
    /// V1 or V2, where nodes are called that speak it.
    dialect: Option<Dialect>,
    notes: RefCell<Notes>,
}

/// What is noted of the nodes that were passed.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Image by node.
    request_path: Members,
    /// The child that was chosen, by router.
    routing: Members,
    /// What nodes measured.
    metrics: Vec<Value>,
}

impl Notes {
    /// What the caller says of the nodes that were passed before.
    pub(crate) fn of(meta: &seldon::Meta<'_>) -> Result<Self, serde_json::Error> {
        Ok(Self {
            request_path: members(meta.request_path)?,
            routing: members(meta.routing)?,
            metrics: meta.metrics.map_or_else(|| Ok(Vec::new()), serde_json::from_str)?,
        })
    }

    /// Notes that a node was passed, unless it told so itself.
    fn pass(&mut self, node: &Node) {
        if !node.image.is_empty() {
            self.request_path.entry(&node.name).or_insert_with(|| json!(node.image));
        }
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        state: &'a RefCell<ThreadState>,
        (headers, request_id): (&'a HeaderMap, &'a str),
        (graph, notes): (&Graph, Notes),
    ) -> Self {
        let nodes = state.borrow().nodes.clone();
        let dialect = graph.dialect.filter(|dialect| *dialect != Dialect::Seldon);
        Self { nodes, state, headers, request_id, dialect, notes: RefCell::new(notes) }
    }

    /// What the part of the graph from `node` on makes of a message.
    pub(crate) fn through<'b>(
        &'b self,
        node: &'b Node,
        message: Message,
    ) -> Pin<Box<dyn Future<Output = Result<Message, Stopped>> + 'b>> {
        Box::pin(async move {
            let message = self.ask_or_keep(node, node.input.as_ref(), message).await?;
            let message = if node.children.is_empty() { message } else { self.below(node, message).await? };
            self.ask_or_keep(node, node.output.as_ref(), message).await
        })
    }

    pub(super) fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    pub(super) fn request_id(&self) -> &str {
        self.request_id
    }

    /// Counts what a router learned of a child.
    pub(super) fn count_lesson(&self, step: &Step, child: usize, reward: f64, rows: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a number of instances")]
        let rows = rows as f64;
        let of_nodes = &mut self.state.borrow_mut().metrics.of_nodes;
        let child = [("child", child.to_string())];
        node_metrics::count(of_nodes, step.slot, ("provost_router_feedback", &child), rows);
        node_metrics::count(of_nodes, step.slot, ("provost_router_reward", &child), reward * rows);
    }

    /// Counts a call of a node.
    pub(super) fn count(&self, step: &Step, status: u16, latency: Duration) {
        self.state.borrow_mut().metrics.record_node(step.slot, status, latency);
    }

    async fn ask_or_keep(&self, node: &Node, step: Option<&Step>, message: Message) -> Result<Message, Stopped> {
        match step {
            Some(step) => self.ask(node, step, std::slice::from_ref(&message)).await,
            None => Ok(message),
        }
    }

    /// What the children make of a message, in one.
    async fn below(&self, node: &Node, message: Message) -> Result<Message, Stopped> {
        let answers = match self.route(node, &message).await? {
            NONE => return Ok(message),
            ALL => self.all(node, &message).await?,
            chosen => vec![self.through(child(node, chosen)?, message).await?],
        };
        if let Some(step) = &node.aggregate {
            return self.ask(node, step, &answers).await;
        }
        // A node is only said to have children where it has some.
        let first = answers.into_iter().next();
        first.ok_or_else(|| {
            RequestError::new(ErrorCode::Internal, format!("node `{}` has no children", node.name)).into()
        })
    }

    /// Asks all children at once; of several that fail the first tells why.
    async fn all(&self, node: &Node, message: &Message) -> Result<Vec<Message>, Stopped> {
        let asked = node.children.iter().map(|child| self.through(child, message.clone()));
        join_all(asked).await.into_iter().collect()
    }

    async fn route(&self, node: &Node, message: &Message) -> Result<i64, Stopped> {
        let Some(step) = &node.route else { return Ok(ALL) };
        let chosen = match &node.runs {
            Runs::SimpleRouter => 0,
            Runs::AbTest(shares, seed) => {
                i64::try_from(built_in::branch(*shares, *seed, self.request_id)).unwrap_or_default()
            }
            Runs::Learns(learning, learner) => {
                i64::try_from(learner.choose(*learning, self.request_id)).unwrap_or_default()
            }
            _ => {
                let answer = self.ask(node, step, std::slice::from_ref(message)).await?;
                wire::chosen(answer.payload.try_json()?)
                    .ok_or_else(|| unreadable(node, "a child's number, as in {\"data\":{\"ndarray\":[[0]]}}"))?
            }
        };
        let notes = &mut *self.notes.borrow_mut();
        notes.routing.insert(node.name.clone(), json!(chosen));
        notes.pass(node);
        Ok(chosen)
    }

    /// What a node makes of messages: of one, unless it makes one of several.
    async fn ask(&self, node: &Node, step: &Step, messages: &[Message]) -> Result<Message, Stopped> {
        let started = Instant::now();
        let result = self.run(node, step, messages).await;
        let status = match &result {
            Ok(_) => 200,
            Err(Stopped::Refused(reply)) => reply.status.as_u16(),
            Err(Stopped::Error(error)) => error.code.http_status(),
        };
        self.count(step, status, started.elapsed());
        if result.is_ok() {
            self.notes.borrow_mut().pass(node);
        }
        result
    }

    async fn run(&self, node: &Node, step: &Step, messages: &[Message]) -> Result<Message, Stopped> {
        let tags = joined(messages.iter().map(|message| &message.tags));
        let named =
            |error: RequestError| RequestError::new(error.code, format!("node `{}`: {}", node.name, error.info));
        let payload = match (&node.runs, messages) {
            (Runs::Server(server), _) => return self.call(node, (server, step), messages, tags).await,
            (Runs::Native(predict), [message]) => predicted(predict, message).await.map_err(named)?,
            (Runs::SimpleModel, [message]) => built_in::simple_model(message),
            (Runs::AverageCombiner, _) => built_in::average(messages).map_err(named)?,
            // Of the rest, what a node is called for is not theirs.
            _ => return Err(unreadable(node, "nothing").into()),
        };
        Ok(Message { payload: Rc::new(self.written(node, payload)), tags })
    }

    /// Calls a node over the network.
    async fn call(
        &self,
        node: &Node,
        (server, step): (&Server, &Step),
        messages: &[Message],
        tags: Members,
    ) -> Result<Message, Stopped> {
        let uri = step.uri.clone().ok_or_else(|| unreadable(node, "an address"))?;
        let question = match server.dialect() {
            Dialect::Seldon => self.question(uri, self.body(messages, step.takes_list)),
            Dialect::V2 if server.is_grpc() => {
                let asked = infer_request(server, messages)?;
                Question { form: Form::Message, ..self.question(uri, asked.encode_to_vec()) }
            }
            dialect => self.question(uri, bodies(node, dialect, messages, step.takes_list)?),
        };
        let reply = self.nodes.ask(server, question).await?;
        if !reply.status.is_success() {
            return Err(Stopped::Refused(Box::new(reply)));
        }
        if reply.form == Form::Message {
            let answer = Infer::answered(reply.body).map_err(|reason| unreadable(node, &reason))?;
            return Ok(Message { payload: Rc::new(Payload::of_infer(answer)), tags });
        }
        if server.dialect() != Dialect::Seldon {
            check_json(&reply.body).map_err(|error| unreadable(node, &error.to_string()))?;
            return Ok(Message { payload: Rc::new(Payload::of_body(server.dialect(), reply.body)), tags });
        }
        let read = parse_envelope(&reply.body).map_err(|error| unreadable(node, &error.to_string()));
        self.note_reply((node, step), &read?, &reply.body, tags)
    }

    pub(super) fn question(&self, uri: Uri, body: Vec<u8>) -> Question<'_> {
        let (headers, request_id) = (self.headers, Some(self.request_id));
        Question { method: Method::POST, uri, headers, request_id, body: body.into(), form: Form::Rest }
    }

    /// Keeps what a node tells in its `meta`. Nodes are not sent what others measured: all that one tells is its own.
    fn note_reply(
        &self,
        (node, step): (&Node, &Step),
        envelope: &Envelope<'_>,
        body: &Bytes,
        mut tags: Members,
    ) -> Result<Message, Stopped> {
        let read = Notes::of(&envelope.meta).and_then(|notes| Ok((notes, members(envelope.meta.tags)?)));
        let (told, own_tags) = read.map_err(|error| unreadable(node, &format!("`meta` cannot be read: {error}")))?;
        let of_nodes = &mut self.state.borrow_mut().metrics.of_nodes;
        node_metrics::note(of_nodes, step.slot, &told.metrics, Instant::now());
        let notes = &mut *self.notes.borrow_mut();
        notes.request_path.extend(told.request_path);
        notes.metrics.extend(told.metrics);
        tags.extend(own_tags);
        Ok(Message { payload: Rc::new(payload_of(envelope, body)), tags })
    }

    /// The body that a node gets: a message, or a list of them.
    fn body(&self, messages: &[Message], is_list: bool) -> Vec<u8> {
        let mut body = Vec::new();
        if is_list {
            body.push(b'[');
        }
        for (index, message) in messages.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            self.write(message, &[], &mut body);
        }
        if is_list {
            body.push(b']');
        }
        body
    }

    /// The answer to the caller.
    pub(crate) fn answer(&self, message: &Message) -> Vec<u8> {
        let mut body = Vec::new();
        let metrics = std::mem::take(&mut self.notes.borrow_mut().metrics);
        self.write(message, &metrics, &mut body);
        body
    }

    /// What a node of this process answers, in the protocol of the nodes that are called, where that is not Seldon's.
    fn written(&self, node: &Node, payload: Payload) -> Payload {
        let (Some(dialect), Ok(numbers)) = (self.dialect, payload.numbers()) else { return payload };
        let mut body = Vec::new();
        write_as(&AnswerAs::json(dialect), (&node.name, ""), (&numbers, self.request_id), &mut body);
        payload.with_body(dialect, body.into())
    }

    fn write(&self, message: &Message, metrics: &[Value], body: &mut Vec<u8>) {
        let Wire::Field(field) = message.payload.wire() else {
            return body.extend_from_slice(message.payload.json());
        };
        let notes = self.notes.borrow();
        let mut meta = Map::new();
        if !metrics.is_empty() {
            meta.insert("metrics".to_owned(), metrics.into());
        }
        meta.insert("puid".to_owned(), self.request_id.into());
        meta.insert("requestPath".to_owned(), notes.request_path.clone().into());
        for (name, members) in [("routing", &notes.routing), ("tags", &message.tags)] {
            if !members.is_empty() {
                meta.insert(name.to_owned(), members.clone().into());
            }
        }
        body.extend_from_slice(b"{\"");
        body.extend_from_slice(field.name().as_bytes());
        body.extend_from_slice(b"\":");
        body.extend_from_slice(message.payload.json());
        body.extend_from_slice(b",\"meta\":");
        body.extend_from_slice(Value::Object(meta).to_string().as_bytes());
        body.push(b'}');
    }
}

/// What a node is asked in V1 or V2: the body that came, or a list of what others answered.
fn bodies(node: &Node, dialect: Dialect, messages: &[Message], is_list: bool) -> Result<Vec<u8>, RequestError> {
    let all = messages.iter().map(|message| message.payload.try_json());
    let all: Vec<&Bytes> = all.collect::<Result<_, _>>()?;
    if !is_list {
        let body = all.first().map(|body| wire::as_request(dialect, body)).transpose();
        return Ok(body.map_err(|error| unreadable(node, &error.to_string()))?.unwrap_or_default().into());
    }
    let all: Vec<&[u8]> = all.iter().map(|body| &body[..]).collect();
    Ok([&b"["[..], &all.join(&b","[..]), b"]"].concat())
}

/// What a node is asked that speaks V2 over gRPC. Nothing makes one of several there.
fn infer_request(server: &Server, messages: &[Message]) -> Result<ModelInferRequest, RequestError> {
    let Some(Message { payload, .. }) = messages.first() else { return Ok(ModelInferRequest::default()) };
    if let Some(infer) = payload.infer() {
        return Ok(infer.request(server.name()));
    }
    let body = wire::as_request(Dialect::V2, payload.json());
    let body = body.map_err(|error| unfit(server, &error.to_string()))?;
    tensors::request_from_json(&body, server.name()).map_err(|reason| unfit(server, &reason))
}

fn check_json(body: &[u8]) -> Result<(), JsonError> {
    let mut cursor = Cursor::new(body)?;
    cursor.raw_with_nan()?;
    cursor.end()
}

/// The child that a router chose.
pub(super) fn child(node: &Node, chosen: i64) -> Result<&Node, RequestError> {
    let child = usize::try_from(chosen).ok().and_then(|index| node.children.get(index));
    child.ok_or_else(|| {
        let (name, last) = (&node.name, node.children.len().saturating_sub(1));
        let takes = format!("a router answers 0 to {last}, -1 for all or -2 for none of its children");
        RequestError::new(ErrorCode::Internal, format!("node `{name}` chose the child {chosen}: {takes}"))
    })
}

/// The tags of several messages; of two of one name, the later.
fn joined<'a>(all: impl Iterator<Item = &'a Members>) -> Members {
    all.fold(Members::new(), |mut joined, tags| {
        joined.extend(tags.clone());
        joined
    })
}

/// An answer that cannot be used.
fn unreadable(node: &Node, reason: &str) -> RequestError {
    let info = format!("node `{}` did not answer with a message that can be used: {reason}", node.name);
    RequestError::new(ErrorCode::Internal, info)
}

/// What a model of this process predicts. What is estimated to take long leaves this thread to others meanwhile.
async fn predicted(predict: &Arc<dyn Predict>, message: &Message) -> Result<Payload, RequestError> {
    let schema = predict.schema();
    let input = message.payload.numbers_for(Some(schema))?;
    if input.are_labels() {
        let info = "the model takes numbers, and the node before it answers with class labels";
        return Err(RequestError::new(ErrorCode::BadRequest, info));
    }
    native::check_features(schema, input.columns, input.first_missing)?;
    let values = if native::is_short(predict.row_cost(), input.rows) {
        outputs(&**predict, &input)?
    } else {
        let (predict, input) = (Arc::clone(predict), Arc::clone(&input));
        let work = tokio::task::spawn_blocking(move || outputs(&*predict, &input));
        work.await.unwrap_or_else(|_| Err(native::failed()))?
    };
    let output = schema.output.clone();
    let (form, rows, columns) = (input.form, input.rows, output.width());
    let names = Value::from(seldon::output_names(&output)).to_string();
    let (names, first_missing) = (Some(names), None);
    Ok(Payload::of_numbers(Numbers { form, rows, columns, values, first_missing, names, schema: output }))
}

fn outputs(predict: &dyn Predict, input: &Numbers) -> Result<Vec<f64>, RequestError> {
    let mut outputs = Vec::with_capacity(input.rows * predict.schema().output.width());
    native::predict(predict, (input.rows, input.columns), &input.values, &mut outputs)?;
    Ok(outputs)
}
