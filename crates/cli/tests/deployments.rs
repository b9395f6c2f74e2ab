//! Deployments through the real server: states with reasons, updates, restarts, faults.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "a test")]

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use provost_api::rest::v1::deployments::{DeleteParameters, DeploymentState, ListParameters};
use provost_testkit::{Node, NodeOptions, eventually, manifest, repository};

const ROW: &str = r#"{"data":{"ndarray":[[6.8,2.8,4.8,1.4]]}}"#;
const MODEL: &str = "examples/iris/sklearn";

fn options() -> NodeOptions {
    NodeOptions::new(env!("CARGO_BIN_EXE_provost"))
}

async fn start() -> Node {
    Node::start(options()).await
}

#[tokio::test]
async fn a_model_that_cannot_be_served_fails_with_a_reason_to_act_on() {
    let node = start().await;
    let hostile = repository("crates/predictors/fixtures/hostile");
    let expected = std::fs::read_to_string(hostile.join("expected.json")).unwrap();
    assert!(expected.contains("os.system"));
    for (name, uri, reason) in [
        ("missing", "/no/such/model", "there is no file or folder `/no/such/model`: check the model URI"),
        ("empty", "docs", "no model file: looked for `model.joblib`"),
    ] {
        node.apply(&manifest(name, "SKLEARN_SERVER", uri)).await;
        let detail = node.await_state(name, DeploymentState::Failed).await;
        assert!(detail.summary.description.contains(reason), "{}", detail.summary.description);
        let reply = node.predict(name, ROW).await;
        assert_eq!(reply.status, 503);
        assert!(reply.info().contains(reason), "{}", reply.info());
        assert!(reply.headers.contains_key("retry-after"));
    }
}

#[tokio::test]
async fn a_model_that_appears_later_is_picked_up() {
    let node = start().await;
    let folder = tempfile::tempdir().unwrap();
    let uri = folder.path().join("model.joblib").display().to_string();
    node.apply(&manifest("late", "SKLEARN_SERVER", &uri)).await;
    node.await_state("late", DeploymentState::Failed).await;
    std::fs::copy(repository(MODEL).join("model.joblib"), &uri).unwrap();
    node.await_state("late", DeploymentState::Available).await;
}

#[tokio::test]
async fn all_documents_are_checked_before_any_is_stored() {
    let node = start().await;
    let good = manifest("good", "SKLEARN_SERVER", MODEL);
    let bad = manifest("bad", "NO_SUCH_SERVER", MODEL);
    let problem = node.apply_refused(&format!("{good}---\n{bad}")).await;
    assert_eq!(problem.status, 422);
    assert!(problem.detail.contains("No entry in predictors map for NO_SUCH_SERVER"), "{}", problem.detail);
    let problem = node.apply_refused(&manifest("claim", "SKLEARN_SERVER", "pvc://claim/model")).await;
    let reason = "spec.predictors[0].graph.modelUri: a claimed volume is mounted on a Kubernetes cluster only";
    assert!(problem.detail.contains(reason), "{}", problem.detail);
    assert_eq!(node.client().deployments(&ListParameters::default()).await.unwrap().total, 0);
}

#[tokio::test]
async fn an_update_loses_no_request_and_a_failed_one_keeps_the_version_before() {
    let node = Arc::new(start().await);
    node.apply(&manifest("iris", "SKLEARN_SERVER", MODEL)).await;
    node.await_state("iris", DeploymentState::Available).await;

    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn({
        let (node, stop) = (Arc::clone(&node), Arc::clone(&stop));
        async move {
            let mut answers = HashMap::new();
            while !stop.load(Ordering::Relaxed) {
                *answers.entry(node.predict("iris", ROW).await.status).or_insert(0) += 1;
            }
            answers
        }
    });
    for round in 0..5 {
        let uri = if round % 2 == 0 { "examples/iris/sklearn/model.joblib" } else { MODEL };
        node.apply(&manifest("iris", "SKLEARN_SERVER", uri)).await;
        node.await_state("iris", DeploymentState::Available).await;
    }
    node.apply(&manifest("iris", "SKLEARN_SERVER", "/no/such/model")).await;
    let failed = node.await_state("iris", DeploymentState::Failed).await;
    assert_eq!(
        node.predict("iris", ROW).await.status,
        200,
        "the version before serves: {}",
        failed.summary.description
    );
    stop.store(true, Ordering::Relaxed);
    let answers = load.await.unwrap();
    assert_eq!(answers.keys().copied().collect::<Vec<_>>(), [200], "{answers:?}");
}

#[tokio::test]
async fn a_restart_after_a_failed_update_serves_the_version_before() {
    let mut node = start().await;
    node.apply(&manifest("iris", "SKLEARN_SERVER", MODEL)).await;
    node.await_state("iris", DeploymentState::Available).await;
    let answer = node.predict("iris", ROW).await.json["data"].clone();
    for _ in 0..2 {
        node.apply(&manifest("iris", "SKLEARN_SERVER", "/no/such/model")).await;
        node.await_state("iris", DeploymentState::Failed).await;
        node.kill();
        node.restart().await;
        let failed = node.await_state("iris", DeploymentState::Failed).await;
        assert!(failed.summary.description.contains("the version before keeps serving"), "{failed:?}");
        assert_eq!(node.predict("iris", ROW).await.json["data"], answer);
    }
    node.apply(&manifest("iris", "SKLEARN_SERVER", MODEL)).await;
    node.await_state("iris", DeploymentState::Available).await;
    node.kill();
    node.restart().await;
    let available = node.await_state("iris", DeploymentState::Available).await;
    assert_eq!(available.summary.generation, 4);
}

