//! Routers that learn, in several pods: what one is told, all know, and those that come after them.

use std::time::Duration;

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::{
    scene::{BODY, GATEWAY, Scene, kubectl, manifest, predictor},
    traffic::pass,
};

/// Two models behind a router that never tries what has earned less so far.
fn learns() -> Value {
    let child = |name: &str| {
        let mut node = predictor("", 0, "SKLEARN_SERVER", "s3://models/iris/sklearn")["graph"].take();
        node["name"] = json!(name);
        node
    };
    manifest(&[json!({
        "name": "main",
        "replicas": 2,
        "graph": {
            "name": "choice",
            "implementation": "EPSILON_GREEDY",
            "parameters": [{"name": "epsilon", "type": "FLOAT", "value": "0"}],
            "children": [child("a"), child("b")],
        },
    })])
}

/// Which children answer so many requests, and how many do.
async fn chosen(http: &reqwest::Client, requests: usize) -> Result<[usize; 2], String> {
    let mut chosen = [0, 0];
    for _ in 0..requests {
        // One connection each, so that it is not one pod that answers.
        let request = http.post(format!("{GATEWAY}/seldon/learns/iris/api/v1.0/predictions"));
        let request = request.header("content-type", "application/json").body(BODY.replace("same-on-both", ""));
        let response = request.send().await.map_err(|error| error.to_string())?;
        let answer: Value = response.json().await.map_err(|error| error.to_string())?;
        let child = answer["meta"]["routing"]["choice"].as_u64().ok_or(answer.to_string())?;
        chosen[usize::try_from(child).unwrap()] += 1;
    }
    Ok(chosen)
}

async fn all_choose(http: &reqwest::Client, expected: [usize; 2]) {
    eventually(async || match chosen(http, 40).await {
        Ok(chosen) if chosen == expected => Ok(()),
        other => Err(other),
    })
    .await;
}

#[tokio::test]
async fn what_a_router_in_one_pod_learns_all_know_and_those_after_them() {
    let Some(scene) = Scene::start("learns") else { return };
    scene.apply(&learns());
    scene.wait("iris");
    scene.predict_at_last("iris", None).await;
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    all_choose(&http, [40, 0]).await;

    // One pod is told, once, that the second child earns all and the first nothing.
    for (child, reward) in [(0, 0), (1, 1)] {
        let response = json!({"meta": {"puid": "p", "routing": {"choice": child}}, "data": {"ndarray": [[0]]}});
        let feedback = json!({"response": response, "reward": reward}).to_string();
        let request = http.post(format!("{GATEWAY}/seldon/learns/iris/api/v1.0/feedback"));
        let answer = request.header("content-type", "application/json").body(feedback).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }
    all_choose(&http, [0, 40]).await;

    // It is kept where it outlives all pods.
    let path = "jsonpath={.items[*].metadata.annotations.provost\\.dev/learned}";
    let learned = || kubectl(&["-n", "learns", "get", "services", "-l", "provost.dev/learns", "-o", path], "");
    for _ in 0..60 {
        if learned().contains(r#""b":{"rewards":1.0,"trials":1.0}"#) {
            break;
        }
        pass(Duration::from_secs(1)).await;
    }
    assert!(learned().contains(r#""b":{"rewards":1.0,"trials":1.0}"#), "{}", learned());
    kubectl(&["-n", "learns", "rollout", "restart", "deployment"], "");
    kubectl(
        &["-n", "learns", "rollout", "status", "deployment", "-l", "seldon-deployment-id=iris", "--timeout=120s"],
        "",
    );
    all_choose(&http, [0, 40]).await;
}
