//! `cargo xtask bench`: figures that need a server and a load from outside. The others are `cargo bench`.

mod footprint;
mod kserve;
mod load;
mod machine;
mod mlserver;
mod models;
mod operator;
mod predictors;
mod protocols;
mod serve;
mod table;
mod usage;

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, Result};

use crate::{
    progress::Stage,
    server::{Group, Options, Server},
    workspace::Workspace,
};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Requests a second and CPU a request, beside `MLServer` where Python can install it.
    Serve(serve::Arguments),
    /// Memory with ten deployments, and how soon after a start they predict.
    Footprint(footprint::Arguments),
    /// V2 over gRPC, a graph of three programs, ten thousand connections.
    Protocols(protocols::Arguments),
    /// Predictors in process, beside the libraries that wrote the models.
    Predictors(predictors::Arguments),
    /// A thousand deployments on simulated nodes of a real Kubernetes: time, requests, CPU and memory of the operator.
    Operator(operator::Arguments),
}

/// `cargo xtask bench`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.what {
        What::Serve(arguments) => serve::run(workspace, arguments),
        What::Footprint(arguments) => footprint::run(workspace, arguments),
        What::Protocols(arguments) => protocols::run(workspace, arguments),
        What::Predictors(arguments) => predictors::run(workspace, arguments),
        What::Operator(arguments) => operator::run(workspace, arguments),
    }
}

/// A server for measuring, on data that is removed first unless it is to be kept.
fn start_server(stage: &Stage<'_>, binary: &Path, data: Data) -> Result<Server> {
    let folder = stage.workspace.kept("bench/data")?;
    if data == Data::Empty && folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    Server::start(&Options {
        binary,
        folder: &stage.workspace.root,
        data: &folder,
        listen: "127.0.0.1:0",
        log: &stage.workspace.kept("logs/bench-server.log")?,
        group: Group::Shared,
        // So that what a load wrote is rewritten soon after, and is counted with it.
        environment: &[("PROVOST_REQUEST_LOG__SEGMENT_AGE", "1s")],
    })
}

/// What a server starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Data {
    Empty,
    AsItIs,
}
