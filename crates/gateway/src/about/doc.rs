//! A description of a deployment for those who call it: `OpenAPI`, and a page that shows it, where Seldon's orchestrator has
//! them (1.9, `/api/v1.0/doc/`).

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};

use super::json as respond;
use crate::{
    routes::{Deployment, Predictor, Served},
    service::NOSNIFF,
};

/// Most features of which an example has a value each.
const FEATURES_MAX: usize = 64;

/// The page, which shows what is beside it.
pub(super) fn page(deployment: &Deployment) -> Response<Full<Bytes>> {
    let text = serde_json::to_string_pretty(&description(deployment)).unwrap_or_default();
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    let name = &deployment.name;
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title><style>body{{font:1rem/1.5 sans-serif;\
         margin:2rem auto;max-width:60rem;padding:0 1rem}}pre{{overflow:auto}}</style><h1>{name}</h1><p>What can be asked of \
         this deployment, as <a href=\"seldon.json\">OpenAPI</a>:</p><pre>{escaped}</pre></html>\n"
    );
    let mut response = Response::new(Full::new(page.into()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    // Names of models are the users' own.
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// The description.
pub(super) fn openapi(deployment: &Deployment) -> Response<Full<Bytes>> {
    respond(StatusCode::OK, description(deployment).to_string().into())
}

fn description(deployment: &Deployment) -> Value {
    let Deployment { namespace, name, .. } = deployment;
    let message = json!({"$ref": "#/components/schemas/SeldonMessage"});
    let content = |schema: &Value, example: Value| {
        let mut content = json!({"application/json": {"schema": schema}});
        if !example.is_null() {
            content["application/json"]["example"] = example;
        }
        content
    };
    let responses = json!({
        "200": {"description": "The answer", "content": content(&message, Value::Null)},
        "default": {"description": "Why there is none, in `status.info`", "content": content(&message, Value::Null)},
    });
    let post = |summary: &str, schema: &Value, example: Value| {
        json!({"post": {"summary": summary, "requestBody": {"required": true, "content": content(schema, example)},
            "responses": responses}})
    };
    let feedback = json!({"$ref": "#/components/schemas/Feedback"});
    let judged =
        json!({"response": {"meta": {"puid": "the prediction's"}}, "truth": {"data": {"ndarray": [1]}}, "reward": 1.0});
    json!({
        "openapi": "3.0.3",
        "info": {"title": name, "version": "1.0"},
        "servers": [{"url": format!("/seldon/{namespace}/{name}")}],
        "paths": {
            "/api/v1.0/predictions": post("Predict", &message, example(deployment)),
            "/api/v1.0/feedback": post("Tell what came of a prediction", &feedback, judged),
        },
        "components": {"schemas": schemas(&message)},
    })
}

/// A request with a value for each feature of the first model.
fn example(deployment: &Deployment) -> Value {
    let schema = deployment.predictors.first().and_then(|predictor: &Predictor| match &predictor.served {
        Served::Native(native) => Some(native.predict.schema()),
        Served::Graph(graph) => graph.root.first_schema(),
        Served::Server(_) | Served::Services(_) => None,
    });
    let Some(schema) = schema.filter(|schema| schema.features <= FEATURES_MAX) else { return Value::Null };
    let mut data = json!({"ndarray": [vec![0.0; schema.features]]});
    if let Some(names) = &schema.feature_names {
        data["names"] = names.iter().map(|name| json!(**name)).collect();
    }
    json!({"data": data})
}

/// Seldon's messages.
fn schemas(message: &Value) -> Value {
    let text = json!({"type": "string"});
    let object = json!({"type": "object"});
    let tensor = json!({"type": "object", "properties": {
        "shape": {"type": "array", "items": {"type": "integer"}},
        "values": {"type": "array", "items": {"type": "number"}},
    }});
    let data = json!({"type": "object", "properties": {
        "names": {"type": "array", "items": text}, "ndarray": {"type": "array", "items": {}}, "tensor": tensor,
    }});
    let meta = json!({"type": "object", "properties": {
        "puid": text, "tags": object, "routing": object, "requestPath": object,
        "metrics": {"type": "array", "items": object},
    }});
    json!({
        "SeldonMessage": {"type": "object", "properties": {
            "data": data, "strData": text, "binData": {"type": "string", "format": "byte"}, "jsonData": {}, "meta": meta,
            "status": object,
        }},
        "Feedback": {"type": "object", "properties": {
            "request": message, "response": message, "truth": message, "reward": {"type": "number"},
        }},
    })
}
