//! `cargo xtask demo`: from a clone to predictions of real models, and how to go on.
//!
//! Installs what is missing, builds the console and the server, starts it on the data of the last time,
//! and applies the iris example unless it is there. Ctrl-C drains and stops.

mod guide;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::{
    http,
    progress::{Progress, Stage},
    server::{Group, Options, Server},
    setup::{self, Tool},
    wait, web,
    workspace::Workspace,
};

const MANIFEST: &str = "examples/iris/deployment.yaml";
const DEPLOYMENT: &str = "/api/v1/namespaces/default/deployments/iris";
/// Longest wait for the example to serve.
const AVAILABLE_MAX: Duration = Duration::from_mins(1);
/// How often it is looked whether the server has ended or is to end.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Stages, with guesses for two cores and nothing built.
const STAGES: [(&str, u64); 5] = [("tools", 5), ("console", 60), ("server", 600), ("start", 1), ("example", 2)];

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder for what the server keeps.
    #[arg(long, default_value = "provost-data")]
    data_dir: PathBuf,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8000", env = "PROVOST_LISTEN")]
    listen: String,
}

/// `cargo xtask demo`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let mut progress = Progress::new(workspace, "demo", &STAGES)?;
    progress.stage(tools)?;
    progress.stage(web::build)?;
    let binary = progress.stage(build_server)?;
    let stop = stop_signal()?;
    let mut server = progress.stage(|stage| start(stage, arguments, &binary))?;
    progress.stage(|stage| serve_example(stage, &server, &stop))?;
    println!("\n{}", guide::text(workspace, &server, &arguments.data_dir, &binary)?);
    serve_until_told(&mut server, &stop)?;
    println!("\nStopping: what is in flight is answered first.");
    server.stop()?;
    println!("Stopped. Everything is kept in {}.", arguments.data_dir.display());
    Ok(ExitCode::SUCCESS)
}

/// curl is only for the line that is printed: the demo goes on without.
fn tools(stage: &Stage<'_>) -> Result<()> {
    if let Err(error) = setup::ensure(&[Tool::Curl], stage) {
        stage.results_in(format!("without curl, for {error:#}\n"));
    }
    setup::Node::find(stage).map(drop)
}

/// Builds the server as users run it.
pub(crate) fn build_server(stage: &Stage<'_>) -> Result<PathBuf> {
    let workspace = stage.workspace;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&workspace.root).args(["build", "--release", "--bin", "provost"]);
    stage.command("cargo", &mut cargo)?.success()?;
    Ok(workspace.target.join("release/provost"))
}

fn start(stage: &Stage<'_>, arguments: &Arguments, binary: &Path) -> Result<Server> {
    Server::start(&Options {
        binary,
        folder: &stage.workspace.root,
        data: &arguments.data_dir,
        listen: &arguments.listen,
        log: &stage.workspace.kept("logs/demo-server.log")?,
        // Ctrl-C comes here, and is passed on once.
        group: Group::Own,
        environment: &[],
    })
}

/// Applies the example where it is not stored: changes that its user made stay.
fn serve_example(stage: &Stage<'_>, server: &Server, stop: &AtomicBool) -> Result<()> {
    if http::get(server.address(), DEPLOYMENT)?.status == 404 {
        apply(&stage.workspace.root.join(MANIFEST), server.address())?;
    } else {
        stage.results_in("kept from the last time");
    }
    let state = wait::until(AVAILABLE_MAX, || settled(server.address(), stop));
    state.context("the example is neither available nor failed yet: look at the console")?
}

/// Applies a manifest from a file.
pub(crate) fn apply(manifest: &Path, address: &str) -> Result<()> {
    let text = std::fs::read_to_string(manifest).with_context(|| format!("cannot read `{}`", manifest.display()))?;
    http::post(address, "/api/v1/apply", "application/yaml", &text)?.success().map(drop)
}

/// Whether the example serves, once that is decided or the user wants to go.
fn settled(address: &str, stop: &AtomicBool) -> Option<Result<()>> {
    if stop.load(Ordering::Relaxed) {
        return Some(Ok(()));
    }
    let deployment = match state(address) {
        Ok(deployment) => deployment,
        Err(error) => return Some(Err(error)),
    };
    let is_observed = deployment["observedGeneration"] == deployment["generation"];
    match deployment["state"].as_str() {
        Some("Available") if is_observed => Some(Ok(())),
        Some("Failed") if is_observed => {
            // The server goes on: the console shows what is wrong and takes a better manifest.
            println!("The example does not serve: {}", deployment["description"].as_str().unwrap_or_default());
            Some(Ok(()))
        }
        _ => None,
    }
}

fn state(address: &str) -> Result<Value> {
    Ok(serde_json::from_str(&http::get(address, DEPLOYMENT)?.success()?)?)
}

fn stop_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

fn serve_until_told(server: &mut Server, stop: &AtomicBool) -> Result<()> {
    while !stop.load(Ordering::Relaxed) {
        if server.ended().is_some() {
            bail!("the server ended by itself:\n{}", server.output());
        }
        wait::pause(LOOK_EVERY);
    }
    Ok(())
}
