//! What is read of an `InferenceGraph`, and what is told of one that is wrong.

use provost_domain::{Deployment, Engine, Namespace, ServerCatalog, Violation};
use serde_json::{Value, json};

use super::parse;

fn read(nodes: &Value) -> Result<(Deployment, Vec<String>), Vec<String>> {
    read_document(&json!({
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": "flow"},
        "spec": {"nodes": nodes},
    }))
}

fn read_document(document: &Value) -> Result<(Deployment, Vec<String>), Vec<String>> {
    let texts = |all: &[_]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    read_for(Engine::Process, document).map_err(|violations| texts(&violations))
}

fn read_for(engine: Engine, document: &Value) -> Result<(Deployment, Vec<String>), Vec<Violation>> {
    parse(document, &Namespace::default_namespace(), &ServerCatalog::default(), engine)
        .map(|parsed| (parsed.deployment, parsed.findings.iter().map(ToString::to_string).collect()))
}

#[track_caller]
fn refused(nodes: &Value) -> Vec<String> {
    read(nodes).unwrap_err()
}

/// A graph of one node with these steps.
fn root(router: &str, steps: &Value) -> Value {
    json!({"root": {"routerType": router, "steps": steps}})
}

#[test]
fn a_graph_is_a_deployment_whose_services_answer() {
    let nodes = json!({
        "root": {"routerType": "Sequence", "steps": [
            {"name": "first", "serviceName": "iris", "dependency": "Hard"},
            {"nodeName": "both", "data": "$response", "condition": "predictions"},
        ]},
        "both": {"routerType": "Ensemble", "steps": [{"serviceUrl": "http://a:1/b"}, {"serviceName": "iris"}]},
    });
    let (deployment, warnings) = read(&nodes).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(deployment.predictions_path(), "/");
    let services = deployment.predictors[0].services.as_ref().unwrap();
    let called: Vec<_> = services.services().map(|(name, node, index)| format!("{name} {node} {index}")).collect();
    assert_eq!(called, ["iris both 1", "iris root 0"]);
    let root = serde_json::to_value(&services.nodes["root"].steps).unwrap();
    assert_eq!(
        (&root[0]["dependency"], &root[1]["data"], &root[1]["condition"]),
        (&json!("Hard"), &json!("$response"), &json!("predictions"))
    );
}

#[test]
fn graphs_of_other_answers_are_other_revisions() {
    let of = |nodes| {
        let (deployment, _) = read(&nodes).unwrap();
        deployment.predictors[0].serving_specification(deployment.protocol)
    };
    let one = of(root("Sequence", &json!([{"serviceName": "a"}])));
    assert_eq!(one, of(root("Sequence", &json!([{"serviceName": "a"}]))));
    assert_ne!(one, of(root("Sequence", &json!([{"serviceName": "b"}]))));
}

#[test]
fn what_is_wrong_with_steps_is_told_in_the_words_of_kserve() {
    let step = "spec.nodes[root].steps[0]";
    for (router, steps, told) in [
        ("Sequence", json!([{"name": "a"}]), format!("{step}: Step 0 (\"a\") in node \"root\" of InferenceGraph \"flow\" does not specify an inference target")),
        ("Sequence", json!([{"nodeName": "root", "serviceName": "a"}]), format!("{step}: Step 0 (\"\") in node \"root\" of InferenceGraph \"flow\" specifies more than one of nodeName, serviceName, serviceUrl")),
        ("Splitter", json!([{"serviceName": "a"}]), format!("{step}.weight: InferenceGraph[flow] Node[root] Route[a] missing the 'Weight'")),
        ("Splitter", json!([{"serviceName": "a", "weight": -1}]), format!("{step}.weight: a weight must not be below 0")),
        ("Sequence", json!([{"serviceName": "a", "name": "x"}, {"serviceName": "a", "name": "x"}]), "spec.nodes[root].steps[1].name: Node \"root\" of InferenceGraph \"flow\" contains more than one step with name \"x\"".to_owned()),
        ("Ensemble", json!([{"serviceName": "a", "name": "1"}, {"serviceName": "a"}]), "spec.nodes[root].steps[1].name: Node \"root\" of InferenceGraph \"flow\" contains more than one step with name \"1\"".to_owned()),
    ] {
        assert_eq!(refused(&root(router, &steps)), [told]);
    }
}

