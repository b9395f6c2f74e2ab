//! What the commands have in common that change a deployment's manifest on the server.

use std::time::Duration;

use provost_api::{
    client::{Client, ClientError},
    rest::v1::{
        apply::ApplyResult,
        changes::{ChangeParameters, ChosenPredictor, PredictorChange, PredictorRole},
    },
};

use super::{
    apply::print_result,
    wait::{await_available, parse_duration},
};
use crate::{
    connect::{NamespaceArguments, ServerArguments},
    failure::Failure,
    output::OutputArguments,
};

/// What each of these commands takes.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeArguments {
    /// Name of the deployment.
    name: String,
    /// Why, for the history.
    #[arg(short, long)]
    message: Option<String>,
    /// Check everything and store nothing; `-o yaml` shows the manifest that would be.
    #[arg(long)]
    dry_run: bool,
    /// Only if the deployment is at this generation.
    #[arg(long)]
    generation: Option<u64>,
    /// Wait until the deployment is available again, as `provost wait` does.
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,
    /// How long to wait, as `30s` or `5m`.
    #[arg(long, default_value = "60s", value_parser = parse_duration)]
    timeout: Duration,
    #[command(flatten)]
    namespace: NamespaceArguments,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// A canary or shadow that is there.
#[derive(Debug, clap::Args)]
pub(crate) struct ChosenArguments {
    #[command(flatten)]
    change: ChangeArguments,
    /// Which one, where there are several.
    #[arg(short, long, value_name = "NAME")]
    predictor: Option<String>,
}

impl ChosenArguments {
    /// Asks for the change that is made of the one that is chosen.
    pub(super) async fn run(
        self,
        role: PredictorRole,
        change: impl FnOnce(ChosenPredictor) -> PredictorChange,
    ) -> Result<(), Failure> {
        self.change.run(&change(ChosenPredictor { role, predictor: self.predictor })).await
    }
}

impl ChangeArguments {
    /// Asks for a change of predictors, and prints what became of it.
    pub(super) async fn run(&self, change: &PredictorChange) -> Result<(), Failure> {
        let (client, (namespace, name)) = (self.client()?, self.deployment());
        let changed = client.change_predictors(namespace, name, change, &self.parameters()).await;
        self.finish(&client, changed).await
    }

    /// Waits where that is asked for, and prints what became of the change.
    pub(super) async fn finish(
        &self,
        client: &Client,
        changed: Result<ApplyResult, ClientError>,
    ) -> Result<(), Failure> {
        let result = changed?;
        if self.wait {
            await_available(client, &self.name, self.deployment(), self.timeout).await?;
        }
        print_result(result, self.dry_run, &self.output)
    }

    pub(super) fn parameters(&self) -> ChangeParameters {
        ChangeParameters { dry_run: self.dry_run, message: self.message.clone(), generation: self.generation }
    }

    pub(super) fn client(&self) -> Result<Client, Failure> {
        self.server.client()
    }

    /// Namespace and name of the deployment.
    pub(super) fn deployment(&self) -> (&str, &str) {
        (&self.namespace.namespace, &self.name)
    }
}
