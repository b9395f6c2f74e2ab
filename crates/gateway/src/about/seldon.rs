//! What Seldon's orchestrator tells of a graph and of its nodes (1.9, `executor/predictor/predictor_metadata.go`).

use std::cell::RefCell;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::Full;
use provost_domain::ErrorCode;
use provost_inference::{Schema, protocol::seldon::ModelMetadata};
use serde_json::{Map, Value, json};

use super::{About, json, passed_back};
use crate::{
    error::RequestError,
    graph::{self, Runs},
    matcher::{Action, Dialect},
    node_server::{Form, Question, Reply, Server},
    routes::{Deployment, Predictor, Served},
    service::ThreadState,
};

/// What a wrapper tells at `/health/status` of a model that has nothing to say of itself.
const WELL: &str = r#"{"data":{"names":[],"tensor":{"shape":[0],"values":[]}},"meta":{}}"#;

/// A node of a graph, be it alone or not.
#[derive(Debug, Clone, Copy)]
struct One<'a> {
    name: &'a str,
    is: Is<'a>,
}

/// What a node is.
#[derive(Debug, Clone, Copy)]
enum Is<'a> {
    Model {
        schema: &'a Schema,
        version: &'a str,
        platform: &'a str,
    },
    Server(&'a Server),
    /// It tells nothing of itself.
    Silent,
}

/// Tells whether the deployment answers, by the status alone where it does.
pub(super) fn tell_whether_ready(deployment: &Deployment) -> Response<Full<Bytes>> {
    if deployment.predictors.is_empty() {
        return RequestError::new(ErrorCode::Unavailable, deployment.unavailable.clone()).response(Dialect::Seldon);
    }
    Response::new(Full::default())
}

/// Tells of a node.
pub(super) async fn tell_of_node(
    state: &RefCell<ThreadState>,
    (about, headers): (&About, &HeaderMap),
    predictor: &Predictor,
) -> Result<Response<Full<Bytes>>, RequestError> {
    let nodes = nodes(predictor);
    // As everywhere, a deployment's name is taken for its first node's.
    let named = nodes.iter().find(|one| one.name == about.model);
    let one = named.or_else(|| nodes.first().filter(|_| about.model == about.deployment.name));
    let one = one.ok_or_else(|| {
        let names: Vec<_> = nodes.iter().map(|one| one.name).collect();
        let info = format!("there is no node `{}` in the graph; it has: {}", about.model, names.join(", "));
        RequestError::new(ErrorCode::NotFound, info)
    })?;
    match (one.is, about.action) {
        (Is::Server(server), Action::ModelReady) => {
            Ok(passed_back(&ask(state, headers, server, "/health/status").await?))
        }
        (Is::Server(server), _) => Ok(passed_back(&ask(state, headers, server, "/metadata").await?)),
        (_, Action::ModelReady) => Ok(json(StatusCode::OK, WELL.into())),
        (is, _) => Ok(json(StatusCode::OK, metadata(one.name, is))),
    }
}

/// Tells of the whole graph: of each node, and of what goes into it and comes out.
pub(super) async fn tell_of_graph(
    state: &RefCell<ThreadState>,
    headers: &HeaderMap,
    predictor: &Predictor,
) -> Result<Response<Full<Bytes>>, RequestError> {
    let mut models = Map::new();
    for One { name, is } in nodes(predictor) {
        let text = match is {
            Is::Server(server) => told(server, &ask(state, headers, server, "/metadata").await?)?,
            is => metadata(name, is).into(),
        };
        models.insert(name.to_owned(), serde_json::from_slice(&text).unwrap_or_default());
    }
    let (inputs, outputs) = match &predictor.served {
        Served::Graph(graph) => (inputs(&graph.root, &models), outputs(&graph.root, &models)),
        Served::Native(_) | Served::Server(_) | Served::Services(_) => {
            (part(&predictor.model, "inputs", &models), part(&predictor.model, "outputs", &models))
        }
    };
    let name = &predictor.stream.predictor;
    let body = json!({"name": name, "models": models, "graphinputs": inputs, "graphoutputs": outputs});
    Ok(json(StatusCode::OK, body.to_string().into()))
}

