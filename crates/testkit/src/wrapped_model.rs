//! A program of a user's own that answers as Seldon's Python wrapper does over REST. As a model its prediction is the sum
//! of each row, and its tags tell what it was asked and of which environment; a transformer doubles its input or adds
//! 100 to an answer; a router chooses the child that the tag `child` names, else the first; a combiner puts the first
//! values of its children in a row. What a tag `fail` names answers 400. Below `/v1` and `/v2`
//! it tells what it was asked, as programs that speak these protocols are; or asks the predictor beside which it is.

use std::{
    collections::BTreeMap,
    future::{Ready, ready},
    sync::Arc,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
    routing::{any, get, post},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// The variable with the predictor of which it is the transformer or the explainer.
pub const PREDICTOR_HOST: &str = "PREDICTOR_HOST";

/// The environment that it tells of.
type Environment = Arc<BTreeMap<String, String>>;

/// Serves until the listener fails. `environment` is what the model believes its environment to be.
pub async fn serve(listener: TcpListener, environment: BTreeMap<String, String>) -> std::io::Result<()> {
    let status = json!({"data": {"names": [], "tensor": {"shape": [0], "values": []}}, "meta": {}});
    let takes = json!([{"messagetype": "strData"}]);
    let metadata = json!({"name": "own", "versions": [], "platform": "wrapped", "inputs": takes, "outputs": []});
    let router = Router::new()
        .route("/health/status", get(async move || Json(status)))
        .route("/metadata", get(async move || Json(metadata)))
        .route("/predict", post(predict))
        .route("/transform-input", post(|state, body| each(state, body, |value| 2.0 * value)))
        .route("/transform-output", post(|state, body| each(state, body, |value| 100.0 + value)))
        .route("/route", post(route))
        .route("/aggregate", post(aggregate))
        .route("/send-feedback", post(send_feedback))
        .route("/v1/{*path}", any(echo))
        .route("/v2/{*path}", any(echo))
        .with_state(Arc::new(environment));
    serve_router(listener, router).await
}

/// Serves a router until the listener fails; its connections end with it.
pub async fn serve_router(listener: TcpListener, router: Router) -> std::io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(router.clone());
        connections.spawn(async move {
            let connection = auto::Builder::new(TokioExecutor::new());
            // A client that goes away is none of its concerns.
            let _ended = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn predict(State(environment): State<Environment>, headers: HeaderMap, body: String) -> Response {
    let Ok(request) = serde_json::from_str::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, "<p>Failed to decode JSON object</p>").into_response();
    };
    let Some(rows) = request["data"]["ndarray"].as_array() else {
        let info = "Invalid request data type";
        let status = json!({"code": -1, "info": info, "reason": "MICROSERVICE_BAD_DATA", "status": 1});
        return (StatusCode::BAD_REQUEST, Json(json!({"status": status}))).into_response();
    };
    let sum = |row: &Value| row.as_array().into_iter().flatten().filter_map(Value::as_f64).sum::<f64>();
    let sums: Vec<[f64; 1]> = rows.iter().map(|row| [sum(row)]).collect();
    let headers: BTreeMap<_, _> = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().ok())).collect();
    let units = environment.iter().filter(|(name, _)| name.starts_with("PREDICT") || name.starts_with("SELDON"));
    let tags = json!({"headers": headers, "environment": units.collect::<BTreeMap<_, _>>()});
    let meta = json!({"tags": tags, "requestPath": path(&environment, &request)});
    Json(json!({"data": {"names": ["t:0"], "ndarray": sums}, "meta": meta})).into_response()
}

/// The nodes that were passed, with this one.
fn path(environment: &Environment, request: &Value) -> Value {
    let mut path = request["meta"]["requestPath"].clone();
    path[unit(environment)] = json!(environment.get("PREDICTIVE_UNIT_IMAGE").map_or("own:0.1", String::as_str));
    path
}

fn unit(environment: &Environment) -> &str {
    environment.get("PREDICTIVE_UNIT_ID").map_or("unit", String::as_str)
}

