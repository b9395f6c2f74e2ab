//! The images that the pods of a deployment run.

use std::collections::BTreeSet;

use provost_api::manifest::{ManifestDocument, parse_with_paths};
use provost_domain::{Engine, Namespace, ServerCatalog};
use serde_json::Value;

use super::{Accounts, Owner, Settings, Source, build};

/// The images of a manifest's pods, init containers included; or all that is wrong with the manifest.
pub fn images(
    document: &ManifestDocument,
    catalog: &ServerCatalog,
    settings: &Settings,
) -> Result<BTreeSet<String>, Vec<String>> {
    let namespace = Namespace::default_namespace();
    let parsed = parse_with_paths(document, &namespace, catalog, Engine::Kubernetes)
        .map_err(|violations| violations.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let deployment = parsed.deployment;
    let owner = Owner {
        api_version: String::new(),
        kind: String::new(),
        name: deployment.id.name.to_string(),
        uid: String::new(),
    };
    // They bring no images.
    let accounts = Accounts::new();
    let source = Source {
        deployment: &deployment,
        document: &document.json,
        accounts: &accounts,
        catalog,
        paths: &parsed.paths,
    };
    let objects =
        build(source, &owner, settings).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(objects.iter().flat_map(of_object).collect())
}

fn of_object(object: &Value) -> impl Iterator<Item = String> {
    let pod = &object["spec"]["template"]["spec"];
    let containers = ["initContainers", "containers"].map(|list| pod[list].as_array());
    let containers = containers.into_iter().flatten().flatten();
    containers.filter_map(|container| container["image"].as_str().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use provost_api::manifest;

    use super::*;

    /// A deployment of a predictor with these component specifications.
    fn document(component_specs: &str) -> ManifestDocument {
        let text = format!(
            "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata: {{name: iris}}\nspec:\n  \
             predictors:\n  - name: main\n    graph: {{name: classifier, implementation: SKLEARN_SERVER, modelUri: \
             \"s3://models/iris\"}}\n    componentSpecs: {component_specs}\n"
        );
        manifest::parse("a.yaml", &text).unwrap().remove(0)
    }

    fn found(component_specs: &str, settings: &Settings) -> Vec<String> {
        images(&document(component_specs), &ServerCatalog::default(), settings).unwrap().into_iter().collect()
    }

    fn settings() -> Settings {
        Settings::new("provost:1".to_owned())
    }

    #[test]
    fn every_container_counts_once() {
        let specs = "[{spec: {initContainers: [{name: a, image: fetch:1}], containers: [{name: b, image: proxy:1}, {name: c, image: fetch:1}]}}]";
        assert_eq!(found(specs, &settings()), ["fetch:1", "provost:1", "proxy:1"]);
    }

    #[test]
    fn what_fetches_models_counts() {
        let settings = Settings { storage_initializer_image: Some("storage:1".to_owned()), ..settings() };
        assert_eq!(found("[]", &settings), ["provost:1", "storage:1"]);
    }

    #[test]
    fn a_manifest_that_the_operator_would_refuse_is_refused() {
        let specs = "[{spec: {containers: [{name: classifier, image: own:1}]}}]";
        let reasons = images(&document(specs), &ServerCatalog::default(), &settings()).unwrap_err();
        assert!(reasons[0].contains("componentSpecs[0]"), "{reasons:?}");
    }
}
