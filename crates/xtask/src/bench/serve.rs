//! `cargo xtask bench serve`: the whole path of a prediction under load, beside `MLServer`.
//!
//! All servers run at once, and one is driven at a time: first each with the first request, then each
//! with the next, in several rounds, so that what else the machine does meets all of them. Before that,
//! their answers are compared. A server's CPU time includes what it does after the load, such as
//! Provost's rewriting of the request log.

use std::{fs, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{
    Data,
    load::{self, Process, Request},
    machine,
    mlserver::{Configuration, MlServer},
    models::{self, MODELS, Model, Trained},
    start_server,
    table::{Measured, Table},
    usage,
};
use crate::{
    demo, http,
    progress::{Progress, Stage},
    server::Server,
    setup::{self, Environment, Tool},
    wait,
    workspace::Workspace,
};

const ROWS: [usize; 2] = [1, 100];
/// Longest wait for the models to be loaded.
const START_MAX: Duration = Duration::from_secs(30);
/// How far probabilities may be apart: one of the models computes in single precision.
const TOLERANCE: f64 = 1e-6;

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Length of each load in seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=20))]
    rounds: u64,
    /// Only loads whose name contains this; names are such as `provost lr 100`.
    #[arg(long)]
    only: Option<String>,
}

/// `cargo xtask bench serve`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let loads = (ROWS.len() * MODELS.len() * 3) as u64 * arguments.rounds;
    let stages =
        [("models", 90), ("server", 600), ("start", 15), ("answers", 1), ("loads", loads * (arguments.seconds + 8))];
    let mut progress = Progress::new(workspace, "bench-serve", &stages)?;
    let machine = machine::describe();
    let (python, trained) = progress.stage(prepare)?;
    let binary = progress.stage(demo::build_server)?;
    let servers = progress.stage(|stage| {
        let provost = start_server(stage, &binary, Data::Empty)?;
        Servers::start(stage, provost, &python, &trained)
    })?;
    progress.stage(|_| servers.compare(&trained))?;
    let table = progress.stage(|stage| measure(stage, arguments, &servers, &trained))?;
    println!("\n{}", text(&machine, &table, &servers, arguments));
    Ok(ExitCode::SUCCESS)
}

/// A Python that trained the models, and has `MLServer` where that can be installed.
#[derive(Debug)]
struct Python {
    environment: Environment,
    /// Why there is no `MLServer`.
    missing: Option<String>,
}

fn prepare(stage: &Stage<'_>) -> Result<(Python, Trained)> {
    setup::ensure(&[Tool::Python, Tool::Wrk], stage)?;
    stage.says("installing MLServer");
    let python = match setup::environment("mlserver", "crates/xtask/requirements/mlserver.txt", stage) {
        Ok(environment) => Python { environment, missing: None },
        Err(error) => {
            let environment = setup::environment("bench", "crates/xtask/requirements/bench.txt", stage)?;
            Python { environment, missing: Some(format!("{error:#}")) }
        }
    };
    let trained = models::train(stage, |_| Ok(python.environment.clone()))?;
    Ok((python, trained))
}

/// The servers that are measured.
#[derive(Debug)]
struct Servers {
    provost: Server,
    peers: Vec<(&'static str, MlServer)>,
    /// Why there are no peers.
    missing: Option<String>,
}

/// A server to drive.
#[derive(Debug)]
struct Target<'a> {
    name: &'static str,
    process: Process,
    address: &'a str,
}

impl Servers {
    fn start(stage: &Stage<'_>, provost: Server, python: &Python, trained: &Trained) -> Result<Self> {
        let manifest = stage.workspace.kept("bench/deployments.yaml")?;
        fs::write(&manifest, trained.manifest(&MODELS.map(|model| (model.name.to_owned(), model))))?;
        demo::apply(&manifest, provost.address())?;
        wait_for_models(&provost, trained)?;
        let mut peers = Vec::new();
        if python.missing.is_none() {
            let both = [("MLServer", Configuration::Default), ("MLServer in process", Configuration::InProcess)];
            for (name, configuration) in both {
                stage.says(name);
                peers.push((name, MlServer::start(stage, &python.environment, trained, configuration)?));
            }
        }
        Ok(Self { provost, peers, missing: python.missing.clone() })
    }

    fn targets(&self) -> Vec<Target<'_>> {
        let provost =
            Target { name: "Provost", process: Process::provost(self.provost.id()), address: self.provost.address() };
        let peers = self.peers.iter();
        let peers = peers.map(|(name, peer)| Target {
            name,
            process: Process { id: peer.id(), serving: None, pause: Duration::ZERO },
            address: peer.address(),
        });
        [provost].into_iter().chain(peers).collect()
    }

    /// All servers must answer alike, or they would be measured doing different things.
    fn compare(&self, trained: &Trained) -> Result<()> {
        let targets = self.targets();
        for (model, rows) in loads() {
            let answers =
                targets.iter().map(|target| target.answer(model, rows, trained)).collect::<Result<Vec<_>>>()?;
            for (target, answer) in targets.iter().zip(&answers) {
                if !agree(&answers[0], answer) {
                    bail!("{} answers {} otherwise: {answer:?}, not {:?}", target.name, model.title, answers[0]);
                }
            }
        }
        Ok(())
    }
}

