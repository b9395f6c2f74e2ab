//! What passes between a caller and a server: it goes back as it is, and is logged by columns where both bodies are
//! numbers.

use std::{
    borrow::Cow,
    cell::RefCell,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header};
use prost::Message as _;
use provost_inference::{
    protocol::seldon,
    record::{FEATURE_COLUMNS_MAX, Payload},
};
use serde_json::Value;

use crate::{
    batching,
    dialects::Content,
    error::RequestError,
    graph::{AnswerAs, Entry, Graph, Numbers, Stopped, Walk, write_as},
    matcher::{Action, Dialect},
    node_metrics,
    node_server::{Form, Question, Reply, Server},
    passing::{Given, Sent},
    predict::{Answered, Buffers, Call, Failed, fail},
    records::{Outcome, Records},
    routes::{Predictor, Routes},
    service::{INFERENCE_HEADER, JSON, ThreadState},
};

/// Most bytes of a server's refusal that are logged.
const REASON_MAX: usize = 1000;

/// A request that is numbers; these are in the thread's buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// `data.names` as written.
    pub(crate) names: Option<&'a str>,
}

/// A request and its answer, as many rows of numbers each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exchange<'a> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) names: Option<&'a str>,
    /// Columns of the answer, and their names as written.
    pub(crate) outputs: usize,
    pub(crate) output_names: Option<&'a str>,
}

/// What goes back to the caller.
pub(crate) enum Answer {
    /// What a server answered.
    Passed(Reply),
    /// What came out of a graph, with its numbers where it is numbers.
    OfGraph(Reply, Option<Arc<Numbers>>),
}

impl Answer {
    fn reply(&self) -> &Reply {
        match self {
            Self::Passed(reply) | Self::OfGraph(reply, _) => reply,
        }
    }

    /// Reads it into `outputs`; `None` where it is not as many rows of numbers as the request, or either has more
    /// columns than are logged as such.
    fn read<'a>(&'a self, asked: Asked<'a>, outputs: &mut Vec<f64>) -> Option<Exchange<'a>> {
        outputs.clear();
        let (rows, columns, output_names) = match self {
            Self::Passed(reply) => {
                let answer = seldon::parse_request(&reply.body, outputs).ok()?;
                (answer.rows, answer.columns, answer.names)
            }
            Self::OfGraph(_, numbers) => {
                let numbers = numbers.as_ref().filter(|numbers| !numbers.are_labels())?;
                outputs.extend_from_slice(&numbers.values);
                (numbers.rows, numbers.columns, numbers.names.as_deref())
            }
        };
        let is_plain = rows == asked.rows && asked.columns.max(columns) <= FEATURE_COLUMNS_MAX;
        let Asked { rows, columns: of_request, names } = asked;
        is_plain.then_some(Exchange { rows, columns: of_request, names, outputs: columns, output_names })
    }
}

/// What was passed on to a server.
pub(crate) struct Passed<'a> {
    pub(crate) predictor: &'a Predictor,
    pub(crate) request_id: String,
    pub(crate) body: &'a Bytes,
    pub(crate) asked: Option<Asked<'a>>,
}

/// Passes a request on to a server, and logs and counts what comes of it.
pub(crate) async fn pass_on(
    state: &RefCell<ThreadState>,
    routes: &Routes,
    (call, headers, content): (&Call, &HeaderMap, &Content),
    (server, uri, sent): (&Arc<Server>, Uri, Sent),
    passed: Passed<'_>,
    buffers: &mut Buffers,
) -> Result<Answered, Failed> {
    let nodes = state.borrow().nodes.clone();
    let (request_id, Sent { body, form, binary }) = (Some(&*passed.request_id), sent);
    let headers = &*if form == Form::Message { without_length(headers) } else { Cow::Borrowed(headers) };
    let started = Instant::now();
    let batched = match server.batcher.as_ref().filter(|_| is_gathered(call, content) && server.predicts_at(&uri)) {
        Some(batcher) => {
            let batch = state.borrow_mut().ids.next();
            Box::pin(batching::ask(batcher, (&nodes, server, &uri), &body, batch)).await
        }
        None => None,
    };
    let reply = match batched {
        Some(reply) => reply,
        None => nodes.ask(server, Question { method: Method::POST, uri, headers, request_id, body, form }).await,
    };
    let client = started.elapsed();
    let given = reply.and_then(|reply| Given::of(content, &binary, (reply, call.is_logged())));
    let (answer, back) = split(given, Answer::Passed);
    let answered = pass_back(&mut state.borrow_mut(), routes, call, passed, (buffers, answer, Some(client)))?;
    Ok(answered.with(back))
}

