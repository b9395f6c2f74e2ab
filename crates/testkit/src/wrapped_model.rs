//! A model of a user's own that answers as Seldon's Python wrapper does (REST: `/predict`, `/health/status`). Its
//! prediction is the sum of each row; its tags tell what it was asked, and of which environment. Below `/v1` and `/v2`
//! it tells what it was asked, as programs that speak these protocols are.

use std::{collections::BTreeMap, sync::Arc};

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

/// The environment that it tells of.
type Environment = Arc<BTreeMap<String, String>>;

/// Serves until the listener fails. `environment` is what the model believes its environment to be.
pub async fn serve(listener: TcpListener, environment: BTreeMap<String, String>) -> std::io::Result<()> {
    let status = json!({"data": {"names": [], "tensor": {"shape": [0], "values": []}}, "meta": {}});
    let router = Router::new()
        .route("/health/status", get(async move || Json(status)))
        .route("/predict", post(predict))
        .route("/v1/{*path}", any(echo))
        .route("/v2/{*path}", any(echo))
        .with_state(Arc::new(environment));
    // Connections end with this.
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
    Json(json!({"data": {"names": ["t:0"], "ndarray": sums}, "meta": {"tags": tags}})).into_response()
}

/// What was asked, with the headers of an answer with binary tensors where there was such a request.
async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
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