impl Target<'_> {
    fn request(&self, model: Model, rows: usize, trained: &Trained) -> Request {
        let (path, bodies) = if self.name == "Provost" {
            (format!("/seldon/default/{}/api/v1.0/predictions", model.name), trained.seldon_requests(rows))
        } else {
            (format!("/v2/models/{}/infer", model.name), trained.v2_requests(rows))
        };
        Request { server: self.address.to_owned(), path, bodies }
    }

    fn answer(&self, model: Model, rows: usize, trained: &Trained) -> Result<Vec<f64>> {
        let request = self.request(model, rows, trained);
        let mut all = Vec::new();
        for body in &request.bodies {
            let answer = http::post(&request.server, &request.path, "application/json", body)?;
            let body = answer.success().with_context(|| format!("{} does not answer {}", self.name, model.title))?;
            all.extend(numbers(&serde_json::from_str(&body)?));
        }
        Ok(all)
    }
}

fn wait_for_models(provost: &Server, trained: &Trained) -> Result<()> {
    let target = Target { name: "Provost", process: Process::provost(provost.id()), address: provost.address() };
    let all_answer = || MODELS.iter().all(|model| target.answer(*model, 1, trained).is_ok()).then_some(());
    if wait::until(START_MAX, all_answer).is_none() {
        // What the first that does not answer says is the reason.
        MODELS.iter().try_for_each(|model| target.answer(*model, 1, trained).map(drop))?;
    }
    Ok(())
}

fn loads() -> impl Iterator<Item = (Model, usize)> {
    MODELS.into_iter().flat_map(|model| ROWS.map(|rows| (model, rows)))
}

/// The probabilities of an answer in either dialect.
fn numbers(answer: &Value) -> Vec<f64> {
    let values = answer.pointer("/outputs/0/data").or_else(|| answer.pointer("/data/ndarray"));
    let mut numbers = Vec::new();
    if let Some(value) = values {
        flatten(value, &mut numbers);
    }
    numbers
}

fn flatten(value: &Value, numbers: &mut Vec<f64>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, numbers)),
        other => numbers.push(other.as_f64().unwrap_or(f64::NAN)),
    }
}

fn agree(ours: &[f64], theirs: &[f64]) -> bool {
    let are_close = ours.iter().zip(theirs).all(|(ours, theirs)| (ours - theirs).abs() <= TOLERANCE);
    !ours.is_empty() && ours.len() == theirs.len() && are_close
}

fn measure(stage: &Stage<'_>, arguments: &Arguments, servers: &Servers, trained: &Trained) -> Result<Table> {
    let mut table = Table::default();
    for round in 1..=arguments.rounds {
        for (model, rows) in loads() {
            for target in servers.targets() {
                let name = format!("{} {} {rows}", target.name.to_lowercase(), model.name);
                if arguments.only.as_ref().is_none_or(|only| name.contains(only)) {
                    stage.says(&format!("round {round} of {}: {name}", arguments.rounds));
                    let request = target.request(model, rows, trained);
                    let sample = load::drive(stage, &request, target.process, arguments.seconds)?;
                    table.add(Measured { server: target.name, model: model.title, rows }, sample);
                }
            }
        }
    }
    Ok(table)
}

fn text(machine: &str, table: &Table, servers: &Servers, arguments: &Arguments) -> String {
    let Arguments { seconds, rounds, .. } = arguments;
    let memory = |target: &Target<'_>| format!("{} {:.0} MB", target.name, usage::memory(target.process.id));
    let memory = servers.targets().iter().map(memory).collect::<Vec<_>>().join(", ");
    let missing = servers.missing.as_ref().map(|reason| format!("\n\nWithout MLServer: {reason}")).unwrap_or_default();
    format!(
        "{machine}. `wrk -t1 -c8`, {seconds} s, median of {rounds} rounds; CPU is user and system time of all processes of \
         the server, work after the load included; Provost's without the rewriting of its log in brackets. Provost parses Seldon's protocol and logs every request. MLServer \
         1.7.1 has uvloop 0.21 and one OpenMP thread, and parses the Open Inference Protocol (V2).\n\n{}\n\
         Memory after this: {memory}.{missing}",
        table.markdown(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_of_both_dialects_are_the_same_numbers() {
        let seldon = numbers(&json!({ "data": { "ndarray": [[0.1, 0.9], [0.2, 0.8]] } }));
        let v2 = numbers(&json!({ "outputs": [{ "data": [0.1, 0.9, 0.2, 0.800_000_01] }] }));
        assert_eq!(seldon, [0.1, 0.9, 0.2, 0.8]);
        assert!(agree(&seldon, &v2));
    }

    #[test]
    fn other_answers_do_not_agree() {
        assert!(!agree(&[0.1, 0.9], &[0.1, 0.8]));
        assert!(!agree(&[0.1, 0.9], &[0.1]));
        assert!(!agree(&[], &[]));
    }
}
