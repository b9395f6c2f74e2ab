//! What a predictor says of its pods, in the form of Seldon's component specifications. Pure.

use provost_domain::{deployment::ComponentSpec, scaling::Scaling};
use serde_json::{Map, Value, json};

/// Fields of a model that are those of its container.
const CONTAINER_FIELDS: [&str; 14] = [
    "env",
    "envFrom",
    "resources",
    "ports",
    "volumeMounts",
    "volumeDevices",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "imagePullPolicy",
    "resizePolicy",
    "securityContext",
    "terminationMessagePolicy",
];
/// The port that a container of the user's own listens on where it names none, as in `KServe`.
pub(super) const PORT: u16 = 8080;
/// The container of the model among several.
const MODEL_CONTAINER: [&str; 3] = ["kserve-container", "kfserving-container", "user-container"];
/// What a replica is to be busy, in percent, where nothing is said.
const UTILIZATION: i64 = 80;

/// How many pods there are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::crd) struct Scale<'a> {
    pub(in crate::crd) fewest: i64,
    pub(in crate::crd) most: i64,
    /// `cpu` or `memory`.
    pub(in crate::crd) metric: &'a str,
    pub(in crate::crd) target: Option<i64>,
    /// In place of those: by requests.
    pub(in crate::crd) by_requests: Option<Scaling>,
}

/// The pods of a model that the platform serves.
pub(in crate::crd) fn of_model(predictor: &Value, model: &Value, node: &str, scale: Scale<'_>) -> ComponentSpec {
    let mut container = picked(model, |name| CONTAINER_FIELDS.contains(&name));
    container.insert("name".to_owned(), json!(node));
    component(predictor, vec![Value::Object(container)], scale)
}

/// What a container is besides: of those that a serving runtime brings, too.
const PROGRAM_FIELDS: [&str; 8] =
    ["image", "args", "command", "workingDir", "terminationMessagePath", "stdin", "stdinOnce", "tty"];

/// The pods of a model that the container of a serving runtime serves, as far as the user says anything of it.
pub(super) fn of_runtime(
    predictor: &Value,
    model: &Value,
    image: Option<String>,
    node: &str,
    scale: Scale<'_>,
) -> ComponentSpec {
    let mut container = picked(model, |name| CONTAINER_FIELDS.contains(&name) || PROGRAM_FIELDS.contains(&name));
    container.insert("name".to_owned(), json!(node));
    if let Some(image) = image {
        container.entry("image").or_insert(json!(image));
    }
    let mut container = Value::Object(container);
    if container["ports"].is_array() {
        name_port(&mut container);
    }
    component(predictor, vec![container], scale)
}

/// The pods of containers of the user's own: that of the model gets the name of its node.
pub(super) fn of_containers(predictor: &Value, containers: &[Value], node: &str, scale: Scale<'_>) -> ComponentSpec {
    let mut containers = containers.to_vec();
    let model = model_container(&containers);
    if let Some(container) = containers.get_mut(model) {
        container["name"] = json!(node);
        name_port(container);
    }
    component(predictor, containers, scale)
}

/// The index of the model's container.
pub(super) fn model_container(containers: &[Value]) -> usize {
    let is_models = |container: &Value| MODEL_CONTAINER.iter().any(|name| container["name"] == *name);
    containers.iter().position(is_models).unwrap_or(0)
}

/// Names the port that is called.
fn name_port(container: &mut Value) {
    match container.get_mut("ports").and_then(Value::as_array_mut).and_then(|ports| ports.first_mut()) {
        Some(port) if port.is_object() => port["name"] = json!("http"),
        _ => container["ports"] = json!([{"name": "http", "containerPort": PORT}]),
    }
}

fn component(predictor: &Value, containers: Vec<Value>, scale: Scale<'_>) -> ComponentSpec {
    let names = containers.iter().filter_map(|container| Some(container["name"].as_str()?.to_owned())).collect();
    let mut spec = picked(predictor, super::fields::is_of_pod);
    spec.insert("containers".to_owned(), Value::Array(containers));
    let replicas = i32::try_from(scale.fewest.max(1)).unwrap_or(i32::MAX);
    let mut document = json!({"spec": spec, "replicas": replicas});
    if scale.by_requests.is_none() && scale.most > i64::from(replicas) {
        document["hpaSpec"] = autoscaler(replicas, scale);
    }
    ComponentSpec { containers: names, replicas: Some(replicas), scaling: scale.by_requests, document }
}

fn autoscaler(fewest: i32, scale: Scale<'_>) -> Value {
    let target = json!({"type": "Utilization", "averageUtilization": scale.target.unwrap_or(UTILIZATION)});
    json!({
        "minReplicas": fewest,
        "maxReplicas": scale.most,
        "metricsv2": [{"type": "Resource", "resource": {"name": scale.metric, "target": target}}],
    })
}

fn picked(object: &Value, is_wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    let fields = object.as_object().into_iter().flatten().filter(|(name, _)| is_wanted(name));
    fields.map(|(name, value)| (name.clone(), value.clone())).collect()
}