/// A message of a program, in whose `meta` it tells of itself as Seldon's wrapper does, and of what it measured.
fn message(environment: &Environment, request: &Value, data: &Value) -> Response {
    let unit = unit(environment);
    let tags = &request["meta"]["tags"];
    if tags["fail"] == unit {
        let status = json!({"code": -1, "info": "as it was told", "reason": "MICROSERVICE_BAD_DATA", "status": 1});
        return (StatusCode::BAD_REQUEST, Json(json!({"status": status}))).into_response();
    }
    let mut meta = json!({"tags": tags, "requestPath": path(environment, request)});
    meta["tags"][unit] = json!(true);
    meta["metrics"] = json!([{"key": format!("{unit}_calls"), "type": "COUNTER", "value": 1.0}]);
    Json(json!({"data": data, "meta": meta})).into_response()
}

/// Changes each number of the rows.
fn each(State(environment): State<Environment>, Json(request): Json<Value>, change: fn(f64) -> f64) -> Ready<Response> {
    let rows = request["data"]["ndarray"].as_array().cloned().unwrap_or_default();
    let changed = |row: &Value| row.as_array().into_iter().flatten().filter_map(Value::as_f64).map(change).collect();
    let rows: Vec<Vec<f64>> = rows.iter().map(changed).collect();
    ready(message(&environment, &request, &json!({"names": [], "ndarray": rows})))
}

async fn route(State(environment): State<Environment>, Json(request): Json<Value>) -> Response {
    let child = request["meta"]["tags"]["child"].as_i64().unwrap_or(0);
    message(&environment, &request, &json!({"ndarray": [[child]]}))
}

async fn aggregate(State(environment): State<Environment>, Json(request): Json<Vec<Value>>) -> Response {
    let first = |message: &Value| message["data"]["ndarray"][0][0].clone();
    let firsts: Vec<Value> = request.iter().map(first).collect();
    let last = request.last().cloned().unwrap_or_default();
    message(&environment, &last, &json!({"names": [], "ndarray": [firsts]}))
}

/// Nothing, as Seldon's wrapper has it; its tags tell what it was told.
async fn send_feedback(State(environment): State<Environment>, Json(feedback): Json<Value>) -> Response {
    let mut asked = feedback["response"].clone();
    asked["meta"]["tags"]["feedback"] = feedback.clone();
    message(&environment, &asked, &json!({"ndarray": []}))
}

/// As a transformer it doubles the instances that it asks the predictor for; as an explainer its explanations are the
/// predictions.
async fn beside(host: &str, path: &str, body: &Bytes) -> Response {
    let mut request: Value = serde_json::from_slice(body).unwrap_or_default();
    let explains = path.ends_with(":explain");
    if !explains {
        for value in request["instances"].as_array_mut().into_iter().flatten().filter_map(Value::as_array_mut).flatten()
        {
            *value = json!(value.as_f64().map(|value| 2.0 * value));
        }
    }
    let url = format!("http://{host}{}", path.replace(":explain", ":predict"));
    let asked = reqwest::Client::new().post(url).header("content-type", "application/json").body(request.to_string());
    let answered = async { asked.send().await?.text().await }.await;
    let answered = answered
        .map_err(|error| error.to_string())
        .and_then(|text| serde_json::from_str::<Value>(&text).map_err(|_| text));
    match answered {
        Ok(answer) if explains => Json(json!({"explanations": answer["predictions"]})).into_response(),
        Ok(answer) => Json(answer).into_response(),
        Err(reason) => (StatusCode::BAD_GATEWAY, reason).into_response(),
    }
}

/// What was asked, with the headers of an answer with binary tensors where there was such a request.
async fn echo(
    State(environment): State<Environment>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(host) = environment.get(PREDICTOR_HOST) {
        return beside(host, uri.path(), &body).await;
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let asked = json!({
        "method": method.as_str(),
        "path": uri.path(),
        "id": text("seldon-puid"),
        "body": String::from_utf8_lossy(&body),
    });
    let header = HeaderName::from_static("inference-header-content-length");
    let mut response = Json(asked).into_response();
    if let Some(length) = headers.get(&header) {
        response.headers_mut().insert(header, length.clone());
    }
    response
}
