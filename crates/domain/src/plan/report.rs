//! What users are told: state, reasons a person can act on, and the traffic of each predictor.

use super::{
    Desired, Observed, PredictorReport, Report, State,
    decide::{Progress, Situation, are_same, desired_routes, serves},
};

/// The report to make, if it says something new. None for a deployment that was deleted, and none
/// while all is ready and only the routes are not in force yet: that passes by itself.
pub(super) fn report(desired: &Desired, situations: &[Situation<'_>], observed: &Observed) -> Option<Report> {
    let predictors: Vec<_> =
        situations.iter().map(|situation| predictor_report(desired, situation, observed)).collect();
    let is_switching = desired_routes(situations).is_some_and(|routes| !are_same(&routes, &observed.routes));
    if predictors.is_empty() || is_switching {
        return None;
    }
    let state = state_of_all(&predictors);
    let description = describe(state, &predictors, situations, observed);
    let report = Report { state, description, predictors, generation: desired.generation };
    (observed.reported.as_ref() != Some(&report)).then_some(report)
}

fn predictor_report(desired: &Desired, situation: &Situation<'_>, observed: &Observed) -> PredictorReport {
    let name = &situation.predictor.name;
    let routes = observed.routes.iter().filter(|route| route.predictor == *name);
    let (state, reason) = match situation.progress {
        Progress::Ready => (State::Available, None),
        Progress::Failed { reason, .. } => (State::Failed, Some(reason.to_owned())),
        Progress::HeldBack { state, reason } => (state, (state == State::Failed).then(|| reason.to_owned())),
        Progress::Fetching | Progress::Absent | Progress::Loading => told_before(desired, situation, observed),
    };
    PredictorReport {
        name: name.clone(),
        revision: situation.revision.cloned(),
        state,
        reason,
        weight: routes.map(|route| route.weight).sum(),
    }
}

/// The state of a predictor that is on its way: still Failed while what failed is tried again, so that
/// the report does not change with each attempt.
fn told_before(desired: &Desired, situation: &Situation<'_>, observed: &Observed) -> (State, Option<String>) {
    let reported = observed.reported.as_ref().filter(|report| report.generation == desired.generation);
    let failed = reported.and_then(|report| {
        report.predictors.iter().find(|predictor| {
            predictor.name == situation.predictor.name
                && predictor.revision.as_ref() == situation.revision
                && predictor.state == State::Failed
        })
    });
    failed.map_or((State::Creating, None), |predictor| (State::Failed, predictor.reason.clone()))
}

fn state_of_all(predictors: &[PredictorReport]) -> State {
    let any = |state| predictors.iter().any(|predictor| predictor.state == state);
    match (any(State::Failed), any(State::Creating)) {
        (true, _) => State::Failed,
        (false, true) => State::Creating,
        (false, false) => State::Available,
    }
}

fn describe(state: State, predictors: &[PredictorReport], situations: &[Situation<'_>], observed: &Observed) -> String {
    let mut sentences: Vec<String> = match state {
        State::Available => return String::new(),
        State::Creating => situations.iter().filter_map(waiting_for).collect(),
        State::Failed => predictors.iter().filter_map(failure).collect(),
    };
    sentences.extend(meanwhile(situations, observed).map(str::to_owned));
    sentences.join("; ")
}

fn waiting_for(situation: &Situation<'_>) -> Option<String> {
    let name = &situation.predictor.name;
    match situation.progress {
        Progress::Fetching => Some(format!("fetching the model of predictor `{name}`")),
        Progress::HeldBack { reason, .. } => Some(format!("predictor `{name}`: {reason}")),
        Progress::Absent | Progress::Loading => Some(format!("loading the model of predictor `{name}`")),
        Progress::Ready | Progress::Failed { .. } => None,
    }
}

fn failure(predictor: &PredictorReport) -> Option<String> {
    predictor.reason.as_ref().map(|reason| format!("predictor `{}`: {reason}", predictor.name))
}

/// Who serves while not everything desired is ready.
fn meanwhile(situations: &[Situation<'_>], observed: &Observed) -> Option<&'static str> {
    let serving: Vec<_> = observed.routes.iter().filter(|route| serves(route, observed)).collect();
    let is_desired = |predictor: &str, revision| {
        situations.iter().any(|situation| situation.predictor.name == predictor && situation.revision == Some(revision))
    };
    let all_desired = serving.iter().all(|route| is_desired(&route.predictor, &route.revision));
    match (serving.is_empty(), all_desired) {
        (true, _) => None,
        // What is held back may itself be what serves.
        (false, true) if situations.iter().any(|one| matches!(one.progress, Progress::HeldBack { .. })) => None,
        (false, true) => Some("the other predictors keep serving"),
        (false, false) => Some("the version before keeps serving"),
    }
}
