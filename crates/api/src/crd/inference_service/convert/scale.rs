//! How many pods a predictor has, and what that depends on.

use provost_domain::{
    FieldPath, Violation,
    scaling::{Metric, Scaling},
};

use super::{Reader, Source};
use crate::crd::{Class, Finding, inference_service::component::Scale};

impl Reader<'_> {
    /// How many pods there are to be.
    pub(super) fn scale<'b>(&mut self, source: &'b Source) -> Scale<'b> {
        let number = |name: &str| source.spec[name].as_i64();
        let text = |name: &str| source.spec[name].as_str().filter(|text| !text.is_empty());
        let (fewest, most) = (number("minReplicas").unwrap_or(1), number("maxReplicas").unwrap_or(0));
        let written = text("scaleMetric");
        let target = number("scaleTarget");
        let counted = self.metric(source, written, fewest);
        let kinds = if counted.is_some() { &["Utilization", "AverageValue"][..] } else { &["Utilization"] };
        let kind = text("scaleMetricType").unwrap_or(kinds[0]);
        if !kinds.contains(&kind) {
            self.not_scaled_by(source.path.field("scaleMetricType"), kind, kinds);
        }
        let by_requests = counted.map(|metric| self.by_requests(source, metric, (fewest, most), target));
        Scale { fewest, most, metric: written.unwrap_or("cpu"), target, by_requests }
    }

    /// What is counted of requests, where they are what replicas are scaled by.
    fn metric(&mut self, source: &Source, written: Option<&str>, fewest: i64) -> Option<Metric> {
        match written {
            Some("concurrency") => Some(Metric::Concurrency),
            Some("rps") => Some(Metric::Rps),
            None if fewest == 0 => Some(Metric::Concurrency),
            None | Some("cpu" | "memory") => {
                if fewest == 0 {
                    let path = source.path.field("minReplicas");
                    let message = "what no replica uses says nothing, so that one stays; scale to none by `concurrency` or \
                                   `rps`";
                    self.findings.push(Finding { path, class: Class::NoEffect, message: message.to_owned() });
                }
                None
            }
            Some(other) => {
                let known = ["cpu", "memory", "concurrency", "rps"];
                self.not_scaled_by(source.path.field("scaleMetric"), other, &known);
                None
            }
        }
    }

    fn not_scaled_by(&mut self, path: FieldPath, value: &str, known: &[&str]) {
        let known = known.join("`, `");
        let message = format!("`{value}` is not known; use one of `{known}`, or leave it out");
        self.violations.push(Violation::invalid(path, value, message));
    }

    fn by_requests(
        &mut self,
        source: &Source,
        metric: Metric,
        (fewest, most): (i64, i64),
        target: Option<i64>,
    ) -> Scaling {
        if let Some(target) = target.filter(|target| *target <= 0) {
            self.invalid(source.path.field("scaleTarget"), target, "must be more than 0");
        }
        let replicas = |number: i64| u32::try_from(number).unwrap_or(0);
        let target = target.and_then(|target| u32::try_from(target).ok()).map_or(metric.default_target(), f64::from);
        Scaling { metric, target, min_replicas: replicas(fewest), max_replicas: replicas(most.max(fewest)).max(1) }
    }
}
