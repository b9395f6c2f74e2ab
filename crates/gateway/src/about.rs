//! What is told of a deployment and its models without predicting, in each dialect. Nothing of it is logged or counted.

mod doc;
mod seldon;

use std::{cell::RefCell, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode, header};
use http_body_util::Full;
use provost_domain::ErrorCode;
use provost_inference::protocol::{
    serving::{self, NamedModel},
    v1, v2,
};

use crate::{
    error::RequestError,
    graph::{self, Runs},
    matcher::{Action, Dialect},
    node_server::{Form, Question, Reply, Server},
    predict::{OF_SERVICES_ALONE, check_model, pinned},
    repository,
    routes::{Deployment, Native, Predictor, Served},
    service::{JSON, NOSNIFF, PREDICTOR, ThreadState},
};

/// A question about a deployment.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) dialect: Dialect,
    pub(crate) action: Action,
    /// The model's name in the path; empty where none is asked about.
    pub(crate) model: String,
    pub(crate) version: Option<String>,
    pub(crate) pinned: Option<String>,
}

/// Answers it. Never fails: errors are answers.
pub(crate) async fn tell(state: &RefCell<ThreadState>, about: About, headers: &HeaderMap) -> Response<Full<Bytes>> {
    match about.action {
        Action::ServerReady if about.dialect == Dialect::Seldon => seldon::tell_whether_ready(&about.deployment),
        Action::Server | Action::ServerLive | Action::ServerReady => {
            tell_of_server(about.action, !about.deployment.predictors.is_empty())
        }
        Action::Doc => doc::page(&about.deployment),
        Action::OpenApi => doc::openapi(&about.deployment),
        Action::Load | Action::Unload => {
            repository::change(&about).unwrap_or_else(|error| error.response(about.dialect))
        }
        Action::Predict
        | Action::Examples(_)
        | Action::Explain
        | Action::Feedback
        | Action::Model
        | Action::ModelReady
        | Action::Signatures
        | Action::Graph
        | Action::Models
        | Action::Index => match of_model(state, &about, headers).await {
            Ok(response) => response,
            Err(error) => error.response(about.dialect),
        },
    }
}

