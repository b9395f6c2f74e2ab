//! The way of a request through a graph of services, as `KServe`'s router goes it. Services of this server are answered
//! here, without a socket; what each of them does with the request is logged and counted as any request is.

mod compile;

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use http_body_util::BodyExt as _;
use provost_domain::{
    ErrorCode,
    routing_table::choose,
    service_graph::{RouterType, StepData},
};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::{
    dialects::Content,
    error::RequestError,
    exchange::{Answer, Passed, pass_back},
    matcher::Action,
    node_server::{Form, Question, Reply},
    predict::{Answered, Buffers, Call, Failed, fail, pinned},
    service::{GatewayThread, INFERENCE_HEADER, JSON, PREDICTOR},
};

pub(crate) use compile::ServiceGraph;
use compile::{Does, Router, Step};

/// Tells how many graphs a request has come through.
const DEPTH: HeaderName = HeaderName::from_static("provost-graph-depth");
/// Most graphs that call each other for one request: more come back to themselves.
const DEPTH_MAX: u32 = 8;

/// One request on its way.
struct Walk<'a> {
    thread: &'a GatewayThread,
    graph: &'a ServiceGraph,
    /// Those that services get.
    headers: HeaderMap,
    request_id: &'a str,
}

type Going<'a> = Pin<Box<dyn Future<Output = Result<Reply, RequestError>> + 'a>>;

/// Answers a request to a graph of services.
pub(crate) async fn answer(
    thread: &GatewayThread,
    call: Call,
    (headers, content): (&HeaderMap, Content),
) -> Result<Answered, Failed> {
    let deployment = Arc::clone(&call.deployment);
    let request_id = call.header_id.clone().unwrap_or_else(|| thread.state.borrow_mut().ids.next());
    let Some((predictor, graph)) = deployment.services() else {
        let error = RequestError::new(ErrorCode::Unavailable, deployment.unavailable.clone());
        return Err(fail(&mut thread.state.borrow_mut(), &call, None, request_id, error));
    };
    let asked_for = call.pinned.as_ref().map_or(Ok(predictor), |name| pinned(&deployment, name));
    let entered = asked_for.and_then(|_| enter(headers, content));
    let (body, result) = match entered {
        Ok((headers, body)) => {
            let walk = Walk { thread, graph, headers, request_id: &request_id };
            let result = walk.whole(body.clone()).await;
            (body, result)
        }
        Err(error) => (Bytes::new(), Err(error)),
    };
    let passed = Passed { predictor, request_id, body: &body, asked: None };
    let answer = result.map(|reply| Answer::OfGraph(reply, None));
    let routes = &thread.shared.routes;
    pass_back(&mut thread.state.borrow_mut(), routes, &call, passed, (&mut Buffers::default(), answer, None))
}

/// The headers that services get, and the body.
fn enter(headers: &HeaderMap, content: Content) -> Result<(HeaderMap, Bytes), RequestError> {
    let Content::Json(body) = content else {
        return Err(RequestError::new(ErrorCode::BadRequest, "a graph of services takes JSON by POST, not gRPC"));
    };
    if headers.contains_key(INFERENCE_HEADER) {
        let info = "tensors in bytes do not pass through a graph of services: send JSON";
        return Err(RequestError::new(ErrorCode::BadRequest, info));
    }
    let depth = headers.get(DEPTH).and_then(|depth| depth.to_str().ok()?.parse::<u32>().ok()).unwrap_or(0);
    if depth >= DEPTH_MAX {
        let info = format!("more than {DEPTH_MAX} graphs call each other: a request would never end");
        return Err(RequestError::new(ErrorCode::Invalid, info));
    }
    let mut headers = headers.clone();
    headers.remove(PREDICTOR);
    headers.insert(DEPTH, HeaderValue::from(depth + 1));
    headers.entry(header::CONTENT_TYPE).or_insert(JSON);
    Ok((headers, body))
}

