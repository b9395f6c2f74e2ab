//! `provost serve`: every role in one process. The composition root: it names the concrete store, log
//! and deployer, and holds no logic.

mod config;
mod control_plane;
mod data_dir;
mod door;
mod flush;
mod forward;
mod fresh_log;
mod keeper;
mod learned;
mod load;
mod pod;
mod thread;
mod views;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::Context as _;
use provost_control_plane::{
    app::{App, Parts},
    console, kubernetes,
    reconcile::{Ports, Reconciler, with_causes},
    rest,
};
use provost_deployer::{InProcessDeployer, ModelServers, kubernetes::ObjectName, operator::crd::Served};
use provost_domain::{DeploymentId, Engine, ServerCatalog, port::clock::Clock};
use provost_gateway::{Gateway, Options as GatewayOptions, Traces, TrafficHistory};
use provost_inference::record::Timestamp;
use provost_request_log::{Options as LogOptions, RequestLog, Retention, Uploads};
use provost_service_kit::{
    access::Rules,
    config::load,
    listener::Options as ListenerOptions,
    open_files::raise_open_files,
    supervise::{Shutdown, shutdown, supervise},
    telemetry::{self, traces::Spans},
    tls::{TlsFiles, TlsSource},
};
use provost_store::{
    artifacts::{Environments, FilesystemArtifacts, Options as ArtifactOptions},
    metadata::SqliteRepository,
};
use provost_worker::{ModelServer, OwnPrograms};

use config::Config;
use data_dir::DataDir;
use door::Door;
use flush::Flush;
use forward::Destination;
use learned::LearnedFile;
use thread::{DataPlane, Routers};
use views::{Artifacts, ServerChecks, SystemClock, View};

/// How often traffic is sampled for the live charts.
const SAMPLE_EVERY: Duration = Duration::from_secs(2);
/// How often records are brought to the disk (what a power cut may cost at most) and are rewritten.
const TEND_EVERY: Duration = Duration::from_secs(1);
/// How long a program of the user's own is waited for until its deployment counts as failed.
const OWN_PROGRAM_PATIENCE: Duration = Duration::from_secs(5);

/// Serve models, the API and the console on one port.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder for everything that is kept.
    #[arg(long, default_value = "provost-data", env = "PROVOST_DATA_DIR", hide_env_values = true, value_name = "DIR")]
    data_dir: PathBuf,
    /// Address to listen on (127.0.0.1:8000 when the configuration says nothing).
    #[arg(long, env = "PROVOST_LISTEN", hide_env_values = true, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Configuration file (TOML).
    #[arg(long, env = "PROVOST_CONFIG", hide_env_values = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Let everybody in without a token. Only where the network is safe.
    #[arg(long)]
    insecure: bool,
    /// What the server is: everything, or the one predictor of a pod.
    #[arg(long, value_enum, default_value_t = Roles::All)]
    roles: Roles,
    /// With `--roles control-plane` and `gateway`: this namespace only; may be given more than once.
    #[arg(
        long,
        env = "PROVOST_WATCH_NAMESPACE",
        hide_env_values = true,
        value_name = "NAMESPACE",
        value_delimiter = ','
    )]
    watch_namespace: Vec<String>,
    /// With `--roles control-plane` and `gateway`: `InferenceService`s and `InferenceGraph`s, too.
    #[arg(long, env = "PROVOST_INFERENCE_SERVICES", hide_env_values = true)]
    inference_services: bool,
    /// With `--roles control-plane` and `gateway`: a `ConfigMap` with further model servers, as for the operator; may be given
    /// more than once.
    #[arg(
        long,
        env = "PROVOST_MODEL_SERVERS",
        hide_env_values = true,
        value_name = "CONFIGMAP",
        value_delimiter = ','
    )]
    model_servers: Vec<ObjectName>,
    /// With `--roles control-plane`: keep the bucket of the request log while holding the Lease of this
    /// `namespace/name`, so that several control planes can stand by; without, the bucket is only read.
    #[arg(long, env = "PROVOST_LEASE", hide_env_values = true, value_name = "LEASE")]
    lease: Option<ObjectName>,
}

/// What a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Roles {
    /// Models, API and console.
    All,
    /// One predictor, from the manifest in the variable `PROVOST_MANIFEST`; ends when it cannot serve.
    Predictor,
    /// API and console of a Kubernetes cluster, whose deployments the operator makes so; predictions are passed on.
    ControlPlane,
    /// Predictions of a Kubernetes cluster, passed on to its pods: for where no gateway of the Gateway API is.
    Gateway,
}

/// The schema of the configuration file.
pub(crate) fn config_schema() -> String {
    config::schema()
}

