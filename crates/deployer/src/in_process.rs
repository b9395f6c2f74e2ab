//! The engine of one process: `Ensure` loads, `Route` swaps one routing table, `Retire` drops.

use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::{
    Deployment, DeploymentId, Digest, Predictor, RevisionId,
    graph::{Implementation, Node},
    plan::{ObservedRevision, PredictorReport, Report, Route, Step},
    port::{
        deployer::{Deployer, Subject},
        deployments::ResolvedArtifact,
        model_host::{HostedPredictor, ModelHost},
        routes::RoutePublisher,
    },
    routing_table::{DeploymentRoutes, Learning, NodeRoute, NodeRuns, NodeServer, PredictorRoute},
};

/// The annotation of a predictor that Seldon's metrics carry as its version.
const VERSION_ANNOTATION: &str = "version";

/// Deploys into this process.
pub struct InProcessDeployer {
    host: Arc<dyn ModelHost>,
    routes: Arc<dyn RoutePublisher>,
}

impl InProcessDeployer {
    /// A deployer that loads with `host` and routes with `routes`.
    pub fn new(host: Arc<dyn ModelHost>, routes: Arc<dyn RoutePublisher>) -> Self {
        Self { host, routes }
    }

    fn ensure(&self, subject: Subject<'_>, name: &str, revision: &RevisionId) {
        let Some(predictor) = subject.deployment.and_then(|deployment| find(deployment, name)) else { return };
        self.host.ensure(HostedPredictor {
            deployment: subject.id.clone(),
            predictor: name.to_owned(),
            revision: revision.clone(),
            graph: predictor.graph.clone(),
            artifacts: digests(predictor, subject.artifacts),
        });
    }

    fn route(&self, subject: Subject<'_>, routes: &[Route]) {
        let Some(deployment) = subject.deployment else { return self.routes.publish(subject.id, None) };
        let before = self.routes.current(subject.id).unwrap_or_default();
        let routed = |route: &Route| {
            // A revision that stays keeps the names it was put in force with.
            let known = before.predictors.iter().find(|known| is_same(known, route));
            let mirrored = find(deployment, &route.predictor).and_then(Predictor::mirrored);
            let known = known.map(|known| PredictorRoute { weight: route.weight, mirrored, ..known.clone() });
            known.or_else(|| find(deployment, &route.predictor).map(|predictor| compile(deployment, predictor, route)))
        };
        let predictors = routes.iter().filter_map(routed).collect();
        let published = DeploymentRoutes {
            predictors,
            unavailable: None,
            request_log: deployment.request_log,
            protocol: deployment.protocol,
            kind: deployment.kind,
        };
        self.routes.publish(subject.id, Some(published));
    }

    /// Tells callers why nothing answers, and has those that answer follow what is no matter of their revision: whether
    /// requests are logged, of how many shadows get copies, how requests are gathered, how long programs may take.
    fn report(&self, subject: Subject<'_>, report: &Report) {
        let Some(deployment) = subject.deployment else { return self.routes.publish(subject.id, None) };
        let current = self.routes.current(subject.id);
        let mut routes = current.clone().unwrap_or_default();
        routes.request_log = deployment.request_log;
        (routes.protocol, routes.kind) = (deployment.protocol, deployment.kind);
        for route in &mut routes.predictors {
            // One that leaves stays as it is.
            if let Some(predictor) = find(deployment, &route.predictor) {
                route.mirrored = predictor.mirrored();
                if report.predictors.iter().any(|told| is_of(route, told)) {
                    follow(route, deployment, predictor);
                }
            }
        }
        routes.unavailable = routes.predictors.is_empty().then(|| unavailable(report));
        if current.as_ref() != Some(&routes) {
            self.routes.publish(subject.id, Some(routes));
        }
    }
}

#[async_trait]
impl Deployer for InProcessDeployer {
    async fn observe(&self, id: &DeploymentId) -> (Vec<ObservedRevision>, Vec<Route>) {
        let route = |route: &PredictorRoute| Route {
            predictor: route.predictor.clone(),
            revision: route.revision.clone(),
            weight: route.weight,
            before: None,
        };
        let current = self.routes.current(id).unwrap_or_default();
        (self.host.observe(id), current.predictors.iter().map(route).collect())
    }