/// Whether a request may be gathered with others: a prediction of V1 over REST.
pub(crate) fn is_gathered(call: &Call, content: &Content) -> bool {
    call.dialect == Dialect::V1 && call.action == Action::Predict && matches!(content, Content::Json(_))
}

/// The headers of a request without what they say of bytes after its JSON, which do not go on there.
fn without_length(headers: &HeaderMap) -> Cow<'_, HeaderMap> {
    if !headers.contains_key(INFERENCE_HEADER) {
        return Cow::Borrowed(headers);
    }
    let mut headers = headers.clone();
    headers.remove(INFERENCE_HEADER);
    headers.insert(header::CONTENT_TYPE, JSON);
    Cow::Owned(headers)
}

/// What is logged, and what goes back in its place.
fn split(
    given: Result<Given, RequestError>,
    answer: impl FnOnce(Reply) -> Answer,
) -> (Result<Answer, RequestError>, Option<Reply>) {
    match given {
        Ok(Given { shown, back }) => (Ok(answer(shown)), back),
        Err(error) => (Err(error), None),
    }
}

/// Sends a request through a graph, and logs and counts what comes of it.
pub(crate) async fn pass_through(
    state: &RefCell<ThreadState>,
    routes: &Routes,
    (call, headers, content): (&Call, &HeaderMap, &Content),
    (graph, entry): (&Graph, Entry),
    passed: Passed<'_>,
    buffers: &mut Buffers,
) -> Result<Answered, Failed> {
    let request_id = passed.request_id.clone();
    let headers = without_length(headers);
    let walk = Walk::new(state, (&headers, &request_id), (graph, entry.notes));
    let came = match walk.through(&graph.root, entry.message).await {
        Ok(message) => {
            let is_needed = passed.asked.is_some() || entry.answer != AnswerAs::Message;
            let numbers = is_needed.then(|| message.payload.numbers().ok()).flatten();
            let model = (call.model.as_deref().unwrap_or(&graph.root.name), &*passed.predictor.stream.revision);
            let reply = match &numbers {
                Some(numbers) if entry.answer != AnswerAs::Message => {
                    let mut body = Vec::new();
                    let head = write_as(&entry.answer, model, (numbers, &request_id), &mut body);
                    Reply::with_bytes(body, head)
                }
                _ => match message.payload.infer() {
                    Some(infer) => Reply::message(infer.response().encode_to_vec().into()),
                    None => Reply::json(walk.answer(&message)),
                },
            };
            Ok((reply, numbers))
        }
        Err(Stopped::Refused(reply)) => Ok((*reply, None)),
        Err(Stopped::Error(error)) => Err(error),
    };
    let mut numbers = None;
    let given = came.and_then(|(reply, of_reply)| {
        numbers = of_reply;
        match &entry.answer {
            // It is written as the caller wants it.
            AnswerAs::V2(..) => Ok(Given { shown: reply, back: None }),
            AnswerAs::Message | AnswerAs::V1 => Given::of(content, &entry.binary, (reply, call.is_logged())),
        }
    });
    let (answer, back) = split(given, |reply| Answer::OfGraph(reply, numbers));
    let answered = pass_back(&mut state.borrow_mut(), routes, call, passed, (buffers, answer, None))?;
    Ok(answered.with(back))
}

