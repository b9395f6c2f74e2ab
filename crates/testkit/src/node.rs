//! One server.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use provost_api::{
    client::Client,
    problem::Problem,
    rest::v1::{
        apply::{ApplyParameters, ApplyResult},
        deployments::{DeploymentDetail, DeploymentState},
        requests::{RequestPage, RequestParameters},
    },
};
use serde_json::Value;
use tempfile::TempDir;

use crate::eventually;

/// How a server is started.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// The `provost` binary.
    pub binary: PathBuf,
    /// Arguments after `serve`.
    pub arguments: Vec<String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Size in MiB of a file system of its own for the request log; needs root.
    pub disk_mib: Option<u32>,
}

/// A running server. It is killed, and its data removed, when this is dropped.
#[derive(Debug)]
pub struct Node {
    options: NodeOptions,
    data: TempDir,
    process: Child,
    url: String,
    http: reqwest::Client,
}

/// An answer of the data plane.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body as JSON; null where it is none.
    pub json: Value,
}

impl Reply {
    /// The text of `status.info` of an error.
    pub fn info(&self) -> &str {
        self.json.pointer("/status/info").and_then(Value::as_str).unwrap_or_default()
    }

    /// The text of `error` of an error of V1 and V2, which has nothing besides.
    pub fn error(&self) -> &str {
        let is_alone = self.json.as_object().is_some_and(|object| object.len() == 1);
        self.json["error"].as_str().filter(|_| is_alone).unwrap_or_default()
    }
}

impl NodeOptions {
    /// A server of this binary on a free port.
    pub fn new(binary: &str) -> Self {
        let arguments = vec!["--listen".to_owned(), "127.0.0.1:0".to_owned()];
        Self { binary: binary.into(), arguments, environment: Vec::new(), disk_mib: None }
    }
}

impl Node {
    /// Starts a server and waits until it is ready.
    pub async fn start(options: NodeOptions) -> Self {
        // Clients need a provider; a second call would say that it is set.
        let _already_set = rustls::crypto::ring::default_provider().install_default();
        let data = tempfile::tempdir().expect("a folder can be made");
        let process = spawn(&options, data.path());
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().expect("a client can be made");
        let mut node = Self { options, data, process, url: String::new(), http };
        node.await_ready().await;
        node
    }

    /// Kills the server as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }

    /// Starts it again on its data, and waits until it is ready.
    pub async fn restart(&mut self) {
        self.process = spawn(&self.options, self.data.path());
        self.await_ready().await;
    }

    /// Asks the server to stop, as Ctrl-C does, and waits until it has.
    pub async fn stop(&mut self) -> std::process::ExitStatus {
        let id = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        let sent = rustix::process::kill_process(id.expect("it runs"), rustix::process::Signal::TERM);
        sent.expect("it can be told");
        let process = &mut self.process;
        eventually(async || process.try_wait().expect("it can be waited for").ok_or("it still runs")).await
    }

    async fn await_ready(&mut self) {
        let file = self.data.path().join("server.json");
        let pid = u64::from(self.process.id());
        self.url = eventually(async || {
            let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
            let server: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            let is_mine = self.options.disk_mib.is_some() || server["pid"] == pid;
            let url = server["url"].as_str().filter(|_| is_mine).ok_or("the file is of the server before")?;
            let response = reqwest::get(format!("{url}/-/ready")).await.map_err(|error| error.to_string())?;
            if response.status().is_success() { Ok(url.to_owned()) } else { Err(response.status().to_string()) }
        })
        .await;
    }

    /// The server's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder of its data.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// What the server logged so far.
    pub fn logs(&self) -> String {
        std::fs::read_to_string(self.data.path().with_extension("log")).unwrap_or_default()
    }

    /// A client of its API.
    pub fn client(&self) -> Client {
        Client::new(&self.url, None).expect("a client can be made")
    }

    /// Applies manifests.
    pub async fn apply(&self, manifests: &str) -> ApplyResult {
        self.client()
            .apply(manifests.to_owned(), &ApplyParameters::default())
            .await
            .expect("the manifests are accepted")
    }

