//! The manifest that a pod carries: the user's, with its predictor alone and without what is not the pod's.

use std::collections::BTreeMap;

use provost_domain::{
    deployment::{REQUEST_LOG_ANNOTATION, ResourceKind, Role},
    graph::{Implementation, Node, NodeKind},
};
use serde_json::{Map, Value, json};

use super::{
    LAST_APPLIED, Part,
    component::{self, NodeContainer},
    error::BuildError,
    own_program,
};

/// Fields of a predictor that are not its pod's manifest's: who has them acts elsewhere, and a change of them is
/// no reason for new pods.
const NOT_THE_PODS: [&str; 8] = [
    "componentSpecs",
    "engineResources",
    "explainer",
    "progressDeadlineSeconds",
    "replicas",
    "shadow",
    "svcOrchSpec",
    "traffic",
];
/// Fields of a node that the pod has acted on already.
const ACTED_ON: [&str; 3] = ["envSecretRefName", "serviceAccountName", "storageInitializerImage"];

/// Fields of a graph of services that say what it does.
const OF_SERVICE_GRAPHS: [&str; 3] = ["nodes", "routerTimeouts", "timeout"];

/// Where the model of each node is as the pod sees it, by the node's name.
pub(super) type ModelUris = BTreeMap<String, String>;

/// The manifest, as the value of an environment variable. Kubernetes takes `$(NAME)` in it for a reference, and
/// any `$$` for a `$`.
pub(super) fn text(part: Part<'_>, model_uris: &ModelUris, programs: &[NodeContainer]) -> Result<String, BuildError> {
    let mut endpoints: BTreeMap<_, _> = programs.iter().map(|program| endpoint(part, program)).collect();
    for apart in part.parts_apart() {
        endpoints.extend(component::join_all(apart)?.programs.iter().map(|program| endpoint(apart, program)));
    }
    Ok(manifest(part, &Places { model_uris, endpoints }).to_string().replace('$', "$$"))
}

/// Where things are as the pod sees it, by the names of nodes.
struct Places<'a> {
    model_uris: &'a ModelUris,
    /// Where each program of its own is called.
    endpoints: BTreeMap<String, Value>,
}

fn endpoint(part: Part<'_>, program: &NodeContainer) -> (String, Value) {
    (program.name().to_owned(), own_program::endpoint(part, program))
}

fn manifest(part: Part<'_>, places: &Places<'_>) -> Value {
    let document = part.source.document;
    if part.source.deployment.kind == ResourceKind::InferenceGraph {
        return service_graph(part);
    }
    let mut specification = document["spec"].as_object().cloned().unwrap_or_default();
    specification.shift_remove("replicas");
    let has_own = part.predictor.graph.nodes().into_iter().any(Node::is_own_program);
    if part.source.deployment.kind == ResourceKind::InferenceService && !has_own {
        // It is that of programs beside this predictor; models of the platform answer every one.
        specification.shift_remove("protocol");
    }
    specification.insert("predictors".to_owned(), json!([predictor(part, places)]));
    json!({
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "metadata": metadata(part),
        "spec": specification,
    })
}

/// A graph of services without what says how its pods are made. What services it names are addresses by now.
fn service_graph(part: Part<'_>) -> Value {
    let document = part.source.document;
    let mut specification = document["spec"].as_object().cloned().unwrap_or_default();
    specification.retain(|name, _| OF_SERVICE_GRAPHS.contains(&name.as_str()));
    json!({
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "metadata": metadata(part),
        "spec": specification,
    })
}

fn metadata(part: Part<'_>) -> Value {
    let namespace = part.source.deployment.id.namespace.as_str();
    let mut metadata = json!({"name": part.owner.name, "namespace": namespace});
    let annotations = part.source.document["metadata"]["annotations"].as_object();
    if let Some(mut annotations) = annotations.cloned() {
        annotations.shift_remove(LAST_APPLIED);
        metadata["annotations"] = Value::Object(annotations);
    }
    if part.predictor.role != Role::Predictor {
        // The predictor logs what it is asked.
        metadata["annotations"][REQUEST_LOG_ANNOTATION] = json!("off");
    }
    metadata
}

fn predictor(part: Part<'_>, places: &Places<'_>) -> Value {
    let mut predictor = part.document().as_object().cloned().unwrap_or_default();
    predictor.retain(|name, _| !NOT_THE_PODS.contains(&name.as_str()));
    if let Some(Value::Object(graph)) = predictor.get_mut("graph") {
        change(graph, places);
    }
    Value::Object(predictor)
}

fn change(node: &mut Map<String, Value>, places: &Places<'_>) {
    node.retain(|name, _| !ACTED_ON.contains(&name.as_str()));
    let name = node.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(endpoint) = places.endpoints.get(name.as_str()) {
        node.shift_remove("modelUri");
        if node.shift_remove("implementation").is_some_and(|name| Implementation::from(text_of(&name)).is_prepackaged())
        {
            // The pod need not know model servers by name.
            node.insert("type".to_owned(), json!(NodeKind::Model));
        }
        node.insert("endpoint".to_owned(), endpoint.clone());
    } else if let Some(uri) = places.model_uris.get(&name) {
        node.insert("modelUri".to_owned(), json!(uri));
    }
    let children = node.get_mut("children").and_then(Value::as_array_mut);
    children.into_iter().flatten().filter_map(Value::as_object_mut).for_each(|child| change(child, places));
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
