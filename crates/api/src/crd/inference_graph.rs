//! `InferenceGraph` of `KServe` (serving.kserve.io/v1alpha1), read as a deployment with one predictor whose services answer.

mod convert;
pub mod fields;
#[cfg(test)]
mod tests;

use provost_domain::{Deployment, Engine, Namespace, ServerCatalog, Violation};
use serde_json::Value;

use super::{Finding, walk::walk};

/// The kind, as manifests write it.
pub const KIND: &str = "InferenceGraph";
/// The API version in which the kind is accepted.
pub const API_VERSIONS: [&str; 1] = ["serving.kserve.io/v1alpha1"];

/// Reads a document as a deployment for an engine: walks it by the table and checks every rule.
///
/// Answers with the deployment and the warnings, or with everything that is wrong.
pub fn parse(
    document: &Value,
    default_namespace: &Namespace,
    _catalog: &ServerCatalog,
    engine: Engine,
) -> Result<(Deployment, Vec<Finding>), Vec<Violation>> {
    if engine == Engine::Kubernetes {
        let message = "graphs of services are not run on a Kubernetes cluster yet: apply it to a server of its own";
        return Err(vec![Violation::not_supported("kind".into(), KIND, message)]);
    }
    let walked = walk(document, &fields::FIELDS, engine);
    let read = convert::read(&walked.document, default_namespace);
    let mut violations = walked.violations;
    for violation in read.violations {
        // What was refused already is not looked at again.
        if !violations.iter().any(|told| violation.path.is_within(&told.path)) {
            violations.push(violation);
        }
    }
    if !violations.is_empty() {
        return Err(violations);
    }
    Ok((read.deployment, walked.findings.into_iter().chain(read.findings).collect()))
}
