//! The operator: watches `SeldonDeployment`s, and what `KServe` has where it is to, and makes them so, each as
//! `validate → build → apply → status`.
//!
//! **Invariant**: one malformed object never stops the others, and an object that is as it should be is not
//! written again.

mod accounts;
pub mod admission;
mod applied;
mod apply;
pub mod certificates;
mod children;
mod claims;
pub mod crd;
mod desired;
mod events;
mod figures;
mod learning;
pub mod lease;
mod memories;
mod observed;
mod pod_client;
mod pods;
mod reconcile;
mod resources;
mod scaler;
mod status;
mod watched;
pub(crate) mod words;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, Stream, StreamExt as _, future, stream};
use http::{HeaderValue, header::USER_AGENT};
use kube::{
    Config, ResourceExt as _,
    api::{DynamicObject, ListParams},
    runtime::{
        Controller,
        controller::{self, Action, Error as ControllerError},
        events::Recorder,
        reflector::{ObjectRef, Store, store::Writer},
    },
};
use provost_domain::{
    ServerCatalog,
    plan::{Report, Route},
};

use crate::{ModelServers, kubernetes::Settings, namespaces::scopes};
use accounts::Read;
use applied::Applied;
use children::Children;
use claims::Claims;
use crd::Served;
use desired::Desired;
pub use figures::Figures;
pub use kube::Client;
pub(crate) use pods::trouble;
use reconcile::{ReconcileError, reconcile};
pub(crate) use resources::{api as deployments, name_kind};

/// The first wait after an error; it doubles.
const RETRY_MIN: Duration = Duration::from_secs(1);
/// The longest wait after an error.
const RETRY_MAX: Duration = Duration::from_mins(5);
/// News that come within this time are one reason to reconcile.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// How many deployments are reconciled at a time.
const CONCURRENCY: u16 = 16;

/// What the operator is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// The namespaces to watch; all of them where none is given.
    pub namespaces: Vec<String>,
    /// The kinds to make so.
    pub kinds: &'static [Served],
    /// Deployments with this `seldon.io/controller-id` are its own; where it is empty, those without one.
    pub controller_id: Option<String>,
    /// Whether the Secrets that service accounts name are read, so that pods are made with them.
    pub reads_account_secrets: bool,
    /// The model servers that deployments may name; somebody else follows them.
    pub servers: ModelServers,
    /// What administrators set.
    pub settings: Settings,
}

/// What reconciling shares.
struct Context {
    client: Client,
    served: Served,
    options: Options,
    children: Arc<Children>,
    /// Shared with the other kinds.
    claims: Arc<Claims>,
    recorder: Recorder,
    figures: Arc<Figures>,
    memories: Mutex<HashMap<ObjectRef<DynamicObject>, Memory>>,
}

