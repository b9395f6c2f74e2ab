//! What the containers of model servers are told.

use provost_domain::{ServerCatalog, server_catalog::Runtime};
use serde_json::{Value, json};

use super::super::{
    Source, build,
    tests::{carried, manifest, objects, pod, settings, variable, with_source},
};

/// A deployment of this protocol with one node of the server.
fn deployment(protocol: &str, server: &str, more: &str) -> String {
    let graph =
        format!("{{name: classifier, implementation: {server}, modelUri: 's3://models/m', envSecretRefName: bucket}}");
    manifest(&graph, more).replacen("spec:\n", &format!("spec:\n  protocol: {protocol}\n"), 1)
}

fn containers(text: &str) -> Vec<Value> {
    pod(&objects(text))["containers"].as_array().unwrap().clone()
}

/// What tells containers from each other.
fn told(protocol: &str, server: &str) -> Value {
    let fields = ["name", "image", "command", "args", "readinessProbe", "securityContext"];
    let own = |container: &Value| container["name"] != "seldon-container-engine";
    let shown = |container: Value| {
        let mut shown: serde_json::Map<_, _> =
            fields.iter().map(|field| ((*field).to_owned(), container[*field].clone())).collect();
        let variables = container["env"].as_array().into_iter().flatten();
        let is_seldons = |variable: &&Value| variable["name"].as_str().is_some_and(|name| name.contains("PRED"));
        let is_shown = |variable: &&Value| !is_seldons(variable) || variable["name"] == "PREDICTIVE_UNIT_PARAMETERS";
        shown.insert("env".to_owned(), variables.filter(is_shown).cloned().collect());
        shown.retain(|_, value| !value.is_null());
        Value::Object(shown)
    };
    containers(&deployment(protocol, server, "")).into_iter().filter(own).map(shown).collect()
}

#[test]
fn each_server_is_told_its_model_in_its_own_way() {
    for (protocol, server) in [
        ("seldon", "MLFLOW_SERVER"),
        ("kfserving", "MLFLOW_SERVER"),
        ("seldon", "TENSORFLOW_SERVER"),
        ("tensorflow", "TENSORFLOW_SERVER"),
        ("kfserving", "TRITON_SERVER"),
    ] {
        insta::assert_yaml_snapshot!(format!("{server}-{protocol}"), told(protocol, server));
    }
}

#[test]
fn the_model_is_fetched_for_the_server_and_the_orchestrator_calls_it() {
    let objects = objects(&deployment("kfserving", "TRITON_SERVER", ""));
    let pod = pod(&objects);
    let initializer = &pod["initContainers"][0];
    assert_eq!(initializer["args"], json!(["fetch", "s3://models/m", "/mnt/models"]));
    assert_eq!(initializer["envFrom"], json!([{"secretRef": {"name": "bucket"}}]));
    let mount = json!({"name": "classifier-provision-location", "mountPath": "/mnt/models", "readOnly": true});
    assert!(pod["containers"][0]["volumeMounts"].as_array().unwrap().contains(&mount));
    let orchestrator = &pod["containers"][1];
    assert_eq!(orchestrator["envFrom"], Value::Null);
    let carried = carried(orchestrator);
    let graph = &carried["spec"]["predictors"][0]["graph"];
    let endpoint = json!({"service_host": "localhost", "httpPort": 9000, "type": "REST"});
    assert_eq!(graph, &json!({"name": "classifier", "type": "MODEL", "endpoint": endpoint}));
    assert_eq!(carried["spec"]["protocol"], "kfserving");
    // As Seldon names it.
    assert_eq!(objects[0]["metadata"]["name"], "iris-main-0-classifier");
}

