//! What the planner must know of the cluster, from what the watches show. Pure.

use std::collections::{BTreeMap, BTreeSet};

use provost_domain::{
    RevisionId,
    plan::{Observed, ObservedRevision, Readiness, Route},
};

use super::children::{Answer, Child, Facts, Family, Kind, Rollout, RouteFacts};
use crate::kubernetes::Share;

/// The revisions that are there, and whether they serve. One that was replaced within its Deployment serves on
/// by the pods that are left of it, as long as the routes in force name it.
pub(super) fn observed(family: &Family, in_force: &[Route]) -> Observed {
    let mut revisions: Vec<ObservedRevision> = Vec::new();
    for (name, child, rollout) in rollouts(family) {
        let Some((predictor, revision)) = identity(child) else { continue };
        // One that wakes served before.
        let wakes = rollout.sleeps() && is_in_force(in_force, &predictor, &revision);
        let readiness = match readiness(family, name, rollout) {
            Readiness::Loading if wakes => Readiness::Ready,
            other => other,
        };
        match revisions.iter_mut().find(|known| known.predictor == predictor && known.revision == revision) {
            // A predictor of several Deployments is as ready as the least of them.
            Some(known) if known.readiness == Readiness::Ready => known.readiness = readiness,
            Some(_) => {}
            None => revisions.push(ObservedRevision { predictor, revision, readiness }),
        }
    }
    for route in in_force {
        let is_known =
            revisions.iter().any(|known| known.predictor == route.predictor && known.revision == route.revision);
        if !is_known && available(family, &route.predictor) > 0 {
            revisions.push(ObservedRevision {
                predictor: route.predictor.clone(),
                revision: route.revision.clone(),
                readiness: Readiness::Ready,
            });
        }
    }
    Observed { revisions, routes: in_force.to_vec(), reported: None }
}

/// The shares of the traffic by these routes: what has no pod that answers, or a transformer that has none, gets none while
/// another has some; what is desired and not routed yet is named.
pub(super) fn shares<'a>(family: &Family, routes: &[Route], desired: impl Iterator<Item = &'a str>) -> Vec<Share> {
    let answers = |route: &Route| available(family, &route.predictor) > 0;
    let is_before = |one: &Route, route: &Route| one.before.as_ref() == Some(&route.predictor);
    let is_served = |route: &Route| answers(route) && routes.iter().all(|one| !is_before(one, route) || answers(one));
    let any_served = routes.iter().any(|route| route.weight > 0 && route.before.is_none() && is_served(route));
    let share = |route: &Route| {
        let weight = if any_served && !is_served(route) { 0 } else { route.weight };
        Share { predictor: route.predictor.clone(), weight }
    };
    let mut shares: Vec<_> = routes.iter().map(share).collect();
    for name in desired {
        if !shares.iter().any(|share| share.predictor == name) {
            shares.push(Share { predictor: name.to_owned(), weight: 0 });
        }
    }
    shares
}

/// Whether every revision that the routes name can serve.
pub(super) fn all_serve(family: &Family, routes: &[Route]) -> bool {
    let is_ready = |route: &Route| {
        let mut its = of_revision(family, &route.predictor, &route.revision).peekable();
        its.peek().is_some() && its.all(|rollout| rollout.is_complete)
    };
    routes.iter().all(is_ready)
}

/// The predictors that have a Service still and no place among the shares.
pub(super) fn leaving(family: &Family, shares: &[Share]) -> BTreeSet<String> {
    let services = family.iter().filter(|((kind, _), _)| *kind == Kind::Service);
    let predictors = services.filter_map(|(_, child)| child.predictor.clone());
    predictors.filter(|name| !shares.iter().any(|share| share.predictor == *name)).collect()
}

/// What serves, as if a route had put it in force.
pub(super) fn serving(family: &Family) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for (predictor, revision) in rollouts(family).filter_map(|(_, child, _)| identity(child)) {
        let serves = of_revision(family, &predictor, &revision).all(|rollout| rollout.available > 0);
        if serves && !is_in_force(&routes, &predictor, &revision) {
            routes.push(Route { predictor, revision, weight: 1, before: None });
        }
    }
    routes
}

/// The Deployments of a revision.
fn of_revision<'a>(
    family: &'a Family,
    predictor: &'a str,
    revision: &'a RevisionId,
) -> impl Iterator<Item = &'a Rollout> {
    let is_its = move |child: &Child| identity(child).is_some_and(|(name, one)| name == predictor && one == *revision);
    rollouts(family).filter(move |(_, child, _)| is_its(child)).map(|(.., rollout)| rollout)
}

