//! Transformers and explainers of `InferenceService`s, which are images of users.

use std::time::{Duration, Instant};

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::{
    accounts,
    inference_services::install,
    own_program::allow_pulls,
    scene::{GATEWAY, Scene, kubectl},
};

/// How long what was applied may take to be asked.
const PATIENCE: Duration = Duration::from_secs(60);
/// The first flower is of the first kind; doubled it is of another.
const FLOWER: &str = r#"{"instances": [[5.1,3.5,1.4,0.2],[6.8,2.8,4.8,1.4]]}"#;
const DOUBLED: &str = r#"{"instances": [[10.2,7.0,2.8,0.4],[13.6,5.6,9.6,2.8]]}"#;

fn service(more: &[(&str, &Value)]) -> Value {
    let sklearn = json!({"storageUri": "s3://models/iris/sklearn", "resources": {"requests": {"cpu": "10m"}}});
    let mut spec = json!({"predictor": {"serviceAccountName": accounts::ACCOUNT, "sklearn": sklearn}});
    for (name, one) in more {
        spec[*name] = (*one).clone();
    }
    json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris"},
        "spec": spec,
    })
}

async fn ask(verb: &str, body: &str) -> (u16, Value) {
    let url = format!("{GATEWAY}/seldon/components/iris/v1/models/iris:{verb}");
    let asked = reqwest::Client::new().post(url).header("content-type", "application/json").body(body.to_owned());
    match asked.send().await {
        Ok(response) => (response.status().as_u16(), response.json().await.unwrap_or_default()),
        Err(error) => (0, json!(error.to_string())),
    }
}

/// Asks until the answer is this one.
async fn answers(verb: &str, body: &str, expected: &Value) {
    eventually(async || match ask(verb, body).await {
        (200, answer) if answer == *expected => Ok(()),
        other => Err(other),
    })
    .await;
}

fn ready(scene: &Scene) -> Vec<String> {
    let path = "jsonpath={range .status.conditions[?(@.status=='True')]}{.type} {end}";
    let name = "inferenceservices.serving.kserve.io/iris";
    let text = kubectl(&["-n", scene.namespace, "get", name, "-o", path], "");
    text.split_whitespace().map(str::to_owned).collect()
}

async fn is_ready(scene: &Scene, kinds: &[&str]) {
    eventually(async || {
        let found = ready(scene);
        if kinds.iter().all(|kind| found.iter().any(|one| one == kind)) { Ok(()) } else { Err(found) }
    })
    .await;
}

#[tokio::test]
async fn a_transformer_and_an_explainer_ask_the_predictor() {
    let Some(mut scene) = Scene::without_operator("components") else { return };
    let image = std::env::var("PROVOST_TEST_OWN_IMAGE").unwrap();
    install();
    accounts::grant(scene.namespace);
    allow_pulls(scene.namespace);
    scene.start_operator_with(&["--gateway", "provost-gateway/gateway", "--inference-services"]);
    scene.apply(&service(&[]));
    is_ready(&scene, &["Ready"]).await;
    let plain = json!({"predictions": [0, 1]});
    answers("predict", FLOWER, &plain).await;
    let (_, of_doubled) = ask("predict", DOUBLED).await;
    assert_ne!(of_doubled, plain);

    // Added to what runs: no request fails meanwhile.
    let container = json!({"name": "kserve-container", "image": image});
    let own = json!({"containers": [container], "imagePullSecrets": [{"name": "registry"}]});
    scene.apply(&service(&[("transformer", &own), ("explainer", &own)]));
    let (started, mut requests) = (Instant::now(), 0);
    loop {
        let (status, answer) = ask("predict", FLOWER).await;
        assert_eq!(status, 200, "request {requests}: {answer}");
        requests += 1;
        if answer == of_doubled && requests > 100 {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "after {requests} requests still {answer}: {:?}", ready(&scene));
    }
    is_ready(&scene, &["Ready", "PredictorReady", "TransformerReady", "ExplainerReady"]).await;
    answers("explain", FLOWER, &json!({"explanations": [0, 1]})).await;
    let mut services = scene.names("services");
    services.sort();
    assert_eq!(services, ["iris-explainer", "iris-predictor", "iris-transformer"]);

    // And taken away again.
    scene.apply(&service(&[]));
    let (started, mut requests) = (Instant::now(), 0);
    while scene.names("deployments") != ["iris-default-0-iris"] || requests < 100 {
        let (status, answer) = ask("predict", FLOWER).await;
        assert_eq!(status, 200, "request {requests}: {answer}");
        requests += 1;
        assert!(started.elapsed() < PATIENCE, "there are still {:?}", scene.names("deployments"));
    }
    answers("predict", FLOWER, &plain).await;
}
