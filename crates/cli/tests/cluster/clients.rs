//! Clients of others, unmodified, in their own Pythons, against deployments of a cluster.

use std::{path::PathBuf, process::Command};

use provost_testkit::repository;

use crate::{
    accounts,
    inference_services::install,
    scene::{GATEWAY, Scene, kubectl, manifest, predictor},
};

/// A Python that the variable names.
fn python(variable: &str) -> Option<PathBuf> {
    let python = std::env::var_os(variable).map(PathBuf::from);
    if python.is_none() {
        println!("skipped: {variable} names no Python with the clients");
    }
    python
}

/// Runs a script of the suite `clients`.
fn run(variable: &str, script: &str, arguments: &[&str]) {
    let Some(python) = python(variable) else { return };
    let path = repository(&format!("crates/cli/tests/clients/{script}"));
    let output = Command::new(python).arg(path).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {} {errors}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn clients_of_predictions_get_the_models_answers() {
    let Some(scene) = Scene::start("clients") else { return };
    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")]));
    scene.wait("iris");
    scene.predict_at_last("iris", None).await;
    let text = std::fs::read_to_string(repository("examples/iris/expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = expected["sklearn"]["predict_proba"].to_string();
    let gateway = GATEWAY.strip_prefix("http://").unwrap();
    run("PROVOST_SELDON_PYTHON", "seldon.py", &[gateway, &expected, "clients"]);
    let address = ["-n", "clients", "get", "service", "iris-main", "-o", "jsonpath={.spec.clusterIP}:8000"];
    let address = kubectl(&address, "");
    run("PROVOST_TRITON_PYTHON", "triton.py", &[&address, &expected]);
    run("PROVOST_SERVING_PYTHON", "serving.py", &[&address, &expected, "clients"]);
}

#[tokio::test]
async fn clients_of_services_create_wait_predict_change_and_delete() {
    let Some(mut scene) = Scene::without_operator("sdks") else { return };
    install();
    accounts::grant(scene.namespace);
    let domain = ["--ingress-domain", "example.org"];
    scene.start_operator_with(
        &[&["--gateway", "provost-gateway/gateway", "--inference-services"], &domain[..]].concat(),
    );
    let gateway = GATEWAY.strip_prefix("http://").unwrap();
    let models = ["s3://models/iris/sklearn", "s3://models/iris/xgboost", "[1, 1]"];
    for (variable, script) in
        [("PROVOST_KSERVE_PYTHON", "kserve_sdk.py"), ("PROVOST_KFSERVING_PYTHON", "kfserving_sdk.py")]
    {
        run(variable, script, &[&[gateway], &models[..], &["sdks", accounts::ACCOUNT]].concat());
    }
}
