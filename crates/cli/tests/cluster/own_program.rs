//! Images of users beside the orchestrator.

use serde_json::{Value, json};

use crate::scene::{Scene, kubectl, predictor};

/// A node whose image is pulled from a registry that asks who wants it.
fn own(name: &str, traffic: u32, image: &str) -> Value {
    let container = json!({"name": "scorer", "image": image});
    json!({
        "name": name,
        "traffic": traffic,
        "graph": {"name": "scorer", "type": "MODEL", "parameters": [{"name": "a", "value": "$(b)", "type": "STRING"}]},
        "componentSpecs": [{"spec": {"containers": [container], "imagePullSecrets": [{"name": "registry"}]}}],
    })
}

/// The Secret with which nodes pull it.
pub(crate) fn allow_pulls(namespace: &str) {
    let login = std::env::var("PROVOST_TEST_REGISTRY_LOGIN").unwrap();
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "registry", "namespace": namespace},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": login},
    });
    kubectl(&["apply", "-f", "-"], &secret.to_string());
}

fn deployment(predictors: &[Value]) -> Value {
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "own"},
        "spec": {"predictors": predictors},
    })
}

#[tokio::test]
async fn an_image_of_the_users_own_predicts_through_the_orchestrator() {
    let Some(scene) = Scene::start("own") else { return };
    let image = std::env::var("PROVOST_TEST_OWN_IMAGE").unwrap();
    allow_pulls(scene.namespace);
    scene.apply(&deployment(&[own("main", 100, &image)]));
    scene.wait("own");
    let answer: Value = serde_json::from_str(&scene.predict_at_last("own", None).await).unwrap();
    let sums: Vec<Vec<f64>> = serde_json::from_value(answer["data"]["ndarray"].clone()).unwrap();
    assert!(sums.iter().flatten().zip([10.2, 15.8]).all(|(sum, expected)| (sum - expected).abs() < 1e-9), "{answer}");
    let told = &answer["meta"]["tags"]["environment"];
    assert_eq!(told["PREDICTIVE_UNIT_HTTP_SERVICE_PORT"], "9000");
    assert_eq!(told["PREDICTIVE_UNIT_IMAGE"], json!(image));
    assert_eq!(told["PREDICTIVE_UNIT_PARAMETERS"], r#"[{"name":"a","value":"$(b)","type":"STRING"}]"#);
    assert_eq!(answer["meta"]["tags"]["headers"]["seldon-puid"], "same-on-both");

    let containers = "jsonpath={.items[0].spec.containers[*].name}";
    let pods = ["-n", "own", "get", "pods", "-l", "seldon-deployment-id=own", "-o", containers];
    assert_eq!(kubectl(&pods, ""), "scorer seldon-container-engine");

    // A model of this platform takes its place, and no request fails.
    let native = predictor("native", 50, "SKLEARN_SERVER", "s3://models/iris/sklearn");
    scene.apply(&deployment(&[own("main", 50, &image), native.clone()]));
    let mut requests = 0;
    while scene.status("own")["predictors"].as_array().map(Vec::len) != Some(2) || requests < 100 {
        let (status, _, body) = scene.predict("own", None).await;
        assert_eq!(status, 200, "request {requests}: {body}");
        requests += 1;
    }
    scene.wait("own");
    scene.predict_at_last("own", Some("native")).await;
    let mut alone = native;
    alone["traffic"] = json!(100);
    scene.apply(&deployment(&[alone]));
    let mut requests = 0;
    while scene.names("deployments") != ["own-native-0-classifier"] || requests < 100 {
        let (status, _, body) = scene.predict("own", None).await;
        assert_eq!(status, 200, "request {requests}: {body}");
        requests += 1;
    }
}

/// A combiner of the user's own over another image of the user's and a model of this platform.
fn graph(image: &str) -> Value {
    let containers = ["merge", "scorer"].map(|name| json!({"name": name, "image": image}));
    let mut iris = predictor("iris", 0, "SKLEARN_SERVER", "s3://models/iris/sklearn")["graph"].take();
    iris["name"] = json!("iris");
    let scorer = json!({"name": "scorer", "type": "MODEL"});
    json!({
        "name": "main",
        "graph": {"name": "merge", "type": "COMBINER", "children": [scorer, iris]},
        "componentSpecs": [{"spec": {"containers": containers, "imagePullSecrets": [{"name": "registry"}]}}],
    })
}

#[tokio::test]
async fn a_graph_of_images_and_models_answers_in_one() {
    let Some(scene) = Scene::start("graph") else { return };
    let image = std::env::var("PROVOST_TEST_OWN_IMAGE").unwrap();
    allow_pulls(scene.namespace);
    scene.apply(&deployment(&[graph(&image)]));
    scene.wait("own");
    let answer: Value = serde_json::from_str(&scene.predict_at_last("own", None).await).unwrap();
    let row: Vec<f64> = serde_json::from_value(answer["data"]["ndarray"][0].clone()).unwrap();
    // The sum of the first request's row, and the first of the model's probabilities.
    assert!((row[0] - 10.2).abs() < 1e-9 && (0.0..=1.0).contains(&row[1]), "{answer}");
    let path: Vec<&String> = answer["meta"]["requestPath"].as_object().unwrap().keys().collect();
    assert_eq!(path.len(), 3, "{answer}");

    // The scorer gets pods of its own, and no request fails.
    let mut apart = graph(&image);
    let secrets = json!([{"name": "registry"}]);
    let spec = |name: &str| json!({"containers": [{"name": name, "image": image}], "imagePullSecrets": secrets});
    apart["componentSpecs"] = json!([{"spec": spec("merge")}, {"replicas": 2, "spec": spec("scorer")}]);
    scene.apply(&deployment(&[apart]));
    let mut requests = 0;
    while scene.names("deployments") != ["own-main-0-merge-iris", "own-main-1-scorer"] || requests < 100 {
        let (status, _, body) = scene.predict("own", None).await;
        assert_eq!(status, 200, "request {requests}: {body}");
        requests += 1;
    }
    scene.wait("own");
    assert_eq!(scene.names("services"), ["own-main", "own-main-scorer"]);
    let names = "jsonpath={.items[*].spec.containers[*].name}";
    let pods = ["-n", "graph", "get", "pods", "-l", "seldon-app-svc=own-main-scorer", "-o", names];
    assert_eq!(kubectl(&pods, ""), "scorer scorer");
}

#[tokio::test]
async fn a_program_that_ends_is_told_of() {
    let Some(scene) = Scene::start("ended") else { return };
    let image = std::env::var("PROVOST_TEST_OWN_IMAGE").unwrap();
    allow_pulls(scene.namespace);
    let mut broken = own("main", 100, &image);
    broken["componentSpecs"][0]["spec"]["containers"][0]["command"] = json!(["/usr/local/bin/none"]);
    scene.apply(&deployment(&[broken]));
    let reason = scene.reason("own").await;
    assert!(reason.contains("scorer") && reason.contains("/usr/local/bin/none"), "{reason}");
}

#[tokio::test]
async fn an_image_that_the_registry_does_not_give_is_told_of() {
    let Some(scene) = Scene::start("unpulled") else { return };
    let image = std::env::var("PROVOST_TEST_OWN_IMAGE").unwrap();
    scene.apply(&deployment(&[own("main", 100, &image.replace(":test", ":other"))]));
    let reason = scene.reason("own").await;
    assert!(reason.contains("scorer") && reason.contains(":other"), "{reason}");
}
