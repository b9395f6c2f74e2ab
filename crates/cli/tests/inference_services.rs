//! `KServe`'s `InferenceService` through the real server: by manifests, and by the API of Kubernetes that its clients use.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use provost_api::rest::v1::deployments::{DeleteParameters, DeploymentState};
use provost_testkit::{Node, NodeOptions, Shell, eventually, manifest};
use reqwest::Method;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
const ROWS: &str = r#"{"instances": [[6.8,2.8,4.8,1.4],[6.1,3.4,4.5,1.6]]}"#;
const SERVICES: &str = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices";

fn service(predictor: &Value) -> Value {
    json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris"},
        "spec": {"predictor": predictor},
    })
}

fn sklearn() -> Value {
    json!({"sklearn": {"storageUri": "examples/iris/sklearn"}})
}

async fn started() -> Node {
    Node::start(NodeOptions::new(BINARY)).await
}

async fn served(node: &Node, predictor: &Value) {
    node.apply(&service(predictor).to_string()).await;
    node.await_state("iris", DeploymentState::Available).await;
}

#[tokio::test]
async fn a_service_answers_where_clients_of_kserve_look_for_it() {
    let node = started().await;
    served(&node, &sklearn()).await;
    let port = node.url().rsplit_once(':').unwrap().1.to_owned();
    let hosts = [format!("iris.default.localhost:{port}"), format!("iris-default.localhost:{port}")];
    for host in [None, Some(&*hosts[0]), Some(&*hosts[1])] {
        let headers: Vec<_> = host.iter().map(|host| ("host", *host)).collect();
        let reply = node.post("/v1/models/iris:predict", ROWS, &headers).await;
        assert_eq!((reply.status, &reply.json), (200, &json!({"predictions": [1, 1]})), "{host:?}");
    }
    assert_eq!(node.get("/v1/models/iris").await.status, 200);
    let body = r#"{"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP64", "data": [6.8, 2.8, 4.8, 1.4]}]}"#;
    let reply = node.post("/v2/models/iris/infer", body, &[]).await;
    assert_eq!((reply.status, &reply.json["outputs"][0]["data"]), (200, &json!([1])));
}

