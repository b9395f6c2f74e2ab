//! Nodes with replicas, an autoscaler or a disruption budget of their own: they have pods of their own.

use super::*;

const GRAPH: &str = "{name: merge, type: COMBINER, children: [{name: scorer, type: MODEL, modelUri: 's3://models/scorer', \
    serviceAccountName: fetcher}, {name: other, type: MODEL}, {name: classifier, implementation: SKLEARN_SERVER, modelUri: \
    's3://models/iris'}]}";

/// A combiner beside the server, a scorer with an autoscaler, and another one with a disruption budget.
const SPECS: &str = r"
      componentSpecs:
        - spec: {containers: [{name: merge, image: 'merge:1'}]}
        - replicas: 3
          hpaSpec: {minReplicas: 2, maxReplicas: 4}
          spec: {containers: [{name: scorer, image: 'scorer:1'}, {name: proxy, image: 'proxy:1'}], nodeSelector: {disk: fast}}
        - pdbSpec: {minAvailable: 1}
          metadata: {name: others}
          spec: {containers: [{name: other, image: 'other:1', ports: [{name: http, containerPort: 8080}]}]}
        - spec: {containers: [{name: classifier, env: [{name: A, value: b}]}]}
";

fn kinds_and_names(objects: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    objects.iter().map(|object| format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))).collect()
}

fn endpoints(objects: &[Value]) -> Vec<Value> {
    let containers = pod(objects)["containers"].as_array().unwrap();
    let server = containers.iter().find(|one| one["name"] == "seldon-container-engine").unwrap();
    let graph = carried(server)["spec"]["predictors"][0]["graph"].clone();
    let children = graph["children"].as_array().unwrap().iter();
    std::iter::once(&graph).chain(children).map(|node| node["endpoint"].clone()).collect()
}

#[test]
fn each_has_a_deployment_a_service_and_what_its_specification_asks_for() {
    let objects = objects(&manifest(GRAPH, SPECS));
    let expected = [
        "Deployment iris-main-0-merge-classifier",
        "Service iris-main",
        "Deployment iris-main-1-scorer-proxy",
        "Service iris-main-scorer",
        "HorizontalPodAutoscaler iris-main-1-scorer-proxy",
        "Deployment others",
        "Service iris-main-other",
        "PodDisruptionBudget others",
    ];
    let expected = expected.map(|name| name.replace("merge-classifier", "merge"));
    assert_eq!(kinds_and_names(&objects), expected);
    insta::assert_yaml_snapshot!(objects[2..]);
}

#[test]
fn the_server_calls_them_at_their_services_and_what_is_beside_it_in_its_pod() {
    let rest = |host: &str, port: u16| json!({"service_host": host, "httpPort": port, "type": "REST"});
    let expected = [
        rest("localhost", 9000),
        rest("iris-main-scorer.models.svc.cluster.local", 9001),
        rest("iris-main-other.models.svc.cluster.local", 8080),
        Value::Null,
    ];
    assert_eq!(endpoints(&objects(&manifest(GRAPH, SPECS))), expected);
    let grpc = manifest(GRAPH, SPECS).replace("spec:\n  predictors", "spec:\n  transport: grpc\n  predictors");
    let scorer = json!({
        "service_host": "iris-main-scorer.models.svc.cluster.local", "grpcPort": 9501, "type": "GRPC",
    });
    assert_eq!(endpoints(&objects(&grpc))[1], scorer);
}

#[test]
fn nothing_of_them_is_in_the_pods_of_the_server() {
    let objects = objects(&manifest(GRAPH, SPECS));
    let containers = pod(&objects)["containers"].as_array().unwrap();
    let names: Vec<_> = containers.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["merge", "seldon-container-engine"]);
    assert_eq!(variable(&containers[1], "A")["value"], "b");
    let pod = pod(&objects);
    assert_eq!((pod.get("nodeSelector"), pod.get("initContainers"), pod.get("serviceAccountName")), (None, None, None));
    let budget = objects.iter().find(|object| object["kind"] == "PodDisruptionBudget").unwrap();
    assert_eq!(budget["spec"]["selector"]["matchLabels"]["app"], "others");
}

#[test]
fn requests_reach_the_server_alone() {
    let objects = objects(&manifest(GRAPH, SPECS));
    for service in objects.iter().filter(|object| object["kind"] == "Service") {
        let selector = service["spec"]["selector"].as_object().unwrap();
        let selected = objects.iter().filter(|object| {
            let labels = &object["spec"]["template"]["metadata"]["labels"];
            object["kind"] == "Deployment" && selector.iter().all(|(name, value)| labels[name] == *value)
        });
        let selected: Vec<_> = selected.map(|one| one["metadata"]["name"].as_str().unwrap()).collect();
        let expected = match service["metadata"]["name"].as_str().unwrap() {
            "iris-main" => "iris-main-0-merge",
            "iris-main-scorer" => "iris-main-1-scorer-proxy",
            _ => "others",
        };
        assert_eq!(selected, [expected]);
    }
}

#[test]
fn secrets_are_those_of_the_account_of_the_nodes_own_pods() {
    let secret = |name: &str| AttachedSecret {
        name: name.to_owned(),
        keys: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(str::to_owned).into(),
        ..AttachedSecret::default()
    };
    let accounts = Accounts::from([
        ("fetcher".to_owned(), vec![secret("of-scorer")]),
        ("default".to_owned(), vec![secret("of-server")]),
    ]);
    let text = manifest(GRAPH, SPECS);
    let objects = objects_with(&text, &settings(), &accounts);
    let [server, scorer] = [0, 2].map(|index| objects[index]["spec"]["template"].to_string());
    assert!(server.contains("of-server") && !server.contains("of-scorer"), "{server}");
    assert!(scorer.contains("of-scorer") && !scorer.contains("of-server"), "{scorer}");
    let needed = with_source(&text, |source, _| accounts_needed(source.deployment));
    assert_eq!(needed, ["default", "fetcher"].map(str::to_owned).into());
}

#[test]
fn one_without_a_node_is_beside_nothing_and_has_no_service() {
    let more =
        "      componentSpecs: [{spec: {}}, {replicas: 2, spec: {containers: [{name: cache, image: 'cache:1'}]}}]\n";
    let objects = objects(&manifest(CLASSIFIER, more));
    let expected = ["Deployment iris-main-0-classifier", "Service iris-main", "Deployment iris-main-1-cache"];
    assert_eq!(kinds_and_names(&objects), expected);
    assert_eq!((&objects[0]["spec"]["replicas"], &objects[2]["spec"]["replicas"]), (&json!(1), &json!(2)));
}

#[test]
fn a_node_runs_in_one_place_and_models_of_the_server_beside_it() {
    let place = "spec.predictors[0].componentSpecs";
    let twice = "      componentSpecs: [{spec: {containers: [{name: scorer, image: 'a:1'}]}}, {replicas: 2, spec: {containers: \
                 [{name: scorer, image: 'a:1'}]}}]\n";
    let told = refusal(&manifest(OWN, twice));
    assert_eq!(
        told,
        format!(
            "{place}[1].spec.containers[0]: something else is said of it before; the nodes share their pods, so say it once"
        )
    );
    let model = "      componentSpecs: [{spec: {}}, {replicas: 2, spec: {containers: [{name: classifier}]}}]\n";
    let told = refusal(&manifest(CLASSIFIER, model));
    assert!(told.starts_with(&format!("{place}[1].replicas: not as in the first")), "{told}");
}
