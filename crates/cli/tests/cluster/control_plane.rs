//! API and console over a cluster, as the chart installs them: what users see and change there is the API server's.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::{
    release::{Release, granted},
    scene::{Audit, BINARY, BODY, Scene, access, kubectl, main_and_canary, manifest, predictor},
};

const RELEASE: &str = "shown";
const NAMESPACE: &str = "shown-system";
const TOKEN: &str = "only-for-this-test";

/// The control plane's address and how commands of `provost` reach it.
struct ControlPlane {
    url: String,
    scene: &'static str,
}

impl ControlPlane {
    /// The way to its Service is known to proxies a while after its pod is ready.
    async fn find(scene: &Scene) -> Self {
        let service = format!("{RELEASE}-provost-console");
        let address = kubectl(&["-n", NAMESPACE, "get", "service", &service, "-o", "jsonpath={.spec.clusterIP}"], "");
        let url = format!("http://{address}:8000");
        eventually(async || reqwest::get(format!("{url}/-/live")).await.map_err(|error| error.to_string())).await;
        Self { url, scene: scene.namespace }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).args(["--namespace", self.scene, "--server", &self.url]);
        command.env("PROVOST_TOKEN", TOKEN).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Whether a command succeeds, and what it prints.
    fn run(&self, arguments: &[&str], input: &str) -> (bool, String) {
        let mut child = self.command(arguments).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    fn succeed(&self, arguments: &[&str], input: &str) -> String {
        let (is_success, text) = self.run(arguments, input);
        assert!(is_success, "provost {arguments:?}: {text}");
        text
    }

    /// An answer of `iris`. The way to a new Service is known everywhere only a while after its pods are ready.
    async fn predict_at_last(&self, arguments: &[&str]) -> String {
        let command = [&["predict", "iris", "-f", "-"], arguments].concat();
        eventually(async || match self.run(&command, BODY) {
            (true, text) => Ok(text),
            (false, text) => Err(text),
        })
        .await
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.succeed(&[arguments, &["--output", "json"]].concat(), "");
        serde_json::from_str(&text).unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}/api/v1/{path}", self.url);
        let answer = reqwest::Client::new().get(url).bearer_auth(TOKEN).send().await.unwrap();
        answer.json().await.unwrap()
    }
}

#[tokio::test]
async fn deployments_of_the_cluster_are_shown_and_changed() {
    let Some(scene) = Scene::without_operator("shown") else { return };
    let mut audit = Audit::from_now();
    kubectl(&["create", "namespace", NAMESPACE], "");
    let token = format!("--from-literal=token={TOKEN}");
    kubectl(&["-n", NAMESPACE, "create", "secret", "generic", "provost-token", &token], "");
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "bucket", "namespace": NAMESPACE},
        "stringData": access(),
    });
    kubectl(&["apply", "-f", "-"], &secret.to_string());
    let values = [
        "controlPlane.enabled=true",
        "controlPlane.tokenSecret=provost-token",
        "gateway=provost-gateway/gateway",
        "predictors.requestLog.bucket=s3://logs/shown",
        "predictors.requestLog.secret=bucket",
    ];
    let release = Release::install(RELEASE, NAMESPACE, &scene.image, &["--set", &values.join(",")]);
    let control_plane = ControlPlane::find(&scene).await;

    let closed = reqwest::get(format!("{}/api/v1/deployments", control_plane.url)).await.unwrap();
    assert_eq!(closed.status(), 401);
    let namespaces = control_plane.get("namespaces").await;
    let has = |name: &str| namespaces["items"].as_array().unwrap().iter().any(|one| one["name"] == name);
    assert!(has("shown") && has("kube-system"), "{namespaces}");

    applies_and_predicts(&scene, &control_plane).await;
    shows_what_runs_it(&control_plane).await;
    finds_requests(&control_plane).await;
    finds_what_was_logged_just_now(&control_plane);
    follows_kubectl(&scene, &control_plane).await;
    refuses(&scene, &control_plane).await;

    control_plane.succeed(&["delete", "sdep", "iris"], "");
    kubectl(&["-n", "shown", "wait", "sdep/iris", "--for=delete", "--timeout=60s"], "");
    needs(&mut audit).await;
    drop(release);
    kubectl(&["delete", "namespace", NAMESPACE, "--wait=false"], "");
}

