//! Deployments as the API server keeps them.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::Namespace as NamespaceObject;
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, DynamicObject, ListParams, PostParams, Preconditions},
    runtime::{WatchStreamExt as _, watcher},
};
use provost_domain::{
    DeploymentId, ErrorCode, Namespace,
    port::deployments::{
        Change, ChangeNote, DeploymentRepository, Mutation, Precondition, StoreError, StoredDeployment,
    },
};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    mirror::Mirror,
    stored::{MANAGER, generation, sign},
};
use crate::{
    kubernetes::LAST_APPLIED,
    operator::{crd::Served, name_kind},
};

/// How often a change is tried that another writer was faster than.
const ATTEMPTS: usize = 5;

/// The deployments of a cluster, or of some of its namespaces.
#[derive(Clone)]
pub struct ClusterDeployments(Arc<Shared>);

struct Shared {
    client: Client,
    namespaces: Vec<String>,
    kinds: &'static [Served],
    mirror: Mutex<Mirror>,
    version: watch::Sender<u64>,
    is_complete: Arc<AtomicBool>,
}

impl ClusterDeployments {
    /// Those of these kinds of `namespaces`, or of all where none is given. They are known once [`Self::follow`] runs.
    pub fn new(client: Client, namespaces: Vec<String>, kinds: &'static [Served]) -> Self {
        Self(Arc::new(Shared {
            client,
            namespaces,
            kinds,
            mirror: Mutex::default(),
            version: watch::channel(1).0,
            is_complete: Arc::default(),
        }))
    }

