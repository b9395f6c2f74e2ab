//! `KServe`'s `InferenceGraph` through the real server: services of this server and others, chained, chosen and joined.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::sync::{Arc, Mutex};

use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Node, NodeOptions, Reply, Shell, eventually, manifest};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
const ROWS: &str = r#"{"instances": [[6.8,2.8,4.8,1.4],[6.1,3.4,4.5,1.6]]}"#;

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name},
        "spec": {"predictor": {"sklearn": {"storageUri": "examples/iris/sklearn"}}},
    })
}

fn graph(nodes: &Value) -> Value {
    json!({
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": "flow"},
        "spec": {"nodes": nodes},
    })
}

fn root(router: &str, steps: &Value) -> Value {
    json!({"root": {"routerType": router, "steps": steps}})
}

/// A server with two models, and a graph of these nodes.
async fn served(nodes: &Value) -> Node {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    for name in ["one", "two"] {
        node.apply(&service(name).to_string()).await;
    }
    let applied = node.apply(&graph(nodes).to_string()).await;
    assert!(applied.applied[0].warnings.is_empty(), "{:?}", applied.applied[0].warnings);
    node.await_state("flow", DeploymentState::Available).await;
    node
}

async fn ask(node: &Node, body: &str) -> Reply {
    node.post("/seldon/default/flow/", body, &[]).await
}

/// What a server of the user's got.
type Asked = Arc<Mutex<Vec<String>>>;

/// A server that answers each request so, and keeps what it was asked.
async fn program(status: u16, body: &'static str) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/any/path?a=b", listener.local_addr().unwrap());
    let asked = Asked::default();
    let keeps = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = Vec::new();
            while !is_whole(&text) {
                let mut part = [0; 4096];
                let length = stream.read(&mut part).await.unwrap();
                text.extend_from_slice(&part[..length]);
            }
            keeps.lock().unwrap().push(String::from_utf8(text).unwrap());
            let head = format!("HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\nconnection: close\r\n");
            let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, asked)
}

fn is_whole(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    body.len() >= length.parse().unwrap()
}

/// A server that takes connections and says nothing.
async fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    url
}

fn labels() -> Value {
    json!({"predictions": [1, 1]})
}

#[tokio::test]
async fn an_ensemble_joins_the_answers_of_services_by_name_or_number() {
    let node =
        served(&root("Ensemble", &json!([{"name": "first", "serviceName": "one"}, {"serviceName": "two"}]))).await;
    let reply = ask(&node, ROWS).await;
    assert_eq!((reply.status, &reply.json), (200, &json!({"first": labels(), "1": labels()})));
    let port = node.url().rsplit_once(':').unwrap().1.to_owned();
    for path in ["/", "/any/path", "/v1/models/flow:predict"] {
        let reply = node.post(path, ROWS, &[("host", &format!("flow.default.localhost:{port}"))]).await;
        assert_eq!((reply.status, &reply.json["first"]), (200, &labels()), "{path}");
    }
    assert_eq!(node.get("/seldon/default/flow/").await.status, 404);
}

#[tokio::test]
async fn each_service_logs_the_request_under_one_id() {
    let node = served(&root("Sequence", &json!([{"serviceName": "one"}, {"serviceName": "two"}]))).await;
    let reply = node.post("/seldon/default/flow/", ROWS, &[("seldon-puid", "abc")]).await;
    assert_eq!((reply.status, &reply.headers["seldon-puid"]), (200, &"abc".parse().unwrap()));
    for (name, rows) in [("flow", 1), ("one", 2), ("two", 2)] {
        let ids: Vec<_> = node.all_requests(name).await.into_iter().map(|row| row["request_id"].clone()).collect();
        assert_eq!(ids, vec![json!("abc"); rows], "{name}");
    }
    let metrics = reqwest::get(format!("{}/metrics", node.url())).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("deployment_name=\"flow\""), "{metrics}");
}

