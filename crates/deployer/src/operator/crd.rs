//! The kind `SeldonDeployment`, as the API server must know it.

use kube::{api::ApiResource, core::GroupVersionKind};
use provost_api::crd::seldon_deployment::KIND;
use serde_json::{Value, json};

/// The group of the kind.
const GROUP: &str = "machinelearning.seldon.io";
const PLURAL: &str = "seldondeployments";
/// The version that is stored; the others have the same schema.
pub(crate) const STORED: &str = "v1";
/// The versions that are served.
pub(crate) const VERSIONS: [&str; 3] = [STORED, "v1alpha2", "v1alpha3"];

/// The kind, as a client asks for it.
pub(super) fn resource() -> ApiResource {
    resource_in(STORED)
}

/// The kind in one of its versions.
pub(crate) fn resource_in(version: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(GROUP, version, KIND), PLURAL)
}

/// The name of its definition.
pub(crate) fn name() -> String {
    format!("{PLURAL}.{GROUP}")
}

/// The `CustomResourceDefinition`. Fields are left to the operator, which knows what becomes of each: a
/// schema would drop those it does not name, and is too large for `kubectl apply`.
pub fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": name(),
            "annotations": {"helm.sh/resource-policy": "keep"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": "SeldonDeploymentList",
                "plural": PLURAL,
                "singular": "seldondeployment",
                "shortNames": ["sdep"],
                "categories": ["all"],
            },
            "versions": VERSIONS.map(version),
        },
    })
}

fn version(name: &str) -> Value {
    json!({
        "name": name,
        "served": true,
        "storage": name == STORED,
        "schema": {"openAPIV3Schema": {
            "type": "object",
            "properties": {
                "spec": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": true,
                    "properties": {"replicas": {"type": "integer", "format": "int32", "minimum": 0}},
                },
                "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            },
        }},
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
        },
        "additionalPrinterColumns": [
            column("State", ".status.state"),
            column("Ready", ".status.conditions[?(@.type==\"Ready\")].status"),
            {"name": "Replicas", "type": "integer", "jsonPath": ".status.replicas"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            {"name": "Reason", "type": "string", "jsonPath": ".status.description", "priority": 1},
        ],
    })
}

fn column(name: &str, path: &str) -> Value {
    json!({"name": name, "type": "string", "jsonPath": path})
}
