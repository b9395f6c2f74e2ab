//! `provost logs`.

use std::time::Duration;

use futures_util::future;
use provost_api::{
    client::Client,
    rest::v1::workloads::{InstanceSummary, LinesParameters},
};
use serde_json::json;

use super::wait::parse_duration;
use crate::{
    connect::{NamespaceArguments, ServerArguments},
    failure::Failure,
    output::{Format, OutputArguments, print},
};

/// Most instances whose lines are followed at a time.
const FOLLOWED_MAX: usize = 20;

/// Print what the containers of a deployment write on Kubernetes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Name of the deployment.
    name: String,
    /// Of this instance, and not of all.
    #[arg(long)]
    instance: Option<String>,
    /// Of the instances of this predictor.
    #[arg(long, conflicts_with = "instance")]
    predictor: Option<String>,
    /// Of this container, and not of the one that serves.
    #[arg(short, long)]
    container: Option<String>,
    /// Number of last lines of each instance.
    #[arg(long, default_value_t = 100)]
    tail: u32,
    /// Lines of the last `30s`, `15m` or `2h`.
    #[arg(long, value_parser = parse_duration)]
    since: Option<Duration>,
    /// Of the container that ran before this one, to see why it ended.
    #[arg(long, conflicts_with = "follow")]
    previous: bool,
    /// Go on, and print lines as they come.
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    namespace: NamespaceArguments,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    output: OutputArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let instances = instances(&client, &arguments).await?;
    let log = Log { client, is_one: instances.len() == 1, arguments };
    if !log.arguments.follow {
        for instance in &instances {
            log.print(instance).await?;
        }
        return Ok(());
    }
    if instances.len() > FOLLOWED_MAX {
        let text = format!("{} instances are too many to follow: name one with --instance", instances.len());
        return Err(Failure::Usage(text));
    }
    future::try_join_all(instances.iter().map(|instance| log.print(instance))).await.map(drop)
}

/// The names of the instances that are meant.
async fn instances(client: &Client, arguments: &Arguments) -> Result<Vec<String>, Failure> {
    if let Some(instance) = &arguments.instance {
        return Ok(vec![instance.clone()]);
    }
    let all = client.instances(&arguments.namespace.namespace, &arguments.name).await?.items;
    let is_meant = |instance: &InstanceSummary| {
        arguments.predictor.is_none() || instance.predictor.as_ref() == arguments.predictor.as_ref()
    };
    let names: Vec<_> = all.into_iter().filter(is_meant).map(|instance| instance.name).collect();
    if names.is_empty() {
        let of = arguments.predictor.as_ref().map_or_else(String::new, |name| format!(" of predictor `{name}`"));
        return Err(Failure::new(format!("`{}` has no instances{of}", arguments.name)));
    }
    Ok(names)
}

struct Log {
    client: Client,
    arguments: Arguments,
    /// Whether lines need not tell whose they are.
    is_one: bool,
}

impl Log {
    /// Prints the lines of an instance.
    async fn print(&self, instance: &str) -> Result<(), Failure> {
        let Arguments { name, container, tail, since, previous, follow, namespace, .. } = &self.arguments;
        let parameters = LinesParameters {
            container: container.clone(),
            tail: Some(*tail),
            since_seconds: since.map(|since| u32::try_from(since.as_secs()).unwrap_or(u32::MAX).max(1)),
            previous: *previous,
            follow: *follow,
        };
        let mut lines = self.client.lines(&namespace.namespace, name, instance, &parameters).await?;
        while let Some(line) = lines.next().await? {
            print(&self.line(instance, &line))?;
        }
        Ok(())
    }

    fn line(&self, instance: &str, line: &str) -> String {
        let (time, message) = line.split_once(' ').unwrap_or((line, ""));
        let object = || json!({ "instance": instance, "time": time, "message": message });
        match self.arguments.output.output {
            Format::Table if self.is_one => line.to_owned(),
            Format::Table => format!("{instance} {line}"),
            Format::Json => object().to_string(),
            Format::Yaml => format!("---\n{}", provost_api::yaml::to_yaml(&object())),
        }
    }
}