/// What the server is, whether it runs, or whether it is ready.
pub(crate) fn tell_of_server(action: Action, is_ready: bool) -> Response<Full<Bytes>> {
    let mut body = Vec::new();
    match action {
        Action::ServerLive => body.extend_from_slice(b"{\"live\":true}"),
        Action::ServerReady if is_ready => body.extend_from_slice(b"{\"ready\":true}"),
        Action::ServerReady => body.extend_from_slice(b"{\"ready\":false}"),
        _ => v2::write_server(env!("CARGO_PKG_VERSION"), &mut body),
    }
    let is_unready = action == Action::ServerReady && !is_ready;
    json(if is_unready { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, body)
}

/// What is told of a model or a graph.
pub(crate) async fn of_model(
    state: &RefCell<ThreadState>,
    about: &About,
    headers: &HeaderMap,
) -> Result<Response<Full<Bytes>>, RequestError> {
    let predictor = find(about)?;
    let mut response = match (about.dialect, about.action) {
        (_, Action::Graph) => seldon::tell_of_graph(state, headers, predictor).await?,
        (Dialect::Seldon, _) => seldon::tell_of_node(state, (about, headers), predictor).await?,
        (Dialect::V1 | Dialect::V2, _) => tell_of_model(state, (about, headers), predictor).await?,
    };
    response.headers_mut().extend(predictor.headers.get(PREDICTOR).map(|name| (PREDICTOR, name.clone())));
    Ok(response)
}

/// What V1 and V2 tell of a model.
async fn tell_of_model(
    state: &RefCell<ThreadState>,
    (about, headers): (&About, &HeaderMap),
    predictor: &Predictor,
) -> Result<Response<Full<Bytes>>, RequestError> {
    match &predictor.served {
        Served::Native(native) => {
            check_model(&about.deployment, predictor, Some(&about.model), about.version.as_deref())?;
            Ok(json(StatusCode::OK, native_body(about, predictor, native)))
        }
        Served::Graph(graph) => {
            check_model(&about.deployment, predictor, Some(&about.model), about.version.as_deref())?;
            let node = graph.root.find(&about.model).unwrap_or(&graph.root);
            match &node.runs {
                Runs::Server(server) => ask(state, (about, headers), server, &node.name).await,
                Runs::Native(_) => Ok(json(StatusCode::OK, node_body(about, predictor, node))),
                _ if about.action == Action::Signatures => {
                    let info = format!("node `{}` is no model, and has no signatures", node.name);
                    Err(RequestError::new(ErrorCode::NotFound, info))
                }
                _ => Ok(json(StatusCode::OK, node_body(about, predictor, node))),
            }
        }
        Served::Server(server) => ask(state, (about, headers), server, &about.model).await,
        Served::Services(_) => Err(RequestError::new(ErrorCode::NotFound, OF_SERVICES_ALONE)),
    }
}

/// What a program tells of itself.
async fn ask(
    state: &RefCell<ThreadState>,
    (about, headers): (&About, &HeaderMap),
    server: &Server,
    model: &str,
) -> Result<Response<Full<Bytes>>, RequestError> {
    let nodes = state.borrow().nodes.clone();
    let uri = server.find((about.dialect, about.action), Some(model), about.version.as_deref())?;
    let question =
        Question { method: Method::GET, uri, headers, request_id: None, body: Bytes::new(), form: Form::Rest };
    Ok(passed_back(&nodes.ask(server, question).await?))
}

/// What V1 and V2 tell of a node of this process in a graph.
fn node_body(about: &About, predictor: &Predictor, node: &graph::Node) -> Vec<u8> {
    let mut body = Vec::new();
    match (about.dialect, about.action, &node.runs) {
        (Dialect::V1, Action::Signatures, Runs::Native(predict)) => {
            serving::write_metadata(&NamedModel { name: &node.name, version: 1, model: &**predict }, &mut body);
        }
        (Dialect::V1, ..) => v1::write_status(&node.name, 1, true, &mut body),
        (_, Action::ModelReady, _) => v2::write_model_ready(&node.name, true, &mut body),
        (.., Runs::Native(predict)) => {
            let platform = node.image.trim_end_matches("_SERVER").to_ascii_lowercase();
            let revision = &predictor.stream.revision;
            v2::ResponseTemplate::new(predict.schema(), &node.name, revision, &platform).write_metadata(&mut body);
        }
        _ => {
            let told = serde_json::json!({"name": node.name, "versions": [], "platform": node.image, "inputs": [], "outputs": []});
            body.extend_from_slice(told.to_string().as_bytes());
        }
    }
    body
}

/// The predictor that is asked for by name, else by version, else the one with such a model.
pub(crate) fn find(about: &About) -> Result<&Predictor, RequestError> {
    let deployment = &about.deployment;
    if let Some(name) = &about.pinned {
        return pinned(deployment, name);
    }
    let of_version = about.version.as_ref().and_then(|version| deployment.of_version(version));
    of_version
        .or_else(|| deployment.of_model(&about.model))
        .ok_or_else(|| RequestError::new(ErrorCode::Unavailable, deployment.unavailable.clone()))
}

fn native_body(about: &About, predictor: &Predictor, native: &Native) -> Vec<u8> {
    let mut body = Vec::new();
    match (about.dialect, about.action) {
        (Dialect::V1, Action::Signatures) => serving::write_metadata(&native.named(), &mut body),
        (Dialect::V1, _) => v1::write_status(&predictor.model, native.named().version, true, &mut body),
        (_, Action::ModelReady) => v2::write_model_ready(&predictor.model, true, &mut body),
        _ => native.v2.write_metadata(&mut body),
    }
    body
}

pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    response
}

/// What a program answered, as it is.
fn passed_back(reply: &Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(reply.body.clone()));
    *response.status_mut() = reply.status;
    reply.add_headers(response.headers_mut());
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    response
}
