//! A namespace with an operator of its own, and what tests do there.

use std::{
    collections::BTreeSet,
    env,
    fs::File,
    io::Write as _,
    process::{Child, Command, Stdio},
};

use provost_testkit::eventually;
use serde_json::{Value, json};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_provost");
/// Where the gateway listens, in the network that this runs in.
pub(crate) const GATEWAY: &str = "http://127.0.0.1:8080";
pub(crate) const BODY: &str =
    r#"{"data":{"ndarray":[[5.1,3.5,1.4,0.2],[6.8,2.8,4.8,1.4]]},"meta":{"puid":"same-on-both"}}"#;

/// A namespace of the cluster with an operator for it alone. Both end with this value.
pub(crate) struct Scene {
    pub(crate) namespace: &'static str,
    pub(crate) operator: Option<Child>,
    pub(crate) image: String,
    http: reqwest::Client,
}

impl Scene {
    /// `None` where there is no cluster.
    pub(crate) fn start(namespace: &'static str) -> Option<Self> {
        let mut scene = Self::without_operator(namespace)?;
        scene.start_operator();
        Some(scene)
    }

    pub(crate) fn start_operator(&mut self) {
        self.start_operator_with(&["--gateway", "provost-gateway/gateway"]);
    }

    /// One with these arguments.
    pub(crate) fn start_operator_with(&mut self, arguments: &[&str]) {
        self.operator = Some(operator(self.namespace, &self.image, arguments));
    }

    /// One that has pods send their request log to this bucket, with this Secret.
    pub(crate) fn start_operator_with_log(&mut self, bucket: &str, secret: &str) {
        let log = ["--request-log-bucket", bucket, "--request-log-secret", secret];
        let more = [&["--gateway", "provost-gateway/gateway"][..], &log].concat();
        self.start_operator_with(&more);
    }

    /// One that knows no gateway.
    pub(crate) fn start_operator_alone(&mut self) {
        self.start_operator_with(&[]);
    }

    pub(crate) fn kill_operator(&mut self) {
        if let Some(mut operator) = self.operator.take() {
            // It may have ended already.
            let _ended = operator.kill();
            let _waited = operator.wait();
        }
    }

    /// The namespace, with its access to the store, alone.
    pub(crate) fn without_operator(namespace: &'static str) -> Option<Self> {
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
        Some(Self { namespace, operator: None, image, http: reqwest::Client::new() })
    }

    pub(crate) fn apply(&self, manifest: &Value) {
        kubectl(&["-n", self.namespace, "apply", "-f", "-"], &manifest.to_string());
    }

    /// Waits until the deployment is ready as it was last applied.
    pub(crate) fn wait(&self, name: &str) {
        let name = format!("sdep/{name}");
        let wait =
            |condition: &str| kubectl(&["-n", self.namespace, "wait", "--for", condition, &name, "--timeout=120s"], "");
        let generation = kubectl(&["-n", self.namespace, "get", &name, "-o", "jsonpath={.metadata.generation}"], "");
        wait(&format!("jsonpath={{.status.observedGeneration}}={generation}"));
        wait("condition=Ready");
    }

    pub(crate) fn status(&self, name: &str) -> Value {
        let text = kubectl(&["-n", self.namespace, "get", "sdep", name, "-o", "json"], "");
        serde_json::from_str::<Value>(&text).unwrap()["status"].clone()
    }

    /// Waits until the deployment has failed; gives the reason.
    pub(crate) async fn reason(&self, name: &str) -> String {
        eventually(async || {
            let status = self.status(name);
            let description = status["description"].as_str().unwrap_or_default().to_owned();
            if status["state"] == "Failed" { Ok(description) } else { Err(status) }
        })
        .await
    }

    pub(crate) fn names(&self, kind: &str) -> Vec<String> {
        let text = kubectl(&["-n", self.namespace, "get", kind, "-o", "name"], "");
        text.lines().map(|line| line.rsplit('/').next().unwrap_or_default().to_owned()).collect()
    }

