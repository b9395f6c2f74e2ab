//! Which nodes of a predictor run in which pods: those of a component specification that asks for replicas, an autoscaler or
//! a disruption budget of its own have pods of their own, all others share those of the first, where the server runs.
//!
//! **Invariant**: each node runs in one place.

use provost_domain::{Deployment, Predictor, deployment::ComponentSpec};
use serde_json::Value;

/// What is said of how many pods there are.
const SAID: [&str; 2] = ["hpaSpec", "pdbSpec"];

/// The component specifications that have pods of their own.
pub(super) fn apart(deployment: &Deployment, predictor: &Predictor) -> Vec<usize> {
    let indices = 0..predictor.component_specs.len();
    indices.filter(|index| differing(deployment, predictor, *index).is_some()).collect()
}

/// The field by which a component specification has pods of its own: the first in which it is not as the first one.
pub(super) fn differing(deployment: &Deployment, predictor: &Predictor, index: usize) -> Option<&'static str> {
    let (first, this) = (predictor.component_specs.first()?, predictor.component_specs.get(index)?);
    let [of_first, of_this] = [first, this].map(|one| replicas(deployment, predictor, Some(one)));
    let by_replicas = (of_first != of_this).then_some("replicas");
    by_replicas.or_else(|| SAID.into_iter().find(|field| said(first, field) != said(this, field)))
}

/// The number of pods that a component specification asks for.
pub(super) fn replicas(deployment: &Deployment, predictor: &Predictor, specification: Option<&ComponentSpec>) -> i32 {
    let own = specification.and_then(|specification| specification.replicas);
    own.or(predictor.replicas).or(deployment.replicas).unwrap_or(1)
}

/// What a component specification says in a field, if anything.
pub(super) fn said<'a>(specification: &'a ComponentSpec, field: &str) -> Option<&'a Value> {
    let is_said = |value: &&Value| value.as_object().is_some_and(|fields| !fields.is_empty());
    specification.document.get(field).filter(is_said)
}

/// The component specification in whose own pods a node runs; `None` for the pods of the server.
pub(super) fn of_node(deployment: &Deployment, predictor: &Predictor, node: &str) -> Option<usize> {
    let has_it = |specification: &ComponentSpec| specification.containers.iter().any(|name| name == node);
    let index = predictor.component_specs.iter().position(has_it)?;
    differing(deployment, predictor, index).map(|_| index)
}
