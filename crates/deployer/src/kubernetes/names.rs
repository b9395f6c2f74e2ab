//! Names of objects, as Seldon's operator gives them.

use md5::{Digest as _, Md5};
use provost_domain::{Deployment, Predictor};

/// Longest name that every kind takes.
const NAME_MAX: usize = 63;
/// Annotation that names the Service of a predictor.
const SERVICE_NAME: &str = "seldon.io/svc-name";

/// The name of a predictor's Service: that of the predictor's annotation, else of the deployment's. A predictor
/// that the deployment no longer has is as if it never had one.
pub(crate) fn service(deployment: &Deployment, predictor: &str) -> String {
    let own = deployment.predictors.iter().find(|one| one.name == predictor);
    let annotations = own.map(|own| [&own.annotations, &deployment.annotations]);
    let said = annotations.into_iter().flatten().find_map(|all| all.get(SERVICE_NAME));
    said.map_or_else(|| app(deployment.id.name.as_str(), predictor), |name| shortened(name.clone()))
}

/// What the pods of a predictor have in common.
pub(crate) fn app(deployment: &str, predictor: &str) -> String {
    shortened(format!("{deployment}-{predictor}"))
}

/// The name of a Deployment of a predictor: that of its pod template, else number and containers of it.
pub(crate) fn workload(deployment: &str, predictor: &Predictor, index: usize) -> String {
    let template = predictor.component_specs.get(index);
    let said = template.and_then(|one| one.document["metadata"]["name"].as_str()).filter(|name| !name.is_empty());
    let name = || format!("{deployment}-{}-{index}-{}", predictor.name, containers(predictor, index).join("-"));
    shortened(said.map_or_else(name, str::to_owned))
}

/// The name of the Service of a node that has pods of its own.
pub(super) fn node_service(deployment: &str, predictor: &str, node: &str) -> String {
    shortened(format!("{deployment}-{predictor}-{node}"))
}

/// The containers that a pod template has in Seldon: those that the user wrote, then in the first those of prepackaged
/// servers.
fn containers(predictor: &Predictor, index: usize) -> Vec<&str> {
    let written = predictor.component_specs.get(index).into_iter().flat_map(|template| &template.containers);
    let nodes = predictor.graph.nodes().into_iter().filter(|_| index == 0);
    let added = nodes.filter(|node| node.implementation.is_prepackaged() && !predictor.has_container(&node.name));
    written.map(String::as_str).chain(added.map(|node| node.name.as_str())).collect()
}

/// A name that is too long is told by its digest.
fn shortened(name: String) -> String {
    if name.len() <= NAME_MAX {
        return name;
    }
    let digest = u128::from_be_bytes(Md5::digest(name.as_bytes()).into());
    format!("seldon-{digest:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_63_characters_stays_and_one_of_64_is_shortened() {
        assert_eq!(shortened("a".repeat(63)), "a".repeat(63));
        // As Python's hashlib.md5 has it.
        assert_eq!(shortened("a".repeat(64)), "seldon-014842d480b571495a4a0363793f7367");
        assert_eq!(shortened(format!("{}-main", "a".repeat(59))), "seldon-4b887247476ae3a70ae434224e62b707");
    }
}
