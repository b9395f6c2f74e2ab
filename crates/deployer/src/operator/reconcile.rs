//! One deployment, from what its user wrote to what the cluster runs: the planner decides, this does.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use kube::{
    ResourceExt as _,
    api::DynamicObject,
    runtime::{controller::Action, reflector::ObjectRef},
};
use provost_api::crd::inference_service::{ROLLED_OUT_ANNOTATION, rollout};
use provost_domain::{
    RevisionId,
    plan::{Plan, Report, Route, State, Step, Timestamp, plan},
};
use serde_json::Value;

use crate::kubernetes::{Decided, SCALING_ANNOTATION, Share, host_route};

use super::{
    Context, Memo, Memory,
    accounts::{self, Read},
    applied::Applied,
    apply::{self, Others},
    children::{Answer, Child, Family, Key, Kind, RouteFacts},
    claims::Place,
    crd::Served,
    desired::{Asked, Desired, hash_of},
    events,
    observed::{self, identity},
    resources,
    status::{self, Observation},
    words::{CREATING, FAILED},
};

/// How long a gateway may take to follow a route: what the route no longer names stays so long.
const SETTLE: Duration = Duration::from_secs(3);
/// How long until a service account or a Secret that was not there is looked for again.
const READ_AGAIN: Duration = Duration::from_secs(30);
/// Codes by which the API server refuses an object for what it says, or for what another of its name says.
const REFUSALS: [u16; 4] = [400, 403, CONFLICT, 422];
const CONFLICT: u16 = 409;
/// Who is to reconcile a deployment.
const CONTROLLER_LABEL: &str = "seldon.io/controller-id";

/// Reconciling failed for a reason that may pass.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {source}")]
pub(super) struct ReconcileError {
    operation: &'static str,
    #[source]
    source: Box<kube::Error>,
    /// How many times in a row.
    pub(super) attempt: u32,
}

/// What was tried, and what came of it.
pub(super) type Failed = (&'static str, kube::Error);

/// Why a resource is not made so as it is.
#[derive(Debug)]
pub(super) struct Unmet {
    /// The state that its user is told.
    pub(super) state: &'static str,
    /// All reasons.
    pub(super) reasons: Vec<String>,
}

impl Unmet {
    fn failed(reasons: Vec<String>) -> Self {
        Self { state: FAILED, reasons }
    }
}

/// Reconciles one deployment.
pub(super) async fn reconcile(object: Arc<DynamicObject>, context: Arc<Context>) -> Result<Action, ReconcileError> {
    let key = ObjectRef::from_obj_with(object.as_ref(), context.served.resource());
    if object.metadata.deletion_timestamp.is_some() || !is_own(&object, context.options.controller_id.as_deref()) {
        context.memories().remove(&key);
        return Ok(Action::await_change());
    }
    context.children.listed().await;
    context.claims.listed().await;
    let mut memory = context.memories().remove(&key).unwrap_or_default();
    let started = Instant::now();
    let result = Pass::of(&object, &context).run(&mut memory).await;
    context.figures.count(result.is_ok(), started.elapsed());
    memory.errors = if result.is_ok() { 0 } else { memory.errors + 1 };
    let attempt = memory.errors;
    context.memories().insert(key, memory);
    result.map_err(|(operation, source)| ReconcileError { operation, source: Box::new(source), attempt })
}

/// One look at a deployment, and what is done upon it.
struct Pass<'a> {
    object: &'a DynamicObject,
    context: &'a Context,
    namespace: String,
    family: Family,
}

impl<'a> Pass<'a> {
    fn of(object: &'a DynamicObject, context: &'a Context) -> Self {
        let namespace = object.namespace().unwrap_or_default();
        let uid = object.uid().unwrap_or_default();
        let family = context.children.of(&(namespace.clone(), object.name_any()), &uid);
        Self { object, context, namespace, family }
    }

