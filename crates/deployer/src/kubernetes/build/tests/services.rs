//! `InferenceService`s, from their manifests to objects or to what is wrong with them.

use provost_api::crd::seldon_deployment;

use super::*;

pub(in crate::kubernetes) const TRANSFORMED: &str = r"
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: models}
spec:
  predictor: {sklearn: {storageUri: 's3://models/iris'}}
  transformer: {timeout: 3, containers: [{name: kserve-container, image: 'me/transformer:1'}]}
";

/// The objects of an `InferenceService`, as the operator has them built.
fn objects_of_service(text: &str, settings: &Settings) -> Vec<Value> {
    let document = parse("test", text).unwrap().remove(0);
    let (deployment, _) = parsed(&document, Engine::Kubernetes).unwrap();
    let document = seldon_deployment::document::of(&deployment, &[]);
    with(&deployment, &document, &Accounts::new(), |source, owner| build(source, owner, settings)).unwrap()
}

#[test]
fn a_transformer_has_pods_and_a_service_and_leaves_the_log_to_the_predictor() {
    let log_bucket = Some(LogBucket { uri: "s3://logs".parse().unwrap(), secret: None });
    let objects = objects_of_service(TRANSFORMED, &Settings { log_bucket, ..settings() });
    assert_eq!(names(&objects, "Service"), ["iris-predictor", "iris-transformer"]);
    assert_eq!(names(&objects, "Deployment"), ["iris-default-0-iris", "iris-transformer-0-iris"]);
    let transformer = &objects[2]["spec"]["template"]["spec"]["containers"];
    insta::assert_yaml_snapshot!(transformer[0]);
    let manifest = carried(&transformer[1]);
    assert_eq!(manifest["metadata"]["annotations"]["provost.dev/request-log"], "off");
    let predictor = &manifest["spec"]["predictors"][0];
    assert_eq!(predictor["graph"]["endpoint"], json!({"service_host": "localhost", "httpPort": 8080, "type": "REST"}));
    assert_eq!(predictor["annotations"]["seldon.io/rest-timeout"], "3000");
    // In what the transformer is asked says nothing of the predictor, whose pods stay as they are.
    let alone = carried(&pod(&objects)["containers"][0]);
    assert_eq!((&alone["spec"]["protocol"], &manifest["spec"]["protocol"]), (&Value::Null, &json!("tensorflow")));
    let sends_log = |container: &Value| container.to_string().contains("PROVOST_REQUEST_LOG__BUCKET");
    assert!(!sends_log(&transformer[1]) && sends_log(&pod(&objects)["containers"][0]));
}

/// What is wrong with an `InferenceService`.
fn refusal_of_service(api_version: &str, spec: &Value) -> Vec<String> {
    let service =
        json!({"apiVersion": api_version, "kind": "InferenceService", "metadata": {"name": "iris"}, "spec": spec});
    let document = ManifestDocument::from_json("test", service).unwrap();
    let catalog = ServerCatalog::default();
    let namespace = Namespace::default_namespace();
    let parsed = parse_with_paths(&document, &namespace, &catalog, Engine::Kubernetes).unwrap();
    let document = seldon_deployment::document::of(&parsed.deployment, &[]);
    let errors = with(&parsed.deployment, &document, &Accounts::new(), |source, owner| {
        build(Source { paths: &parsed.paths, ..source }, owner, &settings()).unwrap_err()
    });
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_wrong_with_an_inference_service_is_told_by_its_own_fields() {
    let v1beta1 = "serving.kserve.io/v1beta1";
    let cpu = json!({"requests": {"cpu": "a lot"}});
    let own = json!({"name": "kserve-container", "image": "mine:1"});
    let model = json!({"storageUri": "s3://models/iris", "resources": cpu});
    let at = |api_version, spec| refusal_of_service(api_version, &spec)[0].split(": ").next().unwrap().to_owned();
    for (spec, expected) in [
        (json!({"predictor": {"sklearn": model}}), "spec.predictor.sklearn.resources.requests[cpu]"),
        (json!({"predictor": {"containers": [own, {"name": "beside"}]}}), "spec.predictor.containers[1].image"),
        (json!({"predictor": {"containers": [{"name": "mine"}]}}), "spec.predictor.containers[0].image"),
        (
            json!({"predictor": {"serviceAccount": "a", "serviceAccountName": "b", "sklearn": {"storageUri": "s3://models/iris"}}}),
            "spec.predictor.serviceAccountName",
        ),
    ] {
        assert_eq!(at(v1beta1, spec), expected);
    }
    let canary = json!({"predictor": {"name": "next", "sklearn": model}, "trafficPercent": 10});
    let predictor = json!({"sklearn": {"storageUri": "s3://models/iris"}});
    let spec = json!({"predictor": predictor, "canary": [canary]});
    assert_eq!(at(v1beta1, spec), "spec.canary[0].predictor.sklearn.resources.requests[cpu]");
    let v1alpha2 = "serving.kubeflow.org/v1alpha2";
    let custom = |container: Value| json!({"default": {"predictor": {"custom": {"container": container}}}});
    assert_eq!(at(v1alpha2, custom(json!({"name": "mine"}))), "spec.default.predictor.custom.container.image");
}
