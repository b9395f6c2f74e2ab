//! The rules of the validating webhook of Seldon Core, with its messages word for word, and the few of
//! Kubernetes that its API server checks before.

use std::collections::{BTreeSet, HashSet};

use super::{Violation, for_each_node, predictors};
use crate::{
    Deployment, Engine, FieldPath, Predictor, ResourceName, ServerCatalog,
    deployment::{NO_ENGINE_ANNOTATION, Protocol, ResourceKind, ServerType, Transport},
    graph::{EndpointKind, Implementation, Node, NodeKind},
    server_catalog::ModelServer,
};

/// For a `spec.protocol` that is none of Seldon's.
pub const INVALID_PROTOCOL: &str = "Invalid protocol";
/// For a `spec.transport` that is none of Seldon's.
pub const INVALID_TRANSPORT: &str = "Invalid transport";
/// For a `spec.serverType` that is none of Seldon's.
pub const INVALID_SERVER_TYPE: &str = "Invalid serverType";

const NO_PREDICTORS: &str = "Graph contains no predictors";
const NO_CONTAINER: &str = "Can't find container for Predictive Unit";
const NO_METHODS: &str =
    "Predictive Unit has no implementation methods defined. Change to a known type or add what methods it defines";
const NO_MODEL_URI: &str = "Predictive unit modelUri required when using standalone servers";
const TENSORFLOW_PROTOCOL: &str = "Prepackaged server does not handle tendorflow protocol";
const NO_SERVER: &str = "No entry in predictors map for";
const NO_LOGGER_MODE: &str = "No logger mode specified";
const MULTIPLE_SHADOWS: &str = "Multiple shadows are not allowed";
const ONLY_SHADOW: &str = "Shadow can not exist as only predictor";
const TRAFFIC_OF_SEVERAL: &str = "Traffic must sum to 100 for multiple predictors";
const TRAFFIC_OF_ONE: &str = "Traffic must sum be 100 for a single predictor when set";
const DUPLICATE_NAME: &str = "Duplicate predictor name";
const NO_ENGINE: &str = "Running without engine only valid for single element graphs";
const KAFKA_ENVIRONMENT: &str =
    "For kafka please supply svcOrchSpec envs KAFKA_BROKER, KAFKA_INPUT_TOPIC, KAFKA_OUTPUT_TOPIC";
const SEVERAL_ENDPOINT_TYPES: &str =
    "Multiple endpoint.types found - can only have 1 type in graph. Please use spec.transport";
const MIXED_TRANSPORTS: &str =
    "Mixed transport types found. Remove graph endpoint.types if transport set at deployment level";

/// Environment variables without which a predictor cannot read from Kafka.
const KAFKA_VARIABLES: [&str; 3] = ["KAFKA_BROKER", "KAFKA_INPUT_TOPIC", "KAFKA_OUTPUT_TOPIC"];
/// Prepackaged servers that do not speak the protocol of `TensorFlow`.
const NOT_TENSORFLOW: [&str; 3] = ["SKLEARN_SERVER", "XGBOOST_SERVER", "MLFLOW_SERVER"];

/// Every rule that the deployment breaks.
pub(super) fn check(deployment: &Deployment, catalog: &ServerCatalog, engine: Engine) -> Vec<Violation> {
    let mut violations = Vec::new();
    check_predictors_exist(deployment, &mut violations);
    check_predictor_names(deployment, &mut violations);
    for (path, predictor) in predictors(deployment) {
        check_predictor((deployment, predictor), &path, (catalog, engine), &mut violations);
        check_containers(predictor, &path, engine, &mut violations);
    }
    check_shadows(deployment, &mut violations);
    check_traffic(deployment, &mut violations);
    check_transports(deployment, &mut violations);
    check_replicas(deployment, &mut violations);
    violations
}

fn check_predictors_exist(deployment: &Deployment, violations: &mut Vec<Violation>) {
    if deployment.predictors.is_empty() {
        violations.push(Violation::invalid(FieldPath::of("spec").field("predictors"), (), NO_PREDICTORS));
    }
}

