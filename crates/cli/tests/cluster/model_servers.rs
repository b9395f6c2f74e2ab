//! Model servers by name: those that a `ConfigMap` adds, and serving runtimes of `KServe`.

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::{
    inference_services,
    own_program::allow_pulls,
    scene::{GATEWAY, Scene, kubectl, manifest},
};

/// The `ConfigMap` with one server, as Seldon writes it.
fn config(namespace: &str, image: &str) -> Value {
    let servers = json!({"CUSTOM_SERVER": {"protocols": {"seldon": {"image": image}}}});
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "seldon-config", "namespace": namespace},
        "data": {"predictor_servers": servers.to_string()},
    })
}

/// A model that this server serves.
fn custom() -> Value {
    manifest(&[json!({
        "name": "main",
        "graph": {
            "name": "scorer",
            "implementation": "CUSTOM_SERVER",
            "modelUri": "s3://models/iris/sklearn",
            "envSecretRefName": "bucket",
        },
        "componentSpecs": [{"spec": {"imagePullSecrets": [{"name": "registry"}], "containers": []}}],
    })])
}

#[tokio::test]
async fn a_server_of_a_configmap_predicts_as_soon_as_it_is_named_there() {
    let Some(mut scene) = Scene::without_operator("servers") else { return };
    let image = std::env::var("PROVOST_TEST_OWN_IMAGE").unwrap();
    allow_pulls(scene.namespace);
    let arguments = ["--gateway", "provost-gateway/gateway", "--model-servers", "servers/seldon-config"];
    scene.start_operator_with(&arguments);
    scene.apply(&custom());
    let reason = scene.reason("iris").await;
    assert!(reason.contains("No entry in predictors map for CUSTOM_SERVER; known are CATBOOST_SERVER"), "{reason}");

    kubectl(&["apply", "-f", "-"], &config(scene.namespace, &image).to_string());
    scene.wait("iris");
    let answer: Value = serde_json::from_str(&scene.predict_at_last("iris", None).await).unwrap();
    let sums: Vec<Vec<f64>> = serde_json::from_value(answer["data"]["ndarray"].clone()).unwrap();
    assert!(sums.iter().flatten().zip([10.2, 15.8]).all(|(sum, expected)| (sum - expected).abs() < 1e-9), "{answer}");
    let told = &answer["meta"]["tags"]["environment"];
    let parameters = r#"[{"name":"model_uri","value":"/mnt/models","type":"STRING"}]"#;
    assert_eq!(told["PREDICTIVE_UNIT_PARAMETERS"], parameters);
    assert_eq!(told["PREDICTIVE_UNIT_IMAGE"], json!(image));
    let pods = ["-n", "servers", "get", "pods", "-l", "seldon-deployment-id=iris", "-o"];
    let shown = |path: &str| kubectl(&[&pods[..], &[&["jsonpath={.items[0].spec.", path, "}"].concat()]].concat(), "");
    assert_eq!(shown("containers[*].name"), "scorer seldon-container-engine");
    assert_eq!(shown("initContainers[0].args[0]"), "fetch", "the image of the platform brings the model");

    // Another image there rolls the pods; one that cannot be pulled is told of, and the pod before serves on.
    kubectl(&["apply", "-f", "-"], &config(scene.namespace, &image.replace(":test", ":other")).to_string());
    eventually(async || {
        let images = kubectl(&[&pods[..], &["jsonpath={.items[*].spec.containers[0].image}"]].concat(), "");
        if images.contains(":other") && images.contains(":test") { Ok(()) } else { Err(images) }
    })
    .await;
    assert_eq!(scene.predict("iris", None).await.0, 200);
}

/// The kinds of `KServe`'s runtimes, as far as they matter.
fn install_runtimes() {
    for (plural, kind, scope) in [
        ("servingruntimes", "ServingRuntime", "Namespaced"),
        ("clusterservingruntimes", "ClusterServingRuntime", "Cluster"),
    ] {
        let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let version =
            json!({"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
        let crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.serving.kserve.io")},
            "spec": {
                "group": "serving.kserve.io",
                "names": {"kind": kind, "plural": plural},
                "scope": scope,
                "versions": [version],
            },
        });
        kubectl(&["apply", "-f", "-"], &crd.to_string());
        kubectl(&["wait", "--for=condition=Established", &format!("crd/{plural}.serving.kserve.io")], "");
    }
}

fn runtime(namespace: &str, image: &str) -> Value {
    json!({
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": {"name": "pmmlserver", "namespace": namespace},
        "spec": {
            "supportedModelFormats": [{"name": "pmml", "version": "4", "autoSelect": true, "priority": 1}],
            "protocolVersions": ["v1"],
            "imagePullSecrets": [{"name": "registry"}],
            "containers": [{"name": "kserve-container", "image": image, "args": ["--model_name={{.Name}}"]}],
        },
    })
}

#[tokio::test]
async fn a_format_of_kserve_is_served_by_the_runtime_of_the_namespace() {
    let Some(mut scene) = Scene::without_operator("runtimes") else { return };
    let image = std::env::var("PROVOST_TEST_OWN_IMAGE").unwrap();
    inference_services::install();
    install_runtimes();
    allow_pulls(scene.namespace);
    crate::accounts::grant(scene.namespace);
    scene.start_operator_with(&["--gateway", "provost-gateway/gateway", "--inference-services"]);
    let model = json!({"modelFormat": {"name": "pmml"}, "storageUri": "s3://models/iris/sklearn"});
    scene.apply(&json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris"},
        "spec": {"predictor": {"serviceAccountName": crate::accounts::ACCOUNT, "model": model}},
    }));
    let name = "inferenceservices.serving.kserve.io/iris";
    let status = || kubectl(&["-n", "runtimes", "get", name, "-o", "jsonpath={.status}"], "");
    eventually(async || {
        let status = status();
        if status.contains("no serving runtime serves the model format `pmml`") { Ok(()) } else { Err(status) }
    })
    .await;
    kubectl(&["apply", "-f", "-"], &runtime(scene.namespace, &image).to_string());
    kubectl(&["-n", "runtimes", "wait", name, "--for=condition=Ready", "--timeout=120s"], "");
    let url = format!("{GATEWAY}/seldon/runtimes/iris/v1/models/iris:predict");
    let body = r#"{"instances": [[5.1,3.5,1.4,0.2]]}"#;
    // The program tells what it was asked.
    let asked = eventually(async || {
        let client = reqwest::Client::new();
        let sent = client.post(&url).header("content-type", "application/json").body(body).send().await;
        match sent.map_err(|error| error.to_string())? {
            response if response.status() == 200 => response.text().await.map_err(|error| error.to_string()),
            response => Err(response.status().to_string()),
        }
    })
    .await;
    assert!(asked.contains("/v1/models/iris:predict"), "{asked}");
    let pods = ["-n", "runtimes", "get", "pods", "-o", "jsonpath={.items[0].spec.containers[0].args}"];
    assert_eq!(kubectl(&pods, ""), r#"["--model_name=iris"]"#);
}
