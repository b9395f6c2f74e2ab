//! What the resources of all kinds have: the metadata of Kubernetes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Field, Shape};
use Shape::{Annotations, Any, Object, Text, TextMap, Texts};

/// The part of Kubernetes' metadata that users write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The rows of every kind's table.
pub(super) static METADATA: [Field; 20] = [
    Field::honoured("metadata", Object, "What identifies the resource."),
    Field::honoured("metadata.name", Text, "Name of the deployment; required."),
    Field::honoured("metadata.namespace", Text, "Namespace; that of the command where it is left out, else `default`."),
    Field::honoured("metadata.labels", TextMap, "Labels, kept with the deployment."),
    Field::honoured("metadata.annotations", Annotations, "Annotations; see below."),
    Field::refused("metadata.generateName", Text, "Prefix of a generated name.", "set `metadata.name`"),
    Field::no_effect("metadata.finalizers", Texts, "What must happen before the resource is removed."),
    Field::no_effect("metadata.ownerReferences", Any, "Resources with which this one is removed."),
    Field::server_set("metadata.uid", "Identifier."),
    Field::server_set("metadata.resourceVersion", "Version of the stored resource."),
    Field::server_set("metadata.generation", "Counts the changes of the specification."),
    Field::server_set("metadata.creationTimestamp", "When it was created."),
    Field::server_set("metadata.deletionTimestamp", "When it was deleted."),
    Field::server_set("metadata.deletionGracePeriodSeconds", "Time until it is removed."),
    Field::server_set("metadata.managedFields", "Who set which field."),
    Field::server_set("metadata.selfLink", "Path of the resource."),
    Field::server_set("metadata.clusterName", "Name of the cluster."),
    Field::honoured("spec", Object, "What is desired."),
    Field::server_set("status", "What was observed."),
    Field::server_set("metadata.initializers", "Of Kubernetes before 1.14."),
];