/// Serves until the process is told to stop.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut config: Config = load(arguments.config.as_deref(), std::env::vars())?;
    config.server.listen = arguments.listen.unwrap_or(config.server.listen);
    config.server.insecure |= arguments.insecure;
    #[expect(clippy::disallowed_methods, reason = "the environment is read here, once")]
    let [token, manifest] = ["PROVOST_TOKEN", pod::MANIFEST].map(|name| std::env::var(name).ok());
    let manifest = match arguments.roles {
        Roles::All | Roles::ControlPlane | Roles::Gateway => None,
        Roles::Predictor => {
            config.artifacts.roots.get_or_insert_with(pod::roots);
            Some(manifest.with_context(|| format!("the variable {} is not set", pod::MANIFEST))?)
        }
    };
    let rules = match arguments.roles {
        Roles::Predictor | Roles::Gateway => pod::open_rules(&config),
        Roles::All | Roles::ControlPlane => config.validate(token).map_err(|problems| wrong(&problems))?,
    };
    let format = match config.telemetry.log_format {
        config::LogFormat::Text => telemetry::LogFormat::Text,
        config::LogFormat::Json => telemetry::LogFormat::Json,
    };
    let variables = std::env::vars().collect();
    let environments = config.environments(&variables).map_err(|problems| wrong(&problems))?;
    telemetry::start(&config.telemetry.log_filter, format).map_err(anyhow::Error::msg)?;
    raise_open_files(config.server.connections_max);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (namespaces, of_kserve) = (&arguments.watch_namespace, arguments.inference_services);
    let servers = ModelServers::for_kinds(arguments.model_servers, of_kserve, namespaces);
    let watched = control_plane::Watched {
        namespaces: arguments.watch_namespace,
        kinds: Served::chosen(arguments.inference_services),
        servers,
    };
    match arguments.roles {
        Roles::All | Roles::Predictor => {
            let destination = Destination::find(&config, &variables, arguments.roles);
            let destination = destination.map_err(|problems| wrong(&problems))?;
            let spans = config.trace_options().map_err(|problems| wrong(&problems))?;
            let spans = spans.map(|options| Spans::start(&options)).transpose();
            let spans = spans.map_err(|problem| wrong(&[format!("telemetry.otlp-endpoint: {problem}")]))?;
            let traces = spans.as_ref().map(|spans| Traces::new(spans.tracer(), Spans::propagator()));
            let served = serve(&arguments.data_dir, &config, rules, environments, destination, (manifest, traces));
            let end = runtime.block_on(served);
            if let Some(spans) = spans {
                spans.finish();
            }
            end
        }
        Roles::ControlPlane => {
            let log = config.log_bucket(&variables).map_err(|problems| wrong(&problems))?;
            let lease = arguments.lease;
            runtime.block_on(control_plane::serve(&arguments.data_dir, &config, rules, watched, log, lease))
        }
        Roles::Gateway => runtime.block_on(control_plane::serve_gateway(&arguments.data_dir, &config, watched)),
    }
}

fn wrong(problems: &[String]) -> anyhow::Error {
    anyhow::anyhow!("the configuration is wrong:\n  {}", problems.join("\n  "))
}

