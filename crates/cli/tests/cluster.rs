//! The operator on a real Kubernetes, where the environment says that there is one: `PROVOST_TEST_CLUSTER` is
//! the image that its nodes have, `PROVOST_TEST_S3` a store with the bucket `models`, `PROVOST_TEST_AUDIT` the
//! log of the API server. `cargo xtask test --suite cluster` starts it, and runs this inside its network.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "a test")]

use std::{
    env,
    fs::File,
    io::Write as _,
    process::{Child, Command, Stdio},
};

use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Node, NodeOptions, eventually};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
/// Where the gateway listens, in the network that this runs in.
const GATEWAY: &str = "http://127.0.0.1:8080";
const BODY: &str = r#"{"data":{"ndarray":[[5.1,3.5,1.4,0.2],[6.8,2.8,4.8,1.4]]},"meta":{"puid":"same-on-both"}}"#;

/// A namespace of the cluster with an operator for it alone. Both end with this value.
struct Scene {
    namespace: &'static str,
    operator: Child,
    http: reqwest::Client,
}

impl Scene {
    /// `None` where there is no cluster.
    fn start(namespace: &'static str) -> Option<Self> {
        let Ok(image) = env::var("PROVOST_TEST_CLUSTER") else {
            println!("there is no cluster here");
            return None;
        };
        let _already_set = rustls::crypto::ring::default_provider().install_default();
        let crds = Command::new(BINARY).args(["print", "crds"]).output().unwrap().stdout;
        kubectl(&["apply", "--server-side", "-f", "-"], &String::from_utf8(crds).unwrap());
        kubectl(&["wait", "--for=condition=Established", "crd/seldondeployments.machinelearning.seldon.io"], "");
        kubectl(&["create", "namespace", namespace], "");
        kubectl(&["label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted"], "");
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "bucket", "namespace": namespace},
            "stringData": access(),
        });
        kubectl(&["apply", "-f", "-"], &secret.to_string());
        let mut scene = Self { namespace, operator: operator(namespace, &image), http: reqwest::Client::new() };
        assert!(scene.operator.try_wait().unwrap().is_none(), "the operator runs");
        Some(scene)
    }

    fn apply(&self, manifest: &Value) {
        kubectl(&["-n", self.namespace, "apply", "-f", "-"], &manifest.to_string());
    }

    fn wait(&self, name: &str) {
        let name = format!("sdep/{name}");
        kubectl(&["-n", self.namespace, "wait", "--for=condition=Ready", &name, "--timeout=90s"], "");
    }

    fn status(&self, name: &str) -> Value {
        let text = kubectl(&["-n", self.namespace, "get", "sdep", name, "-o", "json"], "");
        serde_json::from_str::<Value>(&text).unwrap()["status"].clone()
    }

    /// Waits until the deployment has failed; gives the reason.
    async fn reason(&self, name: &str) -> String {
        eventually(async || {
            let status = self.status(name);
            let description = status["description"].as_str().unwrap_or_default().to_owned();
            if status["state"] == "Failed" { Ok(description) } else { Err(status) }
        })
        .await
    }

    fn names(&self, kind: &str) -> Vec<String> {
        let text = kubectl(&["-n", self.namespace, "get", kind, "-o", "name"], "");
        text.lines().map(|line| line.rsplit('/').next().unwrap_or_default().to_owned()).collect()
    }

    /// An answer through the gateway: status, the predictor that gave it, body. The status is 0 where nobody
    /// answers.
    async fn predict(&self, name: &str, pin: Option<&str>) -> (u16, String, String) {
        let url = format!("{GATEWAY}/seldon/{}/{name}/api/v1.0/predictions", self.namespace);
        let mut request = self.http.post(url).header("content-type", "application/json").body(BODY);
        if let Some(predictor) = pin {
            request = request.header("provost-predictor", predictor);
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return (0, String::new(), error.to_string()),
        };
        let predictor = response.headers().get("provost-predictor").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), predictor.unwrap_or_default(), response.text().await.unwrap())
    }

    /// Waits until a prediction through the gateway succeeds: a gateway learns of a route a little later.
    async fn predict_at_last(&self, name: &str, pin: Option<&str>) -> String {
        eventually(async || match self.predict(name, pin).await {
            (200, _, body) => Ok(body),
            other => Err(other),
        })
        .await
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.operator.kill();
        let _waited = self.operator.wait();
        if std::thread::panicking() {
            println!("--- {}", kubectl(&["-n", self.namespace, "get", "sdep,pods,events", "-o", "wide"], ""));
            println!("--- operator\n{}", std::fs::read_to_string(log_of(self.namespace)).unwrap_or_default());
        }
        kubectl(&["delete", "namespace", self.namespace, "--wait=false"], "");
    }
}

