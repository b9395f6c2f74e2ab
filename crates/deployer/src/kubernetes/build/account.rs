//! What gives access to the buckets of models by way of a service account: the Secrets that it names, in the form that
//! `KFServing` and `KServe` give them. Their values stay where they are; pods refer to them by key.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use provost_domain::{Deployment, ModelUri, Predictor, graph::Node};
use serde_json::{Value, json};

use super::{Part, merge::add_missing, placement};

/// The account of pods that name none.
const DEFAULT: &str = "default";
/// The key of a Secret that holds the key of a service account of Google.
const GOOGLE_KEY: &str = "gcloud-application-credentials.json";
/// Where such a Secret is mounted.
const GOOGLE_PLACE: &str = "/var/secrets/";
/// The volume of such a Secret.
const GOOGLE_VOLUME: &str = "user-gcp-sa";
/// The variables of keys of S3, each with the keys of a Secret that hold it; the first counts.
const S3_KEYS: [(&str, [&str; 2]); 2] = [
    ("AWS_ACCESS_KEY_ID", ["AWS_ACCESS_KEY_ID", "awsAccessKeyID"]),
    ("AWS_SECRET_ACCESS_KEY", ["AWS_SECRET_ACCESS_KEY", "awsSecretAccessKey"]),
];
/// What the annotations of a Secret begin with that tell of its store; the first counts.
const PREFIXES: [&str; 3] = ["serving.kserve.io/", "serving.kubeflow.org/", "machinelearning.seldon.io/"];
/// What such annotations go on with.
const S3: &str = "s3-";
/// The annotations, and the variables that they become as they are. The endpoint becomes another one besides.
const ANNOTATIONS: [(&str, &str); 7] = [
    (ENDPOINT, "S3_ENDPOINT"),
    (USE_HTTPS, "S3_USE_HTTPS"),
    ("s3-region", "AWS_DEFAULT_REGION"),
    ("s3-verifyssl", "S3_VERIFY_SSL"),
    ("s3-usevirtualbucket", "S3_USER_VIRTUAL_BUCKET"),
    (ANONYMOUS, "awsAnonymousCredential"),
    ("s3-cabundle", "AWS_CA_BUNDLE"),
];
const ENDPOINT: &str = "s3-endpoint";
const USE_HTTPS: &str = "s3-usehttps";
const ANONYMOUS: &str = "s3-useanoncredential";

/// A Secret that a service account names, without what is secret of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AttachedSecret {
    /// Name.
    pub name: String,
    /// The keys of its data.
    pub keys: BTreeSet<String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

/// The Secrets that service accounts of a namespace name, in their order, by the name of the account.
pub type Accounts = BTreeMap<String, Vec<AttachedSecret>>;

/// The service accounts whose Secrets pods of the deployment are made with: none where no model is in a bucket.
pub fn accounts_needed(deployment: &Deployment) -> BTreeSet<String> {
    let all = deployment.predictors.iter();
    let nodes = all.flat_map(|predictor| predictor.graph.nodes().into_iter().map(move |node| (predictor, node)));
    let in_bucket = nodes.filter(|(_, node)| is_in_bucket(node));
    in_bucket.filter_map(|(predictor, node)| account(deployment, predictor, &[node]).map(str::to_owned)).collect()
}

/// Annotations of the Secrets that seem to tell of a store, and are not known.
pub fn annotations_without_effect(accounts: &Accounts) -> Vec<String> {
    let all = accounts.iter().flat_map(|(account, secrets)| secrets.iter().map(move |secret| (account, secret)));
    let of_secret = |(account, secret): (&String, &AttachedSecret)| {
        let told = |annotation: &String| {
            format!(
                "the annotation `{annotation}` of the Secret `{}` of the service account `{account}`: has no effect; it is not known",
                secret.name
            )
        };
        secret.annotations.keys().filter(|annotation| is_unknown(annotation)).map(told).collect::<Vec<_>>()
    };
    all.flat_map(of_secret).collect()
}

fn is_unknown(annotation: &str) -> bool {
    let name = PREFIXES.into_iter().find_map(|prefix| annotation.strip_prefix(prefix));
    name.is_some_and(|name| name.starts_with(S3) && !ANNOTATIONS.iter().any(|(known, _)| *known == name))
}

pub(super) fn is_in_bucket(node: &Node) -> bool {
    let uri = node.model_uri.as_deref().map(ModelUri::parse);
    matches!(uri, Some(Ok(ModelUri::Bucket(_))))
}

/// What a container gets that fetches models.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    /// Variables.
    pub(super) environment: Vec<Value>,
    /// Volumes of the pod.
    pub(super) volumes: Vec<Value>,
    /// Mounts of the container.
    pub(super) mounts: Vec<Value>,
}