#[tokio::test]
async fn a_model_of_lightgbm_is_served_natively() {
    let node = started().await;
    let uri = "crates/predictors/fixtures/lightgbm/4.6/binary.model.txt";
    served(&node, &json!({"model": {"modelFormat": {"name": "lightgbm"}, "storageUri": uri}})).await;
    let reply = node.post("/v1/models/iris:predict", r#"{"instances": [[7.0, 3.2, 4.7, 1.4]]}"#, &[]).await;
    assert_eq!((reply.status, &reply.json), (200, &json!({"predictions": [0.293_624_211_679_335_2]})));
}

#[tokio::test]
async fn a_predictor_is_rolled_out_by_its_share_and_rolled_back() {
    let node = started().await;
    served(&node, &sklearn()).await;
    let shares = async |percent: Option<u32>| {
        let xgboost = json!({"xgboost": {"storageUri": "examples/iris/xgboost"}, "canaryTrafficPercent": percent});
        served(&node, &xgboost).await;
        let detail = node.await_state("iris", DeploymentState::Available).await;
        let predictors = detail.summary.predictors.into_iter();
        predictors.map(|one| (one.name, one.implementation, one.weight)).collect::<Vec<_>>()
    };
    let share = |name: &str, server: &str, weight| (name.to_owned(), format!("{server}_SERVER"), weight);
    let both = |percent| vec![share("default", "SKLEARN", 100 - percent), share("canary", "XGBOOST", percent)];
    assert_eq!(shares(Some(10)).await, both(10));
    assert_eq!(shares(Some(60)).await, both(60));
    assert_eq!(shares(Some(0)).await, both(0));
    assert_eq!(shares(None).await, vec![share("default", "XGBOOST", 100)]);
}

#[tokio::test]
async fn a_name_belongs_to_one_kind() {
    let node = started().await;
    served(&node, &sklearn()).await;
    let problem = node.apply_refused(&manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    let [error] = problem.errors.as_slice() else { panic!("{problem:?}") };
    assert_eq!(error.path.as_deref(), Some("metadata.name"));
    assert_eq!(
        error.message,
        "`default/iris` is of kind InferenceService already: use another name, or delete it first"
    );
}

#[tokio::test]
async fn a_canary_of_a_service_is_added_weighed_and_promoted_with_one_command_each() {
    let shell = Shell::start(BINARY).await;
    served(shell.node(), &sklearn()).await;
    for (line, traffic) in [
        ("canary add iris --model-uri ./examples/iris/sklearn", "default 90%, canary 10%"),
        ("canary weight iris 40", "default 60%, canary 40%"),
        ("canary promote iris", "default 100%"),
        ("rollback iris", "default 60%, canary 40%"),
        ("canary remove iris", "default 100%"),
    ] {
        assert_eq!(shell.run(&format!("{line} --wait")), "[0]\ninferenceservice/iris configured\n", "{line}");
        let shown = shell.run("get isvc iris");
        assert!(shown.contains(&format!("iris   Available   {traffic} ")), "{line}: {shown}");
    }
}

/// The status and the body of an answer of the API of Kubernetes.
async fn call(node: &Node, method: Method, path: &str, body: Option<(&str, Value)>) -> (u16, Value) {
    let mut request = reqwest::Client::new().request(method, format!("{}{path}", node.url()));
    if let Some((media_type, body)) = body {
        request = request.header("content-type", media_type).body(body.to_string());
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

const JSON: &str = "application/json";

fn ready(object: &Value) -> Value {
    let conditions = object["status"]["conditions"].as_array().unwrap();
    conditions.iter().find(|condition| condition["type"] == "Ready").unwrap()["status"].clone()
}

async fn await_ready(node: &Node) -> Value {
    eventually(async || {
        let (_, object) = call(node, Method::GET, &format!("{SERVICES}/iris"), None).await;
        let is_current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        if is_current && ready(&object) == "True" { Ok(object) } else { Err(object) }
    })
    .await
}

#[tokio::test]
async fn the_api_of_kubernetes_creates_reads_changes_and_deletes() {
    let node = started().await;
    let (status, created) = call(&node, Method::POST, SERVICES, Some((JSON, service(&sklearn())))).await;
    assert_eq!((status, &created["metadata"]["namespace"]), (201, &json!("default")));
    let object = await_ready(&node).await;
    let port = node.url().rsplit_once(':').unwrap().1;
    assert_eq!(object["status"]["url"], format!("http://iris.default.localhost:{port}"));
    assert_eq!(object["status"]["modelStatus"]["states"]["activeModelState"], "Loaded");
    assert_eq!(object["status"]["components"]["predictor"]["traffic"][0]["percent"], 100);

    let patch = json!({"spec": {"predictor": {
        "sklearn": null,
        "xgboost": {"storageUri": "examples/iris/xgboost"},
        "canaryTrafficPercent": 25,
    }}});
    let path = format!("{SERVICES}/iris");
    let (status, _) = call(&node, Method::PATCH, &path, Some(("application/merge-patch+json", patch))).await;
    assert_eq!(status, 200);
    let traffic = await_ready(&node).await["status"]["components"]["predictor"]["traffic"].clone();
    assert_eq!((&traffic[0]["percent"], &traffic[0]["tag"]), (&json!(75), &json!("prev")));
    assert_eq!((&traffic[1]["percent"], &traffic[1]["latestRevision"]), (&json!(25), &json!(true)));

    let mut stale = object;
    stale["spec"]["predictor"]["minReplicas"] = json!(1);
    let (status, answer) = call(&node, Method::PUT, &path, Some((JSON, stale))).await;
    assert_eq!((status, &answer["reason"]), (409, &json!("Conflict")));
    let (status, answer) = call(&node, Method::POST, SERVICES, Some((JSON, service(&sklearn())))).await;
    assert_eq!((status, &answer["reason"]), (409, &json!("AlreadyExists")));

    for path in [SERVICES, "/apis/serving.kserve.io/v1beta1/inferenceservices"] {
        let (_, list) = call(&node, Method::GET, path, None).await;
        assert_eq!((&list["kind"], list["items"].as_array().unwrap().len()), (&json!("InferenceServiceList"), 1));
    }
    let (status, answer) = call(&node, Method::DELETE, &path, None).await;
    assert_eq!((status, &answer["status"]), (200, &json!("Success")));
    let (status, answer) = call(&node, Method::GET, &path, None).await;
    assert_eq!((status, &answer["reason"]), (404, &json!("NotFound")));
}

#[tokio::test]
async fn what_the_api_of_kubernetes_refuses_it_tells_as_kubernetes_does() {
    let node = started().await;
    let broken = service(&json!({"pmml": {"storageUri": "/x"}, "minReplicas": "one"}));
    let (status, answer) = call(&node, Method::POST, SERVICES, Some((JSON, broken))).await;
    assert_eq!((status, &answer["kind"], &answer["reason"]), (422, &json!("Status"), &json!("Invalid")));
    let fields: Vec<_> = answer["details"]["causes"].as_array().unwrap().iter().map(|cause| &cause["field"]).collect();
    assert_eq!(fields, ["spec.predictor.pmml", "spec.predictor.minReplicas"]);
    for (media_type, body, expected) in [
        ("text/plain", service(&sklearn()), 415),
        ("application/json", json!("text"), 400),
        ("application/json-patch+json", json!([{"op": "remove", "path": "/spec"}]), 415),
        ("application/json", json!({"metadata": {}}), 422),
        ("application/json", json!({"kind": "Pod", "metadata": {"name": "iris"}}), 400),
    ] {
        let (status, answer) = call(&node, Method::POST, SERVICES, Some((media_type, body))).await;
        assert_eq!((status, &answer["kind"]), (expected, &json!("Status")), "{media_type}: {answer}");
    }
    let unknown = "/apis/apps/v1/namespaces/default/deployments";
    let (status, answer) = call(&node, Method::GET, unknown, None).await;
    assert_eq!((status, &answer["reason"]), (404, &json!("NotFound")));
}

#[tokio::test]
async fn a_watch_tells_of_a_service_from_its_creation_to_its_end() {
    let node = started().await;
    let url = format!("{}{SERVICES}?watch=true&timeoutSeconds=60", node.url());
    let mut events = reqwest::get(url).await.unwrap();
    node.apply(&service(&sklearn()).to_string()).await;
    let (mut lines, mut text, mut is_ready) = (Vec::new(), String::new(), false);
    while let Some(chunk) = events.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some((line, rest)) = text.split_once('\n') {
            let event: Value = serde_json::from_str(line).unwrap();
            text = rest.to_owned();
            if !is_ready && ready(&event["object"]) == "True" {
                is_ready = true;
                node.client().delete("default", "iris", &DeleteParameters::default()).await.unwrap();
            }
            lines.push(event["type"].as_str().unwrap().to_owned());
        }
        if lines.last().is_some_and(|last| last == "DELETED") {
            break;
        }
    }
    assert!(is_ready);
    assert_eq!((lines.first().unwrap().as_str(), lines.last().unwrap().as_str()), ("ADDED", "DELETED"));
    assert!(lines[1..lines.len() - 1].iter().all(|kind| kind == "MODIFIED"), "{lines:?}");
}