    /// Set once all deployments are known.
    pub fn is_complete(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0.is_complete)
    }

    /// Follows what happens on the cluster. Never ends; a watch that fails is started again.
    pub async fn follow(&self) {
        let places = self.0.namespaces.len().max(1);
        let watches = places * self.0.kinds.len();
        let streams = (0..watches).map(|index| {
            let namespace = self.0.namespaces.get(index % places).map(String::as_str);
            let served = self.0.kinds[index / places];
            let objects = crate::operator::deployments(&self.0.client, served, namespace);
            let events = watcher(objects, watcher::Config::default()).default_backoff();
            events.modify(move |object| name_kind(object, served)).map(move |event| (index, event)).boxed()
        });
        let mut events = stream::select_all(streams);
        while let Some((index, event)) = events.next().await {
            match event {
                Ok(event) => {
                    let is_news = self.mirror().note(index, &event);
                    self.0.is_complete.fetch_or(self.mirror().is_complete(watches), Ordering::Relaxed);
                    if is_news {
                        self.0.version.send_modify(|version| *version += 1);
                    }
                }
                Err(error) => tracing::warn!(%error, "watching the deployments failed, and is tried again"),
            }
        }
    }

    /// All deployments.
    pub(super) fn all(&self) -> Vec<StoredDeployment> {
        self.mirror().list(None).map(|known| known.stored.clone()).collect()
    }

    fn mirror(&self) -> MutexGuard<'_, Mirror> {
        self.0.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The API for resources in this version.
    fn api(&self, id: &DeploymentId, served: Served, version: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.0.client.clone(), id.namespace.as_str(), &served.resource_in(version))
    }

    async fn perform(&self, mutation: &Mutation, note: &ChangeNote, is_trial: bool) -> Result<DynamicObject, Failure> {
        if self.place_of(mutation.id()).is_none() {
            return Err(Failure::Store(self.not_shown(mutation.id())));
        }
        match mutation {
            Mutation::Put { id, document, precondition } => self.put(id, document, *precondition, note, is_trial).await,
            Mutation::Delete { id, precondition } => self.delete(id, *precondition, is_trial).await,
        }
    }

    /// Creates or replaces a resource. Others may write at the same time: without a precondition the last one wins.
    async fn put(
        &self,
        id: &DeploymentId,
        document: &Value,
        precondition: Precondition,
        note: &ChangeNote,
        is_trial: bool,
    ) -> Result<DynamicObject, Failure> {
        let served = Served::of(document).filter(|served| self.0.kinds.contains(served));
        let served = served.ok_or_else(|| Failure::Store(not_served(document)))?;
        self.check_name(id, served).map_err(Failure::Store)?;
        let api = self.api(id, served, version_of(document));
        let parameters = PostParams { dry_run: is_trial, field_manager: Some(MANAGER.to_owned()) };
        for _ in 0..ATTEMPTS {
            let current = api.get_opt(id.name.as_str()).await.map_err(Failure::Api)?;
            check(id, precondition, current.as_ref())?;
            let object = written(id, document, note, current.as_ref())?;
            let result = match current {
                Some(_) => api.replace(id.name.as_str(), &parameters, &object).await,
                None => api.create(&parameters, &object).await,
            };
            match result {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                result => return result.map_err(Failure::Api),
            }
        }
        Err(Failure::Store(StoreError::Conflict { id: id.clone(), actual: self.generation(id) }))
    }

    /// One name is one deployment's, of whatever kind.
    fn check_name(&self, id: &DeploymentId, served: Served) -> Result<(), StoreError> {
        let other = self.mirror().get(id).and_then(|known| Served::of(&known.stored.document));
        let Some(other) = other.filter(|other| *other != served) else { return Ok(()) };
        let reason =
            format!("there is a {} `{id}` already ({}): delete it first, or rename one", other.kind(), other.name());
        Err(StoreError::Refused { code: ErrorCode::Conflict, reason, done: Vec::new() })
    }

    async fn delete(
        &self,
        id: &DeploymentId,
        precondition: Precondition,
        is_trial: bool,
    ) -> Result<DynamicObject, Failure> {
        let served = self.mirror().get(id).and_then(|known| Served::of(&known.stored.document));
        let served = served.unwrap_or(Served::SeldonDeployment);
        let api = self.api(id, served, served.stored());
        let gone = || Failure::Store(StoreError::NotFound(id.clone()));
        let current = api.get_opt(id.name.as_str()).await.map_err(Failure::Api)?.ok_or_else(gone)?;
        check(id, precondition, Some(&current))?;
        let known = Preconditions { uid: current.uid(), resource_version: None };
        let parameters = DeleteParams { dry_run: is_trial, preconditions: Some(known), ..DeleteParams::background() };
        match api.delete(id.name.as_str(), &parameters).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Err(gone()),
            result => result.map(|_| current).map_err(Failure::Api),
        }
    }

    fn not_shown(&self, id: &DeploymentId) -> StoreError {
        let shown = self.0.namespaces.join(", ");
        let reason = format!("the namespace `{}` is not among those that are shown here: {shown}", id.namespace);
        StoreError::Refused { code: ErrorCode::Forbidden, reason, done: Vec::new() }
    }

    /// The watch that shows a resource.
    fn watch_of(&self, id: &DeploymentId, document: &Value) -> usize {
        let served = Served::of(document);
        let kind = self.0.kinds.iter().position(|kind| Some(*kind) == served).unwrap_or(0);
        kind * self.0.namespaces.len().max(1) + self.place_of(id).unwrap_or(0)
    }

    /// The place of a deployment's namespace among those that are watched; `None` where it is not.
    fn place_of(&self, id: &DeploymentId) -> Option<usize> {
        match &self.0.namespaces[..] {
            [] => Some(0),
            some => some.iter().position(|namespace| namespace == id.namespace.as_str()),
        }
    }

    fn generation(&self, id: &DeploymentId) -> u64 {
        self.mirror().get(id).map_or(0, |known| known.stored.generation)
    }

    /// Knows of a change before the watch shows it, so that who made it reads it back.
    fn note(&self, mutation: &Mutation, object: &DynamicObject) -> Option<StoredDeployment> {
        let mut mirror = self.mirror();
        let stored = match mutation {
            Mutation::Put { id, document, .. } => {
                mirror.put(self.watch_of(id, document), object);
                mirror.get(id).map(|known| known.stored.clone())
            }
            Mutation::Delete { id, .. } => {
                let before = mirror.get(id).map(|known| known.stored.clone());
                mirror.remove(id);
                before.or_else(|| super::stored::Known::of(object).map(|known| known.stored))
            }
        };
        drop(mirror);
        self.0.version.send_modify(|version| *version += 1);
        stored
    }
}