async fn serve(
    data_dir: &Path,
    config: &Config,
    rules: Rules,
    environments: Environments,
    destination: Option<Destination>,
    (manifest, traces): (Option<String>, Option<Traces>),
) -> anyhow::Result<()> {
    if config.server.insecure {
        tracing::warn!("--insecure: everybody who reaches {} may do everything", config.server.listen);
    }
    let door = Door::take(data_dir, config)?;
    let repository = Arc::new(SqliteRepository::open(&door.data_dir.metadata()).await?);
    let artifacts = open_artifacts(&door.data_dir, config, environments)?;
    let log = Arc::new(open_log(&door.data_dir, config)?);
    let uploads = destination.map(|destination| destination.uploads(&log)).transpose()?.map(Arc::new);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let catalog = Arc::new(ServerCatalog::default());
    let own_programs = own_programs(manifest.is_some());
    let models = ModelServer::new(Arc::new(Artifacts(artifacts.clone())), own_programs, Arc::clone(&clock));
    let options = gateway_options(config, manifest.as_deref().and_then(pod::deployment));
    let options = GatewayOptions { traces, ..options };
    let gateway = Gateway::new(options, Arc::new(models.clone()), Some(log.clone()));
    let learned = LearnedFile::restored(door.data_dir.learned(), &gateway)?;
    let deployer = InProcessDeployer::new(Arc::new(models), Arc::new(gateway.clone()));
    let traffic = Arc::new(TrafficHistory::default());
    let view = view((&gateway, &log), manifest.as_deref().and_then(pod::deployment), &traffic, uploads.as_ref());

    let (stop, stopped) = shutdown();
    let ports = Ports {
        repository: repository.clone(),
        artifacts: Arc::new(artifacts),
        deployer: Arc::new(deployer),
        clock: Arc::clone(&clock),
        catalog: Arc::clone(&catalog),
    };
    // A pod is ready when its predictor serves, which `pod::serve` tells.
    let settled = if manifest.is_some() { Arc::default() } else { view.settled() };
    supervise("reconciler", stopped.clone(), move || Reconciler::new(ports.clone(), Arc::clone(&settled)).run());
    sample_traffic(&stopped, &gateway, &traffic, &clock);
    tend_log(&stopped, &log, &clock);
    learned.keep(&stopped);
    if let Some(uploads) = &uploads {
        forward::send(&stopped, uploads, &clock);
    }

    let parts = Parts {
        repository: repository.clone(),
        log: Some(log.clone()),
        traffic,
        workloads: None,
        server: Arc::new(view.clone()),
        clock,
        servers: Arc::new(catalog),
        engine: Engine::Process,
    };
    let app = App::new(parts);
    let routers = match manifest {
        Some(_) => Routers::default(),
        None => Routers {
            api: rest::router(app.clone()).merge(kubernetes::router(app.clone())),
            console: console::router(),
        },
    };
    let is_ready = view.settled();
    let data_plane = move || DataPlane::Gateway(gateway.thread());
    let (handle, data_dir) = door.open(config, &stopped, rules, (routers, view), data_plane)?;
    let end = wait_for_end(app, repository.clone(), manifest, is_ready).await;
    tracing::info!("stopping: requests in flight are answered first");
    let until = forward::drain_end(config);
    handle.stop().await;
    learned.write();
    log.stop_maintenance();
    stop.stop();
    if let Some(uploads) = uploads {
        forward::drain(&uploads, until).await;
    }
    repository.close().await;
    data_dir.retract();
    end
}

/// What the server tells of itself; `pod` is the one deployment of a pod.
fn view(
    (gateway, log): (&Gateway, &Arc<RequestLog>),
    pod: Option<DeploymentId>,
    traffic: &Arc<TrafficHistory>,
    uploads: Option<&Arc<Uploads>>,
) -> View {
    let view = View::new(gateway.clone(), Arc::clone(log));
    let view = match pod {
        Some(deployment) => view.in_pod(deployment, Arc::clone(traffic)),
        None => view,
    };
    match uploads {
        Some(uploads) => view.sending(Flush::new(gateway.clone(), Arc::clone(uploads))),
        None => view,
    }
}

/// A pod waits for the program beside it as long as Kubernetes lets it; elsewhere somebody wants to know.
fn own_programs(is_pod: bool) -> OwnPrograms {
    let patience = if is_pod { Duration::MAX } else { OWN_PROGRAM_PATIENCE };
    OwnPrograms { check: Arc::new(ServerChecks), patience }
}

