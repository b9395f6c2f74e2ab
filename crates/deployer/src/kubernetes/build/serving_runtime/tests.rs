//! Services that serving runtimes serve.

use provost_api::{
    crd::seldon_deployment,
    manifest::{ManifestDocument, Parsed, parse_with_paths},
};
use provost_domain::{Engine, Namespace};
use serde_json::{Value, json};

use super::super::{
    Accounts, Owner, Source, build,
    tests::{carried, settings, variable},
};
use crate::model_servers::catalog_with;

/// A runtime of the cluster for `LightGBM`, and one of a namespace for `MLflow`.
fn runtimes() -> [Value; 2] {
    [
        json!({
            "apiVersion": "serving.kserve.io/v1alpha1",
            "kind": "ClusterServingRuntime",
            "metadata": {"name": "kserve-pmmlserver"},
            "spec": {
                "annotations": {"prometheus.kserve.io/port": "8080"},
                "supportedModelFormats": [{"name": "pmml", "version": "4", "autoSelect": true, "priority": 1}],
                "protocolVersions": ["v1", "v2"],
                "nodeSelector": {"disk": "fast", "zone": "a"},
                "volumes": [{"name": "cache", "emptyDir": {}}],
                "containers": [{
                    "name": "kserve-container",
                    "image": "kserve/pmmlserver:v0.15.0",
                    "args": ["--model_name={{.Name}}", "--model_dir=/mnt/models", "--http_port=8080", "--nthread=1"],
                    "env": [{"name": "A", "value": "runtime"}, {"name": "B", "value": "{{ .Namespace }}"}],
                    "resources": {"requests": {"cpu": "1", "memory": "2Gi"}},
                }],
            },
        }),
        json!({
            "apiVersion": "serving.kserve.io/v1alpha1",
            "kind": "ServingRuntime",
            "metadata": {"name": "mlserver", "namespace": "models"},
            "spec": {
                "supportedModelFormats": [{"name": "mlflow", "autoSelect": true}],
                "protocolVersions": ["v2"],
                "containers": [{
                    "name": "kserve-container",
                    "image": "seldonio/mlserver:1.5.0",
                    "env": [
                        {"name": "MLSERVER_MODEL_IMPLEMENTATION", "value": "{{.Labels.modelClass}}"},
                        {"name": "MLSERVER_HTTP_PORT", "value": "8080"},
                    ],
                    "ports": [{"name": "grpc", "containerPort": 9000}, {"containerPort": 8080}],
                }],
            },
        }),
    ]
}

fn service(predictor: &Value) -> Value {
    json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris", "namespace": "models"},
        "spec": {"predictor": predictor},
    })
}

/// The pod of a service, or all that is wrong with it; and its warnings.
fn pod(predictor: &Value) -> Result<(Value, Vec<String>), String> {
    pod_with(&runtimes(), predictor)
}

/// The same where these runtimes are.
fn pod_with(runtimes: &[Value], predictor: &Value) -> Result<(Value, Vec<String>), String> {
    let (catalog, problems) = catalog_with(runtimes);
    assert_eq!(problems, Vec::<String>::new());
    let document = ManifestDocument::from_json("test", service(predictor)).map_err(|error| error.to_string())?;
    let lines = |texts: Vec<String>| texts.join("\n");
    let parsed = parse_with_paths(&document, &Namespace::default_namespace(), &catalog, Engine::Kubernetes);
    let Parsed { deployment, findings, paths } =
        parsed.map_err(|all| lines(all.iter().map(ToString::to_string).collect()))?;
    let owner = Owner { api_version: String::new(), kind: String::new(), name: "iris".to_owned(), uid: String::new() };
    let document = seldon_deployment::document::of(&deployment, &[]);
    let source = Source {
        deployment: &deployment,
        document: &document,
        accounts: &Accounts::new(),
        catalog: &catalog,
        paths: &paths,
    };
    let objects =
        build(source, &owner, &settings()).map_err(|all| lines(all.iter().map(ToString::to_string).collect()))?;
    let warnings = findings.iter().map(ToString::to_string).collect();
    Ok((objects[0]["spec"]["template"].clone(), warnings))
}

#[test]
fn a_format_is_served_by_the_container_of_its_runtime() {
    let model = json!({"modelFormat": {"name": "pmml"}, "storageUri": "s3://models/iris"});
    let (template, warnings) = pod(&json!({"model": model})).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    insta::assert_yaml_snapshot!(template);
}