fn nodes(predictor: &Predictor) -> Vec<One<'_>> {
    let name = &predictor.model;
    match &predictor.served {
        Served::Native(native) => {
            let (version, platform) = (native.v2.version(), native.v2.platform());
            vec![One { name, is: Is::Model { schema: native.predict.schema(), version, platform } }]
        }
        Served::Server(server) => vec![One { name, is: of_server(server) }],
        Served::Services(_) => Vec::new(),
        Served::Graph(graph) => graph.root.all().into_iter().map(|node| of_graph(predictor, node)).collect(),
    }
}

/// One that is called over gRPC is not asked of itself.
fn of_server(server: &Server) -> Is<'_> {
    if server.is_grpc() { Is::Silent } else { Is::Server(server) }
}

fn of_graph<'a>(predictor: &'a Predictor, node: &'a graph::Node) -> One<'a> {
    let is = match &node.runs {
        Runs::Native(predict) => Is::Model {
            schema: predict.schema(),
            version: &predictor.stream.revision,
            platform: node.image.trim_end_matches("_SERVER"),
        },
        Runs::Server(server) => of_server(server),
        Runs::SimpleModel | Runs::SimpleRouter | Runs::AbTest(..) | Runs::AverageCombiner | Runs::Learns(..) => {
            Is::Silent
        }
    };
    One { name: &node.name, is }
}

fn metadata(name: &str, is: Is<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    match is {
        Is::Model { schema, version, platform } => {
            let platform = &platform.to_ascii_lowercase();
            ModelMetadata { name, version, platform, schema }.write(&mut body);
        }
        Is::Server(_) | Is::Silent => {
            let told = json!({"name": name, "versions": [], "platform": "", "inputs": [], "outputs": [], "custom": {}});
            body.extend_from_slice(told.to_string().as_bytes());
        }
    }
    body
}

async fn ask(
    state: &RefCell<ThreadState>,
    headers: &HeaderMap,
    server: &Server,
    path: &str,
) -> Result<Reply, RequestError> {
    let nodes = state.borrow().nodes.clone();
    let uri = server.at(path).ok_or_else(|| RequestError::new(ErrorCode::Internal, "a node has no address"))?;
    let question =
        Question { method: Method::GET, uri, headers, request_id: None, body: Bytes::new(), form: Form::Rest };
    nodes.ask(server, question).await
}

/// What a program tells of itself, unless it tells nothing.
fn told(server: &Server, reply: &Reply) -> Result<Bytes, RequestError> {
    if reply.status.is_success() {
        return Ok(reply.body.clone());
    }
    let info = format!("{} tells nothing at /metadata: {}", server.called(), reply.status);
    Err(RequestError::new(ErrorCode::Internal, info))
}

/// What goes into a part of a graph: what its first node takes that changes or answers a request.
fn inputs(node: &graph::Node, models: &Map<String, Value>) -> Value {
    let own = part(&node.name, "inputs", models);
    match node.children.first() {
        Some(child) if !node.is_asked_first() || is_empty(&own) => inputs(child, models),
        _ => own,
    }
}

/// What comes out of a part of a graph.
fn outputs(node: &graph::Node, models: &Map<String, Value>) -> Value {
    let own = part(&node.name, "outputs", models);
    match node.children.first() {
        Some(child) if !node.is_asked_last() || is_empty(&own) => outputs(child, models),
        _ => own,
    }
}

fn part(node: &str, field: &str, models: &Map<String, Value>) -> Value {
    models.get(node).and_then(|model| model.get(field)).cloned().unwrap_or_else(|| json!([]))
}

fn is_empty(tensors: &Value) -> bool {
    tensors.as_array().is_none_or(Vec::is_empty)
}
