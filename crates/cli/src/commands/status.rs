//! `provost status`.

use provost_api::rest::v1::status::ServerStatus;

use crate::{connect::ServerArguments, failure::Failure, output::OutputArguments};

/// Tell how the server does.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    output: OutputArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let status = client.status().await?;
    arguments.output.print(&status, |status| text(status, client.url()))
}

fn text(status: &ServerStatus, url: &str) -> String {
    let lost = match status.lost_records {
        0 => "none".to_owned(),
        lost => format!("{lost} (see the server's log)"),
    };
    let line = |name: &str, value: &str| format!("{name:<14}{value}\n");
    [
        line("Server:", url),
        line("Version:", &status.version),
        line("Started:", &status.started),
        line("Deployments:", &format!("{} of {} available", status.available, status.deployments)),
        line("In flight:", &status.in_flight.to_string()),
        line("Lost records:", &lost),
    ]
    .concat()
}
