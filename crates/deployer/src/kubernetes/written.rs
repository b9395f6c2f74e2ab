//! A manifest as its user wrote it, from what the API server made of it.

use provost_api::{crd::seldon_deployment, manifest::keep_written};
use serde_json::{Value, json};

/// The document as its user wrote it.
pub(crate) fn as_written(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.entry("kind").or_insert_with(|| json!(seldon_deployment::KIND));
        fields.entry("apiVersion").or_insert_with(|| json!(seldon_deployment::API_VERSIONS[0]));
    }
    keep_written(&mut document);
    document
}