/// Why a change was not made.
enum Failure {
    Store(StoreError),
    Api(kube::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// For the user, who is told what had been written by then.
    fn told(self, mutation: &Mutation, done: &[DeploymentId]) -> StoreError {
        let id = mutation.id();
        let refused = |code, reason: String| StoreError::Refused { code, reason, done: done.to_vec() };
        match self {
            Self::Api(kube::Error::Api(status)) => match status.code {
                403 => refused(
                    ErrorCode::Forbidden,
                    format!("the cluster does not let `{id}` be changed: {}", status.message),
                ),
                404 => refused(ErrorCode::Invalid, format!("the cluster cannot take `{id}`: {}", status.message)),
                400 | 422 => {
                    refused(ErrorCode::Invalid, format!("the cluster does not take `{id}`: {}", status.message))
                }
                _ => backend(kube::Error::Api(status)),
            },
            Self::Api(error) => backend(error),
            Self::Store(error) => error,
        }
    }
}

fn backend(error: kube::Error) -> StoreError {
    StoreError::Backend { operation: "change a deployment", source: Box::new(error) }
}

fn check(id: &DeploymentId, precondition: Precondition, current: Option<&DynamicObject>) -> Result<(), StoreError> {
    let actual = current.map_or(0, generation);
    let holds = match precondition {
        Precondition::None => true,
        Precondition::Absent => current.is_none(),
        Precondition::Generation(expected) => current.is_some() && actual == expected,
    };
    if holds { Ok(()) } else { Err(StoreError::Conflict { id: id.clone(), actual }) }
}

/// The version that a manifest is written in.
fn version_of(document: &Value) -> &str {
    document["apiVersion"].as_str().and_then(|text| text.split_once('/')).map_or("", |(_, version)| version)
}

fn not_served(document: &Value) -> StoreError {
    let kind = document["kind"].as_str().unwrap_or_default();
    let reason = format!(
        "this cluster's operator is not told to take {kind}s: have an administrator set `inferenceServices` in the chart"
    );
    StoreError::Refused { code: ErrorCode::Invalid, reason, done: Vec::new() }
}

/// The resource to write: the manifest in place of what stands there. `kubectl apply` goes on to know what it applied.
fn written(
    id: &DeploymentId,
    document: &Value,
    note: &ChangeNote,
    current: Option<&DynamicObject>,
) -> Result<DynamicObject, StoreError> {
    let mut document = crate::kubernetes::as_written(document.clone());
    document["metadata"]["namespace"] = id.namespace.as_str().into();
    sign(&mut document, note);
    if let Some(applied) = current.and_then(|current| current.annotations().get(LAST_APPLIED)) {
        document["metadata"]["annotations"][LAST_APPLIED] = applied.as_str().into();
    }
    let mut object: DynamicObject = serde_json::from_value(document).map_err(|error| StoreError::Refused {
        code: ErrorCode::Invalid,
        reason: format!("metadata: {error}"),
        done: Vec::new(),
    })?;
    object.metadata.resource_version = current.and_then(|current| current.metadata.resource_version.clone());
    Ok(object)
}

#[async_trait]
impl DeploymentRepository for ClusterDeployments {
    async fn get(&self, id: &DeploymentId) -> Result<Option<StoredDeployment>, StoreError> {
        Ok(self.mirror().get(id).map(|known| known.stored.clone()))
    }

    async fn list(&self, namespace: Option<&Namespace>) -> Result<Vec<StoredDeployment>, StoreError> {
        Ok(self.mirror().list(namespace).map(|known| known.stored.clone()).collect())
    }

    /// Tries all changes before it makes any. The API server has no transactions: where one is refused all the same,
    /// the error names what was written before it.
    async fn write(&self, mutations: Vec<Mutation>, note: ChangeNote) -> Result<Vec<StoredDeployment>, StoreError> {
        if mutations.len() > 1 {
            for mutation in &mutations {
                let tried = self.perform(mutation, &note, true).await;
                tried.map_err(|failure| failure.told(mutation, &[]))?;
            }
        }
        let mut stored: Vec<StoredDeployment> = Vec::with_capacity(mutations.len());
        for mutation in &mutations {
            let done: Vec<_> = stored.iter().map(|stored| stored.id.clone()).collect();
            let object = self.perform(mutation, &note, false).await;
            let object = object.map_err(|failure| failure.told(mutation, &done))?;
            stored.extend(self.note(mutation, &object));
        }
        Ok(stored)
    }

    async fn history(&self, id: &DeploymentId, limit: u32) -> Result<Vec<Change>, StoreError> {
        let change = self.mirror().get(id).filter(|_| limit > 0).map(super::stored::Known::change);
        Ok(change.into_iter().collect())
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>, StoreError> {
        if !self.0.namespaces.is_empty() {
            return Ok(self.0.namespaces.iter().filter_map(|name| name.as_str().try_into().ok()).collect());
        }
        let api: Api<NamespaceObject> = Api::all(self.0.client.clone());
        let listed = api
            .list_metadata(&ListParams::default())
            .await
            .map_err(|error| StoreError::Backend { operation: "list the namespaces", source: Box::new(error) })?;
        Ok(listed.items.iter().filter_map(|object| object.name_any().try_into().ok()).collect())
    }

    async fn changed(&self, version: u64) -> u64 {
        let mut versions = self.0.version.subscribe();
        // The sender lives as long as this does.
        versions.wait_for(|now| *now > version).await.map_or(version, |now| *now)
    }
}

impl std::fmt::Debug for ClusterDeployments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterDeployments").field("namespaces", &self.0.namespaces).finish_non_exhaustive()
    }
}
