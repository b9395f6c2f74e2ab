//! Graphs of several nodes in V1 and V2: of models of this process, and of programs that speak them.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use provost_api::rest::v1::{deployments::DeploymentState, requests::RequestParameters};
use provost_testkit::{Node, NodeOptions, expected_probabilities, wrapped_model};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
const ROWS: [[f64; 4]; 2] = [[6.8, 2.8, 4.8, 1.4], [6.1, 3.4, 4.5, 1.6]];

async fn served(protocol: &str, graph: Value) -> Node {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    let manifest = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "graph"},
        "spec": {"protocol": protocol, "predictors": [{"name": "main", "graph": graph}]},
    });
    node.apply(&manifest.to_string()).await;
    node.await_state("graph", DeploymentState::Available).await;
    node
}

fn model(name: &str) -> Value {
    json!({"name": name, "implementation": "SKLEARN_SERVER", "modelUri": "examples/iris/sklearn",
        "parameters": [{"name": "method", "type": "STRING", "value": "predict_proba"}]})
}

fn built_in(implementation: &str, children: &[Value]) -> Value {
    json!({"name": "root", "implementation": implementation, "children": children})
}

/// A program that speaks V1 and V2: as a model it adds one to each number, as a combiner it puts the first numbers of its
/// children in a row, as a router it chooses the last child. The number 13 it refuses, and 14 it answers with garbage.
async fn program(name: &str, kind: &str, children: &[Value]) -> Value {
    let router = Router::new()
        .route("/v2/models/{name}/infer", post(infer))
        .route("/v1/models/{action}", post(predict))
        .route("/aggregate", post(aggregate))
        .route("/route", post(async || "[1]"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(wrapped_model::serve_router(listener, router));
    let endpoint = json!({"service_host": "127.0.0.1", "httpPort": port, "type": "REST"});
    json!({"name": name, "type": kind, "endpoint": endpoint, "children": children})
}

async fn infer(Path(name): Path<String>, Json(body): Json<Value>) -> Response {
    let input = &body["inputs"][0];
    let numbers: Vec<f64> = serde_json::from_value(input["data"].clone()).unwrap();
    if numbers.contains(&13.0) {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": format!("{name} does not like it")}))).into_response();
    }
    if numbers.contains(&14.0) {
        return "<p>what?</p>".into_response();
    }
    let more: Vec<f64> = numbers.iter().map(|number| number + 1.0).collect();
    let output = json!({"name": name, "datatype": "FP64", "shape": input["shape"], "data": more});
    Json(json!({"model_name": name, "id": body["id"], "outputs": [output]})).into_response()
}

async fn predict(Path(action): Path<String>, Json(body): Json<Value>) -> Json<Value> {
    if action.ends_with(":route") {
        return Json(json!([1]));
    }
    if action.ends_with(":aggregate") {
        let all: Vec<Value> = body.as_array().unwrap().iter().map(|answer| answer["predictions"][0].clone()).collect();
        return Json(json!({"predictions": all}));
    }
    let instances: Vec<f64> = serde_json::from_value(body["instances"].clone()).unwrap();
    Json(json!({"predictions": instances.iter().map(|number| number + 1.0).collect::<Vec<_>>()}))
}

async fn aggregate(Json(answers): Json<Vec<Value>>) -> Json<Value> {
    let firsts: Vec<Value> = answers.iter().map(|answer| answer["outputs"][0]["data"][0].clone()).collect();
    let output = json!({"name": "firsts", "datatype": "FP64", "shape": [1, firsts.len()], "data": firsts});
    Json(json!({"model_name": "both", "outputs": [output]}))
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        value => value.as_f64().into_iter().collect(),
    }
}

#[track_caller]
fn assert_close(got: &Value, expected: &[f64]) {
    let got = numbers(got);
    let is_close = got.len() == expected.len() && got.iter().zip(expected).all(|(got, want)| (got - want).abs() < 1e-9);
    assert!(is_close, "{got:?} is not {expected:?}");
}

#[tokio::test]
async fn models_of_this_process_answer_v1_and_v2_as_a_graph() {
    let node = served("seldon", built_in("AVERAGE_COMBINER", &[model("a"), model("b")])).await;
    let expected = expected_probabilities("sklearn");
    let v1 = json!({"instances": ROWS});
    let reply = node.post("/seldon/default/graph/v1/models/root:predict", &v1.to_string(), &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    assert_close(&reply.json["predictions"], &expected);

    let v2 = json!({"id": "mine", "inputs": [{"name": "x", "shape": [2, 4], "datatype": "FP64", "data": ROWS}]});
    let reply = node.post("/seldon/default/graph/v2/models/graph/infer", &v2.to_string(), &[]).await;
    let output = &reply.json["outputs"][0];
    assert_eq!(
        (&reply.json["id"], &output["name"], &output["shape"]),
        (&json!("mine"), &json!("predict_proba"), &json!([2, 3]))
    );
    assert_close(&output["data"], &expected);
    // A tensor for each feature, in another order than the model's.
    let column = |name: &str, place: usize| json!({"name": name, "shape": [2], "datatype": "FP64", "data": ROWS.map(|row| row[place])});
    let names = ["Petal Width", "Sepal length", "Sepal width", "Petal length"];
    let inputs: Vec<Value> = names.iter().zip([3, 0, 1, 2]).map(|(name, place)| column(name, place)).collect();
    let reply = node.post("/v2/models/graph/infer", &json!({"inputs": inputs}).to_string(), &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.json);

    let rows = node.requests("graph", &RequestParameters::default()).await;
    assert!(rows.columns.contains(&"x.x0".to_owned()), "{:?}", rows.columns);
    assert_eq!(rows.rows.len(), 6);
}

#[tokio::test]
async fn v2_tells_of_the_nodes_of_a_graph() {
    let node = served("seldon", built_in("AVERAGE_COMBINER", &[model("a"), model("b")])).await;
    let metadata = node.get("/seldon/default/graph/v2/models/a").await.json;
    assert_eq!((&metadata["name"], &metadata["platform"]), (&json!("a"), &json!("sklearn")));
    assert_eq!(metadata["outputs"][0]["name"], "predict_proba");
    let metadata = node.get("/seldon/default/graph/v2/models/root").await.json;
    assert_eq!((&metadata["platform"], &metadata["inputs"]), (&json!("AVERAGE_COMBINER"), &json!([])));
    assert_eq!(node.get("/seldon/default/graph/v2/models/root/ready").await.json["ready"], true);
    assert_eq!(node.get("/seldon/default/graph/v1/models/root").await.json["ready"], true);
    let unknown = node.get("/seldon/default/graph/v2/models/other").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.json["error"].as_str().unwrap().contains("`other`"), "{}", unknown.json);
}

#[tokio::test]
async fn programs_that_speak_v2_get_what_others_answered() {
    let below = [program("left", "MODEL", &[]).await, program("right", "MODEL", &[]).await];
    let both = program("both", "COMBINER", &below).await;
    let node = served("v2", program("first", "TRANSFORMER", &[both]).await).await;
    let ask = async |numbers: Value| {
        let body = json!({"id": "i", "inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": numbers}]});
        node.post("/seldon/default/graph/v2/models/first/infer", &body.to_string(), &[]).await
    };
    let reply = ask(json!([1, 5])).await;
    assert_eq!((reply.status, &reply.json["outputs"][0]["data"]), (200, &json!([3.0, 3.0])), "{}", reply.json);
    assert_eq!(reply.headers["seldon-puid"], "i");

    let refused = ask(json!([12, 12])).await;
    assert_eq!((refused.status, &refused.json["error"]), (400, &json!("left does not like it")));
    let garbage = ask(json!([13.5, 14])).await;
    assert_eq!(garbage.status, 500);
    let error = garbage.json["error"].as_str().unwrap();
    assert!(error.starts_with("node `first` did not answer with a message that can be used"), "{error}");

    let seldon = node.predict("graph", r#"{"data":{"ndarray":[[1]]}}"#).await;
    assert_eq!(seldon.status, 404);
    let info = seldon.json["status"]["info"].as_str().unwrap();
    assert!(info.starts_with("the programs of the graph speak `kfserving`, which is at v2/models"), "{info}");
    // Bytes after the JSON become JSON for them.
    let input = json!({"name": "x", "shape": [1], "datatype": "INT64", "parameters": {"binary_data_size": 8}});
    let head = json!({"inputs": [input]}).to_string();
    let length = head.len().to_string();
    let binary = [("inference-header-content-length", length.as_str())];
    let path = "/seldon/default/graph/v2/models/first/infer";
    let reply = node.post(path, &format!("{head}\u{7}\0\0\0\0\0\0\0"), &binary).await;
    assert_eq!((reply.status, &reply.json["outputs"][0]["data"]), (200, &json!([9.0, 9.0])), "{}", reply.json);
    let reply = node.post(path, &format!("{head}\0"), &binary).await;
    assert_eq!((reply.status, &reply.json["error"]), (400, &json!("the bytes of `x` are cut off")));
}

