//! Where the requests of deployments go: to the Services of their predictors, by the weights that are in force.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt as _;
use provost_api::manifest::{ManifestDocument, parse_deployment};
use provost_domain::{
    Deployment, DeploymentId, Engine, Predictor, ServerCatalog,
    deployment::Role,
    plan::{PredictorReport, State},
    port::{
        deployments::{DeploymentRepository as _, StoredDeployment},
        routes::BackendPublisher,
    },
    routing_table::{Backend, DeploymentBackends, Sleeper},
};

use super::ClusterDeployments;
use crate::{
    ModelServers,
    kubernetes::{HTTP_PORT, app, service, workload},
};

/// How long to wait for further changes after one.
const SETTLE: Duration = Duration::from_millis(100);

/// A predictor as its manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Described {
    service: String,
    role: Role,
    /// The predictor that it asks.
    asks: Option<String>,
    /// The percentage of the requests of which a shadow gets a copy.
    mirrored: Option<u32>,
    timeout: Option<u64>,
    sleeper: Option<Sleeper>,
}

/// The predictors of each deployment, read again when the generation is another.
type Read = HashMap<DeploymentId, (u64, BTreeMap<String, Described>)>;

/// Publishes the backends of all deployments whenever one of them changes. Never ends.
pub async fn follow_backends(
    deployments: ClusterDeployments,
    servers: ModelServers,
    publisher: Arc<dyn BackendPublisher>,
) {
    let (mut read, mut version, mut catalog) = (Read::new(), 0, servers.current());
    let mut changes = std::pin::pin!(servers.changes());
    loop {
        tokio::select! {
            _version = deployments.changed(version) => {}
            Some(()) = changes.next() => {}
        }
        // What changes together is looked at once.
        tokio::time::sleep(SETTLE).await;
        version = deployments.changed(0).await;
        let known = servers.current();
        if !Arc::ptr_eq(&known, &catalog) {
            // What could not be read may be readable now.
            read.values_mut().for_each(|(generation, _)| *generation = 0);
            catalog = known;
        }
        let stored = deployments.all();
        read.retain(|id, _| stored.iter().any(|stored| stored.id == *id));
        let all =
            stored.iter().map(|stored| (stored.id.clone(), backends(stored, described(&mut read, stored, &catalog))));
        publisher.publish_all(all.collect());
    }
}

/// The predictors of a deployment. Of a manifest that breaks a rule, those of the one before stay.
fn described<'a>(
    read: &'a mut Read,
    stored: &StoredDeployment,
    catalog: &ServerCatalog,
) -> &'a BTreeMap<String, Described> {
    let (generation, predictors) = read.entry(stored.id.clone()).or_default();
    if *generation != stored.generation {
        *generation = stored.generation;
        predictors.extend(parsed(stored, catalog).unwrap_or_default());
    }
    predictors
}

fn parsed(stored: &StoredDeployment, catalog: &ServerCatalog) -> Option<BTreeMap<String, Described>> {
    let document = ManifestDocument::from_json("metadata", stored.document.clone()).ok()?;
    let (deployment, _) = parse_deployment(&document, &stored.id.namespace, catalog, Engine::Kubernetes).ok()?;
    let predictors = deployment.predictors.iter().map(|predictor| {
        let service = service(&deployment, &predictor.name);
        let (timeout, sleeper) = (deployment.node_timeout(predictor), sleeper(&deployment, predictor));
        let (role, asks, mirrored) = (predictor.role, predictor.asks.clone(), predictor.mirrored());
        (predictor.name.clone(), Described { service, role, asks, mirrored, timeout, sleeper })
    });
    Some(predictors.collect())
}

/// What is woken where a predictor is scaled to none.
fn sleeper(deployment: &Deployment, predictor: &Predictor) -> Option<Sleeper> {
    let scaling = predictor.component_specs.first()?.scaling?;
    let name = deployment.id.name.as_str();
    (scaling.min_replicas == 0).then(|| Sleeper {
        namespace: deployment.id.namespace.to_string(),
        workload: workload(name, predictor, 0),
        app: app(name, &predictor.name),
    })
}

/// Where requests go, by what the operator reports to be in force.
fn backends(stored: &StoredDeployment, described: &BTreeMap<String, Described>) -> DeploymentBackends {
    let reported = stored.report.iter().flat_map(|report| &report.predictors);
    let backend = |predictor: &PredictorReport| {
        let Described { service, role, asks, mirrored, timeout, sleeper } = described.get(&predictor.name)?.clone();
        let authority = format!("{service}.{}.svc:{HTTP_PORT}", stored.id.namespace);
        // A shadow has no share of its own: it gets copies once it serves.
        let copies = mirrored.filter(|_| predictor.state == State::Available).unwrap_or(0);
        let (is_shadow, weight) = (mirrored.is_some(), if mirrored.is_some() { copies } else { predictor.weight });
        let backend = Backend { predictor: predictor.name.clone(), weight, is_shadow, authority, timeout, sleeper };
        Some((role, asks, backend))
    };
    let mut published = DeploymentBackends::default();
    for (role, asks, backend) in reported.filter_map(backend) {
        match (role, asks) {
            // It is asked once it can serve.
            (Role::Transformer, Some(asks)) if backend.weight > 0 => drop(published.transformers.insert(asks, backend)),
            (Role::Explainer, Some(asks)) => drop(published.explainers.insert(asks, backend)),
            (Role::Predictor, _) => published.backends.push(backend),
            _ => {}
        }
    }
    let description = stored.report.as_ref().map(|report| report.description.clone());
    DeploymentBackends {
        unavailable: description.filter(|text| !text.is_empty()).unwrap_or_else(|| "nothing serves it yet".to_owned()),
        ..published
    }
}