    /// Applies manifests that must be refused.
    pub async fn apply_refused(&self, manifests: &str) -> Problem {
        match self.client().apply(manifests.to_owned(), &ApplyParameters::default()).await {
            Err(provost_api::client::ClientError::Refused(problem)) => *problem,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    /// Waits until the deployment of the namespace `default` is in the state, at its latest generation.
    pub async fn await_state(&self, name: &str, state: DeploymentState) -> DeploymentDetail {
        eventually(async || {
            let detail = self.client().deployment("default", name, None).await.map_err(|error| error.to_string())?;
            let summary = &detail.summary;
            let is_there = summary.state == state && summary.observed_generation == summary.generation;
            if is_there { Ok(detail) } else { Err(format!("{:?}: {}", summary.state, summary.description)) }
        })
        .await
    }

    /// Posts a body to the predictions of a deployment in the namespace `default`.
    pub async fn predict(&self, name: &str, body: &str) -> Reply {
        self.post(&format!("/seldon/default/{name}/api/v1.0/predictions"), body, &[]).await
    }

    /// Posts a body with headers.
    pub async fn post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Reply {
        let mut all = reqwest::header::HeaderMap::new();
        for (name, value) in [("content-type", "application/json")].iter().chain(headers) {
            let name: reqwest::header::HeaderName = name.parse().expect("it is the name of a header");
            all.insert(name, value.parse().expect("it is the value of a header"));
        }
        let request = self.http.post(format!("{}{path}", self.url)).headers(all).body(body.to_owned());
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, json: response.json().await.unwrap_or_default() }
    }

    /// Gets what is at a path.
    pub async fn get(&self, path: &str) -> Reply {
        let response = self.http.get(format!("{}{path}", self.url)).send().await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, json: response.json().await.unwrap_or_default() }
    }

    /// A page of the request log of a deployment in the namespace `default`.
    pub async fn requests(&self, name: &str, parameters: &RequestParameters) -> RequestPage {
        self.client().requests("default", name, parameters).await.expect("the log can be read")
    }

    /// All rows of the request log of a deployment in the namespace `default`, newest first.
    pub async fn all_requests(&self, name: &str) -> Vec<serde_json::Map<String, Value>> {
        let mut rows = Vec::new();
        let mut parameters = RequestParameters { limit: Some(1000), ..RequestParameters::default() };
        loop {
            let page = self.requests(name, &parameters).await;
            let object = |row: Vec<Value>| page.columns.iter().cloned().zip(row).collect();
            rows.extend(page.rows.into_iter().map(object));
            match page.next {
                Some(cursor) => parameters.cursor = Some(cursor),
                None => return rows,
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.process.kill();
        let _waited = self.process.wait();
        let log = self.data.path().with_extension("log");
        if std::thread::panicking() {
            eprintln!("--- log of the server\n{}", std::fs::read_to_string(&log).unwrap_or_default());
        }
        let _removed = std::fs::remove_file(log);
    }
}

fn spawn(options: &NodeOptions, data: &Path) -> Child {
    let log = File::options().create(true).append(true).open(data.with_extension("log")).expect("a log can be made");
    let mut command = match options.disk_mib {
        None => Command::new(&options.binary),
        Some(size) => {
            let script = format!("mount -t tmpfs -o size={size}m tmpfs \"$1\" && shift && exec \"$@\"");
            let mut command = Command::new("unshare");
            // Only the log lies there: the rest must stay visible outside the mount namespace.
            let folder = data.join("request-log");
            std::fs::create_dir_all(&folder).expect("a folder can be made");
            command.args(["--mount", "sh", "-c", &script, "sh"]).arg(folder).arg(&options.binary);
            command
        }
    };
    command.arg("serve").args(&options.arguments).envs(options.environment.iter().cloned());
    // Model URIs in tests are relative to the repository, as in the examples.
    command.current_dir(crate::repository("."));
    command.env("PROVOST_DATA_DIR", data);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().expect("the server starts")
}