    /// Makes the deployment so. What the API server refuses is its user's to know; it is tried again all the same, since
    /// a quota may be raised.
    async fn run(&self, memory: &mut Memory) -> Result<Action, Failed> {
        let result = self.make_so(memory).await;
        if let Err((_, kube::Error::Api(answer))) = &result
            && REFUSALS.contains(&answer.code)
        {
            let generation = self.object.metadata.generation.unwrap_or(0);
            let refused = Unmet::failed(vec![answer.message.clone()]);
            self.report(status::refused(&self.family, generation, &refused)).await?;
        }
        result
    }

    async fn make_so(&self, memory: &mut Memory) -> Result<Action, Failed> {
        let key = (self.namespace.clone(), self.object.name_any());
        if let Some(other) = self.context.claims.other(self.context.served, &key) {
            let generation = self.object.metadata.generation.unwrap_or(0);
            let taken = Unmet::failed(vec![name_taken(other, &key)]);
            self.report(status::refused(&self.family, generation, &taken)).await?;
            return Ok(Action::await_change());
        }
        if self.restore_rolled_out().await? {
            return Ok(Action::await_change());
        }
        let settings = &self.context.options.settings;
        let desired = match self.desired(memory).await? {
            Ok(desired) => desired,
            Err(unmet) => {
                let generation = self.object.metadata.generation.unwrap_or(0);
                self.report(status::refused(&self.family, generation, &unmet)).await?;
                return Ok(Action::await_change());
            }
        };
        self.follow_gateway(memory);
        let mut plan = self.plan(&desired, memory);
        self.ensure(&desired, memory).await?;
        self.route(&desired, &plan, memory).await?;
        if settings.gateway.is_none() && is_route_planned(&plan) {
            // It is in force by now, and nothing else would tell.
            plan = self.plan(&desired, memory);
        }
        let is_clean = self.retire(&desired, &plan, memory).await?;
        let is_told = self.tell(&desired, &plan, memory).await?;
        Ok(if is_clean && is_told { next_look(memory) } else { Action::requeue(SETTLE) })
    }

    /// Notes the routes that the gateway works by. Without a gateway, those that were decided are in force; an
    /// operator that has just started takes what serves for that.
    fn follow_gateway(&self, memory: &mut Memory) {
        let has_gateway = self.context.options.settings.gateway.is_some();
        match observed::route(&self.family, &self.object.name_any()) {
            Some(route) if route.is_accepted() && self.is_in_force(route, memory) => {
                memory.in_force.clone_from(&route.routes);
            }
            None if !has_gateway && memory.in_force.is_empty() => memory.in_force = observed::serving(&self.family),
            _ => {}
        }
    }

    /// Whether the gateway's work by a route changes anything: not while all that it names is being made.
    fn is_in_force(&self, route: &RouteFacts, memory: &Memory) -> bool {
        !route.is_first || memory.in_force == route.routes || observed::all_serve(&self.family, &route.routes)
    }

    /// What the resource asks for, or all that is wrong with it. Nothing is read again while its user changes nothing,
    /// unless something was not there.
    async fn desired(&self, memory: &mut Memory) -> Result<Result<Arc<Desired>, Unmet>, Failed> {
        let written = resources::hash_of(self.object);
        let catalog = self.context.options.servers.current();
        let is_there = |(name, address): (&String, &String)| self.place(name) == Place::At(address.clone());
        let is_same = |memo: &Memo| {
            memo.written == written && Arc::ptr_eq(&memo.catalog, &catalog) && memo.read.addresses.iter().all(is_there)
        };
        let known = memory.desired.take().filter(is_same);
        let known = match known {
            Some(memo) if memo.stale.is_none_or(|stale| Instant::now() < stale) => {
                return Ok(Ok(Arc::clone(&memory.desired.insert(memo).desired)));
            }
            known => known,
        };
        let asked = match Asked::of(self.object, &catalog) {
            Ok(asked) => asked,
            Err(reasons) => return Ok(Err(Unmet::failed(reasons))),
        };
        let addresses = match self.addresses(&asked) {
            Ok(addresses) => addresses,
            Err(unmet) => return Ok(Err(unmet)),
        };
        let read = Read { addresses, ..self.read_accounts(&asked).await? };
        let stale = read.is_missing.then(|| Instant::now() + READ_AGAIN);
        let same = known.filter(|memo| memo.read == read).map(|memo| Ok(memo.desired));
        let build = || Desired::with_accounts(asked, &self.context.options.settings, read.clone()).map(Arc::new);
        let desired = same.unwrap_or_else(build);
        memory.desired = desired.as_ref().ok().cloned().map(|desired| Memo { written, catalog, read, stale, desired });
        Ok(desired.map_err(Unmet::failed))
    }

