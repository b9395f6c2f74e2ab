//! The operator: watches `SeldonDeployment`s on a cluster and makes them so, each as
//! `validate → build → apply → status`.
//!
//! **Invariant**: one malformed object never stops the others, and an object that is as it should be is not
//! written again.

mod applied;
mod apply;
pub mod crd;
mod pods;
mod reconcile;
mod status;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use http::{HeaderValue, header::USER_AGENT};
use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, Client, Config,
    api::DynamicObject,
    runtime::{
        Controller, WatchStreamExt as _,
        controller::{Action, Error as ControllerError},
        reflector::{self, ObjectRef, Store},
        watcher,
    },
};
use provost_domain::ServerCatalog;
use tokio::sync::Mutex;

use crate::kubernetes::{DEPLOYMENT_LABEL, Settings};
use applied::Applied;
use reconcile::{ReconcileError, reconcile};

/// The first wait after an error; it doubles.
const RETRY_MIN: Duration = Duration::from_secs(1);
/// The longest wait after an error.
const RETRY_MAX: Duration = Duration::from_mins(5);

/// What the operator is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// The namespace to watch; all of them where none is given.
    pub namespace: Option<String>,
    /// Deployments with this `seldon.io/controller-id` are its own; where it is empty, those without one.
    pub controller_id: Option<String>,
    /// What administrators set.
    pub settings: Settings,
}

/// What reconciling shares.
struct Context {
    client: Client,
    options: Options,
    catalog: ServerCatalog,
    deployments: Store<Deployment>,
    memory: Mutex<HashMap<ObjectRef<DynamicObject>, Memory>>,
}

/// What is known of a deployment since the operator started.
#[derive(Debug, Clone, Default)]
struct Memory {
    /// A hash of what was applied last.
    applied: Option<u64>,
    /// The Deployments as they were then.
    deployments: Applied,
    /// A hash of the route that is in force.
    route: Option<u64>,
    /// When it was put in force.
    routed: Option<Instant>,
    /// Whether what is no longer wanted was removed since.
    is_pruned: bool,
    /// Errors in a row.
    errors: u32,
}

/// Why the operator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// There is no cluster, or no access to it.
    #[error("cannot reach the cluster: is KUBECONFIG set, or does this run in a pod with a service account?")]
    Cluster(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The kind is not installed.
    #[error("SeldonDeployments are not known to the cluster: apply the output of `provost print crds` first")]
    NotInstalled(#[source] Box<kube::Error>),
}

/// Works until `stopped`.
pub async fn run(
    options: Options,
    stopped: impl Future<Output = ()> + Send + Sync + 'static,
) -> Result<(), OperatorError> {
    let client = connect().await.map_err(OperatorError::Cluster)?;
    let namespace = options.namespace.clone();
    let kind = crd::resource();
    let objects: Api<DynamicObject> = match &namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &kind),
        None => Api::all_with(client.clone(), &kind),
    };
    objects.list(&kube::api::ListParams::default().limit(1)).await.map_err(not_installed)?;
    let deployments: Api<Deployment> = match &namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let (store, writer) = reflector::store();
    let owned = watcher(deployments, watcher::Config::default().labels(DEPLOYMENT_LABEL));
    let owned = owned.default_backoff().reflect(writer).touched_objects();
    let context = Arc::new(Context {
        client,
        options,
        catalog: ServerCatalog::default(),
        deployments: store,
        memory: Mutex::default(),
    });
    Controller::new_with(objects, watcher::Config::default(), kind)
        .owns_stream(owned)
        .graceful_shutdown_on(stopped)
        .run(reconcile, after_error, context)
        .for_each(|result| async {
            // An error of reconciling was logged where it was handled; this one is of a watch.
            if let Err(error @ (ControllerError::QueueError(_) | ControllerError::RunnerError(_))) = result {
                tracing::warn!(%error, "watching the cluster failed, and is tried again");
            }
        })
        .await;
    Ok(())
}

/// Connects as the configuration of `kubectl` says, or as the pod's service account.
async fn connect() -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let mut config = Config::infer().await?;
    config.headers.push((USER_AGENT, HeaderValue::from_static(concat!("provost/", env!("CARGO_PKG_VERSION")))));
    Ok(Client::try_from(config)?)
}

fn not_installed(error: kube::Error) -> OperatorError {
    match &error {
        kube::Error::Api(status) if status.code == 404 => OperatorError::NotInstalled(Box::new(error)),
        _ => OperatorError::Cluster(error.into()),
    }
}

fn after_error(object: Arc<DynamicObject>, error: &ReconcileError, _context: Arc<Context>) -> Action {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    tracing::warn!(deployment = name, %error, "reconciling failed, and is tried again");
    Action::requeue(RETRY_MIN.saturating_mul(1 << error.attempt.min(10)).min(RETRY_MAX))
}