impl Walk<'_> {
    /// The way from the root, within the time that the graph has.
    async fn whole(&self, body: Bytes) -> Result<Reply, RequestError> {
        within(self.graph.timeout, "the graph", self.through(&self.graph.root, body)).await
    }

    fn through<'a>(&'a self, node: &'a str, body: Bytes) -> Going<'a> {
        Box::pin(async move {
            let router = self.graph.router(node)?;
            match router.kind {
                RouterType::Sequence => self.one_after_another(router, body).await,
                RouterType::Splitter => self.take(router.split(self.request_id)?, body).await,
                RouterType::Ensemble => self.all_at_once(router, body).await,
                RouterType::Switch => self.take(router.switch(node, &body)?, body).await,
            }
        })
    }

    /// A condition that does not hold ends the sequence, and so does a failure of what is needed.
    async fn one_after_another(&self, router: &Router, body: Bytes) -> Result<Reply, RequestError> {
        let mut before: Option<Reply> = None;
        for step in &router.steps {
            let sent = match (&before, step.data) {
                (Some(reply), StepData::Response) => reply.body.clone(),
                _ => body.clone(),
            };
            if let Some(reply) = before.take_if(|_| step.condition.is_some())
                && !step.holds(&json_of(&reply.body, || format!("the answer before {}", step.called))?)
            {
                return Ok(reply);
            }
            let reply = self.take(step, sent).await?;
            if step.is_needed && !reply.status.is_success() {
                return Ok(reply);
            }
            before = Some(reply);
        }
        before.ok_or_else(|| RequestError::new(ErrorCode::Internal, "a node of the graph has no steps"))
    }

    /// Joins the answers to an object by the names of the steps. The first that is needed and failed is the answer.
    async fn all_at_once(&self, router: &Router, body: Bytes) -> Result<Reply, RequestError> {
        let replies = join_all(router.steps.iter().map(|step| self.take(step, body.clone()))).await;
        let mut joined = Vec::from(b"{");
        for (step, reply) in router.steps.iter().zip(replies) {
            let reply = reply?;
            if step.is_needed && !reply.status.is_success() {
                return Ok(reply);
            }
            check_object(&reply.body, step)?;
            if joined.len() > 1 {
                joined.push(b',');
            }
            joined.extend_from_slice(Value::from(step.key.as_str()).to_string().as_bytes());
            joined.push(b':');
            joined.extend_from_slice(&reply.body);
        }
        joined.push(b'}');
        Ok(Reply::json(joined))
    }

    fn take<'a>(&'a self, step: &'a Step, body: Bytes) -> Going<'a> {
        let body = if step.maps_predictions { instances(body) } else { body };
        match &step.does {
            Does::Node(node) => self.through(node, body),
            Does::Service(key) => Box::pin(within(self.graph.call_timeout, &step.called, self.here(step, key, body))),
            Does::Url(server, uri) => Box::pin(async move {
                let nodes = self.thread.state.borrow().nodes.clone();
                let (headers, request_id) = (&self.headers, Some(self.request_id));
                nodes
                    .ask(
                        server,
                        Question {
                            method: Method::POST,
                            uri: uri.clone(),
                            headers,
                            request_id,
                            body,
                            form: Form::Rest,
                        },
                    )
                    .await
            }),
        }
    }

    /// Has a deployment of this server answer, in the protocol that it speaks.
    async fn here(&self, step: &Step, key: &str, body: Bytes) -> Result<Reply, RequestError> {
        let Some(deployment) = self.thread.shared.routes.deployment(key) else {
            let info = format!("{}: {}", step.called, self.thread.unknown(key).info);
            return Err(RequestError::new(ErrorCode::Unavailable, info));
        };
        let dialect = deployment.dialect;
        let call = Call {
            deployment,
            dialect,
            action: Action::Predict,
            model: None,
            version: None,
            header_id: Some(self.request_id.to_owned()),
            pinned: None,
            arrived: Instant::now(),
        };
        match Box::pin(self.thread.answer(call, (&self.headers, Content::Json(body)))).await {
            Ok(answered) => Ok(Reply::of(answered.status, &answered.headers, answered.body)),
            Err(failed) => {
                let error = RequestError { info: format!("{}: {}", step.called, failed.error.info), ..failed.error };
                let (parts, body) = error.response(dialect).into_parts();
                let body = match body.collect().await {
                    Ok(body) => body.to_bytes(),
                    Err(never) => match never {},
                };
                Ok(Reply::of(parts.status, &parts.headers, body))
            }
        }
    }
}

impl Router {
    /// The step that a request falls to: the same for the same request id.
    fn split(&self, request_id: &str) -> Result<&Step, RequestError> {
        let weights: Vec<u32> = self.steps.iter().map(|step| step.weight).collect();
        let chosen = choose(&weights, self.seed, request_id.as_bytes()).and_then(|index| self.steps.get(index));
        chosen.ok_or_else(|| RequestError::new(ErrorCode::Internal, "a splitter has no weights"))
    }

    /// The first step whose condition holds of the request.
    fn switch(&self, node: &str, body: &[u8]) -> Result<&Step, RequestError> {
        let body: Value = serde_json::from_slice(body).map_err(|error| {
            let info = format!("node `{node}` chooses by the request, which is no JSON: {error}");
            RequestError::new(ErrorCode::BadRequest, info)
        })?;
        self.steps.iter().find(|step| step.holds(&body)).ok_or_else(|| {
            // KServe's words.
            let info = format!("None of the routes matched with the switch condition (node `{node}`)");
            RequestError::new(ErrorCode::NotFound, info)
        })
    }
}

impl Step {
    fn holds(&self, body: &Value) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(body))
    }
}

/// A body with its `predictions` as `instances`; one without them stays as it is.
fn instances(body: Bytes) -> Bytes {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(&body) else { return body };
    let Some(predictions) = fields.shift_remove("predictions") else { return body };
    fields.insert("instances".to_owned(), predictions);
    Value::Object(fields).to_string().into()
}

/// Waits for an answer as long as it may take.
async fn within(
    limit: Option<Duration>,
    called: &str,
    answer: impl Future<Output = Result<Reply, RequestError>>,
) -> Result<Reply, RequestError> {
    let Some(limit) = limit else { return answer.await };
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
        let info = format!("{called} did not answer within {} ms", limit.as_millis());
        Err(RequestError::new(ErrorCode::GatewayTimeout, info))
    })
}

/// Checks that an answer can stand in an ensemble's, in which it stands as it is.
fn check_object(body: &[u8], step: &Step) -> Result<(), RequestError> {
    let problem = match serde_json::from_slice::<IgnoredAny>(body) {
        Err(error) => format!("is no JSON: {error}"),
        Ok(_) if body.trim_ascii_start().starts_with(b"{") => return Ok(()),
        Ok(_) => "is no object, and cannot be joined with others".to_owned(),
    };
    Err(RequestError::new(ErrorCode::Internal, format!("the answer of {} {problem}", step.called)))
}

fn json_of(body: &[u8], called: impl FnOnce() -> String) -> Result<Value, RequestError> {
    serde_json::from_slice(body)
        .map_err(|error| RequestError::new(ErrorCode::Internal, format!("{} is no JSON: {error}", called())))
}
