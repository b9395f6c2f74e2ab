//! Programs that run inside a node until it ends.

use std::{fs::File, os::unix::process::CommandExt as _, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail};

use super::{node::Node, state::State};
use crate::{process, wait};

/// Starts a program of a node; what it writes goes to a log of its name.
pub(super) fn start(
    state: &State,
    node: u8,
    program: impl AsRef<std::ffi::OsStr>,
    name: &str,
    arguments: &[String],
) -> Result<()> {
    let log = File::options().append(true).create(true).open(state.log(&log_name(node, name))?)?;
    let mut command = Node::at(state, node).command(program)?;
    command.args(arguments).process_group(0);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    // It outlives this process, or ends with its node.
    command.spawn().with_context(|| format!("cannot run {name}")).map(drop)
}

/// Waits until it does what it is for, or fails with the end of its log.
pub(super) fn wait_for(
    state: &State,
    node: u8,
    name: &str,
    at_most: Duration,
    is_ready: impl Fn() -> bool,
) -> Result<()> {
    if wait::until(at_most, || is_ready().then_some(())).is_some() {
        return Ok(());
    }
    let log = std::fs::read(state.log(&log_name(node, name))?).unwrap_or_default();
    let log = process::last_lines(&String::from_utf8_lossy(&log), 20);
    bail!("{name} of node {node} is not ready after {} s:\n{log}", at_most.as_secs())
}

fn log_name(node: u8, name: &str) -> String {
    format!("{name}-{node}")
}

/// `--name=value` each.
pub(super) fn flags(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs.iter().map(|(name, value)| format!("--{name}={value}")).collect()
}
