//! The namespaces that are watched: those that are named, else all of them at once.

use k8s_openapi::{NamespaceResourceScope, serde::de::DeserializeOwned};
use kube::{Api, Client, Resource};

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
