//! Spans of requests and of calls of nodes, as a collector of OpenTelemetry gets them.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    collections::BTreeMap,
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Node, NodeOptions, wrapped_model};
use serde_json::json;
use tokio::net::TcpListener;

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

type Kept = Arc<Mutex<Vec<u8>>>;

async fn keep(State(kept): State<Kept>, body: Bytes) {
    kept.lock().unwrap().extend_from_slice(&body);
}

/// A collector, by its port, and what it gets.
async fn collector() -> (u16, Kept) {
    let (kept, listener) = (Kept::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().route("/v1/traces", post(keep)).with_state(Arc::clone(&kept));
    tokio::spawn(wrapped_model::serve_router(listener, router));
    (port, kept)
}

/// A server of a node that is a program of its own.
async fn served(environment: &[(&str, String)]) -> Node {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let names = BTreeMap::from([("PREDICTIVE_UNIT_ID".to_owned(), "classifier".to_owned())]);
    tokio::spawn(wrapped_model::serve(listener, names));
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let node = Node::start(NodeOptions { environment, ..NodeOptions::new(BINARY) }).await;
    let endpoint = json!({"service_host": "127.0.0.1", "httpPort": port, "type": "REST"});
    let graph = json!({"name": "classifier", "type": "MODEL", "endpoint": endpoint});
    let manifest = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "own"},
        "spec": {"predictors": [{"name": "main", "graph": graph}]},
    });
    node.apply(&manifest.to_string()).await;
    node.await_state("own", DeploymentState::Available).await;
    node
}

/// What the node gets as `traceparent` where the caller sends this one.
async fn passed_on(node: &Node, traceparent: &str) -> String {
    let path = "/seldon/default/own/api/v1.0/predictions";
    let body = r#"{"data":{"ndarray":[[1,2]]}}"#;
    let reply = node.post(path, body, &[("traceparent", traceparent)]).await;
    assert_eq!(reply.status, 200, "{:?}", reply.json);
    reply.json["meta"]["tags"]["headers"]["traceparent"].as_str().unwrap().to_owned()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// How often bytes stand in others.
fn count(text: &[u8], part: &[u8]) -> usize {
    text.windows(part.len()).filter(|window| *window == part).count()
}

#[tokio::test]
async fn a_request_and_the_call_of_its_node_are_spans_of_the_callers_trace() {
    let (port, kept) = collector().await;
    let mut node = served(&[("PROVOST_TELEMETRY__OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"))]).await;
    let traceparent = passed_on(&node, &format!("00-{TRACE}-{PARENT}-01")).await;
    let [_, trace, span, flags] = traceparent.split('-').collect::<Vec<_>>()[..] else { panic!("{traceparent}") };
    assert_eq!((trace, flags), (TRACE, "01"));
    assert_ne!(span, PARENT, "the node is called within a span of its own");
    let unsampled = passed_on(&node, &format!("00-{}-{PARENT}-00", TRACE.replace('0', "1"))).await;
    assert!(unsampled.ends_with("-00"), "the caller decides: {unsampled}");
    // What is left is sent at the end.
    assert!(node.stop().await.success());

    let kept = kept.lock().unwrap();
    let told = |text: &str| count(&kept, text.as_bytes());
    assert_eq!(count(&kept, &bytes(TRACE)), 2, "two spans of this trace, and none of the other");
    assert_eq!(count(&kept, &bytes(&TRACE.replace('0', "1"))), 0);
    assert_eq!(count(&kept, &bytes(PARENT)), 1, "the request's span names the caller's");
    assert_eq!((told("service.name"), told("provost.node"), told("http.response.status_code")), (1, 1, 2));
    assert!(told("/seldon/default/own/api/v1.0/predictions") >= 1 && told("seldon-puid") == 1);
}

#[tokio::test]
async fn without_a_collector_the_header_passes_as_it_is() {
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let node = served(&[]).await;
    assert_eq!(passed_on(&node, &traceparent).await, traceparent);
}

#[test]
fn what_is_no_collector_ends_the_start() {
    for (name, value, expected) in [
        (
            "PROVOST_TELEMETRY__OTLP_ENDPOINT",
            "collector:4318",
            "telemetry.otlp-endpoint: `collector:4318` is no address",
        ),
        ("PROVOST_TELEMETRY__TRACE_RATIO", "2", "telemetry.trace-ratio: must be between 0 and 1"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let mut command = Command::new(BINARY);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data.path()).env(name, value);
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(expected), "{errors}");
    }
}