/// Waits until a signal says stop, or the predictor of a pod cannot serve.
async fn wait_for_end(
    app: App,
    repository: Arc<SqliteRepository>,
    manifest: Option<String>,
    is_ready: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let Some(manifest) = manifest else { return wait_for_signal().await };
    tokio::select! {
        signal = wait_for_signal() => signal,
        reason = pod::serve(app, repository, manifest, is_ready) => {
            pod::note_end(&reason);
            Err(reason)
        }
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<std::net::TcpListener> {
    std::net::TcpListener::bind(address).with_context(|| {
        format!("cannot listen on {address}: stop what listens there, or choose another address with --listen")
    })
}

/// How models are copied into a folder, as the environment says.
pub(crate) fn artifact_options(folder: PathBuf) -> anyhow::Result<ArtifactOptions> {
    let config: Config = load(None, std::env::vars())?;
    let environments = config.environments(&std::env::vars().collect()).map_err(|problems| wrong(&problems))?;
    Ok(ArtifactOptions { bytes_max: config.artifacts.size_max.0, environments, ..ArtifactOptions::new(folder) })
}

fn open_artifacts(
    data_dir: &DataDir,
    config: &Config,
    environments: Environments,
) -> anyhow::Result<FilesystemArtifacts> {
    let folder = data_dir.artifacts();
    let roots = config.artifacts.roots.clone().or_else(|| config.server.insecure.then(Vec::new));
    let roots = roots.map(|roots| roots.iter().filter_map(|root| std::fs::canonicalize(root).ok()).collect());
    let options = ArtifactOptions {
        bytes_max: config.artifacts.size_max.0,
        roots,
        environments,
        ..ArtifactOptions::new(folder.clone())
    };
    FilesystemArtifacts::open(options).with_context(|| format!("cannot open `{}`", folder.display()))
}

fn open_log(data_dir: &DataDir, config: &Config) -> anyhow::Result<RequestLog> {
    let folder = data_dir.request_log();
    let retention = Retention { age: config.request_log.age_max.0, bytes: config.request_log.size_max.0 };
    let options = LogOptions { retention, ..LogOptions::new(folder.clone()) };
    let options = match (&config.request_log.bucket, config.request_log.segment_age) {
        (Some(_), age) => forward::options(options, age),
        (None, Some(age)) => LogOptions { segment_age: age.0, ..options },
        (None, None) => options,
    };
    RequestLog::open(options).with_context(|| format!("cannot open `{}`", folder.display()))
}

fn open_tls(config: &Config, stopped: &Shutdown) -> anyhow::Result<Option<TlsSource>> {
    let (Some(certificate), Some(key)) = (&config.server.tls_certificate, &config.server.tls_key) else {
        return Ok(None);
    };
    let files = TlsFiles::open(certificate, key)?;
    let source = files.source();
    supervise("tls-reload", stopped.clone(), move || files.clone().reload());
    Ok(Some(source))
}

fn listener_options(config: &Config) -> ListenerOptions {
    let defaults = ListenerOptions::default();
    ListenerOptions {
        threads: config.server.threads.unwrap_or(defaults.threads),
        connections_max: config.server.connections_max,
        head_timeout: config.server.head_timeout.0,
        head_max: usize::try_from(config.server.head_max.0).unwrap_or(usize::MAX),
        drain_timeout: config.server.drain_timeout.0,
    }
}

/// Limits of predictions; `only` is the one deployment of a pod.
fn gateway_options(config: &Config, only: Option<DeploymentId>) -> GatewayOptions {
    GatewayOptions {
        body_max: usize::try_from(config.gateway.body_max.0).unwrap_or(usize::MAX),
        in_flight_max: config.gateway.in_flight_max,
        body_timeout: config.gateway.body_timeout.0,
        only: only.map(|id| format!("{}/{}", id.namespace, id.name)),
        copies_percent: config.gateway.copies_percent,
        traces: None,
    }
}

fn sample_traffic(stopped: &Shutdown, gateway: &Gateway, history: &Arc<TrafficHistory>, clock: &Arc<dyn Clock>) {
    let (metrics, history, clock) = (gateway.metrics(), Arc::clone(history), Arc::clone(clock));
    supervise("traffic", stopped.clone(), move || {
        let (metrics, history, clock) = (metrics.clone(), Arc::clone(&history), Arc::clone(&clock));
        async move {
            let mut ticks = tokio::time::interval(SAMPLE_EVERY);
            loop {
                ticks.tick().await;
                history.add(clock.now(), metrics.snapshot().await);
            }
        }
    });
}

/// Brings records to the disk once a second, and beside that rewrites, merges and removes them.
fn tend_log(stopped: &Shutdown, log: &Arc<RequestLog>, clock: &Arc<dyn Clock>) {
    let synced = Arc::clone(log);
    supervise("log-sync", stopped.clone(), move || {
        let log = Arc::clone(&synced);
        async move {
            let mut ticks = tokio::time::interval(TEND_EVERY);
            loop {
                ticks.tick().await;
                let log = Arc::clone(&log);
                match tokio::task::spawn_blocking(move || log.sync()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::error!(%error, "cannot bring the request log to the disk"),
                    Err(error) => tracing::error!(%error, "bringing the request log to the disk failed"),
                }
            }
        }
    });
    let (maintained, clock) = (Arc::clone(log), Arc::clone(clock));
    supervise("log-maintenance", stopped.clone(), move || maintain_log(Arc::clone(&maintained), Arc::clone(&clock)));
}

async fn maintain_log(log: Arc<RequestLog>, clock: Arc<dyn Clock>) {
    let mut ticks = tokio::time::interval(TEND_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let (maintained, now) = (Arc::clone(&log), log_time(&*clock));
        match tokio::task::spawn_blocking(move || maintained.maintain(now)).await {
            Ok(Ok(report)) if report.has_more => continue,
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(error = %with_causes(&error), "the request log cannot be rewritten"),
            Err(error) => tracing::error!(%error, "rewriting the request log failed"),
        }
        ticks.tick().await;
    }
}

/// The time as the log has it.
fn log_time(clock: &dyn Clock) -> Timestamp {
    Timestamp(i64::try_from(clock.now().as_millis()).unwrap_or(i64::MAX).saturating_mul(1_000_000))
}

/// Waits until the process is told to stop.
pub(crate) async fn wait_for_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
