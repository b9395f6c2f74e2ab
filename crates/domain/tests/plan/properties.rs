//! Random histories: changes of mind, loads that end either way, crashes. Whatever happens, the
//! invariants hold after every plan; and once nothing more happens, everything settles.

use proptest::prelude::*;
use provost_domain::{
    RevisionId,
    plan::{DesiredPredictor, Observed, Readiness, Resolution, State, Step, Timestamp},
};

use crate::world::World;

/// Something that happens.
#[derive(Debug, Clone)]
enum Event {
    /// The desired predictors become these.
    Desire(Vec<DesiredPredictor>),
    /// What is being fetched was fetched.
    Fetched,
    /// A revision that loads becomes ready or fails.
    Loaded(prop::sample::Index),
    /// A revision that is ready fails.
    Crashed(prop::sample::Index),
    /// Time passes.
    Pass(u64),
    /// A plan is made and executed.
    Plan,
}

/// How the revisions end that exist in these histories: the last always fails.
const REVISIONS: [(&str, bool); 4] = [("r1", true), ("r2", true), ("r3", true), ("bad", false)];
const NAMES: [&str; 3] = ["a", "b", "c"];

fn desired_predictors() -> impl Strategy<Value = Vec<DesiredPredictor>> {
    let resolution = prop_oneof![
        6 => (0..REVISIONS.len()).prop_map(|index| Resolution::Resolved(RevisionId::from(REVISIONS[index].0))),
        2 => Just(Resolution::Pending),
        1 => Just(Resolution::Failed { reason: "no file".to_owned() }),
        1 => Just(Resolution::HeldBack {
            revision: RevisionId::from("r2"),
            state: State::Failed,
            reason: "no service".to_owned(),
        }),
    ];
    let predictors = prop::collection::vec((resolution, 0_u32..50), 0..=NAMES.len());
    predictors.prop_map(|predictors| {
        let rest: u32 = predictors.iter().skip(1).map(|(_, weight)| weight).sum();
        let weight = |index: usize, weight: u32| if index == 0 { 100 - rest } else { weight };
        let named = predictors.into_iter().enumerate();
        named
            .map(|(index, (revision, share))| DesiredPredictor {
                name: NAMES[index].to_owned(),
                weight: weight(index, share),
                revision,
                before: None,
            })
            .collect()
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => desired_predictors().prop_map(Event::Desire),
        1 => Just(Event::Fetched),
        4 => any::<prop::sample::Index>().prop_map(Event::Loaded),
        1 => any::<prop::sample::Index>().prop_map(Event::Crashed),
        1 => (1_u64..5000).prop_map(Event::Pass),
        6 => Just(Event::Plan),
    ]
}

/// A world under observation.
#[derive(Default)]
struct History {
    world: World,
    /// Whether the deployment was available since it was created.
    was_available: bool,
}

impl History {
    fn happen(&mut self, event: Event) {
        match event {
            Event::Desire(predictors) => {
                self.world.desired.generation += 1;
                self.world.desired.predictors = predictors;
            }
            Event::Fetched => self.finish_fetching(),
            Event::Loaded(index) => self.finish_loading(Some(index)),
            Event::Crashed(index) => self.crash(index),
            Event::Pass(millis) => self.world.now += millis,
            Event::Plan => {
                self.plan();
            }
        }
    }

    fn finish_fetching(&mut self) {
        for predictor in &mut self.world.desired.predictors {
            if predictor.revision == Resolution::Pending {
                predictor.revision = Resolution::Resolved(RevisionId::from("r1"));
            }
        }
    }

    /// Ends one load, or all.
    fn finish_loading(&mut self, which: Option<prop::sample::Index>) {
        let now = self.world.now;
        let mut loading: Vec<_> =
            self.world.observed.revisions.iter_mut().filter(|there| there.readiness == Readiness::Loading).collect();
        let chosen = match which {
            Some(index) if !loading.is_empty() => {
                vec![loading.swap_remove(index.index(loading.len()))]
            }
            Some(_) => Vec::new(),
            None => loading,
        };
        for there in chosen {
            let ends_well = REVISIONS.iter().any(|(name, good)| *good && *name == there.revision.as_str());
            let retry_at = now.is_multiple_of(2).then(|| Timestamp::from_millis(now + 1000));
            let failed = Readiness::Failed { reason: "bad model".to_owned(), retry_at };
            there.readiness = if ends_well { Readiness::Ready } else { failed };
        }
    }

    fn crash(&mut self, index: prop::sample::Index) {
        let retry_at = Some(Timestamp::from_millis(self.world.now + 500));
        let mut ready: Vec<_> =
            self.world.observed.revisions.iter_mut().filter(|there| there.readiness == Readiness::Ready).collect();
        if !ready.is_empty() {
            let there = ready.swap_remove(index.index(ready.len()));
            there.readiness = Readiness::Failed { reason: "crashed".to_owned(), retry_at };
        }
    }

    /// Plans, checks what must always hold, and executes. Answers whether there was anything to do.
    fn plan(&mut self) -> bool {
        let plan = self.world.plan();
        assert_eq!(plan, self.world.plan(), "the same state gives the same plan");
        assert!(plan.wake_at.is_none_or(|moment| moment.as_millis() > self.world.now), "wakes in the past");
        let before = self.world.observed.clone();
        let is_idle = plan.steps.is_empty();
        plan.steps.iter().for_each(|step| check_step(step, &before, self.world.now));
        self.world.execute(plan.steps);
        self.check_availability(&before);
        !is_idle
    }

    fn check_availability(&mut self, before: &Observed) {
        let World { desired, observed, .. } = &self.world;
        if desired.predictors.is_empty() {
            self.was_available = false;
        } else {
            assert!(!self.was_available || !observed.routes.is_empty(), "no routes after {before:?}");
            self.was_available |= observed.reported.as_ref().is_some_and(|report| report.state == State::Available);
        }
    }

    /// Lets everything end that has begun.
    fn settle(&mut self) {
        self.finish_fetching();
        for _ in 0..40 {
            let was_busy = self.plan();
            let is_loading = self.world.observed.revisions.iter().any(|there| there.readiness == Readiness::Loading);
            self.finish_loading(None);
            // An odd time: what fails now fails for good.
            self.world.now = (self.world.now + 2000) | 1;
            if !was_busy && !is_loading && self.world.plan().steps.is_empty() {
                return;
            }
        }
        panic!("does not settle: {:?}", self.world);
    }
}

fn check_step(step: &Step, before: &Observed, now: u64) {
    match step {
        Step::Route { routes } => {
            for route in routes {
                assert!(
                    readiness(before, &route.predictor, &route.revision) == Some(&Readiness::Ready),
                    "{route:?} is not ready"
                );
            }
            let total: u32 = routes.iter().map(|route| route.weight).sum();
            assert!(total == 100 || routes.is_empty(), "{routes:?} sum to {total}");
        }
        Step::Retire { predictor, revision } => {
            let is_routed =
                |route: &provost_domain::plan::Route| route.predictor == *predictor && route.revision == *revision;
            assert!(!before.routes.iter().any(is_routed), "retires {predictor}@{revision}, which has traffic");
        }
        Step::Report(report) => assert_ne!(before.reported.as_ref(), Some(report), "reports what is known"),
        Step::Ensure { predictor, revision } => {
            let is_due = |moment: &Option<Timestamp>| moment.is_some_and(|moment| moment.as_millis() <= now);
            match readiness(before, predictor, revision) {
                None => {}
                Some(Readiness::Failed { retry_at, .. }) if is_due(retry_at) => {}
                other => panic!("ensures {predictor}@{revision}, which is {other:?}"),
            }
        }
    }
}

fn readiness<'a>(observed: &'a Observed, predictor: &str, revision: &RevisionId) -> Option<&'a Readiness> {
    let is_it =
        |there: &&provost_domain::plan::ObservedRevision| there.predictor == predictor && there.revision == *revision;
    observed.revisions.iter().find(is_it).map(|there| &there.readiness)
}

