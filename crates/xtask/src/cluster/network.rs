//! Addresses, and the network between nodes: the first node has a bridge, each other one a cable to it.

use std::process::Command;

use anyhow::Result;

use super::{namespace::FirstProcess, node::Node, state::State};
use crate::process;

/// Addresses of services.
pub(super) const SERVICES: &str = "10.96.0.0/16";
/// The API server, as a service.
pub(super) const API_SERVICE: &str = "10.96.0.1";
/// The service that answers for names.
pub(super) const DNS: &str = "10.96.0.10";
/// Addresses of pods.
pub(super) const PODS: &str = "10.244.0.0/16";
/// The first node, where the control plane is.
pub(super) const FIRST_NODE: &str = "10.245.0.10";

/// Has a node pass on what is for its pods.
const FORWARD: &str = "echo 1 >/proc/sys/net/ipv4/ip_forward";

/// The address of a node.
pub(super) fn node_address(index: u8) -> String {
    format!("10.245.0.1{index}")
}

/// Addresses of a node's pods.
pub(super) fn pods_of(index: u8) -> String {
    format!("10.244.{index}.0/24")
}

/// Joins a node that has just been made to the others.
pub(super) fn join(state: &State, index: u8, node: FirstProcess) -> Result<()> {
    ip(node, &["link", "set", "lo", "up"])?;
    let address = format!("{}/24", node_address(index));
    match FirstProcess::read(&state.first_process(0)) {
        Some(first) if index > 0 => {
            plug_in(index, first, node)?;
            ip(node, &["addr", "add", &address, "dev", "fabric"])?;
            ip(node, &["link", "set", "fabric", "up"])?;
            ip(node, &["route", "add", "default", "via", FIRST_NODE])?;
        }
        _ => {
            ip(node, &["link", "add", "fabric", "type", "bridge"])?;
            ip(node, &["addr", "add", &address, "dev", "fabric"])?;
            ip(node, &["link", "set", "fabric", "up"])?;
            // Without a route, what runs in this node could not call services.
            ip(node, &["route", "add", SERVICES, "dev", "fabric"])?;
        }
    }
    add_routes(state, index, node)?;
    process::output_of(node.command("sh").args(["-c", FORWARD])).map(drop)
}

/// A cable: both ends are made in the host's network and moved from there, since a process id means nothing
/// inside another node.
fn plug_in(index: u8, first: FirstProcess, node: FirstProcess) -> Result<()> {
    let (here, there) = (format!("to-node-{index}"), format!("from-node-{index}"));
    let host = |arguments: &[&str]| process::output_of(Command::new("ip").args(arguments)).map(drop);
    host(&["link", "add", &here, "type", "veth", "peer", "name", &there])?;
    host(&["link", "set", &here, "netns", &first.id()])?;
    host(&["link", "set", &there, "netns", &node.id(), "name", "fabric"])?;
    ip(first, &["link", "set", &here, "master", "fabric", "up"])
}

fn add_routes(state: &State, index: u8, node: FirstProcess) -> Result<()> {
    for other in state.nodes()?.into_iter().filter(|other| *other != index) {
        let Some(process) = Node::at(state, other).process() else { continue };
        ip(node, &["route", "replace", &pods_of(other), "via", &node_address(other)])?;
        ip(process, &["route", "replace", &pods_of(index), "via", &node_address(index)])?;
    }
    Ok(())
}

fn ip(node: FirstProcess, arguments: &[&str]) -> Result<()> {
    process::output_of(node.command("ip").args(arguments)).map(drop)
}
