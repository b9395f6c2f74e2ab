//! A world that executes plans: what an engine is, without anything slow.

use provost_domain::{
    RevisionId,
    plan::{Desired, Observed, ObservedRevision, Plan, Readiness, Report, Route, Step, Timestamp, plan},
};

/// A deployment and everything there is of it.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) desired: Desired,
    pub(crate) observed: Observed,
    pub(crate) now: u64,
}

impl World {
    /// Plans without executing.
    pub(crate) fn plan(&self) -> Plan {
        plan(&self.desired, &self.observed, Timestamp::from_millis(self.now))
    }

    /// Executes the steps: what is ensured starts loading, all else happens at once.
    pub(crate) fn execute(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Ensure { predictor, revision } => self.set(&predictor, &revision, Readiness::Loading),
                Step::Route { routes } => self.observed.routes = routes,
                Step::Retire { predictor, revision } => self.remove(&predictor, &revision),
                Step::Report(report) => self.observed.reported = Some(report),
            }
        }
    }

    /// Sets the readiness of a revision, which may be new.
    pub(crate) fn set(&mut self, predictor: &str, revision: &RevisionId, readiness: Readiness) {
        let is_it = |there: &&mut ObservedRevision| there.predictor == predictor && there.revision == *revision;
        match self.observed.revisions.iter_mut().find(is_it) {
            Some(there) => there.readiness = readiness,
            None => self.observed.revisions.push(ObservedRevision {
                predictor: predictor.to_owned(),
                revision: revision.clone(),
                readiness,
            }),
        }
    }

    /// Takes a revision away.
    pub(crate) fn remove(&mut self, predictor: &str, revision: &RevisionId) {
        self.observed.revisions.retain(|there| there.predictor != predictor || there.revision != *revision);
    }
}

/// A step as a line of text.
pub(crate) fn step_line(step: &Step) -> String {
    match step {
        Step::Ensure { predictor, revision } => format!("ensure {predictor}@{revision}"),
        Step::Route { routes } if routes.is_empty() => "route nothing".to_owned(),
        Step::Route { routes } => format!("route {}", routes.iter().map(route_word).collect::<Vec<_>>().join(" ")),
        Step::Retire { predictor, revision } => format!("retire {predictor}@{revision}"),
        Step::Report(report) => report_line(report),
    }
}

fn route_word(route: &Route) -> String {
    format!("{}@{}={}", route.predictor, route.revision, route.weight)
}

fn report_line(report: &Report) -> String {
    let predictors = report.predictors.iter().map(|predictor| {
        let revision = predictor.revision.as_ref().map_or("?", RevisionId::as_str);
        format!("{}@{revision} {:?} {}%", predictor.name, predictor.state, predictor.weight)
    });
    let predictors: Vec<_> = predictors.collect();
    let colon = if report.description.is_empty() { "" } else { ": " };
    let Report { state, description, generation, .. } = report;
    format!("report #{generation} {state:?}{colon}{description} [{}]", predictors.join(", "))
}
