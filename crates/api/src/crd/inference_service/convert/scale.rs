//! How many pods a predictor has, and what that depends on.

use provost_domain::{
    FieldPath, Violation,
    scaling::{Metric, Scaling},
};

use serde_json::Value;

use crate::crd::{Class, Finding, inference_service::component::Scale};

/// Reads `minReplicas`, `maxReplicas`, `scaleMetric` and `scaleTarget`.
pub(in crate::crd) struct ScaleReader<'a> {
    /// Where they stand.
    pub(in crate::crd) path: &'a FieldPath,
    pub(in crate::crd) violations: &'a mut Vec<Violation>,
    pub(in crate::crd) findings: &'a mut Vec<Finding>,
}

impl ScaleReader<'_> {
    /// Checks the numbers of replicas, in KServe's words.
    pub(in crate::crd) fn check(&mut self, spec: &Value) {
        let number = |name: &str| spec[name].as_i64();
        let (fewest, most) = (number("minReplicas"), number("maxReplicas"));
        if let Some(fewest) = fewest.filter(|fewest| *fewest < 0) {
            self.refuse("minReplicas", fewest, "'MinReplicas' cannot be less than 0");
        }
        if let Some(most) = most.filter(|most| *most < 0) {
            self.refuse("maxReplicas", most, "'MaxReplicas' cannot be less than 0");
        }
        if let (Some(fewest), Some(most @ 1..)) = (fewest, most)
            && fewest > most
        {
            self.refuse("minReplicas", fewest, "'MinReplicas' cannot be greater than MaxReplicas");
        }
    }

    fn refuse(&mut self, field: &str, value: i64, message: &str) {
        self.violations.push(Violation::invalid(self.path.field(field), value, message));
    }

    /// How many pods there are to be.
    pub(in crate::crd) fn read<'b>(&mut self, spec: &'b Value) -> Scale<'b> {
        let number = |name: &str| spec[name].as_i64();
        let text = |name: &str| spec[name].as_str().filter(|text| !text.is_empty());
        let (fewest, most) = (number("minReplicas").unwrap_or(1), number("maxReplicas").unwrap_or(0));
        let written = text("scaleMetric");
        let target = number("scaleTarget");
        let counted = self.metric(written, fewest);
        let kinds = if counted.is_some() { &["Utilization", "AverageValue"][..] } else { &["Utilization"] };
        let kind = text("scaleMetricType").unwrap_or(kinds[0]);
        if !kinds.contains(&kind) {
            self.not_scaled_by(self.path.field("scaleMetricType"), kind, kinds);
        }
        let by_requests = counted.map(|metric| self.by_requests(metric, (fewest, most), target));
        Scale { fewest, most, metric: written.unwrap_or("cpu"), target, by_requests }
    }

    /// What is counted of requests, where they are what replicas are scaled by.
    fn metric(&mut self, written: Option<&str>, fewest: i64) -> Option<Metric> {
        match written {
            Some("concurrency") => Some(Metric::Concurrency),
            Some("rps") => Some(Metric::Rps),
            None if fewest == 0 => Some(Metric::Concurrency),
            None | Some("cpu" | "memory") => {
                if fewest == 0 {
                    let path = self.path.field("minReplicas");
                    let message = "what no replica uses says nothing, so that one stays; scale to none by `concurrency` or \
                                   `rps`";
                    self.findings.push(Finding { path, class: Class::NoEffect, message: message.to_owned() });
                }
                None
            }
            Some(other) => {
                let known = ["cpu", "memory", "concurrency", "rps"];
                self.not_scaled_by(self.path.field("scaleMetric"), other, &known);
                None
            }
        }
    }

    fn not_scaled_by(&mut self, path: FieldPath, value: &str, known: &[&str]) {
        let known = known.join("`, `");
        let message = format!("`{value}` is not known; use one of `{known}`, or leave it out");
        self.violations.push(Violation::invalid(path, value, message));
    }

    fn by_requests(&mut self, metric: Metric, (fewest, most): (i64, i64), target: Option<i64>) -> Scaling {
        if let Some(target) = target.filter(|target| *target <= 0) {
            self.refuse("scaleTarget", target, "must be more than 0");
        }
        let replicas = |number: i64| u32::try_from(number).unwrap_or(0);
        let target = target.and_then(|target| u32::try_from(target).ok()).map_or(metric.default_target(), f64::from);
        Scaling { metric, target, min_replicas: replicas(fewest), max_replicas: replicas(most.max(fewest)).max(1) }
    }
}