#[test]
fn what_the_user_says_of_the_container_goes_over_the_servers() {
    let more = r"
      componentSpecs:
        - spec:
            containers:
              - name: classifier
                image: mirror/triton:1
                args: [--model-repository=/mnt/models, --exit-on-error=false]
                env: [{name: LD_PRELOAD, value: custom.so}]
                ports: [{name: http, containerPort: 8000}]
                resources: {limits: {nvidia.com/gpu: 1}}
                securityContext: {runAsUser: 7}
";
    let containers = containers(&deployment("kfserving", "TRITON_SERVER", more));
    let server = &containers[0];
    assert_eq!(server["image"], "mirror/triton:1");
    assert_eq!(server["args"], json!(["--model-repository=/mnt/models", "--exit-on-error=false"]));
    assert_eq!(server["command"], json!(["/opt/tritonserver/bin/tritonserver"]));
    assert_eq!(variable(server, "LD_PRELOAD")["value"], "custom.so");
    assert_eq!(variable(server, "PREDICTIVE_UNIT_HTTP_SERVICE_PORT")["value"], "8000");
    assert_eq!(server["resources"], json!({"limits": {"nvidia.com/gpu": 1}}));
    assert_eq!(server["securityContext"]["runAsUser"], 7);
    let endpoint = &carried(&containers[1])["spec"]["predictors"][0]["graph"]["endpoint"];
    assert_eq!(endpoint["httpPort"], 8000);
}

#[test]
fn variables_of_the_user_replace_those_of_the_server() {
    let more = "      componentSpecs: [{spec: {containers: [{name: classifier, env: [{name: MLSERVER_MODEL_IMPLEMENTATION, \
                value: mine.Model}]}]}}]\n";
    let containers = containers(&deployment("v2", "MLFLOW_SERVER", more));
    assert_eq!(variable(&containers[0], "MLSERVER_MODEL_IMPLEMENTATION")["value"], "mine.Model");
    let all = containers[0]["env"].as_array().unwrap().iter();
    let own = all.filter(|variable| variable["name"] == "MLSERVER_MODEL_IMPLEMENTATION");
    assert_eq!(own.count(), 1);
}

#[test]
fn a_claimed_volume_is_mounted_where_the_server_looks() {
    let text = deployment("kfserving", "TRITON_SERVER", "").replace("s3://models/m", "pvc://claim/repository");
    let containers = containers(&text);
    let mount = json!({
        "name": "kfserving-pvc-source",
        "mountPath": "/mnt/models",
        "readOnly": true,
        "subPath": "repository",
    });
    assert!(containers[0]["volumeMounts"].as_array().unwrap().contains(&mount), "{}", containers[0]["volumeMounts"]);
}

#[test]
fn each_server_of_a_graph_has_its_own_model_and_native_ones_stay_with_the_orchestrator() {
    let node = |name: &str, server: &str, children: &str| {
        format!("{{name: {name}, implementation: {server}, modelUri: 's3://m/{name}', children: [{children}]}}")
    };
    let leaf = node("c", "TENSORFLOW_SERVER", "");
    let graph = node("a", "MLFLOW_SERVER", &node("b", "SKLEARN_SERVER", &leaf));
    let objects = objects(&manifest(&graph, ""));
    let pod = pod(&objects);
    let names: Vec<_> = pod["containers"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["a", "c", "c-tfserving", "seldon-container-engine"]);
    let arguments = |index: usize| pod["initContainers"][index]["args"].clone();
    assert_eq!(arguments(0), json!(["fetch", "s3://m/a", "/mnt/models"]));
    assert_eq!(arguments(1), json!(["fetch", "s3://m/c", "/mnt/models"]));
    assert!(pod["containers"][2]["args"][0] == "--port=2004", "{}", pod["containers"][2]);
}

#[test]
fn a_server_with_another_image_for_grpc_has_that_where_it_is_called_so() {
    let mut catalog = ServerCatalog::default();
    let mut server = catalog.find("MLFLOW_SERVER").unwrap().clone();
    let Runtime::Container(containers) = &mut server.runtime else { panic!() };
    containers.values_mut().for_each(|container| container.grpc_image = Some("of-grpc:1".to_owned()));
    catalog.register(server);
    let image = |transport: &str| {
        let text = deployment("seldon", "MLFLOW_SERVER", "").replacen(
            "spec:\n",
            &format!("spec:\n  transport: {transport}\n"),
            1,
        );
        let objects =
            with_source(&text, |source, owner| build(Source { catalog: &catalog, ..source }, owner, &settings()))
                .unwrap();
        pod(&objects)["containers"][0]["image"].as_str().unwrap().to_owned()
    };
    assert_eq!(image("grpc"), "of-grpc:1");
    assert_ne!(image("rest"), "of-grpc:1");
}
