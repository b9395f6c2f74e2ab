//! The container that serves: it runs all nodes of its predictor.

use provost_domain::{
    FieldPath,
    deployment::{RequestLogging, Role},
};
use serde_json::{Map, Value, json};

use super::{
    LogBucket, PORT, Part, TraceCollector,
    component::{Component, NodeContainer},
    error::BuildError,
    manifest,
    merge::{add_missing, add_over, fill, join, set_list, take_list},
    resources,
    security::secure,
    storage::Storage,
};

/// Where the container keeps what must outlive it: logged requests, the model.
const DATA: &str = "/var/lib/provost";
/// How long traffic may still come after the pod was told to end: endpoints are removed at the same time.
const LINGER_SECONDS: u32 = 5;
/// What Seldon calls the container that stands beside a program of the user's own.
const ORCHESTRATOR: &str = "seldon-container-engine";
/// The variable that carries the manifest.
const MANIFEST: &str = "PROVOST_MANIFEST";
/// The variable that tells a shadow how many of a hundred copies to answer.
const COPIES: &str = "PROVOST_GATEWAY__COPIES_PERCENT";
/// The variable that tells where the request log goes.
const LOG_BUCKET: &str = "PROVOST_REQUEST_LOG__BUCKET";
/// What the server expects before the names of variables that give access to that, so that they are not those with
/// which it fetches models.
const LOG_PREFIX: &str = "REQUEST_LOG_";

/// The container, with what the user says of those of the nodes in whose place it stands.
pub(super) fn build(part: Part<'_>, component: &Component, storage: &Storage) -> Result<Value, BuildError> {
    let nodes = &component.nodes;
    let mut container = joined(part, nodes)?;
    let user = ["env", "envFrom", "ports", "volumeMounts"].map(|list| take_list(&mut container, list));
    let [variables, mut sources, ports, mut mounts] = user;
    add_missing(&mut sources, "", secrets(part).into_iter().chain(log_secret(part)));
    add_missing(&mut mounts, "mountPath", storage.mounts.iter().cloned().chain(own_mounts()));
    let manifest = manifest::text(part, &storage.model_uris, &component.programs)?;
    for (list, items) in [
        ("env", environment(part, storage, variables, manifest)?),
        ("envFrom", sources),
        ("ports", own_port().into_iter().chain(ports.into_iter().filter(is_free)).collect()),
        ("volumeMounts", mounts),
    ] {
        set_list(&mut container, list, items);
    }
    if let Some(resources) = sum_of_resources(part, nodes)? {
        container.insert("resources".to_owned(), resources);
    }
    add_defaults(part, &mut container);
    Ok(Value::Object(container))
}

/// The containers of the nodes in one that runs the server, without their resources, which are added.
fn joined(part: Part<'_>, nodes: &[NodeContainer]) -> Result<Map<String, Value>, BuildError> {
    let listen = format!("0.0.0.0:{PORT}");
    let mut all = Map::from_iter([
        ("name".to_owned(), json!(name(part))),
        ("image".to_owned(), json!(part.settings.image)),
        ("args".to_owned(), json!(["serve", "--roles", "predictor", "--listen", listen, "--data-dir", DATA])),
    ]);
    for node in nodes {
        let mut container = node.container.clone();
        container.retain(|field, _| field != "name" && field != "resources");
        join(&mut all, container, &node.path)?;
    }
    Ok(all)
}

/// The name of the first node, if the container is in its place; else that of Seldon's orchestrator.
fn name(part: Part<'_>) -> &str {
    let first = &part.predictor.graph;
    if first.is_own_program() { ORCHESTRATOR } else { &first.name }
}

/// Adds what the container has where the user says nothing.
fn add_defaults(part: Part<'_>, container: &mut Map<String, Value>) {
    let policy = part.settings.image_pull_policy.as_ref();
    let defaults = [
        ("imagePullPolicy", json!(policy)),
        ("readinessProbe", probe("/-/ready", &json!({"periodSeconds": 2, "failureThreshold": 3}))),
        ("livenessProbe", probe("/-/live", &json!({"periodSeconds": 5, "failureThreshold": 3}))),
        ("startupProbe", probe("/-/live", &json!({"periodSeconds": 1, "failureThreshold": 120}))),
        ("lifecycle", json!({})),
    ];
    for (field, value) in defaults.into_iter().filter(|(_, value)| !value.is_null()) {
        container.entry(field).or_insert(value);
    }
    if let Some(hooks) = container["lifecycle"].as_object_mut() {
        hooks.entry("preStop").or_insert_with(|| json!({"sleep": {"seconds": LINGER_SECONDS}}));
    }
    secure(container);
    fill(&mut container["securityContext"], json!({"readOnlyRootFilesystem": true}));
}

fn own_port() -> [Value; 1] {
    [json!({"name": "http", "containerPort": PORT, "protocol": "TCP"})]
}

/// Whether a port is another than the server's own, by which it is called.
fn is_free(port: &Value) -> bool {
    port["name"] != "http" && port["containerPort"] != PORT
}

fn own_mounts() -> [Value; 2] {
    [json!({"name": "provost-data", "mountPath": DATA}), json!({"name": "tmp", "mountPath": "/tmp"})]
}