fn log_of(namespace: &str) -> std::path::PathBuf {
    env::temp_dir().join(format!("provost-operator-{namespace}.log"))
}

fn operator(namespace: &str, image: &str) -> Child {
    let mut command = Command::new(BINARY);
    command.args(["operator", "--image", image, "--image-pull-policy", "Never", "--watch-namespace", namespace]);
    command.args(["--gateway", "provost-gateway/gateway"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(log_of(namespace)).unwrap());
    command.spawn().unwrap()
}

/// Runs `kubectl`, which must succeed; gives what it prints.
fn kubectl(arguments: &[&str], input: &str) -> String {
    let mut child = Command::new("kubectl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What gives access to the bucket.
fn access() -> Value {
    json!({
        "AWS_ACCESS_KEY_ID": "testaccess",
        "AWS_SECRET_ACCESS_KEY": "testsecret",
        "AWS_ENDPOINT_URL": env::var("PROVOST_TEST_S3").unwrap(),
        "USE_SSL": "false",
    })
}

fn predictor(name: &str, traffic: u32, server: &str, uri: &str) -> Value {
    json!({
        "name": name,
        "traffic": traffic,
        "graph": {"name": "classifier", "implementation": server, "modelUri": uri, "envSecretRefName": "bucket"},
    })
}

fn manifest(predictors: &[Value]) -> Value {
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris"},
        "spec": {"predictors": predictors},
    })
}

fn main_and_canary() -> Value {
    manifest(&[
        predictor("main", 90, "SKLEARN_SERVER", "s3://models/iris/sklearn"),
        predictor("canary", 10, "XGBOOST_SERVER", "s3://models/iris/xgboost"),
    ])
}

#[tokio::test]
async fn the_manifest_of_a_laptop_answers_alike_on_a_cluster() {
    let Some(scene) = Scene::start("alike") else { return };
    scene.apply(&main_and_canary());
    scene.wait("iris");

    let mut settings = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    writeln!(settings, "[secrets.alike.bucket]").unwrap();
    for (name, value) in access().as_object().unwrap() {
        writeln!(settings, "{name} = {value}").unwrap();
    }
    let mut options = NodeOptions::new(BINARY);
    options.arguments.extend(["--config".to_owned(), settings.path().display().to_string()]);
    let laptop = Node::start(options).await;
    let mut document = main_and_canary();
    document["metadata"]["namespace"] = json!("alike");
    laptop.apply(&document.to_string()).await;
    eventually(async || {
        let detail = laptop.client().deployment("alike", "iris", None).await.map_err(|error| error.to_string())?;
        if detail.summary.state == DeploymentState::Available { Ok(()) } else { Err(detail.summary.description) }
    })
    .await;

    for predictor in ["main", "canary"] {
        let on_cluster = scene.predict_at_last("iris", Some(predictor)).await;
        let path = "/seldon/alike/iris/api/v1.0/predictions";
        let request = reqwest::Client::new().post(format!("{}{path}", laptop.url())).body(BODY);
        let request = request.header("content-type", "application/json").header("provost-predictor", predictor);
        let on_laptop = request.send().await.unwrap().text().await.unwrap();
        assert_eq!(on_cluster, on_laptop, "{predictor}");
        assert!(on_cluster.contains("same-on-both"), "{on_cluster}");
    }
}

#[tokio::test]
async fn a_canary_gets_its_share_and_is_removed_without_a_failed_request() {
    let Some(scene) = Scene::start("canary") else { return };
    scene.apply(&main_and_canary());
    scene.wait("iris");
    scene.predict_at_last("iris", None).await;
    scene.predict_at_last("iris", Some("canary")).await;
    let mut canaries = 0;
    for _ in 0..500 {
        let (status, predictor, body) = scene.predict("iris", None).await;
        assert_eq!(status, 200, "{body}");
        canaries += u32::from(predictor == "canary");
    }
    // 50 are expected; five standard deviations are 34.
    assert!((16..=84).contains(&canaries), "{canaries} of 500");

    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")]));
    let mut requests = 0_u32;
    while scene.names("deployments") != ["iris-main-0-classifier"] || requests < 200 {
        let (status, _, body) = scene.predict("iris", None).await;
        assert_eq!(status, 200, "request {requests}: {body}");
        requests += 1;
        assert!(requests < 5000, "the canary's Deployment is still there");
    }
    assert_eq!(scene.names("services"), ["iris-main"]);
}

#[tokio::test]
async fn an_update_that_cannot_load_leaves_the_old_one_serving_and_tells_why() {
    let Some(scene) = Scene::start("update") else { return };
    let with = |uri: &str| manifest(&[predictor("main", 100, "SKLEARN_SERVER", uri)]);
    scene.apply(&with("s3://models/iris/sklearn"));
    scene.wait("iris");
    let before = scene.predict_at_last("iris", None).await;
    scene.apply(&with("s3://models/none"));
    let reason = scene.reason("iris").await;
    assert!(reason.contains("there is nothing at `s3://models/none`"), "{reason}");
    assert_eq!(scene.predict_at_last("iris", None).await, before);
    scene.apply(&with("s3://models/iris/sklearn"));
    scene.wait("iris");
}

#[tokio::test]
async fn a_malformed_deployment_is_refused_by_path_and_stops_no_other() {
    let Some(scene) = Scene::start("malformed") else { return };
    let mut malformed = manifest(&[predictor("main", 40, "NO_SERVER", "s3://models/iris/sklearn")]);
    malformed["metadata"]["name"] = json!("malformed");
    scene.apply(&malformed);
    let reason = scene.reason("malformed").await;
    assert!(reason.contains("NO_SERVER") && reason.contains("spec.predictors[0]"), "{reason}");
    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")]));
    scene.wait("iris");
    assert_eq!(scene.names("deployments"), ["iris-main-0-classifier"]);
}

#[tokio::test]
async fn what_others_change_is_put_right_and_what_is_right_is_not_written() {
    let Some(scene) = Scene::start("steady") else { return };
    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")]));
    scene.wait("iris");
    let scale = ["-n", "steady", "scale", "deployment/iris-main-0-classifier", "--replicas=0"];
    kubectl(&scale, "");
    eventually(async || {
        let replicas = kubectl(&["-n", "steady", "get", "deploy", "-o", "jsonpath={.items[0].spec.replicas}"], "");
        if replicas == "1" { Ok(()) } else { Err(replicas) }
    })
    .await;
    scene.wait("iris");
    stays_available("steady", "3s");
    let writes = written("steady");
    assert!(writes > 0, "the audit log tells what the operator writes");
    stays_available("steady", "10s");
    assert_eq!(written("steady"), writes, "nothing is written while nothing changes");
}

/// Sees to it that the deployment fails at no time in a while.
fn stays_available(namespace: &str, period: &str) {
    let mut command = Command::new("kubectl");
    command.args(["-n", namespace, "wait", "sdep/iris", "--for=jsonpath={.status.state}=Failed"]);
    let has_failed = command.arg(format!("--timeout={period}")).output().unwrap().status.success();
    assert!(!has_failed, "it has failed");
}

/// How many times the operator wrote anything in a namespace.
fn written(namespace: &str) -> usize {
    let log = std::fs::read_to_string(env::var("PROVOST_TEST_AUDIT").unwrap()).unwrap();
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_write = |event: &Value| {
        let is_operators = event["userAgent"].as_str().is_some_and(|agent| agent.starts_with("provost"));
        let is_reading = matches!(event["verb"].as_str(), Some("get" | "list" | "watch"));
        is_operators && !is_reading && event["objectRef"]["namespace"] == namespace
    };
    events.filter(is_write).count()
}
