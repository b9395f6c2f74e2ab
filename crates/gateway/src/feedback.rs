//! Feedback: what came of predictions. It goes to the nodes that take it, is counted, and is kept beside the request log.

mod judged;

use std::{cell::RefCell, time::Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use provost_domain::ErrorCode;
use provost_inference::{
    OutputKind, OutputShape,
    protocol::{
        json::unescape,
        seldon::{Feedback, parse_feedback},
    },
    record::{FEEDBACK_COLUMNS, Payload, Stream, feedback_of},
};
use serde_json::json;

use self::judged::Judged;
use crate::{
    error::RequestError,
    graph::{Graph, Notes, Stopped, Told, Walk},
    node_metrics,
    node_server::{Form, Question, Reply, Server},
    predict::{Answered, Call, Failed, OF_SERVICES_ALONE, choose},
    records::Outcome,
    routes::{Predictor, Routes, Served},
    service::{PREDICTOR, ThreadState},
};

/// Where nodes take feedback; also what tells its series of metrics from those of predictions.
pub(crate) const FEEDBACK_PATH: &str = "/send-feedback";
/// Seldon's names of what is counted of it (1.9, `seldon_core/metrics.py`).
const COUNT: &str = "seldon_api_model_feedback";
const REWARD: &str = "seldon_api_model_feedback_reward";

/// Takes the feedback of a request's body.
pub(crate) async fn take(
    state: &RefCell<ThreadState>,
    routes: &Routes,
    call: Call,
    (headers, body): (&HeaderMap, Bytes),
) -> Result<Answered, Failed> {
    let feedback = parse_feedback(&body);
    let puid = feedback.as_ref().ok().and_then(Feedback::puid);
    let known = puid.map(unescape).or_else(|| call.header_id.clone());
    let request_id = known.clone().unwrap_or_else(|| state.borrow_mut().ids.next());
    let judged = feedback.map_err(RequestError::from).and_then(|feedback| Judged::new(&feedback, known.is_some()));
    let predictor = choose(&call, &request_id);
    let slot = predictor.as_ref().map_or(call.deployment.feedback_failures_slot, |predictor| predictor.feedback_slot);
    let named = predictor.as_ref().ok().and_then(|predictor| predictor.headers.get(PREDICTOR).cloned());
    let given = Given { headers, body: &body, request_id: &request_id };
    let taken = match (judged, predictor) {
        (Ok(judged), Ok(predictor)) => given.take(state, routes, (&call, predictor), &judged).await,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    let status = taken.as_ref().map_or_else(|error| error.code.http_status(), |answered| answered.status.as_u16());
    state.borrow_mut().metrics.record_request(slot, status, call.arrived.elapsed());
    taken.map_err(|error| Failed { error, request_id, predictor: named })
}

/// A feedback on its way to the nodes.
struct Given<'a> {
    headers: &'a HeaderMap,
    body: &'a Bytes,
    request_id: &'a str,
}

impl Given<'_> {
    /// Tells the nodes, and counts and keeps what they take.
    async fn take(
        &self,
        state: &RefCell<ThreadState>,
        routes: &Routes,
        (call, predictor): (&Call, &Predictor),
        judged: &Judged,
    ) -> Result<Answered, RequestError> {
        let reply = self.tell(state, predictor, judged).await?;
        if reply.status.is_success() {
            let state = &mut *state.borrow_mut();
            state.count(predictor, judged.reward);
            if call.deployment.is_logged {
                state.log(routes, (predictor, call), self.request_id, judged, (self.body, &reply));
            }
        }
        Ok(reply.answered(predictor.headers.clone(), self.request_id.to_owned()))
    }

    /// Tells those nodes of it that take any, and gives the answer to the caller.
    async fn tell(
        &self,
        state: &RefCell<ThreadState>,
        predictor: &Predictor,
        judged: &Judged,
    ) -> Result<Reply, RequestError> {
        match &predictor.served {
            Served::Native(_) => Ok(self.taken(predictor, &[])),
            Served::Server(server) => Ok(self.ask(state, server).await?.unwrap_or_else(|| self.taken(predictor, &[]))),
            Served::Graph(graph) => self.pass_through(state, predictor, graph, judged).await,
            Served::Services(_) => Err(RequestError::new(ErrorCode::NotFound, OF_SERVICES_ALONE)),
        }
    }

    /// The answer of a node of this process: nothing, as Seldon's wrapper has it, and which routers could not learn.
    fn taken(&self, predictor: &Predictor, untaught: &[String]) -> Reply {
        let mut body = json!({"data": {"names": [], "ndarray": []}, "meta": {
            "puid": self.request_id,
            "requestPath": {&predictor.model: &predictor.image},
        }});
        if !untaught.is_empty() {
            let info = format!(
                "nothing tells which child of {} answered, so that it did not learn: send `response.meta` as in the answer",
                untaught.join(", ")
            );
            body["status"] = json!({"code": 200, "info": info, "status": "SUCCESS"});
        }
        Reply::json(body.to_string().into_bytes())
    }

    /// Tells a program of the user's; `None` where it takes no feedback.
    async fn ask(&self, state: &RefCell<ThreadState>, server: &Server) -> Result<Option<Reply>, RequestError> {
        let uri = server.feedback().ok_or_else(|| RequestError::new(ErrorCode::Internal, "a node has no address"))?;
        let nodes = state.borrow().nodes.clone();
        let (headers, request_id, body) = (self.headers, Some(self.request_id), self.body.clone());
        let reply = nodes
            .ask(server, Question { method: Method::POST, uri, headers, request_id, body, form: Form::Rest })
            .await?;
        Ok(Some(reply).filter(takes_feedback))
    }

    async fn pass_through(
        &self,
        state: &RefCell<ThreadState>,
        predictor: &Predictor,
        graph: &Graph,
        judged: &Judged,
    ) -> Result<Reply, RequestError> {
        let walk = Walk::new(state, (self.headers, self.request_id), (graph, Notes::default()));
        let told = Told {
            body: self.body,
            routing: &judged.routing,
            reward: judged.reward,
            rows: judged.rows,
            untaught: RefCell::default(),
        };
        match walk.tell(&graph.root, &told).await {
            Ok(reply) => Ok(reply.unwrap_or_else(|| self.taken(predictor, &told.untaught.borrow()))),
            Err(Stopped::Refused(reply)) => Ok(*reply),
            Err(Stopped::Error(error)) => Err(error),
        }
    }
}