async fn applies_and_predicts(scene: &Scene, control_plane: &ControlPlane) {
    let text = manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")]).to_string();
    control_plane.succeed(&["apply", "-f", "-", "--message", "the first"], &text);
    control_plane.succeed(&["wait", "sdep", "iris", "--timeout", "120s"], "");
    // It is the same resource for everybody.
    assert_eq!(scene.status("iris")["state"], "Available");
    let shown = control_plane.json(&["get", "sdep", "iris"]);
    assert_eq!(shown["manifest"]["metadata"], json!({"name": "iris", "namespace": "shown"}), "{shown}");
    assert_eq!(shown["predictors"][0]["weight"], 100);
    let last = &control_plane.get("namespaces/shown/deployments/iris/history").await["items"][0];
    assert_eq!((&last["message"], &last["generation"]), (&json!("the first"), &json!(1)), "{last}");
    // The console's way to the pods, and the gateway's, end in the same answer.
    let by_gateway = scene.predict_at_last("iris", None).await;
    let by_console = control_plane.predict_at_last(&[]).await;
    assert_eq!(by_console.trim(), by_gateway.trim());
}

async fn shows_what_runs_it(control_plane: &ControlPlane) {
    let instances = control_plane.json(&["instances", "iris"]);
    let instance = &instances["items"][0];
    assert_eq!(instances["items"].as_array().unwrap().len(), 1, "{instances}");
    assert_eq!((&instance["state"], &instance["predictor"]), (&json!("Ready"), &json!("main")));
    assert_eq!(instance["containers"][0]["name"], "classifier");

    let log = control_plane.succeed(&["logs", "iris"], "");
    assert!(log.contains("provost listens on"), "{log}");
    let mut following = control_plane.command(&["logs", "iris", "--follow", "--output", "json"]).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(first["instance"], instance["name"]);
    following.kill().unwrap();
    following.wait().unwrap();

    let (is_success, text) = control_plane.run(&["logs", "iris", "--instance", "etcd-0"], "");
    assert!(!is_success && text.contains("has no instance `etcd-0`"), "{text}");
    let (is_success, text) = control_plane.run(&["logs", "iris", "--container", "proxy"], "");
    assert!(!is_success && text.contains("it has: classifier"), "{text}");
    let (is_success, text) = control_plane.run(&["logs", "iris", "--previous"], "");
    assert!(!is_success && text.contains("previous terminated container"), "{text}");

    let events = control_plane.json(&["events", "iris"]);
    let reasons: BTreeSet<_> =
        events["items"].as_array().unwrap().iter().filter_map(|event| event["reason"].as_str()).collect();
    assert!(reasons.contains("Scheduled") && reasons.contains("Available"), "{events}");

    eventually(async || {
        let usage = control_plane.get("namespaces/shown/deployments/iris/usage").await;
        let series = &usage["series"][0];
        let last = |name: &str| series[name].as_array().and_then(|values| values.last()).and_then(Value::as_f64);
        let is_told = last("memory").is_some_and(|bytes| bytes > 1e6) && last("cpu").is_some();
        if is_told && last("ready") == Some(1.0) { Ok(()) } else { Err(usage) }
    })
    .await;
    eventually(async || {
        let traffic = control_plane.get("namespaces/shown/deployments/iris/traffic").await;
        let rates = traffic["series"][0]["rate"].as_array().cloned().unwrap_or_default();
        if rates.iter().filter_map(Value::as_f64).any(|rate| rate > 0.0) { Ok(()) } else { Err(traffic) }
    })
    .await;
}

/// What pods have sent to the bucket is found by its rows.
async fn finds_requests(control_plane: &ControlPlane) {
    let rows = eventually(async || {
        let found = control_plane
            .succeed(&["requests", "iris", "--where", "request_id = 'same-on-both'", "--output", "json"], "");
        let rows: Vec<Value> = found.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if rows.len() >= 4 { Ok(rows) } else { Err(found) }
    })
    .await;
    // Two requests of two instances each: by the gateway, and by the control plane.
    assert_eq!((&rows[0]["predictor"], &rows[0]["status"]), (&json!("main"), &json!(200)), "{rows:?}");
    let has_feature = |row: &Value| row.as_object().unwrap().values().any(|value| *value == json!(5.1));
    assert!(rows.iter().any(has_feature), "{rows:?}");
}

