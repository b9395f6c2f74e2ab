//! Clients and programs of others, unmodified, in their own Pythons; without these, the tests pass by.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr, reason = "a test")]

use std::{os::unix::fs::MetadataExt as _, path::PathBuf, process::Command};

use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Node, NodeOptions, manifest, repository};

const BINARY: &str = env!("CARGO_BIN_EXE_provost");

/// A Python that the variable names.
fn python(variable: &str) -> Option<PathBuf> {
    let python = std::env::var_os(variable).map(PathBuf::from);
    if python.is_none() {
        eprintln!("skipped: {variable} names no Python with the clients; `cargo xtask test --suite clients` does");
    }
    python
}

fn script(name: &str) -> PathBuf {
    repository(&format!("crates/cli/tests/clients/{name}"))
}

/// The numbers that the example answers for the rows of the scripts.
fn expected() -> String {
    let text = std::fs::read_to_string(repository("examples/iris/expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    expected["sklearn"]["predict_proba"].to_string()
}

async fn runs_against_the_example(python: PathBuf, name: &str) {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    node.apply(&manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    node.await_state("iris", DeploymentState::Available).await;
    let address = node.url().strip_prefix("http://").unwrap();
    let status = Command::new(python).arg(script(name)).args([address, &expected()]).status().unwrap();
    assert!(status.success(), "{name}: {status}");
}

#[tokio::test]
async fn nvidias_client_gets_the_models_answers() {
    let Some(python) = python("PROVOST_TRITON_PYTHON") else { return };
    runs_against_the_example(python, "triton.py").await;
}

#[tokio::test]
async fn seldons_client_gets_the_models_answers() {
    let Some(python) = python("PROVOST_SELDON_PYTHON") else { return };
    runs_against_the_example(python, "seldon.py").await;
}

#[tokio::test]
async fn tensorflow_servings_client_gets_the_models_answers() {
    let Some(python) = python("PROVOST_SERVING_PYTHON") else { return };
    runs_against_the_example(python, "serving.py").await;
}

async fn manages_services(python: PathBuf, name: &str) {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    let address = node.url().strip_prefix("http://").unwrap();
    let mut command = Command::new(python);
    command.arg(script(name)).args([address, "examples/iris/sklearn", "examples/iris/xgboost", "[1, 1]"]);
    let status = command.status().unwrap();
    assert!(status.success(), "{name}: {status}");
}

#[tokio::test]
async fn kserves_sdk_creates_waits_predicts_and_deletes() {
    let Some(python) = python("PROVOST_KSERVE_PYTHON") else { return };
    manages_services(python, "kserve_sdk.py").await;
}

#[tokio::test]
async fn kfservings_sdk_creates_waits_changes_and_deletes() {
    let Some(python) = python("PROVOST_KFSERVING_PYTHON") else { return };
    manages_services(python, "kfserving_sdk.py").await;
}

#[test]
fn programs_of_seldons_wrapper_are_nodes_of_a_graph() {
    let Some(python) = python("PROVOST_SELDON_PYTHON") else { return };
    let microservice = python.with_file_name("seldon-core-microservice");
    let mut command = Command::new("unshare");
    // Who is not root may do so only as root of a user namespace.
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    command.args(["--user", "--map-root-user"].iter().filter(|_| !is_root));
    command.args(["--net", "--pid", "--fork", "--kill-child"]).arg(&python);
    let status = command.arg(script("nodes.py")).arg(BINARY).arg(microservice).status().unwrap();
    assert!(status.success(), "{status}");
}