#[tokio::test]
async fn routers_and_models_of_this_process_stand_between_programs_of_v2() {
    let mean = json!({"name": "mean", "implementation": "AVERAGE_COMBINER",
        "children": [program("one", "MODEL", &[]).await, program("two", "MODEL", &[]).await]});
    let after = program("after", "MODEL", &[]).await;
    let node = served("kfserving", program("choice", "ROUTER", &[after, mean]).await).await;
    let body = json!({"inputs": [{"name": "x", "shape": [2, 1], "datatype": "FP64", "data": [1, 5]}]});
    let reply = node.post("/seldon/default/graph/v2/models/choice/infer", &body.to_string(), &[]).await;
    assert_eq!((reply.status, &reply.json["model_name"]), (200, &json!("mean")), "{}", reply.json);
    assert_eq!(numbers(&reply.json["outputs"][0]["data"]), [2.0, 6.0]);
}

#[tokio::test]
async fn programs_that_speak_v1_get_what_others_answered() {
    let below = [program("left", "MODEL", &[]).await, program("right", "MODEL", &[]).await];
    let both = program("both", "COMBINER", &below).await;
    let node = served("tensorflow", program("first", "TRANSFORMER", &[both]).await).await;
    let body = json!({"instances": [1, 5]}).to_string();
    let reply = node.post("/seldon/default/graph/v1/models/first:predict", &body, &[]).await;
    assert_eq!((reply.status, &reply.json), (200, &json!({"predictions": [3.0, 3.0]})));
}
