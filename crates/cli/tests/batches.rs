//! Requests of V1 that one predictor gets at once, as KServe's batcher gathers them.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Node, NodeOptions, expected_probabilities, wrapped_model};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
const PATH: &str = "/seldon/default/batched/v1/models/model:predict";

/// What a program was asked.
type Asked = Arc<Mutex<Vec<Value>>>;

/// A program that adds one to each instance; 13 it refuses, and of 14 it answers too little.
async fn program(asked: &Asked) -> Value {
    let router = Router::new().route("/v1/models/model:predict", post(answer)).with_state(Arc::clone(asked));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(wrapped_model::serve_router(listener, router));
    let endpoint = json!({"service_host": "127.0.0.1", "httpPort": port, "type": "REST"});
    json!({"name": "model", "type": "MODEL", "endpoint": endpoint})
}

async fn answer(State(asked): State<Asked>, Json(body): Json<Value>) -> Response {
    asked.lock().unwrap().push(body.clone());
    let instances: Vec<f64> = serde_json::from_value(body["instances"].clone()).unwrap();
    if instances.contains(&13.0) {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "not thirteen"}))).into_response();
    }
    let few = instances.iter().filter(|number| (**number - 14.0).abs() > 0.5);
    Json(json!({"predictions": few.map(|number| number + 1.0).collect::<Vec<_>>()})).into_response()
}

async fn served(graph: Value, protocol: &str, (size, latency): (u32, u32)) -> Node {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    let annotations =
        json!({"provost.dev/max-batch-size": size.to_string(), "provost.dev/max-batch-latency": latency.to_string()});
    let manifest = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "batched", "annotations": annotations},
        "spec": {"protocol": protocol, "predictors": [{"name": "main", "graph": graph}]},
    });
    let applied = node.apply(&manifest.to_string()).await;
    assert!(applied.applied[0].warnings.is_empty(), "{:?}", applied.applied[0].warnings);
    node.await_state("batched", DeploymentState::Available).await;
    node
}

#[tokio::test]
async fn a_program_gets_requests_at_once_and_each_caller_its_own() {
    let asked = Asked::default();
    // Nobody waits so long: a batch goes because it is full.
    let node = served(program(&asked).await, "tensorflow", (4, 600_000)).await;
    let ask = async |body: &str, id: &str| node.post(PATH, body, &[("seldon-puid", id)]).await;
    let (one, two, three) = tokio::join!(
        ask(r#"{"instances":[1]}"#, "a"),
        ask(r#"{"instances": [2, 3]}"#, "b"),
        ask(r#"{"instances":[4]}"#, "c")
    );
    for (reply, predictions, id) in
        [(&one, json!([2.0]), "a"), (&two, json!([3.0, 4.0]), "b"), (&three, json!([5.0]), "c")]
    {
        assert_eq!((reply.status, &reply.json["predictions"], &reply.json["message"]), (200, &predictions, &json!("")));
        assert_eq!(
            (&reply.json["batchId"], &reply.headers["seldon-puid"].to_str().unwrap()),
            (&one.json["batchId"], &id)
        );
    }
    assert!(one.json["batchId"].as_str().is_some_and(|id| id.len() == 36), "{}", one.json);
    let instances = asked.lock().unwrap()[0]["instances"].as_array().unwrap().len();
    assert_eq!((asked.lock().unwrap().len(), instances), (1, 4));

    let rows = node.all_requests("batched").await;
    let of = |id: &str| rows.iter().find(|row| row["request_id"] == id).unwrap();
    assert_eq!(of("b")["request"], r#"{"instances": [2, 3]}"#);
    assert!(of("b")["response"].as_str().unwrap().ends_with(r#""predictions":[3.0,4.0]}"#), "{:?}", of("b"));

    let (bad, other) = tokio::join!(ask(r#"{"instances":[13,1]}"#, "d"), ask(r#"{"instances":[1,2]}"#, "e"));
    for reply in [bad, other] {
        assert_eq!((reply.status, reply.error()), (400, "not thirteen"));
    }
    let (few, other) = tokio::join!(ask(r#"{"instances":[14,1]}"#, "f"), ask(r#"{"instances":[1,2]}"#, "g"));
    for reply in [few, other] {
        let told = "node `model` answered 3 `predictions` to a batch of 4 instances";
        assert_eq!((reply.status, reply.error()), (500, told));
    }
    // What says more than its instances goes alone.
    let alone = ask(r#"{"instances":[1],"signature_name":"s"}"#, "h").await;
    assert_eq!((alone.status, &alone.json), (200, &json!({"predictions": [2.0]})));
}

#[tokio::test]
async fn a_request_that_is_alone_waits_no_longer_than_it_may() {
    let asked = Asked::default();
    let node = served(program(&asked).await, "tensorflow", (1000, 1)).await;
    let reply = node.post(PATH, r#"{"instances":[1]}"#, &[]).await;
    assert_eq!((reply.status, &reply.json["predictions"]), (200, &json!([2.0])));
}

#[tokio::test]
async fn a_model_of_this_process_predicts_for_all_at_once() {
    let model = json!({"name": "model", "implementation": "SKLEARN_SERVER", "modelUri": "examples/iris/sklearn",
        "parameters": [{"name": "method", "type": "STRING", "value": "predict_proba"}]});
    let node = served(model, "seldon", (2, 600_000)).await;
    let body = |row: [f64; 4]| json!({"instances": [row]}).to_string();
    let [first, second] = [[6.8, 2.8, 4.8, 1.4], [6.1, 3.4, 4.5, 1.6]].map(body);
    let (one, two) = tokio::join!(node.post(PATH, &first, &[]), node.post(PATH, &second, &[]));
    assert_eq!(one.json["batchId"], two.json["batchId"], "{} {}", one.json, two.json);
    let numbers =
        |reply: &Value| serde_json::from_value::<Vec<Vec<f64>>>(reply["predictions"].clone()).unwrap().concat();
    let got = [numbers(&one.json), numbers(&two.json)].concat();
    let expected = expected_probabilities("sklearn");
    assert!(
        got.len() == expected.len() && got.iter().zip(&expected).all(|(got, want)| (got - want).abs() < 1e-9),
        "{got:?}"
    );
    // Each is logged by itself, and other protocols do not wait.
    let seldon = node.predict("batched", r#"{"data":{"ndarray":[[6.8,2.8,4.8,1.4]]}}"#).await;
    assert_eq!(seldon.status, 200, "{}", seldon.json);
    let rows = node.all_requests("batched").await;
    assert_eq!((rows.len(), rows.iter().filter(|row| row["x.x0"] == 6.8).count()), (3, 2), "{rows:?}");
    // What does not fit the model is refused before it waits.
    let wrong = node.post(PATH, r#"{"instances":[[1]]}"#, &[]).await;
    assert_eq!(wrong.status, 400);
}
