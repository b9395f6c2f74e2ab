//! The namespaces that are watched: those that are named, else all of them at once.

use futures_util::{StreamExt as _, future};
use k8s_openapi::{NamespaceResourceScope, serde::de::DeserializeOwned};
use kube::{
    Api, Client, Resource,
    runtime::{
        WatchStreamExt as _,
        reflector::{self, Store},
        watcher,
    },
};

/// Each of these namespaces, or all as one where none is given.
pub(crate) fn scopes(namespaces: &[String]) -> Vec<Option<&str>> {
    match namespaces {
        [] => vec![None],
        some => some.iter().map(String::as_str).map(Some).collect(),
    }
}

/// The resources of a kind in a namespace, or in all.
pub(crate) fn resources<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Clone + std::fmt::Debug,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// The resources of a kind in a namespace, or in all, that have a label, and what keeps them known, without what `slim` takes
/// away.
pub(crate) fn labelled<K>(
    client: &Client,
    namespace: Option<&str>,
    label: &'static str,
    slim: fn(&mut K),
) -> (Store<K>, impl Future<Output = ()> + use<K>)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + DeserializeOwned
        + Clone
        + std::fmt::Debug
        + Send
        + Sync
        + 'static,
{
    let (store, writer) = reflector::store();
    let events = watcher(resources::<K>(client, namespace), watcher::Config::default().labels(label)).default_backoff();
    let following = events.modify(slim).reflect(writer).for_each(move |event| {
        if let Err(error) = event {
            tracing::warn!(%error, kind = %K::kind(&()), label, "watching failed, and is tried again");
        }
        future::ready(())
    });
    (store, following)
}
