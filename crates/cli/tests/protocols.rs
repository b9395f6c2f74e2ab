//! The protocols besides Seldon's, through the real server: V1 and V2 over REST, their errors, and the log.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Node, NodeOptions, expected_probabilities as expected, manifest, repository, wrapped_model};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
/// The rows that `examples/iris/expected.json` is about.
const ROWS: [[f64; 4]; 2] = [[6.8, 2.8, 4.8, 1.4], [6.1, 3.4, 4.5, 1.6]];
const BASE: &str = "/seldon/default/iris";

async fn start() -> Node {
    started(&manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")).await
}

async fn started(manifest: &str) -> Node {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    node.apply(manifest).await;
    node.await_state("iris", DeploymentState::Available).await;
    node
}

#[track_caller]
fn assert_close(got: &Value, expected: &[f64], tolerance: f64) {
    let got: Vec<f64> = serde_json::from_value(got.clone()).unwrap();
    assert_eq!(got.len(), expected.len());
    let is_close = got.iter().zip(expected).all(|(got, want)| (got - want).abs() <= tolerance);
    assert!(is_close, "{got:?} is not {expected:?}");
}

/// A V2 request with one tensor of both rows.
fn one_tensor() -> Value {
    json!({"inputs": [{"name": "predict", "shape": [2, 4], "datatype": "FP32", "data": ROWS.concat()}]})
}

/// Of each column a tensor.
fn columns(names: [&str; 4], order: [usize; 4]) -> Value {
    let column = |index: usize| {
        let data = ROWS.map(|row| row[index]);
        json!({"name": names[index], "shape": [2, 1], "datatype": "FP64", "data": data})
    };
    json!({"inputs": order.map(column)})
}

#[tokio::test]
async fn v2_answers_at_each_of_its_paths() {
    let node = start().await;
    let metadata = node.get(&format!("{BASE}/v2/models/classifier")).await;
    let version = metadata.json["versions"][0].as_str().unwrap().to_owned();
    for path in [
        "/v2/models/classifier/infer".to_owned(),
        "/v2/models/iris/infer".to_owned(),
        "/v2/models/infer".to_owned(),
        format!("/v2/models/classifier/versions/{version}/infer"),
    ] {
        let reply = node.post(&format!("{BASE}{path}"), &one_tensor().to_string(), &[]).await;
        assert_eq!(reply.status, 200, "{path}: {:?}", reply.json);
        assert_eq!((&reply.json["model_name"], &reply.json["model_version"]), (&json!("classifier"), &json!(version)));
        let output = &reply.json["outputs"][0];
        let shown = (&output["name"], &output["shape"], &output["datatype"]);
        assert_eq!(shown, (&json!("predict_proba"), &json!([2, 3]), &json!("FP64")));
        assert_close(&output["data"], &expected("sklearn"), 1e-12);
        assert_eq!(reply.json["id"], reply.headers["seldon-puid"].to_str().unwrap());
        assert_eq!(reply.headers["provost-predictor"], "main");
        assert_eq!(reply.headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn v2_takes_every_form_of_the_same_rows() {
    let node = start().await;
    let path = format!("{BASE}/v2/models/classifier/infer");
    let nested = json!({"inputs": [{"name": "x", "shape": [2, 4], "datatype": "FP64", "data": ROWS}]});
    let names = ["sepal", "width", "petal", "length"];
    let outputs = json!({"outputs": [{"name": "predict_proba", "parameters": {"binary_data": false}}]});
    let mut with_outputs = one_tensor();
    with_outputs["outputs"] = outputs["outputs"].clone();
    with_outputs["parameters"] = json!({"binary_data_output": true});
    for body in [one_tensor(), nested, columns(names, [0, 1, 2, 3]), with_outputs] {
        let reply = node.post(&path, &body.to_string(), &[]).await;
        assert_eq!(reply.status, 200, "{:?}", reply.json);
        assert_close(&reply.json["outputs"][0]["data"], &expected("sklearn"), 1e-12);
    }
    let row = json!({"inputs": [{"name": "x", "shape": [4], "datatype": "FP64", "data": ROWS[0]}]});
    let reply = node.post(&path, &row.to_string(), &[]).await;
    assert_eq!(reply.json["outputs"][0]["shape"], json!([1, 3]));
    assert_close(&reply.json["outputs"][0]["data"], &expected("sklearn")[..3], 1e-12);
}

#[tokio::test]
async fn v2_takes_binary_tensors() {
    let node = start().await;
    let path = format!("{BASE}/v2/models/classifier/infer");
    // A body of text is bytes below 128: all of these whole numbers are.
    let tensor = r#"{"name":"x","shape":[1,4],"datatype":"UINT8","parameters":{"binary_data_size":4}}"#;
    let head = format!(r#"{{"id":"binary","inputs":[{tensor}],"parameters":{{"binary_data_output":true}}}}"#);
    let length = head.len().to_string();
    let headers = [("inference-header-content-length", &*length), ("content-type", "application/octet-stream")];
    let body = format!("{head}\u{6}\u{2}\u{4}\u{1}");
    let mut request = reqwest::Client::new().post(format!("{}{path}", node.url())).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let reply = request.send().await.unwrap();
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["content-type"]),
        (200, &"application/octet-stream".parse().unwrap())
    );
    assert_eq!(reply.headers()["seldon-puid"], "binary");
    let json_length: usize = reply.headers()["inference-header-content-length"].to_str().unwrap().parse().unwrap();
    let answer = reply.bytes().await.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&answer[..json_length]).unwrap();
    assert_eq!(told["outputs"][0]["parameters"]["binary_data_size"], answer.len() - json_length);
    let row = json!({"inputs": [{"name": "x", "shape": [4], "datatype": "INT8", "data": [6, 2, 4, 1]}]});
    let same = node.post(&path, &row.to_string(), &[]).await;
    let values: Vec<f64> =
        answer[json_length..].chunks(8).map(|one| f64::from_le_bytes(one.try_into().unwrap())).collect();
    assert_eq!(json!(values), same.json["outputs"][0]["data"]);
    let short = node.post(&path, &format!("{head}\u{6}"), &headers).await;
    assert_eq!(short.headers["seldon-puid"], "binary");
    assert!(short.status == 400 && short.error().contains("1 bytes are left after the JSON"), "{:?}", short.json);
    let headers = [("inference-header-content-length", "many")];
    let wrong = node.post(&path, &head, &headers).await;
    assert!(wrong.status == 400 && wrong.error().contains("must be the length of the JSON"), "{:?}", wrong.json);
}

#[tokio::test]
async fn v1_answers_at_each_of_its_paths() {
    let node = start().await;
    let objects = ROWS.map(|[a, b, c, d]| json!({"a": a, "b": b, "c": c, "d": d}));
    for path in ["classifier:predict", "iris:predict", "classifier/:predict", ":predict"] {
        for body in [json!({"instances": ROWS}), json!({"inputs": ROWS}), json!({"instances": objects})] {
            let reply = node.post(&format!("{BASE}/v1/models/{path}"), &body.to_string(), &[]).await;
            assert_eq!(reply.status, 200, "{path}: {:?}", reply.json);
            let predictions: Vec<Vec<f64>> = serde_json::from_value(reply.json["predictions"].clone()).unwrap();
            assert_eq!(predictions.len(), 2);
            assert_close(&json!(predictions.concat()), &expected("sklearn"), 1e-12);
        }
    }
    let reply = node.post(&format!("{BASE}/v1/models:predict"), &json!({"instances": ROWS}).to_string(), &[]).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn v1_classifies_examples() {
    let node = start().await;
    let examples = ROWS.map(|[a, b, c, d]| json!({"a": a, "b": [b], "c": c, "d": d}));
    let lone = ROWS.map(|row| json!({"x": row}));
    let bodies = [json!({"examples": examples}), json!({"examples": lone, "signature_name": "classification"})];
    for (body, path) in bodies.iter().zip(["classifier:classify", "iris:classify"]) {
        let reply = node.post(&format!("{BASE}/v1/models/{path}"), &body.to_string(), &[]).await;
        assert_eq!(reply.status, 200, "{path}: {:?}", reply.json);
        let result: Vec<Vec<(String, f64)>> = serde_json::from_value(reply.json["result"].clone()).unwrap();
        let (labels, scores): (Vec<_>, Vec<_>) = result.concat().into_iter().unzip();
        assert_eq!(labels, ["0", "1", "2", "0", "1", "2"]);
        assert_close(&json!(scores), &expected("sklearn"), 1e-12);
    }
    let regressed = node.post(&format!("{BASE}/v1/models/iris:regress"), &bodies[0].to_string(), &[]).await;
    let no_number = "the model answers with `predict_proba`, which is not one number for each example: call Predict or \
                     Classify";
    assert_eq!((regressed.status, regressed.error()), (400, no_number));
    let signature = json!({"examples": examples, "signature_name": "other"}).to_string();
    let refused = node.post(&format!("{BASE}/v1/models/iris:classify"), &signature, &[]).await;
    let unknown = "the model has no signature `other` for Classify; it has: serving_default, classification";
    assert_eq!((refused.status, refused.error()), (400, unknown));
    // The rows of what was answered, and what failed.
    let statuses: Vec<_> = node.all_requests("iris").await.iter().map(|row| row["status"].clone()).collect();
    let count = |status| statuses.iter().filter(|other| **other == json!(status)).count();
    assert_eq!((count(200), count(400)), (4, 2), "{statuses:?}");
}

#[tokio::test]
async fn v1_regresses_examples() {
    let fixtures = repository("crates/predictors/fixtures/xgboost/1.7");
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixtures.join("regressor.model.bst"), folder.path().join("model.bst")).unwrap();
    let node = started(&manifest("iris", "XGBOOST_SERVER", folder.path().to_str().unwrap())).await;
    let known: Value = serde_json::from_slice(&std::fs::read(fixtures.join("regressor.json")).unwrap()).unwrap();
    let row: Vec<f64> = serde_json::from_value(known["inputs"][0].clone()).unwrap();
    let features = |range: std::ops::Range<usize>| {
        range.map(|index| (format!("x{index}"), json!(row[index]))).collect::<serde_json::Map<_, _>>()
    };
    let body = json!({"context": features(2..row.len()), "examples": [features(0..2)]}).to_string();
    let reply = node.post(&format!("{BASE}/v1/models/iris:regress"), &body, &[]).await;
    assert_eq!(reply.status, 200, "{:?}", reply.json);
    assert_close(&reply.json["result"], &[known["expected"]["predict"][0].as_f64().unwrap()], 1e-4);
}

#[tokio::test]
async fn a_graph_takes_no_examples() {
    let child = |name: &str| json!({"name": name, "implementation": "SKLEARN_SERVER", "modelUri": repository("examples/iris/sklearn")});
    let graph =
        json!({"name": "both", "implementation": "AVERAGE_COMBINER", "children": [child("first"), child("second")]});
    let deployment = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris"},
        "spec": {"predictors": [{"name": "main", "graph": graph}]},
    });
    let node = started(&deployment.to_string()).await;
    let reply = node.post(&format!("{BASE}/v1/models/iris:classify"), r#"{"examples":[{"x":[1,2,3,4]}]}"#, &[]).await;
    assert_eq!((reply.status, reply.error()), (404, "a graph does not take examples: ask it by `:predict`"));
}

#[tokio::test]
async fn what_there_is_can_be_asked() {
    let node = start().await;
    for (path, expected) in [
        ("v2/health/live", json!({"live": true})),
        ("v2/health/ready", json!({"ready": true})),
        ("v2/models/classifier/ready", json!({"name": "classifier", "ready": true})),
        ("v2/models/iris/ready", json!({"name": "classifier", "ready": true})),
        (
            "v2",
            json!({"name": "provost", "version": env!("CARGO_PKG_VERSION"), "extensions": ["binary_tensor_data", "model_repository"]}),
        ),
    ] {
        let reply = node.get(&format!("{BASE}/{path}")).await;
        assert_eq!((reply.status, reply.json), (200, expected), "{path}");
    }
    let model = node.get(&format!("{BASE}/v2/models/classifier")).await.json;
    assert_eq!((&model["name"], &model["platform"]), (&json!("classifier"), &json!("sklearn")));
    assert_eq!(model["inputs"], json!([{"name": "input-0", "datatype": "FP64", "shape": [-1, 4]}]));
    assert_eq!(model["outputs"], json!([{"name": "predict_proba", "datatype": "FP64", "shape": [-1, 3]}]));
    let version = model["versions"][0].as_str().unwrap();
    assert_eq!(node.get(&format!("{BASE}/v2/models/classifier/versions/{version}")).await.json, model);
    let status = node.get(&format!("{BASE}/v1/models/classifier")).await.json;
    assert_eq!((&status["name"], &status["ready"]), (&json!("classifier"), &json!(true)));
    assert_eq!(status["model_version_status"][0]["state"], "AVAILABLE");
    assert_eq!(node.get("/seldon/default/other/v2/health/ready").await.status, 404);
    assert!(node.all_requests("iris").await.is_empty(), "questions are no predictions");
}

#[tokio::test]
async fn the_model_repository_lists_what_can_be_asked() {
    let node = start().await;
    node.apply(&manifest("broken", "SKLEARN_SERVER", "examples/none")).await;
    node.await_state("broken", DeploymentState::Failed).await;
    let index = async |path: &str, body: &str| {
        let reply = node.post(path, body, &[]).await;
        assert_eq!(reply.status, 200, "{path} {body}: {:?}", reply.json);
        let models = reply.json.as_array().unwrap().clone();
        models.iter().map(|model| format!("{} {}", model["name"], model["state"])).collect::<Vec<_>>()
    };
    let (ready, broken) = (r#""classifier" "READY""#, r#""broken" "UNAVAILABLE""#);
    assert_eq!(index(&format!("{BASE}/v2/repository/index"), "").await, [ready]);
    assert_eq!(index("/v2/repository/index", "{}").await, [broken, ready]);
    assert_eq!(index("/v2/repository/index", r#"{"ready": true}"#).await, [ready]);
    let wrong = node.post("/v2/repository/index", r#"{"ready": "yes"}"#, &[]).await;
    assert_eq!((wrong.status, wrong.error()), (400, "send an object with `ready`: true or false, or nothing"));
    for path in ["/v1/models", "/v2/models"] {
        assert_eq!(node.get(path).await.json, json!({"models": ["broken", "classifier"]}), "{path}");
        assert_eq!(node.get(&format!("{BASE}{path}")).await.json, json!({"models": ["classifier"]}), "{path}");
    }
    let loaded = node.post("/v2/repository/models/classifier/load", "", &[]).await;
    assert_eq!((loaded.status, loaded.json), (200, json!({"name": "classifier", "load": true})));
    assert_eq!(node.post("/v2/repository/models/other/load", "", &[]).await.status, 404);
    let kept = node.post("/v2/repository/models/classifier/unload", "", &[]).await;
    assert!(kept.status == 400 && kept.error().contains("delete the deployment"), "{:?}", kept.json);
    assert_eq!(node.get("/v2/repository/index").await.status, 405);
}

#[tokio::test]
async fn errors_are_in_the_dialect_of_the_path() {
    let node = start().await;
    let (v1, v2) = ("v1/models/classifier:predict", "v2/models/classifier/infer");
    let one = |shape: &str, datatype: &str, data: &str| {
        format!(r#"{{"inputs":[{{"name":"x","shape":{shape},"datatype":"{datatype}","data":{data}}}]}}"#)
    };
    let rows = json!({"instances": ROWS}).to_string();
    let missing = "row 0, column 2: the value is missing, and this model takes no missing values";
    let cases = [
        (v2, "{\"inputs\":".to_owned(), 400, "the body is not valid JSON: expected an array, the text ends at byte 11"),
        (v2, String::new(), 400, "the body is not valid JSON: expected an object, the text ends at byte 1"),
        (v2, one("[1,3]", "FP64", "[1,2,3]"), 400, "the model takes 4 features, the request has 3"),
        (v2, one("[1,4]", "FP64", "[1,2,3]"), 400, "input `x`: the shape [1,4] asks for 4 values, `data` has 3"),
        (v2, one("[1,4]", "FP64", "[1,2,null,4]"), 400, missing),
        (
            v2,
            one("[1]", "BYTES", "[\"a\"]"),
            400,
            "input `x`: the datatype is BYTES; this model takes numbers, such as FP64",
        ),
        (
            "v2/models/other/infer",
            one_tensor().to_string(),
            404,
            "there is no model `other` in the deployment; it has: classifier",
        ),
        (v1, "[".to_owned(), 400, "the body is not valid JSON: expected an object, found `[` at byte 1"),
        (v1, r#"{"instances":[[1,2,3]]}"#.to_owned(), 400, "the model takes 4 features, the request has 3"),
        (v1, r#"{"instances":[[1,2,NaN,4]]}"#.to_owned(), 400, missing),
        ("v1/models/other:predict", rows, 404, "there is no model `other` in the deployment; it has: classifier"),
    ];
    for (path, body, status, error) in &cases {
        let reply = node.post(&format!("{BASE}/{path}"), body, &[]).await;
        assert_eq!((reply.status, reply.error()), (*status, *error), "{path} {body}");
        assert_eq!(reply.headers["content-type"], "application/json");
        assert!(reply.headers.contains_key("seldon-puid"));
    }
    let mut asks = one_tensor();
    asks["outputs"] = json!([{"name": "predict"}]);
    let reply = node.post(&format!("{BASE}/{v2}"), &asks.to_string(), &[]).await;
    assert_eq!(reply.error(), "the model has no output `predict`; as it is deployed it has `predict_proba`");
    // Requests that failed are rows without features.
    let rows = node.all_requests("iris").await;
    assert_eq!(rows.len(), cases.len() + 1);
    assert!(rows.iter().all(|row| row["status"] == 400 || row["status"] == 404));
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_dialect_of_the_path() {
    let node = start().await;
    for path in [
        format!("{BASE}/v2/models/other"),
        format!("{BASE}/v2/models/classifier/versions/9"),
        format!("{BASE}/v2/nothing"),
        format!("{BASE}/v1/models/other"),
        "/seldon/default/other/v1/models/m".to_owned(),
        "/v2/models/nothing".to_owned(),
    ] {
        let reply = node.get(&path).await;
        assert!(reply.status == 404 && !reply.error().is_empty(), "{path}: {} {:?}", reply.status, reply.json);
    }
    for path in ["v2/models/classifier/infer", "v1/models/classifier:predict", "v1/models/classifier:explain"] {
        let reply = node.get(&format!("{BASE}/{path}")).await;
        assert_eq!(reply.status, 405);
        assert!(reply.error().ends_with("takes POST, not GET"), "{:?}", reply.json);
    }
    let reply = node.post(&format!("{BASE}/v2/health/live"), "{}", &[]).await;
    assert_eq!((reply.status, reply.error()), (405, "`/seldon/default/iris/v2/health/live` takes GET, not POST"));
    let large = format!("{{\"instances\":[[{}1]]}}", "1,".repeat(9 << 20));
    let reply = node.post(&format!("{BASE}/v1/models:predict"), &large, &[]).await;
    assert!(reply.status == 413 && reply.error().contains("split the request"), "{:?}", reply.json);
}

#[tokio::test]
async fn every_dialect_is_logged_and_counted_alike() {
    let node = start().await;
    let mut v2 = one_tensor();
    v2["id"] = json!("of-the-body");
    let path = format!("{BASE}/v2/models/classifier/infer");
    let reply = node.post(&path, &v2.to_string(), &[]).await;
    assert_eq!(
        (&reply.json["id"], &reply.headers["seldon-puid"]),
        (&json!("of-the-body"), &"of-the-body".parse().unwrap())
    );
    let reply = node.post(&path, &v2.to_string(), &[("seldon-puid", "of-the-header")]).await;
    assert_eq!(reply.json["id"], "of-the-body");
    assert_eq!(reply.headers["seldon-puid"], "of-the-header");
    let v1 = json!({"instances": ROWS}).to_string();
    node.post(&format!("{BASE}/v1/models/classifier:predict"), &v1, &[("seldon-puid", "one")]).await;
    let named = columns(["a", "b", "c", "d"], [0, 1, 2, 3]).to_string();
    node.post(&path, &named, &[("seldon-puid", "named")]).await;
    let seldon = json!({"data": {"ndarray": ROWS}}).to_string();
    node.post(&format!("{BASE}/api/v1.0/predictions"), &seldon, &[("seldon-puid", "seldon")]).await;

    let rows = node.all_requests("iris").await;
    let of = |id: &str, column: &str| -> BTreeSet<String> {
        let of_request = rows.iter().filter(|row| row["request_id"] == id);
        of_request.map(|row| row.get(column).unwrap_or(&Value::Null).to_string()).collect()
    };
    for id in ["of-the-body", "of-the-header", "one", "seldon"] {
        for (column, seldon) in
            [("x.x0", of("seldon", "x.x0")), ("x.x3", of("seldon", "x.x3")), ("y.t:2", of("seldon", "y.t:2"))]
        {
            assert_eq!(of(id, column), seldon, "{id} {column}");
            assert_eq!(seldon.len(), 2);
        }
        assert_eq!(of(id, "status"), BTreeSet::from(["200".to_owned()]));
    }
    assert_eq!(of("named", "x.a"), of("seldon", "x.x0"));
    let metrics = reqwest::get(format!("{}/metrics", node.url())).await.unwrap().text().await.unwrap();
    let count = "seldon_api_executor_server_requests_seconds_count{code=\"200\",deployment_name=\"iris\",method=\"post\",namespace=\"default\",predictor_name=\"main\",predictor_version=\"\",service=\"predictions\"}";
    assert!(metrics.contains(&format!("{count} 5\n")), "{metrics}");
}

#[tokio::test]
async fn a_canary_gets_the_same_requests_in_every_dialect() {
    let node = started(&std::fs::read_to_string(repository("examples/iris/deployment.yaml")).unwrap()).await;
    let (v1, v2) = (json!({"instances": ROWS}).to_string(), one_tensor().to_string());
    let seldon = json!({"data": {"ndarray": ROWS}}).to_string();
    let requests = [("api/v1.0/predictions", &seldon), ("v1/models:predict", &v1), ("v2/models/infer", &v2)];
    let mut predictors = BTreeSet::new();
    for id in (0..60).map(|index| format!("request-{index}")) {
        let mut answered = BTreeSet::new();
        for (path, body) in requests {
            let reply = node.post(&format!("{BASE}/{path}"), body, &[("seldon-puid", &id)]).await;
            answered.insert(reply.headers["provost-predictor"].to_str().unwrap().to_owned());
        }
        assert_eq!(answered.len(), 1, "{id}");
        predictors.extend(answered);
    }
    assert_eq!(predictors.len(), 2, "{predictors:?}");
    let pinned = node.post(&format!("{BASE}/v2/models/infer"), &v2, &[("provost-predictor", "canary")]).await;
    assert_eq!(pinned.headers["provost-predictor"], "canary");
    let output = &pinned.json["outputs"][0];
    assert_eq!((&output["name"], &output["datatype"]), (&json!("predict"), &json!("FP32")));
    assert_close(&output["data"], &expected("xgboost"), 1e-6);
    // A version is that of one predictor.
    let version = pinned.json["model_version"].as_str().unwrap();
    let path = format!("{BASE}/v2/models/classifier/versions/{version}/infer");
    assert_eq!(node.post(&path, &v2, &[]).await.headers["provost-predictor"], "canary");
}

#[tokio::test]
async fn with_the_open_inference_protocol_classes_are_predicted() {
    for protocol in ["kfserving", "v2"] {
        let manifest = manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")
            .replace("spec:\n", &format!("spec:\n  protocol: {protocol}\n"));
        let node = started(&manifest).await;
        let reply = node.post(&format!("{BASE}/v2/models/classifier/infer"), &one_tensor().to_string(), &[]).await;
        let output = json!({"name": "predict", "datatype": "INT64", "shape": [2, 1], "data": [1, 1]});
        assert_eq!(reply.json["outputs"], json!([output]));
        let detail = node.client().deployment("default", "iris", None).await.unwrap();
        assert_eq!(detail.summary.predict_path, "/seldon/default/iris/v2/models/classifier/infer");
    }
    let node = Node::start(NodeOptions::new(BINARY)).await;
    let refused = manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")
        .replace("spec:\n", "spec:\n  protocol: tensorflow\n");
    let refused = node.apply_refused(&refused).await;
    let errors: Vec<_> = refused.errors.iter().map(ToString::to_string).collect();
    let message = "Prepackaged server does not handle tendorflow protocol SKLEARN_SERVER";
    assert!(errors.len() == 1 && errors[0].ends_with(message), "{errors:?}");
}

/// A deployment of a program of the user's own at this port, which speaks this protocol.
fn own_deployment(protocol: &str, port: u16) -> String {
    let endpoint = json!({"service_host": "127.0.0.1", "httpPort": port, "type": "REST"});
    let graph = json!({"name": "own", "type": "MODEL", "endpoint": endpoint});
    let deployment = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris"},
        "spec": {"protocol": protocol, "predictors": [{"name": "main", "graph": graph}]},
    });
    deployment.to_string()
}

/// The port of such a program.
async fn program() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(wrapped_model::serve(listener, BTreeMap::new()));
    port
}

async fn own_program(protocol: &str) -> Node {
    started(&own_deployment(protocol, program().await)).await
}

#[tokio::test]
async fn another_protocol_is_in_force_once_it_is_applied() {
    let port = program().await;
    let node = started(&own_deployment("seldon", port)).await;
    let body = r#"{"data":{"ndarray":[[1,2]]}}"#;
    assert_eq!(node.predict("iris", body).await.status, 200);
    for (protocol, path) in [("v2", "v2/models/own/infer"), ("tensorflow", "v1/models/own:predict")] {
        node.apply(&own_deployment(protocol, port)).await;
        node.await_state("iris", DeploymentState::Available).await;
        let reply = node.post(&format!("{BASE}/{path}"), "{}", &[]).await;
        assert_eq!((reply.status, &reply.json["path"]), (200, &json!(format!("/{path}"))), "{:?}", reply.json);
        assert_eq!(node.predict("iris", body).await.status, 404);
    }
}

#[tokio::test]
async fn a_program_of_ones_own_is_asked_in_the_deployments_protocol() {
    for (protocol, paths) in [
        (
            "kfserving",
            &[
                ("POST", "v2/models/own/infer", "/v2/models/own/infer"),
                ("POST", "v2/models/infer", "/v2/models/own/infer"),
                ("POST", "v2/models/mine/versions/3/infer", "/v2/models/mine/versions/3/infer"),
                ("GET", "v2/models/own", "/v2/models/own"),
                ("GET", "v2/models/own/ready", "/v2/models/own/ready"),
            ][..],
        ),
        (
            "tensorflow",
            &[
                ("POST", "v1/models/own:predict", "/v1/models/own:predict"),
                ("POST", "v1/models/mine/:predict", "/v1/models/mine:predict"),
                ("POST", "v1/models:predict", "/v1/models/own:predict"),
                ("POST", "v1/models/own:classify", "/v1/models/own:classify"),
                ("POST", "v1/models/mine:regress", "/v1/models/mine:regress"),
                ("GET", "v1/models/own", "/v1/models/own"),
                ("GET", "v1/models/own/metadata", "/v1/models/own/metadata"),
            ],
        ),
    ] {
        let node = own_program(protocol).await;
        let body = r#"{"id":"mine","inputs":[{"datatype":"BYTES","data":["a"]}]}"#;
        for (method, path, asked) in paths {
            let path = format!("{BASE}/{path}");
            let reply = if *method == "GET" { node.get(&path).await } else { node.post(&path, body, &[]).await };
            assert_eq!(reply.status, 200, "{path}: {:?}", reply.json);
            assert_eq!((&reply.json["method"], &reply.json["path"]), (&json!(method), &json!(asked)));
            let is_v2_inference = *method == "POST" && protocol == "kfserving";
            assert_eq!(reply.json["id"] == "mine", is_v2_inference, "{path}: {:?}", reply.json);
            assert_eq!(reply.json["body"], if *method == "GET" { "" } else { body });
            assert_eq!(reply.headers["provost-predictor"], "main");
        }
        let rows = node.all_requests("iris").await;
        assert_eq!(rows.len(), paths.iter().filter(|(method, ..)| *method == "POST").count());
        assert!(rows.iter().all(|row| row["request"] == body), "{rows:?}");
        let seldon = node.post(&format!("{BASE}/api/v1.0/predictions"), "{}", &[]).await;
        assert_eq!(seldon.status, 404);
        assert!(seldon.info().contains(&format!("node `own` speaks `{protocol}`")), "{:?}", seldon.json);
    }
}

#[tokio::test]
async fn binary_tensors_pass_to_a_program_of_ones_own() {
    let node = own_program("v2").await;
    let body = r#"{"id":"binary","inputs":[]}12345678"#;
    let headers = [("inference-header-content-length", "27")];
    let reply = node.post(&format!("{BASE}/v2/models/own/infer"), body, &headers).await;
    assert_eq!((reply.status, &reply.json["body"]), (200, &json!(body)));
    assert_eq!(reply.headers["inference-header-content-length"], "27");
    assert_eq!(reply.headers["seldon-puid"], "binary");
    let seldon = own_program("seldon").await;
    let reply = seldon.post(&format!("{BASE}/v2/models/own/infer"), body, &[]).await;
    assert_eq!(reply.status, 404);
    assert!(reply.error().contains("node `own` speaks `seldon`, which is at api/v1.0/predictions"), "{:?}", reply.json);
}

#[tokio::test]
async fn a_pod_answers_without_a_prefix() {
    let manifest = manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn");
    let arguments = ["--roles", "predictor", "--listen", "0.0.0.0:0"].map(str::to_owned).to_vec();
    let roots = format!("[\"{}\"]", repository("examples").display());
    let environment = [("PROVOST_MANIFEST", manifest), ("PROVOST_ARTIFACTS__ROOTS", roots)];
    let environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let node = Node::start(NodeOptions { arguments, environment, ..NodeOptions::new(BINARY) }).await;
    for base in ["", BASE] {
        let reply = node.post(&format!("{base}/v2/models/classifier/infer"), &one_tensor().to_string(), &[]).await;
        assert_close(&reply.json["outputs"][0]["data"], &expected("sklearn"), 1e-12);
        let body = json!({"instances": ROWS}).to_string();
        assert_eq!(node.post(&format!("{base}/v1/models/classifier:predict"), &body, &[]).await.status, 200);
        for path in ["/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/classifier", "/v1/models/classifier"] {
            assert_eq!(node.get(&format!("{base}{path}")).await.status, 200, "{base}{path}");
        }
        let reply = node.post(&format!("{base}/v2/models/classifier/infer"), "{", &[]).await;
        assert!(reply.status == 400 && reply.error().starts_with("the body is not valid JSON"), "{:?}", reply.json);
    }
}

#[tokio::test]
async fn paths_at_the_root_mean_a_deployment_by_the_models_name() {
    let node = start().await;
    let status = async |path: &str| node.post(path, &one_tensor().to_string(), &[]).await.status;
    for path in ["/v2/models/iris/infer", "/v2/models/classifier/infer"] {
        assert_eq!(status(path).await, 200, "{path}");
    }
    assert_eq!(status("/v2/models/other/infer").await, 404);
    let reply = node.post("/v2/models/other/infer", "{}", &[]).await;
    assert!(reply.error().ends_with("ask at /seldon/<namespace>/<name>/v2/models/other/infer"), "{}", reply.error());
    assert_eq!(node.get("/v2/health/ready").await.json, json!({"ready": true}));
    assert_eq!(node.get("/v2/models/iris/ready").await.status, 200);
    node.apply(&manifest("second", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    node.await_state("second", DeploymentState::Available).await;
    assert_eq!(status("/v2/models/classifier/infer").await, 404);
    assert_eq!(status("/v2/models/second/infer").await, 200);
}

#[tokio::test]
async fn seldons_metadata_is_told_of_a_model_alone() {
    let node = start().await;
    let metadata = node.get(&format!("{BASE}/api/v0.1/metadata/classifier")).await.json;
    assert_eq!((&metadata["name"], &metadata["platform"]), (&json!("classifier"), &json!("sklearn")));
    assert_eq!(metadata["inputs"][0]["schema"]["shape"], json!([4]));
    assert_eq!(node.get(&format!("{BASE}/api/v1.0/metadata/iris")).await.json, metadata);
    let graph = node.get(&format!("{BASE}/api/v1.0/metadata")).await.json;
    assert_eq!((&graph["models"]["classifier"], &graph["graphinputs"]), (&metadata, &metadata["inputs"]));
    let other = node.get(&format!("{BASE}/api/v1.0/metadata/other")).await;
    assert_eq!((other.status, other.info()), (404, "there is no node `other` in the graph; it has: classifier"));
    assert_eq!(node.get("/api/v1.0/metadata").await.status, 404);
}
