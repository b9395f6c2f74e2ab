//! The containers of model servers that are not part of this program: what each is told in the way that its image reads.
//!
//! Ports and names are those of [`own_program`](super::own_program), by reference to the variables that every program
//! gets.

#[cfg(test)]
mod tests;

use provost_domain::{
    graph::{Node, Parameter, ParameterValue},
    server_catalog::{Contract, ServerContainer},
};
use serde_json::{Map, Value, json};

use super::{
    Part,
    merge::{add_missing, add_over, fill, set_list, take_list},
    security::secure,
    storage::{MODELS, Storage},
};

/// The ports of a `TensorFlow` Serving beside its proxy, as Seldon's operator has them; those of further ones follow.
const TENSORFLOW_GRPC: u64 = 2000;
const TENSORFLOW_REST: u64 = 2001;
/// Whom Triton runs as, which its image is made for.
const TRITON_USER: u32 = 1000;
/// How long a server of `MLServer`'s or Triton may take to load its model, in tries of a second.
const LOADING_SECONDS: u32 = 600;

/// What the user says of the container of a node, and what its server has where the user says nothing.
pub(super) fn complete(part: Part<'_>, node: &Node, server: &ServerContainer, container: &mut Map<String, Value>) {
    let mut made = made(part, node, server);
    let mut variables = take_list(&mut made, "env");
    add_over(&mut variables, "name", take_list(container, "env"));
    set_list(container, "env", variables);
    for (list, key) in [("ports", "name"), ("volumeMounts", "mountPath")] {
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
        let value = container.entry(field).or_insert(Value::Null);
        if value.is_null() || value == "" || *value == json!([]) {
            *value = default;
        }
    }
}

/// The container as the image of the server reads it.
fn made(part: Part<'_>, node: &Node, server: &ServerContainer) -> Map<String, Value> {
    let fields = match &server.contract {
        Contract::Wrapper | Contract::TensorflowProxy { .. } | Contract::Template(_) => json!({}),
        Contract::MlServer { implementation } => mlserver(node, implementation.as_deref()),
        Contract::TensorflowServing => {
            tensorflow(node, "$(PREDICTIVE_UNIT_GRPC_SERVICE_PORT)", "$(PREDICTIVE_UNIT_HTTP_SERVICE_PORT)")
        }
        Contract::Triton => triton(),
    };
    let mut fields = fields.as_object().cloned().unwrap_or_default();
    let of_grpc = server.grpc_image.as_ref().filter(|_| part.source.deployment.calls_grpc());
    fields.insert("image".to_owned(), json!(of_grpc.unwrap_or(&server.image)));
    fields
}

fn mlserver(node: &Node, implementation: Option<&str>) -> Value {
    let variables = [
        ("MLSERVER_HTTP_PORT", Some("$(PREDICTIVE_UNIT_HTTP_SERVICE_PORT)")),
        ("MLSERVER_GRPC_PORT", Some("$(PREDICTIVE_UNIT_GRPC_SERVICE_PORT)")),
        ("MLSERVER_MODEL_IMPLEMENTATION", implementation),
        ("MLSERVER_MODEL_NAME", Some(node.name.as_str())),
        ("MLSERVER_MODEL_VERSION", Some("v1")),
        ("MLSERVER_MODEL_URI", has_model(node).then_some(MODELS)),
    ];
    let variables = variables.into_iter().filter_map(|(name, value)| Some(json!({"name": name, "value": value?})));
    with_health(json!({"env": variables.collect::<Vec<_>>()}))
}

/// Adds the probes of the Open Inference Protocol.
fn with_health(mut container: Value) -> Value {
    let probe =
        |path: &str| json!({"httpGet": {"path": path, "port": "http"}, "periodSeconds": 5, "failureThreshold": 3});
    container["livenessProbe"] = probe("/v2/health/live");
    container["readinessProbe"] = probe("/v2/health/ready");
    container["startupProbe"] = probe("/v2/health/live");
    (container["startupProbe"]["periodSeconds"], container["startupProbe"]["failureThreshold"]) =
        (json!(1), json!(LOADING_SECONDS));
    container
}

fn tensorflow(node: &Node, grpc: &str, rest: &str) -> Value {
    let model = model_name(node);
    json!({
        "command": ["/usr/bin/tensorflow_model_server"],
        "args": [
            format!("--port={grpc}"),
            format!("--rest_api_port={rest}"),
            format!("--model_name={}", model.replace('$', "$$")),
            format!("--model_base_path={MODELS}"),
        ],
    })
}

/// What a model is called by `TensorFlow` Serving: its node's name, unless a parameter tells.
fn model_name(node: &Node) -> String {
    node.parameter("model_name").map_or_else(|| node.name.clone(), ParameterValue::to_text)
}

fn triton() -> Value {
    with_health(json!({
        "command": ["/opt/tritonserver/bin/tritonserver"],
        "args": [
            "--grpc-port=$(PREDICTIVE_UNIT_GRPC_SERVICE_PORT)",
            "--http-port=$(PREDICTIVE_UNIT_HTTP_SERVICE_PORT)",
            format!("--model-repository={MODELS}"),
            "--strict-model-config=false",
        ],
        "securityContext": {"runAsUser": TRITON_USER},
    }))
}

/// Parameters that the server is told before those of the node.
pub(super) fn parameters(part: Part<'_>, node: &Node) -> Vec<Parameter> {
    let text = |name: &str, value: String| Parameter { name: name.to_owned(), value: ParameterValue::String(value) };
    match part.server(node).map(|server| &server.contract) {
        Some(Contract::Wrapper) if has_model(node) => vec![text("model_uri", MODELS.to_owned())],
        Some(Contract::TensorflowProxy { .. }) => {
            let [grpc, rest] = serving_ports(part, node);
            let endpoint = if part.source.deployment.calls_grpc() {
                text("grpc_endpoint", format!("localhost:{grpc}"))
            } else {
                text("rest_endpoint", format!("http://localhost:{rest}"))
            };
            let model = node.parameter("model_name").is_none().then(|| text("model_name", node.name.clone()));
            std::iter::once(endpoint).chain(model).collect()
        }
        _ => Vec::new(),
    }
}

/// Containers that a server needs beside its own.
pub(super) fn companions(part: Part<'_>, node: &Node, storage: &Storage) -> Vec<Value> {
    let Some(Contract::TensorflowProxy { serving }) = part.server(node).map(|server| &server.contract) else {
        return Vec::new();
    };
    let [grpc, rest] = serving_ports(part, node);
    let mut container = tensorflow(node, &grpc.to_string(), &rest.to_string());
    container["name"] = json!(format!("{}-tfserving", node.name));
    container["image"] = json!(serving);
    container["readinessProbe"] = json!({"tcpSocket": {"port": rest}, "periodSeconds": 5, "failureThreshold": 3});
    container["volumeMounts"] = storage.own_mounts.get(&node.name).cloned().unwrap_or_default().into();
    container.as_object_mut().into_iter().for_each(secure);
    vec![container]
}

/// The ports of a `TensorFlow` Serving beside the proxy of the node, for gRPC and for REST.
fn serving_ports(part: Part<'_>, node: &Node) -> [u64; 2] {
    let place = 2 * super::own_program::position(part, &node.name);
    [TENSORFLOW_GRPC + place, TENSORFLOW_REST + place]
}

fn has_model(node: &Node) -> bool {
    node.model_uri.as_deref().is_some_and(|uri| !uri.is_empty())
}
