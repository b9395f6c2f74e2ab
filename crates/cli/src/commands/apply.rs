//! `provost apply`.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use provost_api::rest::v1::apply::{Action, Applied, ApplyParameters, ApplyResult};

use crate::{
    connect::{NamespaceArguments, ServerArguments},
    failure::Failure,
    output::OutputArguments,
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
    for result in &applied {
        for warning in &result.warnings {
            eprintln!("warning: {} {}: {}: {}", result.kind, result.name, warning.path, warning.message);
        }
    }
    arguments.output.print(&ApplyResult { applied }, |result| {
        result.applied.iter().map(|applied| line(applied, arguments.dry_run)).collect()
    })
}

fn line(applied: &Applied, is_dry_run: bool) -> String {
    let action = match applied.action {
        Action::Created => "created",
        Action::Configured => "configured",
    };
    let note = if is_dry_run { " (dry run)" } else { "" };
    format!("{}/{} {action}{note}\n", applied.kind.to_lowercase(), applied.name)
}

/// The texts of all files, with the names for messages.
fn read_sources(paths: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    let mut sources = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
            sources.push(("standard input".to_owned(), text));
            continue;
        }
        for file in files(path)? {
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
            sources.push((file.display().to_string(), text));
        }
    }
    Ok(sources)
}

/// The file itself, or the manifests of a folder in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let context = || format!("cannot read `{}`", path.display());
    if !std::fs::metadata(path).with_context(context)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let is_manifest = |path: &PathBuf| {
        path.extension().and_then(|e| e.to_str()).is_some_and(|e| matches!(e, "yaml" | "yml" | "json"))
    };
    let entries =
        std::fs::read_dir(path).with_context(context)?.collect::<Result<Vec<_>, _>>().with_context(context)?;
    let mut files: Vec<_> = entries.iter().map(std::fs::DirEntry::path).filter(is_manifest).collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(format!("`{}` holds no .yaml, .yml or .json files", path.display())));
    }
    Ok(files)
}
