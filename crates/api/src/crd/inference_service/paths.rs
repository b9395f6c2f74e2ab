//! Where what is checked stands in the document that the user wrote.

use provost_domain::{FieldPath, Violation};

/// The places of fields: those of the deployment, by those of v1beta1, by those that were written. Of a kind that is
/// written as the deployment is, they are the same.
#[derive(Debug, Clone, Default)]
pub struct Paths {
    /// From the deployment to v1beta1.
    rules: Vec<Place>,
    /// From v1beta1 to what was written.
    written: Vec<Place>,
}

#[derive(Debug, Clone)]
struct Place {
    from: FieldPath,
    to: FieldPath,
    /// Whether what is inside has the same names.
    keeps_rest: bool,
}

impl Paths {
    /// The places in documents of v1alpha2.
    pub(super) fn legacy() -> Self {
        let place = |from: &str, to: &str| Place { from: from.into(), to: to.into(), keeps_rest: true };
        let written = vec![
            place("spec.predictor", "spec.default.predictor"),
            place("spec.predictor.containers", "spec.default.predictor.custom"),
            place("spec.predictor.containers[0]", "spec.default.predictor.custom.container"),
            place("spec.canary[0].predictor.containers[0]", "spec.canary.predictor.custom.container"),
            place("spec.predictor.containerConcurrency", "spec.default.predictor.parallelism"),
            place("spec.canary[0]", "spec.canary"),
            place("spec.canary[0].predictor.containerConcurrency", "spec.canary.predictor.parallelism"),
            place("spec.canary[0].trafficPercent", "spec.canaryTrafficPercent"),
        ];
        Self { rules: Vec::new(), written }
    }

    /// Notes where the part of the deployment at `from` comes from.
    pub(in crate::crd) fn add(&mut self, from: FieldPath, to: FieldPath) {
        self.rules.push(Place { from, to, keeps_rest: false });
    }

    /// The same where what is inside has the same names in both.
    pub(in crate::crd) fn add_whole(&mut self, from: FieldPath, to: FieldPath) {
        self.rules.push(Place { from, to, keeps_rest: true });
    }

    /// A violation of a rule, or one of a document of v1beta1, at the place in what was written.
    pub(super) fn as_written(&self, violation: Violation) -> Violation {
        Violation { path: self.translate(&violation.path), ..violation }
    }

    /// The place in what was written.
    pub fn translate(&self, path: &FieldPath) -> FieldPath {
        let latest = translated(&self.rules, path).unwrap_or_else(|| path.clone());
        translated(&self.written, &latest).unwrap_or(latest)
    }
}

/// The path by the most exact of the places that it is within.
fn translated(places: &[Place], path: &FieldPath) -> Option<FieldPath> {
    let around = places.iter().filter(|place| path.is_within(&place.from));
    let place = around.max_by_key(|place| place.from.as_str().len())?;
    let rest = path.as_str().get(place.from.as_str().len()..).filter(|_| place.keeps_rest).unwrap_or_default();
    Some(FieldPath::from(&*format!("{}{rest}", place.to)))
}
