//! Reading and deleting deployments.

use std::collections::BTreeMap;

use provost_api::{
    manifest::{ManifestDocument, parse_deployment},
    problem::Problem,
    rest::v1::{
        apply::Warning,
        deployments::{
            ChangeSummary, DeleteParameters, DeploymentDetail, DeploymentPage, DeploymentState, DeploymentSummary,
            History, ListParameters, NamespaceSummary, Namespaces, NodeSummary, PredictorSummary, Traffic,
            TrafficSeries,
        },
    },
    yaml::to_yaml,
};
use provost_domain::{
    Deployment, DeploymentId, ErrorCode, Namespace, Predictor, RequestLogging, ResourceName, ServiceGraph,
    graph::Node,
    plan::{PredictorReport, State, Timestamp},
    port::{
        deployments::{Change, ChangeNote, Mutation, Precondition, StoredDeployment},
        traffic::TrafficPoint,
    },
    service_graph::{RouterNode, ServiceStep},
};

use super::{App, apply::warning, format_time, problem};
use crate::reconcile::parse_stored;

const LIMIT: usize = 100;
const LIMIT_MAX: usize = 500;
pub(super) const HISTORY_MAX: u32 = 100;
const TRAFFIC_SECONDS: u64 = 900;
const TRAFFIC_SECONDS_MAX: u64 = 3600;

impl App {
    /// A page of deployments.
    pub async fn list(&self, parameters: &ListParameters) -> Result<DeploymentPage, Problem> {
        let version = self.wait_for_change(parameters.after_version).await;
        let namespace = parameters.namespace.as_deref().map(namespace).transpose()?;
        let stored = self.repository.list(namespace.as_ref()).await.map_err(problem)?;
        let mut items: Vec<_> = stored.iter().map(|stored| self.summary(stored)).collect();
        items.retain(|item| is_wanted(item, parameters));
        let total = items.len();
        if let Some(cursor) = &parameters.cursor {
            items.retain(|item| format!("{}/{}", item.namespace, item.name) > *cursor);
        }
        let limit = parameters.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|last| format!("{}/{}", last.namespace, last.name));
        Ok(DeploymentPage { items, total, next, version })
    }

    /// One deployment with its manifest.
    pub async fn get(&self, id: &DeploymentId, after_version: Option<u64>) -> Result<DeploymentDetail, Problem> {
        let version = self.wait_for_change(after_version).await;
        let stored = self.stored(id).await?;
        Ok(DeploymentDetail {
            summary: self.summary(&stored),
            manifest_yaml: to_yaml(&stored.document),
            warnings: self.warnings(&stored),
            manifest: stored.document,
            version,
        })
    }

    /// Deletes a deployment.
    pub async fn delete(&self, id: &DeploymentId, parameters: DeleteParameters, author: &str) -> Result<(), Problem> {
        let precondition = parameters.generation.map_or(Precondition::None, Precondition::Generation);
        let mutation = Mutation::Delete { id: id.clone(), precondition };
        let note = ChangeNote { author: author.to_owned(), message: parameters.message, time: self.clock.now() };
        self.repository.write(vec![mutation], note).await.map(drop).map_err(problem)
    }

    /// The latest changes of a deployment.
    pub async fn history(&self, id: &DeploymentId) -> Result<History, Problem> {
        let changes = self.repository.history(id, HISTORY_MAX).await.map_err(problem)?;
        if changes.is_empty() {
            return Err(unknown(id));
        }
        Ok(History { items: changes.iter().map(change_summary).collect() })
    }

    /// The namespaces that deployments can be in, and how many each has.
    pub async fn namespaces(&self) -> Result<Namespaces, Problem> {
        let stored = self.repository.list(None).await.map_err(problem)?;
        let known = self.repository.namespaces().await.map_err(problem)?;
        let mut counts: BTreeMap<_, _> = known.iter().map(|namespace| (namespace.to_string(), 0)).collect();
        for stored in stored {
            *counts.entry(stored.id.namespace.to_string()).or_default() += 1;
        }
        let items = counts.into_iter().map(|(name, deployments)| NamespaceSummary { name, deployments });
        Ok(Namespaces { items: items.collect() })
    }

    /// Recent traffic of a deployment.
    pub async fn traffic(&self, id: &DeploymentId, seconds: Option<u64>) -> Result<Traffic, Problem> {
        self.stored(id).await?;
        let seconds = seconds.unwrap_or(TRAFFIC_SECONDS).min(TRAFFIC_SECONDS_MAX);
        let since = Timestamp::from_millis(self.clock.now().as_millis().saturating_sub(seconds * 1000));
        Ok(traffic(&self.traffic.points(id, since)))
    }

    /// The stored deployment, or the problem that there is none.
    pub(crate) async fn stored(&self, id: &DeploymentId) -> Result<StoredDeployment, Problem> {
        self.repository.get(id).await.map_err(problem)?.ok_or_else(|| unknown(id))
    }

    fn summary(&self, stored: &StoredDeployment) -> DeploymentSummary {
        let deployment = parse_stored(stored, &self.catalog(), self.engine).ok();
        let report = stored.report.as_ref().filter(|report| report.generation == stored.generation);
        let (state, description) = match report {
            Some(report) => (state(report.state), report.description.clone()),
            None => (DeploymentState::Creating, "the change has not been looked at yet".to_owned()),
        };
        let id = &stored.id;
        let predictions =
            deployment.as_ref().map_or_else(|| "/api/v1.0/predictions".to_owned(), Deployment::predictions_path);
        DeploymentSummary {
            kind: stored.document.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned(),
            namespace: id.namespace.to_string(),
            name: id.name.to_string(),
            state,
            description,
            generation: stored.generation,
            observed_generation: stored.report.as_ref().map_or(0, |report| report.generation),
            created: format_time(stored.created),
            updated: format_time(stored.updated),
            predictors: deployment.as_ref().map(|deployment| predictors(stored, deployment)).unwrap_or_default(),
            request_log: deployment.is_none_or(|deployment| deployment.request_log == RequestLogging::On),
            predict_path: format!("/seldon/{}/{}{predictions}", id.namespace, id.name),
        }
    }

    fn warnings(&self, stored: &StoredDeployment) -> Vec<Warning> {
        let Ok(document) = ManifestDocument::from_json("metadata", stored.document.clone()) else { return Vec::new() };
        let findings = parse_deployment(&document, &stored.id.namespace, &self.catalog(), self.engine)
            .map(|(_, findings)| findings);
        findings.unwrap_or_default().into_iter().map(warning).collect()
    }
}

