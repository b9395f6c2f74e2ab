//! The custom resources that manifests are of, by the names that the API of Kubernetes has for them.

use super::{inference_graph, inference_service, seldon_deployment};

/// A kind in one group.
#[derive(Debug, PartialEq, Eq)]
pub struct CustomResource {
    /// Group.
    pub group: &'static str,
    /// Name of its resources in paths.
    pub plural: &'static str,
    /// Short name, for `kubectl`.
    pub short: &'static str,
    /// Name in manifests.
    pub kind: &'static str,
    /// Versions, of which those of one schema stand together, the latest schema first.
    pub schemas: &'static [&'static [&'static str]],
}

/// `SeldonDeployment`.
pub static SELDON_DEPLOYMENTS: CustomResource = CustomResource {
    group: "machinelearning.seldon.io",
    plural: "seldondeployments",
    short: "sdep",
    kind: seldon_deployment::KIND,
    schemas: &[&["v1", "v1alpha2", "v1alpha3"]],
};

/// `InferenceService` of `KServe`.
pub static INFERENCE_SERVICES: CustomResource = CustomResource {
    group: "serving.kserve.io",
    plural: "inferenceservices",
    short: "isvc",
    kind: inference_service::KIND,
    schemas: &[&["v1beta1"]],
};

/// `InferenceService` of `KFServing`.
pub static KUBEFLOW_INFERENCE_SERVICES: CustomResource = CustomResource {
    group: "serving.kubeflow.org",
    plural: "inferenceservices",
    short: "isvc",
    kind: inference_service::KIND,
    schemas: &[&["v1beta1"], &["v1alpha2"]],
};

/// `InferenceGraph` of `KServe`.
pub static INFERENCE_GRAPHS: CustomResource = CustomResource {
    group: "serving.kserve.io",
    plural: "inferencegraphs",
    short: "ig",
    kind: inference_graph::KIND,
    schemas: &[&["v1alpha1"]],
};

/// All of them.
pub static ALL: [&CustomResource; 4] =
    [&SELDON_DEPLOYMENTS, &INFERENCE_SERVICES, &KUBEFLOW_INFERENCE_SERVICES, &INFERENCE_GRAPHS];