/// The Deployments.
pub(super) fn rollouts(family: &Family) -> impl Iterator<Item = (&str, &Child, &Rollout)> {
    family.iter().filter_map(|((_, name), child)| match &child.facts {
        Facts::Deployment(rollout) => Some((name.as_str(), child, rollout)),
        _ => None,
    })
}

/// The route of this name.
pub(super) fn route<'a>(family: &'a Family, name: &str) -> Option<&'a RouteFacts> {
    match &family.get(&(Kind::HttpRoute, name.to_owned()))?.facts {
        Facts::HttpRoute(route) => Some(route),
        _ => None,
    }
}

impl Rollout {
    /// Whether it may be without pods: requests are held then until there is one.
    fn sleeps(&self) -> bool {
        self.scaling.is_some_and(|scaling| scaling.min_replicas == 0)
    }
}

impl RouteFacts {
    /// Whether the gateway works by it.
    pub(super) fn is_accepted(&self) -> bool {
        self.answer == Answer::Accepted
    }
}

/// Predictor and revision of an object that serves one.
pub(super) fn identity(child: &Child) -> Option<(String, RevisionId)> {
    let revision = serde_json::from_value(child.revision.as_deref()?.into()).ok()?;
    Some((child.predictor.clone()?, revision))
}

fn is_in_force(in_force: &[Route], predictor: &str, revision: &RevisionId) -> bool {
    in_force.iter().any(|route| route.predictor == predictor && route.revision == *revision)
}

fn readiness(family: &Family, workload: &str, rollout: &Rollout) -> Readiness {
    if rollout.is_complete {
        return Readiness::Ready;
    }
    let of_pod = family.values().find_map(|child| match &child.facts {
        Facts::Pod { workload: one, trouble } if one == workload => trouble.clone(),
        _ => None,
    });
    // Kubernetes tries again by itself.
    let failed = of_pod.or_else(|| rollout.trouble.clone()).map(|reason| Readiness::Failed { reason, retry_at: None });
    failed.unwrap_or(Readiness::Loading)
}

