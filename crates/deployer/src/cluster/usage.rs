//! What deployments use and are asked, from what their pods tell. Pure, but for the lock.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use provost_api::figures::Figures;
use provost_domain::{
    DeploymentId,
    plan::Timestamp,
    port::{
        traffic::{TrafficPoint, TrafficView},
        workloads::UsagePoint,
    },
};

/// How long points are kept, in milliseconds.
const KEPT: u64 = 3_600_000;

/// What a pod told when it was asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) deployment: DeploymentId,
    pub(super) predictor: String,
    /// Tells pods apart; another after a container was started again.
    pub(super) instance: String,
    pub(super) is_ready: bool,
    /// `None` where it did not answer.
    pub(super) figures: Option<Figures>,
}

/// Recent usage and traffic of all deployments of a cluster, for an hour.
#[derive(Debug, Default)]
pub struct UsageHistory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When the pods were asked last.
    asked: Option<Timestamp>,
    /// What each pod told last.
    last: HashMap<String, Figures>,
    usage: BTreeMap<DeploymentId, VecDeque<UsagePoint>>,
    traffic: BTreeMap<DeploymentId, VecDeque<TrafficPoint>>,
}

impl UsageHistory {
    /// The time by its own clock at which a pod told last, to ask it for what came since.
    pub(super) fn told(&self, instance: &str) -> Option<Timestamp> {
        self.state().last.get(instance).map(|figures| figures.time)
    }

    /// Adds what the pods told when they were asked at `now`: all of them, so that those not named are gone.
    pub(super) fn add(&self, now: Timestamp, samples: Vec<Sample>) {
        let state = &mut *self.state();
        let interval = state.asked.map_or(0, |asked| now.as_millis().saturating_sub(asked.as_millis()));
        let mut totals: BTreeMap<(DeploymentId, String), Total> = BTreeMap::new();
        let mut last = HashMap::with_capacity(samples.len());
        for sample in samples {
            let total = totals.entry((sample.deployment, sample.predictor)).or_default();
            total.instances += 1;
            total.ready += u32::from(sample.is_ready);
            let before = state.last.remove(&sample.instance);
            match sample.figures {
                Some(figures) => {
                    total.add(before.as_ref(), &figures);
                    last.insert(sample.instance, figures);
                }
                // It may answer the next time.
                None => drop(before.map(|before| last.insert(sample.instance, before))),
            }
        }
        for ((deployment, predictor), total) in totals {
            let (usage, traffic) = total.points(now, interval, predictor);
            state.usage.entry(deployment.clone()).or_default().push_back(usage);
            state.traffic.entry(deployment).or_default().extend(traffic.filter(|_| interval > 0));
        }
        (state.last, state.asked) = (last, Some(now));
        let oldest = Timestamp::from_millis(now.as_millis().saturating_sub(KEPT));
        forget(&mut state.usage, |point| point.time >= oldest);
        forget(&mut state.traffic, |point| point.time >= oldest);
    }