    /// Where a deployment of the namespace is called.
    fn place(&self, name: &str) -> Place {
        self.context.claims.place(&(self.namespace.clone(), name.to_owned()))
    }

    /// Where the deployments that it calls are, or which is not there yet.
    fn addresses(&self, asked: &Asked) -> Result<BTreeMap<String, String>, Unmet> {
        let mut addresses = BTreeMap::new();
        let mut unmet = Unmet { state: CREATING, reasons: Vec::new() };
        for (name, path) in asked.services() {
            match self.place(name) {
                Place::At(address) => {
                    addresses.insert(name.to_owned(), address);
                }
                Place::Awaited => unmet.reasons.push(format!("{path}: waiting for the deployment `{name}`")),
                Place::Nowhere => {
                    unmet.state = FAILED;
                    unmet.reasons.push(format!("{path}: there is no deployment `{name}` in the namespace: apply one"));
                }
            }
        }
        if unmet.reasons.is_empty() { Ok(addresses) } else { Err(unmet) }
    }

    /// Reads the service accounts that pods are made with; asks nothing where none is needed.
    async fn read_accounts(&self, asked: &Asked) -> Result<Read, Failed> {
        let needed = asked.accounts_needed();
        if !self.context.options.reads_account_secrets {
            return Ok(accounts::none(&needed));
        }
        let read = accounts::read(&self.context.client, &self.namespace, &needed).await;
        read.map_err(|error| ("reading a service account and its Secrets", error))
    }

    fn plan(&self, desired: &Desired, memory: &Memory) -> Plan {
        let mut seen = observed::observed(&self.family, &memory.in_force);
        seen.reported.clone_from(&memory.reported);
        plan(&desired.plan(), &seen, now())
    }

    /// Applies the objects, unless they are known to be there as they should be: what the plan asks for and was
    /// applied is on its way.
    async fn ensure(&self, desired: &Desired, memory: &mut Memory) -> Result<(), Failed> {
        if memory.objects == Some(desired.hash) && !memory.applied.is_touched_by_others(&self.family) {
            return Ok(());
        }
        memory.objects = None;
        memory.applied = Applied::default();
        let objects = desired.objects(&self.context.options.settings);
        for object in &objects {
            self.hand_over_replicas(desired, object).await?;
            let generation = self.apply(object).await?;
            memory.applied.add(object, generation);
        }
        memory.objects = Some(desired.hash);
        Ok(())
    }

    /// Keeps the number of a Deployment's pods when an autoscaler comes to decide it: a field that nobody manages any
    /// more would be reset.
    async fn hand_over_replicas(&self, desired: &Desired, object: &Value) -> Result<(), Failed> {
        let (kind, name) = (&object["kind"], object["metadata"]["name"].as_str().unwrap_or_default());
        let is_scaled = |kind: Kind| self.family.contains_key(&(kind, name.to_owned()));
        let found = observed::rollouts(&self.family).find(|(one, ..)| *one == name && kind == "Deployment");
        let Some((.., rollout)) = found else { return Ok(()) };
        let by_requests =
            object["metadata"]["annotations"].get(SCALING_ANNOTATION).is_some() && rollout.scaling.is_none();
        let by_use = desired.wants("HorizontalPodAutoscaler", name) && !is_scaled(Kind::HorizontalPodAutoscaler);
        if !by_requests && !by_use {
            return Ok(());
        }
        let kept = apply::keep_replicas(&self.context.client, &self.namespace, name, rollout.desired).await;
        kept.map_err(|error| ("handing a Deployment over to its autoscaler", error))
    }

