//! What a resource asks for, and the objects that make it so. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, PoisonError},
};

use kube::{ResourceExt as _, api::DynamicObject};
use provost_api::{
    crd::{
        inference_service::{Paths, rollout},
        seldon_deployment,
    },
    manifest::{ManifestDocument, parse_with_paths},
};
use provost_domain::{
    Deployment, Engine, FieldPath, Namespace, RevisionId, ServerCatalog, ServiceGraph,
    deployment::{REQUEST_LOG_ANNOTATION, ResourceKind, Role},
    plan::{DesiredPredictor, Resolution, Route},
};
use serde_json::{Value, json};

use super::{accounts::Read, children::Family, crd::Served, observed};
use crate::kubernetes::{
    self, Accounts, BuildError, Owner, PREDICTOR_ANNOTATION, REVISION_ANNOTATION, Settings, Source,
    annotations_without_effect, as_written,
};

/// A resource that its user wrote by the rules.
#[derive(Debug)]
pub(super) struct Asked {
    deployment: Deployment,
    document: Value,
    owner: Owner,
    generation: i64,
    warnings: Vec<String>,
    rolled_out: Option<String>,
    remembered: Option<String>,
    catalog: Arc<ServerCatalog>,
    paths: Paths,
}

impl Asked {
    /// What the user asks for, or all that is wrong with it.
    pub(super) fn of(object: &DynamicObject, catalog: &Arc<ServerCatalog>) -> Result<Self, Vec<String>> {
        let document = serde_json::to_value(object).map_err(|error| vec![error.to_string()])?;
        let served = Served::of(&document).unwrap_or(Served::SeldonDeployment);
        let document = as_written(document);
        let manifest = ManifestDocument::from_json(&object.name_any(), document.clone());
        let manifest = manifest.map_err(|error| vec![error.to_string()])?;
        let parsed = parse_with_paths(&manifest, &Namespace::default_namespace(), catalog, Engine::Kubernetes)
            .map_err(|violations| violations.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let (deployment, findings, paths) = (parsed.deployment, parsed.findings, parsed.paths);
        let owner = Owner {
            api_version: served.api_version(),
            kind: served.kind().to_owned(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
        };
        let warnings = findings.iter().map(ToString::to_string).collect();
        let generation = object.metadata.generation.unwrap_or(0);
        let (rolled_out, remembered) = (rollout::to_keep(&document), rollout::to_remember(&document));
        let document = match deployment.kind {
            ResourceKind::SeldonDeployment | ResourceKind::InferenceGraph => document,
            ResourceKind::InferenceService => seldon_deployment::document::of(&deployment, &[REQUEST_LOG_ANNOTATION]),
        };
        let catalog = Arc::clone(catalog);
        Ok(Self { deployment, document, owner, generation, warnings, rolled_out, remembered, catalog, paths })
    }

    /// The deployments of the namespace that it calls, each with the field that names it first.
    pub(super) fn services(&self) -> BTreeMap<&str, FieldPath> {
        let graphs = self.deployment.predictors.iter().filter_map(|predictor| predictor.services.as_ref());
        let mut named = BTreeMap::new();
        for (service, node, step) in graphs.flat_map(ServiceGraph::services) {
            let step = FieldPath::from("spec.nodes").key(node).field("steps").index(step);
            named.entry(service.as_str()).or_insert_with(|| step.field("serviceName"));
        }
        named
    }

    /// The service accounts that must be known before it is built.
    pub(super) fn accounts_needed(&self) -> BTreeSet<String> {
        kubernetes::accounts_needed(&self.deployment)
    }
}

/// A resource that can be made so.
#[derive(Debug)]
pub(super) struct Desired {
    deployment: Deployment,
    document: Value,
    owner: Owner,
    accounts: Accounts,
    catalog: Arc<ServerCatalog>,
    paths: Paths,
    /// Its generation.
    pub(super) generation: i64,
    /// What has no effect, by path.
    pub(super) warnings: Vec<String>,
    /// What is to be kept of it once all of the traffic is its predictor's, where that is not kept yet.
    pub(super) rolled_out: Option<String>,
    /// The same for its status, whether it is kept or not.
    pub(super) remembered: Option<String>,
    /// Kind and name of each object, but for the route.
    names: Vec<(String, String)>,
    /// The Services, each with the port that is called over HTTP.
    services: Vec<(String, u64)>,
    /// The revision of each predictor, in their order.
    revisions: Vec<RevisionId>,
    /// A hash of the objects.
    pub(super) hash: u64,
    /// The objects, until they are first asked for: they are large and seldom needed again.
    built: Mutex<Vec<Value>>,
}

impl Desired {
    /// What is to be there, or all that is wrong with what the user wrote. Service accounts are taken as not there.
    pub(super) fn of(
        object: &DynamicObject,
        catalog: &Arc<ServerCatalog>,
        settings: &Settings,
    ) -> Result<Self, Vec<String>> {
        Self::with_accounts(Asked::of(object, catalog)?, settings, Read::default())
    }

    /// What is to be there with these service accounts, or all that is wrong with what the user wrote.
    pub(super) fn with_accounts(asked: Asked, settings: &Settings, read: Read) -> Result<Self, Vec<String>> {
        let Asked { deployment, document, owner, generation, mut warnings, rolled_out, remembered, catalog, paths } =
            asked;
        let (accounts, document) = (read.accounts, with_addresses(document, &read.addresses));
        warnings.extend(none_to_wake(&deployment, settings));
        warnings.extend(read.warnings.into_iter().chain(annotations_without_effect(&accounts)));
        let source = Source {
            deployment: &deployment,
            document: &document,
            accounts: &accounts,
            catalog: &catalog,
            paths: &paths,
        };
        let (objects, revisions) = build(source, &owner, settings)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let names = objects.iter().filter_map(kind_and_name).collect();
        let services = objects.iter().filter_map(service_and_port).collect();
        let hash = hash_of(&objects);
        let built = Mutex::new(objects);
        Ok(Self {
            deployment,
            document,
            owner,
            accounts,
            catalog,
            paths,
            generation,
            warnings,
            rolled_out,
            remembered,
            names,
            services,
            revisions,
            hash,
            built,
        })
    }

    /// The objects, but for the route.
    pub(super) fn objects(&self, settings: &Settings) -> Vec<Value> {
        let built = std::mem::take(&mut *self.built.lock().unwrap_or_else(PoisonError::into_inner));
        if !built.is_empty() {
            return built;
        }
        // What was built before can be built.
        build(self.source(), &self.owner, settings).map(|(objects, _)| objects).unwrap_or_default()
    }

    fn source(&self) -> Source<'_> {
        Source {
            deployment: &self.deployment,
            document: &self.document,
            accounts: &self.accounts,
            catalog: &self.catalog,
            paths: &self.paths,
        }
    }

    /// Where predictions are at its services.
    pub(super) fn predictions_path(&self) -> String {
        self.deployment.predictions_path()
    }

    /// The host at which the gateway sends requests to it.
    pub(super) fn host(&self, settings: &Settings) -> Option<String> {
        settings.gateway.as_ref()?;
        let [host, _] = kubernetes::hosts(&self.deployment, settings)?;
        Some(host)
    }

    /// What a predictor is of it.
    pub(super) fn role(&self, predictor: &str) -> Role {
        let its = self.deployment.predictors.iter().find(|one| one.name == predictor);
        its.map_or(Role::Predictor, |one| one.role)
    }

    /// The predictor in whose place another one gets requests.
    pub(super) fn before(&self, predictor: &str) -> Option<&str> {
        self.deployment.predictors.iter().find(|one| one.name == predictor)?.before()
    }

    /// The Service that requests go to.
    pub(super) fn service(&self) -> Option<String> {
        let first = self.deployment.first_asked()?;
        Some(kubernetes::service(&self.deployment, &first.name))
    }

    /// The Services, each with the port that is called over HTTP.
    pub(super) fn services(&self) -> &[(String, u64)] {
        &self.services
    }

    /// What it was written as.
    pub(super) fn kind(&self) -> ResourceKind {
        self.deployment.kind
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.owner.name
    }

    /// For the planner.
    pub(super) fn plan(&self) -> provost_domain::plan::Desired {
        let predictors = self.deployment.predictors.iter().zip(self.deployment.weights()).zip(&self.revisions);
        let predictors = predictors.map(|((predictor, weight), revision)| DesiredPredictor {
            name: predictor.name.clone(),
            weight,
            before: predictor.before().map(str::to_owned),
            revision: Resolution::Resolved(revision.clone()),
        });
        provost_domain::plan::Desired {
            generation: u64::try_from(self.generation).unwrap_or(0),
            predictors: predictors.collect(),
        }
    }

    /// The routes with this split of the traffic, first that by which it is known.
    pub(super) fn routes(
        &self,
        settings: &Settings,
        decided: kubernetes::Decided<'_>,
        shares: &[kubernetes::Share],
    ) -> Vec<Value> {
        kubernetes::routes(self.source(), &self.owner, settings, decided, shares)
    }

    /// The route to a predictor alone, which can get all requests as soon as it serves; there is nothing to decide.
    pub(super) fn only_route(&self) -> Option<Route> {
        match (&self.deployment.predictors[..], &self.revisions[..]) {
            ([predictor], [revision]) => {
                let (predictor, revision) = (predictor.name.clone(), revision.clone());
                Some(Route { predictor, revision, weight: 100, before: None })
            }
            _ => None,
        }
    }

    /// The predictors, in their order.
    pub(super) fn predictors(&self) -> impl Iterator<Item = &str> {
        self.deployment.predictors.iter().map(|predictor| predictor.name.as_str())
    }

    /// The revision that a predictor is to be; `None` where it is not to be there.
    pub(super) fn revision(&self, predictor: &str) -> Option<&RevisionId> {
        self.predictors().zip(&self.revisions).find_map(|(name, revision)| (name == predictor).then_some(revision))
    }

    /// Whether all of its Deployments are there as far as the watch shows.
    pub(super) fn shows_in(&self, family: &Family) -> bool {
        self.named("Deployment").all(|wanted| observed::rollouts(family).any(|(name, ..)| name == wanted))
    }

    /// Whether an object of this kind and name is to be there.
    pub(super) fn wants(&self, kind: &str, name: &str) -> bool {
        self.named(kind).any(|wanted| wanted == name)
    }

    /// The names of the objects of a kind.
    pub(super) fn named(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.names.iter().filter(move |(one, _)| one == kind).map(|(_, name)| name.as_str())
    }
}

/// A document in which the services that graphs name are addresses, as far as these are known.
fn with_addresses(mut document: Value, addresses: &BTreeMap<String, String>) -> Value {
    if addresses.is_empty() {
        return document;
    }
    let nodes = document["spec"]["nodes"].as_object_mut().into_iter().flat_map(|nodes| nodes.values_mut());
    let steps = nodes.filter_map(|node| node["steps"].as_array_mut()).flatten().filter_map(Value::as_object_mut);
    for step in steps {
        if let Some(address) = step.get("serviceName").and_then(|name| addresses.get(name.as_str()?)) {
            step.insert("serviceUrl".to_owned(), json!(address));
            step.shift_remove("serviceName");
        }
    }
    document
}

/// Who scales to none must know who wakes.
fn none_to_wake(deployment: &Deployment, settings: &Settings) -> Option<String> {
    let mut specs = deployment.predictors.iter().flat_map(|predictor| &predictor.component_specs);
    let is_asked = specs.any(|spec| spec.scaling.is_some_and(|scaling| scaling.min_replicas == 0));
    let message = "minReplicas: one replica stays, since nothing would hold requests meanwhile; enable the built-in gateway \
                   of the chart, without TLS";
    (is_asked && settings.activator.is_none()).then(|| message.to_owned())
}

fn kind_and_name(object: &Value) -> Option<(String, String)> {
    Some((object["kind"].as_str()?.to_owned(), object["metadata"]["name"].as_str()?.to_owned()))
}

fn service_and_port(object: &Value) -> Option<(String, u64)> {
    let (_, name) = kind_and_name(object).filter(|(kind, _)| kind == "Service")?;
    Some((name, object["spec"]["ports"][0]["port"].as_u64()?))
}

/// A hash of objects, by which a change is seen.
pub(super) fn hash_of(objects: &[Value]) -> u64 {
    let mut hasher = DefaultHasher::new();
    objects.iter().for_each(|object| object.to_string().hash(&mut hasher));
    hasher.finish()
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

/// The objects, each with the revision that it serves, and the revisions of the predictors in their order.
fn build(
    source: Source<'_>,
    owner: &Owner,
    settings: &Settings,
) -> Result<(Vec<Value>, Vec<RevisionId>), Vec<BuildError>> {
    let mut objects = kubernetes::build(source, owner, settings)?;
    let predictors = source.deployment.predictors.iter();
    let revisions = predictors.map(|predictor| note_revision(&mut objects, &predictor.name)).collect();
    Ok((objects, revisions))
}

fn note_revision(objects: &mut [Value], predictor: &str) -> RevisionId {
    let revision = revision(objects, predictor);
    for object in objects {
        let annotations = &mut object["metadata"]["annotations"];
        if annotations[PREDICTOR_ANNOTATION] == predictor {
            annotations[REVISION_ANNOTATION] = json!(revision.as_str());
        }
    }
    revision
}
