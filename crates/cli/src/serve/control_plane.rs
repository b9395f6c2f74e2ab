//! What stands before the pods of a cluster and serves no model itself: the control plane, which is API and console over
//! the API server's deployments, and the gateway, which only passes predictions on as the control plane does, too.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use provost_control_plane::{
    app::{App, Parts},
    console, rest,
};
use provost_deployer::{
    ModelServers,
    cluster::{self, ClusterDeployments, ClusterPods, ClusterWaker, ClusterWorkloads, LogFlush, UsageHistory},
    kubernetes::ObjectName,
    operator::{self, Client, crd::Served},
};
use provost_domain::{
    BucketUri, Engine,
    port::{clock::Clock, waker::Waker},
};
use provost_gateway::Proxy;
use provost_request_log::{Bucket, BucketLog, CacheOptions};
use provost_service_kit::{
    access::Rules,
    supervise::{Shutdown, ShutdownSender, shutdown, supervise},
};
use provost_store::{artifacts::Environment, buckets};

use super::{
    config::Config,
    door::Door,
    forward::bucket,
    fresh_log::FreshLog,
    gateway_options,
    keeper::LogKeeper,
    pod::open_rules,
    thread::{DataPlane, Routers},
    views::{SystemClock, View},
    wait_for_signal,
};

/// What of a cluster is shown.
#[derive(Debug)]
pub(super) struct Watched {
    /// These namespaces; all of them where none is given.
    pub(super) namespaces: Vec<String>,
    /// These kinds.
    pub(super) kinds: &'static [Served],
    /// The model servers that deployments may name.
    pub(super) servers: ModelServers,
}

/// Serves API and console until the process is told to stop.
pub(super) async fn serve(
    data_dir: &Path,
    config: &Config,
    rules: Rules,
    watched: Watched,
    log: Option<(BucketUri, Environment)>,
    lease: Option<ObjectName>,
) -> anyhow::Result<()> {
    let door = Door::take(data_dir, config)?;
    let bucket = log.map(|(uri, environment)| open_bucket(&uri, &environment)).transpose()?;
    let log = bucket.as_ref().map(|bucket| open_log(data_dir, config, bucket.clone())).transpose()?;
    let cluster = Cluster::connect(config, watched).await?;
    let (usage, pods) = (Arc::new(UsageHistory::default()), ClusterPods::default());
    let log = log.map(|log| cluster.freshen(log, &pods)).transpose()?;
    let (stop, stopped) = shutdown();
    cluster.follow(&stopped);
    cluster.follow_pods(&stopped, &pods, &usage);
    if bucket.is_none() && lease.is_some() {
        tracing::warn!("--lease: there is no request-log.bucket to keep");
    }
    if let Some((bucket, lease)) = bucket.zip(lease) {
        let folder = data_dir.join("request-log-keeper");
        LogKeeper::new(bucket, folder, config, Arc::clone(&cluster.clock)).start(
            &stopped,
            cluster.client.clone(),
            lease,
        );
    }
    let Cluster { client, deployments, proxy, clock, .. } = &cluster;
    let view = cluster.view();
    let app = App::new(Parts {
        repository: Arc::new(deployments.clone()),
        log: log.map(|log| Arc::new(log) as _),
        traffic: Arc::clone(&usage) as _,
        workloads: Some(Arc::new(ClusterWorkloads::new(client.clone(), deployments.clone(), usage))),
        server: Arc::new(view.clone()),
        clock: Arc::clone(clock),
        servers: Arc::new(cluster.servers.clone()),
        engine: Engine::Kubernetes,
    });
    let routers = Routers { api: rest::router(app), console: console::router() };
    answer(door, config, rules, (routers, view, proxy.clone()), (stop, stopped)).await
}

/// The bucket that pods send their log to.
fn open_bucket(uri: &BucketUri, environment: &Environment) -> anyhow::Result<Bucket> {
    Ok(bucket(buckets::open(uri, environment).context("request-log.bucket")?))
}

/// The log in a bucket. What is read of it is kept in the data directory.
fn open_log(data_dir: &Path, config: &Config, bucket: Bucket) -> anyhow::Result<BucketLog> {
    let folder = data_dir.join("request-log-cache");
    let cache = CacheOptions { folder: folder.clone(), bytes: config.request_log.size_max.0 };
    BucketLog::open(bucket, cache).with_context(|| format!("cannot open `{}`", folder.display()))
}