#[cfg(test)]
mod tests {
    use provost_domain::plan::{Report, Timestamp};
    use serde_json::json;

    use super::*;

    fn stored(generation: u64, predictors: &serde_json::Value, weights: &[(&str, u32)]) -> StoredDeployment {
        let predictors_reported = weights.iter().map(|(name, weight)| PredictorReport {
            name: (*name).to_owned(),
            revision: None,
            state: State::Available,
            reason: None,
            weight: *weight,
        });
        StoredDeployment {
            id: DeploymentId { namespace: "models".try_into().unwrap(), name: "iris".try_into().unwrap() },
            document: json!({
                "apiVersion": "machinelearning.seldon.io/v1",
                "kind": "SeldonDeployment",
                "metadata": {"name": "iris", "namespace": "models"},
                "spec": {"predictors": predictors},
            }),
            generation,
            created: Timestamp::default(),
            updated: Timestamp::default(),
            artifacts: Vec::new(),
            report: Some(Report {
                state: State::Available,
                description: String::new(),
                predictors: predictors_reported.collect(),
                generation,
            }),
            before: None,
        }
    }

    fn predictor(name: &str, more: &serde_json::Value) -> serde_json::Value {
        let mut predictor = json!({
            "name": name,
            "graph": {"name": "classifier", "implementation": "SKLEARN_SERVER", "modelUri": "s3://models/iris"},
        });
        predictor.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        predictor
    }

    #[test]
    fn requests_go_to_services_by_the_weights_in_force() {
        let named = json!({"annotations": {"seldon.io/svc-name": "own-name"}, "traffic": 100});
        let predictors = json!([predictor("main", &named), predictor("shadow", &json!({"shadow": true}))]);
        let stored = stored(1, &predictors, &[("main", 100), ("shadow", 0)]);
        let mut read = Read::new();
        let backends = backends(&stored, described(&mut read, &stored, &ServerCatalog::default()));
        let told: Vec<_> =
            backends.backends.iter().map(|one| (one.authority.as_str(), one.weight, one.is_shadow)).collect();
        assert_eq!(told, [("own-name.models.svc:8000", 100, false), ("iris-shadow.models.svc:8000", 100, true)]);
    }

    /// Where the requests of a service go that has this beside its predictor, with so much of the traffic.
    fn beside(name: &str, weight: u32) -> DeploymentBackends {
        let mut stored = stored(1, &json!([]), &[("default", 100), (name, weight)]);
        stored.document = json!({
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "iris", "namespace": "models"},
            "spec": {
                "predictor": {"sklearn": {"storageUri": "s3://models/iris"}},
                name: {"containers": [{"name": "mine", "image": "me/program:1"}]},
            },
        });
        let told = backends(&stored, described(&mut Read::new(), &stored, &ServerCatalog::default()));
        let asked: Vec<_> = told.backends.iter().map(|one| one.authority.as_str()).collect();
        assert_eq!(asked, ["iris-predictor.models.svc:8000"], "what stands beside is no predictor to be asked");
        told
    }

    #[test]
    fn requests_go_to_the_transformer_once_it_serves() {
        let asked = |weight| beside("transformer", weight).transformers.remove("default").map(|one| one.authority);
        assert_eq!(asked(0), None);
        assert_eq!(asked(100).as_deref(), Some("iris-transformer.models.svc:8000"));
    }

    #[test]
    fn an_explainer_is_known_without_a_share() {
        let explainer = beside("explainer", 0).explainers.remove("default").map(|one| one.authority);
        assert_eq!(explainer.as_deref(), Some("iris-explainer.models.svc:8000"));
    }

    #[test]
    fn a_manifest_that_breaks_a_rule_leaves_the_services_of_the_one_before() {
        let (mut read, catalog) = (Read::new(), ServerCatalog::default());
        let good = stored(1, &json!([predictor("main", &json!({}))]), &[("main", 100)]);
        described(&mut read, &good, &catalog);
        let bad = stored(2, &json!([]), &[("main", 100)]);
        let backends = backends(&bad, described(&mut read, &bad, &catalog));
        assert_eq!(backends.backends[0].authority, "iris-main.models.svc:8000");
        assert_eq!(backends.unavailable, "nothing serves it yet");
    }
}
