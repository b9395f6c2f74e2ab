//! `provost operator`: makes `SeldonDeployment`s of a Kubernetes cluster so.

use provost_deployer::{
    kubernetes::Settings,
    operator::{self, Options},
};
use provost_service_kit::telemetry;

/// Run the operator of a Kubernetes cluster, which makes `SeldonDeployment`s so.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The image that serves predictors: that of this program.
    #[arg(long, env = "PROVOST_IMAGE", hide_env_values = true, value_name = "IMAGE")]
    image: String,
    /// When nodes pull it: `Always`, `IfNotPresent` or `Never`.
    #[arg(long, env = "PROVOST_IMAGE_PULL_POLICY", hide_env_values = true, value_name = "POLICY")]
    image_pull_policy: Option<String>,
    /// The gateway of the Gateway API that routes attach to, as `namespace/name`; without, no routes are made.
    #[arg(long, env = "PROVOST_GATEWAY_REF", hide_env_values = true, value_name = "GATEWAY")]
    gateway: Option<String>,
    /// Watch this namespace only; may be given more than once.
    #[arg(
        long,
        env = "PROVOST_WATCH_NAMESPACE",
        hide_env_values = true,
        value_name = "NAMESPACE",
        value_delimiter = ','
    )]
    watch_namespace: Vec<String>,
    /// Reconcile only deployments whose label `seldon.io/controller-id` is this; without, those without one.
    #[arg(long, env = "PROVOST_CONTROLLER_ID", hide_env_values = true, value_name = "ID")]
    controller_id: Option<String>,
    /// What is logged, as `info` or `provost_deployer=debug`.
    #[arg(long, default_value = "info", env = "PROVOST_LOG", hide_env_values = true, value_name = "FILTER")]
    log: String,
}

/// Works until the process is told to stop.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    telemetry::start(&arguments.log, telemetry::LogFormat::Text).map_err(anyhow::Error::msg)?;
    let settings = Settings {
        image_pull_policy: arguments.image_pull_policy,
        gateway: arguments.gateway,
        ..Settings::new(arguments.image)
    };
    let options = Options { namespaces: arguments.watch_namespace, controller_id: arguments.controller_id, settings };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stopped = async {
        if let Err(error) = crate::serve::wait_for_signal().await {
            tracing::error!(%error, "cannot wait for a signal");
        }
    };
    Ok(runtime.block_on(operator::run(options, stopped))?)
}
