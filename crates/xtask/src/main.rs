//! `cargo xtask`: what is done to this repository by machine, with nothing but Rust.
//!
//! Each command has a file of its name. They share [`workspace`] (where things are), [`progress`]
//! (stages and time left), [`process`] (other programs), [`setup`] (what the machine lacks) and
//! [`test::suite`] (what a check is).
//!
//! **Invariant**: this crate depends on none of ours, so it builds in seconds and cannot be broken by
//! what it checks.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to whoever runs it")]

mod bare_machine;
mod bench;
mod check;
mod cluster;
mod contracts;
mod demo;
mod duration;
mod fix;
mod http;
mod image;
mod oci;
mod process;
mod progress;
mod server;
mod setup;
mod test;
mod tidy;
mod wait;
mod web;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::workspace::Workspace;

/// Automation for this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Build everything and serve the iris example.
    Demo(demo::Arguments),
    /// Run every test this machine can run.
    Test(test::Arguments),
    /// Format, lints, house rules and the console's checks, as CI does them.
    Check,
    /// Put right what a machine can put right.
    Fix,
    /// House rules that a machine can see.
    Tidy,
    /// Write again what the binary prints: contracts, reference pages, the console's types.
    Contracts,
    /// Build the console, which the next build of the server embeds.
    Web,
    /// Measure.
    Bench(bench::Arguments),
    /// Write the container image, without a daemon.
    Image(image::Arguments),
    /// A real Kubernetes on this machine.
    Cluster(cluster::Arguments),
    /// Install what the other commands need, or name the command that does.
    Setup,
    /// Try the demo and the tests in a bare Debian root, which has nothing but Rust and a C compiler.
    BareMachine(bare_machine::Arguments),
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    match command {
        Command::Demo(arguments) => demo::run(&workspace, &arguments),
        Command::Test(arguments) => test::run(&workspace, &arguments),
        Command::Check => check::run(&workspace),
        Command::Fix => fix::run(&workspace),
        Command::Tidy => tidy::run(&workspace),
        Command::Contracts => contracts::run(&workspace),
        Command::Web => web::run(&workspace),
        Command::Bench(arguments) => bench::run(&workspace, &arguments),
        Command::Image(arguments) => image::run(&workspace, &arguments),
        Command::Cluster(arguments) => cluster::run(&workspace, &arguments),
        Command::Setup => setup::run(&workspace),
        Command::BareMachine(arguments) => bare_machine::run(&workspace, &arguments),
    }
}