/// The id that two parts of a path name.
pub(crate) fn deployment_id(namespace_text: &str, name: &str) -> Result<DeploymentId, Problem> {
    let namespace = namespace(namespace_text)?;
    let name = ResourceName::try_from(name).map_err(|error| Problem::new(ErrorCode::BadRequest, error.to_string()))?;
    Ok(DeploymentId { namespace, name })
}

fn namespace(text: &str) -> Result<Namespace, Problem> {
    Namespace::try_from(text).map_err(|error| Problem::new(ErrorCode::BadRequest, error.to_string()))
}

fn unknown(id: &DeploymentId) -> Problem {
    let detail = format!("there is no deployment `{}` in the namespace `{}`", id.name, id.namespace);
    Problem::new(ErrorCode::NotFound, detail)
}

fn is_wanted(item: &DeploymentSummary, parameters: &ListParameters) -> bool {
    let has_state = parameters.state.is_none_or(|state| item.state == state);
    let matches = |text: &String| item.name.contains(text.as_str()) || item.namespace.contains(text.as_str());
    has_state && parameters.search.as_ref().is_none_or(matches)
}

fn state(state: State) -> DeploymentState {
    match state {
        State::Available => DeploymentState::Available,
        State::Creating => DeploymentState::Creating,
        State::Failed => DeploymentState::Failed,
    }
}

fn predictors(stored: &StoredDeployment, deployment: &Deployment) -> Vec<PredictorSummary> {
    let reported = |name: &str| stored.report.as_ref()?.predictors.iter().find(|reported| reported.name == name);
    let summary = |(predictor, desired): (&Predictor, u32)| {
        predictor_summary(stored, predictor, desired, reported(&predictor.name))
    };
    deployment.predictors.iter().zip(deployment.weights()).map(summary).collect()
}