/// How many pods of a predictor answer: of a revision as many as of the least of its Deployments.
fn available(family: &Family, predictor: &str) -> i32 {
    let mut of_revisions: BTreeMap<Option<&str>, i32> = BTreeMap::new();
    for (_, child, rollout) in rollouts(family).filter(|(_, child, _)| child.predictor.as_deref() == Some(predictor)) {
        let available = rollout.available.max(i32::from(rollout.sleeps()));
        let least = of_revisions.entry(child.revision.as_deref()).or_insert(available);
        *least = available.min(*least);
    }
    of_revisions.into_values().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(text: &str) -> RevisionId {
        RevisionId::of(text, &[])
    }

    fn deployment(
        name: &str,
        predictor: &str,
        rev: &str,
        available: i32,
        is_complete: bool,
    ) -> ((Kind, String), Child) {
        let rollout = Rollout { desired: 1, available, scaling: None, is_complete, trouble: None };
        let child = Child {
            owner: Some("1".to_owned()),
            generation: Some(1),
            predictor: Some(predictor.to_owned()),
            revision: Some(revision(rev).to_string()),
            facts: Facts::Deployment(rollout),
        };
        ((Kind::Deployment, name.to_owned()), child)
    }

    fn pod(workload: &str, trouble: Option<&str>) -> ((Kind, String), Child) {
        let facts = Facts::Pod { workload: workload.to_owned(), trouble: trouble.map(str::to_owned) };
        let child = Child { owner: None, generation: None, predictor: None, revision: None, facts };
        ((Kind::Pod, format!("{workload}-pod")), child)
    }

    fn routed(predictor: &str, rev: &str, weight: u32) -> Route {
        Route { predictor: predictor.to_owned(), revision: revision(rev), weight, before: None }
    }

    fn there(predictor: &str, rev: &str, readiness: Readiness) -> ObservedRevision {
        ObservedRevision { predictor: predictor.to_owned(), revision: revision(rev), readiness }
    }

    #[test]
    fn the_revision_before_serves_while_its_deployment_rolls() {
        let family = Family::from([deployment("a", "main", "new", 1, false)]);
        let observed = observed(&family, &[routed("main", "old", 100)]);
        let expected = [there("main", "new", Readiness::Loading), there("main", "old", Readiness::Ready)];
        assert_eq!(observed.revisions, expected);
    }

    #[test]
    fn routes_serve_once_all_that_they_name_is_complete() {
        let family = |is_complete| {
            Family::from([deployment("a", "main", "1", 1, true), deployment("b", "canary", "1", 1, is_complete)])
        };
        let routes = [routed("main", "1", 90), routed("canary", "1", 10)];
        assert!(all_serve(&family(true), &routes));
        assert!(!all_serve(&family(false), &routes));
        assert!(!all_serve(&family(true), &[routed("main", "2", 100)]));
    }

    #[test]
    fn trouble_of_a_pod_fails_its_own_deployment_alone() {
        let family = Family::from([
            deployment("a", "main", "1", 0, false),
            deployment("b", "canary", "1", 0, false),
            pod("b", Some("no such model")),
        ]);
        let failed = Readiness::Failed { reason: "no such model".to_owned(), retry_at: None };
        let expected = [there("main", "1", Readiness::Loading), there("canary", "1", failed)];
        assert_eq!(observed(&family, &[]).revisions, expected);
    }

    #[test]
    fn a_predictor_of_two_deployments_is_ready_with_both() {
        let family = Family::from([deployment("a", "main", "1", 1, true), deployment("b", "main", "1", 0, false)]);
        assert_eq!(observed(&family, &[]).revisions, [there("main", "1", Readiness::Loading)]);
    }

    #[test]
    fn a_predictor_of_two_deployments_answers_with_both() {
        let family = |available: i32| {
            Family::from([
                deployment("a", "main", "1", 2, true),
                deployment("b", "main", "1", available, available > 0),
                deployment("c", "other", "1", 1, true),
            ])
        };
        let routes = [routed("main", "1", 90), routed("other", "1", 10)];
        let weights = |family: &Family| -> Vec<u32> {
            shares(family, &routes, std::iter::empty()).iter().map(|share| share.weight).collect()
        };
        assert_eq!((weights(&family(0)), weights(&family(1))), (vec![0, 10], vec![90, 10]));
        assert_eq!((all_serve(&family(0), &routes), all_serve(&family(1), &routes)), (false, true));
        assert_eq!(serving(&family(0)), [routed("other", "1", 1)]);
        assert_eq!(serving(&family(1)), [routed("main", "1", 1), routed("other", "1", 1)]);
    }

    #[test]
    fn a_predictor_leaves_once_nothing_names_it_but_its_service() {
        let service = |name: &str, predictor: &str| {
            let child = Child { facts: Facts::Other, ..deployment("a", predictor, "1", 1, true).1 };
            ((Kind::Service, name.to_owned()), child)
        };
        let family =
            Family::from([service("a", "main"), service("b", "canary"), deployment("c", "gone", "1", 1, true)]);
        let shares = [Share { predictor: "main".to_owned(), weight: 100 }];
        assert_eq!(leaving(&family, &shares), BTreeSet::from(["canary".to_owned()]));
    }

    #[test]
    fn what_lost_its_transformer_gets_no_traffic_while_another_can_take_it() {
        let before = |route: Route, predictor: &str| Route { before: Some(predictor.to_owned()), ..route };
        let routes = [
            routed("main", "1", 90),
            routed("canary", "1", 10),
            before(routed("of-main", "1", 100), "main"),
            before(routed("of-canary", "1", 100), "canary"),
        ];
        let weights = |main: i32, canary: i32| -> Vec<u32> {
            let family = Family::from([
                deployment("a", "main", "1", 1, true),
                deployment("b", "canary", "1", 1, true),
                deployment("c", "of-main", "1", main, main > 0),
                deployment("d", "of-canary", "1", canary, canary > 0),
            ]);
            shares(&family, &routes, std::iter::empty()).iter().map(|share| share.weight).take(2).collect()
        };
        assert_eq!((weights(1, 1), weights(1, 0), weights(0, 0)), (vec![90, 10], vec![90, 0], vec![90, 10]));
    }

    #[test]
    fn what_lost_its_pods_gets_no_traffic_while_another_can_take_it() {
        let routes = [routed("main", "1", 90), routed("canary", "1", 10)];
        let weights = |available: [i32; 2]| -> Vec<u32> {
            let [main, canary] = available;
            let family = Family::from([
                deployment("a", "main", "1", main, false),
                deployment("b", "canary", "1", canary, false),
            ]);
            shares(&family, &routes, ["main", "canary", "new"].into_iter()).iter().map(|share| share.weight).collect()
        };
        assert_eq!(weights([1, 1]), [90, 10, 0]);
        assert_eq!(weights([1, 0]), [90, 0, 0]);
        assert_eq!(weights([0, 0]), [90, 10, 0]);
    }
}
