//! What passes between a caller and a server: it goes back as it is, and is logged by columns where both bodies are
//! numbers.

use std::time::{Duration, Instant};

use provost_inference::{
    protocol::seldon,
    record::{FEATURE_COLUMNS_MAX, Payload},
};

use crate::{
    error::RequestError,
    node_server::Reply,
    predict::{Answered, Buffers, Call, Failed, fail},
    records::{Outcome, Records},
    routes::{Predictor, Routes},
    service::ThreadState,
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

/// Reads an answer into `outputs`; `None` where it is not as many rows of numbers as the request, or either has more
/// columns than are logged as such.
fn read<'a>(asked: Asked<'a>, answer: &'a [u8], outputs: &mut Vec<f64>) -> Option<Exchange<'a>> {
    outputs.clear();
    let answer = seldon::parse_request(answer, outputs).ok()?;
    let is_plain = answer.rows == asked.rows && asked.columns.max(answer.columns) <= FEATURE_COLUMNS_MAX;
    is_plain.then_some(Exchange {
        rows: asked.rows,
        columns: asked.columns,
        names: asked.names,
        outputs: answer.columns,
        output_names: answer.names,
    })
}

/// What was passed on to a server.
pub(crate) struct Passed<'a> {
    pub(crate) predictor: &'a Predictor,
    pub(crate) request_id: String,
    pub(crate) body: &'a [u8],
    pub(crate) asked: Option<Asked<'a>>,
}

/// Logs and counts what a server answered, its status and body are the caller's.
pub(crate) fn pass_back(
    state: &mut ThreadState,
    routes: &Routes,
    call: &Call,
    passed: Passed<'_>,
    (buffers, reply, client): (&mut Buffers, Result<Reply, RequestError>, Duration),
) -> Result<Answered, Failed> {
    let Passed { predictor, request_id, body, asked } = passed;
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => return Err(fail(state, call, Some(predictor), request_id, error)),
    };
    let answered = Instant::now();
    let (server, status) = (answered.duration_since(call.arrived), reply.status.as_u16());
    if call.deployment.is_logged {
        let time = state.clock.at(answered);
        let outcome = Outcome { request_id: &request_id, time, latency: server, status, rows: 1 };
        log_reply(&mut state.records, routes, (predictor, outcome), (body, asked, &reply), buffers);
    }
    state.metrics.record(predictor.slot, status, server, client);
    let mut headers = predictor.headers.clone();
    headers.remove(http::header::CONTENT_TYPE);
    reply.add_headers(&mut headers);
    Ok(Answered { status: reply.status, body: reply.body, request_id, headers })
}

/// Logs what a server was asked and answered: by columns where both are numbers, else as it was.
fn log_reply(
    records: &mut Records,
    routes: &Routes,
    (predictor, outcome): (&Predictor, Outcome<'_>),
    (body, asked, reply): (&[u8], Option<Asked<'_>>, &Reply),
    Buffers { inputs, outputs }: &mut Buffers,
) {
    if !reply.status.is_success() {
        let refusal = String::from_utf8_lossy(reply.body.get(..REASON_MAX).unwrap_or(&reply.body));
        return records.append(&predictor.stream, &outcome, Payload::Failed { reason: &refusal });
    }
    let exchange = asked.and_then(|asked| read(asked, &reply.body, outputs));
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
        read(asked, answer.as_bytes(), &mut outputs).map(|exchange| (exchange.outputs, outputs))
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
