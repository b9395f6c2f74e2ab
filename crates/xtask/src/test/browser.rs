//! The console in a real browser, against the real server with data of its own.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};

use super::{counts::Counts, rust, suite::Outcome};
use crate::{
    progress::Stage,
    server::{Group, Options, Server},
    setup::{self, Node, Tool},
    web,
};

/// What the tests deploy, relative to where the server runs.
const MODEL_URI: &str = "examples/iris/sklearn";

/// Runs it.
pub(super) fn run(stage: &Stage<'_>) -> Result<Outcome> {
    let (node, chromium) = match programs(stage) {
        Ok(programs) => programs,
        Err(error) => return Ok(Outcome::skipped(&error)),
    };
    web::build(stage)?;
    stage.results_in("");
    let server = start(stage)?;
    stage.says("testing in Chromium");
    let mut npm = node.npm(&stage.workspace.root.join("web"));
    npm.args(["run", "e2e"]).env("PROVOST_URL", format!("http://{}", server.address()));
    npm.env("PROVOST_E2E_MODEL_URI", MODEL_URI).env("PROVOST_CHROMIUM", chromium);
    npm.env("PROVOST_E2E_OUTPUT", stage.workspace.kept("browser-results")?);
    let finished = stage.command("npm", &mut npm)?;
    let log = server.output();
    server.stop()?;
    let counts = Counts::of_playwright(&finished.output).with_status(finished.is_success);
    Ok(Outcome::Ran { counts, output: format!("{}\nThe server's log:\n{log}", finished.output) })
}

fn programs(stage: &Stage<'_>) -> Result<(Node, PathBuf)> {
    setup::ensure(&[Tool::Chromium], stage)?;
    let chromium = Tool::Chromium.find().context("Chromium was installed and is not there")?;
    Ok((Node::find(stage)?, chromium))
}

fn start(stage: &Stage<'_>) -> Result<Server> {
    let binary = rust::build_server(stage)?;
    let data = stage.workspace.kept("browser-data")?;
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("cannot remove `{}`", data.display()))?;
    }
    Server::start(&Options {
        binary: &binary,
        folder: &stage.workspace.root,
        data: &data,
        listen: "127.0.0.1:0",
        log: &stage.workspace.kept("logs/test-browser-server.log")?,
        group: Group::Shared,
        environment: &[],
    })
}
