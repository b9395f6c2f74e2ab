//! A resource of the cluster as the control plane knows deployments. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::{ResourceExt as _, api::DynamicObject};
use provost_domain::{
    DeploymentId,
    plan::{PredictorReport, Report, State, Timestamp},
    port::deployments::{Change, ChangeNote, StoredDeployment},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    kubernetes::{LAST_APPLIED, as_written},
    operator::words,
};

/// Who manages what users change by the control plane.
pub(super) const MANAGER: &str = "provost-control-plane";
/// The annotation that tells who made the last change by the control plane, and why.
const CHANGE: &str = "provost.dev/change";

/// A deployment, and the last change of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) stored: StoredDeployment,
    author: String,
    message: Option<String>,
}

/// What the annotation tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    author: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Known {
    /// Reads a resource; `None` for one whose name no deployment can have.
    pub(super) fn of(object: &DynamicObject) -> Option<Self> {
        let namespace = object.namespace()?.try_into().ok()?;
        let id = DeploymentId { namespace, name: object.name_any().try_into().ok()? };
        let created =
            object.metadata.creation_timestamp.as_ref().map_or_else(Timestamp::default, |time| moment(time.0));
        let last = last_write(object);
        let (author, message) = told(object, last);
        let mut document = as_written(serde_json::to_value(object).ok()?);
        take_annotations(&mut document);
        let stored = StoredDeployment {
            id,
            document,
            generation: generation(object),
            created,
            updated: last.and_then(|entry| entry.time.as_ref()).map_or(created, |time| moment(time.0)),
            artifacts: Vec::new(),
            report: report(&object.data["status"]),
            before: None,
        };
        Some(Self { stored, author, message })
    }

    /// The last change: those before it are not the API server's to tell.
    pub(super) fn change(&self) -> Change {
        Change {
            position: self.stored.generation,
            id: self.stored.id.clone(),
            generation: self.stored.generation,
            document: Some(self.stored.document.clone()),
            note: ChangeNote { author: self.author.clone(), message: self.message.clone(), time: self.stored.updated },
        }
    }
}

/// The generation of a resource.
pub(super) fn generation(object: &DynamicObject) -> u64 {
    object.metadata.generation.and_then(|generation| u64::try_from(generation).ok()).unwrap_or(0)
}

/// Writes down on a manifest who changes it, and why.
pub(super) fn sign(document: &mut Value, note: &ChangeNote) {
    let said = Said { author: note.author.clone(), message: note.message.clone() };
    let annotations = &mut document["metadata"]["annotations"];
    if !annotations.is_object() {
        *annotations = json!({});
    }
    annotations[CHANGE] = json!(json!(said).to_string());
}

/// Who changed the resource last: who the annotation names if it is of that change, else the program that did.
fn told(object: &DynamicObject, last: Option<&ManagedFieldsEntry>) -> (String, Option<String>) {
    let manager = last.and_then(|entry| entry.manager.clone()).unwrap_or_else(|| "unknown".to_owned());
    let said = object.annotations().get(CHANGE).filter(|_| manager == MANAGER);
    match said.and_then(|text| serde_json::from_str::<Said>(text).ok()) {
        Some(Said { author, message }) => (author, message),
        None => (manager, None),
    }
}

/// The last write of a user.
fn last_write(object: &DynamicObject) -> Option<&ManagedFieldsEntry> {
    let entries = object.metadata.managed_fields.iter().flatten();
    entries
        .filter(|entry| entry.subresource.as_deref() != Some("status"))
        .max_by_key(|entry| entry.time.as_ref().map(|time| time.0))
}

fn take_annotations(document: &mut Value) {
    let Some(metadata) = document["metadata"].as_object_mut() else { return };
    let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else { return };
    annotations.retain(|name, _| name != LAST_APPLIED && name != CHANGE);
    if annotations.is_empty() {
        metadata.shift_remove("annotations");
    }
}

fn moment(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_millis(u64::try_from(time.as_millisecond()).unwrap_or(0))
}

