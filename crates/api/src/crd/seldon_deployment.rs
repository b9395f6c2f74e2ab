//! `SeldonDeployment` of machinelearning.seldon.io v1, v1alpha2 and v1alpha3, which share one schema.

mod convert;
pub mod document;
pub mod fields;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use provost_domain::{
    Deployment, Engine, FieldPath, Namespace, ServerCatalog, Violation,
    validation::{self, Reason},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Finding, metadata::ObjectMeta, walk::walk};

/// The kind, as manifests write it.
pub const KIND: &str = "SeldonDeployment";
/// The API versions in which the kind is accepted.
pub const API_VERSIONS: [&str; 3] =
    ["machinelearning.seldon.io/v1", "machinelearning.seldon.io/v1alpha2", "machinelearning.seldon.io/v1alpha3"];

/// The resource.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SeldonDeployment {
    /// Group and version.
    pub api_version: String,
    /// `SeldonDeployment`.
    pub kind: String,
    /// What identifies the resource.
    pub metadata: ObjectMeta,
    /// What is desired.
    pub spec: Spec,
}

/// The desired state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Deprecated name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Annotations of the specification.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Transport.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// How requests arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_type: Option<String>,
    /// Replicas of each predictor that does not say its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// The predictors.
    pub predictors: Vec<PredictorSpec>,
}

/// A predictor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PredictorSpec {
    /// Name.
    pub name: String,
    /// Root of its graph.
    pub graph: PredictiveUnit,
    /// Pod templates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub component_specs: Vec<SeldonPodSpec>,
    /// Replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Settings of the orchestrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub svc_orch_spec: Option<SvcOrchSpec>,
    /// Share of the traffic in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<i32>,
    /// The explainer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explainer: Option<Value>,
    /// Whether it only gets a copy of the traffic.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

/// A node of a graph.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PredictiveUnit {
    /// Name.
    pub name: String,
    /// The nodes below.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Self>,
    /// Type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What implements it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implementation: Option<String>,
    /// Methods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Where it listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// Parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// Where the model's files are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_uri: Option<String>,
    /// Service account whose credentials fetch them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Secret with the fetcher's environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_secret_ref_name: Option<String>,
    /// Image that fetches them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_initializer_image: Option<String>,
    /// Where requests and responses are sent to be logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logger: Option<Logger>,
}

/// Where a node listens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Endpoint {
    /// Host.
    #[serde(rename = "service_host", alias = "serviceHost", skip_serializing_if = "Option::is_none")]
    pub service_host: Option<String>,
    /// Port.
    #[serde(rename = "service_port", alias = "servicePort", skip_serializing_if = "Option::is_none")]
    pub service_port: Option<i32>,
    /// REST or GRPC.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Port for REST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_port: Option<i32>,
    /// Port for gRPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_port: Option<i32>,
}

/// A parameter of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parameter {
    /// Name.
    pub name: String,
    /// Value, as text.
    pub value: String,
    /// Type of the value.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Where requests and responses are sent to be logged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logger {
    /// Address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// all, request or response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// Settings of the orchestrator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SvcOrchSpec {
    /// Environment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<EnvironmentVariable>,
    /// Replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
}

/// An environment variable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvironmentVariable {
    /// Name.
    pub name: String,
    /// Value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A pod template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeldonPodSpec {
    /// The `PodSpec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Value>,
    /// Replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Metadata, autoscaling and disruption budget.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// Reads a document as a deployment for an engine: walks it by the table, applies the defaults, checks every rule.
///
/// Answers with the deployment and the warnings, or with everything that is wrong.
pub fn parse(
    document: &Value,
    default_namespace: &Namespace,
    catalog: &ServerCatalog,
    engine: Engine,
) -> Result<(Deployment, Vec<Finding>), Vec<Violation>> {
    let walked = walk(document, &fields::FIELDS, engine);
    let mut violations = walked.violations;
    let dropped = violations.iter().filter(|violation| violation.reason == Reason::Type);
    let mut dropped: Vec<FieldPath> = dropped.map(|violation| violation.path.clone()).collect();
    let mut words = Vec::new();
    let resource = read(walked.document, &mut words);
    let mut deployment = convert::to_deployment(resource, default_namespace, &mut words);
    words.retain(|violation| !is_about(violation, &dropped));
    dropped.extend(words.iter().map(|violation| violation.path.clone()));
    deployment.apply_defaults();
    let rules = validation::validate(&deployment, catalog, engine);
    violations.extend(words);
    violations.extend(rules.into_iter().filter(|violation| !is_about(violation, &dropped)));
    if violations.is_empty() { Ok((deployment, walked.findings)) } else { Err(violations) }
}

/// The wire type of a document that was walked, which leaves nothing that serde could refuse.
fn read(document: Value, violations: &mut Vec<Violation>) -> SeldonDeployment {
    serde_json::from_value(document).unwrap_or_else(|error| {
        violations.push(Violation::invalid(FieldPath::default(), (), error.to_string()));
        SeldonDeployment::default()
    })
}

/// Whether a violation is about a value that was dropped because it is wrong already.
fn is_about(violation: &Violation, dropped: &[FieldPath]) -> bool {
    dropped.iter().any(|path| violation.path.is_within(path))
}
