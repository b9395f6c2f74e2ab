//! Which predictors a document has, and the share of the traffic that each gets.

use provost_domain::{Engine, FieldPath, Violation, deployment::TextMap};
use serde_json::{Value, json};

use super::Reader;
use crate::crd::{
    Class, Finding,
    inference_service::{BESIDE, ROLLED_OUT_ANNOTATION, fields, rollout},
    walk::walk,
};

/// Name of a predictor that has none.
const DEFAULT: &str = "default";
/// Name of the predictor that gets a share of the traffic.
pub(in crate::crd::inference_service) const CANARY: &str = "canary";

const NOTHING_ROLLED_OUT: &str = "has no effect: no other predictor had the traffic before, so this one gets all of it";

/// A predictor as it is written, and the share of the traffic it gets.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) spec: Value,
    pub(super) path: FieldPath,
    pub(super) traffic: i64,
    pub(super) traffic_path: FieldPath,
    /// What holds that which stands beside it, and where.
    pub(super) beside: (Value, FieldPath),
}

/// The specification of what an annotation keeps, if it could be applied: anybody may have written it.
fn kept(text: &str, engine: Engine) -> Option<Value> {
    let spec = rollout::parts(serde_json::from_str(text).ok().filter(Value::is_object)?);
    let is_part = |name: &String| name == "predictor" || BESIDE.contains(&name.as_str());
    let are_parts = spec.as_object().is_some_and(|fields| fields.keys().all(is_part));
    let mut walked = walk(&json!({"spec": spec}), &fields::schema("").table, engine);
    (are_parts && walked.violations.is_empty()).then(|| walked.document["spec"].take())
}

impl Reader<'_> {
    /// The predictors: that of the specification first, or the one that was rolled out before it.
    pub(super) fn sources(&mut self, spec: &Value, annotations: &TextMap) -> Vec<Source> {
        let path = FieldPath::of("spec").field("predictor");
        let Some(predictor) = spec.get("predictor") else {
            self.paths.add(FieldPath::of("spec").field("predictors"), path.clone());
            self.violations.push(Violation::required(path, "an InferenceService must have a predictor"));
            return Vec::new();
        };
        let beside = (spec.clone(), FieldPath::of("spec"));
        let mut canaries = self.canaries(spec);
        let name = predictor["name"].as_str().filter(|name| !name.is_empty()).unwrap_or(DEFAULT).to_owned();
        let traffic_path = path.field("canaryTrafficPercent");
        let mut main = Source { name, spec: predictor.clone(), path, traffic: 100, traffic_path, beside };
        canaries.extend(self.rolling_out(&mut main, !canaries.is_empty(), annotations));
        let given: i64 = canaries.iter().map(|canary| canary.traffic).sum();
        main.traffic = (100 - given).max(0);
        let at = FieldPath::of("spec").field("canary");
        self.paths.add(FieldPath::of("spec").field("predictors"), at.clone());
        if given > 100 {
            self.invalid(at, given, format!("the shares of the canaries sum to {given}; at most 100 can be given"));
        }
        std::iter::once(main).chain(canaries).collect()
    }

    /// The predictors of `spec.canary`.
    fn canaries(&mut self, spec: &Value) -> Vec<Source> {
        let path = FieldPath::of("spec").field("canary");
        let canaries = spec["canary"].as_array().into_iter().flatten().enumerate();
        let canaries = canaries.filter_map(|(index, canary)| {
            let path = path.index(index);
            let traffic_path = path.field("trafficPercent");
            let Some(predictor) = canary.get("predictor") else {
                let message = "a canary must have a predictor: Canary must be specified when CanaryTrafficPercent > 0.";
                self.violations.push(Violation::required(path.field("predictor"), message));
                return None;
            };
            let traffic = self.percent(&canary["trafficPercent"], &traffic_path).unwrap_or(0);
            let name = predictor["name"].as_str().unwrap_or_default().to_owned();
            let beside = (spec.clone(), FieldPath::of("spec"));
            let path = path.field("predictor");
            Some(Source { name, spec: predictor.clone(), path, traffic, traffic_path, beside })
        });
        canaries.collect()
    }

    /// The predictor that is being rolled out, while the one before it has a part of the traffic: `main` is that one then.
    fn rolling_out(&mut self, main: &mut Source, has_canaries: bool, annotations: &TextMap) -> Option<Source> {
        let path = main.path.field("canaryTrafficPercent");
        let percent = self.percent(&main.spec["canaryTrafficPercent"], &path)?;
        if has_canaries {
            self.invalid(path, percent, "use either `canaryTrafficPercent` or `spec.canary`");
            return None;
        }
        if percent == 100 {
            return None;
        }
        let Some(before) = annotations.get(ROLLED_OUT_ANNOTATION) else {
            self.findings.push(Finding { path, class: Class::NoEffect, message: NOTHING_ROLLED_OUT.to_owned() });
            return None;
        };
        let at = FieldPath::of("metadata").field("annotations").key(ROLLED_OUT_ANNOTATION);
        let Some(mut before) = kept(before, self.engine) else {
            self.invalid(at, before.as_str(), "it is set by the server; remove it");
            return None;
        };
        if rollout::revision(&before) == rollout::revision(&main.beside.0) {
            self.findings.push(Finding { path, class: Class::NoEffect, message: NOTHING_ROLLED_OUT.to_owned() });
            return None;
        }
        let kept = before["predictor"].take();
        Some(Source {
            name: CANARY.to_owned(),
            spec: std::mem::replace(&mut main.spec, kept),
            path: std::mem::replace(&mut main.path, at.clone()),
            traffic: percent,
            traffic_path: main.traffic_path.clone(),
            beside: std::mem::replace(&mut main.beside, (before, at)),
        })
    }

    fn percent(&mut self, value: &Value, path: &FieldPath) -> Option<i64> {
        let percent = value.as_i64()?;
        if !(0..=100).contains(&percent) {
            self.invalid(path.clone(), percent, "TrafficPercent must be between [0, 100].");
            return None;
        }
        Some(percent)
    }
}