/// What gives access to the models of these nodes, which one container fetches. Of several Secrets of one kind that an
/// account names, the last counts, and no two are mixed.
pub(super) fn credentials(part: Part<'_>, nodes: &[&Node]) -> Credentials {
    let mut credentials = Credentials::default();
    let in_bucket: Vec<_> = nodes.iter().copied().filter(|node| is_in_bucket(node)).collect();
    let account = account(part.source.deployment, part.predictor, &in_bucket);
    let secrets = account.and_then(|account| part.source.accounts.get(account)).map_or(&[][..], Vec::as_slice);
    if let Some(secret) = secrets.iter().rfind(|secret| is_of_s3(secret)) {
        credentials.environment.extend(s3(secret));
    }
    if let Some(secret) = secrets.iter().rfind(|secret| secret.keys.contains(GOOGLE_KEY)) {
        let path = format!("{GOOGLE_PLACE}{GOOGLE_KEY}");
        credentials.environment.push(json!({"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": path}));
        credentials.volumes.push(json!({"name": GOOGLE_VOLUME, "secret": {"secretName": secret.name}}));
        credentials.mounts.push(json!({"name": GOOGLE_VOLUME, "mountPath": GOOGLE_PLACE, "readOnly": true}));
    }
    credentials
}

impl Credentials {
    /// Adds them to an init container where its user says nothing else, and gives the volumes that the pod then needs.
    pub(super) fn add_to(self, container: &mut Value) -> Vec<Value> {
        for (list, key, items) in [("env", "name", self.environment), ("volumeMounts", "mountPath", self.mounts)] {
            let mut known = container[list].as_array().cloned().unwrap_or_default();
            add_missing(&mut known, key, items);
            if !known.is_empty() {
                container[list] = Value::Array(known);
            }
        }
        self.volumes
    }
}

/// The account whose Secrets give access to the models of these nodes: the one that is named for their pods, else the
/// default one, unless they name a Secret.
fn account<'a>(deployment: &Deployment, predictor: &'a Predictor, nodes: &[&Node]) -> Option<&'a str> {
    let place = placement::of_node(deployment, predictor, &nodes.first()?.name);
    let names_secret = nodes.iter().any(|node| node.env_secret_ref_name.as_ref().is_some_and(|name| !name.is_empty()));
    named(deployment, predictor, place).or(Some(DEFAULT).filter(|_| !names_secret))
}

/// The account that is named for pods of a predictor: by a node, or by a component specification.
fn named<'a>(deployment: &Deployment, predictor: &'a Predictor, place: Option<usize>) -> Option<&'a str> {
    let nodes = predictor.graph.nodes().into_iter();
    let nodes_here = nodes.filter(|node| placement::of_node(deployment, predictor, &node.name) == place);
    let of_nodes = nodes_here.filter_map(|node| node.service_account_name.as_deref());
    let apart = placement::apart(deployment, predictor);
    let is_here = |index: &usize| place.map_or_else(|| !apart.contains(index), |place| place == *index);
    let specs_here = predictor.component_specs.iter().enumerate().filter(|(index, _)| is_here(index));
    let of_pods = specs_here.flat_map(|(_, component)| {
        let pod = &component.document["spec"];
        ["serviceAccountName", "serviceAccount"].into_iter().filter_map(|field| pod[field].as_str())
    });
    of_nodes.chain(of_pods).find(|name| !name.is_empty())
}

/// Whether a Secret is for S3: it has the secret key, or says that none is needed.
fn is_of_s3(secret: &AttachedSecret) -> bool {
    let [_, (_, secret_keys)] = S3_KEYS;
    secret_keys.iter().any(|key| secret.keys.contains(*key)) || annotation(secret, ANONYMOUS).is_some()
}

fn s3(secret: &AttachedSecret) -> Vec<Value> {
    let keys = S3_KEYS.into_iter().filter_map(|(variable, keys)| {
        let key = keys.into_iter().find(|key| secret.keys.contains(*key))?;
        Some(json!({"name": variable, "valueFrom": {"secretKeyRef": {"name": secret.name, "key": key}}}))
    });
    let said =
        ANNOTATIONS.into_iter().filter_map(|(name, variable)| Some((variable, annotation(secret, name)?.to_owned())));
    let said = said.chain(endpoint(secret).map(|url| ("AWS_ENDPOINT_URL", url)));
    // A `$` is to stay one.
    keys.chain(said.map(|(name, value)| json!({"name": name, "value": value.replace('$', "$$")}))).collect()
}

/// The URL of the store.
fn endpoint(secret: &AttachedSecret) -> Option<String> {
    let endpoint = annotation(secret, ENDPOINT)?;
    let is_plain = annotation(secret, USE_HTTPS).is_some_and(|value| matches!(value, "0" | "false" | "False"));
    Some(match (endpoint.contains("://"), is_plain) {
        (true, _) => endpoint.to_owned(),
        (false, true) => format!("http://{endpoint}"),
        (false, false) => format!("https://{endpoint}"),
    })
}

/// An annotation that says something, by what follows the prefix.
fn annotation<'a>(secret: &'a AttachedSecret, name: &str) -> Option<&'a str> {
    let found = PREFIXES.into_iter().find_map(|prefix| secret.annotations.get(&format!("{prefix}{name}")));
    found.map(|value| value.trim()).filter(|value| !value.is_empty())
}
