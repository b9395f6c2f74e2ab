//! `InferenceService`s of `KServe` on a cluster where the platform is in charge of them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::{
    accounts,
    scene::{BINARY, GATEWAY, Scene, kubectl},
};

pub(crate) const ROWS: &str = r#"{"instances": [[5.1,3.5,1.4,0.2],[6.8,2.8,4.8,1.4]]}"#;

fn service(predictor: &Value) -> Value {
    json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris"},
        "spec": {"predictor": predictor},
    })
}

fn model(format: &str, percent: Option<u32>) -> Value {
    let mut predictor = json!({
        "serviceAccountName": accounts::ACCOUNT,
        format: {"storageUri": format!("s3://models/iris/{format}"), "resources": {"requests": {"cpu": "10m"}}},
    });
    if let Some(percent) = percent {
        predictor["canaryTrafficPercent"] = json!(percent);
    }
    service(&predictor)
}

pub(crate) fn install() {
    let crds = std::process::Command::new(BINARY).args(["print", "crds", "inferenceservices"]).output().unwrap().stdout;
    kubectl(&["apply", "--server-side", "-f", "-"], &String::from_utf8(crds).unwrap());
    for group in ["serving.kserve.io", "serving.kubeflow.org"] {
        kubectl(&["wait", "--for=condition=Established", &format!("crd/inferenceservices.{group}")], "");
    }
}

fn get(scene: &Scene) -> Value {
    let name = "inferenceservices.serving.kserve.io/iris";
    serde_json::from_str(&kubectl(&["-n", scene.namespace, "get", name, "-o", "json"], "")).unwrap()
}

/// Waits until the service is ready as it was last applied; gives the shares of its revisions, the latest last.
async fn shares(scene: &Scene) -> Vec<u64> {
    let object = eventually(async || {
        let object = get(scene);
        let is_current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let is_ready = conditions.iter().any(|one| one["type"] == "Ready" && one["status"] == "True");
        if is_current && is_ready { Ok(object) } else { Err(object["status"].clone()) }
    })
    .await;
    let traffic = object["status"]["components"]["predictor"]["traffic"].as_array().unwrap().clone();
    traffic.iter().map(|share| share["percent"].as_u64().unwrap()).collect()
}

/// Opens a connection for each request. It reads the system's authorities when it is made, which takes its time.
fn client() -> reqwest::Client {
    reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap()
}

async fn predict(client: &reqwest::Client) -> (u16, String) {
    let url = format!("{GATEWAY}/seldon/isvc/iris/v1/models/iris:predict");
    match client.post(url).header("content-type", "application/json").body(ROWS).send().await {
        Ok(response) => (response.status().as_u16(), response.text().await.unwrap()),
        Err(error) => (0, error.to_string()),
    }
}

/// Sends one request after another, none of which may fail; gives their number.
async fn load(going: Arc<AtomicBool>) -> u64 {
    let (mut requests, client) = (0, client());
    while going.load(Ordering::Relaxed) {
        let (status, body) = predict(&client).await;
        assert_eq!(status, 200, "request {requests}: {body}");
        requests += 1;
    }
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_kserve_is_made_so_and_rolled_out_by_its_share() {
    let Some(mut scene) = Scene::without_operator("isvc") else { return };
    install();
    accounts::grant(scene.namespace);
    scene.start_operator_with(&["--gateway", "provost-gateway/gateway", "--inference-services"]);
    scene.apply(&model("sklearn", None));
    assert_eq!(shares(&scene).await, [100]);
    let client = client();
    let answer = eventually(async || match predict(&client).await {
        (200, body) => Ok(body),
        other => Err(other),
    })
    .await;
    assert_eq!(answer, r#"{"predictions":[0,1]}"#);
    assert_eq!(get(&scene)["status"]["url"], "http://iris-predictor.isvc.svc.cluster.local");
    let ports = "jsonpath={.spec.ports[*].port}";
    assert_eq!(kubectl(&["-n", scene.namespace, "get", "service", "iris-predictor", "-o", ports], ""), "8000 5001 80");

    // What serves is kept, so that the next one can share its traffic; no request fails meanwhile.
    eventually(async || {
        let annotations = get(&scene)["metadata"]["annotations"].clone();
        annotations["provost.dev/rolled-out-predictor"].as_str().map(str::to_owned).ok_or(annotations)
    })
    .await;
    let going = Arc::new(AtomicBool::new(true));
    let load = tokio::spawn(load(Arc::clone(&going)));
    scene.apply(&model("xgboost", Some(30)));
    assert_eq!(shares(&scene).await, [70, 30]);
    scene.apply(&model("xgboost", None));
    assert_eq!(shares(&scene).await, [100]);
    eventually(async || match scene.names("deployments") {
        names if names == ["iris-default-0-iris"] => Ok(()),
        names => Err(names),
    })
    .await;
    going.store(false, Ordering::Relaxed);
    let requests = load.await.unwrap();
    assert!(requests > 100, "{requests}");
    let (_, body) = predict(&client).await;
    assert!(body.contains("0.97"), "the boosted model answers with probabilities: {body}");
}
