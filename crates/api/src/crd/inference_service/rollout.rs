//! What `canaryTrafficPercent` shares the traffic with: the predictor that had all of it before, with what stood beside it.
//! `KServe` knows it as revisions of Knative's; here the document carries it in an annotation that the server sets whenever
//! one is applied.

use serde_json::{Value, json};

use super::{BESIDE, KIND, LEGACY_VERSION, ROLLED_OUT_ANNOTATION};

/// Sets the annotation of a document that is applied over another, or removes it; leaves other kinds alone.
pub fn carry(document: &mut Value, before: Option<&Value>) {
    if document["kind"] != KIND || document["apiVersion"] == LEGACY_VERSION {
        return;
    }
    let rolled_out = before.filter(|_| is_sharing(document)).and_then(rolled_out);
    let rolled_out = rolled_out.filter(|before| *before != revision(&document["spec"]));
    let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    match rolled_out {
        Some(predictor) => {
            let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
            if let Some(annotations) = annotations.as_object_mut() {
                annotations.insert(ROLLED_OUT_ANNOTATION.to_owned(), json!(predictor.to_string()));
            }
        }
        None => {
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove(ROLLED_OUT_ANNOTATION);
            }
        }
    }
}

/// What is to be kept of a document once its predictor serves with all of the traffic, where that is not kept yet.
pub fn to_keep(document: &Value) -> Option<String> {
    if is_sharing(document) {
        return None;
    }
    let kept = document["metadata"]["annotations"][ROLLED_OUT_ANNOTATION].as_str();
    let kept: Option<Value> = kept.and_then(|text| serde_json::from_str(text).ok());
    rolled_out(document).filter(|predictor| kept.as_ref() != Some(predictor)).map(|predictor| predictor.to_string())
}

/// The field of a status on a cluster that keeps it too: whoever replaces a resource takes its annotations away.
pub const STATUS: &str = "rolledOutPredictor";

/// What is to be kept in the status of a document whose predictor serves with all of the traffic.
pub fn to_remember(document: &Value) -> Option<String> {
    rolled_out(document).filter(|_| !is_sharing(document)).map(|predictor| predictor.to_string())
}

/// The annotation that a resource has lost: its status still has it, and its document shares the traffic.
pub fn lost(document: &Value) -> Option<&str> {
    let is_there = document["metadata"]["annotations"].get(ROLLED_OUT_ANNOTATION).is_some();
    let known = document["status"][STATUS].as_str().filter(|_| !is_there && is_sharing(document))?;
    let is_other = serde_json::from_str::<Value>(known).ok()? != revision(&document["spec"]);
    is_other.then_some(known)
}

/// What of a specification has its share of the traffic together: the predictor, or an object that holds it and what stands
/// beside it.
pub(super) fn revision(spec: &Value) -> Value {
    let predictor = plain(&spec["predictor"]);
    let beside: Vec<_> = BESIDE.into_iter().filter_map(|name| Some((name, spec.get(name)?))).collect();
    if beside.is_empty() || !predictor.is_object() {
        return predictor;
    }
    let mut revision = json!({"predictor": predictor});
    beside.into_iter().for_each(|(name, written)| revision[name] = written.clone());
    revision
}

/// The parts of a specification that a revision holds: the predictor, and what stands beside it.
pub(crate) fn parts(revision: Value) -> Value {
    if revision["predictor"].is_object() { revision } else { json!({"predictor": revision}) }
}

/// Puts a revision back in the place of another.
pub(crate) fn put_back(spec: &mut Value, revision: Value) {
    let mut parts = parts(revision);
    for name in ["predictor"].into_iter().chain(BESIDE) {
        match (parts[name].take(), spec.as_object_mut()) {
            (Value::Null, Some(fields)) => drop(fields.shift_remove(name)),
            (part, _) => spec[name] = part,
        }
    }
}

/// A predictor without its share.
fn plain(predictor: &Value) -> Value {
    let mut predictor = predictor.clone();
    if let Some(fields) = predictor.as_object_mut() {
        fields.remove("canaryTrafficPercent");
    }
    predictor
}

/// Whether a document gives its predictor less than all of the traffic.
fn is_sharing(document: &Value) -> bool {
    document["spec"]["predictor"]["canaryTrafficPercent"].as_i64().is_some_and(|percent| percent < 100)
}

/// The predictor of a document that has all of the traffic, or had before the document shared it.
fn rolled_out(document: &Value) -> Option<Value> {
    if document["kind"] != KIND || document["apiVersion"] == LEGACY_VERSION {
        return None;
    }
    let known = document["metadata"]["annotations"][ROLLED_OUT_ANNOTATION].as_str().filter(|_| is_sharing(document));
    match known {
        Some(text) => serde_json::from_str(text).ok(),
        None => Some(revision(&document["spec"])).filter(Value::is_object),
    }
}