/// Whether an answer is that of a program which has something where feedback goes.
pub(crate) fn takes_feedback(reply: &Reply) -> bool {
    !matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED)
}

impl ThreadState {
    /// Counts a feedback. A counter cannot go down: what is less than nothing is in the log alone.
    fn count(&mut self, predictor: &Predictor, reward: f64) {
        let of_nodes = &mut self.metrics.of_nodes;
        node_metrics::count(of_nodes, predictor.slot, (COUNT, &[]), 1.0);
        node_metrics::count(of_nodes, predictor.slot, (REWARD, &[]), reward.max(0.0));
    }

    fn log(
        &mut self,
        routes: &Routes,
        (predictor, call): (&Predictor, &Call),
        request_id: &str,
        judged: &Judged,
        (body, reply): (&Bytes, &Reply),
    ) {
        let answered = Instant::now();
        let (time, latency) = (self.clock.at(answered), answered.duration_since(call.arrived));
        let outcome = |request_id, rows| Outcome { request_id, time, latency, status: 200, rows };
        let labels = judged.labels();
        let stream = self.records.feedback_stream(routes, predictor, labels.as_deref());
        let columns = stream.and_then(|stream| Some((judged.columns(labels_of(&stream))?, stream)));
        match columns {
            None => {
                let Some(stream) = self.records.feedback_stream(routes, predictor, None) else { return };
                let payload = Payload::Text { request: body, response: &reply.body };
                self.records.append(&stream, &outcome(request_id, 1), payload);
            }
            Some(((inputs, outputs), stream)) if judged.instances.is_empty() => {
                let payload = Payload::Values { inputs: &inputs, outputs: &outputs };
                self.records.append(&stream, &outcome(request_id, judged.rows), payload);
            }
            // Of each instance the request may be another.
            Some(((inputs, outputs), stream)) => {
                for (id, (inputs, outputs)) in judged.instances.iter().zip(inputs.chunks(1).zip(outputs.chunks(2))) {
                    self.records.append(&stream, &outcome(id, 1), Payload::Values { inputs, outputs });
                }
            }
        }
    }
}

/// The names of classes that a stream of feedback knows.
pub(crate) fn labels_of(stream: &Stream) -> &[Box<str>] {
    match &stream.output_kind {
        OutputKind::Label(labels) => labels,
        _ => &[],
    }
}

/// The stream of a predictor's feedback.
pub(crate) fn stream_of(predictor: &Predictor, id: u64, labels: Option<&[Box<str>]>) -> Stream {
    let [reward, truth, prediction] = FEEDBACK_COLUMNS.map(str::to_owned);
    Stream {
        id,
        deployment: feedback_of(&predictor.stream.deployment),
        features: vec![reward],
        outputs: vec![truth, prediction],
        output_kind: labels.map_or(OutputKind::Float, |labels| OutputKind::Label(labels.into())),
        output_shape: OutputShape::Matrix(2),
        ..predictor.stream.clone()
    }
}
