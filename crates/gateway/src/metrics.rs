//! Latencies by deployment, predictor and status: counted by each serving thread for itself, merged
//! when somebody asks.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hdrhistogram::Histogram;
use tokio::sync::{mpsc, oneshot};

use crate::node_metrics::{self, AllNodeMetrics, NodeMetrics};

/// Upper bounds of the buckets of Seldon's histograms, in seconds.
pub(crate) const BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Longest latency that is told apart, in microseconds.
const LATENCY_MAX: u64 = 60_000_000;

/// What a series of latencies is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// Namespace of the deployment.
    pub namespace: String,
    /// Name of the deployment.
    pub deployment: String,
    /// Name of the predictor; empty where no predictor was reached.
    pub predictor: String,
    /// The predictor's annotation `version`.
    pub version: String,
    /// The node of its graph.
    pub node: String,
    /// The node's image or implementation.
    pub image: String,
    /// Where the node is called: `/predict` for what a model of this process is asked too.
    pub path: &'static str,
}

/// Where models are called.
pub(crate) const PREDICT_PATH: &str = "/predict";

/// Latencies of requests, and of the predictor's part in them.
#[derive(Debug, Clone)]
pub struct Histograms {
    /// From the request's arrival to its answer.
    pub server: Latencies,
    /// The predictor alone.
    pub client: Latencies,
}

/// Counts of latencies.
#[derive(Debug, Clone)]
pub struct Latencies {
    /// Sum of all.
    pub sum: Duration,
    /// How many fell into each bucket of Seldon's histogram; the last is for what is longer.
    pub buckets: [u64; BUCKETS.len() + 1],
    /// Microseconds, to two significant digits.
    pub quantiles: Histogram<u64>,
}

impl Latencies {
    fn new() -> Option<Self> {
        // Three valid constants: this is `Some`.
        let quantiles = Histogram::new_with_bounds(1, LATENCY_MAX, 2).ok()?;
        Some(Self { sum: Duration::ZERO, buckets: [0; BUCKETS.len() + 1], quantiles })
    }

    fn record(&mut self, latency: Duration) {
        let seconds = latency.as_secs_f64();
        let bucket = BUCKETS.iter().position(|bound| seconds <= *bound).unwrap_or(BUCKETS.len());
        self.buckets[bucket] += 1;
        self.sum += latency;
        self.quantiles.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(LATENCY_MAX).max(1));
    }

    fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        for (total, count) in self.buckets.iter_mut().zip(other.buckets) {
            *total += count;
        }
        // Both have the same bounds, so that adding cannot fail.
        let _added = self.quantiles.add(&other.quantiles);
    }

    /// Number of latencies.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// All series of a process at one moment, by what they are about and HTTP status.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Latencies.
    pub series: BTreeMap<(SeriesKey, u16), Histograms>,
    /// Requests whose feature names were those of the model in another order, or others.
    pub feature_name_mismatches: u64,
    /// What nodes measured themselves.
    pub(crate) of_nodes: AllNodeMetrics,
}

/// Series that a thread counts, by [`Registry`] slot and status.
#[derive(Debug, Default)]
pub(crate) struct ThreadMetrics {
    slots: Vec<Vec<(u16, Histograms)>>,
    pub(crate) feature_name_mismatches: u64,
    pub(crate) of_nodes: NodeMetrics,
}

impl ThreadMetrics {
    pub(crate) fn record(&mut self, slot: usize, status: u16, server: Duration, client: Duration) {
        if let Some(histograms) = self.histograms(slot, status) {
            histograms.server.record(server);
            histograms.client.record(client);
        }
    }

    /// Counts a request to a graph, whose nodes are counted for themselves.
    pub(crate) fn record_request(&mut self, slot: usize, status: u16, latency: Duration) {
        if let Some(histograms) = self.histograms(slot, status) {
            histograms.server.record(latency);
        }
    }

    /// Counts what a node of a graph was asked.
    pub(crate) fn record_node(&mut self, slot: usize, status: u16, latency: Duration) {
        if let Some(histograms) = self.histograms(slot, status) {
            histograms.client.record(latency);
        }
    }

