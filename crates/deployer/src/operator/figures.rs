//! What the operator counts of itself, as Prometheus reads it.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

/// Figures of an operator.
#[derive(Debug, Default)]
pub struct Figures {
    done: AtomicU64,
    failed: AtomicU64,
    micros: AtomicU64,
    deployments: AtomicU64,
    is_leader: AtomicBool,
}

impl Figures {
    /// Counts a deployment that was reconciled.
    pub(super) fn count(&self, is_done: bool, took: Duration) {
        let counter = if is_done { &self.done } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }

    /// Notes how many deployments came or went.
    pub(super) fn add_deployments(&self, more: i64) {
        self.deployments.fetch_add(more.cast_unsigned(), Ordering::Relaxed);
    }

    /// Notes whether this operator is the one that works.
    pub fn set_leader(&self, is_leader: bool) {
        self.is_leader.store(is_leader, Ordering::Relaxed);
    }

    /// The figures in Prometheus' text format.
    pub fn exposition(&self) -> String {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (done, failed) = (load(&self.done), load(&self.failed));
        // Times are rounded in the text only.
        #[allow(clippy::cast_precision_loss, reason = "microseconds of centuries fit")]
        let seconds = load(&self.micros) as f64 / 1e6;
        let is_leader = u8::from(self.is_leader.load(Ordering::Relaxed));
        let mut out = String::new();
        let mut family = |name: &str, kind: &str, help: &str, values: &str| {
            // Writing to a String cannot fail.
            let _written = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{values}");
        };
        let name = "provost_operator_reconciles_total";
        let values = format!("{name}{{result=\"done\"}} {done}\n{name}{{result=\"failed\"}} {failed}\n");
        family(name, "counter", "Deployments that were reconciled; those that failed are tried again.", &values);
        let name = "provost_operator_reconcile_seconds";
        let values = format!("{name}_sum {seconds}\n{name}_count {}\n", done + failed);
        family(name, "summary", "Time it took, waiting for the API server included.", &values);
        let name = "provost_operator_deployments";
        family(name, "gauge", "Deployments that are watched.", &format!("{name} {}\n", load(&self.deployments)));
        let name = "provost_operator_leader";
        family(name, "gauge", "1 on the operator that works, 0 on those that wait.", &format!("{name} {is_leader}\n"));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told() {
        let figures = Figures::default();
        figures.count(true, Duration::from_millis(1500));
        figures.count(false, Duration::from_millis(500));
        figures.add_deployments(3);
        figures.add_deployments(-1);
        figures.set_leader(true);
        insta::assert_snapshot!(figures.exposition());
    }
}
