//! One deployment, from what its user wrote to what the cluster runs.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, ResourceExt as _,
    api::{DynamicObject, Patch, PatchParams},
    runtime::{controller::Action, reflector::ObjectRef},
};
use provost_api::{
    crd::{Class, Finding, seldon_deployment},
    manifest::{ManifestDocument, parse_deployment},
};
use provost_domain::Namespace;
use serde_json::{Value, json};

use super::{
    Context, Memory,
    applied::Applied,
    apply::{self, MANAGER},
    crd, pods,
    status::{self, AVAILABLE, Observation},
};
use crate::kubernetes::{self, Owner, Source};

/// How often pods are looked at while a deployment is not available: nothing else tells of their troubles.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a gateway may take to follow a route: what the route no longer names stays so long.
const SETTLE: Duration = Duration::from_secs(3);
/// Who is to reconcile a deployment.
const CONTROLLER_LABEL: &str = "seldon.io/controller-id";

/// Reconciling failed for a reason that may pass.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {source}")]
pub(super) struct ReconcileError {
    operation: &'static str,
    #[source]
    source: Box<kube::Error>,
    /// How many times in a row.
    pub(super) attempt: u32,
}

/// Reconciles one deployment.
pub(super) async fn reconcile(object: Arc<DynamicObject>, context: Arc<Context>) -> Result<Action, ReconcileError> {
    let key = ObjectRef::from_obj_with(object.as_ref(), crd::resource());
    if object.metadata.deletion_timestamp.is_some() || !is_own(&object, context.options.controller_id.as_deref()) {
        context.memory.lock().await.remove(&key);
        return Ok(Action::await_change());
    }
    let mut memory = context.memory.lock().await.get(&key).cloned().unwrap_or_default();
    let result = make_so(&object, &context, &mut memory).await;
    memory.errors = if result.is_ok() { 0 } else { memory.errors + 1 };
    let attempt = memory.errors;
    context.memory.lock().await.insert(key, memory);
    result.map_err(|(operation, source)| ReconcileError { operation, source: Box::new(source), attempt })
}

/// What was tried, and what came of it.
type Failed = (&'static str, kube::Error);

/// A deployment that can be made so.
struct Desired {
    deployment: provost_domain::Deployment,
    document: Value,
    owner: Owner,
    warnings: Vec<String>,
}

impl Desired {
    fn source(&self) -> Source<'_> {
        Source { deployment: &self.deployment, document: &self.document }
    }
}

async fn make_so(object: &DynamicObject, context: &Context, memory: &mut Memory) -> Result<Action, Failed> {
    let desired = match parse(object, context) {
        Ok(desired) => desired,
        Err(reasons) => {
            let status = status::refused(object.metadata.generation.unwrap_or(0), &reasons);
            set_status(object, context, status).await?;
            return Ok(Action::await_change());
        }
    };
    let settings = &context.options.settings;
    let objects = kubernetes::build(desired.source(), &desired.owner, settings);
    let hash = hash_of(&objects);
    if memory.applied != Some(hash) || memory.deployments.is_touched_by_others(&own_deployments(object, context)) {
        apply_all(object, context, &objects, memory).await?;
        (memory.applied, memory.is_pruned) = (Some(hash), false);
    }
    let ready = ready(&kubernetes::workloads(desired.source(), &desired.owner), &own_deployments(object, context));
    let route = kubernetes::route(desired.source(), &desired.owner, settings, &ready);
    apply_route(object, context, route, memory).await?;
    let is_settled = memory.routed.is_none_or(|routed| routed.elapsed() >= SETTLE);
    let is_prunable = !memory.is_pruned && ready.iter().all(|is_ready| *is_ready);
    if is_prunable && is_settled {
        prune(object, context, &objects).await?;
        memory.is_pruned = true;
    }
    let action = report(object, context, &objects, desired.warnings).await?;
    Ok(if is_prunable && !is_settled { Action::requeue(SETTLE) } else { action })
}

/// What is to be there, or all that is wrong with what the user wrote.
fn parse(object: &DynamicObject, context: &Context) -> Result<Desired, Vec<String>> {
    let document = serde_json::to_value(object).map_err(|error| vec![error.to_string()])?;
    let document = without_status(document);
    let manifest = ManifestDocument::from_json(&object.name_any(), document.clone());
    let manifest = manifest.map_err(|error| vec![error.to_string()])?;
    let (deployment, findings) = parse_deployment(&manifest, &Namespace::default_namespace(), &context.catalog)
        .map_err(|violations| violations.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let owner = Owner {
        api_version: seldon_deployment::API_VERSIONS[0].to_owned(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
    };
    let warnings = findings.iter().filter_map(warning).collect();
    Ok(Desired { deployment, document, owner, warnings })
}

/// What a user should know of a field. Findings are those of a server that runs models itself.
fn warning(finding: &Finding) -> Option<String> {
    match finding.class {
        Class::OnKubernetes => None,
        Class::NoEffect => Some(format!("{}: has no effect on Kubernetes yet", finding.path)),
        _ => Some(finding.to_string()),
    }
}

/// Which of the Deployments can answer, by whichever version of their pods.
fn ready(workloads: &[String], deployments: &[Deployment]) -> Vec<bool> {
    let available = |deployment: &Deployment| deployment.status.as_ref().and_then(|status| status.available_replicas);
    let is_ready = |name: &String| {
        let known = deployments.iter().find(|deployment| deployment.metadata.name.as_ref() == Some(name));
        known.and_then(available).is_some_and(|available| available > 0)
    };
    workloads.iter().map(is_ready).collect()
}

/// The document as its user wrote it.
fn without_status(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("status");
        fields.entry("kind").or_insert_with(|| json!(seldon_deployment::KIND));
        fields.entry("apiVersion").or_insert_with(|| json!(seldon_deployment::API_VERSIONS[0]));
    }
    let keep = ["name", "namespace", "labels", "annotations"];
    if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| keep.contains(&name.as_str()));
    }
    document
}

