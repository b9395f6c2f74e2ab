//! Which server a command talks to, and in which namespace.

use std::path::{Path, PathBuf};

use clap::Args;
use provost_api::client::Client;
use serde::Deserialize;

use crate::{failure::Failure, output::OutputArguments};

/// Where a server listens when nothing else is said.
const DEFAULT_URL: &str = "http://127.0.0.1:8000";

/// The server to talk to.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// Address of the server. Without it, the one that serves from the data directory is found.
    #[arg(long, env = "PROVOST_SERVER", hide_env_values = true, global = true, value_name = "URL")]
    server: Option<String>,
    /// Token for a server that is not on this machine.
    #[arg(long, env = "PROVOST_TOKEN", hide_env_values = true, global = true)]
    token: Option<String>,
    /// Data directory of the local server.
    #[arg(
        long,
        env = "PROVOST_DATA_DIR",
        hide_env_values = true,
        global = true,
        default_value = "provost-data",
        value_name = "DIR"
    )]
    data_dir: PathBuf,
}

/// The namespace of a command.
#[derive(Debug, Args)]
pub(crate) struct NamespaceArguments {
    /// Namespace.
    #[arg(short, long, default_value = "default", env = "PROVOST_NAMESPACE", hide_env_values = true)]
    pub(crate) namespace: String,
}

/// What commands take that only tell of one deployment.
#[derive(Debug, Args)]
pub(crate) struct DeploymentArguments {
    /// Name of the deployment.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) namespace: NamespaceArguments,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Debug, Deserialize)]
struct ServerFile {
    url: String,
}

impl ServerArguments {
    /// A client of the server.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let url = self.server.clone().or_else(|| local_server(&self.data_dir));
        Ok(Client::new(url.as_deref().unwrap_or(DEFAULT_URL), self.token.clone())?)
    }
}

/// The address that a server left in its data directory.
fn local_server(data_dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(data_dir.join("server.json")).ok()?;
    serde_json::from_str::<ServerFile>(&text).ok().map(|file| file.url)
}
