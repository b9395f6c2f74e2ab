//! `cargo xtask bench footprint`: memory of a server with ten deployments, idle and after a load, and how
//! soon after a start all of them predict.

use std::{
    fs,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

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

const DEPLOYMENTS: usize = 10;
/// Longest wait for deployments to predict.
const PREDICT_MAX: Duration = Duration::from_secs(30);

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Length of the load in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
}

/// `cargo xtask bench footprint`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let stages = [("models", 60), ("server", 600), ("deployments", 3), ("start", 3), ("load", arguments.seconds + 5)];
    let mut progress = Progress::new(workspace, "bench-footprint", &stages)?;
    let machine = machine::describe();
    let trained = progress.stage(prepare)?;
    let binary = progress.stage(demo::build_server)?;
    progress.stage(|stage| deploy(stage, start_server(stage, &binary, Data::Empty)?, &trained))?;
    let (server, ready) = progress.stage(|stage| {
        let start = Instant::now();
        let server = start_server(stage, &binary, Data::AsItIs)?;
        wait_for_all(&server, &trained)?;
        Ok((server, start.elapsed()))
    })?;
    usage::settle(server.id(), Duration::from_secs(1));
    let idle = usage::memory(server.id());
    let request = request(&server, 0, &trained);
    let sample =
        progress.stage(|stage| load::drive(stage, &request, Process::provost(server.id()), arguments.seconds))?;
    println!(
        "\n{machine}, {DEPLOYMENTS} deployments.\n\nReady to predict {} ms after start. Memory {idle:.0} MB idle, {:.0} MB \
         after {} s at {:.0} requests/s.",
        ready.as_millis(),
        usage::memory(server.id()),
        arguments.seconds,
        sample.requests_per_second,
    );
    server.stop()?;
    Ok(ExitCode::SUCCESS)
}

fn prepare(stage: &Stage<'_>) -> Result<Trained> {
    setup::ensure(&[Tool::Python, Tool::Wrk], stage)?;
    models::train(stage, |stage| setup::environment("bench", "crates/xtask/requirements/bench.txt", stage))
}

fn deploy(stage: &Stage<'_>, server: Server, trained: &Trained) -> Result<()> {
    let manifest = stage.workspace.kept("bench/deployments.yaml")?;
    let deployments: Vec<_> = MODELS.into_iter().cycle().take(DEPLOYMENTS).enumerate().collect();
    let deployments: Vec<_> = deployments.into_iter().map(|(number, model)| (name(number), model)).collect();
    fs::write(&manifest, trained.manifest(&deployments))?;
    demo::apply(&manifest, server.address())?;
    wait_for_all(&server, trained)?;
    server.stop()
}

fn wait_for_all(server: &Server, trained: &Trained) -> Result<()> {
    let all_predict = || (0..DEPLOYMENTS).all(|number| predicts(&request(server, number, trained))).then_some(());
    wait::until(PREDICT_MAX, all_predict).context("the deployments do not predict")
}

fn predicts(request: &Request) -> bool {
    let answer = http::post(
        &request.server,
        &request.path,
        "application/json",
        request.bodies.first().map_or("", String::as_str),
    );
    answer.is_ok_and(|answer| answer.status == 200)
}

fn request(server: &Server, number: usize, trained: &Trained) -> Request {
    Request {
        server: server.address().to_owned(),
        path: format!("/seldon/default/{}/api/v1.0/predictions", name(number)),
        bodies: trained.seldon_requests(1),
    }
}

fn name(number: usize) -> String {
    format!("model-{number}")
}
