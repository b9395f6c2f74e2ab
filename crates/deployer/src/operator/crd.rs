//! The kinds that users write, as the API server must know them.

use kube::{api::ApiResource, core::GroupVersionKind};
use provost_api::crd::resources::{self, CustomResource};
use serde_json::{Value, json};

/// A kind that users write, in one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Served {
    /// `SeldonDeployment`.
    SeldonDeployment,
    /// `InferenceService` of `KServe`.
    InferenceService,
    /// `InferenceService` of `KFServing`.
    KubeflowInferenceService,
    /// `InferenceGraph` of `KServe`.
    InferenceGraph,
}

impl Served {
    /// All kinds.
    pub const ALL: [Self; 4] =
        [Self::SeldonDeployment, Self::InferenceService, Self::KubeflowInferenceService, Self::InferenceGraph];

    /// The kinds that are served: those of `KServe` only where they are asked for, since it may be in charge.
    pub fn chosen(with_inference_services: bool) -> &'static [Self] {
        if with_inference_services { &Self::ALL } else { &[Self::SeldonDeployment] }
    }

    /// The kind of a manifest.
    pub(crate) fn of(document: &Value) -> Option<Self> {
        let group = document["apiVersion"].as_str()?.split('/').next()?;
        Self::ALL.into_iter().find(|served| served.group() == group && document["kind"] == served.kind())
    }

    /// Its names.
    fn names(self) -> &'static CustomResource {
        match self {
            Self::SeldonDeployment => &resources::SELDON_DEPLOYMENTS,
            Self::InferenceService => &resources::INFERENCE_SERVICES,
            Self::KubeflowInferenceService => &resources::KUBEFLOW_INFERENCE_SERVICES,
            Self::InferenceGraph => &resources::INFERENCE_GRAPHS,
        }
    }

    /// Its group.
    pub(crate) fn group(self) -> &'static str {
        self.names().group
    }

    /// Its name in manifests.
    pub(crate) fn kind(self) -> &'static str {
        self.names().kind
    }

    /// The version that is stored.
    pub(crate) fn stored(self) -> &'static str {
        self.names().schemas[0][0]
    }

    /// The versions that are served. Nothing converts between them on a cluster: of which schema a resource is, what it
    /// says tells, whatever version it is read in.
    pub(crate) fn versions(self) -> Vec<&'static str> {
        self.names().schemas.concat()
    }

    /// Group and version of what is stored.
    pub(crate) fn api_version(self) -> String {
        format!("{}/{}", self.group(), self.stored())
    }

    /// The kind, as a client asks for it.
    pub(crate) fn resource(self) -> ApiResource {
        self.resource_in(self.stored())
    }

    /// The kind in one of its versions.
    pub(crate) fn resource_in(self, version: &str) -> ApiResource {
        ApiResource::from_gvk_with_plural(
            &GroupVersionKind::gvk(self.group(), version, self.kind()),
            self.names().plural,
        )
    }

    /// The name of its definition.
    pub(crate) fn name(self) -> String {
        format!("{}.{}", self.names().plural, self.group())
    }

    /// The `CustomResourceDefinition`. Fields are left to the operator, which knows what becomes of each: a
    /// schema would drop those it does not name, and is too large for `kubectl apply`.
    pub fn definition(self) -> Value {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": self.name(),
                "annotations": {"helm.sh/resource-policy": "keep"},
            },
            "spec": {
                "group": self.group(),
                "scope": "Namespaced",
                "names": {
                    "kind": self.kind(),
                    "listKind": format!("{}List", self.kind()),
                    "plural": self.names().plural,
                    "singular": self.kind().to_lowercase(),
                    "shortNames": [self.names().short],
                    "categories": ["all"],
                },
                "versions": self.versions().iter().map(|name| self.version(name)).collect::<Vec<_>>(),
            },
        })
    }

    fn version(self, name: &str) -> Value {
        let mut spec = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let mut subresources = json!({"status": {}});
        if self == Self::SeldonDeployment {
            spec["properties"] = json!({"replicas": {"type": "integer", "format": "int32", "minimum": 0}});
            subresources["scale"] =
                json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
        }
        json!({
            "name": name,
            "served": true,
            "storage": name == self.stored(),
            "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {
                    "spec": spec,
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                },
            }},
            "subresources": subresources,
            "additionalPrinterColumns": self.columns(),
        })
    }

    fn columns(self) -> Value {
        let ready = column("Ready", ".status.conditions[?(@.type==\"Ready\")].status");
        let age = json!({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"});
        let reason = json!({"name": "Reason", "type": "string", "jsonPath": ".status.description", "priority": 1});
        if self == Self::SeldonDeployment {
            let replicas = json!({"name": "Replicas", "type": "integer", "jsonPath": ".status.replicas"});
            return json!([column("State", ".status.state"), ready, replicas, age, reason]);
        }
        if self == Self::InferenceGraph {
            return json!([column("URL", ".status.url"), ready, age, reason]);
        }
        let traffic = |name: &str, of: &str| {
            let path = format!(".status.components.predictor.traffic[?(@.{of})].percent");
            json!({"name": name, "type": "integer", "jsonPath": path})
        };
        let revision = |name: &str, field: &str| column(name, &format!(".status.components.predictor.{field}"));
        json!([
            column("URL", ".status.url"),
            ready,
            traffic("Prev", "tag==\"prev\""),
            traffic("Latest", "latestRevision==true"),
            revision("PrevRolledoutRevision", "previousRolledoutRevision"),
            revision("LatestReadyRevision", "latestReadyRevision"),
            age,
            reason,
        ])
    }
}

fn column(name: &str, path: &str) -> Value {
    json!({"name": name, "type": "string", "jsonPath": path})
}
