//! `provost describe`.

use std::fmt::Write as _;

use provost_api::rest::v1::{
    deployments::{DeploymentDetail, History, PredictorSummary},
    status::EngineName,
    workloads::Instances,
};
use provost_domain::graph::Implementation;
use serde::Serialize;

use super::{instances::instances_table, kind::Subject};
use crate::{
    connect::{NamespaceArguments, ServerArguments},
    failure::Failure,
    output::{OutputArguments, table},
};

/// Changes that are shown.
const CHANGES: usize = 10;

/// Tell all about a deployment, for people.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    namespace: NamespaceArguments,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Serialize)]
struct Described {
    deployment: DeploymentDetail,
    history: History,
    /// Only where they are not the server itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<Instances>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let (kind, name) = arguments.subject.parse_named().map_err(Failure::Usage)?;
    let namespace = &arguments.namespace.namespace;
    let deployment = client.deployment(namespace, name, None).await?;
    kind.check(name, &deployment.summary.kind)?;
    let history = client.history(namespace, name).await?;
    let instances = match client.status().await?.engine {
        EngineName::Kubernetes => Some(client.instances(namespace, name).await?),
        EngineName::Process => None,
    };
    let url = client.url().to_owned();
    arguments.output.print(&Described { deployment, history, instances }, |described| text(described, &url))
}

fn text(described: &Described, url: &str) -> String {
    let (detail, summary) = (&described.deployment, &described.deployment.summary);
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _written = writeln!(out, "{name:<13}{value}");
    };
    line("Name:", &summary.name);
    line("Namespace:", &summary.namespace);
    line("Kind:", &summary.kind);
    line("State:", &format!("{:?}", summary.state));
    if !summary.description.is_empty() {
        line("Reason:", &summary.description);
    }
    line("Generation:", &format!("{} (observed {})", summary.generation, summary.observed_generation));
    line("Created:", &summary.created);
    line("Updated:", &summary.updated);
    line("Predictions:", &format!("POST {url}{}", summary.predict_path));
    line("Request log:", if summary.request_log { "on" } else { "off" });
    out.push_str("\nPredictors:\n");
    out.push_str(&indented(&predictors(&summary.predictors)));
    if let Some(graphs) = graphs(&summary.predictors) {
        out.push_str("\nGraphs:\n");
        out.push_str(&indented(&graphs));
    }
    if let Some(instances) = &described.instances {
        out.push_str("\nInstances:\n");
        out.push_str(&indented(&instances_table(instances)));
    }
    if !detail.warnings.is_empty() {
        out.push_str("\nWarnings:\n");
        out.extend(detail.warnings.iter().map(|warning| format!("  {}: {}\n", warning.path, warning.message)));
    }
    out.push_str("\nHistory:\n");
    out.push_str(&indented(&history(&described.history)));
    out
}

fn predictors(predictors: &[PredictorSummary]) -> String {
    let row = |predictor: &PredictorSummary| {
        vec![
            predictor.name.clone(),
            format!("{:?}", predictor.state),
            share(predictor, predictor.weight),
            share(predictor, predictor.desired_weight),
            predictor.revision.clone().unwrap_or_default(),
            predictor.implementation.clone(),
            predictor.model_uri.clone().unwrap_or_default(),
            predictor.reason.clone().unwrap_or_default(),
        ]
    };
    let headings = ["name", "state", "traffic", "desired", "revision", "server", "model", "reason"];
    table(&headings, predictors.iter().map(row))
}

fn share(predictor: &PredictorSummary, weight: u32) -> String {
    if predictor.shadow { "shadow".to_owned() } else { format!("{weight}%") }
}

/// The graphs of several nodes, each node below and beside the one above it.
fn graphs(predictors: &[PredictorSummary]) -> Option<String> {
    let several: Vec<_> = predictors.iter().filter(|predictor| !predictor.nodes.is_empty()).collect();
    let rows = several.iter().flat_map(|predictor| {
        let first = vec![
            predictor.name.clone(),
            predictor.node.clone(),
            predictor.implementation.clone(),
            predictor.model_uri.clone().unwrap_or_default(),
        ];
        let below = predictor.nodes.iter().map(|node| {
            let indent = "  ".repeat(node.depth as usize);
            let runs = if node.implementation == Implementation::UNKNOWN { &node.kind } else { &node.implementation };
            let (name, uri) = (format!("{indent}{}", node.name), node.model_uri.clone().unwrap_or_default());
            vec![predictor.name.clone(), name, runs.clone(), uri]
        });
        std::iter::once(first).chain(below)
    });
    (!several.is_empty()).then(|| table(&["predictor", "node", "runs", "model"], rows))
}

fn history(history: &History) -> String {
    let row = |change: &provost_api::rest::v1::deployments::ChangeSummary| {
        let action = if change.manifest_yaml.is_some() { "applied" } else { "deleted" };
        vec![
            change.generation.to_string(),
            action.to_owned(),
            change.time.clone(),
            change.author.clone(),
            change.message.clone().unwrap_or_default(),
        ]
    };
    table(&["generation", "change", "time", "author", "message"], history.items.iter().take(CHANGES).map(row))
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}