/// The environment: what the server needs, then what the user says, who can refer to it. The orchestrator's goes
/// before that of the nodes.
fn environment(
    part: Part<'_>,
    storage: &Storage,
    of_nodes: Vec<Value>,
    manifest: String,
) -> Result<Vec<Value>, BuildError> {
    let of_orchestrator = part.document()["svcOrchSpec"]["env"].as_array().cloned().unwrap_or_default();
    for (variables, place) in [(&of_nodes, "componentSpecs"), (&of_orchestrator, "svcOrchSpec")] {
        if variables.iter().any(|variable| variable["name"] == MANIFEST) {
            return Err(BuildError::Reserved { path: part.path().field(place), name: MANIFEST });
        }
    }
    let of_pod = |path: &str| json!({"fieldRef": {"fieldPath": path}});
    let mut environment = vec![
        json!({"name": MANIFEST, "value": manifest}),
        json!({"name": "POD_NAME", "valueFrom": of_pod("metadata.name")}),
        json!({"name": "POD_NAMESPACE", "valueFrom": of_pod("metadata.namespace")}),
        json!({"name": "SELDON_DEPLOYMENT_ID", "value": part.owner.name}),
        json!({"name": "PREDICTOR_ID", "value": part.predictor.name}),
        json!({"name": "PREDICTIVE_UNIT_ID", "value": part.predictor.graph.name}),
    ];
    environment.extend(log_bucket(part).map(|LogBucket { uri, .. }| {
        // As in the manifest, a `$` is to stay one.
        json!({"name": LOG_BUCKET, "value": uri.to_string().replace('$', "$$")})
    }));
    environment.extend(traces(part));
    let copies = part.predictor.mirrored().filter(|percent| *percent < 100);
    environment.extend(copies.map(|percent| json!({"name": COPIES, "value": percent.to_string()})));
    environment.extend(storage.environment.iter().cloned());
    add_over(&mut environment, "name", of_nodes.into_iter().chain(of_orchestrator));
    Ok(environment)
}

/// Where spans go, and whose they are.
fn traces(part: Part<'_>) -> Vec<Value> {
    let variable = |name: &str, value: String| json!({"name": name, "value": value});
    let of = |TraceCollector { endpoint, ratio }: &TraceCollector| {
        vec![
            variable("PROVOST_TELEMETRY__OTLP_ENDPOINT", endpoint.replace('$', "$$")),
            variable("PROVOST_TELEMETRY__TRACE_RATIO", ratio.to_string()),
            variable("OTEL_SERVICE_NAME", part.owner.name.clone()),
            variable("OTEL_RESOURCE_ATTRIBUTES", attributes(part)),
        ]
    };
    part.settings.traces.as_ref().map(of).unwrap_or_default()
}

/// In the standard's names. The pod's name stands before this in the environment.
fn attributes(part: Part<'_>) -> String {
    let namespace = part.source.deployment.id.namespace.as_str();
    let predictor = &part.predictor.name;
    format!("service.namespace={namespace},k8s.pod.name=$(POD_NAME),provost.predictor={predictor}")
}

fn sum_of_resources(part: Part<'_>, nodes: &[NodeContainer]) -> Result<Option<Value>, BuildError> {
    let of_node = |node: &NodeContainer| resources::Addend {
        path: node.path.field("resources"),
        resources: node.container.get("resources").cloned().unwrap_or_default(),
    };
    let mut parts: Vec<_> = nodes.iter().map(of_node).collect();
    parts.push(of_orchestrator(part)?);
    resources::sum(&parts)
}

/// The resources of Seldon's orchestrator; a field of the predictor is the old place for them.
fn of_orchestrator(part: Part<'_>) -> Result<resources::Addend, BuildError> {
    let (document, path) = (part.document(), part.path());
    let is_said = |resources: &Value| resources.as_object().is_some_and(|fields| !fields.is_empty());
    let (new, old) = (&document["svcOrchSpec"]["resources"], &document["engineResources"]);
    match (is_said(new), is_said(old)) {
        (true, true) => Err(BuildError::Both { path, first: "svcOrchSpec.resources", second: "engineResources" }),
        (false, true) => Ok(addend(path.field("engineResources"), old)),
        _ => Ok(addend(path.field("svcOrchSpec").field("resources"), new)),
    }
}

fn addend(path: FieldPath, resources: &Value) -> resources::Addend {
    resources::Addend { path, resources: resources.clone() }
}

/// Secrets whose entries are the server's environment, each once.
fn secrets(part: Part<'_>) -> Vec<Value> {
    let nodes = part.nodes().into_iter().filter(|(_, node)| !node.is_own_program());
    let secrets = nodes.filter_map(|(_, node)| node.env_secret_ref_name.as_deref());
    secrets.map(|name| json!({"secretRef": {"name": name}})).collect()
}

/// Where the pod sends what it logs, if it logs anything.
fn log_bucket(part: Part<'_>) -> Option<&LogBucket> {
    let bucket = part.settings.log_bucket.as_ref();
    let logs = part.source.deployment.request_log == RequestLogging::On && part.predictor.role == Role::Predictor;
    bucket.filter(|_| logs)
}

/// The Secret that gives access to that. Pods are made without it too: that a log cannot be sent is no reason not to
/// serve.
fn log_secret(part: Part<'_>) -> Option<Value> {
    let name = log_bucket(part)?.secret.as_ref()?;
    Some(json!({"prefix": LOG_PREFIX, "secretRef": {"name": name, "optional": true}}))
}

fn probe(path: &str, times: &Value) -> Value {
    let mut probe = json!({"httpGet": {"path": path, "port": "http"}});
    fill(&mut probe, times.clone());
    probe
}
