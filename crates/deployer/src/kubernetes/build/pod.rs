//! The pods of a predictor: what serves, and what the user adds, or nodes apart from that. They pass the pod-security level `restricted`
//! unless the user says otherwise.

use serde_json::{Map, Value, json};

use super::{
    PORT, PREDICTOR_ANNOTATION, PREDICTOR_LABEL, Part,
    component::Component,
    container,
    error::BuildError,
    merge::{add_missing, set_list, take_list},
    model_server, own_program,
    security::{secure, secure_pod},
    storage::{self, Storage},
};

/// Seconds for traffic to end, and for what is in flight.
const GRACE_SECONDS: u32 = 30;

/// Where wrappers tell what they measure.
const NODE_METRICS: &str = "/prometheus";

/// The template of these pods.
pub(super) fn template(part: Part<'_>, mut component: Component) -> Result<Value, BuildError> {
    let labels = labels(part, std::mem::take(&mut component.labels));
    let annotations = annotations(part, std::mem::take(&mut component.annotations));
    let specification = specification(part, component)?;
    Ok(json!({"metadata": {"labels": labels, "annotations": annotations}, "spec": specification}))
}

/// What selects pods is not the user's to change.
fn labels(part: Part<'_>, mut user: Map<String, Value>) -> Map<String, Value> {
    user.extend(part.labels());
    user
}

fn annotations(part: Part<'_>, user: Map<String, Value>) -> Value {
    let mut annotations = match part.apart {
        None => json!({
            "prometheus.io/path": "/metrics",
            "prometheus.io/port": PORT.to_string(),
            "prometheus.io/scrape": "true",
        }),
        // No label tells whose they are.
        Some(_) => json!({
            PREDICTOR_ANNOTATION: part.predictor.name,
            "prometheus.io/path": NODE_METRICS,
            "prometheus.io/scrape": "true",
        }),
    };
    user.into_iter().for_each(|(name, value)| annotations[name] = value);
    annotations
}

/// What the user says of the pod, with what serves and what it has where the user says nothing.
fn specification(part: Part<'_>, component: Component) -> Result<Map<String, Value>, BuildError> {
    let storage = storage::find(part, &component)?;
    let server = part.apart.is_none().then(|| container::build(part, &component, &storage)).transpose()?;
    let Component { mut pod, sidecars, programs, .. } = component;
    let nodes = part.nodes_here();
    let companions: Vec<_> = nodes.flat_map(|(_, node)| model_server::companions(part, node, &storage)).collect();
    let programs: Vec<_> = programs.iter().map(|program| own_program::build(part, program, &storage)).collect();
    let has_programs = !programs.is_empty();
    if let Some(account) = service_account(part, &pod)? {
        pod.insert("serviceAccountName".to_owned(), account);
    }
    add_lists(part, &mut pod, storage, has_programs);
    pod.insert("containers".to_owned(), programs.into_iter().chain(companions).chain(server).chain(sidecars).collect());
    secure_pod(pod.entry("securityContext").or_insert(Value::Null), part.settings.user_id);
    for (field, default) in defaults(part) {
        pod.entry(field).or_insert(default);
    }
    Ok(pod)
}

fn defaults(part: Part<'_>) -> [(&'static str, Value); 4] {
    let selector = match part.apart {
        None => json!({PREDICTOR_LABEL: part.app()}),
        Some(_) => part.selector(),
    };
    [
        ("automountServiceAccountToken", json!(false)),
        // A Service named `provost-…` would else be variables that the server reads as its settings.
        ("enableServiceLinks", json!(false)),
        ("terminationGracePeriodSeconds", json!(GRACE_SECONDS)),
        (
            "topologySpreadConstraints",
            json!([{
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector},
            }]),
        ),
    ]
}

/// The account that the pods run as: the pod says, or its nodes do.
fn service_account(part: Part<'_>, pod: &Map<String, Value>) -> Result<Option<Value>, BuildError> {
    let mut known = pod.get("serviceAccountName").or_else(|| pod.get("serviceAccount")).cloned();
    for (path, node) in part.nodes_here() {
        let Some(account) = node.service_account_name.as_deref().filter(|account| !account.is_empty()) else {
            continue;
        };
        if known.get_or_insert_with(|| json!(account)) != account {
            return Err(BuildError::Differs { path: path.field("serviceAccountName") });
        }
    }
    Ok(known)
}

/// Adds volumes, init containers and secrets to those of the user.
fn add_lists(part: Part<'_>, pod: &mut Map<String, Value>, storage: Storage, has_programs: bool) {
    let mut volumes = take_list(pod, "volumes");
    let own = ["provost-data", "tmp"].map(|name| json!({"name": name, "emptyDir": {}}));
    let own = own.into_iter().filter(|_| part.apart.is_none());
    let of_programs = has_programs.then(own_program::volume);
    add_missing(&mut volumes, "name", storage.volumes.into_iter().chain(own).chain(of_programs));
    let mut initializers = take_list(pod, "initContainers");
    for initializer in storage.initializers {
        // They run in their order.
        match initializers.iter_mut().find(|known| known["name"] == initializer["name"]) {
            Some(known) => *known = initializer,
            None => initializers.push(initializer),
        }
    }
    initializers.iter_mut().filter_map(Value::as_object_mut).for_each(secure);
    let mut secrets = take_list(pod, "imagePullSecrets");
    add_missing(&mut secrets, "name", part.settings.image_pull_secrets.iter().map(|name| json!({"name": name})));
    for (field, items) in [("volumes", volumes), ("initContainers", initializers), ("imagePullSecrets", secrets)] {
        set_list(pod, field, items);
    }
}
