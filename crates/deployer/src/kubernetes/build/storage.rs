//! Models that the pod brings along: from a volume that is claimed, or fetched by an init container before the
//! server starts. Others the server fetches itself.

use std::collections::BTreeMap;

use provost_domain::{ClaimUri, ModelUri, graph::Node};
use serde_json::{Value, json};

use super::{
    Part,
    account::{self, Credentials},
    component::Component,
    error::BuildError,
    manifest::ModelUris,
    merge::add_missing,
};

/// Where claimed volumes are.
const CLAIMS: &str = "/mnt/pvc";
/// The volume of the first claim.
const CLAIM_VOLUME: &str = "kfserving-pvc-source";
/// Where fetched models are.
pub(super) const MODELS: &str = "/mnt/models";

/// What brings the models of a pod.
#[derive(Debug, Default)]
pub(super) struct Storage {
    /// Where the models are then.
    pub(super) model_uris: ModelUris,
    /// Volumes of the pod.
    pub(super) volumes: Vec<Value>,
    /// Mounts of the container that serves.
    pub(super) mounts: Vec<Value>,
    /// Mounts of the containers of programs of the user's own, by the names of their nodes.
    pub(super) own_mounts: BTreeMap<String, Vec<Value>>,
    /// Init containers, each also in place of the user's own of the name.
    pub(super) initializers: Vec<Value>,
    /// Variables by which the container that serves gets to the models that it fetches itself.
    pub(super) environment: Vec<Value>,
    claims: Vec<String>,
}

/// Finds what brings the models of these pods.
pub(super) fn find(part: Part<'_>, component: &Component) -> Result<Storage, BuildError> {
    let mut storage = Storage::default();
    let (mut fetched, mut left) = (Vec::new(), Vec::new());
    for (path, node) in part.nodes_here() {
        match node.model_uri.as_deref().filter(|uri| !uri.is_empty()).map(ModelUri::parse) {
            Some(Ok(ModelUri::Claim(uri))) => storage.add_claim(part, node, uri),
            Some(Ok(uri)) => match initializer(part, component, node, &uri) {
                Some(container) => fetched.push((node, container)),
                None if node.is_own_program() => {
                    return Err(BuildError::NoInitializer { path: path.field("modelUri"), node: node.name.clone() });
                }
                None => left.push(node),
            },
            _ => {}
        }
    }
    let of_server = fetched.iter().filter(|(node, _)| !node.is_own_program()).count();
    for (node, initializer) in fetched {
        // Several models of one container lie side by side, as no two volumes can be mounted in one place.
        let is_alone = node.is_own_program() || of_server == 1;
        let place = if is_alone { MODELS.to_owned() } else { format!("{MODELS}/{}", node.name) };
        storage.add_fetched(part, node, initializer, place);
    }
    let Credentials { environment, volumes, mounts } = account::credentials(part, &left);
    storage.environment = environment;
    storage.add_volumes(volumes);
    storage.mounts.extend(mounts);
    Ok(storage)
}

impl Storage {
    /// Mounts the claim, and notes where the model then is.
    fn add_claim(&mut self, part: Part<'_>, node: &Node, uri: ClaimUri) {
        let known = self.claims.iter().position(|known| *known == uri.claim);
        let index = known.unwrap_or(self.claims.len());
        // Only the first has Seldon's names: Seldon takes one claim.
        let suffix = if index == 0 { String::new() } else { format!("-{index}") };
        let place = format!("{CLAIMS}{suffix}");
        self.model_uris.insert(node.name.clone(), format!("{place}/{}", uri.path).trim_end_matches('/').to_owned());
        let name = format!("{CLAIM_VOLUME}{suffix}");
        let mut mount = json!({"name": name, "mountPath": place, "readOnly": true});
        if part.server(node).is_some() {
            mount["mountPath"] = json!(MODELS);
            let below = uri.path.trim_matches('/');
            if !below.is_empty() {
                mount["subPath"] = json!(below);
            }
        }
        if known.is_none() {
            self.volumes.push(json!({"name": name, "persistentVolumeClaim": {"claimName": uri.claim}}));
            self.claims.push(uri.claim);
        }
        self.mount(node, mount);
    }

