//! What must not matter: an operator that is killed, an API server that is gone for a while, storage that does not
//! answer, a node that is lost.

use std::{process::Command, time::Duration};

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::{
    processes::Process,
    scene::{Audit, Scene, kubectl, main_and_canary, manifest, predictor},
    traffic::pass,
};

/// More writes than a deployment of two predictors takes.
const WRITES: usize = 10;

fn iris() -> Value {
    manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")])
}

fn named(name: &str, mut manifest: Value) -> Value {
    manifest["metadata"]["name"] = json!(name);
    manifest
}

#[tokio::test]
async fn an_operator_that_is_killed_after_any_write_leaves_nothing_half_done() {
    let Some(mut scene) = Scene::start("killed") else { return };
    scene.kill_operator();
    for writes in 1..=WRITES {
        let name = format!("iris-{writes}");
        let mut audit = Audit::from_now();
        scene.start_operator();
        scene.apply(&named(&name, main_and_canary()));
        eventually(async || {
            let is_ready = scene.status(&name)["state"] == "Available";
            if is_ready || audit.writes("killed").len() >= writes { Ok(()) } else { Err(audit.writes("killed")) }
        })
        .await;
        scene.kill_operator();
    }
    scene.start_operator();
    for writes in 1..=WRITES {
        scene.wait(&format!("iris-{writes}"));
    }
    assert_eq!(scene.names("deployments").len(), 2 * WRITES);
    assert_eq!(scene.names("services").len(), 2 * WRITES);
}

#[tokio::test]
async fn an_api_server_that_restarts_or_hangs_is_waited_for() {
    let Some(scene) = Scene::start("restart") else { return };
    scene.apply(&iris());
    scene.wait("iris");
    let before = scene.predict_at_last("iris", None).await;
    Process::find("kube-apiserver").restart().await;
    // What serves does not need it.
    assert_eq!(scene.predict_at_last("iris", None).await, before);
    ready().await;
    scene.apply(&named("second", iris()));
    scene.wait("second");

    let server = Process::find("kube-apiserver");
    server.freeze();
    pass(Duration::from_secs(15)).await;
    assert_eq!(scene.predict_at_last("iris", None).await, before);
    server.resume();
    ready().await;
    scene.apply(&named("third", iris()));
    scene.wait("third");
}

#[tokio::test]
async fn a_watch_that_is_stale_is_begun_anew() {
    let Some(scene) = Scene::start("stale") else { return };
    scene.apply(&iris());
    scene.wait("iris");
    let operator = Process::of(scene.operator.as_ref().unwrap());
    operator.freeze();
    kubectl(&["-n", "stale", "delete", "service", "iris-main"], "");
    kubectl(&["-n", "stale", "scale", "deployment/iris-main-0-classifier", "--replicas=3"], "");
    Process::find("kube-apiserver").restart().await;
    ready().await;
    operator.resume();
    eventually(async || {
        let replicas = kubectl(&["-n", "stale", "get", "deploy", "-o", "jsonpath={.items[*].spec.replicas}"], "");
        let services = scene.names("services");
        if replicas == "1" && services == ["iris-main"] { Ok(()) } else { Err((replicas, services)) }
    })
    .await;
    scene.wait("iris");
}

