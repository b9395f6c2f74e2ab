//! Objects of which only what is read is parsed: a large part of an object's text is who manages its fields.

use std::{borrow::Cow, collections::BTreeMap, fmt::Debug};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{
    Resource,
    api::ApiResource,
    core::{DynamicResourceScope, ObjectMeta as Metadata},
};
use serde::{Deserialize, Deserializer};

/// An object that is watched.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Watched<S, T> {
    #[serde(deserialize_with = "metadata")]
    pub(super) metadata: ObjectMeta,
    #[serde(default)]
    pub(super) spec: S,
    #[serde(default)]
    pub(super) status: T,
}

/// An object of which only the metadata is asked for.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct MetadataOnly {
    #[serde(deserialize_with = "metadata")]
    pub(super) metadata: ObjectMeta,
}

/// What is read of the metadata.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Read {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<OwnerReference>>,
}

fn metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let Read { name, namespace, uid, resource_version, generation, labels, annotations, owner_references } =
        Read::deserialize(deserializer)?;
    Ok(Metadata {
        name,
        namespace,
        uid,
        resource_version,
        generation,
        labels,
        annotations,
        owner_references,
        ..Metadata::default()
    })
}

impl<S, T> Resource for Watched<S, T> {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(kind: &ApiResource) -> Cow<'_, str> {
        kind.kind.as_str().into()
    }

    fn group(kind: &ApiResource) -> Cow<'_, str> {
        kind.group.as_str().into()
    }

    fn version(kind: &ApiResource) -> Cow<'_, str> {
        kind.version.as_str().into()
    }

    fn plural(kind: &ApiResource) -> Cow<'_, str> {
        kind.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl Resource for MetadataOnly {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(kind: &ApiResource) -> Cow<'_, str> {
        kind.kind.as_str().into()
    }

    fn group(kind: &ApiResource) -> Cow<'_, str> {
        kind.group.as_str().into()
    }

    fn version(kind: &ApiResource) -> Cow<'_, str> {
        kind.version.as_str().into()
    }

    fn plural(kind: &ApiResource) -> Cow<'_, str> {
        kind.plural.as_str().into()
    }

    fn metadata_api() -> bool {
        true
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use kube::core::NotUsed;
    use serde_json::json;

    use super::*;

    #[test]
    fn who_manages_fields_is_left_out() {
        let object = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": "iris-main", "namespace": "models", "resourceVersion": "7", "generation": 2,
                "labels": {"a": "b"},
                "ownerReferences": [{"apiVersion": "v1", "kind": "SeldonDeployment", "name": "iris", "uid": "1"}],
                "managedFields": [{"manager": "provost", "fieldsV1": {"f:spec": {"f:ports": {}}}}],
            },
            "spec": {"clusterIP": "10.0.0.1"},
        });
        let watched: Watched<NotUsed, NotUsed> = serde_json::from_value(object.clone()).unwrap();
        assert_eq!(watched.metadata.name.as_deref(), Some("iris-main"));
        assert_eq!(watched.metadata.resource_version.as_deref(), Some("7"));
        assert_eq!(watched.metadata.managed_fields, None);
        let metadata: MetadataOnly = serde_json::from_value(object).unwrap();
        assert_eq!(metadata.metadata, watched.metadata);
    }
}
