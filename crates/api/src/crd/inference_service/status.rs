//! What the status of an `InferenceService` tells of its predictors, in `KServe`'s words. Pure.

use provost_domain::plan::{PredictorReport, Report, State};
use serde_json::{Value, json};

/// Revisions and their shares, with the name of what they are of: the last predictor is the latest, the first was rolled out.
pub fn component(report: &Report, service: &str, url: &str) -> Value {
    let revision_name = |report: &PredictorReport| {
        let revision = report.revision.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{service}-{}-{revision}", report.name)
    };
    let mut component = json!({"url": url});
    let (Some(first), Some(last)) = (report.predictors.first(), report.predictors.last()) else { return component };
    component["latestCreatedRevision"] = json!(revision_name(last));
    component["latestRolledoutRevision"] = json!(revision_name(first));
    if last.state == State::Available {
        component["latestReadyRevision"] = json!(revision_name(last));
    }
    let latest = report.predictors.len() - 1;
    let traffic = report.predictors.iter().enumerate().map(|(index, predictor)| {
        let is_latest = index == latest;
        let share = json!({
            "revisionName": revision_name(predictor),
            "percent": predictor.weight,
            "latestRevision": is_latest,
        });
        if is_latest { share } else { tagged(share) }
    });
    component["traffic"] = traffic.collect();
    component
}

fn tagged(mut share: Value) -> Value {
    share["tag"] = json!("prev");
    share
}

/// How far the latest model is, and whether one serves.
pub fn model_status(report: &Report) -> Value {
    let (transition, target) = match report.state {
        State::Available => ("UpToDate", "Loaded"),
        State::Creating => ("InProgress", "Loading"),
        State::Failed => ("BlockedByFailedLoad", "FailedToLoad"),
    };
    let is_active = report.predictors.iter().any(|predictor| predictor.weight > 0);
    let mut states = json!({"targetModelState": target});
    if is_active {
        states["activeModelState"] = json!("Loaded");
    }
    let mut status = json!({"transitionStatus": transition, "states": states});
    if report.state == State::Failed {
        status["lastFailureInfo"] = json!({"reason": "ModelLoadFailed", "message": report.description});
    }
    status
}
