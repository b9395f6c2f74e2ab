//! `provost rollback`.

use provost_api::rest::v1::changes::Rollback;

use super::change::ChangeArguments;
use crate::failure::Failure;

/// Go back to the manifest of an earlier generation, which makes a new one.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    change: ChangeArguments,
    /// To this generation; without, to the last one whose manifest differs from the present one.
    #[arg(long, value_name = "GENERATION")]
    to: Option<u64>,
}

pub(crate) async fn run(Arguments { change, to }: Arguments) -> Result<(), Failure> {
    let client = change.client()?;
    let (namespace, name) = change.deployment();
    let changed = client.rollback(namespace, name, &Rollback { to }, &change.parameters()).await;
    change.finish(&client, changed).await
}