/// Waits until the API server answers, and knows who may do what.
async fn ready() {
    eventually(async || {
        let output = Command::new("kubectl").args(["get", "--raw", "/readyz", "--request-timeout=2s"]).output();
        let output = output.map_err(|error| error.to_string())?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    })
    .await;
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_leaves_what_serves_and_tells_why() {
    let Some(mut scene) = Scene::start("image") else { return };
    scene.apply(&iris());
    scene.wait("iris");
    let before = scene.predict_at_last("iris", None).await;
    scene.kill_operator();
    scene.image = "provost.test/none:1".to_owned();
    scene.start_operator();
    let reason = scene.reason("iris").await;
    assert!(reason.contains("ErrImageNeverPull") && reason.contains("provost.test/none:1"), "{reason}");
    assert_eq!(scene.predict_at_last("iris", None).await, before);
}

#[tokio::test]
async fn storage_that_does_not_answer_is_waited_for() {
    let Some(scene) = Scene::start("storage") else { return };
    let storage = Process::find("versitygw");
    storage.freeze();
    scene.apply(&iris());
    pass(Duration::from_secs(20)).await;
    assert_ne!(scene.status("iris")["state"], "Available");
    storage.resume();
    scene.wait("iris");
}

#[tokio::test]
async fn resources_of_every_version_are_reconciled_whichever_is_stored() {
    let Some(scene) = Scene::start("versions") else { return };
    let stored = |version: &str| {
        let text = kubectl(&["get", "crd", "seldondeployments.machinelearning.seldon.io", "-o", "json"], "");
        let mut crd: Value = serde_json::from_str(&text).unwrap();
        for one in crd["spec"]["versions"].as_array_mut().unwrap() {
            one["storage"] = json!(one["name"] == version);
        }
        kubectl(&["replace", "-f", "-"], &crd.to_string());
    };
    stored("v1alpha2");
    for version in ["v1alpha2", "v1alpha3", "v1"] {
        let mut manifest = named(version, iris());
        manifest["apiVersion"] = json!(format!("machinelearning.seldon.io/{version}"));
        scene.apply(&manifest);
    }
    stored("v1");
    for version in ["v1alpha2", "v1alpha3", "v1"] {
        scene.wait(version);
    }
}

#[tokio::test]
async fn a_node_that_is_lost_takes_its_pods_alone() {
    let Some(scene) = Scene::start("lost") else { return };
    let mut manifest = iris();
    manifest["spec"]["replicas"] = json!(2);
    scene.apply(&manifest);
    scene.wait("iris");
    scene.predict_at_last("iris", None).await;
    let link = link();
    set_link(&link, "down");
    kubectl(&["wait", "node/node-1", "--for=condition=Ready=Unknown", "--timeout=60s"], "");
    eventually(async || {
        let status = scene.status("iris");
        let is_told = status["state"] == "Creating" && status["replicas"] == 1;
        if is_told { Ok(()) } else { Err(status) }
    })
    .await;
    for _ in 0..50 {
        scene.predict_at_last("iris", None).await;
    }
    set_link(&link, "up");
    kubectl(&["wait", "node/node-1", "--for=condition=Ready", "--timeout=60s"], "");
    scene.wait("iris");
}

/// The first node's end of the cable to the other one.
fn link() -> String {
    let output = Command::new("ip").args(["-o", "link", "show", "type", "veth"]).output().unwrap().stdout;
    let text = String::from_utf8(output).unwrap();
    let mut names = text.lines().filter_map(|line| line.split_whitespace().nth(1)?.split('@').next());
    names.find(|name| name.starts_with("to-node-")).unwrap().to_owned()
}

fn set_link(link: &str, state: &str) {
    assert!(Command::new("ip").args(["link", "set", link, state]).status().unwrap().success());
}

#[tokio::test]
async fn an_object_of_somebody_else_is_left_alone_and_told_of() {
    let Some(scene) = Scene::start("theirs") else { return };
    let theirs = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "iris-main", "namespace": "theirs"},
        "spec": {"selector": {"app": "theirs"}, "ports": [{"name": "http", "port": 8000, "targetPort": 1234}]},
    });
    kubectl(&["create", "-f", "-"], &theirs.to_string());
    scene.apply(&iris());
    let reason = scene.reason("iris").await;
    assert!(reason.contains("there is a Service `iris-main` already that is not this deployment's"), "{reason}");
    let text = kubectl(&["-n", "theirs", "get", "service", "iris-main", "-o", "json"], "");
    let service: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(service["metadata"]["ownerReferences"], Value::Null);
    assert_eq!(service["spec"]["ports"][0]["targetPort"], 1234);
    kubectl(&["-n", "theirs", "delete", "service", "iris-main"], "");
    scene.wait("iris");
    scene.predict_at_last("iris", None).await;
}