    /// An answer through the gateway: status, the predictor that gave it, body. The status is 0 where nobody
    /// answers.
    pub(crate) async fn predict(&self, name: &str, pin: Option<&str>) -> (u16, String, String) {
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
    pub(crate) async fn predict_at_last(&self, name: &str, pin: Option<&str>) -> String {
        eventually(async || match self.predict(name, pin).await {
            (200, _, body) => Ok(body),
            other => Err(other),
        })
        .await
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.kill_operator();
        if std::thread::panicking() {
            // The cluster may be what fails.
            for kinds in ["sdep,pods,events", "deployments,services,httproutes"] {
                let _shown = Command::new("kubectl").args(["-n", self.namespace, "get", kinds, "-o", "wide"]).status();
            }
            println!("--- operator\n{}", std::fs::read_to_string(log_of(self.namespace)).unwrap_or_default());
        }
        let _deleted = Command::new("kubectl").args(["delete", "namespace", self.namespace, "--wait=false"]).status();
    }
}

fn log_of(namespace: &str) -> std::path::PathBuf {
    env::temp_dir().join(format!("provost-operator-{namespace}.log"))
}

fn operator(namespace: &str, image: &str, more: &[&str]) -> Child {
    let mut command = Command::new(BINARY);
    command.args(["operator", "--image", image, "--image-pull-policy", "Never", "--watch-namespace", namespace]);
    command.args(more);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(log_of(namespace)).unwrap());
    command.spawn().unwrap()
}

/// Runs `kubectl`, which must succeed; gives what it prints.
pub(crate) fn kubectl(arguments: &[&str], input: &str) -> String {
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
pub(crate) fn access() -> Value {
    json!({
        "AWS_ACCESS_KEY_ID": "testaccess",
        "AWS_SECRET_ACCESS_KEY": "testsecret",
        "AWS_ENDPOINT_URL": env::var("PROVOST_TEST_S3").unwrap(),
        "USE_SSL": "false",
    })
}

pub(crate) fn predictor(name: &str, traffic: u32, server: &str, uri: &str) -> Value {
    json!({
        "name": name,
        "traffic": traffic,
        "graph": {"name": "classifier", "implementation": server, "modelUri": uri, "envSecretRefName": "bucket"},
    })
}

pub(crate) fn manifest(predictors: &[Value]) -> Value {
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris"},
        "spec": {"predictors": predictors},
    })
}

pub(crate) fn main_and_canary() -> Value {
    manifest(&[
        predictor("main", 90, "SKLEARN_SERVER", "s3://models/iris/sklearn"),
        predictor("canary", 10, "XGBOOST_SERVER", "s3://models/iris/xgboost"),
    ])
}

/// Sees to it that the deployment fails at no time in a while.
pub(crate) fn stays_available(namespace: &str, period: &str) {
    let mut command = Command::new("kubectl");
    command.args(["-n", namespace, "wait", "sdep/iris", "--for=jsonpath={.status.state}=Failed"]);
    let has_failed = command.arg(format!("--timeout={period}")).output().unwrap().status.success();
    assert!(!has_failed, "it has failed");
}

/// The log of the API server, from some moment on.
pub(crate) struct Audit {
    read: u64,
    lines: String,
}

impl Audit {
    pub(crate) fn from_now() -> Self {
        let read = std::fs::metadata(Self::path()).map_or(0, |file| file.len());
        Self { read, lines: String::new() }
    }

    /// What operators wrote in a namespace: verb and kind.
    pub(crate) fn writes(&mut self, namespace: &str) -> Vec<String> {
        let is_write = |event: &Value| {
            let is_operators = event["userAgent"].as_str().is_some_and(|agent| agent.starts_with("provost"));
            let is_reading = matches!(event["verb"].as_str(), Some("get" | "list" | "watch"));
            is_operators && !is_reading && event["objectRef"]["namespace"] == namespace
        };
        let told = |event: Value| format!("{} {}", event["verb"], event["objectRef"]["resource"]);
        self.events().filter(is_write).map(told).collect()
    }

    /// The permissions that a user needed, as `group resource verb`.
    pub(crate) fn used(&mut self, user: &str) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        for event in self.events().filter(|event| event["user"]["username"] == user) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let about = &event["objectRef"];
            let resource = match text(&about["subresource"]) {
                none if none.is_empty() => text(&about["resource"]),
                subresource => format!("{}/{subresource}", text(&about["resource"])),
            };
            let mut needed = vec![text(&event["verb"])];
            // A patch that makes its object needs both.
            if event["responseStatus"]["code"] == 201 {
                needed.push("create".to_owned());
            }
            used.extend(
                needed.iter().map(|verb| [&text(&about["apiGroup"]), &resource, verb].map(String::as_str).join(" ")),
            );
        }
        used
    }

    fn events(&mut self) -> impl Iterator<Item = Value> {
        self.read_on();
        self.lines.lines().filter_map(|line| serde_json::from_str(line).ok())
    }

    fn read_on(&mut self) {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let Ok(mut file) = File::open(Self::path()) else { return };
        file.seek(SeekFrom::Start(self.read)).unwrap();
        self.read += u64::try_from(file.read_to_string(&mut self.lines).unwrap()).unwrap();
    }

    fn path() -> String {
        env::var("PROVOST_TEST_AUDIT").unwrap()
    }
}
