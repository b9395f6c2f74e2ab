//! `InferenceGraph` of `KServe` (serving.kserve.io/v1alpha1), read as a deployment with one predictor whose services answer.

mod convert;
pub mod fields;
#[cfg(test)]
mod tests;

use provost_domain::{Engine, Namespace, ServerCatalog, Violation};
use serde_json::Value;

use super::walk::walk;
use crate::manifest::Parsed;

/// The kind, as manifests write it.
pub const KIND: &str = "InferenceGraph";
/// The API version in which the kind is accepted.
pub const API_VERSIONS: [&str; 1] = ["serving.kserve.io/v1alpha1"];

/// Reads a document as a deployment for an engine: walks it by the table and checks every rule.
///
/// Answers with the deployment, the warnings and where its parts stand, or with everything that is wrong.
pub fn parse(
    document: &Value,
    default_namespace: &Namespace,
    _catalog: &ServerCatalog,
    engine: Engine,
) -> Result<Parsed, Vec<Violation>> {
    let walked = walk(document, &fields::FIELDS, engine);
    let read = convert::read(&walked.document, default_namespace, engine);
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
    let findings = walked.findings.into_iter().chain(read.findings).collect();
    Ok(Parsed { deployment: read.deployment, findings, paths: convert::paths() })
}
