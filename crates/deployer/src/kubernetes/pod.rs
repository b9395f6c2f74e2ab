//! The pod of a predictor: one container, named after the root of its graph, in which all nodes run. It
//! passes the pod-security level `restricted`.

use serde_json::{Value, json};

use super::build::{PORT, Part};

/// Where the container keeps what must outlive it: logged requests, the model.
const DATA: &str = "/var/lib/provost";
/// How long traffic may still come after the pod was told to end: endpoints are removed at the same time.
const LINGER_SECONDS: u32 = 5;
/// Time for that, and for what is in flight.
const GRACE_SECONDS: u32 = 30;
/// Fields of a predictor that are not its pod's: who has them acts elsewhere, and a change of them is no reason
/// for new pods.
const NOT_THE_PODS: [&str; 5] = ["componentSpecs", "explainer", "replicas", "svcOrchSpec", "traffic"];
/// What `kubectl apply` notes for itself.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The template of the predictor's pods.
pub(super) fn template(part: Part<'_>) -> Value {
    json!({
        "metadata": {
            "labels": part.labels(),
            "annotations": {
                "prometheus.io/path": "/metrics",
                "prometheus.io/port": PORT.to_string(),
                "prometheus.io/scrape": "true",
            },
        },
        "spec": {
            "containers": [container(part)],
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": part.settings.user_id,
                "fsGroup": part.settings.user_id,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "topologySpreadConstraints": [{
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"seldon-app": part.labels()["seldon-app"]}},
            }],
            "volumes": [{"name": "provost-data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
        },
    })
}

fn container(part: Part<'_>) -> Value {
    let mut container = json!({
        "name": part.predictor.graph.name,
        "image": part.settings.image,
        "args": ["serve", "--roles", "predictor", "--listen", format!("0.0.0.0:{PORT}"), "--data-dir", DATA],
        "env": environment(part),
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": probe("/-/ready", &json!({"periodSeconds": 2, "failureThreshold": 3})),
        "livenessProbe": probe("/-/live", &json!({"periodSeconds": 5, "failureThreshold": 3})),
        "startupProbe": probe("/-/live", &json!({"periodSeconds": 1, "failureThreshold": 120})),
        "lifecycle": {"preStop": {"sleep": {"seconds": LINGER_SECONDS}}},
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": true,
        },
        "volumeMounts": [{"name": "provost-data", "mountPath": DATA}, {"name": "tmp", "mountPath": "/tmp"}],
    });
    if let Some(policy) = &part.settings.image_pull_policy {
        container["imagePullPolicy"] = json!(policy);
    }
    let secrets: Vec<_> = secrets(part).map(|name| json!({"secretRef": {"name": name}})).collect();
    if !secrets.is_empty() {
        container["envFrom"] = json!(secrets);
    }
    container
}

fn environment(part: Part<'_>) -> Value {
    let of_pod = |path: &str| json!({"fieldRef": {"fieldPath": path}});
    json!([
        {"name": "PROVOST_MANIFEST", "value": manifest(part).to_string()},
        {"name": "POD_NAME", "valueFrom": of_pod("metadata.name")},
        {"name": "POD_NAMESPACE", "valueFrom": of_pod("metadata.namespace")},
        {"name": "SELDON_DEPLOYMENT_ID", "value": part.owner.name},
        {"name": "PREDICTOR_ID", "value": part.predictor.name},
        {"name": "PREDICTIVE_UNIT_ID", "value": part.predictor.graph.name},
    ])
}

/// Secrets whose entries are the server's environment, each once.
fn secrets(part: Part<'_>) -> impl Iterator<Item = &str> {
    let mut names: Vec<_> =
        part.predictor.graph.nodes().into_iter().filter_map(|node| node.env_secret_ref_name.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}

fn probe(path: &str, times: &Value) -> Value {
    let mut probe = json!({"httpGet": {"path": path, "port": "http"}});
    for (name, value) in times.as_object().into_iter().flatten() {
        probe[name] = value.clone();
    }
    probe
}

/// The user's manifest, with this predictor alone and without what is not the pod's.
fn manifest(part: Part<'_>) -> Value {
    let mut manifest = part.source.document.clone();
    if let Some(annotations) = manifest.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    let predictors = manifest.pointer_mut("/spec/predictors").map(Value::take).unwrap_or_default();
    let mut predictor = predictors.get(part.index).cloned().unwrap_or_default();
    if let Some(fields) = predictor.as_object_mut() {
        fields.retain(|name, _| !NOT_THE_PODS.contains(&name.as_str()));
    }
    // The secret's entries are the pod's environment already.
    without_secrets(&mut predictor["graph"]);
    manifest["spec"]["predictors"] = json!([predictor]);
    if let Some(spec) = manifest["spec"].as_object_mut() {
        spec.remove("replicas");
    }
    manifest
}

fn without_secrets(node: &mut Value) {
    if let Some(fields) = node.as_object_mut() {
        fields.remove("envSecretRefName");
    }
    let children = node.get_mut("children").and_then(Value::as_array_mut);
    children.into_iter().flatten().for_each(without_secrets);
}