/// What the operator wrote into the status; `None` where there is nothing yet.
fn report(status: &Value) -> Option<Report> {
    Some(Report {
        state: words::state(status["state"].as_str()?)?,
        description: status["description"].as_str().unwrap_or_default().to_owned(),
        predictors: status["predictors"].as_array().into_iter().flatten().filter_map(predictor).collect(),
        generation: status["observedGeneration"].as_u64().unwrap_or(0),
    })
}

fn predictor(status: &Value) -> Option<PredictorReport> {
    Some(PredictorReport {
        name: status["name"].as_str()?.to_owned(),
        revision: serde_json::from_value(status["revision"].clone()).ok(),
        state: status["state"].as_str().and_then(words::state).unwrap_or(State::Creating),
        reason: status["reason"].as_str().map(str::to_owned),
        weight: status["weight"].as_u64().and_then(|weight| u32::try_from(weight).ok()).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(managers: Value, annotations: Value) -> DynamicObject {
        let value = json!({
            "apiVersion": "machinelearning.seldon.io/v1",
            "kind": "SeldonDeployment",
            "metadata": {
                "name": "iris", "namespace": "models", "generation": 4, "uid": "1", "resourceVersion": "77",
                "creationTimestamp": "2026-01-01T00:00:00Z", "annotations": annotations, "managedFields": managers,
            },
            "spec": {"predictors": [{"name": "main"}]},
            "status": {
                "state": "Failed", "description": "no such model", "observedGeneration": 4,
                "predictors": [{"name": "main", "state": "Failed", "reason": "no such model", "weight": 100}],
            },
        });
        serde_json::from_value(value).unwrap()
    }

    fn entry(manager: &str, time: &str, subresource: Option<&str>) -> Value {
        json!({"manager": manager, "operation": "Update", "time": time, "subresource": subresource})
    }

    #[test]
    fn a_resource_is_a_deployment_without_what_the_api_server_adds() {
        let known = Known::of(&object(json!([]), json!({LAST_APPLIED: "{}"}))).unwrap();
        let expected = json!({
            "apiVersion": "machinelearning.seldon.io/v1",
            "kind": "SeldonDeployment",
            "metadata": {"name": "iris", "namespace": "models"},
            "spec": {"predictors": [{"name": "main"}]},
        });
        assert_eq!(known.stored.document, expected);
        assert_eq!(
            (known.stored.generation, known.stored.created, known.stored.updated.as_millis()),
            (4, known.stored.updated, 1_767_225_600_000)
        );
        let report = known.stored.report.unwrap();
        assert_eq!((report.state, report.generation, report.description.as_str()), (State::Failed, 4, "no such model"));
        assert_eq!((report.predictors[0].weight, report.predictors[0].reason.as_deref()), (100, Some("no such model")));
    }

    #[test]
    fn the_author_is_who_said_so_as_long_as_nobody_else_wrote_since() {
        let note = ChangeNote {
            author: "ada".to_owned(),
            message: Some("a better model".to_owned()),
            time: Timestamp::default(),
        };
        let mut signed = json!({"metadata": {}});
        sign(&mut signed, &note);
        let annotations = signed["metadata"]["annotations"].clone();
        let ours = entry(MANAGER, "2026-01-02T00:00:00Z", None);
        let operators = entry("provost", "2026-01-09T00:00:00Z", Some("status"));
        let change = Known::of(&object(json!([ours, operators]), annotations.clone())).unwrap().change();
        assert_eq!((change.note.author.as_str(), change.note.message.as_deref()), ("ada", Some("a better model")));
        assert_eq!(change.note.time.as_millis(), 1_767_312_000_000);
        let later = entry("kubectl-client-side-apply", "2026-01-03T00:00:00Z", None);
        let change = Known::of(&object(json!([ours, later, operators]), annotations)).unwrap().change();
        assert_eq!((change.note.author.as_str(), change.note.message), ("kubectl-client-side-apply", None));
        assert_eq!(change.document.unwrap()["metadata"].get("annotations"), None);
    }
}
