//! A registry of images in the first node. It asks for a password, as those of companies do.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};

use super::{Cluster, daemon, network::FIRST_NODE, node::Node};
use crate::{
    process,
    progress::Stage,
    setup::{self, Programs, Tool},
};

const PROGRAMS: Programs = Programs {
    module: "registry",
    packages: &["github.com/distribution/distribution/v3/cmd/registry"],
    version: None,
    files: &[],
};
const PORT: u16 = 5000;
/// Who may pull and push. Nobody but the cluster reaches it.
pub(crate) const USER: &str = "tester";
pub(crate) const PASSWORD: &str = "tester-password";
/// The two, with the password as bcrypt hashes it.
const USERS: &str = "tester:$2b$05$M3CNXCF4OrVe/cKbJH.DX.jj0r.l3P5aXJAQAJvLBrUUFrmauCPuG\n";
const READY_MAX: Duration = Duration::from_secs(30);

/// Where it is: what names of its images begin with.
pub(crate) fn address() -> String {
    format!("{FIRST_NODE}:{PORT}")
}

/// Starts it, unless it runs, and has nodes know it.
pub(super) fn start(cluster: &Cluster, stage: &Stage<'_>) -> Result<()> {
    let state = &cluster.state;
    let address = address();
    // Nodes look at it for each image.
    let host = format!(
        "server = \"http://{address}\"\n[host.\"http://{address}\"]\n  capabilities = [\"pull\", \"resolve\"]\n"
    );
    state.write(&format!("registries/{address}/hosts.toml"), &host)?;
    if is_ready(cluster) {
        return Ok(());
    }
    setup::ensure(&[Tool::Curl], stage)?;
    let programs = setup::programs(stage, &[PROGRAMS])?;
    let program = programs.first().context("no registry was built")?.join("registry");
    let users = state.write("registry/users", USERS)?;
    let images = state.folder("registry/images")?;
    let settings = serde_json::json!({
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": images}},
        "http": {"addr": address},
        "auth": {"htpasswd": {"realm": "images", "path": users}},
    });
    let settings = state.write("registry/config.yml", &settings.to_string())?;
    daemon::start(state, 0, program, "registry", &["serve".to_owned(), settings.display().to_string()])?;
    daemon::wait_for(state, 0, "registry", READY_MAX, || is_ready(cluster))
}

fn is_ready(cluster: &Cluster) -> bool {
    let url = format!("http://{}/v2/", address());
    let user = format!("{USER}:{PASSWORD}");
    let asked = cluster.command("curl");
    asked.is_ok_and(|mut command| process::output_of(command.args(["-fsS", "-m", "2", "-u", &user, &url])).is_ok())
}

/// Gives it an image; nodes that want it have to pull it.
pub(super) fn push(cluster: &Cluster, archive: &Path, name: &str) -> Result<()> {
    let node = Node::at(&cluster.state, 0);
    node.load(archive)?;
    let user = format!("{USER}:{PASSWORD}");
    process::output_of(node.ctr()?.args(["images", "push", "--plain-http", "--user", &user, name]))?;
    process::output_of(node.ctr()?.args(["images", "rm", "--sync", name])).map(drop)
}