fn check_predictor_names(deployment: &Deployment, violations: &mut Vec<Violation>) {
    let mut seen = HashSet::new();
    for (path, predictor) in predictors(deployment) {
        let name = predictor.name.as_str();
        if name.is_empty() {
            violations.push(Violation::required(path.field("name"), "a predictor must have a name"));
        } else if let Err(error) = ResourceName::try_from(name) {
            violations.push(Violation::invalid(path.field("name"), name, error.to_string()));
        }
        if !name.is_empty() && !seen.insert(name) {
            violations.push(Violation::invalid(path.field("name"), name, DUPLICATE_NAME));
        }
    }
}

fn check_predictor(
    (deployment, predictor): (&Deployment, &Predictor),
    path: &FieldPath,
    (catalog, engine): (&ServerCatalog, Engine),
    violations: &mut Vec<Violation>,
) {
    let graph = path.field("graph");
    check_no_engine(predictor, path, violations);
    check_kafka(deployment, predictor, path, violations);
    if predictor.graph.is_absent() {
        return violations.push(Violation::invalid(graph, (), NO_PREDICTORS));
    }
    for_each_node(&predictor.graph, &graph, &mut |node, path| {
        check_node_name(node, path, violations);
        check_methods(node, path, violations);
        check_server(deployment, (node, path), (catalog, engine), violations);
        check_logger(node, path, violations);
    });
}

fn check_no_engine(predictor: &Predictor, path: &FieldPath, violations: &mut Vec<Violation>) {
    let without_engine = predictor.annotations.get(NO_ENGINE_ANNOTATION).is_some_and(|value| value == "true");
    if without_engine && !predictor.graph.children.is_empty() {
        let annotation = path.field("annotations").key(NO_ENGINE_ANNOTATION);
        violations.push(Violation::invalid(annotation, "true", NO_ENGINE));
    }
}

fn check_kafka(deployment: &Deployment, predictor: &Predictor, path: &FieldPath, violations: &mut Vec<Violation>) {
    let has = |name: &&str| predictor.orchestrator.environment.iter().any(|variable| variable == name);
    if deployment.server_type == ServerType::Kafka && !KAFKA_VARIABLES.iter().all(has) {
        let environment = path.field("svcOrchSpec").field("env");
        violations.push(Violation::invalid(environment, (), KAFKA_ENVIRONMENT));
    }
}

fn check_node_name(node: &Node, path: &FieldPath, violations: &mut Vec<Violation>) {
    if node.name.is_empty() {
        violations.push(Violation::required(path.field("name"), "a node must have a name"));
    } else if let Err(error) = ResourceName::try_from(node.name.as_str()) {
        violations.push(Violation::invalid(path.field("name"), node.name.as_str(), error.to_string()));
    }
}

/// A program of the user's own is in a container, or where none are run, a server that is told of.
fn check_containers(predictor: &Predictor, path: &FieldPath, engine: Engine, violations: &mut Vec<Violation>) {
    if predictor.graph.is_absent() {
        return;
    }
    let is_server = |node: &Node| engine == Engine::Process && node.authority().is_some();
    for_each_node(&predictor.graph, &path.field("graph"), &mut |node, path| {
        let is_users = node.implementation == Implementation::Unknown;
        if is_users && !predictor.has_container(&node.name) && !is_server(node) {
            violations.push(Violation::invalid(path.clone(), node.name.as_str(), NO_CONTAINER));
        }
    });
}

fn check_methods(node: &Node, path: &FieldPath, violations: &mut Vec<Violation>) {
    if node.is_own_program() && node.kind == NodeKind::UnknownType && node.methods.is_empty() {
        violations.push(Violation::invalid(path.field("type"), node.name.as_str(), NO_METHODS));
    }
}

fn check_server(
    deployment: &Deployment,
    (node, path): (&Node, &FieldPath),
    (catalog, engine): (&ServerCatalog, Engine),
    violations: &mut Vec<Violation>,
) {
    let Implementation::Server(server) = &node.implementation else {
        return;
    };
    let implementation = path.field("implementation");
    let of_seldon = deployment.kind == ResourceKind::SeldonDeployment;
    // Serving runtimes are chosen, not named so.
    let known = if of_seldon { catalog.get(server) } else { catalog.find(server) };
    // Here a server with a program of its own runs already, with its model.
    let brings_model = engine == Engine::Process && node.is_own_program();
    let needs_model = !brings_model && known.is_none_or(ModelServer::needs_model_uri);
    if needs_model && node.model_uri.as_deref().is_none_or(str::is_empty) {
        violations.push(Violation::invalid(path.field("modelUri"), (), NO_MODEL_URI));
    }
    if of_seldon && deployment.protocol == Protocol::Tensorflow && NOT_TENSORFLOW.contains(&server.as_str()) {
        let message = format!("{TENSORFLOW_PROTOCOL} {server}");
        violations.push(Violation::invalid(implementation.clone(), server.as_str(), message));
    }
    if known.is_none() {
        let message = format!("{NO_SERVER} {server}; known are {}", catalog.names(Engine::Kubernetes));
        violations.push(Violation::invalid(implementation, server.as_str(), message));
    }
}