#[tokio::test]
async fn a_deleted_deployment_is_gone_and_its_log_stays() {
    let node = start().await;
    node.apply(&manifest("iris", "SKLEARN_SERVER", MODEL)).await;
    node.await_state("iris", DeploymentState::Available).await;
    node.predict("iris", ROW).await;
    node.client().delete("default", "iris", &DeleteParameters::default()).await.unwrap();
    eventually(async || match node.predict("iris", ROW).await.status {
        404 => Ok(()),
        status => Err(status),
    })
    .await;
    assert!(node.all_requests("iris").await.iter().any(|row| row["status"] == 200));
    assert!(node.client().delete("default", "iris", &DeleteParameters::default()).await.is_err());
}

#[tokio::test]
async fn one_server_at_a_time_has_a_data_directory_and_a_port() {
    let node = start().await;
    let serve = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_provost")).arg("serve").args(arguments).output();
        String::from_utf8(output.unwrap().stderr).unwrap()
    };
    let error = serve(&["--listen", "127.0.0.1:0", "--data-dir", node.data().to_str().unwrap()]);
    assert!(error.contains("another provost serves from"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let address = node.url().strip_prefix("http://").unwrap();
    let error = serve(&["--listen", address, "--data-dir", folder.path().to_str().unwrap()]);
    assert!(error.contains(&format!("cannot listen on {address}: stop what listens there")), "{error}");
}

/// Sends requests until the server dies, and keeps the ids of those that were answered 200.
async fn load(url: String, name: String, answered: Arc<Mutex<HashSet<String>>>) {
    let client = reqwest::Client::new();
    for index in 0.. {
        let id = format!("{name}-{index}");
        let request = client.post(format!("{url}/seldon/default/iris/api/v1.0/predictions"));
        let Ok(response) = request.header("seldon-puid", &id).body(ROW).send().await else { return };
        let is_ok = response.status() == 200;
        match response.bytes().await {
            Ok(_) if is_ok => answered.lock().unwrap().insert(id),
            _ => return,
        };
    }
}

/// Kills the server under load `times` times; every prediction that was answered is in the log once.
async fn survive_kills(times: u32) {
    let mut node = start().await;
    node.apply(&manifest("iris", "SKLEARN_SERVER", MODEL)).await;
    node.await_state("iris", DeploymentState::Available).await;
    let answered = Arc::new(Mutex::new(HashSet::new()));
    for round in 0..times {
        let before = answered.lock().unwrap().len();
        let clients: Vec<_> = (0..4)
            .map(|client| {
                tokio::spawn(load(node.url().to_owned(), format!("r{round}-c{client}"), Arc::clone(&answered)))
            })
            .collect();
        eventually(async || match answered.lock().unwrap().len() - before {
            0..100 => Err("too few answers"),
            _ => Ok(()),
        })
        .await;
        node.kill();
        for client in clients {
            client.await.unwrap();
        }
        node.restart().await;
        assert_eq!(node.predict("iris", ROW).await.status, 200, "the deployment came back by itself");
    }
    let rows = node.all_requests("iris").await;
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for row in &rows {
        *counts.entry(row["request_id"].as_str().unwrap()).or_default() += 1;
        assert_eq!(row["x.x0"], 6.8, "a torn row: {row:?}");
    }
    let answered = answered.lock().unwrap();
    let missing = answered.iter().filter(|id| !counts.contains_key(id.as_str())).count();
    let twice = counts.values().filter(|count| **count > 1).count();
    println!("{} kills, {} predictions answered, {missing} missing, {twice} twice", times, answered.len());
    assert_eq!((missing, twice), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answered_prediction_survives_kill_9() {
    let times = std::env::var("PROVOST_KILLS").ok().and_then(|times| times.parse().ok()).unwrap_or(5);
    survive_kills(times).await;
}

#[tokio::test]
async fn ctrl_c_answers_what_is_in_flight_and_keeps_the_log() {
    let mut node = start().await;
    node.apply(&manifest("iris", "SKLEARN_SERVER", MODEL)).await;
    node.await_state("iris", DeploymentState::Available).await;
    node.predict("iris", ROW).await;
    assert!(node.stop().await.success());
    assert!(!node.data().join("server.json").exists());
    node.restart().await;
    assert_eq!(node.all_requests("iris").await.len(), 1);
}

/// Needs root, for a file system of its own.
#[tokio::test]
async fn a_full_disk_costs_records_and_no_predictions() {
    let is_root = std::process::Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !is_root {
        println!("skipped: mounting a small file system needs root");
        return;
    }
    // Segments are 8 MiB: with two serving threads the second finds no room.
    let mut options = NodeOptions { disk_mib: Some(10), ..options() };
    options.environment.push(("PROVOST_SERVER__THREADS".into(), "2".into()));
    let node = Node::start(options).await;
    node.apply(&manifest("iris", "SKLEARN_SERVER", MODEL)).await;
    node.await_state("iris", DeploymentState::Available).await;
    // Connections go to the threads in turn, so that both are met.
    for _ in 0..8 {
        let client = reqwest::Client::new();
        let url = format!("{}/seldon/default/iris/api/v1.0/predictions", node.url());
        let answers = futures_util::future::join_all((0..4).map(|_| client.post(&url).body(ROW).send())).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap().status() == 200));
    }
    let status = node.client().status().await.unwrap();
    assert!(status.lost_records > 0, "{status:?}");
    let metrics = reqwest::get(format!("{}/metrics", node.url())).await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains(&format!("provost_request_log_lost_records_total {}\n", status.lost_records)),
        "{metrics}"
    );
}
