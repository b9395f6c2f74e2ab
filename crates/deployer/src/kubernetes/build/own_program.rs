//! The container of a node that is a program of its own, the user's or a model server's: as it was written, with what
//! Seldon's operator tells the program (its ports, parameters and names), so that images made for it run unchanged.

use provost_domain::graph::{Node, Parameter};
use serde_json::{Map, Value, json};

use super::{
    Part,
    component::NodeContainer,
    merge::{add_missing, add_over, set_list, take_list},
    model_server,
    security::secure,
    storage::Storage,
};

/// First port for REST; each name of a node has one.
const HTTP: u64 = 9000;
/// First port for gRPC.
const GRPC: u64 = 9500;
/// First port for metrics.
const METRICS: u64 = 6000;
/// The volume with the pod's annotations, which wrappers read.
const POD_INFO: &str = "seldon-podinfo";
/// How long the program goes on after its pod was told to end, so that it outlives the orchestrator's requests.
const LINGER_SECONDS: u32 = 10;

/// The volume that the containers mount.
pub(super) fn volume() -> Value {
    let annotations = json!({"path": "annotations", "fieldRef": {"fieldPath": "metadata.annotations"}});
    json!({"name": POD_INFO, "downwardAPI": {"items": [annotations]}})
}

/// Where the server calls the program: in its own pod, or at the program's Service.
pub(super) fn endpoint(part: Part<'_>, program: &NodeContainer) -> Value {
    let host = part.apart.map_or_else(
        || "localhost".to_owned(),
        |_| {
            format!(
                "{}.{}.svc.cluster.local",
                part.node_service_name(program.name()),
                part.source.deployment.id.namespace
            )
        },
    );
    if part.source.deployment.calls_grpc() {
        let port = port(part, &program.container, "grpc", GRPC);
        return json!({"service_host": host, "grpcPort": port, "type": "GRPC"});
    }
    let port = port(part, &program.container, "http", HTTP);
    json!({"service_host": host, "httpPort": port, "type": "REST"})
}

/// The ports of the program's Service: those at which it is called.
pub(super) fn service_ports(part: Part<'_>, program: &NodeContainer) -> Vec<(&'static str, Value)> {
    let [http, grpc] =
        [("http", HTTP), ("grpc", GRPC)].map(|(name, first)| port(part, &program.container, name, first));
    // A Service has each port once.
    let grpc = Some(grpc).filter(|grpc| *grpc != http);
    std::iter::once(("http", http)).chain(grpc.map(|grpc| ("grpc", grpc))).collect()
}

/// The container.
pub(super) fn build(part: Part<'_>, program: &NodeContainer, storage: &Storage) -> Value {
    let mut container = program.container.clone();
    let written = ["env", "ports", "volumeMounts"].map(|list| take_list(&mut container, list));
    let [variables, mut ports, mut mounts] = written;
    let [http, grpc, metrics] = [("http", HTTP), ("grpc", GRPC), ("metrics", METRICS)]
        .map(|(name, first)| (name, port(part, &program.container, name, first)));
    let made = |(name, port): &(&str, Value)| json!({"name": name, "containerPort": port, "protocol": "TCP"});
    add_missing(&mut ports, "name", [&http, &grpc, &metrics].map(made));
    let own = storage.own_mounts.get(name_of(&container)).cloned().unwrap_or_default();
    let pod_info = json!({"name": POD_INFO, "mountPath": "/etc/podinfo"});
    add_missing(&mut mounts, "mountPath", own.into_iter().chain([pod_info]));
    let mut environment = variables;
    let told = told(part, &container, [&http.1, &grpc.1, &metrics.1]);
    // What is told comes first, so that the user's variables can refer to it.
    add_over(&mut environment, "name", told.iter().cloned());
    environment.rotate_right(told.len());
    for (list, items) in [("env", environment), ("ports", ports), ("volumeMounts", mounts)] {
        set_list(&mut container, list, items);
    }
    add_defaults(&mut container, if part.source.deployment.calls_grpc() { "grpc" } else { "http" });
    Value::Object(container)
}

