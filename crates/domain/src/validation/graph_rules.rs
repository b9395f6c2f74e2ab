//! What a graph of several nodes must be so that every request has a way through it.

use std::collections::HashSet;

use super::{Violation, for_each_node, predictors};
use crate::{
    Deployment, FieldPath, Predictor,
    graph::{EPSILON, Implementation, Method, Node, RATIO},
};

/// Most nodes of a graph.
const NODES_MAX: usize = 256;
/// Most nodes below one another.
const DEPTH_MAX: usize = 32;
/// Children of a `RANDOM_ABTEST`.
const BRANCHES: usize = 2;

/// Everything that is wrong with the graphs.
pub(super) fn check(deployment: &Deployment) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, predictor) in predictors(deployment) {
        let graph = path.field("graph");
        check_size(predictor, &graph, &mut violations);
        let mut names = HashSet::new();
        for_each_node(&predictor.graph, &graph, &mut |node, path| {
            if !node.name.is_empty() && !names.insert(node.name.as_str()) {
                let message = "another node of the graph has this name; give each its own";
                violations.push(Violation::invalid(path.field("name"), node.name.as_str(), message));
            }
            check_children(node, path, &mut violations);
            check_methods(node, path, &mut violations);
            if node.implementation.is_built_in() {
                check_built_in(node, path, &mut violations);
            }
        });
    }
    violations
}

fn check_size(predictor: &Predictor, path: &FieldPath, violations: &mut Vec<Violation>) {
    let count = predictor.graph.nodes().len();
    if count > NODES_MAX {
        let message = format!("a graph has at most {NODES_MAX} nodes; this one has {count}");
        violations.push(Violation::invalid(path.clone(), count, message));
    }
    let depth = depth(&predictor.graph);
    if depth > DEPTH_MAX {
        let message = format!("at most {DEPTH_MAX} nodes of a graph are below one another; of this one {depth} are");
        violations.push(Violation::invalid(path.clone(), depth, message));
    }
}

fn depth(node: &Node) -> usize {
    1 + node.children.iter().map(depth).max().unwrap_or(0)
}

fn check_children(node: &Node, path: &FieldPath, violations: &mut Vec<Violation>) {
    let calls = node.calls();
    let children = path.field("children");
    if node.implementation == Implementation::RandomAbTest && node.children.len() != BRANCHES {
        let message =
            format!("RANDOM_ABTEST chooses between {BRANCHES} children; this one has {}", node.children.len());
        violations.push(Violation::invalid(children, node.children.len(), message));
    } else if node.children.is_empty() && (calls.route || calls.aggregate) {
        let what = if calls.route { "chooses one of its children" } else { "makes one answer of its children's" };
        violations.push(Violation::required(children, format!("the node {what}, and has none")));
    }
}

/// A server of the catalogue is a MODEL: it predicts, and nothing else.
fn check_methods(node: &Node, path: &FieldPath, violations: &mut Vec<Violation>) {
    if !node.implementation.is_prepackaged() {
        return;
    }
    for (index, method) in node.methods.iter().enumerate().filter(|(_, method)| **method != Method::SendFeedback) {
        let message = "a model server predicts and has no other methods; remove it";
        violations.push(Violation::not_supported(
            path.field("methods").index(index),
            serde_json::json!(method),
            message,
        ));
    }
}

fn check_built_in(node: &Node, path: &FieldPath, violations: &mut Vec<Violation>) {
    let implementation = node.implementation.as_str();
    if let Some(uri) = node.model_uri.as_deref().filter(|uri| !uri.is_empty()) {
        let message = format!("{implementation} is built in and loads no model; remove it");
        violations.push(Violation::invalid(path.field("modelUri"), uri, message));
    }
    let takes = probability(&node.implementation);
    for (index, parameter) in node.parameters.iter().enumerate() {
        let path = path.field("parameters").index(index);
        let Some((_, what)) = takes.filter(|(name, _)| parameter.name == *name) else {
            let takes = takes.map_or_else(|| "none".to_owned(), |(name, _)| format!("`{name}`"));
            let message = format!("{implementation} takes no parameter `{}`; it takes {takes}", parameter.name);
            violations.push(Violation::invalid(path.field("name"), parameter.name.as_str(), message));
            continue;
        };
        if !parameter.value.as_number().is_some_and(|number| (0.0..=1.0).contains(&number)) {
            let message = format!("the probability of {what} is a number from 0 to 1");
            violations.push(Violation::invalid(path.field("value"), parameter.value.to_text(), message));
        }
    }
}

/// The parameter of what is built in, and of what it is the probability.
fn probability(implementation: &Implementation) -> Option<(&'static str, &'static str)> {
    match implementation {
        Implementation::RandomAbTest => Some((RATIO, "the first child")),
        Implementation::EpsilonGreedy => Some((EPSILON, "any child instead of the best")),
        _ => None,
    }
}
