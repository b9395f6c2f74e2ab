//! The control plane of a cluster: API and console over the API server's deployments. It serves no model itself;
//! predictions are passed on to the pods that do.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use provost_control_plane::{
    app::{App, Parts},
    console, rest,
};
use provost_deployer::{
    cluster::{self, ClusterDeployments, ClusterWorkloads, UsageHistory},
    operator::{self, Client},
};
use provost_domain::{Engine, ServerCatalog, port::clock::Clock};
use provost_gateway::Proxy;
use provost_service_kit::{
    access::Rules,
    listener,
    supervise::{Shutdown, shutdown, supervise},
};

use super::{
    bind,
    config::Config,
    data_dir::DataDir,
    gateway_options, listener_options, open_tls,
    thread::{DataPlane, Routers, ServeThread},
    views::{SystemClock, View},
    wait_for_signal,
};

/// Serves until the process is told to stop.
pub(super) async fn serve(
    data_dir: &Path,
    config: &Config,
    rules: Rules,
    namespaces: Vec<String>,
) -> anyhow::Result<()> {
    let data_dir = DataDir::open(data_dir)?;
    let socket = bind(config.server.listen)?;
    let client = operator::connect().await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let deployments = ClusterDeployments::new(client.clone(), namespaces.clone());
    let usage = Arc::new(UsageHistory::default());
    let proxy = Proxy::new(gateway_options(config, None)).context("cannot make a client for predictions")?;
    let view = View::elsewhere(proxy.clone(), deployments.is_complete());

    let (stop, stopped) = shutdown();
    let followed =
        Followed { client: client.clone(), namespaces, deployments: deployments.clone(), clock: Arc::clone(&clock) };
    followed.follow(&stopped, &usage, &proxy);
    let app = App::new(Parts {
        repository: Arc::new(deployments.clone()),
        log: None,
        traffic: Arc::clone(&usage) as _,
        workloads: Some(Arc::new(ClusterWorkloads::new(client, deployments, usage))),
        server: Arc::new(view.clone()),
        clock,
        catalog: Arc::new(ServerCatalog::default()),
        engine: Engine::Kubernetes,
    });
    let routers = Routers { api: rest::router(app), console: console::router() };
    let tls = open_tls(config, &stopped)?;
    let (rules, is_tls) = (Arc::new(rules), tls.is_some());
    let handle = listener::serve(socket, &listener_options(config), tls, move || {
        let data_plane = DataPlane::Proxy(proxy.thread());
        ServeThread::new(data_plane, routers.clone(), view.clone(), Arc::clone(&rules), is_tls)
    })?;
    let url = format!("{}://{}", if is_tls { "https" } else { "http" }, handle.address());
    data_dir.announce(&url)?;
    println!("provost listens on {url}");
    let end = wait_for_signal().await;
    tracing::info!("stopping: requests in flight are answered first");
    handle.stop().await;
    stop.stop();
    data_dir.retract();
    end
}

/// What is followed on the cluster.
struct Followed {
    client: Client,
    namespaces: Vec<String>,
    deployments: ClusterDeployments,
    clock: Arc<dyn Clock>,
}

impl Followed {
    fn follow(self, stopped: &Shutdown, usage: &Arc<UsageHistory>, proxy: &Proxy) {
        let Self { client, namespaces, deployments, clock } = self;
        let followed = deployments.clone();
        supervise("deployments", stopped.clone(), move || {
            let deployments = followed.clone();
            async move { deployments.follow().await }
        });
        let (backends, publisher) = (deployments.clone(), proxy.clone());
        supervise("backends", stopped.clone(), move || {
            cluster::follow_backends(backends.clone(), Arc::new(publisher.clone()))
        });
        let usage = Arc::clone(usage);
        supervise("usage", stopped.clone(), move || {
            let (client, namespaces, deployments) = (client.clone(), namespaces.clone(), deployments.clone());
            cluster::follow_usage(client, namespaces, deployments, Arc::clone(&usage), Arc::clone(&clock))
        });
    }
}