/// What must hold once nothing happens any more.
fn check_settled(world: &World) {
    let World { desired, observed, .. } = world;
    let loads = |predictor: &DesiredPredictor| match &predictor.revision {
        Resolution::Resolved(revision) => revision.as_str() != "bad",
        _ => false,
    };
    if desired.predictors.is_empty() {
        assert_eq!((observed.routes.len(), observed.revisions.len()), (0, 0), "{world:?}");
        return;
    }
    let state = observed.reported.as_ref().map(|report| report.state);
    if desired.predictors.iter().all(loads) {
        assert_eq!(state, Some(State::Available), "{world:?}");
        assert_eq!(observed.routes.len(), desired.predictors.len(), "{world:?}");
        assert_eq!(observed.revisions.len(), desired.predictors.len(), "{world:?}");
    } else {
        assert_eq!(state, Some(State::Failed), "{world:?}");
        assert!(
            desired.predictors.iter().all(|predictor| !loads(predictor)) || !observed.routes.is_empty(),
            "{world:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn whatever_happens_traffic_goes_to_ready_revisions_and_everything_settles(
        events in prop::collection::vec(event(), 0..60)
    ) {
        let mut history = History::default();
        for event in events {
            history.happen(event);
        }
        history.settle();
        check_settled(&history.world);
        prop_assert!(!history.plan(), "a plan applied to its own result is empty");
    }
}
