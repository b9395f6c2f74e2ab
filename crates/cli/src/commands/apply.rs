//! `provost apply`.

use std::path::PathBuf;

use provost_api::rest::v1::apply::{Action, Applied, ApplyParameters, ApplyResult};

use crate::{
    connect::{NamespaceArguments, ServerArguments},
    failure::Failure,
    output::OutputArguments,
    sources::read_sources,
};

/// Apply manifests from files, folders or standard input. All are checked before any is stored.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// File, folder (its .yaml, .yml and .json files) or `-` for standard input; may be repeated.
    #[arg(short, long = "filename", required = true, value_name = "FILE")]
    filename: Vec<PathBuf>,
    /// Check everything and store nothing.
    #[arg(long)]
    dry_run: bool,
    /// Why, for the history.
    #[arg(short, long)]
    message: Option<String>,
    #[command(flatten)]
    namespace: NamespaceArguments,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    output: OutputArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let sources = read_sources(&arguments.filename)?;
    let parameters = |source: &str, dry_run| ApplyParameters {
        namespace: Some(arguments.namespace.namespace.clone()),
        dry_run,
        message: arguments.message.clone(),
        source: Some(source.to_owned()),
    };
    if sources.len() > 1 {
        for (source, text) in &sources {
            client.apply(text.clone(), &parameters(source, true)).await?;
        }
    }
    let mut applied = Vec::new();
    for (source, text) in sources {
        applied.extend(client.apply(text, &parameters(&source, arguments.dry_run)).await?.applied);
    }
    print_result(ApplyResult { applied }, arguments.dry_run, &arguments.output)
}

/// Prints what became of manifests; warnings aside.
pub(super) fn print_result(result: ApplyResult, is_dry_run: bool, output: &OutputArguments) -> Result<(), Failure> {
    for applied in &result.applied {
        for warning in &applied.warnings {
            eprintln!("warning: {} {}: {}: {}", applied.kind, applied.name, warning.path, warning.message);
        }
    }
    output.print(&result, |result| result.applied.iter().map(|applied| line(applied, is_dry_run)).collect())
}

fn line(applied: &Applied, is_dry_run: bool) -> String {
    let action = match applied.action {
        Action::Created => "created",
        Action::Configured => "configured",
    };
    let note = if is_dry_run { " (dry run)" } else { "" };
    format!("{}/{} {action}{note}\n", applied.kind.to_lowercase(), applied.name)
}
