//! The server of a pod, which serves one predictor from a manifest in its environment.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::process::Command;

use provost_testkit::{Node, NodeOptions, manifest, repository};

const BINARY: &str = env!("CARGO_BIN_EXE_provost");

fn options(manifest: String) -> NodeOptions {
    let arguments = ["--roles", "predictor", "--listen", "0.0.0.0:0"].map(str::to_owned).to_vec();
    let roots = format!("[\"{}\"]", repository("examples").display());
    let environment = [("PROVOST_MANIFEST", manifest), ("PROVOST_ARTIFACTS__ROOTS", roots)];
    let environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
    NodeOptions { arguments, environment, ..NodeOptions::new(BINARY) }
}

async fn status(node: &Node, path: &str) -> u16 {
    reqwest::get(format!("{}{path}", node.url())).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_pod_predicts_and_has_neither_api_nor_console() {
    let mut node = Node::start(options(manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn"))).await;
    let body = r#"{"data":{"ndarray":[[5.1,3.5,1.4,0.2]]}}"#;
    let reply = node.predict("iris", body).await;
    assert_eq!(reply.status, 200, "ready means that it predicts: {:?}", reply.json);
    let at_root = reqwest::Client::new().post(format!("{}/api/v1.0/predictions", node.url())).body(body);
    assert_eq!(at_root.header("content-type", "application/json").send().await.unwrap().status(), 200);
    for (path, expected) in
        [("/-/live", 200), ("/metrics", 200), ("/api/v1/deployments", 404), ("/", 404), ("/-/flush", 404)]
    {
        assert_eq!(status(&node, path).await, expected, "{path}");
    }
    let load = reqwest::get(format!("{}/-/load", node.url())).await.unwrap().json::<serde_json::Value>().await.unwrap();
    assert_eq!((&load["requests"], load["busySeconds"].is_f64()), (&serde_json::json!(2), true));
    assert!(node.stop().await.success());
}

#[tokio::test]
async fn a_shadow_answers_its_part_of_the_copies_and_all_that_asks_for_it() {
    let mut options = options(manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn"));
    options.environment.push(("PROVOST_GATEWAY__COPIES_PERCENT".to_owned(), "25".to_owned()));
    let node = Node::start(options).await;
    let client = reqwest::Client::new();
    let answered = async |host: &str| {
        let mut answered = 0;
        for _ in 0..200 {
            let request = client.post(format!("{}/api/v1.0/predictions", node.url())).header("host", host);
            let status = request.body(r#"{"data":{"ndarray":[[5.1,3.5,1.4,0.2]]}}"#).send().await.unwrap().status();
            assert!([200, 204].contains(&status.as_u16()), "{status}");
            answered += u32::from(status == 200);
        }
        answered
    };
    assert_eq!(answered("iris.models.example.org").await, 200);
    for copy in ["models.example.org-shadow", "models.example.org-shadow:8080"] {
        let some = answered(copy).await;
        // Five standard deviations around a quarter.
        assert!((20..=80).contains(&some), "{some}");
    }
}

/// Its end, and what it wrote.
fn run(manifest: Option<&str>) -> (Option<i32>, String) {
    run_with(manifest, &[])
}

fn run_with(manifest: Option<&str>, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    command.args(["serve", "--roles", "predictor", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data.path());
    command.env_remove("PROVOST_MANIFEST").envs(manifest.map(|manifest| ("PROVOST_MANIFEST", manifest)));
    command.envs(environment.iter().copied());
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_pod_that_cannot_serve_ends_with_the_reason() {
    let (code, text) = run(None);
    assert_ne!(code, Some(0));
    assert!(text.contains("the variable PROVOST_MANIFEST is not set"), "{text}");

    let (code, text) = run(Some(&manifest("iris", "SKLEARN_SERVER", "/mnt/models/none")));
    assert_ne!(code, Some(0));
    assert!(text.contains("/mnt/models/none"), "{text}");

    let (code, text) = run(Some(&manifest("iris", "NO_SERVER", "/mnt/models")));
    assert_ne!(code, Some(0));
    assert!(text.contains("NO_SERVER"), "{text}");
}

#[test]
fn a_log_that_cannot_go_where_it_is_to_go_ends_the_start() {
    let manifest = manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn");
    for (bucket, expected) in [
        ("/var/log", "request-log.bucket: `/var/log` is no bucket: write s3://bucket/prefix, gs://bucket/prefix"),
        ("mine:logs", "request-log.bucket: the remote `mine` is not known: use s3:// or gs://"),
    ] {
        let (code, text) = run_with(Some(&manifest), &[("PROVOST_REQUEST_LOG__BUCKET", bucket)]);
        assert_ne!(code, Some(0));
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn a_store_that_is_not_there_holds_up_neither_predictions_nor_the_end_for_long() {
    let mut options = options(manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn"));
    let variables = [
        ("PROVOST_REQUEST_LOG__BUCKET", "s3://logs"),
        ("PROVOST_SERVER__DRAIN_TIMEOUT", "1s"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ];
    options.environment.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let mut node = Node::start(options).await;
    for _ in 0..10 {
        let reply = node.predict("iris", r#"{"data":{"ndarray":[[5.1,3.5,1.4,0.2]]}}"#).await;
        assert_eq!(reply.status, 200);
    }
    assert!(node.stop().await.success());
    let logs = node.logs();
    assert!(logs.contains("of the request log were not sent: ") && logs.contains("10 rows in"), "{logs}");
}

#[test]
fn a_server_with_an_api_of_its_own_keeps_its_log() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data.path());
    let output = command.env("PROVOST_REQUEST_LOG__BUCKET", "s3://logs").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("request-log.bucket: it is for pods"), "{text}");
}