#[test]
fn what_the_user_says_goes_over_the_runtime_and_arguments_follow() {
    let predictor = json!({
        "nodeSelector": {"zone": "b"},
        "pmml": {
            "storageUri": "s3://models/iris",
            "runtimeVersion": "v0.14.1",
            "args": ["--workers=2"],
            "env": [{"name": "A", "value": "mine"}],
            "resources": {"requests": {"cpu": "2"}},
        },
    });
    let (template, warnings) = pod(&predictor).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    let container = &template["spec"]["containers"][0];
    assert_eq!(container["image"], "kserve/pmmlserver:v0.14.1");
    assert_eq!(container["args"].as_array().unwrap().last().unwrap(), "--workers=2");
    assert_eq!(container["args"][0], "--model_name=iris");
    assert_eq!(
        (&variable(container, "A")["value"], &variable(container, "B")["value"]),
        (&json!("mine"), &json!("models"))
    );
    assert_eq!(container["resources"]["requests"], json!({"cpu": "2", "memory": "2Gi"}));
    assert_eq!(template["spec"]["nodeSelector"], json!({"zone": "b", "disk": "fast"}));
}

#[test]
fn a_runtime_of_the_namespace_is_asked_in_what_it_speaks() {
    let model = json!({"modelFormat": {"name": "mlflow"}, "storageUri": "s3://models/iris"});
    let (template, _) = pod(&json!({"model": model})).unwrap();
    let containers = &template["spec"]["containers"];
    let class = variable(&containers[0], "MLSERVER_MODEL_IMPLEMENTATION");
    assert_eq!(class["value"], "mlserver_mlflow.MLflowRuntime");
    let carried = carried(&containers[1]);
    assert_eq!(carried["spec"]["protocol"], "kfserving");
    assert_eq!(carried["spec"]["predictors"][0]["graph"]["endpoint"]["httpPort"], 8080);
    assert_eq!(containers[0]["ports"][0]["name"], "grpc");
}

#[test]
fn a_runtime_is_called_over_grpc_at_its_port_for_that() {
    let mut runtime = runtimes()[1].clone();
    runtime["spec"]["protocolVersions"] = json!(["grpc-v2"]);
    runtime["spec"]["containers"][0]["ports"][0]["name"] = json!("h2c");
    let model = json!({"modelFormat": {"name": "mlflow"}, "storageUri": "s3://models/iris"});
    let (template, _) = pod_with(&[runtime], &json!({"model": model})).unwrap();
    let carried = carried(&template["spec"]["containers"][1]);
    let endpoint = &carried["spec"]["predictors"][0]["graph"]["endpoint"];
    assert_eq!(endpoint, &json!({"service_host": "localhost", "grpcPort": 9000, "type": "GRPC"}));
}

#[test]
fn what_no_runtime_serves_is_refused_by_path() {
    let model = |format: &str, more: Value| {
        let mut model = json!({"modelFormat": {"name": format}, "storageUri": "s3://models/iris"});
        model.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        pod(&json!({"model": model})).unwrap_err()
    };
    insta::assert_snapshot!(
        [
            model("paddle", json!({})),
            model("pmml", json!({"runtime": "other"})),
            model("pmml", json!({"runtime": "mlserver"})),
            model("mlflow", json!({"protocolVersion": "v1"})),
            model("sklearn", json!({"image": "mine:1"})),
        ]
        .join("\n"), @r"
    spec.predictor.model.modelFormat: no serving runtime serves the model format `paddle`; known are kserve-pmmlserver, mlserver
    spec.predictor.model.runtime: there is no serving runtime `other`; known are kserve-pmmlserver, mlserver
    spec.predictor.model.runtime: the serving runtime `mlserver` does not serve the model format `pmml`; it serves mlflow by v2
    spec.predictor.model.modelFormat: no serving runtime serves the model format `mlflow` by `v1`; known are kserve-pmmlserver, mlserver
    spec.predictor.model.image: the platform serves this format itself; remove it, or name a serving runtime
    ");
}

#[test]
fn a_reference_to_what_the_service_does_not_have_is_refused() {
    let mut runtime = runtimes()[0].clone();
    runtime["spec"]["containers"][0]["args"] = json!(["--team={{.Labels.team}}"]);
    let (catalog, _) = catalog_with(&[runtime]);
    let model = json!({"modelFormat": {"name": "pmml"}, "storageUri": "s3://models/iris"});
    let mut service = service(&json!({"model": model}));
    let built = |service: &Value| {
        let document = ManifestDocument::from_json("test", service.clone()).unwrap();
        let Parsed { deployment, paths, .. } =
            parse_with_paths(&document, &Namespace::default_namespace(), &catalog, Engine::Kubernetes).unwrap();
        let document = seldon_deployment::document::of(&deployment, &[]);
        let owner =
            Owner { api_version: String::new(), kind: String::new(), name: "iris".to_owned(), uid: String::new() };
        let source = Source {
            deployment: &deployment,
            document: &document,
            accounts: &Accounts::new(),
            catalog: &catalog,
            paths: &paths,
        };
        build(source, &owner, &settings())
    };
    assert_eq!(
        built(&service).unwrap_err()[0].to_string(),
        "the serving runtime of `iris` refers in `--team={{.Labels.team}}` to what the service does not have; add it, or \
         use another runtime"
    );
    service["metadata"]["labels"] = json!({"team": "fraud"});
    let objects = built(&service).unwrap();
    assert_eq!(objects[0]["spec"]["template"]["spec"]["containers"][0]["args"], json!(["--team=fraud"]));
}
