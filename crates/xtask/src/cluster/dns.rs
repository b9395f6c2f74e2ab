//! DNS of the cluster: `CoreDNS`, in a pod.

use std::time::Duration;

use anyhow::Result;

use super::{Cluster, daemon};
use crate::workspace::Workspace;

const MANIFESTS: &str = "crates/xtask/cluster/dns.yaml";
/// Longest wait for it, which is also the first pod.
const READY_MAX: Duration = Duration::from_secs(120);

/// Starts it, and waits until it answers.
pub(super) fn start(cluster: &Cluster, workspace: &Workspace) -> Result<()> {
    cluster.apply(&workspace.root.join(MANIFESTS))?;
    daemon::wait_for(&cluster.state, 0, "kubelet", READY_MAX, || {
        cluster.holds(&["-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=1s"])
    })
}
