//! The decisions: what to make ready, where the traffic goes, what to take away.

use std::collections::BTreeSet;

use super::{
    Desired, DesiredPredictor, Observed, ObservedRevision, Plan, Readiness, Resolution, Route, State, Step, Timestamp,
    report::report,
};
use crate::RevisionId;

/// Decides the next steps. The same desired and observed state gives the same plan, and what is
/// observed after its steps were executed leads on, until nothing is left to do.
///
/// - A revision that is desired and absent, or failed and due for another attempt, is ensured.
/// - A route only ever names a revision that was observed ready, and the routes in force stay as they
///   are until everything desired is ready; so the versions before keep serving. Only where nothing
///   serves and something failed do those that are ready serve alone.
/// - A revision is retired once it is neither desired nor in a route that was observed in force.
pub fn plan(desired: &Desired, observed: &Observed, now: Timestamp) -> Plan {
    let situations: Vec<Situation<'_>> =
        desired.predictors.iter().map(|predictor| Situation::of(predictor, observed)).collect();
    let routes = next_routes(&situations, observed);
    let mut steps: Vec<Step> = situations.iter().filter_map(|situation| situation.ensure(now)).collect();
    steps.extend(routes.map(|routes| Step::Route { routes }));
    steps.extend(retirements(desired, observed));
    steps.extend(report(desired, &situations, observed).map(Step::Report));
    Plan { steps, wake_at: situations.iter().filter_map(|situation| situation.next_attempt(now)).min() }
}

/// A desired predictor and how far it has come.
#[derive(Debug)]
pub(super) struct Situation<'a> {
    pub(super) predictor: &'a DesiredPredictor,
    pub(super) revision: Option<&'a RevisionId>,
    pub(super) progress: Progress<'a>,
}

/// How far a desired predictor has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress<'a> {
    /// Its artifacts are being fetched.
    Fetching,
    /// Others that it calls are not there.
    HeldBack { state: State, reason: &'a str },
    /// Its revision is not there yet.
    Absent,
    /// Its revision is being made ready.
    Loading,
    /// Its revision can serve.
    Ready,
    /// Its artifacts could not be fetched, or its revision could not be made ready.
    Failed { reason: &'a str, retry_at: Option<Timestamp> },
}

impl<'a> Situation<'a> {
    fn of(predictor: &'a DesiredPredictor, observed: &'a Observed) -> Self {
        match &predictor.revision {
            Resolution::Pending => Self { predictor, revision: None, progress: Progress::Fetching },
            Resolution::HeldBack { revision, state, reason } => {
                Self { predictor, revision: Some(revision), progress: Progress::HeldBack { state: *state, reason } }
            }
            Resolution::Failed { reason } => {
                Self { predictor, revision: None, progress: Progress::Failed { reason, retry_at: None } }
            }
            Resolution::Resolved(revision) => Self {
                predictor,
                revision: Some(revision),
                progress: readiness(observed, &predictor.name, revision).map_or(Progress::Absent, Progress::from),
            },
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.progress == Progress::Ready
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.progress, Progress::Failed { .. } | Progress::HeldBack { state: State::Failed, .. })
    }

    fn ensure(&self, now: Timestamp) -> Option<Step> {
        let is_due = match self.progress {
            Progress::Absent => true,
            Progress::Failed { retry_at, .. } => retry_at.is_some_and(|due| due <= now),
            Progress::Fetching | Progress::HeldBack { .. } | Progress::Loading | Progress::Ready => false,
        };
        let revision = self.revision.filter(|_| is_due)?.clone();
        Some(Step::Ensure { predictor: self.predictor.name.clone(), revision })
    }

    fn next_attempt(&self, now: Timestamp) -> Option<Timestamp> {
        match self.progress {
            Progress::Failed { retry_at, .. } => retry_at.filter(|due| *due > now),
            _ => None,
        }
    }

    /// The route to this predictor, if it can serve.
    fn route(&self, weight: u32) -> Option<Route> {
        let revision = self.revision.filter(|_| self.is_ready())?.clone();
        let before = self.predictor.before.clone();
        Some(Route { predictor: self.predictor.name.clone(), revision, weight, before })
    }
}

impl<'a> From<&'a Readiness> for Progress<'a> {
    fn from(readiness: &'a Readiness) -> Self {
        match readiness {
            Readiness::Loading => Self::Loading,
            Readiness::Ready => Self::Ready,
            Readiness::Failed { reason, retry_at } => Self::Failed { reason, retry_at: *retry_at },
        }
    }
}

