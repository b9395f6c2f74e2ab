//! Programs made with Seldon's Python wrapper, unmodified, as nodes of a graph.

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::scene::{GATEWAY, Scene, kubectl};

/// What a data scientist writes.
const UNITS: &str = include_str!("../clients/units.py");

/// Runs the wrapper as its program does.
const RUN: &str = "from seldon_core.microservice import main; main()";

fn container(unit: &str, service: &str) -> Value {
    let [image, python] =
        ["PROVOST_TEST_WRAPPER_IMAGE", "PROVOST_TEST_WRAPPER_PYTHON"].map(|name| std::env::var(name).unwrap());
    json!({
        "name": unit.to_lowercase(),
        "image": image,
        "imagePullPolicy": "Never",
        "command": [python, "-c", RUN, format!("units.{unit}"), "--service-type", service],
        "workingDir": "/microservice",
        "env": [{"name": "GUNICORN_WORKERS", "value": "1"}, {"name": "PYTHONPATH", "value": "/microservice"}],
        "volumeMounts": [{"name": "source", "mountPath": "/microservice"}],
    })
}

fn deployment(transport: &str) -> Value {
    let leaf = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let merge =
        json!({"name": "merge", "type": "COMBINER", "children": [leaf("double", "TRANSFORMER"), leaf("sum", "MODEL")]});
    let shift = json!({"name": "shift", "type": "OUTPUT_TRANSFORMER", "children": [merge]});
    let units = [
        ("Choose", "ROUTER"),
        ("Shift", "TRANSFORMER"),
        ("Merge", "COMBINER"),
        ("Double", "TRANSFORMER"),
        ("Sum", "MODEL"),
    ];
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "wrapped"},
        "spec": {"transport": transport, "predictors": [{
            "name": "main",
            "graph": {"name": "choose", "type": "ROUTER", "children": [shift]},
            "componentSpecs": [{"spec": {
                "containers": units.map(|(unit, service)| container(unit, service)),
                "volumes": [{"name": "source", "configMap": {"name": "units"}}],
            }}],
        }]},
    })
}

async fn predict(http: &reqwest::Client, rows: Value) -> (u16, Value) {
    let body = json!({"data": {"ndarray": rows}, "meta": {"puid": "p"}}).to_string();
    let request = http.post(format!("{GATEWAY}/seldon/wrapped/wrapped/api/v1.0/predictions"));
    match request.header("content-type", "application/json").body(body).send().await {
        Ok(response) => (response.status().as_u16(), response.json().await.unwrap_or_default()),
        Err(error) => (0, json!(error.to_string())),
    }
}

#[tokio::test]
async fn programs_of_seldons_wrapper_are_nodes_of_a_graph() {
    let Some(scene) = Scene::start("wrapped") else { return };
    let source = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "units", "namespace": "wrapped"},
        "data": {"units.py": UNITS},
    });
    kubectl(&["apply", "-f", "-"], &source.to_string());
    let http = reqwest::Client::new();
    for transport in ["rest", "grpc"] {
        scene.apply(&deployment(transport));
        scene.wait("wrapped");
        // The first number is not above 10: doubled, beside the sum, and 100 more.
        eventually(async || match predict(&http, json!([[1.0, 2.5]])).await {
            (200, answer) if answer["data"]["ndarray"] == json!([[102.0, 103.5]]) => Ok(answer),
            other => Err(other),
        })
        .await;
        let (_, answer) = predict(&http, json!([[1.0, 2.5]])).await;
        let meta = &answer["meta"];
        assert_eq!((&meta["routing"], &meta["tags"]["sum"]), (&json!({"choose": 0}), &json!(true)), "{answer}");
        assert_eq!(meta["requestPath"].as_object().unwrap().len(), 5, "{answer}");
        // Above 10 it names a child that is not there.
        let (status, answer) = predict(&http, json!([[11.0, 2.5]])).await;
        assert_eq!(status, 500, "{answer}");
        assert!(answer.to_string().contains("choose"), "{answer}");
    }
}