/// Logs and counts what was answered, whose status and body are the caller's. The nodes of a graph are counted already.
pub(crate) fn pass_back(
    state: &mut ThreadState,
    routes: &Routes,
    call: &Call,
    passed: Passed<'_>,
    (buffers, answer, client): (&mut Buffers, Result<Answer, RequestError>, Option<Duration>),
) -> Result<Answered, Failed> {
    let Passed { predictor, request_id, body, asked } = passed;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Err(fail(state, call, Some(predictor), request_id, error)),
    };
    let answered = Instant::now();
    let (server, status) = (answered.duration_since(call.arrived), answer.reply().status.as_u16());
    if call.is_logged() {
        let time = state.clock.at(answered);
        let outcome = Outcome { request_id: &request_id, time, latency: server, status, rows: 1 };
        log_reply(&mut state.records, routes, (predictor, outcome), (body, asked, &answer), buffers);
    }
    if let Answer::Passed(reply) = &answer {
        note_metrics(state, predictor, reply);
    }
    match client {
        Some(client) => state.metrics.record(predictor.slot, status, server, client),
        None => state.metrics.record_request(predictor.slot, status, server),
    }
    let (Answer::Passed(reply) | Answer::OfGraph(reply, _)) = answer;
    Ok(reply.answered(predictor.headers.clone(), request_id))
}

/// Notes what a server measured, which it tells in Seldon's messages.
fn note_metrics(state: &mut ThreadState, predictor: &Predictor, reply: &Reply) {
    let is_told =
        reply.status.is_success() && std::str::from_utf8(&reply.body).is_ok_and(|text| text.contains("\"metrics\""));
    let envelope = is_told.then(|| seldon::parse_envelope(&reply.body).ok()).flatten();
    let metrics = envelope.and_then(|envelope| serde_json::from_str::<Vec<Value>>(envelope.meta.metrics?).ok());
    if let Some(metrics) = metrics {
        node_metrics::note(&mut state.metrics.of_nodes, predictor.slot, &metrics, Instant::now());
    }
}

/// Logs what a server was asked and answered: by columns where both are numbers, else as it was.
fn log_reply(
    records: &mut Records,
    routes: &Routes,
    (predictor, outcome): (&Predictor, Outcome<'_>),
    (body, asked, answer): (&[u8], Option<Asked<'_>>, &Answer),
    Buffers { inputs, outputs }: &mut Buffers,
) {
    let reply = answer.reply();
    if !reply.status.is_success() {
        let refusal = String::from_utf8_lossy(reply.body.get(..REASON_MAX).unwrap_or(&reply.body));
        return records.append(&predictor.stream, &outcome, Payload::Failed { reason: &refusal });
    }
    let exchange = asked.and_then(|asked| answer.read(asked, outputs));
    let by_columns = exchange.and_then(|exchange| Some((exchange, records.stream_of(routes, predictor, &exchange)?)));
    match by_columns {
        Some((Exchange { rows, .. }, stream)) => {
            records.append(&stream, &Outcome { rows, ..outcome }, Payload::Values { inputs, outputs });
        }
        None => records.append(&predictor.stream, &outcome, Payload::Text { request: body, response: &reply.body }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(rows: usize, answer: &str) -> Option<(usize, Vec<f64>)> {
        let mut outputs = vec![7.0];
        let asked = Asked { rows, columns: 2, names: None };
        let answer = Answer::Passed(Reply::json(answer.as_bytes().to_vec()));
        let exchange = answer.read(asked, &mut outputs).map(|exchange| exchange.outputs);
        exchange.map(|columns| (columns, outputs))
    }

    #[test]
    fn numbers_of_as_many_rows_are_columns() {
        assert_eq!(outcome(2, r#"{"data":{"ndarray":[[1],[2.5]]}}"#), Some((1, vec![1.0, 2.5])));
        assert_eq!(outcome(1, r#"{"data":{"tensor":{"shape":[1,2],"values":[1,2]}}}"#), Some((2, vec![1.0, 2.0])));
        for (rows, answer) in [
            (1, r#"{"data":{"ndarray":[[1],[2.5]]}}"#),
            (1, r#"{"data":{"ndarray":[["a"]]}}"#),
            (1, r#"{"strData":"a"}"#),
            (1, ""),
        ] {
            assert_eq!(outcome(rows, answer), None, "{answer}");
        }
    }
}