    async fn execute(&self, subject: Subject<'_>, step: &Step) {
        match step {
            Step::Ensure { predictor, revision } => self.ensure(subject, predictor, revision),
            Step::Route { routes } => self.route(subject, routes),
            Step::Retire { predictor, revision } => self.host.retire(subject.id, predictor, revision),
            Step::Report(report) => self.report(subject, report),
        }
    }

    async fn forget(&self, id: &DeploymentId) {
        self.routes.publish(id, None);
    }

    async fn changed(&self) -> DeploymentId {
        self.host.changed().await
    }
}

impl std::fmt::Debug for InProcessDeployer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InProcessDeployer").finish_non_exhaustive()
    }
}

fn find<'a>(deployment: &'a Deployment, name: &str) -> Option<&'a Predictor> {
    deployment.predictors.iter().find(|predictor| predictor.name == name)
}

fn is_same(known: &PredictorRoute, route: &Route) -> bool {
    known.predictor == route.predictor && known.revision == route.revision
}

/// Whether the predictor that is told of is of the revision that answers.
fn is_of(route: &PredictorRoute, told: &PredictorReport) -> bool {
    told.name == route.predictor && told.revision.as_ref() == Some(&route.revision)
}

/// Has a route be as its predictor says, which is of the same revision. Nodes keep the names they were put in force with.
fn follow(route: &mut PredictorRoute, deployment: &Deployment, predictor: &Predictor) {
    route.version = version(predictor);
    route.batching = deployment.batching(predictor);
    follow_limits(&mut route.graph, &node(deployment, predictor, &predictor.graph));
}

fn follow_limits(known: &mut NodeRoute, now: &NodeRoute) {
    if let (NodeRuns::Server(known), NodeRuns::Server(now)) = (&mut known.runs, &now.runs) {
        (known.timeout, known.concurrency) = (now.timeout, now.concurrency);
    }
    known.children.iter_mut().zip(&now.children).for_each(|(known, now)| follow_limits(known, now));
}

fn version(predictor: &Predictor) -> String {
    predictor.annotations.get(VERSION_ANNOTATION).cloned().unwrap_or_default()
}

fn compile(deployment: &Deployment, predictor: &Predictor, route: &Route) -> PredictorRoute {
    PredictorRoute {
        predictor: route.predictor.clone(),
        revision: route.revision.clone(),
        weight: route.weight,
        mirrored: predictor.mirrored(),
        version: version(predictor),
        batching: deployment.batching(predictor),
        graph: node(deployment, predictor, &predictor.graph),
    }
}

/// A node with those below it.
fn node(deployment: &Deployment, predictor: &Predictor, of: &Node) -> NodeRoute {
    NodeRoute {
        name: of.name.clone(),
        // Of a program of the user's own, the program itself tells.
        image: match &of.implementation {
            Implementation::Unknown => String::new(),
            known => known.as_str().to_owned(),
        },
        runs: runs(deployment, predictor, of),
        calls: of.calls(),
        children: of.children.iter().map(|child| node(deployment, predictor, child)).collect(),
    }
}

fn runs(deployment: &Deployment, predictor: &Predictor, node: &Node) -> NodeRuns {
    match &node.implementation {
        known if known.is_native() => NodeRuns::Model,
        Implementation::SimpleModel => NodeRuns::SimpleModel,
        Implementation::SimpleRouter => NodeRuns::SimpleRouter,
        Implementation::RandomAbTest => NodeRuns::AbTest(node.first_ratio()),
        Implementation::AverageCombiner => NodeRuns::AverageCombiner,
        Implementation::EpsilonGreedy => NodeRuns::Learns(Learning::EpsilonGreedy { epsilon: node.epsilon() }),
        Implementation::ThompsonSampling => NodeRuns::Learns(Learning::ThompsonSampling),
        Implementation::ServiceGraph => NodeRuns::Services(predictor.services.clone().unwrap_or_default()),
        Implementation::Unknown | Implementation::Server(_) => NodeRuns::Server(NodeServer {
            // A program is called only once it answered there.
            authority: node.authority().unwrap_or_default(),
            timeout: deployment.node_timeout(predictor),
            concurrency: deployment.node_concurrency(predictor).filter(|most| *most > 0),
            protocol: deployment.protocol,
            grpc: node.is_grpc(),
        }),
    }
}

