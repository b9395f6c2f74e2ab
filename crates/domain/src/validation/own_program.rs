//! What a node asks for whose program is the user's own: on a cluster a container of its own beside the orchestrator,
//! elsewhere a server that runs already.

use super::{Violation, for_each_node, predictors};
use crate::{Deployment, Engine, FieldPath, Predictor, ServerCatalog, deployment::Protocol, graph::Node};

/// Everything that is wrong with such nodes.
pub(super) fn check(deployment: &Deployment, catalog: &ServerCatalog, engine: Engine) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, predictor) in predictors(deployment) {
        let mut has_own = false;
        for_each_node(&predictor.graph, &path.field("graph"), &mut |node, path| {
            if node.is_own_program() && !node.name.is_empty() {
                has_own = true;
                check_transport(deployment, node, path, &mut violations);
                if engine == Engine::Process {
                    check_server(node, path, catalog, &mut violations);
                }
            }
        });
        if has_own {
            check_timeout(deployment, predictor, &path, &mut violations);
        }
    }
    violations
}

/// Over gRPC there is Seldon's protocol, and predictions of V2.
fn check_transport(deployment: &Deployment, node: &Node, path: &FieldPath, violations: &mut Vec<Violation>) {
    let calls = node.calls();
    let (name, lacks) = match deployment.protocol {
        _ if !deployment.calls_grpc() => return,
        Protocol::Tensorflow => ("tensorflow", true),
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
    if node.authority().is_none() {
        let message = format!(
            "containers run on a Kubernetes cluster only; tell with `endpoint.service_host` and `endpoint.httpPort` \
             (or `grpcPort`, with `type: GRPC`) where your program listens, or use one of {} as `implementation`, with `modelUri`",
            catalog.supported_names()
        );
        violations.push(Violation::not_supported(path.field("endpoint"), (), message));
    }
    if let Some(uri) = node.model_uri.as_deref().filter(|uri| !uri.is_empty()) {
        let message = "a program of your own that runs already loads its model itself; remove it";
        violations.push(Violation::not_supported(path.field("modelUri"), uri, message));
    }
}

fn check_timeout(deployment: &Deployment, predictor: &Predictor, path: &FieldPath, violations: &mut Vec<Violation>) {
    let annotation = deployment.timeout_annotation();
    let Some(text) = deployment.annotation(predictor, annotation) else { return };
    if deployment.node_timeout(predictor).is_none() {
        let of_predictor = predictor.annotations.contains_key(annotation);
        let holder = if of_predictor { path.clone() } else { FieldPath::of("metadata") };
        let message = format!("`{text}` is not a number of milliseconds; write one such as `5000`");
        violations.push(Violation::invalid(holder.field("annotations").key(annotation), text, message));
    }
}
