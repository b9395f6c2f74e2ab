//! `cargo xtask bench protocols`: V2 over gRPC, V2 with tensors as bytes and as JSON, a graph of three programs, and many
//! connections at once.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{
    Data,
    load::{self, Process, Request},
    machine,
    models::{self, MODELS, Trained},
    start_server, usage,
};
use crate::{
    demo, http,
    progress::{Progress, Stage},
    server::Server,
    setup::{self, Tool},
    wait,
    workspace::Workspace,
};

/// Programs of the graph, and the port of the first.
const PROGRAMS: [(&str, u16); 3] = [("first", 9571), ("second", 9572), ("third", 9573)];
/// Connections that are held at once.
const CONNECTIONS: usize = 10_000;
/// Longest wait for the deployments.
const START_MAX: Duration = Duration::from_secs(30);

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Length of each load in seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
}

/// `cargo xtask bench protocols`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let stages = [
        ("models", 60),
        ("server", 600),
        ("start", 5),
        ("grpc", arguments.seconds + 13),
        ("graph", 40),
        ("connections", 30),
    ];
    let mut progress = Progress::new(workspace, "bench-protocols", &stages)?;
    let machine = machine::describe();
    let trained = progress.stage(prepare)?;
    let (binary, tools) = progress.stage(|stage| Ok((demo::build_server(stage)?, build_tools(stage)?)))?;
    let (server, _programs) = progress.stage(|stage| {
        let programs = Programs::start(&tools)?;
        let server = start_server(stage, &binary, Data::Empty)?;
        deploy(stage, &server, &trained)?;
        Ok((server, programs))
    })?;
    let grpc = progress.stage(|stage| grpc(stage, &tools, &server, arguments.seconds))?;
    let graph = progress.stage(|stage| graph(stage, &server, arguments.seconds))?;
    let connections = progress.stage(|stage| connections(stage, &tools, &server))?;
    println!("\n{machine}\n\n{grpc}\n{graph}\n{connections}");
    server.stop()?;
    Ok(ExitCode::SUCCESS)
}

fn prepare(stage: &Stage<'_>) -> Result<Trained> {
    setup::ensure(&[Tool::Python, Tool::Wrk], stage)?;
    models::train(stage, |stage| setup::environment("bench", "crates/xtask/requirements/bench.txt", stage))
}

/// Builds what makes the load, and what the programs of the graph are; gives their folder.
fn build_tools(stage: &Stage<'_>) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&stage.workspace.root).args(["build", "--release", "-p", "provost-testkit", "--bins"]);
    stage.command("cargo", &mut cargo)?.success()?;
    Ok(stage.workspace.target.join("release"))
}

/// The programs of the graph, which end with this.
struct Programs(Vec<Child>);

impl Programs {
    fn start(tools: &Path) -> Result<Self> {
        let start = |(name, port): &(&str, u16)| {
            let mut command = Command::new(tools.join("wrapped-model"));
            command.env("PREDICTIVE_UNIT_ID", name).env("PREDICTIVE_UNIT_HTTP_SERVICE_PORT", port.to_string());
            command.stdout(Stdio::null()).spawn().context("cannot start a program of the graph")
        };
        Ok(Self(PROGRAMS.iter().map(start).collect::<Result<_>>()?))
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended by itself.
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}

fn deploy(stage: &Stage<'_>, server: &Server, trained: &Trained) -> Result<()> {
    let manifest = stage.workspace.kept("bench/deployments.yaml")?;
    let models = MODELS.map(|model| (model.name.to_owned(), model));
    std::fs::write(&manifest, format!("{}\n---\n{}\n", trained.manifest(&models), graph_manifest()))?;
    demo::apply(&manifest, server.address())?;
    let serves = || ask(server.address(), "/seldon/default/graph/api/v1.0/predictions", &rows()).is_ok().then_some(());
    wait::until(START_MAX, serves).context("the graph does not answer")
}

/// Three programs below one another: each gets what the one before answers.
fn graph_manifest() -> Value {
    let below = PROGRAMS.iter().rev().fold(Value::Null, |below, (name, port)| {
        let endpoint = json!({"service_host": "127.0.0.1", "httpPort": port, "type": "REST"});
        let children: Vec<Value> = Some(below).filter(|below| !below.is_null()).into_iter().collect();
        json!({"name": name, "type": "TRANSFORMER", "endpoint": endpoint, "children": children})
    });
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "graph", "annotations": {"provost.dev/request-log": "off"}},
        "spec": {"predictors": [{"name": "main", "graph": below}]},
    })
}

fn rows() -> String {
    json!({"data": {"ndarray": [[0.1, 0.2, 0.3, 0.4]]}}).to_string()
}

fn ask(address: &str, path: &str, body: &str) -> Result<()> {
    let answer = http::post(address, path, "application/json", body)?;
    anyhow::ensure!(answer.status == 200, "{path} answers {}", answer.status);
    Ok(())
}

fn grpc(stage: &Stage<'_>, tools: &Path, server: &Server, seconds: u64) -> Result<String> {
    let before = usage::cpu(server.id());
    let told = tool(stage, tools, &["grpc", server.address(), "lr", &seconds.to_string()])?;
    usage::settle(server.id(), Process::provost(server.id()).pause);
    let cpu = usage::cpu(server.id()).saturating_sub(before);
    let number = |name: &str| told[name].as_f64().unwrap_or_default();
    let requests = number("requests");
    Ok(format!(
        "V2 over gRPC, LogisticRegression, one row: {:.0} calls/s, p50 {} µs, {:.1} µs CPU each",
        requests / number("seconds"),
        told["p50Micros"],
        cpu.as_secs_f64() * 1e6 / requests,
    ))
}

/// What the graph adds to what its programs take when they are asked one after the other, as it asks them.
fn graph(stage: &Stage<'_>, server: &Server, seconds: u64) -> Result<String> {
    let p50 = |address: String, path: &str| -> Result<f64> {
        let request = Request { server: address, path: path.to_owned(), bodies: vec![rows()] };
        let sample = load::drive_with(stage, &request, Process::other(server.id()), seconds, 1)?;
        Ok(sample.p50.as_secs_f64() * 1e6)
    };
    let whole = p50(server.address().to_owned(), "/seldon/default/graph/api/v1.0/predictions")?;
    let mut nodes = 0.0;
    for (_, port) in PROGRAMS {
        nodes += p50(format!("127.0.0.1:{port}"), "/transform-input")?;
    }
    Ok(format!(
        "Graph of three programs, one request at a time: p50 {whole:.0} µs, its nodes {nodes:.0} µs, added {:.0} µs",
        whole - nodes
    ))
}

fn connections(stage: &Stage<'_>, tools: &Path, server: &Server) -> Result<String> {
    let body = json!({"data": {"ndarray": [vec![0.0; 12]]}}).to_string();
    let (path, count) = ("/seldon/default/lr/api/v1.0/predictions", CONNECTIONS.to_string());
    let told = tool(stage, tools, &["connections", server.address(), path, &count, &body])?;
    let memory = usage::memory(server.id());
    Ok(format!(
        "{} connections held, asked again in {:.2} s, memory {memory:.0} MB",
        told["connections"],
        told["secondRoundSeconds"].as_f64().unwrap_or_default()
    ))
}

/// Runs the tool that makes loads, and reads what it measured.
fn tool(stage: &Stage<'_>, tools: &Path, arguments: &[&str]) -> Result<Value> {
    let mut command = Command::new(tools.join("protocol-load"));
    let output = stage.command("protocol-load", command.args(arguments))?.success()?;
    let last = output.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("protocol-load wrote something else than expected:\n{output}"))
}
