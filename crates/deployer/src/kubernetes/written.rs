//! A manifest as its user wrote it, from what the API server made of it.

use provost_api::crd::seldon_deployment;
use serde_json::{Value, json};

/// What is kept of a resource's metadata: the rest is the API server's.
const KEPT: [&str; 4] = ["name", "namespace", "labels", "annotations"];

/// The document as its user wrote it.
pub(crate) fn as_written(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("status");
        fields.entry("kind").or_insert_with(|| json!(seldon_deployment::KIND));
        fields.entry("apiVersion").or_insert_with(|| json!(seldon_deployment::API_VERSIONS[0]));
    }
    if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| KEPT.contains(&name.as_str()));
    }
    document
}
