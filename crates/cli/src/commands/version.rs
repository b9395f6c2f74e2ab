//! `provost version`.

use serde::Serialize;

use crate::{connect::ServerArguments, failure::Failure, output::OutputArguments};

/// Print the versions of this program and of the server, if one is reached.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Serialize)]
struct Versions {
    client: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let server = arguments.server.client()?.status().await.ok().map(|status| status.version);
    let versions = Versions { client: env!("CARGO_PKG_VERSION"), server };
    arguments.output.print(&versions, |versions| {
        let server = versions.server.as_deref().unwrap_or("not reached");
        format!("provost {}\nserver  {server}\n", versions.client)
    })
}
