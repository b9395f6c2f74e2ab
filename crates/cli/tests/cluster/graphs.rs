//! `InferenceGraph`s of `KServe` on a cluster: pods that call services of their namespace.

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::{
    accounts,
    inference_services::{ROWS, install},
    scene::{GATEWAY, Scene, kubectl},
};

const GRAPH: &str = "inferencegraphs.serving.kserve.io/flow";

fn service(name: &str, format: &str) -> Value {
    let model = json!({"storageUri": format!("s3://models/iris/{format}"), "resources": {"requests": {"cpu": "10m"}}});
    json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name},
        "spec": {"predictor": {"serviceAccountName": accounts::ACCOUNT, format: model}},
    })
}

fn graph(steps: &Value) -> Value {
    json!({
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": "flow"},
        "spec": {
            "nodes": {"root": {"routerType": "Ensemble", "steps": steps}},
            "resources": {"requests": {"cpu": "10m"}},
        },
    })
}

fn status(scene: &Scene) -> Value {
    let text = kubectl(&["-n", scene.namespace, "get", GRAPH, "-o", "json"], "");
    serde_json::from_str::<Value>(&text).unwrap()["status"].clone()
}

async fn says(scene: &Scene, state: &str, reason: &str) {
    eventually(async || {
        let status = status(scene);
        let description = status["description"].as_str().unwrap_or_default();
        if status["state"] == state && description.contains(reason) { Ok(()) } else { Err(status) }
    })
    .await;
}

/// The names of the steps that answered, and whether each gave predictions.
async fn answer() -> Result<Vec<(String, bool)>, String> {
    let url = format!("{GATEWAY}/seldon/graphs/flow/");
    let asked = reqwest::Client::new().post(url).header("content-type", "application/json").body(ROWS).send();
    let response = asked.await.map_err(|error| error.to_string())?;
    let (status, text) = (response.status(), response.text().await.unwrap_or_default());
    match serde_json::from_str(&text) {
        Ok(Value::Object(steps)) if status == 200 => {
            let is_answered = |answer: &Value| answer["predictions"].as_array().is_some_and(|rows| rows.len() == 2);
            Ok(steps.iter().map(|(name, answer)| (name.clone(), is_answered(answer))).collect())
        }
        _ => Err(format!("{status} {text}")),
    }
}

async fn answers(expected: &[&str]) {
    let expected: Vec<_> = expected.iter().map(|name| ((*name).to_owned(), true)).collect();
    eventually(async || match answer().await {
        Ok(steps) if steps == expected => Ok(()),
        other => Err(other),
    })
    .await;
}

#[tokio::test]
async fn a_graph_calls_services_of_its_namespace() {
    let Some(mut scene) = Scene::without_operator("graphs") else { return };
    install();
    kubectl(&["wait", "--for=condition=Established", "crd/inferencegraphs.serving.kserve.io"], "");
    accounts::grant(scene.namespace);
    scene.start_operator_with(&["--gateway", "provost-gateway/gateway", "--inference-services"]);
    scene.apply(&graph(&json!([{"name": "forest", "serviceName": "iris"}])));
    says(&scene, "Failed", "there is no deployment `iris` in the namespace").await;
    scene.apply(&service("iris", "sklearn"));
    says(&scene, "Available", "").await;
    answers(&["forest"]).await;
    let status = status(&scene);
    assert_eq!(status["url"], "http://flow.graphs.svc.cluster.local");
    assert_eq!(status["address"]["url"], "http://flow.graphs.svc.cluster.local:8000/");

    // A step more, whose service comes later: what was there answers until then.
    let both = json!([{"name": "forest", "serviceName": "iris"}, {"name": "boosted", "serviceName": "other"}]);
    scene.apply(&graph(&both));
    says(&scene, "Failed", "steps[1].serviceName: there is no deployment `other`").await;
    assert_eq!(answer().await, Ok(vec![("forest".to_owned(), true)]));
    scene.apply(&service("other", "xgboost"));
    answers(&["forest", "boosted"]).await;
    kubectl(&["-n", scene.namespace, "delete", GRAPH], "");
    eventually(async || {
        let left = scene.names("deployments");
        if left.iter().any(|name| name.starts_with("flow-")) { Err(left) } else { Ok(()) }
    })
    .await;
}