fn name_of(container: &Map<String, Value>) -> &str {
    container.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// The port of a name: the user's, else one for the name of the node, as Seldon's operator counts them.
fn port(part: Part<'_>, container: &Map<String, Value>, name: &str, first: u64) -> Value {
    let written = container.get("ports").and_then(Value::as_array).into_iter().flatten();
    let said = written.filter(|port| port["name"] == name).map(|port| &port["containerPort"]).next();
    said.cloned().unwrap_or_else(|| json!(first + position(part, name_of(container))))
}

/// The place of a node's name among those of all predictors.
pub(super) fn position(part: Part<'_>, node: &str) -> u64 {
    let nodes = part.source.deployment.predictors.iter().flat_map(|predictor| predictor.graph.nodes());
    let mut names: Vec<&str> = Vec::new();
    for node in nodes {
        if !names.contains(&node.name.as_str()) {
            names.push(&node.name);
        }
    }
    names.iter().position(|name| *name == node).and_then(|place| u64::try_from(place).ok()).unwrap_or(0)
}

/// What a program is told in its environment.
fn told(part: Part<'_>, container: &Map<String, Value>, [http, grpc, metrics]: [&Value; 3]) -> Vec<Value> {
    let name = name_of(container);
    let nodes = part.nodes();
    let node = nodes.iter().find_map(|(_, node)| (node.name == name).then_some(*node));
    let parameters: Vec<_> = node.into_iter().flat_map(|node| parameters(part, node)).collect();
    let labels = &part.predictor.labels;
    [
        // Of Seldon before 1.2.
        ("PREDICTIVE_UNIT_SERVICE_PORT", http.to_string()),
        ("PREDICTIVE_UNIT_HTTP_SERVICE_PORT", http.to_string()),
        ("PREDICTIVE_UNIT_GRPC_SERVICE_PORT", grpc.to_string()),
        ("PREDICTIVE_UNIT_METRICS_SERVICE_PORT", metrics.to_string()),
        ("PREDICTIVE_UNIT_METRICS_ENDPOINT", "/prometheus".to_owned()),
        ("PREDICTIVE_UNIT_PARAMETERS", Value::Array(parameters).to_string()),
        ("PREDICTIVE_UNIT_ID", name.to_owned()),
        ("PREDICTIVE_UNIT_IMAGE", container.get("image").and_then(Value::as_str).unwrap_or_default().to_owned()),
        ("PREDICTOR_ID", part.predictor.name.clone()),
        ("PREDICTOR_LABELS", json!(labels).to_string()),
        ("SELDON_DEPLOYMENT_ID", part.owner.name.clone()),
        ("SELDON_EXECUTOR_ENABLED", "true".to_owned()),
    ]
    // Kubernetes takes `$(NAME)` for a reference.
    .map(|(name, value)| json!({"name": name, "value": value.replace('$', "$$")}))
    .into()
}

/// The parameters of a node, those that its server is told first.
fn parameters(part: Part<'_>, node: &Node) -> Vec<Value> {
    model_server::parameters(part, node).iter().chain(&node.parameters).map(parameter).collect()
}

/// A parameter as wrappers read it.
fn parameter(parameter: &Parameter) -> Value {
    let kind = json!(parameter.value)["type"].clone();
    json!({"name": parameter.name, "value": parameter.value.to_text(), "type": kind})
}

/// Adds what the container has where the user says nothing. That it listens tells that it is ready, as in Seldon: the
/// orchestrator asks for more before the pod is.
fn add_defaults(container: &mut Map<String, Value>, port: &str) {
    let listens = |times: Value| {
        let mut probe = json!({"tcpSocket": {"port": port}, "failureThreshold": 3, "periodSeconds": 5});
        super::merge::fill(&mut probe, times);
        probe
    };
    for (field, value) in [
        ("livenessProbe", listens(json!({"initialDelaySeconds": 60}))),
        ("readinessProbe", listens(json!({}))),
        ("lifecycle", json!({})),
    ] {
        container.entry(field).or_insert(value);
    }
    if let Some(hooks) = container["lifecycle"].as_object_mut() {
        hooks.entry("preStop").or_insert_with(|| json!({"sleep": {"seconds": LINGER_SECONDS}}));
    }
    secure(container);
}
