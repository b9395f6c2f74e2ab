//! `provost predict`.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use provost_api::client::Prediction;

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
    let body = read_body(&arguments.filename)?;
    let namespace = &arguments.namespace.namespace;
    let answer = client.predict(namespace, &arguments.name, arguments.predictor.as_deref(), body).await?;
    print_answer(&answer)
}

/// Prints an answer, which is a failure where it is none of success.
pub(super) fn print_answer(answer: &Prediction) -> Result<(), Failure> {
    print(&answer.body)?;
    if answer.status == 200 { Ok(()) } else { Err(Failure::new(format!("the server answered {}", answer.status))) }
}

/// The content of a file, or of standard input.
pub(super) fn read_body(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()));
    }
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body).context("cannot read standard input")?;
    Ok(body)
}