    /// Puts the routes of the plan in force, else keeps those that are. What is to follow is named before it gets
    /// traffic and what leaves is named a while longer: gateways learn of routes and of backends in any order.
    async fn route(&self, desired: &Desired, plan: &Plan, memory: &mut Memory) -> Result<(), Failed> {
        let planned = plan.steps.iter().find_map(|step| match step {
            Step::Route { routes } => Some(routes),
            _ => None,
        });
        let routes = planned.cloned().unwrap_or_else(|| self.kept_routes(desired, memory));
        let mut shares = observed::shares(&self.family, &routes, desired.predictors());
        let fading = self.fading(&shares, memory);
        shares.extend(fading.iter().map(|predictor| Share { predictor: predictor.clone(), weight: 0 }));
        let first = self.first_routes(desired, memory).filter(|first| *first == routes);
        let decided = Decided { routes: &routes, is_first: first.is_some() };
        let made = desired.routes(&self.context.options.settings, decided, &shares);
        if made.is_empty() {
            if memory.in_force != routes {
                (memory.in_force, memory.routed) = (routes, Some(Instant::now()));
            }
            return Ok(());
        }
        let hash = hash_of(&made);
        if memory.route == Some(hash) && !memory.applied_route.is_touched_by_others(&self.family) {
            return Ok(());
        }
        memory.applied_route = Applied::default();
        for route in &made {
            let generation = self.apply(route).await?;
            memory.applied_route.add(route, generation);
        }
        if made.len() == 1 {
            self.remove_host_route().await?;
        }
        (memory.route, memory.routed, memory.fading) = (Some(hash), Some(Instant::now()), fading);
        memory.first = first;
        Ok(())
    }

    /// Removes the route by hosts, where there was one.
    async fn remove_host_route(&self) -> Result<(), Failed> {
        let name = host_route(&self.object.name_any());
        if !self.family.contains_key(&(Kind::HttpRoute, name.clone())) {
            return Ok(());
        }
        let deleted = apply::delete(&self.context.client, &self.namespace, &Kind::HttpRoute.types(), &name).await;
        deleted.map_err(|error| ("removing the route by hosts", error))
    }

    /// The routes to go on with where the plan says nothing of them: those in force, else the first.
    fn kept_routes(&self, desired: &Desired, memory: &Memory) -> Vec<Route> {
        if memory.in_force.is_empty() {
            return self.first_routes(desired, memory).unwrap_or_default();
        }
        memory.in_force.clone()
    }

    /// The routes that a deployment begins with: a predictor alone is routed to before it serves, as nothing else could,
    /// so that the gateway knows it by then, and the route is written once. They stay as they are until others are
    /// decided.
    fn first_routes(&self, desired: &Desired, memory: &Memory) -> Option<Vec<Route>> {
        let known = observed::route(&self.family, &self.object.name_any()).filter(|route| route.is_first);
        let known = memory.first.clone().or_else(|| known.map(|route| route.routes.clone()));
        let is_new = memory.in_force.is_empty() && self.context.options.settings.gateway.is_some();
        let new = desired.only_route().filter(|_| is_new).map(|route| vec![route]);
        new.or(known)
    }

    /// The predictors that the route is to name though they get nothing: those that leave, until the gateway has
    /// followed the route in which that was so.
    fn fading(&self, shares: &[Share], memory: &mut Memory) -> BTreeSet<String> {
        let leaving = observed::leaving(&self.family, shares);
        if self.is_settled(memory) {
            memory.left.append(&mut memory.fading);
        }
        memory.left.retain(|predictor| leaving.contains(predictor));
        leaving.difference(&memory.left).cloned().collect()
    }

    async fn apply(&self, object: &Value) -> Result<Option<i64>, Failed> {
        let others = if self.family.iter().any(|((kind, name), _)| is_it(*kind, name, object)) {
            Others::Overridden
        } else {
            Others::Left
        };
        let applied = apply::apply(&self.context.client, &self.namespace, object, others).await;
        applied.map_err(|error| ("applying an object", told_whose(error, object)))
    }