impl Context {
    fn memories(&self) -> MutexGuard<'_, HashMap<ObjectRef<DynamicObject>, Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of a deployment since the operator started.
#[derive(Debug, Default)]
struct Memory {
    /// What its user asks for.
    desired: Option<Memo>,
    /// A hash of the objects that were applied last.
    objects: Option<u64>,
    /// Those objects as they were then.
    applied: Applied,
    /// A hash of the route that was applied last.
    route: Option<u64>,
    /// That route as it was then.
    applied_route: Applied,
    /// Its routes, if they are in force only once what they name can serve.
    first: Option<Vec<Route>>,
    /// When it was applied.
    routed: Option<Instant>,
    /// Predictors that it named though they leave, and get nothing.
    fading: BTreeSet<String>,
    /// Predictors that are there still, and to which the gateway sends nothing any more.
    left: BTreeSet<String>,
    /// The routes that the gateway last accepted.
    in_force: Vec<Route>,
    /// What the planner had to tell last.
    reported: Option<Report>,
    /// Errors in a row.
    errors: u32,
}

/// What a user asks for, as long as nothing of it is to be read again.
#[derive(Debug)]
struct Memo {
    /// A hash of how it was written.
    written: u64,
    /// The model servers that were known then.
    catalog: Arc<ServerCatalog>,
    /// What was read for it.
    read: Read,
    /// When that is to be read again, since something was not there.
    stale: Option<Instant>,
    desired: Arc<Desired>,
}

/// Why the operator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// There is no cluster, or no access to it.
    #[error("cannot reach the cluster: is KUBECONFIG set, or does this run in a pod with a service account?")]
    Cluster(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The kind is not installed.
    #[error("{kind}s are not known to the cluster: apply the output of `provost print crds` first")]
    NotInstalled {
        /// The kind.
        kind: String,
        /// What the API server says.
        #[source]
        source: Box<kube::Error>,
    },
}

/// Works until `stopped`.
pub async fn run(
    client: Client,
    options: Options,
    figures: Arc<Figures>,
    stopped: impl Future<Output = ()> + Send + Sync + 'static,
) -> Result<(), OperatorError> {
    let namespaces = scopes(&options.namespaces);
    let watches = namespaces.iter().flat_map(|namespace| options.kinds.iter().map(move |served| (*served, namespace)));
    let watches: Vec<_> = watches.collect();
    for (served, namespace) in &watches {
        let objects = resources::api(&client, *served, **namespace);
        objects.list(&ListParams::default().limit(1)).await.map_err(|error| not_installed(*served, error))?;
    }
    options.servers.known().await;
    let stopped = stopped.shared();
    let scaling = scaler::run(&client, &options, stopped.clone());
    let learning = learning::run(&client, &options, stopped.clone());
    let claims = Arc::new(Claims::new(watches.len()));
    let controllers = watches.into_iter().map(|(served, namespace)| {
        let (shared, stopped) = ((Arc::clone(&figures), Arc::clone(&claims)), stopped.clone());
        control(&client, &options, shared, (served, *namespace), stopped)
    });
    future::join3(future::join_all(controllers), scaling, learning).await;
    Ok(())
}

/// Reconciles the deployments of a kind in a namespace, or in all.
async fn control(
    client: &Client,
    options: &Options,
    (figures, claims): (Arc<Figures>, Arc<Claims>),
    (served, namespace): (Served, Option<&str>),
    stopped: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let kinds = watched::kinds(options.settings.gateway.is_some());
    let context = Arc::new(Context {
        client: client.clone(),
        served,
        options: options.clone(),
        children: Arc::new(Children::new(&kinds)),
        claims,
        recorder: Recorder::new(client.clone(), "provost".into()),
        figures,
        memories: Mutex::default(),
    });
    let writer = Writer::new(served.resource());
    let (store, graphs) = (writer.as_reader(), writer.as_reader());
    let changed = resources::changed(client, namespace, writer, Arc::clone(&context));
    Controller::for_stream_with(changed, store, served.resource())
        .with_config(controller::Config::default().debounce(DEBOUNCE).concurrency(CONCURRENCY))
        .reconcile_on(watched::triggers(client, namespace, served, &kinds, &context.children))
        .reconcile_on(context.claims.changes(served).map(move |key| watched::refer(key, served)))
        .reconcile_on(calling(&context.claims, served, graphs))
        .reconcile_all_on(context.options.servers.changes())
        .graceful_shutdown_on(stopped)
        .run(reconcile, after_error, context)
        .for_each(|result| async {
            // An error of reconciling was logged where it was handled; this one is of a watch.
            if let Err(error @ (ControllerError::QueueError(_) | ControllerError::RunnerError(_))) = result {
                tracing::warn!(%error, "watching the cluster failed, and is tried again");
            }
        })
        .await;
}

/// The graphs of a namespace in which a deployment is called elsewhere than before.
fn calling(
    claims: &Claims,
    served: Served,
    graphs: Store<DynamicObject>,
) -> impl Stream<Item = ObjectRef<DynamicObject>> + Send + 'static + use<> {
    let moves = claims.moves().filter(move |_| future::ready(served == Served::InferenceGraph));
    moves.flat_map(move |namespace| {
        let is_there = |graph: &Arc<DynamicObject>| graph.namespace().as_deref() == Some(&*namespace);
        let calling = graphs.state().into_iter().filter(is_there).map(move |graph| refer(&graph, served));
        stream::iter(calling.collect::<Vec<_>>())
    })
}

fn refer(object: &DynamicObject, served: Served) -> ObjectRef<DynamicObject> {
    ObjectRef::from_obj_with(object, served.resource())
}

/// Connects as the configuration of `kubectl` says, or as the pod's service account.
pub async fn connect() -> Result<Client, OperatorError> {
    Client::try_from(configuration().await?).map_err(|error| OperatorError::Cluster(error.into()))
}

/// How to connect so.
pub(crate) async fn configuration() -> Result<Config, OperatorError> {
    let mut config = Config::infer().await.map_err(|error| OperatorError::Cluster(error.into()))?;
    config.headers.push((USER_AGENT, HeaderValue::from_static(concat!("provost/", env!("CARGO_PKG_VERSION")))));
    Ok(config)
}

fn not_installed(served: Served, error: kube::Error) -> OperatorError {
    match &error {
        kube::Error::Api(status) if status.code == 404 => {
            OperatorError::NotInstalled { kind: served.name(), source: Box::new(error) }
        }
        _ => OperatorError::Cluster(error.into()),
    }
}

fn after_error(object: Arc<DynamicObject>, error: &ReconcileError, _context: Arc<Context>) -> Action {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    tracing::warn!(deployment = name, %error, "reconciling failed, and is tried again");
    Action::requeue(RETRY_MIN.saturating_mul(1 << error.attempt.min(10)).min(RETRY_MAX))
}