fn predictor_summary(
    stored: &StoredDeployment,
    predictor: &Predictor,
    desired_weight: u32,
    reported: Option<&PredictorReport>,
) -> PredictorSummary {
    let node = &predictor.graph;
    let mut nodes = Vec::new();
    node.children.iter().for_each(|child| add_nodes(stored, child, 1, &mut nodes));
    nodes.extend(predictor.services.iter().flat_map(nodes_of_services));
    PredictorSummary {
        name: predictor.name.clone(),
        state: reported.map_or(DeploymentState::Creating, |reported| state(reported.state)),
        reason: reported.and_then(|reported| reported.reason.clone()),
        weight: reported.map_or(0, |reported| reported.weight),
        desired_weight,
        shadow: predictor.shadow,
        revision: reported.and_then(|reported| reported.revision.as_ref()).map(ToString::to_string),
        node: node.name.clone(),
        implementation: node.implementation.as_str().to_owned(),
        model_uri: node.model_uri.clone(),
        digest: digest(stored, node),
        nodes,
    }
}

/// Adds a node and those below it.
fn add_nodes(stored: &StoredDeployment, node: &Node, depth: u32, nodes: &mut Vec<NodeSummary>) {
    nodes.push(NodeSummary {
        name: node.name.clone(),
        depth,
        kind: node.kind.as_str().to_owned(),
        implementation: node.implementation.as_str().to_owned(),
        model_uri: node.model_uri.clone(),
        digest: digest(stored, node),
    });
    node.children.iter().for_each(|child| add_nodes(stored, child, depth + 1, nodes));
}

/// The nodes of a graph of services, each with its steps below it.
fn nodes_of_services(graph: &ServiceGraph) -> impl Iterator<Item = NodeSummary> {
    let of = |(name, node): (&String, &RouterNode)| {
        let summary = |name: String, depth, kind: String, implementation: String| NodeSummary {
            name,
            depth,
            kind,
            implementation,
            model_uri: None,
            digest: None,
        };
        let step = |(index, step): (usize, &ServiceStep)| {
            summary(step.called(index), 2, "STEP".to_owned(), step.target.to_string())
        };
        let steps = node.steps.iter().enumerate().map(step);
        let router = format!("{:?}", node.router);
        let node = summary(name.clone(), 1, router.clone(), router);
        std::iter::once(node).chain(steps).collect::<Vec<_>>()
    };
    graph.nodes.iter().flat_map(of)
}

/// The digest of a node's files, once they were read.
fn digest(stored: &StoredDeployment, node: &Node) -> Option<String> {
    let artifact = stored.artifacts.iter().find(|artifact| Some(&artifact.uri) == node.model_uri.as_ref());
    artifact.map(|artifact| artifact.digest.to_string())
}

fn change_summary(change: &Change) -> ChangeSummary {
    ChangeSummary {
        generation: change.generation,
        time: format_time(change.note.time),
        author: change.note.author.clone(),
        message: change.note.message.clone(),
        manifest_yaml: change.document.as_ref().map(to_yaml),
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds and counts are far below 2^53")]
fn traffic(points: &[TrafficPoint]) -> Traffic {
    let mut series: Vec<TrafficSeries> = Vec::new();
    for point in points {
        let index = series.iter().position(|series| series.predictor == point.predictor).unwrap_or_else(|| {
            series.push(TrafficSeries { predictor: point.predictor.clone(), ..TrafficSeries::default() });
            series.len() - 1
        });
        let (series, seconds) = (&mut series[index], point.interval.max(1) as f64 / 1000.0);
        let millis = |micros: Option<u64>| micros.map(|micros| micros as f64 / 1000.0);
        series.time.push(point.time.as_millis() as f64 / 1000.0);
        series.rate.push(point.requests as f64 / seconds);
        series.client_errors.push(point.client_errors as f64 / seconds);
        series.server_errors.push(point.server_errors as f64 / seconds);
        series.p50.push(millis(point.p50));
        series.p95.push(millis(point.p95));
        series.p99.push(millis(point.p99));
    }
    let interval = points.last().map_or(0.0, |point| point.interval as f64 / 1000.0);
    Traffic { interval, series }
}