/// What a pod has not sent by itself yet is found: the control plane asks it to, though no more than once a second.
fn finds_what_was_logged_just_now(control_plane: &ControlPlane) {
    control_plane.succeed(&["predict", "iris", "-f", "-"], &BODY.replace("same-on-both", "just-now"));
    let ask = ["requests", "iris", "--where", "request_id = 'just-now'", "--output", "json"];
    let is_found = (0..40).any(|_| control_plane.succeed(&ask, "").contains("just-now"));
    assert!(is_found, "a request is not found until its pod sends it by itself");
}

/// What others change is seen at once, and who did.
async fn follows_kubectl(scene: &Scene, control_plane: &ControlPlane) {
    scene.apply(&main_and_canary());
    scene.wait("iris");
    let shown = eventually(async || {
        let shown = control_plane.json(&["get", "sdep", "iris"]);
        if shown["state"] == "Available" && shown["generation"] == 2 { Ok(shown) } else { Err(shown) }
    })
    .await;
    let weights: Vec<_> = shown["predictors"].as_array().unwrap().iter().map(|one| one["weight"].clone()).collect();
    assert_eq!(weights, [json!(90), json!(10)]);
    let last = &control_plane.get("namespaces/shown/deployments/iris/history").await["items"][0];
    assert_eq!(last["author"], "kubectl-client-side-apply", "{last}");
    assert_eq!(last.get("message"), None, "{last}");
    control_plane.predict_at_last(&["--predictor", "canary"]).await;

    // And back: what `kubectl` applied is known to it still.
    let mut half = main_and_canary();
    for predictor in half["spec"]["predictors"].as_array_mut().unwrap() {
        predictor["traffic"] = json!(50);
    }
    control_plane.succeed(&["apply", "-f", "-", "--message", "half and half"], &half.to_string());
    control_plane.succeed(&["wait", "sdep", "iris", "--timeout", "60s"], "");
    let last = &control_plane.get("namespaces/shown/deployments/iris/history").await["items"][0];
    assert_eq!((&last["message"], &last["generation"]), (&json!("half and half"), &json!(3)), "{last}");
    let annotation = r"jsonpath={.metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration}";
    let applied = kubectl(&["-n", "shown", "get", "sdep", "iris", "-o", annotation], "");
    assert_eq!(serde_json::from_str::<Value>(&applied).unwrap()["spec"], main_and_canary()["spec"]);
}

async fn refuses(scene: &Scene, control_plane: &ControlPlane) {
    let malformed = manifest(&[predictor("main", 100, "NO_SERVER", "s3://models/iris/sklearn")]).to_string();
    let (is_success, text) = control_plane.run(&["apply", "-f", "-"], &malformed);
    assert!(!is_success && text.contains("NO_SERVER"), "{text}");
    // What only a cluster has is taken: nothing warns of it.
    let mut scaled = main_and_canary();
    scaled["spec"]["predictors"][0]["replicas"] = json!(2);
    let text = control_plane.succeed(&["apply", "-f", "-", "--dry-run"], &scaled.to_string());
    assert!(!text.contains("replicas"), "{text}");
    let stale = format!("{}/api/v1/namespaces/shown/deployments/iris?generation=1", control_plane.url);
    let stale = reqwest::Client::new().delete(stale).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(stale.status(), 409);
    // Of two documents that can be taken one by one, none is where the cluster refuses one.
    let mut elsewhere = main_and_canary();
    elsewhere["metadata"] = json!({"name": "second", "namespace": "nowhere"});
    let mut first = main_and_canary();
    first["metadata"]["name"] = json!("first");
    let (is_success, text) = control_plane.run(&["apply", "-f", "-"], &format!("{first}\n---\n{elsewhere}"));
    assert!(!is_success && text.contains("nowhere"), "{text}");
    assert_eq!(scene.names("sdep"), ["iris"]);
}

/// Every permission that the chart grants is needed.
async fn needs(audit: &mut Audit) {
    let granted = granted(RELEASE, "control-plane");
    assert!(!granted.iter().any(|one| one.contains("secrets")), "{granted:?}");
    // That of the bucket's keeper.
    assert!(granted.contains("coordination.k8s.io leases update"), "{granted:?}");
    eventually(async || {
        let used = audit.used(&format!("system:serviceaccount:{NAMESPACE}:{RELEASE}-provost-console"));
        let idle: Vec<_> = granted.iter().filter(|one| !used.contains(*one)).collect();
        if idle.is_empty() { Ok(()) } else { Err(format!("granted and not used: {idle:?}")) }
    })
    .await;
}