#[tokio::test]
async fn a_sequence_hands_on_the_request_or_the_answer_before() {
    let (url, asked) = program(200, r#"{"predictions":["cat"],"instances":[[6.8,2.8,4.8,1.4]]}"#).await;
    let (last, asked_last) = program(200, "{}").await;
    let steps = json!([
        {"serviceUrl": url},
        {"serviceName": "one", "data": "$response"},
        {"serviceUrl": last, "data": "$request"},
    ]);
    let node = served(&root("Sequence", &steps)).await;
    let traced = [("traceparent", "00-1-2-01"), ("authorization", "Bearer x"), ("provost-predictor", "graph")];
    let reply = node.post("/seldon/default/flow/", ROWS, &traced).await;
    assert_eq!((reply.status, &reply.json), (200, &json!({})));
    assert_eq!(node.all_requests("one").await.len(), 1);
    for asked in [asked, asked_last] {
        let text = asked.lock().unwrap().remove(0);
        assert!(text.starts_with("POST /any/path?a=b HTTP/1.1\r\n") && text.ends_with(ROWS), "{text}");
        assert!(text.contains("traceparent: 00-1-2-01\r\n") && !text.contains("Bearer"), "{text}");
    }
}

#[tokio::test]
async fn a_model_takes_the_predictions_of_another_as_its_instances() {
    let (url, _) = program(200, r#"{"predictions":[[6.8,2.8,4.8,1.4]]}"#).await;
    let last = json!({"serviceName": "one", "data": "$response", "mapPredictionsToInstances": true});
    let node = served(&root("Sequence", &json!([{"serviceUrl": url}, last]))).await;
    let reply = ask(&node, ROWS).await;
    assert_eq!((reply.status, &reply.json), (200, &json!({"predictions": [1]})));
    let only = json!([{"serviceName": "one", "mapPredictionsToInstances": true}]);
    let node = served(&root("Sequence", &only)).await;
    assert_eq!(ask(&node, ROWS).await.json, labels());
}

#[tokio::test]
async fn a_condition_ends_a_sequence_with_the_answer_before() {
    let (url, asked) = program(200, "{}").await;
    let steps = json!([
        {"serviceName": "one"},
        {"serviceUrl": url, "condition": "[@this].#(predictions.0==2)", "data": "$response"},
    ]);
    let node = served(&root("Sequence", &steps)).await;
    let reply = ask(&node, ROWS).await;
    assert_eq!((reply.status, &reply.json), (200, &labels()));
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_switch_takes_the_first_step_whose_condition_holds() {
    let (url, _) = program(200, r#"{"chosen": "other"}"#).await;
    let steps = json!([
        {"serviceName": "one", "condition": "[@this].#(kind==\"iris\")"},
        {"serviceUrl": url, "condition": "kind"},
    ]);
    let node = served(&root("Switch", &steps)).await;
    let of = |kind: &str| ROWS.replacen('{', &format!("{{\"kind\": \"{kind}\", "), 1);
    assert_eq!(ask(&node, &of("iris")).await.json, labels());
    assert_eq!(ask(&node, &of("cat")).await.json, json!({"chosen": "other"}));
    let reply = ask(&node, ROWS).await;
    let told = "None of the routes matched with the switch condition (node `root`)";
    assert_eq!((reply.status, reply.error()), (404, told));
    let reply = ask(&node, "{").await;
    assert!(reply.status == 400 && reply.error().contains("node `root` chooses by the request, which is no JSON"));
}

#[tokio::test]
async fn a_splitter_shares_requests_out_by_weight() {
    let (url, asked) = program(200, r#"{"from": "b"}"#).await;
    let nodes = json!({
        "root": {"routerType": "Splitter", "steps": [{"nodeName": "a", "weight": 75}, {"serviceUrl": url, "weight": 25}]},
        "a": {"routerType": "Sequence", "steps": [{"serviceName": "one"}]},
    });
    let node = served(&nodes).await;
    let mut of_a = 0;
    for _ in 0..80 {
        of_a += usize::from(ask(&node, ROWS).await.json == labels());
    }
    // Five standard deviations of a binomial with p = 0.25.
    assert_eq!(of_a + asked.lock().unwrap().len(), 80);
    assert!((41..=79).contains(&of_a), "{of_a}");
}

#[tokio::test]
async fn what_is_needed_and_fails_is_the_answer_and_the_rest_goes_on() {
    let (broken, _) = program(418, r#"{"why": "teapot"}"#).await;
    let of = |dependency: &str| json!([{"serviceUrl": broken, "dependency": dependency}, {"serviceName": "one"}]);
    let node = served(&root("Sequence", &of("Hard"))).await;
    let reply = ask(&node, ROWS).await;
    assert_eq!((reply.status, &reply.json), (418, &json!({"why": "teapot"})));
    let then = async |nodes: Value| {
        node.apply(&graph(&nodes).to_string()).await;
        node.await_state("flow", DeploymentState::Available).await;
        let reply = ask(&node, ROWS).await;
        (reply.status, reply.json)
    };
    assert_eq!(then(root("Sequence", &of("Soft"))).await, (200, labels()));
    assert_eq!(then(root("Ensemble", &of("Hard"))).await, (418, json!({"why": "teapot"})));
    assert_eq!(then(root("Ensemble", &of("Soft"))).await, (200, json!({"0": {"why": "teapot"}, "1": labels()})));
}

#[tokio::test]
async fn steps_that_cannot_be_used_are_named() {
    let (silent, (garbage, _)) = (silent().await, program(200, "<html>").await);
    let node = served(&root("Sequence", &json!([{"serviceName": "one"}]))).await;
    let after_garbage = json!([{"serviceUrl": garbage}, {"serviceName": "one", "condition": "a"}]);
    for (router, steps, status, told) in [
        (
            "Sequence",
            json!([{"name": "s", "serviceUrl": silent}]),
            504,
            "step `s` of node `root` did not answer within 1000 ms",
        ),
        (
            "Sequence",
            json!([{"serviceUrl": "http://127.0.0.1:1/"}]),
            503,
            "step `0` of node `root` does not answer at 127.0.0.1:1",
        ),
        ("Ensemble", json!([{"serviceUrl": garbage}]), 500, "the answer of step `0` of node `root` is no JSON"),
        ("Sequence", after_garbage, 500, "the answer before step `1` of node `root` is no JSON"),
    ] {
        let mut flow = graph(&root(router, &steps));
        flow["spec"]["routerTimeouts"] = json!({"serviceClient": 1});
        node.apply(&flow.to_string()).await;
        node.await_state("flow", DeploymentState::Available).await;
        let reply = ask(&node, ROWS).await;
        assert_eq!(reply.status, status, "{:?}", reply.json);
        assert!(reply.error().contains(told), "{:?}", reply.json);
    }
    let mut flow = graph(&root("Sequence", &json!([{"serviceUrl": silent}])));
    flow["spec"]["timeout"] = json!(1);
    node.apply(&flow.to_string()).await;
    node.await_state("flow", DeploymentState::Available).await;
    let reply = ask(&node, ROWS).await;
    assert_eq!((reply.status, reply.error()), (504, "the graph did not answer within 1000 ms"));
    for (header, value, status) in [("inference-header-content-length", "2", 400), ("provost-predictor", "one", 404)] {
        assert_eq!(node.post("/seldon/default/flow/", ROWS, &[(header, value)]).await.status, status);
    }
}

#[tokio::test]
async fn services_are_asked_in_the_protocol_that_they_speak() {
    let node = served(&root("Sequence", &json!([{"serviceName": "one"}]))).await;
    node.apply(&manifest("old", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    node.await_state("old", DeploymentState::Available).await;
    node.apply(&graph(&root("Sequence", &json!([{"serviceName": "old"}]))).to_string()).await;
    node.await_state("flow", DeploymentState::Available).await;
    let reply = ask(&node, r#"{"data": {"ndarray": [[6.8,2.8,4.8,1.4]]}}"#).await;
    assert!(reply.status == 200 && reply.json["data"]["ndarray"].is_array(), "{:?}", reply.json);
    let reply = ask(&node, ROWS).await;
    assert_eq!(reply.status, 400);
    assert!(reply.info().starts_with("step `0` of node `root`: "), "{:?}", reply.json);
}

#[tokio::test]
async fn a_graph_waits_for_its_services_and_outlives_their_changes() {
    let shell = Shell::start(BINARY).await;
    let node = shell.node();
    let flow = graph(&root("Sequence", &json!([{"serviceName": "one"}])));
    node.apply(&flow.to_string()).await;
    let detail = node.await_state("flow", DeploymentState::Failed).await;
    let told = "node `root`, step 0: there is no deployment `one` in the namespace: apply one";
    assert!(detail.summary.description.contains(told), "{}", detail.summary.description);
    let reply = ask(node, ROWS).await;
    assert!(reply.status == 503 && reply.error().contains(told), "{:?}", reply.json);
    node.apply(&service("one").to_string()).await;
    assert_eq!(shell.run("wait ig flow"), "[0]\ninferencegraph/flow condition met\n");
    assert_eq!(ask(node, ROWS).await.json, labels());
    let shown = shell.run("get ig");
    assert!(shown.contains("flow   Available   graph 100%"), "{shown}");
    let described = shell.run("describe inferencegraph flow");
    assert!(described.contains("/seldon/default/flow/\n") && described.contains("service one"), "{described}");
    assert_eq!(shell.run("delete isvc one"), "[0]\ninferenceservice/one deleted\n");
    let detail = node.await_state("flow", DeploymentState::Failed).await;
    assert!(detail.summary.description.ends_with(told), "{}", detail.summary.description);
    let reply = ask(node, ROWS).await;
    let told = "step `0` of node `root`: there is no deployment `one` in the namespace `default`";
    assert_eq!((reply.status, reply.error()), (503, told));
    node.apply(&service("one").to_string()).await;
    node.await_state("flow", DeploymentState::Available).await;
    assert_eq!(shell.run("delete ig flow"), "[0]\ninferencegraph/flow deleted\n");
    eventually(async || match ask(node, ROWS).await.status {
        404 => Ok(()),
        other => Err(other),
    })
    .await;
}

#[tokio::test]
async fn graphs_that_call_each_other_end() {
    let node = served(&root("Sequence", &json!([{"serviceName": "one"}]))).await;
    let other = |service: &str| {
        let mut other = graph(&root("Sequence", &json!([{"serviceName": service}])));
        other["metadata"]["name"] = json!("other");
        other.to_string()
    };
    node.apply(&other("flow")).await;
    node.await_state("other", DeploymentState::Available).await;
    assert_eq!(node.post("/seldon/default/other/", ROWS, &[]).await.json, labels());
    node.apply(&graph(&root("Sequence", &json!([{"serviceName": "other"}]))).to_string()).await;
    node.await_state("flow", DeploymentState::Available).await;
    let reply = ask(&node, ROWS).await;
    assert!(reply.status == 422 && reply.error().contains("more than 8 graphs call each other"), "{:?}", reply.json);
}

#[tokio::test]
async fn the_api_of_kubernetes_has_graphs_too() {
    let mut node = served(&root("Sequence", &json!([{"serviceName": "one"}]))).await;
    node.kill();
    node.restart().await;
    let path = "/apis/serving.kserve.io/v1alpha1/namespaces/default/inferencegraphs";
    let object = node.get(&format!("{path}/flow")).await.json;
    let port = node.url().rsplit_once(':').unwrap().1;
    assert_eq!(object["status"]["url"], format!("http://flow.default.localhost:{port}/"));
    let ready = &object["status"]["conditions"][0];
    assert_eq!((&ready["type"], &ready["status"]), (&json!("Ready"), &json!("True")));
    assert_eq!(node.get(path).await.json["kind"], "InferenceGraphList");
    assert_eq!(ask(&node, ROWS).await.json, labels());
    let problem = node.apply_refused(&manifest("flow", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    assert_eq!(
        problem.errors[0].message,
        "`default/flow` is of kind InferenceGraph already: use another name, or delete it first"
    );
}

/// A process that ends with the test.
struct Process(std::process::Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// A server over TLS, and the file with its certificate.
async fn over_tls(files: &std::path::Path) -> (Process, String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = |name: &str| files.join(name).display().to_string();
    std::fs::write(path("certificate.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let server = std::process::Command::new(BINARY)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", &path("data")])
        .env("PROVOST_SERVER__TLS_CERTIFICATE", path("certificate.pem"))
        .env("PROVOST_SERVER__TLS_KEY", path("key.pem"))
        .spawn()
        .unwrap();
    let url = eventually(async || {
        let text = std::fs::read_to_string(path("data/server.json")).map_err(|error| error.to_string())?;
        let told: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok::<_, String>(told["url"].as_str().ok_or(text)?.replace("127.0.0.1", "localhost"))
    })
    .await;
    (Process(server), url, path("certificate.pem"))
}

#[tokio::test]
async fn an_address_is_called_over_tls_where_its_certificate_is_trusted() {
    let files = tempfile::tempdir().unwrap();
    let (_server, url, certificate) = over_tls(files.path()).await;
    assert!(url.starts_with("https://"), "{url}");
    let trusting = vec![("SSL_CERT_FILE".to_owned(), certificate)];
    for (environment, expected) in [(trusting, 405), (Vec::new(), 503)] {
        let node = Node::start(NodeOptions { environment, ..NodeOptions::new(BINARY) }).await;
        let step = json!([{"serviceUrl": format!("{url}/v2")}]);
        node.apply(&graph(&root("Sequence", &step)).to_string()).await;
        node.await_state("flow", DeploymentState::Available).await;
        let reply = ask(&node, ROWS).await;
        assert_eq!(reply.status, expected, "{}", reply.json);
        let told = if expected == 405 { "`/v2` takes GET, not POST" } else { "over TLS: " };
        assert!(reply.error().contains(told), "{}", reply.json);
        assert_eq!(reply.error().contains("certificate"), expected == 503, "{}", reply.json);
    }
}
