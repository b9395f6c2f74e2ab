//! `provost predict`.

use std::{io::Read as _, path::PathBuf};

use anyhow::Context as _;

use crate::{
    connect::{NamespaceArguments, ServerArguments},
    failure::Failure,
    output::print,
};

/// Send a request to a deployment and print the answer, which is JSON.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Name of the deployment.
    name: String,
    /// File with the request's body, or `-` for standard input.
    #[arg(short, long, value_name = "FILE")]
    filename: PathBuf,
    /// The predictor that is to answer, instead of the one that traffic chooses.
    #[arg(long)]
    predictor: Option<String>,
    #[command(flatten)]
    namespace: NamespaceArguments,
    #[command(flatten)]
    server: ServerArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let body = if arguments.filename.as_os_str() == "-" {
        let mut body = Vec::new();
        std::io::stdin().read_to_end(&mut body).context("cannot read standard input")?;
        body
    } else {
        std::fs::read(&arguments.filename).with_context(|| format!("cannot read `{}`", arguments.filename.display()))?
    };
    let namespace = &arguments.namespace.namespace;
    let answer = client.predict(namespace, &arguments.name, arguments.predictor.as_deref(), body).await?;
    print(&answer.body)?;
    if answer.status == 200 { Ok(()) } else { Err(Failure::new(format!("the server answered {}", answer.status))) }
}