/// The routes as they are desired, if all can serve.
pub(super) fn desired_routes(situations: &[Situation<'_>]) -> Option<Vec<Route>> {
    situations.iter().map(|situation| situation.route(situation.predictor.weight)).collect()
}

/// Whether two lists of routes mean the same: their order does not matter.
pub(super) fn are_same(one: &[Route], other: &[Route]) -> bool {
    one.len() == other.len() && one.iter().collect::<BTreeSet<_>>() == other.iter().collect()
}

/// Whether the revision that a route names can serve.
pub(super) fn serves(route: &Route, observed: &Observed) -> bool {
    readiness(observed, &route.predictor, &route.revision) == Some(&Readiness::Ready)
}

fn readiness<'a>(observed: &'a Observed, predictor: &str, revision: &RevisionId) -> Option<&'a Readiness> {
    let is_it = |there: &&ObservedRevision| there.predictor == predictor && there.revision == *revision;
    observed.revisions.iter().find(is_it).map(|there| &there.readiness)
}

/// The routes to put in force, if they are others than those that are.
fn next_routes(situations: &[Situation<'_>], observed: &Observed) -> Option<Vec<Route>> {
    let nothing_serves = || !observed.routes.iter().any(|route| serves(route, observed));
    let routes = match desired_routes(situations) {
        None if nothing_serves() => routes_without_failed(situations)?,
        desired => desired?,
    };
    (!are_same(&routes, &observed.routes)).then_some(routes)
}

/// The routes of those that are ready, once all others have failed. With a transformer all serve or none: requests are to be
/// transformed, and answered.
fn routes_without_failed(situations: &[Situation<'_>]) -> Option<Vec<Route>> {
    let ready: Vec<_> = situations.iter().filter(|situation| situation.is_ready()).collect();
    let is_settled = situations.iter().all(|situation| situation.is_ready() || situation.has_failed());
    let has_transformer = situations.iter().any(|situation| situation.predictor.before.is_some());
    if ready.is_empty() || !is_settled || has_transformer {
        return None;
    }
    let weights: Vec<u32> = ready.iter().map(|situation| situation.predictor.weight).collect();
    Some(ready.iter().zip(normalised(&weights)).filter_map(|(situation, weight)| situation.route(weight)).collect())
}

/// Shares of 100 in the proportion of `weights`, by largest remainder; equal ones if all are 0.
fn normalised(weights: &[u32]) -> Vec<u32> {
    let all_zero = weights.iter().all(|weight| *weight == 0);
    let weights = weights.iter().map(|weight| if all_zero { 1 } else { u64::from(*weight) });
    let parts: Vec<u64> = weights.map(|weight| weight * 100).collect();
    let whole = parts.iter().sum::<u64>() / 100;
    let mut shares: Vec<u64> = parts.iter().map(|part| part / whole).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(parts[*index] % whole));
    let missing = usize::try_from(100 - shares.iter().sum::<u64>()).unwrap_or(0);
    order.iter().take(missing).for_each(|index| shares[*index] += 1);
    shares.into_iter().map(|share| u32::try_from(share).unwrap_or(100)).collect()
}

/// Retires what is neither desired nor in force. While a predictor's artifacts are being fetched, any
/// of its revisions may turn out to be the desired one.
fn retirements(desired: &Desired, observed: &Observed) -> Vec<Step> {
    let is_desired = |there: &&ObservedRevision| {
        desired.predictors.iter().filter(|predictor| predictor.name == there.predictor).any(
            |predictor| match &predictor.revision {
                Resolution::Pending => true,
                Resolution::Resolved(revision) | Resolution::HeldBack { revision, .. } => *revision == there.revision,
                Resolution::Failed { .. } => false,
            },
        )
    };
    let is_routed = |there: &&ObservedRevision| {
        observed.routes.iter().any(|route| route.predictor == there.predictor && route.revision == there.revision)
    };
    let obsolete = observed.revisions.iter().filter(|there| !is_desired(there) && !is_routed(there));
    obsolete
        .map(|there| Step::Retire { predictor: there.predictor.clone(), revision: there.revision.clone() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_100_in_the_proportion_of_the_weights() {
        assert_eq!(normalised(&[90]), [100]);
        assert_eq!(normalised(&[50, 25]), [67, 33]);
        assert_eq!(normalised(&[1, 1, 1]), [34, 33, 33]);
        assert_eq!(normalised(&[0, 0]), [50, 50]);
        assert_eq!(normalised(&[0, 5]), [0, 100]);
        assert_eq!(normalised(&[u32::MAX, u32::MAX]), [50, 50]);
    }
}