#[test]
fn what_cannot_be_read_is_told_at_its_field() {
    let step = "spec.nodes[root].steps[0]";
    for (router, steps, told) in [
        ("Chain", json!([{"serviceName": "a"}]), "spec.nodes[root].routerType: router type `Chain` is not known; use one of Sequence, Splitter, Ensemble, Switch".to_owned()),
        ("", json!([{"serviceName": "a"}]), "spec.nodes[root].routerType: say how requests take the steps: Sequence, Splitter, Ensemble or Switch".to_owned()),
        ("Switch", json!([]), "spec.nodes[root].steps: a node needs at least one step".to_owned()),
        ("Switch", json!([{"serviceName": "a"}]), format!("{step}.condition: a step of a Switch needs a condition; `@this` holds of every request")),
        ("Switch", json!([{"serviceName": "a", "condition": "a..b"}]), format!("{step}.condition: `a..b` is not a condition: a name is empty")),
        ("Sequence", json!([{"serviceName": "a", "condition": "a"}]), format!("{step}.condition: the first step of a Sequence cannot have a condition: there is no answer before it yet")),
        ("Sequence", json!([{"serviceName": "a", "data": "$response.predictions"}]), format!("{step}.data: data `$response.predictions` is not known; use one of $request, $response")),
        ("Sequence", json!([{"serviceName": "a", "dependency": "None"}]), format!("{step}.dependency: dependency `None` is not known; use one of Soft, Hard")),
        ("Sequence", json!([{"serviceUrl": "grpc://a/"}]), format!("{step}.serviceUrl: `grpc://a/` cannot be called: only addresses with `http://` or `https://` can")),
        ("Sequence", json!([{"serviceUrl": "http://u:p@a/"}]), format!("{step}.serviceUrl: an address must have no credentials and no `#`")),
        ("Sequence", json!([{"serviceUrl": "a:1/b c"}]), format!("{step}.serviceUrl: `a:1/b c` cannot be called: only addresses with `http://` or `https://` can")),
        ("Sequence", json!([{"serviceUrl": "/b"}]), format!("{step}.serviceUrl: `/b` is not an address: relative URL without a base; write it as `http://host:port/path`")),
        ("Sequence", json!([{"serviceName": "A"}]), format!("{step}.serviceName: {}", provost_domain::ResourceName::try_from("A").unwrap_err())),
    ] {
        assert_eq!(refused(&root(router, &steps)), [told]);
    }
    assert_eq!(
        refused(&root("Sequence", &json!([{"serviceName": "flow"}]))),
        [format!("{step}.serviceName: a graph cannot call itself: a request would never end")]
    );
    assert_eq!(refused(&json!({"root": 5})).len(), 2);
}

#[test]
fn what_has_no_meaning_is_warned_of() {
    let (_, warnings) =
        read(&root("Ensemble", &json!([{"serviceName": "a", "weight": 5, "condition": "a", "data": "$response"}])))
            .unwrap();
    assert_eq!(
        warnings,
        [
            "spec.nodes[root].steps[0].weight: has no effect; only steps of a Splitter have weights",
            "spec.nodes[root].steps[0].condition: has no effect; only steps of a Switch or Sequence have conditions",
            "spec.nodes[root].steps[0].data: has no effect; only a step of a Sequence has an answer before it, and not the first",
        ]
    );
}

#[test]
fn limits_names_and_unknown_fields_are_looked_at() {
    let document = json!({
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": "1.flow"},
        "spec": {
            "timeout": 0,
            "routerTimeouts": {"serviceClient": -1},
            "nodes": root("Sequence", &json!([{"serviceName": "a", "retry": {"maxRetries": 3}}])),
        },
    });
    let told = read_document(&document).unwrap_err();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].starts_with("spec.nodes[root].steps[0].retry: not supported yet"), "{told:?}");
    assert!(told[1].starts_with("metadata.name: The InferenceGraph \"1.flow\" is invalid"), "{told:?}");
    let document = json!({"metadata": {"name": "flow"}, "spec": {
        "minReplicas": 2,
        "nodes": root("Sequence", &json!([{"serviceName": "a", "wieght": 3}])),
    }});
    let (_, warnings) = read_document(&document).unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.contains("steps[0].wieght")), "{warnings:?}");
}

#[test]
fn on_kubernetes_its_pods_are_as_the_specification_says() {
    let document = json!({"metadata": {"name": "flow"}, "spec": {
        "nodes": root("Sequence", &json!([{"serviceName": "a"}])),
        "minReplicas": 2,
        "maxReplicas": 4,
        "scaleMetric": "memory",
        "scaleTarget": 60,
        "resources": {"requests": {"cpu": "10m"}},
        "nodeSelector": {"zone": "a"},
        "serviceAccountName": "mine",
    }});
    let (deployment, warnings) = read_for(Engine::Kubernetes, &document).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let predictor = &deployment.predictors[0];
    assert_eq!(predictor.annotations["seldon.io/svc-name"], "flow");
    let [pods] = &predictor.component_specs[..] else { panic!("{:?}", predictor.component_specs) };
    let target = json!({"type": "Utilization", "averageUtilization": 60});
    assert_eq!(
        pods.document,
        json!({
            "replicas": 2,
            "hpaSpec": {
                "minReplicas": 2,
                "maxReplicas": 4,
                "metricsv2": [{"type": "Resource", "resource": {"name": "memory", "target": target}}],
            },
            "spec": {
                "nodeSelector": {"zone": "a"},
                "serviceAccountName": "mine",
                "containers": [{"name": "flow", "resources": {"requests": {"cpu": "10m"}}}],
            },
        })
    );
    let wrong = json!({"metadata": {"name": "flow"}, "spec": {
        "nodes": root("Sequence", &json!([{"serviceName": "a"}])),
        "minReplicas": 3,
        "maxReplicas": 2,
        "scaleMetric": "mood",
    }});
    let told: Vec<_> = read_for(Engine::Kubernetes, &wrong).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].contains("cannot be greater than MaxReplicas") && told[1].contains("`mood` is not known"),
        "{told:?}"
    );
}