    fn histograms(&mut self, slot: usize, status: u16) -> Option<&mut Histograms> {
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, Vec::new);
        }
        let statuses = &mut self.slots[slot];
        let found = statuses.iter().position(|(of, _)| *of == status);
        let index = match found {
            Some(index) => index,
            None => {
                statuses.push((status, Histograms { server: Latencies::new()?, client: Latencies::new()? }));
                statuses.len() - 1
            }
        };
        statuses.get_mut(index).map(|(_, histograms)| histograms)
    }

    fn add_to(&self, snapshot: &mut Snapshot, keys: &[SeriesKey]) {
        snapshot.feature_name_mismatches += self.feature_name_mismatches;
        node_metrics::add(&mut snapshot.of_nodes, &self.of_nodes, keys);
        for (key, statuses) in keys.iter().zip(&self.slots) {
            for (status, histograms) in statuses {
                match snapshot.series.entry((key.clone(), *status)) {
                    std::collections::btree_map::Entry::Vacant(entry) => {
                        entry.insert(histograms.clone());
                    }
                    std::collections::btree_map::Entry::Occupied(mut entry) => {
                        entry.get_mut().server.merge(&histograms.server);
                        entry.get_mut().client.merge(&histograms.client);
                    }
                }
            }
        }
    }
}

/// Asks a thread to add its series.
#[derive(Debug)]
pub(crate) struct SnapshotRequest {
    snapshot: Snapshot,
    keys: Arc<Vec<SeriesKey>>,
    answer: oneshot::Sender<Snapshot>,
}

impl SnapshotRequest {
    pub(crate) fn answer(mut self, metrics: &ThreadMetrics) {
        metrics.add_to(&mut self.snapshot, &self.keys);
        // Who asked may have gone.
        let _gone = self.answer.send(self.snapshot);
    }
}

/// What a thread is asked to do.
#[derive(Debug)]
pub(crate) enum ThreadRequest {
    /// To tell its metrics.
    Snapshot(SnapshotRequest),
    /// To hand over the records that it appended so far.
    HandOver(oneshot::Sender<()>),
}

/// Gives every series a slot, and reaches every thread.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    keys: Mutex<Arc<Vec<SeriesKey>>>,
    threads: Mutex<Vec<mpsc::Sender<ThreadRequest>>>,
}

impl Registry {
    /// The slot of a series; the same for the same key as long as the process runs.
    pub(crate) fn slot(&self, key: SeriesKey) -> usize {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            Arc::make_mut(&mut keys).push(key);
            keys.len() - 1
        })
    }

    pub(crate) fn join(&self) -> mpsc::Receiver<ThreadRequest> {
        let (sender, receiver) = mpsc::channel(1);
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Has every thread hand over its records.
    pub(crate) async fn hand_over(&self) {
        for thread in self.threads() {
            let (answer, answered) = oneshot::channel();
            if thread.send(ThreadRequest::HandOver(answer)).await.is_ok() {
                // A thread that ends hands over what it has.
                let _gone = answered.await;
            }
        }
    }

    fn threads(&self) -> Vec<mpsc::Sender<ThreadRequest>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads the metrics of all serving threads.
#[derive(Debug, Clone)]
pub struct MetricsSource(pub(crate) Arc<Registry>);

impl MetricsSource {
    /// All series at this moment.
    pub async fn snapshot(&self) -> Snapshot {
        let keys = Arc::clone(&self.0.keys.lock().unwrap_or_else(PoisonError::into_inner));
        let mut snapshot = Snapshot::default();
        for thread in self.0.threads() {
            let (answer, answered) = oneshot::channel();
            let request = SnapshotRequest { snapshot: snapshot.clone(), keys: Arc::clone(&keys), answer };
            if thread.send(ThreadRequest::Snapshot(request)).await.is_ok()
                && let Ok(answered) = answered.await
            {
                snapshot = answered;
            }
        }
        snapshot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_thread_hands_over_its_records_and_one_that_has_ended_holds_up_nobody() {
        let registry = Registry::default();
        drop(registry.join());
        let mut threads = [registry.join(), registry.join()];
        let answering = async {
            let mut asked = 0;
            for thread in &mut threads {
                if let Some(ThreadRequest::HandOver(answer)) = thread.recv().await {
                    answer.send(()).unwrap();
                    asked += 1;
                }
            }
            asked
        };
        let ((), asked) = tokio::join!(registry.hand_over(), answering);
        assert_eq!(asked, 2);
    }
}
