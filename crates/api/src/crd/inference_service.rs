//! `InferenceService` of `KServe` (serving.kserve.io/v1beta1) and of `KFServing` (serving.kubeflow.org v1beta1 and
//! v1alpha2), read as a deployment whose one node is named as the service is.
//!
//! Documents of v1alpha2 are brought into the form of v1beta1 first; errors name the fields that the user wrote.

pub(super) mod component;
pub(super) mod convert;
pub mod fields;
pub(super) mod paths;
pub mod rollout;
pub mod status;
#[cfg(test)]
mod tests;

use provost_domain::{Engine, Namespace, ServerCatalog, Violation, validation};
use serde_json::{Map, Value, json};

use super::{Class, Finding, walk::walk};
use crate::manifest::Parsed;
pub use paths::Paths;

/// The kind, as manifests write it.
pub const KIND: &str = "InferenceService";
/// The API versions in which the kind is accepted.
pub const API_VERSIONS: [&str; 3] = ["serving.kserve.io/v1beta1", "serving.kubeflow.org/v1beta1", LEGACY_VERSION];
/// The version whose documents have `spec.default` and `spec.canary`.
pub const LEGACY_VERSION: &str = "serving.kubeflow.org/v1alpha2";
/// What may stand beside the predictor, by the names of the specification.
const BESIDE: [&str; 2] = ["transformer", "explainer"];
/// The annotation with the predictor that had all of the traffic before another was applied with a share of it.
pub const ROLLED_OUT_ANNOTATION: &str = "provost.dev/rolled-out-predictor";

/// Reads a document as a deployment for an engine: walks it by the table, applies the defaults, checks every rule.
///
/// Answers with the deployment, the warnings and where its parts stand, or with everything that is wrong.
pub fn parse(
    document: &Value,
    default_namespace: &Namespace,
    catalog: &ServerCatalog,
    engine: Engine,
) -> Result<Parsed, Vec<Violation>> {
    let is_legacy = document["apiVersion"] == LEGACY_VERSION;
    let schema = fields::schema(document["apiVersion"].as_str().unwrap_or_default());
    let walked = walk(document, &schema.table, engine);
    let mut paths = if is_legacy { Paths::legacy() } else { Paths::default() };
    let latest = if is_legacy { upgraded(walked.document) } else { walked.document };
    let mut read = convert::read(&latest, default_namespace, (catalog, engine), &mut paths);
    read.deployment.apply_defaults();
    let rules = validation::validate(&read.deployment, catalog, engine);
    let explainers = convert::explainers_refused(document);
    let later = explainers.into_iter().chain(read.violations).chain(rules).map(|violation| paths.as_written(violation));
    let mut violations = walked.violations;
    for violation in later {
        // What was refused already is not looked at again.
        if !violations.iter().any(|told| violation.path.is_within(&told.path)) {
            violations.push(violation);
        }
    }
    if !violations.is_empty() {
        return Err(violations);
    }
    let findings = read.findings.into_iter().map(|finding| Finding { path: paths.translate(&finding.path), ..finding });
    let in_container: Vec<_> = read.in_container.iter().map(|path| paths.translate(path)).collect();
    let is_honoured = |finding: &Finding| {
        finding.class == Class::InContainer && in_container.iter().any(|path| finding.path.is_within(path))
    };
    let walked = walked.findings.into_iter().filter(|finding| !is_honoured(finding));
    let findings = walked.chain(findings).collect();
    Ok(Parsed { deployment: read.deployment, findings, paths })
}

/// A predictor of v1alpha2 with its fields as v1beta1 has them.
fn renamed(mut predictor: Value) -> Value {
    if let Some(fields) = predictor.as_object_mut()
        && let Some(custom) = fields.shift_remove("custom")
    {
        fields.insert("containers".to_owned(), json!([custom["container"]]));
    }
    if let Some(fields) = predictor.as_object_mut()
        && let Some(parallelism) = fields.shift_remove("parallelism")
    {
        fields.insert("containerConcurrency".to_owned(), parallelism);
    }
    predictor
}

/// A document of v1alpha2 in the form of v1beta1.
pub fn upgraded(mut document: Value) -> Value {
    let spec = document.get_mut("spec").map(Value::take).unwrap_or_default();
    let predictor = |endpoint: &str| spec.get(endpoint)?.get("predictor").cloned().map(renamed);
    let mut latest = Map::new();
    if let Some(predictor) = predictor("default") {
        latest.insert("predictor".to_owned(), predictor);
    }
    if let Some(mut canary) = predictor("canary").filter(Value::is_object) {
        canary["name"] = json!(convert::CANARY);
        let percent = spec.get("canaryTrafficPercent").cloned().unwrap_or(json!(0));
        latest.insert("canary".to_owned(), json!([{"predictor": canary, "trafficPercent": percent}]));
    } else if spec["canaryTrafficPercent"].as_i64().is_some_and(|percent| percent > 0) {
        latest.insert("canary".to_owned(), json!([{}]));
    }
    document["spec"] = Value::Object(latest);
    document
}
