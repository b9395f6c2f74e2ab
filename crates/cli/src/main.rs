//! The `provost` binary: serves, and commands a server. Only wiring and printing happens here.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what commands do")]

mod commands;
mod connect;
mod failure;
mod operator;
mod output;
mod serve;
mod sources;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// Cheaper than the system's for what a request allocates; see docs/internals/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Deploys machine-learning models and keeps them honest once they run.
#[derive(Debug, Parser)]
#[command(name = "provost", version, after_help = failure::EXIT_CODES, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve models, the API and the console on one port.
    Serve(Box<serve::Arguments>),
    /// Run the operator of a Kubernetes cluster, which makes `SeldonDeployment`s so.
    Operator(Box<operator::Arguments>),
    /// Tell whether a Kubernetes cluster has what the operator needs.
    ///
    /// For before and after it is installed. Connects as `kubectl` does, and changes nothing. Fails where something was
    /// found that cannot work; a warning is no failure.
    Doctor(commands::doctor::Arguments),
    /// Apply manifests from files, folders or standard input.
    Apply(commands::apply::Arguments),
    /// List deployments, or show one.
    Get(commands::get::Arguments),
    /// Tell all about a deployment, for people.
    Describe(commands::describe::Arguments),
    /// Delete deployments.
    Delete(commands::delete::Arguments),
    /// Add, weigh, promote and remove canaries: other models with a share of the traffic.
    ///
    /// Each of these is one change of the deployment's manifest, and loses no request.
    Canary(commands::canary::Arguments),
    /// Add, promote and remove shadows: other models with a copy of the traffic.
    ///
    /// Nobody sees their answers, but metrics and the request log do. Each of these is one change of the deployment's
    /// manifest, and loses no request. Shadows work on Kubernetes only.
    Shadow(commands::shadow::Arguments),
    /// Go back to an earlier manifest of a deployment.
    ///
    /// It makes a new generation. Models are read again from where that manifest says. On Kubernetes earlier manifests
    /// are not kept: apply them from where they are, such as git.
    Rollback(commands::rollback::Arguments),
    /// Wait until a deployment is available, or gone.
    Wait(commands::wait::Arguments),
    /// Send a request to a deployment.
    Predict(commands::predict::Arguments),
    /// Tell a deployment what came of a prediction.
    Feedback(commands::feedback::Arguments),
    /// Read the request log of a deployment.
    Requests(commands::requests::Arguments),
    /// List the pods of a deployment on Kubernetes.
    Instances(connect::DeploymentArguments),
    /// Tell what happened to a deployment and its pods on Kubernetes, latest last.
    Events(connect::DeploymentArguments),
    /// Print what the containers of a deployment write on Kubernetes.
    Logs(commands::logs::Arguments),
    /// Copy the files of a model into a folder; needs no server.
    ///
    /// On Kubernetes an init container does this for model servers that do not fetch their models themselves.
    Fetch(commands::fetch::Arguments),
    /// Look into model files; needs no server.
    Model(commands::model::Arguments),
    /// Tell how the server does.
    Status(commands::status::Arguments),
    /// Print contracts and reference pages; needs no server.
    Print(commands::print::Arguments),
    /// Print a completion script for a shell.
    Completion(commands::completion::Arguments),
    /// Print the versions of this program and of the server.
    Version(commands::version::Arguments),
}

fn main() -> ExitCode {
    // The one cryptography provider, for server and client; a second call would say that it is set.
    let _already_set = rustls::crypto::ring::default_provider().install_default();
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    let command = match command {
        Command::Serve(arguments) => return serve::run(*arguments).map_err(Failure::from),
        Command::Operator(arguments) => return operator::run(*arguments).map_err(Failure::from),
        command => command,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Serve(_) | Command::Operator(_) => Ok(()),
            Command::Doctor(arguments) => commands::doctor::run(arguments).await,
            Command::Apply(arguments) => commands::apply::run(arguments).await,
            Command::Get(arguments) => commands::get::run(arguments).await,
            Command::Describe(arguments) => commands::describe::run(arguments).await,
            Command::Delete(arguments) => commands::delete::run(arguments).await,
            Command::Canary(arguments) => commands::canary::run(arguments).await,
            Command::Shadow(arguments) => commands::shadow::run(arguments).await,
            Command::Rollback(arguments) => commands::rollback::run(arguments).await,
            Command::Wait(arguments) => commands::wait::run(arguments).await,
            Command::Predict(arguments) => commands::predict::run(arguments).await,
            Command::Feedback(arguments) => commands::feedback::run(arguments).await,
            Command::Requests(arguments) => commands::requests::run(arguments).await,
            Command::Instances(arguments) => commands::instances::run(arguments).await,
            Command::Events(arguments) => commands::events::run(arguments).await,
            Command::Logs(arguments) => commands::logs::run(arguments).await,
            Command::Fetch(arguments) => commands::fetch::run(arguments).await,
            Command::Model(arguments) => commands::model::run(arguments),
            Command::Status(arguments) => commands::status::run(arguments).await,
            Command::Print(arguments) => commands::print::run(&arguments),
            Command::Completion(arguments) => commands::completion::run(&arguments),
            Command::Version(arguments) => commands::version::run(arguments).await,
        }
    })
}
