//! What a predictor asks for of how it is called, and what a node does that is a program of its own, the user's or a model server's: on a cluster a container of its own
//! beside the orchestrator, elsewhere a server that runs already.

use super::{Violation, for_each_node, predictors};
use crate::{
    Deployment, Engine, FieldPath, Predictor, ServerCatalog,
    deployment::{BATCH_LATENCY_ANNOTATION, BATCH_SIZE_ANNOTATION, CONCURRENCY_ANNOTATION, Protocol},
    graph::{Implementation, Node},
    server_catalog::ModelServer,
};

/// Everything that is wrong with such nodes.
pub(super) fn check(deployment: &Deployment, catalog: &ServerCatalog, engine: Engine) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, predictor) in predictors(deployment) {
        check_batching(deployment, predictor, &path, &mut violations);
        let mut has_own = false;
        for_each_node(&predictor.graph, &path.field("graph"), &mut |node, path| {
            if node.is_own_program() && !node.name.is_empty() {
                has_own = true;
                check_transport(deployment, node, path, &mut violations);
                match engine {
                    Engine::Process => check_server(node, path, catalog, &mut violations),
                    Engine::Kubernetes => check_protocol(deployment, node, path, catalog, &mut violations),
                }
            }
        });
        if has_own {
            check_timeout(deployment, predictor, &path, &mut violations);
            check_concurrency(deployment, predictor, &path, &mut violations);
        }
    }
    violations
}

/// Over gRPC there is Seldon's protocol, and predictions of V1 and V2.
fn check_transport(deployment: &Deployment, node: &Node, path: &FieldPath, violations: &mut Vec<Violation>) {
    let calls = node.calls();
    let (name, lacks) = match deployment.protocol {
        _ if !deployment.calls_grpc() => return,
        Protocol::Tensorflow => ("tensorflow", calls.route || calls.aggregate),
        Protocol::Kfserving => ("kfserving", calls.route || calls.aggregate),
        Protocol::Seldon => return,
    };
    if lacks {
        let message = format!("`{name}` has no such calls of programs over gRPC; use `REST`, or the protocol `seldon`");
        violations.push(Violation::not_supported(path.field("endpoint").field("type"), "GRPC", message));
    }
}

/// Here no container is run: the program must be a server already, with its own model.
fn check_server(node: &Node, path: &FieldPath, catalog: &ServerCatalog, violations: &mut Vec<Violation>) {
    let is_nowhere = node.authority().is_none();
    if is_nowhere {
        violations.extend(no_server(node, path, catalog));
    }
    // A model server's model is right where the server is.
    if is_nowhere && node.implementation.is_prepackaged() {
        return;
    }
    if let Some(uri) = node.model_uri.as_deref().filter(|uri| !uri.is_empty()) {
        let message = "a program that runs already loads its model itself; remove it";
        violations.push(Violation::not_supported(path.field("modelUri"), uri, message));
    }
}

/// What is wrong with a node that does not tell where its server listens. A name that is not known is told elsewhere.
fn no_server(node: &Node, path: &FieldPath, catalog: &ServerCatalog) -> Option<Violation> {
    let native = catalog.names(Engine::Process);
    if node.implementation == Implementation::Unknown {
        let message = format!(
            "containers run on a Kubernetes cluster only; tell with `endpoint.service_host` and `endpoint.httpPort` \
             (or `grpcPort`, with `type: GRPC`) where your program listens, or use one of {native} as `implementation`, with `modelUri`"
        );
        return Some(Violation::not_supported(path.field("endpoint"), (), message));
    }
    let name = &server_of(node, catalog)?.implementation;
    let message = format!(
        "`{name}` runs in a container, on a Kubernetes cluster only; tell with `endpoint.service_host` and \
         `endpoint.httpPort` where one runs already, or use one of {native}, with `modelUri`"
    );
    Some(Violation::not_supported(path.field("implementation"), name.as_str(), message))
}

fn server_of<'a>(node: &Node, catalog: &'a ServerCatalog) -> Option<&'a ModelServer> {
    catalog.find(node.implementation.as_str())
}

/// There, the server must have a container for what the deployment speaks.
fn check_protocol(
    deployment: &Deployment,
    node: &Node,
    path: &FieldPath,
    catalog: &ServerCatalog,
    violations: &mut Vec<Violation>,
) {
    let Some(server) = server_of(node, catalog) else { return };
    if server.container(deployment.protocol).is_none() {
        let (name, speaks) = (node.implementation.as_str(), server.protocols());
        let message =
            format!("`{name}` does not speak `{}`; set spec.protocol to one of {speaks}", deployment.protocol.as_str());
        violations.push(Violation::not_supported(path.field("implementation"), name, message));
    }
}

fn check_timeout(deployment: &Deployment, predictor: &Predictor, path: &FieldPath, violations: &mut Vec<Violation>) {
    let annotation = deployment.timeout_annotation();
    let Some(text) = deployment.annotation(predictor, annotation) else { return };
    if deployment.node_timeout(predictor).is_none() {
        let message = format!("`{text}` is not a number of milliseconds; write one such as `5000`");
        violations.push(Violation::invalid(place(predictor, path, annotation), text, message));
    }
}

fn check_concurrency(
    deployment: &Deployment,
    predictor: &Predictor,
    path: &FieldPath,
    violations: &mut Vec<Violation>,
) {
    let Some(text) = deployment.annotation(predictor, CONCURRENCY_ANNOTATION) else { return };
    if deployment.node_concurrency(predictor).is_none() {
        let message = format!("`{text}` is not a number of requests; write one such as `4`, or `0` for no limit");
        violations.push(Violation::invalid(place(predictor, path, CONCURRENCY_ANNOTATION), text, message));
    }
}

/// Requests are gathered for whatever is all of a predictor, a program or a model of this server.
fn check_batching(deployment: &Deployment, predictor: &Predictor, path: &FieldPath, violations: &mut Vec<Violation>) {
    for (annotation, what) in [(BATCH_SIZE_ANNOTATION, "instances"), (BATCH_LATENCY_ANNOTATION, "milliseconds")] {
        let Some(text) = deployment.annotation(predictor, annotation) else { continue };
        let place = place(predictor, path, annotation);
        if text.trim().parse::<u32>().is_err() {
            let message = format!("`{text}` is not a number of {what}; write one such as `100`");
            violations.push(Violation::invalid(place, text, message));
        } else if !predictor.graph.children.is_empty() {
            let message = "requests to a graph of several nodes are not gathered; remove it";
            violations.push(Violation::not_supported(place, text, message));
        }
    }
}

/// Where an annotation of a predictor stands, or of its deployment.
fn place(predictor: &Predictor, path: &FieldPath, annotation: &str) -> FieldPath {
    let of_predictor = predictor.annotations.contains_key(annotation);
    let holder = if of_predictor { path.clone() } else { FieldPath::of("metadata") };
    holder.field("annotations").key(annotation)
}
