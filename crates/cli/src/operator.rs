//! `provost operator`: makes `SeldonDeployment`s of a Kubernetes cluster so.

mod listeners;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
};

use futures_util::FutureExt as _;
use provost_deployer::{
    ModelServers,
    kubernetes::{LogBucket, ObjectName, Settings, TraceCollector},
    operator::{self, Client, Figures, Options, crd, lease::Candidate},
};
use provost_domain::BucketUri;
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
    /// A Secret with which nodes pull it, of the namespace of each deployment; may be given several times.
    #[arg(
        long = "image-pull-secret",
        env = "PROVOST_IMAGE_PULL_SECRETS",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "SECRET"
    )]
    image_pull_secrets: Vec<String>,
    /// The image of init containers that fetch models, with the arguments `modelUri` and `/mnt/models`; without, the
    /// server fetches them itself.
    #[arg(long, env = "PROVOST_STORAGE_INITIALIZER_IMAGE", hide_env_values = true, value_name = "IMAGE")]
    storage_initializer_image: Option<String>,
    /// Read the Secrets that service accounts name, so that pods fetch models with them: only the names of their keys and
    /// their annotations are kept.
    #[arg(
        long,
        default_value_t = true,
        action = clap::ArgAction::Set,
        env = "PROVOST_SERVICE_ACCOUNT_SECRETS",
        hide_env_values = true,
        value_name = "BOOL"
    )]
    service_account_secrets: bool,
    /// A `ConfigMap` with further model servers, as `namespace/name`: in the form of Seldon's `seldon-config`, with the key
    /// `predictor_servers`, or of `KFServing`'s `inferenceservice-config`, with the key `predictors`. It is watched; may be given several times, and of two servers with one name the later counts.
    #[arg(
        long,
        env = "PROVOST_MODEL_SERVERS",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "CONFIGMAP"
    )]
    model_servers: Vec<ObjectName>,
    /// The gateway of the Gateway API that routes attach to, as `namespace/name`; without, no routes are made.
    #[arg(long, env = "PROVOST_GATEWAY_REF", hide_env_values = true, value_name = "GATEWAY")]
    gateway: Option<ObjectName>,
    /// A collector of OpenTelemetry that gets the spans of pods, as `http://host:4318`; without, there are none.
    #[arg(long, env = "PROVOST_OTLP_ENDPOINT", hide_env_values = true, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// The part of the requests, 0 to 1, that have spans where callers do not decide that.
    #[arg(
        long,
        env = "PROVOST_TRACE_RATIO",
        hide_env_values = true,
        default_value_t = 1.0,
        requires = "otlp_endpoint",
        value_name = "RATIO"
    )]
    trace_ratio: f64,
    /// The domain below which `InferenceService`s have hosts at the gateway, as `<name>-<namespace>.<domain>` and
    /// `<name>.<namespace>.<domain>`.
    #[arg(long, env = "PROVOST_INGRESS_DOMAIN", hide_env_values = true, requires = "gateway", value_name = "DOMAIN")]
    ingress_domain: Option<String>,
    /// Where pods send the request log, as `s3://bucket/prefix` or `gs://bucket/prefix`; without, a pod's log goes with
    /// the pod.
    #[arg(long, env = "PROVOST_REQUEST_LOG_BUCKET", hide_env_values = true, value_name = "URI")]
    request_log_bucket: Option<BucketUri>,
    /// The Secret that gives access to it, of the namespace of each deployment, with the variables that models are
    /// fetched with, such as `AWS_ACCESS_KEY_ID`. Pods of a namespace without it serve, and try those for models.
    #[arg(
        long,
        env = "PROVOST_REQUEST_LOG_SECRET",
        hide_env_values = true,
        requires = "request_log_bucket",
        value_name = "SECRET"
    )]
    request_log_secret: Option<String>,
    /// Watch this namespace only; may be given more than once.
    #[arg(
        long,
        env = "PROVOST_WATCH_NAMESPACE",
        hide_env_values = true,
        value_name = "NAMESPACE",
        value_delimiter = ','
    )]
    watch_namespace: Vec<String>,
    /// Make `InferenceService`s and `InferenceGraph`s so, too. Nobody else may be in charge of them on the cluster, as
    /// `KServe` is where it is installed.
    #[arg(long, env = "PROVOST_INFERENCE_SERVICES", hide_env_values = true)]
    inference_services: bool,
    /// The Service, as `namespace/name`, of servers with the role `gateway` that hold requests for `InferenceService`s that are
    /// scaled to no replicas; without, one replica stays.
    #[arg(long, env = "PROVOST_ACTIVATOR", hide_env_values = true, value_name = "SERVICE")]
    activator: Option<ObjectName>,
    /// Reconcile only deployments whose label `seldon.io/controller-id` is this; without, those without one.
    #[arg(long, env = "PROVOST_CONTROLLER_ID", hide_env_values = true, value_name = "ID")]
    controller_id: Option<String>,
    /// Work only while holding the Lease of this `namespace/name`, so that several operators can stand by.
    #[arg(long, env = "PROVOST_LEASE", hide_env_values = true, value_name = "LEASE")]
    lease: Option<ObjectName>,
    /// Validate what users apply, as the Service of this `namespace/name` to the API server; listens on port 9443.
    /// Certificates are kept in a Secret of that name; the configuration `<name>-<namespace>` must be there.
    #[arg(long, env = "PROVOST_WEBHOOK", hide_env_values = true, value_name = "SERVICE")]
    webhook: Option<ObjectName>,
    /// Answer `/-/live`, `/-/ready` and `/metrics` on this address.
    #[arg(long, env = "PROVOST_LISTEN", hide_env_values = true, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// What is logged, as `info` or `provost_deployer=debug`.
    #[arg(long, default_value = "info", env = "PROVOST_LOG", hide_env_values = true, value_name = "FILTER")]
    log: String,
}