/// Passes predictions on until the process is told to stop, and does nothing else.
pub(super) async fn serve_gateway(data_dir: &Path, config: &Config, watched: Watched) -> anyhow::Result<()> {
    let door = Door::take(data_dir, config)?;
    let cluster = Cluster::connect(config, watched).await?;
    let (stop, stopped) = shutdown();
    cluster.follow(&stopped);
    let parts = (Routers::default(), cluster.view(), cluster.proxy);
    answer(door, config, open_rules(config), parts, (stop, stopped)).await
}

async fn answer(
    door: Door,
    config: &Config,
    rules: Rules,
    (routers, view, proxy): (Routers, View, Proxy),
    (stop, stopped): (ShutdownSender, Shutdown),
) -> anyhow::Result<()> {
    let data_plane = move || DataPlane::Proxy(proxy.thread());
    let (handle, data_dir) = door.open(config, &stopped, rules, (routers, view), data_plane)?;
    let end = wait_for_signal().await;
    tracing::info!("stopping: requests in flight are answered first");
    handle.stop().await;
    stop.stop();
    data_dir.retract();
    end
}

/// What is known of the cluster.
struct Cluster {
    client: Client,
    namespaces: Vec<String>,
    deployments: ClusterDeployments,
    servers: ModelServers,
    proxy: Proxy,
    waker: Option<ClusterWaker>,
    clock: Arc<dyn Clock>,
}

impl Cluster {
    async fn connect(config: &Config, watched: Watched) -> anyhow::Result<Self> {
        let Watched { namespaces, kinds, servers } = watched;
        let client = operator::connect().await?;
        // Only these are ever scaled to none.
        let waker = kinds.contains(&Served::InferenceService).then(|| ClusterWaker::new(client.clone()));
        let waking = waker.clone().map(|waker| Arc::new(waker) as Arc<dyn Waker>);
        let proxy =
            Proxy::new(gateway_options(config, None), waking).context("cannot make a client for predictions")?;
        let deployments = ClusterDeployments::new(client.clone(), namespaces.clone(), kinds);
        Ok(Self { client, namespaces, deployments, servers, proxy, waker, clock: Arc::new(SystemClock) })
    }

    /// It is ready once all deployments are known.
    fn view(&self) -> View {
        View::elsewhere(self.proxy.clone(), self.deployments.is_complete())
    }

    /// Follows the deployments, and where their requests go.
    fn follow(&self, stopped: &Shutdown) {
        let followed = self.deployments.clone();
        supervise("deployments", stopped.clone(), move || {
            let deployments = followed.clone();
            async move { deployments.follow().await }
        });
        let (client, followed) = (self.client.clone(), self.servers.clone());
        supervise("model-servers", stopped.clone(), move || {
            let (client, servers) = (client.clone(), followed.clone());
            async move { servers.follow(client).await }
        });
        if let Some(followed) = self.waker.clone() {
            let namespaces = self.namespaces.clone();
            supervise("endpoints", stopped.clone(), move || {
                let (waker, namespaces) = (followed.clone(), namespaces.clone());
                async move { waker.follow(&namespaces).await }
            });
        }
        let (backends, servers, publisher) = (self.deployments.clone(), self.servers.clone(), self.proxy.clone());
        supervise("backends", stopped.clone(), move || {
            cluster::follow_backends(backends.clone(), servers.clone(), Arc::new(publisher.clone()))
        });
    }

    /// Follows the pods, and what they use and are asked.
    fn follow_pods(&self, stopped: &Shutdown, pods: &ClusterPods, usage: &Arc<UsageHistory>) {
        let (client, namespaces, followed) = (self.client.clone(), self.namespaces.clone(), pods.clone());
        supervise("pods", stopped.clone(), move || {
            let (pods, client, namespaces) = (followed.clone(), client.clone(), namespaces.clone());
            async move { pods.follow(client, namespaces).await }
        });
        let (pods, deployments) = (pods.clone(), self.deployments.clone());
        let (usage, clock) = (Arc::clone(usage), Arc::clone(&self.clock));
        supervise("usage", stopped.clone(), move || {
            cluster::follow_usage(pods.clone(), deployments.clone(), Arc::clone(&usage), Arc::clone(&clock))
        });
    }

    /// The log with what pods have not sent yet.
    fn freshen(&self, log: BucketLog, pods: &ClusterPods) -> anyhow::Result<FreshLog<BucketLog, LogFlush>> {
        let flush = LogFlush::new(pods.clone()).context("cannot make a client for pods")?;
        Ok(FreshLog::new(log, flush, Arc::clone(&self.clock)))
    }
}