async fn apply_all(
    object: &DynamicObject,
    context: &Context,
    objects: &[Value],
    memory: &mut Memory,
) -> Result<(), Failed> {
    let namespace = object.namespace().unwrap_or_default();
    let mut deployments = Applied::default();
    for desired in objects {
        let applied =
            apply::apply(&context.client, &namespace, desired).await.map_err(|error| ("applying an object", error))?;
        if desired["kind"] == "Deployment" {
            deployments.add(applied.name_any(), applied.metadata.generation.unwrap_or(0));
        }
    }
    memory.deployments = deployments;
    Ok(())
}

async fn apply_route(
    object: &DynamicObject,
    context: &Context,
    route: Option<Value>,
    memory: &mut Memory,
) -> Result<(), Failed> {
    let Some(route) = route.filter(|route| memory.route != Some(hash_of(std::slice::from_ref(route)))) else {
        return Ok(());
    };
    let namespace = object.namespace().unwrap_or_default();
    apply::apply(&context.client, &namespace, &route).await.map_err(|error| ("applying the route", error))?;
    (memory.route, memory.routed) = (Some(hash_of(&[route])), Some(Instant::now()));
    Ok(())
}

/// Removes what is no longer wanted. The first generation has left nothing behind.
async fn prune(object: &DynamicObject, context: &Context, objects: &[Value]) -> Result<(), Failed> {
    if object.metadata.generation == Some(1) {
        return Ok(());
    }
    apply::prune(&context.client, object, objects).await.map_err(|error| ("pruning", error))
}

async fn report(
    object: &DynamicObject,
    context: &Context,
    objects: &[Value],
    warnings: Vec<String>,
) -> Result<Action, Failed> {
    let (namespace, deployments) = (object.namespace().unwrap_or_default(), own_deployments(object, context));
    let mut observation = Observation {
        namespace: &namespace,
        generation: object.metadata.generation.unwrap_or(0),
        objects,
        deployments: &deployments,
        trouble: None,
        warnings,
    };
    let mut status = status::observed(&observation);
    // Pods that were made just now have had no time for troubles.
    let is_new = object.data["status"].is_null();
    if status["state"] != AVAILABLE && !is_new {
        let trouble = pods::trouble(&context.client, &namespace, &object.name_any()).await;
        observation.trouble = trouble.map_err(|error| ("looking at pods", error))?;
        status = status::observed(&observation);
    }
    let is_available = status["state"] == AVAILABLE;
    set_status(object, context, status).await?;
    Ok(if is_available { Action::await_change() } else { Action::requeue(LOOK_EVERY) })
}

/// Writes the status, unless it is there already.
async fn set_status(object: &DynamicObject, context: &Context, status: Value) -> Result<(), Failed> {
    let before = &object.data["status"];
    let status = status::with_times(status, before, &jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    if *before == status {
        return Ok(());
    }
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), &namespace, &crd::resource());
    let mut patch = json!({"status": status});
    // A merge patch keeps what it does not name.
    for gone in before.as_object().into_iter().flat_map(serde_json::Map::keys) {
        if patch["status"].get(gone).is_none() {
            patch["status"][gone] = Value::Null;
        }
    }
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    match api.patch_status(&object.name_any(), &parameters, &Patch::Merge(patch)).await {
        Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
        result => result.map(drop).map_err(|error| ("writing the status", error)),
    }
}

fn is_own(object: &DynamicObject, controller: Option<&str>) -> bool {
    object.labels().get(CONTROLLER_LABEL).map(String::as_str) == controller
}

fn own_deployments(object: &DynamicObject, context: &Context) -> Vec<Deployment> {
    let (namespace, uid) = (object.namespace(), object.uid());
    let is_own = |deployment: &Arc<Deployment>| {
        deployment.namespace() == namespace
            && deployment.owner_references().iter().any(|owner| Some(&owner.uid) == uid.as_ref())
    };
    context.deployments.state().into_iter().filter(is_own).map(|deployment| (*deployment).clone()).collect()
}

fn hash_of(objects: &[Value]) -> u64 {
    let mut hasher = DefaultHasher::new();
    objects.iter().for_each(|object| object.to_string().hash(&mut hasher));
    hasher.finish()
}
