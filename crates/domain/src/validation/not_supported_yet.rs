//! What is valid in Seldon Core and refused by this version, with what to do instead.
//!
//! Only what depends on a value is decided here; fields that are refused whenever they are set
//! (explainer, images) are in the field table of their kind.

use super::{Violation, for_each_node, predictors};
use crate::{
    Deployment, Engine, FieldPath, ModelUri, ServerCatalog,
    deployment::ServerType,
    graph::{Implementation, Node, Parameter},
    server_catalog::ModelServer,
};

/// The parameter that names what a model computes.
const METHOD: &str = "method";
/// Its values.
const PREDICTION_METHODS: [&str; 5] = ["predict_proba", "predict", "transform", "decision_function", "score_samples"];

/// For the claim of a volume where there are none.
const CLAIM_IN_PROCESS: &str =
    "a claimed volume is mounted on a Kubernetes cluster only; use a path of this machine, a bucket or a web server";

/// Everything in the deployment that this version cannot do.
pub(super) fn check(deployment: &Deployment, catalog: &ServerCatalog, engine: Engine) -> Vec<Violation> {
    let mut violations = Vec::new();
    check_server_type(deployment, &mut violations);
    for (path, predictor) in predictors(deployment) {
        for_each_node(&predictor.graph, &path.field("graph"), &mut |node, path| {
            check_model_uri(node, path, engine, &mut violations);
            check_parameters(node, path, catalog, &mut violations);
        });
    }
    violations
}

fn check_server_type(deployment: &Deployment, violations: &mut Vec<Violation>) {
    if deployment.server_type == ServerType::Kafka {
        let message = "`kafka` is not supported yet; use `rpc` or leave it out";
        violations.push(Violation::not_supported(FieldPath::of("spec").field("serverType"), "kafka", message));
    }
}

fn check_model_uri(node: &Node, path: &FieldPath, engine: Engine, violations: &mut Vec<Violation>) {
    let Some(uri) = node.model_uri.as_deref().filter(|uri| !uri.is_empty()) else { return };
    let path = || path.field("modelUri");
    match ModelUri::parse(uri) {
        Ok(ModelUri::Claim(_)) if engine == Engine::Process => {
            violations.push(Violation::not_supported(path(), uri, CLAIM_IN_PROCESS));
        }
        Ok(_) => {}
        Err(error) => violations.push(Violation::invalid(path(), uri, error.to_string())),
    }
}

/// A model server that is part of this program takes the parameter `method` and no other.
fn check_parameters(node: &Node, path: &FieldPath, catalog: &ServerCatalog, violations: &mut Vec<Violation>) {
    let Implementation::Server(server) = &node.implementation else { return };
    if !catalog.get(server).is_some_and(ModelServer::is_native) {
        return;
    }
    let named = |(_, parameter): &(usize, &Parameter)| !parameter.name.is_empty();
    for (index, parameter) in node.parameters.iter().enumerate().filter(named) {
        let path = path.field("parameters").index(index);
        if parameter.name != METHOD {
            let message = format!("`{server}` takes no parameter `{}`; it takes `{METHOD}`", parameter.name);
            violations.push(Violation::invalid(path.field("name"), parameter.name.as_str(), message));
        } else if !PREDICTION_METHODS.contains(&parameter.value.to_text().as_str()) {
            let value = parameter.value.to_text();
            let message =
                format!("`{value}` is not a method of `{server}`; use one of {}", PREDICTION_METHODS.join(", "));
            violations.push(Violation::invalid(path.field("value"), value, message));
        }
    }
}