/// The digests of a predictor's nodes, depth first.
fn digests(predictor: &Predictor, artifacts: &[ResolvedArtifact]) -> Vec<Digest> {
    let digest_of = |uri: &str| artifacts.iter().find(|artifact| artifact.uri == uri).map(|a| a.digest.clone());
    predictor.graph.nodes().iter().filter_map(|node| digest_of(node.model_uri.as_deref()?)).collect()
}

fn unavailable(report: &Report) -> String {
    match report.description.as_str() {
        "" => "the deployment is being created".to_owned(),
        description => description.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use provost_api::manifest::{ManifestDocument, parse_deployment};
    use provost_domain::{Engine, Namespace, ServerCatalog, plan::State};
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Default)]
    struct Table(Mutex<Option<DeploymentRoutes>>);

    impl RoutePublisher for Table {
        fn current(&self, _id: &DeploymentId) -> Option<DeploymentRoutes> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }

        fn publish(&self, _id: &DeploymentId, routes: Option<DeploymentRoutes>) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = routes;
        }
    }

    /// Loads nothing.
    struct NoHost;

    #[async_trait]
    impl ModelHost for NoHost {
        fn ensure(&self, _predictor: HostedPredictor) {}

        fn retire(&self, _deployment: &DeploymentId, _predictor: &str, _revision: &RevisionId) {}

        fn observe(&self, _deployment: &DeploymentId) -> Vec<ObservedRevision> {
            Vec::new()
        }

        async fn changed(&self) -> DeploymentId {
            std::future::pending().await
        }
    }

    fn deployment(annotations: &Value) -> Deployment {
        let scorer =
            json!({"name": "scorer", "type": "MODEL", "endpoint": {"service_host": "localhost", "service_port": 9000}});
        let document = json!({
            "apiVersion": "machinelearning.seldon.io/v1",
            "kind": "SeldonDeployment",
            "metadata": {"name": "iris"},
            "spec": {"predictors": [{"name": "main", "annotations": annotations, "graph": scorer}]},
        });
        let document = ManifestDocument::from_json("iris", document).unwrap();
        let namespace = Namespace::default_namespace();
        parse_deployment(&document, &namespace, &ServerCatalog::default(), Engine::Process).unwrap().0
    }

    fn report(revision: &RevisionId, state: State) -> Step {
        let predictor = PredictorReport {
            name: "main".to_owned(),
            revision: Some(revision.clone()),
            state,
            reason: None,
            weight: 100,
        };
        Step::Report(Report { state, description: String::new(), predictors: vec![predictor], generation: 2 })
    }

    #[tokio::test]
    async fn what_is_no_matter_of_the_revision_is_followed_once_it_is_the_revision_that_answers() {
        let table = Arc::new(Table::default());
        let deployer = InProcessDeployer::new(Arc::new(NoHost), Arc::<Table>::clone(&table));
        let (first, second) = (RevisionId::of("first", &[]), RevisionId::of("second", &[]));
        let before = deployment(&json!({"version": "1", "seldon.io/rest-timeout": "1000"}));
        let subject = |deployment| Subject { id: &before.id, deployment: Some(deployment), artifacts: &[] };
        let route = Route { predictor: "main".to_owned(), revision: first.clone(), weight: 100, before: None };
        deployer.execute(subject(&before), &Step::Route { routes: vec![route] }).await;
        let seen = || {
            let routes = table.current(&before.id).unwrap();
            let NodeRuns::Server(server) = routes.predictors[0].graph.runs.clone() else { panic!("{routes:?}") };
            (routes.predictors[0].version.clone(), server.timeout)
        };
        assert_eq!(seen(), ("1".to_owned(), Some(1000)));
        let after = deployment(&json!({"version": "2", "seldon.io/rest-timeout": "2000"}));
        deployer.execute(subject(&after), &report(&second, State::Creating)).await;
        assert_eq!(seen(), ("1".to_owned(), Some(1000)), "another revision answers still");
        deployer.execute(subject(&after), &report(&first, State::Available)).await;
        assert_eq!(seen(), ("2".to_owned(), Some(2000)));
    }
}
