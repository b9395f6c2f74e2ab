//! What a resource asks for, and the objects that make it so. Pure.

use kube::{ResourceExt as _, api::DynamicObject};
use provost_api::{
    crd::seldon_deployment,
    manifest::{ManifestDocument, parse_deployment},
};
use provost_domain::{
    Deployment, Engine, Namespace, RevisionId, ServerCatalog,
    plan::{DesiredPredictor, Resolution},
};
use serde_json::{Value, json};

use super::{children::Family, observed};
use crate::kubernetes::{self, Owner, PREDICTOR_ANNOTATION, REVISION_ANNOTATION, Settings, Source};

/// What is kept of a resource's metadata: the rest is the API server's.
const KEPT: [&str; 4] = ["name", "namespace", "labels", "annotations"];

/// A resource that can be made so.
#[derive(Debug)]
pub(super) struct Desired {
    deployment: Deployment,
    document: Value,
    owner: Owner,
    /// Its generation.
    pub(super) generation: i64,
    /// What has no effect, by path.
    pub(super) warnings: Vec<String>,
    /// The objects, but for the route.
    pub(super) objects: Vec<Value>,
}

impl Desired {
    /// What is to be there, or all that is wrong with what the user wrote.
    pub(super) fn of(
        object: &DynamicObject,
        catalog: &ServerCatalog,
        settings: &Settings,
    ) -> Result<Self, Vec<String>> {
        let document = serde_json::to_value(object).map_err(|error| vec![error.to_string()])?;
        let document = as_written(document);
        let manifest = ManifestDocument::from_json(&object.name_any(), document.clone());
        let manifest = manifest.map_err(|error| vec![error.to_string()])?;
        let (deployment, findings) =
            parse_deployment(&manifest, &Namespace::default_namespace(), catalog, Engine::Kubernetes)
                .map_err(|violations| violations.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let owner = Owner {
            api_version: seldon_deployment::API_VERSIONS[0].to_owned(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
        };
        let source = Source { deployment: &deployment, document: &document };
        let mut objects = kubernetes::build(source, &owner, settings).map_err(|error| vec![error.to_string()])?;
        for predictor in &deployment.predictors {
            note_revision(&mut objects, &predictor.name);
        }
        let warnings = findings.iter().map(ToString::to_string).collect();
        let generation = object.metadata.generation.unwrap_or(0);
        Ok(Self { deployment, document, owner, generation, warnings, objects })
    }

    /// For the planner.
    pub(super) fn plan(&self) -> provost_domain::plan::Desired {
        let predictors = self.deployment.predictors.iter().zip(self.deployment.weights());
        let predictors = predictors.map(|(predictor, weight)| DesiredPredictor {
            name: predictor.name.clone(),
            weight,
            revision: Resolution::Resolved(revision(&self.objects, &predictor.name)),
        });
        provost_domain::plan::Desired {
            generation: u64::try_from(self.generation).unwrap_or(0),
            predictors: predictors.collect(),
        }
    }

    /// The route with this split of the traffic.
    pub(super) fn route(
        &self,
        settings: &Settings,
        routes: &[provost_domain::plan::Route],
        shares: &[kubernetes::Share],
    ) -> Option<Value> {
        let source = Source { deployment: &self.deployment, document: &self.document };
        kubernetes::route(source, &self.owner, settings, routes, shares)
    }

    /// The predictors, in their order.
    pub(super) fn predictors(&self) -> impl Iterator<Item = &str> {
        self.deployment.predictors.iter().map(|predictor| predictor.name.as_str())
    }

    /// The revision that a predictor is to be; `None` where it is not to be there.
    pub(super) fn revision(&self, predictor: &str) -> Option<RevisionId> {
        self.predictors().any(|name| name == predictor).then(|| revision(&self.objects, predictor))
    }

    /// Whether all of its Deployments are there as far as the watch shows.
    pub(super) fn shows_in(&self, family: &Family) -> bool {
        let mut deployments = self.objects.iter().filter(|object| object["kind"] == "Deployment");
        deployments.all(|object| observed::rollouts(family).any(|(name, ..)| object["metadata"]["name"] == name))
    }

    /// Whether an object of this kind and name is to be there.
    pub(super) fn wants(&self, kind: &str, name: &str) -> bool {
        self.objects.iter().any(|object| object["kind"] == kind && object["metadata"]["name"] == name)
    }
}

/// The document as its user wrote it.
fn as_written(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("status");
        fields.entry("kind").or_insert_with(|| json!(seldon_deployment::KIND));
        fields.entry("apiVersion").or_insert_with(|| json!(seldon_deployment::API_VERSIONS[0]));
    }
    if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| KEPT.contains(&name.as_str()));
    }
    document
}

/// The revision of a predictor: that of its pods.
fn revision(objects: &[Value], predictor: &str) -> RevisionId {
    let templates: String =
        of_predictor(objects, predictor).map(|object| object["spec"]["template"].to_string()).collect();
    RevisionId::of(&templates, &[])
}

fn of_predictor<'a>(objects: &'a [Value], predictor: &'a str) -> impl Iterator<Item = &'a Value> {
    let is_its = move |object: &&Value| object["metadata"]["annotations"][PREDICTOR_ANNOTATION] == predictor;
    objects.iter().filter(is_its).filter(|object| object["kind"] == "Deployment")
}

fn note_revision(objects: &mut [Value], predictor: &str) {
    let revision = json!(revision(objects, predictor).as_str());
    for object in objects {
        let annotations = &mut object["metadata"]["annotations"];
        if annotations[PREDICTOR_ANNOTATION] == predictor {
            annotations[REVISION_ANNOTATION] = revision.clone();
        }
    }
}
