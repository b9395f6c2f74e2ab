//! Nodes that KWOK simulates: pods on them become ready and use nothing, so that a thousand fit on one machine.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;

use super::{
    Cluster,
    daemon::{self, flags},
};
use crate::process;

/// What they do besides running pods.
const STAGES: &str = include_str!("../../cluster/simulated.yaml");
/// Label of simulated nodes, which pods select.
pub(crate) const LABEL: (&str, &str) = ("type", "kwok");
/// Taint of simulated nodes, which pods tolerate.
pub(crate) const TAINT: &str = "kwok.x-k8s.io/node";

/// Adds nodes.
pub(super) fn start(cluster: &Cluster, nodes: u8) -> Result<()> {
    let stages = cluster.state.write("simulated.yaml", STAGES)?.display().to_string();
    let mut arguments = flags(&[
        ("kubeconfig", &cluster.state.kubeconfig("admin").display().to_string()),
        ("manage-nodes-with-annotation-selector", "kwok.x-k8s.io/node=fake"),
        ("node-lease-duration-seconds", "40"),
        ("config", &stages),
    ]);
    arguments.push("--manage-all-nodes=false".to_owned());
    daemon::start(&cluster.state, 0, cluster.binaries.kwok(), "kwok", &arguments)?;
    let mut manifests = String::new();
    for number in 0..nodes {
        // Writing to a String cannot fail.
        let _written = writeln!(manifests, "{}\n---", node(number));
    }
    cluster.apply(&cluster.state.write("simulated-nodes.yaml", &manifests)?)?;
    let ready = ["wait", "node", "-l", &format!("{}={}", LABEL.0, LABEL.1), "--for=condition=Ready", "--timeout=60s"]
        .map(str::to_owned);
    process::output_of(cluster.kubectl()?.args(ready)).map(drop)
}

fn node(number: u8) -> serde_json::Value {
    let room = json!({"cpu": "2000", "memory": "8Ti", "pods": "1000"});
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": format!("simulated-{number}"),
            "labels": {LABEL.0: LABEL.1},
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "spec": {"taints": [{"key": TAINT, "value": "fake", "effect": "NoSchedule"}]},
        "status": {"allocatable": room, "capacity": room},
    })
}
