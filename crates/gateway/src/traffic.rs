//! Recent traffic: the difference of two snapshots, kept for an hour.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use hdrhistogram::Histogram;
use provost_domain::{
    DeploymentId,
    plan::Timestamp,
    port::traffic::{TrafficPoint, TrafficView},
};

use crate::{
    feedback::FEEDBACK_PATH,
    metrics::{SeriesKey, Snapshot},
};

/// How long points are kept, in milliseconds.
const KEPT: u64 = 3_600_000;

/// Points of all deployments.
#[derive(Debug, Default)]
pub struct TrafficHistory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<(Timestamp, Snapshot)>,
    points: BTreeMap<(String, String), VecDeque<TrafficPoint>>,
}

impl TrafficHistory {
    /// Adds what happened between the snapshot before and this one. Deployments without requests in
    /// the interval get a point as long as they had some before.
    pub fn add(&self, now: Timestamp, snapshot: Snapshot) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, last)) = state.last.take() {
            let interval = now.as_millis().saturating_sub(before.as_millis());
            for ((key, predictor), total) in totals(&snapshot, &last) {
                let points = state.points.entry(key).or_default();
                points.push_back(total.point(now, interval, predictor));
            }
        }
        let oldest = now.as_millis().saturating_sub(KEPT);
        for points in state.points.values_mut() {
            while points.front().is_some_and(|point| point.time.as_millis() < oldest) {
                points.pop_front();
            }
        }
        state.points.retain(|_, points| !points.is_empty());
        state.last = Some((now, snapshot));
    }
}

impl TrafficView for TrafficHistory {
    fn points(&self, id: &DeploymentId, since: Timestamp) -> Vec<TrafficPoint> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (id.namespace.to_string(), id.name.to_string());
        let points = state.points.get(&key).into_iter().flatten();
        points.filter(|point| point.time >= since).cloned().collect()
    }
}

/// Counts of one predictor in an interval, over all statuses.
#[derive(Default)]
struct Total {
    requests: u64,
    client_errors: u64,
    server_errors: u64,
    latencies: Option<Histogram<u64>>,
}

type Totals = BTreeMap<((String, String), String), Total>;

fn totals(now: &Snapshot, before: &Snapshot) -> Totals {
    let mut totals = Totals::new();
    for ((key, status), histograms) in now.series.iter().filter(|((key, _), _)| key.path != FEEDBACK_PATH) {
        let SeriesKey { namespace, deployment, predictor, .. } = key;
        let total = totals.entry(((namespace.clone(), deployment.clone()), predictor.clone())).or_default();
        let mut latencies = histograms.server.quantiles.clone();
        if let Some(before) = before.series.get(&(key.clone(), *status)) {
            // The counts only grow, and the bounds are the same.
            let _subtracted = latencies.subtract(&before.server.quantiles);
        }
        total.add(*status, latencies);
    }
    totals
}

impl Total {
    fn add(&mut self, status: u16, latencies: Histogram<u64>) {
        let requests = latencies.len();
        self.requests += requests;
        match status {
            400..500 => self.client_errors += requests,
            500.. => self.server_errors += requests,
            _ => {}
        }
        match &mut self.latencies {
            Some(sum) => {
                // The bounds are the same.
                let _added = sum.add(&latencies);
            }
            None => self.latencies = Some(latencies),
        }
    }

    fn point(&self, time: Timestamp, interval: u64, predictor: String) -> TrafficPoint {
        let latencies = self.latencies.as_ref().filter(|latencies| !latencies.is_empty());
        let quantile = |quantile| latencies.map(|latencies| latencies.value_at_quantile(quantile));
        TrafficPoint {
            time,
            interval,
            predictor,
            requests: self.requests,
            client_errors: self.client_errors,
            server_errors: self.server_errors,
            p50: quantile(0.5),
            p95: quantile(0.95),
            p99: quantile(0.99),
        }
    }
}