    /// Mounts a volume where the node runs, once.
    fn mount(&mut self, node: &Node, mount: Value) {
        let mounts = if node.is_own_program() {
            self.own_mounts.entry(node.name.clone()).or_default()
        } else {
            &mut self.mounts
        };
        if !mounts.contains(&mount) {
            mounts.push(mount);
        }
    }

    /// Adds volumes of the pod; what several containers mount is one.
    fn add_volumes(&mut self, volumes: Vec<Value>) {
        add_missing(&mut self.volumes, "name", volumes);
    }

    /// Serves from `place` what the init container puts on its volume.
    fn add_fetched(&mut self, part: Part<'_>, node: &Node, mut initializer: Value, place: String) {
        self.add_volumes(account::credentials(part, &[node]).add_to(&mut initializer));
        let mut mount = models_mount(&initializer).cloned().unwrap_or_default();
        if mount["name"] == volume_name(node) {
            self.volumes.push(json!({"name": mount["name"], "emptyDir": {}}));
        }
        (mount["mountPath"], mount["readOnly"]) = (json!(place), json!(true));
        self.mount(node, mount);
        self.initializers.push(initializer);
        self.model_uris.insert(node.name.clone(), place);
    }
}

/// What fetches the model of a node before the server starts: the user's own init container for it, or one with
/// the image that is set. A path needs none unless the user says so. Where no image is set this program fetches, for
/// programs of their own.
fn initializer(part: Part<'_>, component: &Component, node: &Node, uri: &ModelUri) -> Option<Value> {
    let own = component.pod.get("initContainers").and_then(Value::as_array).into_iter().flatten();
    if let Some(own) = own.into_iter().find(|container| container["name"] == initializer_name(node)) {
        return Some(completed(own, node));
    }
    let general = part.settings.storage_initializer_image.as_deref().filter(|_| !matches!(uri, ModelUri::Path(_)));
    let image = node.storage_initializer_image.as_deref().filter(|image| !image.is_empty());
    let made_with = |image: &str| made(node, image, json!([node.model_uri, MODELS]));
    let own = || (node.is_own_program() && !matches!(uri, ModelUri::Path(_))).then(|| fetcher(part, node));
    image.or(general).map(made_with).or_else(own)
}

/// The init container in which this program fetches the model.
fn fetcher(part: Part<'_>, node: &Node) -> Value {
    let uri = node.model_uri.as_deref().unwrap_or_default().replace('$', "$$");
    let mut container = made(node, &part.settings.image, json!(["fetch", uri, MODELS]));
    if let Some(policy) = &part.settings.image_pull_policy {
        container["imagePullPolicy"] = json!(policy);
    }
    container
}

fn initializer_name(node: &Node) -> String {
    format!("{}-model-initializer", node.name)
}

fn volume_name(node: &Node) -> String {
    format!("{}-provision-location", node.name)
}

/// Where an init container puts the model.
fn models_mount(initializer: &Value) -> Option<&Value> {
    initializer["volumeMounts"].as_array()?.iter().find(|mount| mount["mountPath"] == MODELS)
}

/// The user's own init container, with what it cannot do without.
fn completed(own: &Value, node: &Node) -> Value {
    let mut container = own.clone();
    if container["args"].is_null() {
        container["args"] = json!([node.model_uri, MODELS]);
    }
    if models_mount(own).is_none() {
        let mounts = own["volumeMounts"].as_array().cloned().unwrap_or_default();
        let added = json!({"name": volume_name(node), "mountPath": MODELS});
        container["volumeMounts"] = mounts.into_iter().chain([added]).collect();
    }
    container
}

fn made(node: &Node, image: &str, arguments: Value) -> Value {
    let mut container = json!({
        "name": initializer_name(node),
        "image": image,
        "args": arguments,
        "resources": {
            "requests": {"cpu": "100m", "memory": "100Mi"},
            "limits": {"cpu": "1", "memory": "1Gi"},
        },
        "volumeMounts": [{"name": volume_name(node), "mountPath": MODELS}],
    });
    if let Some(secret) = &node.env_secret_ref_name {
        container["envFrom"] = json!([{"secretRef": {"name": secret}}]);
    }
    container
}
