//! `provost wait`.

use std::{str::FromStr, time::Duration};

use provost_api::{
    client::{Client, ClientError},
    rest::v1::deployments::DeploymentState,
};
use provost_domain::ErrorCode;

use super::kind::Subject;
use crate::{
    connect::{NamespaceArguments, ServerArguments},
    failure::Failure,
    output::print,
};

/// Wait until a deployment is available, or gone.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// What to wait for: `available`, `condition=Ready` (the same) or `delete`.
    #[arg(long = "for", default_value = "available", value_name = "CONDITION")]
    condition: Condition,
    /// How long to wait, as `30s` or `5m`.
    #[arg(long, default_value = "60s", value_parser = parse_duration)]
    timeout: Duration,
    #[command(flatten)]
    namespace: NamespaceArguments,
    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Available,
    Deleted,
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "available" | "ready" | "condition=ready" | "condition=available" => Ok(Self::Available),
            "delete" | "deleted" => Ok(Self::Deleted),
            _ => Err("wait for `available`, `condition=Ready` or `delete`".to_owned()),
        }
    }
}

/// Reads `30s`, `5m` or `1h`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number with s, m or h, as in 30s".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    number.parse::<u32>().map(|number| Duration::from_secs(u64::from(number) * seconds)).map_err(|_| wrong())
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let (kind, name) = arguments.subject.parse_named().map_err(Failure::Usage)?;
    let subject = format!("{}/{name}", kind.name());
    let namespace = &arguments.namespace.namespace;
    if arguments.condition == Condition::Available {
        kind.check(name, &client.deployment(namespace, name, None).await?.summary.kind)?;
    }
    await_condition(&client, arguments.condition, &subject, (namespace, name), arguments.timeout).await?;
    print(&format!("{subject} condition met"))
}

/// Waits until the deployment, which is called `subject` to the user, is available at its latest generation.
pub(super) async fn await_available(
    client: &Client,
    subject: &str,
    deployment: (&str, &str),
    timeout: Duration,
) -> Result<(), Failure> {
    await_condition(client, Condition::Available, subject, deployment, timeout).await
}

async fn await_condition(
    client: &Client,
    condition: Condition,
    subject: &str,
    (namespace, name): (&str, &str),
    timeout: Duration,
) -> Result<(), Failure> {
    let mut last = String::from("it was not seen yet");
    let waiting = async {
        match condition {
            Condition::Available => available(client, namespace, name, &mut last).await,
            Condition::Deleted => deleted(client, namespace, name, &mut last).await,
        }
    };
    match tokio::time::timeout(timeout, waiting).await {
        Ok(result) => Ok(result?),
        Err(_elapsed) => Err(Failure::Timeout(format!("{subject} is not there after {timeout:?}: {last}"))),
    }
}

async fn available(client: &Client, namespace: &str, name: &str, last: &mut String) -> Result<(), ClientError> {
    let mut version = None;
    loop {
        let detail = client.deployment(namespace, name, version).await?;
        let summary = &detail.summary;
        let is_current = summary.observed_generation == summary.generation;
        if is_current && summary.state == DeploymentState::Available {
            return Ok(());
        }
        *last = format!("{:?}: {}", summary.state, summary.description);
        version = Some(detail.version);
    }
}

async fn deleted(client: &Client, namespace: &str, name: &str, last: &mut String) -> Result<(), ClientError> {
    let mut version = None;
    loop {
        match client.deployment(namespace, name, version).await {
            Ok(detail) => {
                "it still exists".clone_into(last);
                version = Some(detail.version);
            }
            Err(error) if error.code() == Some(ErrorCode::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "s", "5", "-1s", "1d", "1é"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
