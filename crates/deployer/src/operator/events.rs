//! Events of a deployment, for `kubectl describe`: that it became available, and why it failed.

use kube::{
    Resource as _,
    api::DynamicObject,
    runtime::events::{Event, EventType, Recorder},
};
use serde_json::Value;

use super::{
    crd::Served,
    words::{AVAILABLE, FAILED},
};

/// Longest note that the API server takes, in bytes.
const NOTE_MAX: usize = 1024;

/// Tells of a state that was just written, if it is one to tell of and new.
pub(super) async fn tell(
    recorder: &Recorder,
    served: Served,
    object: &DynamicObject,
    status: &Value,
) -> Result<(), kube::Error> {
    match event(&object.data["status"], status) {
        Some(event) => recorder.publish(&event, &object.object_ref(&served.resource())).await,
        None => Ok(()),
    }
}

fn event(before: &Value, now: &Value) -> Option<Event> {
    let is_same = before["state"] == now["state"] && before["description"] == now["description"];
    let state = now["state"].as_str().filter(|_| !is_same)?;
    let (type_, note) = match state {
        AVAILABLE => (EventType::Normal, "every predictor serves"),
        FAILED => (EventType::Warning, now["description"].as_str().unwrap_or_default()),
        _ => return None,
    };
    let note = note[..note.floor_char_boundary(NOTE_MAX)].to_owned();
    Some(Event { type_, reason: state.to_owned(), note: Some(note), action: "Reconcile".to_owned(), secondary: None })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reason(before: Value, now: Value) -> Option<String> {
        event(&before, &now).map(|event| event.reason)
    }

    #[test]
    fn only_the_ends_of_a_change_are_told() {
        let creating = json!({"state": "Creating", "description": "loading"});
        let available = json!({"state": "Available", "description": ""});
        let failed = json!({"state": "Failed", "description": "no such model"});
        assert_eq!(reason(Value::Null, creating.clone()), None);
        assert_eq!(reason(creating.clone(), available.clone()).as_deref(), Some("Available"));
        assert_eq!(reason(available.clone(), available), None);
        assert_eq!(reason(creating, failed.clone()).as_deref(), Some("Failed"));
        assert_eq!(reason(failed, json!({"state": "Failed", "description": "no bucket"})).as_deref(), Some("Failed"));
    }

    #[test]
    fn a_note_is_no_longer_than_is_taken() {
        let long = json!({"state": "Failed", "description": "ä".repeat(NOTE_MAX)});
        assert!(event(&Value::Null, &long).and_then(|event| event.note).is_some_and(|note| note.len() <= NOTE_MAX));
    }
}
