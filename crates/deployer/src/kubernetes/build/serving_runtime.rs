//! The pods of a serving runtime of `KServe`: its container for the model, and what it brings besides, below what the user
//! says.

#[cfg(test)]
mod tests;

use provost_domain::{
    deployment::Protocol,
    graph::{Node, ParameterValue},
    server_catalog::MODEL_CONTAINER,
};
use serde_json::{Map, Value, json};

use super::{
    Part,
    component::Component,
    error::BuildError,
    merge::{add_missing, add_over, fill, set_list, take_list},
    security::secure,
};

/// The port that is called where the container names none, as in `KServe`.
const PORT: u16 = 8080;
/// Lists of a pod that are joined, each with what tells its items apart.
const POD_LISTS: [(&str, &str); 3] = [("volumes", "name"), ("imagePullSecrets", "name"), ("tolerations", "")];
/// What else of a pod is taken over.
const POD_FIELDS: [&str; 4] = ["affinity", "nodeSelector", "securityContext", "hostIPC"];
/// The class of `MLServer` for a format, to which runtimes refer as the label `modelClass`.
const MODEL_CLASSES: [(&str, &str); 4] = [
    ("sklearn", "mlserver_sklearn.SKLearnModel"),
    ("xgboost", "mlserver_xgboost.XGBoostModel"),
    ("lightgbm", "mlserver_lightgbm.LightGBMModel"),
    ("mlflow", "mlserver_mlflow.MLflowRuntime"),
];

/// Completes the container of the node, whose index is that among the programs, and its pods.
pub(super) fn complete(
    part: Part<'_>,
    node: &Node,
    template: &Value,
    (component, index): (&mut Component, usize),
) -> Result<(), BuildError> {
    let mut template = template.clone();
    render(part, node, &mut template)?;
    let containers = template["containers"].as_array().cloned().unwrap_or_default();
    let of_model = containers.iter().position(|one| one["name"] == MODEL_CONTAINER).unwrap_or(0);
    for (place, container) in containers.into_iter().enumerate() {
        match container {
            Value::Object(made) if place == of_model => merge(&mut component.programs[index].container, made),
            Value::Object(mut sidecar) => {
                secure(&mut sidecar);
                add_missing(&mut component.sidecars, "name", [Value::Object(sidecar)]);
            }
            _ => {}
        }
    }
    add_to_pod(component, &mut template);
    Ok(())
}

fn add_to_pod(component: &mut Component, template: &mut Value) {
    for (list, key) in POD_LISTS {
        let Value::Array(more) = template[list].take() else { continue };
        let mut items = take_list(&mut component.pod, list);
        add_missing(&mut items, key, more);
        set_list(&mut component.pod, list, items);
    }
    for field in POD_FIELDS {
        let default = template[field].take();
        if !default.is_null() {
            fill(component.pod.entry(field).or_insert(Value::Null), default);
        }
    }
    for (texts, field) in [(&mut component.labels, "labels"), (&mut component.annotations, "annotations")] {
        for (name, value) in template[field].as_object().into_iter().flatten() {
            texts.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// What the user says of the container over what the runtime does; arguments follow one another, as in `KServe`.
fn merge(container: &mut Map<String, Value>, mut made: Map<String, Value>) {
    name_ports(&mut made);
    let arguments: Vec<_> = take_list(&mut made, "args").into_iter().chain(take_list(container, "args")).collect();
    set_list(container, "args", arguments);
    let mut variables = take_list(&mut made, "env");
    add_over(&mut variables, "name", take_list(container, "env"));
    set_list(container, "env", variables);
    for (list, key) in [("ports", "name"), ("volumeMounts", "mountPath"), ("envFrom", "")] {
        let mut items = take_list(container, list);
        add_missing(&mut items, key, take_list(&mut made, list));
        set_list(container, list, items);
    }
    for field in ["resources", "securityContext"] {
        if let Some(default) = made.shift_remove(field) {
            fill(container.entry(field).or_insert(Value::Null), default);
        }
    }
    for (field, default) in made {
        container.entry(field).or_insert(default);
    }
}

/// Names the ports that are called: the first for gRPC, and the first that is not.
fn name_ports(container: &mut Map<String, Value>) {
    let mut ports = take_list(container, "ports");
    let is_grpc = |port: &Value| port["name"].as_str().is_some_and(|name| matches!(name, "grpc" | "h2c"));
    if let Some(port) = ports.iter_mut().find(|port| is_grpc(port)) {
        port["name"] = json!("grpc");
    }
    match ports.iter_mut().find(|port| port.is_object() && !is_grpc(port)) {
        Some(port) => port["name"] = json!("http"),
        None => ports.push(json!({"name": "http", "containerPort": PORT})),
    }
    set_list(container, "ports", ports);
}

/// Puts values in place of what the texts of a template refer to, as `{{.Name}}`.
fn render(part: Part<'_>, node: &Node, value: &mut Value) -> Result<(), BuildError> {
    match value {
        Value::String(text) if text.contains("{{") => *text = rendered(part, node, text)?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| render(part, node, item))?,
        Value::Object(fields) => fields.values_mut().try_for_each(|field| render(part, node, field))?,
        _ => {}
    }
    Ok(())
}

fn rendered(part: Part<'_>, node: &Node, text: &str) -> Result<String, BuildError> {
    let mut parts = text.split("{{");
    let mut rendered = parts.next().unwrap_or_default().to_owned();
    for more in parts {
        let unknown = || BuildError::Reference { node: node.name.clone(), text: text.to_owned() };
        let (reference, rest) = more.split_once("}}").ok_or_else(unknown)?;
        rendered += &referred(part, node, reference.trim()).ok_or_else(unknown)?;
        rendered += rest;
    }
    Ok(rendered)
}

/// What a template refers to: the metadata of the service, and what `KServe` notes there of the model.
fn referred(part: Part<'_>, node: &Node, reference: &str) -> Option<String> {
    let deployment = part.source.deployment;
    let format = node.parameter("modelFormat").map(ParameterValue::to_text);
    let class =
        || MODEL_CLASSES.iter().find_map(|(known, class)| (Some(*known) == format.as_deref()).then_some(*class));
    let value = match reference.split('.').collect::<Vec<_>>()[..] {
        ["", "Name"] => node.name.clone(),
        ["", "Namespace"] => deployment.id.namespace.to_string(),
        ["", "Labels", name] => match deployment.labels.get(name) {
            Some(value) => value.clone(),
            None if name == "modelClass" => class()?.to_owned(),
            None if name == "serviceEnvelope" => envelope(deployment.protocol)?.to_owned(),
            None => return None,
        },
        ["", "Annotations", name] => match deployment.annotations.get(name) {
            Some(value) => value.clone(),
            None if name == "modelFormat" => format?,
            None => return None,
        },
        _ => return None,
    };
    // Kubernetes takes `$(NAME)` for a reference of its own.
    Some(value.replace('$', "$$"))
}

/// How `TorchServe` is asked.
fn envelope(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::Seldon => None,
        Protocol::Tensorflow => Some("kserve"),
        Protocol::Kfserving => Some("kservev2"),
    }
}
