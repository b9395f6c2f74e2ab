//! `provost delete`.

use provost_api::rest::v1::deployments::DeleteParameters;

use super::kind::Subject;
use crate::{
    connect::{NamespaceArguments, ServerArguments},
    failure::Failure,
    output::print,
};

/// Delete a deployment. Its request log stays until it is too old.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// Only if it is at this generation.
    #[arg(long)]
    generation: Option<u64>,
    /// Why, for the history.
    #[arg(short, long)]
    message: Option<String>,
    #[command(flatten)]
    namespace: NamespaceArguments,
    #[command(flatten)]
    server: ServerArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let (kind, name) = arguments.subject.parse_named().map_err(Failure::Usage)?;
    let parameters = DeleteParameters { generation: arguments.generation, message: arguments.message.clone() };
    let namespace = &arguments.namespace.namespace;
    kind.check(name, &client.deployment(namespace, name, None).await?.summary.kind)?;
    client.delete(namespace, name, &parameters).await?;
    print(&format!("{}/{name} deleted", kind.name()))
}