fn check_logger(node: &Node, path: &FieldPath, violations: &mut Vec<Violation>) {
    if node.logger.as_ref().is_some_and(|logger| logger.mode.is_none()) {
        violations.push(Violation::invalid(path.field("logger").field("mode"), (), NO_LOGGER_MODE));
    }
}

fn check_shadows(deployment: &Deployment, violations: &mut Vec<Violation>) {
    let shadows: Vec<_> = predictors(deployment).filter(|(_, predictor)| predictor.shadow).collect();
    for (path, _) in shadows.iter().skip(1) {
        violations.push(Violation::invalid(path.field("shadow"), true, MULTIPLE_SHADOWS));
    }
    if let ([(path, _)], 1) = (shadows.as_slice(), deployment.predictors.len()) {
        violations.push(Violation::invalid(path.field("shadow"), true, ONLY_SHADOW));
    }
}

fn check_traffic(deployment: &Deployment, violations: &mut Vec<Violation>) {
    for (path, predictor) in predictors(deployment) {
        if let Some(traffic) = predictor.traffic.filter(|traffic| !(0..=100).contains(traffic)) {
            let message = "traffic is a share in percent; use a number from 0 to 100";
            violations.push(Violation::invalid(path.field("traffic"), traffic, message));
        }
    }
    let live: Vec<_> = predictors(deployment).filter(|(_, predictor)| !predictor.shadow).collect();
    let sum: i64 = live.iter().map(|(_, predictor)| i64::from(predictor.traffic.unwrap_or(0))).sum();
    if live.len() > 1 && sum != 100 {
        violations.push(Violation::invalid(FieldPath::of("spec").field("predictors"), sum, TRAFFIC_OF_SEVERAL));
    }
    if let ([(path, _)], 1..100) = (live.as_slice(), sum) {
        violations.push(Violation::invalid(path.field("traffic"), sum, TRAFFIC_OF_ONE));
    }
}

fn check_transports(deployment: &Deployment, violations: &mut Vec<Violation>) {
    let nodes = deployment.predictors.iter().flat_map(|predictor| predictor.graph.nodes());
    let kinds: BTreeSet<EndpointKind> = nodes.filter_map(|node| node.endpoint.as_ref()?.kind).collect();
    let spec = FieldPath::of("spec");
    if kinds.len() > 1 {
        violations.push(Violation::invalid(spec.field("predictors"), (), SEVERAL_ENDPOINT_TYPES));
    }
    let other = match deployment.transport {
        Some(Transport::Rest) => EndpointKind::Grpc,
        Some(Transport::Grpc) => EndpointKind::Rest,
        None => return,
    };
    if kinds.contains(&other) {
        violations.push(Violation::invalid(spec.field("transport"), (), MIXED_TRANSPORTS));
    }
}

fn check_replicas(deployment: &Deployment, violations: &mut Vec<Violation>) {
    let mut check = |path: FieldPath, replicas: Option<i32>| {
        if let Some(replicas) = replicas.filter(|replicas| *replicas < 0) {
            violations.push(Violation::invalid(path, replicas, "replicas cannot be negative"));
        }
    };
    check(FieldPath::of("spec").field("replicas"), deployment.replicas);
    for (path, predictor) in predictors(deployment) {
        check(path.field("replicas"), predictor.replicas);
        check(path.field("svcOrchSpec").field("replicas"), predictor.orchestrator.replicas);
        for (index, spec) in predictor.component_specs.iter().enumerate() {
            check(path.field("componentSpecs").index(index).field("replicas"), spec.replicas);
        }
    }
}