    /// Removes what is neither desired nor in force; gives whether nothing waits for the gateway to follow.
    async fn retire(&self, desired: &Desired, plan: &Plan, memory: &Memory) -> Result<bool, Failed> {
        let obsolete = obsolete(&self.family, desired, plan, &memory.in_force);
        if obsolete.is_empty() {
            return Ok(true);
        }
        if !self.is_settled(memory) {
            return Ok(false);
        }
        for (kind, name) in obsolete {
            let deleted = apply::delete(&self.context.client, &self.namespace, &kind.types(), name).await;
            deleted.map_err(|error| ("removing an object", error))?;
        }
        Ok(true)
    }

    /// Whether the gateway has had the time to follow the route as it is; without one, those who follow the status.
    fn is_settled(&self, memory: &Memory) -> bool {
        let is_settled = |routed: Instant| routed.elapsed() >= SETTLE;
        if self.context.options.settings.gateway.is_none() {
            return memory.routed.is_none_or(is_settled);
        }
        let is_accepted = observed::route(&self.family, &self.object.name_any()).is_some_and(RouteFacts::is_accepted);
        is_accepted && memory.routed.is_some_and(is_settled)
    }

    /// Tells users how it stands; gives whether that was told. What passes by itself within moments is not: that the
    /// objects just applied do not show yet, or that the gateway has not answered yet.
    async fn tell(&self, desired: &Desired, plan: &Plan, memory: &mut Memory) -> Result<bool, Failed> {
        let report = plan.steps.iter().find_map(|step| match step {
            Step::Report(report) => Some(report),
            _ => None,
        });
        memory.reported = report.or(memory.reported.as_ref()).cloned();
        let answer = observed::route(&self.family, &self.object.name_any()).map(|route| &route.answer);
        let is_awaited = is_route_planned(plan)
            && !matches!(answer, Some(Answer::Rejected(_)))
            && memory.routed.is_some_and(|routed| routed.elapsed() < SETTLE);
        if is_awaited || !desired.shows_in(&self.family) {
            return Ok(false);
        }
        let mut status = status::observed(&Observation {
            namespace: &self.namespace,
            desired,
            family: &self.family,
            report: memory.reported.as_ref().filter(|_| report.is_some() || !is_route_planned(plan)),
            in_force: &memory.in_force,
            answer,
            settings: &self.context.options.settings,
        });
        if let Some(remembered) = desired.remembered.as_ref().filter(|_| is_available(memory, desired)) {
            status[rollout::STATUS] = remembered.as_str().into();
        }
        self.report(status).await?;
        self.keep_rolled_out(desired, memory).await.map(|()| true)
    }

    /// Keeps what a predictor that has all of the traffic asks for, so that the next one can share it.
    async fn keep_rolled_out(&self, desired: &Desired, memory: &Memory) -> Result<(), Failed> {
        let Some(predictor) = desired.rolled_out.as_ref().filter(|_| is_available(memory, desired)) else {
            return Ok(());
        };
        let annotation = (ROLLED_OUT_ANNOTATION, predictor.as_str());
        let kept = apply::annotate(&self.context.client, self.context.served, self.object, annotation).await;
        kept.map_err(|error| ("keeping what was rolled out", error))
    }

    /// Sets the annotation that somebody took away who replaced the resource; gives whether that was so.
    async fn restore_rolled_out(&self) -> Result<bool, Failed> {
        let annotations = self.object.metadata.annotations.clone().unwrap_or_default();
        let document = serde_json::json!({
            "kind": self.context.served.kind(),
            "metadata": {"annotations": annotations},
            "spec": self.object.data["spec"],
            "status": self.object.data["status"],
        });
        let Some(lost) = rollout::lost(&document) else { return Ok(false) };
        let annotation = (ROLLED_OUT_ANNOTATION, lost);
        let kept = apply::annotate(&self.context.client, self.context.served, self.object, annotation).await;
        kept.map_err(|error| ("keeping what was rolled out", error)).map(|()| true)
    }