    /// What a deployment used since then, oldest first.
    pub(super) fn points(&self, id: &DeploymentId, since: Timestamp) -> Vec<UsagePoint> {
        let state = self.state();
        let points = state.usage.get(id).into_iter().flatten();
        points.filter(|point| point.time >= since).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TrafficView for UsageHistory {
    fn points(&self, id: &DeploymentId, since: Timestamp) -> Vec<TrafficPoint> {
        let state = self.state();
        let points = state.traffic.get(id).into_iter().flatten();
        points.filter(|point| point.time >= since).cloned().collect()
    }
}

fn forget<T>(all: &mut BTreeMap<DeploymentId, VecDeque<T>>, is_kept: impl Fn(&T) -> bool) {
    for points in all.values_mut() {
        while points.front().is_some_and(|point| !is_kept(point)) {
            points.pop_front();
        }
    }
    all.retain(|_, points| !points.is_empty());
}

/// What the pods of a predictor told together.
#[derive(Debug, Default)]
struct Total {
    instances: u32,
    ready: u32,
    cpu: Option<f64>,
    memory: Option<u64>,
    traffic: Option<TrafficPoint>,
}

impl Total {
    fn add(&mut self, before: Option<&Figures>, figures: &Figures) {
        if let Some(cpu) = before.and_then(|before| busy(before, figures)) {
            self.cpu = Some(self.cpu.unwrap_or(0.0) + cpu);
        }
        if let Some(memory) = figures.memory {
            self.memory = Some(self.memory.unwrap_or(0) + memory);
        }
        figures.traffic.iter().for_each(|point| self.add_traffic(point));
    }

    /// Requests add up; of latencies the highest is told, that of the slowest pod.
    fn add_traffic(&mut self, point: &TrafficPoint) {
        let Some(total) = &mut self.traffic else {
            self.traffic = Some(point.clone());
            return;
        };
        total.requests += point.requests;
        total.client_errors += point.client_errors;
        total.server_errors += point.server_errors;
        total.p50 = total.p50.max(point.p50);
        total.p95 = total.p95.max(point.p95);
        total.p99 = total.p99.max(point.p99);
    }

    fn points(
        self,
        time: Timestamp,
        interval: u64,
        predictor: String,
    ) -> (UsagePoint, impl Iterator<Item = TrafficPoint>) {
        let Self { instances, ready, cpu, memory, traffic } = self;
        let traffic = traffic.map(|point| TrafficPoint { time, interval, predictor: predictor.clone(), ..point });
        (UsagePoint { time, predictor, instances, ready, cpu, memory }, traffic.into_iter())
    }
}

/// Processors that were busy between two moments; `None` where that cannot be told.
#[expect(clippy::cast_precision_loss, reason = "milliseconds are far below 2^53")]
fn busy(before: &Figures, now: &Figures) -> Option<f64> {
    let millis = now.time.as_millis().checked_sub(before.time.as_millis()).filter(|millis| *millis > 0)?;
    let seconds = now.cpu_seconds? - before.cpu_seconds?;
    (seconds >= 0.0).then(|| seconds * 1000.0 / millis as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> DeploymentId {
        DeploymentId { namespace: "models".try_into().unwrap(), name: "iris".try_into().unwrap() }
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn point(requests: u64, p99: Option<u64>) -> TrafficPoint {
        TrafficPoint {
            time: at(0),
            interval: 2000,
            predictor: "main".to_owned(),
            requests,
            client_errors: 1,
            server_errors: 0,
            p50: p99,
            p95: p99,
            p99,
        }
    }

    fn sample(instance: &str, time: u64, cpu: f64, traffic: Vec<TrafficPoint>) -> Sample {
        let figures = Figures { time: at(time), cpu_seconds: Some(cpu), memory: Some(100), traffic };
        Sample {
            deployment: id(),
            predictor: "main".to_owned(),
            instance: instance.to_owned(),
            is_ready: instance == "a",
            figures: Some(figures),
        }
    }

    #[test]
    fn pods_of_a_predictor_add_up() {
        let history = UsageHistory::default();
        history.add(at(10_000), vec![sample("a", 9_000, 1.0, vec![]), sample("b", 10_500, 5.0, vec![])]);
        history.add(
            at(15_000),
            vec![
                sample("a", 14_000, 3.5, vec![point(10, Some(400)), point(20, Some(900))]),
                sample("b", 15_500, 5.5, vec![point(5, Some(700))]),
            ],
        );
        let usage = history.points(&id(), at(15_000));
        let expected = UsagePoint {
            time: at(15_000),
            predictor: "main".to_owned(),
            instances: 2,
            ready: 1,
            cpu: Some(0.6),
            memory: Some(200),
        };
        assert_eq!(usage, [expected]);
        let traffic = TrafficView::points(&history, &id(), at(0));
        let expected = TrafficPoint { time: at(15_000), interval: 5000, client_errors: 3, ..point(35, Some(900)) };
        assert_eq!(traffic, [expected]);
    }

    #[test]
    fn a_pod_that_does_not_answer_is_there_all_the_same() {
        let history = UsageHistory::default();
        history.add(at(0), vec![sample("a", 0, 1.0, vec![])]);
        history.add(at(5000), vec![Sample { figures: None, ..sample("a", 0, 0.0, vec![]) }]);
        history.add(at(10_000), vec![sample("a", 10_000, 2.0, vec![])]);
        let cpu: Vec<_> = history.points(&id(), at(0)).iter().map(|point| (point.instances, point.cpu)).collect();
        assert_eq!(cpu, [(1, None), (1, None), (1, Some(0.1))]);
        assert_eq!(history.told("a"), Some(at(10_000)));
    }

    #[test]
    fn a_clock_that_steps_back_and_a_counter_that_starts_again_tell_nothing() {
        let history = UsageHistory::default();
        history.add(at(0), vec![sample("a", 5000, 9.0, vec![])]);
        history.add(at(1000), vec![sample("a", 4000, 9.5, vec![])]);
        history.add(at(2000), vec![sample("a", 5000, 0.5, vec![])]);
        assert!(history.points(&id(), at(0)).iter().all(|point| point.cpu.is_none()));
    }

    #[test]
    fn what_is_an_hour_old_is_forgotten_and_so_is_a_pod_that_is_gone() {
        let history = UsageHistory::default();
        history.add(at(0), vec![sample("a", 0, 1.0, vec![])]);
        history.add(at(KEPT + 1), vec![]);
        assert!(history.points(&id(), at(0)).is_empty());
        assert_eq!(history.told("a"), None);
    }
}