/// Works until the process is told to stop.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    telemetry::start(&arguments.log, telemetry::LogFormat::Text).map_err(anyhow::Error::msg)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work(arguments))
}

async fn work(arguments: Arguments) -> anyhow::Result<()> {
    let client = operator::connect().await?;
    let figures = Arc::new(Figures::default());
    let settings = Settings {
        image_pull_policy: arguments.image_pull_policy,
        image_pull_secrets: arguments.image_pull_secrets,
        storage_initializer_image: arguments.storage_initializer_image,
        gateway: arguments.gateway,
        activator: arguments.activator,
        traces: arguments.otlp_endpoint.map(|endpoint| TraceCollector { endpoint, ratio: arguments.trace_ratio }),
        ingress_domain: arguments.ingress_domain,
        log_bucket: arguments.request_log_bucket.map(|uri| LogBucket { uri, secret: arguments.request_log_secret }),
        ..Settings::new(arguments.image)
    };
    let (namespaces, of_kserve) = (&arguments.watch_namespace, arguments.inference_services);
    let servers = ModelServers::for_kinds(arguments.model_servers, of_kserve, namespaces);
    let options = Options {
        namespaces: arguments.watch_namespace,
        kinds: crd::Served::chosen(arguments.inference_services),
        controller_id: arguments.controller_id,
        reads_account_secrets: arguments.service_account_secrets,
        servers,
        settings,
    };
    tokio::spawn({
        let (servers, client) = (options.servers.clone(), client.clone());
        async move { servers.follow(client).await }
    });
    let is_ready = Arc::new(AtomicBool::new(arguments.webhook.is_none()));
    let listen = |address| listeners::serve_figures(address, Arc::clone(&figures), Arc::clone(&is_ready));
    let listening = arguments.listen.map(listen);
    let _listening = listening.transpose()?;
    if let Some(webhook) = arguments.webhook {
        tokio::spawn(listeners::serve_webhook(client.clone(), webhook, options.clone(), is_ready));
    }
    let candidate = arguments.lease.map(|lease| Candidate::new(client.clone(), lease, identity()));
    reconcile(client, options, figures, candidate).await
}

/// Reconciles until told to stop, or until the lease is lost.
async fn reconcile(
    client: Client,
    options: Options,
    figures: Arc<Figures>,
    candidate: Option<Candidate>,
) -> anyhow::Result<()> {
    let stopped = async {
        if let Err(error) = crate::serve::wait_for_signal().await {
            tracing::error!(%error, "cannot wait for a signal");
        }
    };
    let stopped = stopped.boxed().shared();
    let work = |figures: Arc<Figures>| {
        figures.set_leader(true);
        operator::run(client, options, figures, stopped.clone())
    };
    let Some(mut candidate) = candidate else { return Ok(work(figures).await?) };
    tokio::select! {
        () = candidate.win() => tracing::info!("this operator has the lease"),
        () = stopped.clone() => return Ok(()),
    }
    let worked = tokio::select! {
        worked = work(figures) => Ok(worked?),
        () = candidate.hold() => Err(anyhow::anyhow!("the lease is lost: another operator works now")),
    };
    if worked.is_ok() {
        candidate.release().await;
    }
    worked
}

/// A name that no other process has.
pub(crate) fn identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}_{}", host.trim(), std::process::id())
}