    /// Writes the status, unless it is there already.
    async fn report(&self, status: Value) -> Result<(), Failed> {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let before = &self.object.data["status"];
        let mut status = status::with_times(status, before, &now);
        for kept in [status::PREDICTORS, rollout::STATUS] {
            if let Some(known) = before.get(kept)
                && status.get(kept).is_none()
            {
                status[kept] = known.clone();
            }
        }
        if *before == status {
            return Ok(());
        }
        let written = apply::set_status(&self.context.client, self.context.served, self.object, &status).await;
        written.map_err(|error| ("writing the status", error))?;
        let told = events::tell(&self.context.recorder, self.context.served, self.object, &status).await;
        told.map_err(|error| ("writing an event", error))
    }
}

fn name_taken(by: Served, (namespace, name): &Key) -> String {
    let kind = by.kind();
    format!(
        "metadata.name: there is an older {kind} `{name}` in the namespace `{namespace}`, after which the same objects are \
         named: delete it ({}), or rename this one",
        by.name()
    )
}

/// Whether the resource as it was last applied is said to serve.
fn is_available(memory: &Memory, desired: &Desired) -> bool {
    let is_it = |report: &Report| {
        report.state == State::Available && i64::try_from(report.generation) == Ok(desired.generation)
    };
    memory.reported.as_ref().is_some_and(is_it)
}

/// When to look again though nothing changes: when what was not there may be.
fn next_look(memory: &Memory) -> Action {
    let stale = memory.desired.as_ref().and_then(|memo| memo.stale);
    stale.map_or_else(Action::await_change, |stale| Action::requeue(stale.saturating_duration_since(Instant::now())))
}

fn is_it(kind: Kind, name: &str, object: &Value) -> bool {
    object["kind"] == kind.types().kind.as_str() && object["metadata"]["name"] == name
}

/// Tells of an object that is there and somebody else's what to do about it.
fn told_whose(error: kube::Error, object: &Value) -> kube::Error {
    match error {
        kube::Error::Api(mut answer) if answer.code == CONFLICT => {
            let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
            let [kind, name] = [kind, name].map(|text| text.as_str().unwrap_or_default());
            answer.message = format!(
                "there is a {kind} `{name}` already that is not this deployment's: remove it, or rename the deployment or \
                 its predictor ({})",
                answer.message
            );
            kube::Error::Api(answer)
        }
        other => other,
    }
}

fn is_route_planned(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(step, Step::Route { .. }))
}

/// Unwanted objects that serve no revision that is in force.
fn obsolete<'a>(family: &'a Family, desired: &Desired, plan: &Plan, in_force: &[Route]) -> Vec<(Kind, &'a str)> {
    let is_retired = |predictor: &str, revision: &RevisionId| {
        plan.steps.iter().any(|step| {
            matches!(step, Step::Retire { predictor: one, revision: other } if one == predictor && other == revision)
        })
    };
    let is_obsolete = |kind: Kind, name: &str, child: &Child| {
        if matches!(kind, Kind::Pod | Kind::HttpRoute) || desired.wants(&kind.types().kind, name) {
            return false;
        }
        let Some((predictor, revision)) = identity(child) else { return true };
        match kind {
            Kind::Deployment => is_retired(&predictor, &revision),
            // One that the revision in force was made without is as unwanted as one that serves none.
            _ => {
                !in_force.iter().any(|route| route.predictor == predictor && route.revision == revision)
                    || desired.revision(&predictor) == Some(&revision)
            }
        }
    };
    let obsolete = family.iter().filter(|((kind, name), child)| is_obsolete(*kind, name, child));
    obsolete.map(|((kind, name), _)| (*kind, name.as_str())).collect()
}

/// Whether the resource is this operator's to reconcile.
pub(super) fn is_own(object: &DynamicObject, controller: Option<&str>) -> bool {
    object.labels().get(CONTROLLER_LABEL).map(String::as_str) == controller
}

fn now() -> Timestamp {
    Timestamp::from_millis(u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0))
}
