//! `provost get`.

use provost_api::{
    client::Client,
    rest::v1::deployments::{DeploymentSummary, ListParameters, PredictorSummary},
};

use super::kind::{Kind, Subject};
use crate::{
    connect::{NamespaceArguments, ServerArguments},
    failure::Failure,
    output::{Format, OutputArguments, print, table},
};

/// List deployments, or show one.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// Those of all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Go on, and print again whenever something changes.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    namespace: NamespaceArguments,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    output: OutputArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let (kind, name) = arguments.subject.parse().map_err(Failure::Usage)?;
    let mut version = None;
    loop {
        let seen = match name {
            Some(name) => show_one(&client, &arguments, (kind, name), version).await?,
            None => show_list(&client, &arguments, kind, version).await?,
        };
        if !arguments.watch {
            return Ok(());
        }
        version = Some(seen);
    }
}

/// Prints one deployment, unless nothing changed since `after`. Tells the version.
async fn show_one(
    client: &Client,
    arguments: &Arguments,
    (kind, name): (Kind, &str),
    after: Option<u64>,
) -> Result<u64, Failure> {
    let detail = client.deployment(&arguments.namespace.namespace, name, after).await?;
    kind.check(name, &detail.summary.kind)?;
    if after != Some(detail.version) {
        arguments
            .output
            .print(&detail, |detail| rows(std::slice::from_ref(&detail.summary), arguments.all_namespaces))?;
    }
    Ok(detail.version)
}

/// Prints all deployments of a kind, unless nothing changed since `after`. Tells the version.
async fn show_list(client: &Client, arguments: &Arguments, kind: Kind, after: Option<u64>) -> Result<u64, Failure> {
    let namespace = (!arguments.all_namespaces).then(|| arguments.namespace.namespace.clone());
    let mut parameters = ListParameters { namespace, limit: Some(500), after_version: after, ..Default::default() };
    let mut page = client.deployments(&parameters).await?;
    let version = page.version;
    if after == Some(version) {
        return Ok(version);
    }
    let mut items = page.items;
    while let Some(next) = page.next {
        parameters = ListParameters { cursor: Some(next), after_version: None, ..parameters };
        page = client.deployments(&parameters).await?;
        items.append(&mut page.items);
    }
    items.retain(|item| item.kind == kind.in_manifests());
    match arguments.output.output {
        Format::Table if items.is_empty() => {
            let place = parameters.namespace.map(|name| format!(" in the namespace `{name}`")).unwrap_or_default();
            eprintln!("There is no {}{place}. Apply one with `provost apply -f FILE`.", kind.in_manifests());
        }
        Format::Table => print(&rows(&items, arguments.all_namespaces))?,
        Format::Json | Format::Yaml => arguments.output.print(&items, |_| String::new())?,
    }
    Ok(version)
}

fn rows(items: &[DeploymentSummary], with_namespace: bool) -> String {
    let mut headings = vec!["name", "state", "predictors", "updated", "description"];
    if with_namespace {
        headings.insert(0, "namespace");
    }
    let row = |item: &DeploymentSummary| {
        let predictors = item.predictors.iter().map(traffic).collect::<Vec<_>>().join(", ");
        let mut row = vec![
            item.name.clone(),
            format!("{:?}", item.state),
            predictors,
            item.updated.clone(),
            item.description.clone(),
        ];
        if with_namespace {
            row.insert(0, item.namespace.clone());
        }
        row
    };
    table(&headings, items.iter().map(row))
}

fn traffic(predictor: &PredictorSummary) -> String {
    let PredictorSummary { name, weight, shadow, .. } = predictor;
    if *shadow { format!("{name} shadow") } else { format!("{name} {weight}%") }
}
