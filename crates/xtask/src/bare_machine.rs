//! `cargo xtask bare-machine`: the README's two commands in a bare Debian root, which has Rust, git and a
//! C compiler and nothing else: no Node, no Chromium, no Python.
//!
//! Needs root. The root is a folder in the build directory. Everything in it runs in namespaces of its
//! own for mounts and processes, so that nothing is left mounted or running however this ends; the network
//! is the machine's. apt's sources, certificates and proxies are the machine's too.

mod answer;
mod namespace;
mod root;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use self::{namespace::Inside, root::Source};
use crate::{
    duration::exactly,
    progress::{Progress, Stage},
    server,
    setup::{self, Tool},
    workspace::Workspace,
};

const STAGES: [(&str, u64); 6] =
    [("tools", 10), ("root", 120), ("copy", 30), ("demo", 900), ("second-start", 10), ("tests", 1200)];
/// What the demo says last.
const SERVES: &str = "Ctrl-C stops the server.";
/// A second start takes seconds.
const SECOND_START_MAX: Duration = Duration::from_secs(30);

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Take the files as they are instead of what is committed.
    #[arg(long)]
    uncommitted: bool,
    /// Only the demo.
    #[arg(long)]
    demo_only: bool,
    /// Keep the root, to look around in.
    #[arg(long)]
    keep: bool,
    /// Go on in the root that was kept, with the files as they are now.
    #[arg(long, requires = "uncommitted")]
    reuse: bool,
}

/// `cargo xtask bare-machine`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    ensure!(rustix::process::geteuid().is_root(), "this makes a root of its own, and needs to be root for that");
    let source = if arguments.uncommitted { Source::Files } else { Source::Commit };
    let folder = workspace.kept("bare-machine/root")?;
    let mut progress = Progress::new(workspace, "bare-machine", &STAGES)?;
    progress.stage(|stage| setup::ensure(&[Tool::Debootstrap, Tool::Git], stage))?;
    progress.stage(|stage| if arguments.reuse { Ok(()) } else { root::make(stage, &folder) })?;
    progress.stage(|stage| root::copy(stage, &folder, source))?;
    let inside = Inside::new(&folder)?;
    let first = progress.stage(|stage| demo(stage, &inside, Start::First))?;
    let second = progress.stage(|stage| demo(stage, &inside, Start::Second))?;
    let tests =
        if arguments.demo_only { "not run".to_owned() } else { progress.stage(|stage| tests(stage, &inside))? };
    if !arguments.keep {
        root::remove(&folder)?;
    }
    println!("\nDemo: {} to the first prediction, then {}. Tests: {tests}.", exactly(first), exactly(second));
    Ok(ExitCode::SUCCESS)
}

/// Which start of the demo it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    First,
    Second,
}

/// Runs the demo until it serves, runs the line it prints, and stops it as Ctrl-C does.
fn demo(stage: &Stage<'_>, inside: &Inside, start: Start) -> Result<Duration> {
    let begun = Instant::now();
    let mut demo = inside.start(stage, "cargo xtask demo", SERVES)?;
    let took = begun.elapsed();
    let line = demo.output().lines().find_map(|line| line.trim().strip_prefix("curl ").map(str::to_owned));
    let line = line.context("the demo printed no curl line")?;
    answer::check(&inside.run(&format!("curl {line}"))?, &stage.workspace.root)?;
    if start == Start::Second {
        ensure!(
            demo.output().contains("kept from the last time"),
            "the second start did not keep the first one's data"
        );
        ensure!(took < SECOND_START_MAX, "the second start took {}", exactly(took));
    }
    stage.says("stopping");
    let status = demo.interrupt()?;
    ensure!(status.success(), "the demo ended with {}:\n{}", server::describe(status), demo.output());
    stage.results_in(format!("answered as scikit-learn does after {}", exactly(took)));
    Ok(took)
}

/// Runs the tests as CI does: what is skipped is a failure.
fn tests(stage: &Stage<'_>, inside: &Inside) -> Result<String> {
    let finished = stage.command("xtask-test", &mut inside.command("CI=true cargo xtask test"))?;
    let last = finished.output.trim_end().lines().last().unwrap_or_default().to_owned();
    if !finished.is_success {
        bail!("{last}\n\n(all of it is in `{}`)", finished.log.display());
    }
    stage.results_in(last.clone());
    Ok(last)
}
