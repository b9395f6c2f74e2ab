//! Replicas by requests, down to none: what asks then is held until one serves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::{
    accounts,
    inference_services::ROWS,
    release::{Release, granted},
    scene::{Audit, GATEWAY, Scene, kubectl},
    traffic::pass,
};

const RELEASE: &str = "waking";
const NAMESPACE: &str = "waking-system";
const VALUES: &str = "inferenceServices=true,builtInGateway.enabled=true,watchNamespaces={scaled},gateway=provost-gateway/gateway,ingressDomain=example.org";

fn service(scale: &Value) -> Value {
    let mut predictor = json!({
        "serviceAccountName": accounts::ACCOUNT,
        "sklearn": {"storageUri": "s3://models/iris/sklearn", "resources": {"requests": {"cpu": "10m"}}},
    });
    predictor.as_object_mut().unwrap().extend(scale.as_object().unwrap().clone());
    json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris"},
        "spec": {"predictor": predictor},
    })
}

fn replicas() -> String {
    let path = "jsonpath={.items[0].spec.replicas}/{.items[0].status.readyReplicas}";
    kubectl(&["-n", "scaled", "get", "deployments", "-o", path], "")
}

/// Waits as long as the load of a minute takes to be forgotten.
async fn scaled_to(expected: &str) {
    for _ in 0..150 {
        if replicas() == expected {
            return;
        }
        pass(Duration::from_secs(1)).await;
    }
    assert_eq!(replicas(), expected);
}

async fn predict(url: &str) -> (u16, String) {
    predict_at(url, None).await
}

async fn predict_at(url: &str, host: Option<&str>) -> (u16, String) {
    let mut request = reqwest::Client::new().post(url).header("content-type", "application/json").body(ROWS);
    if let Some(host) = host {
        request = request.header("host", host);
    }
    match request.send().await {
        Ok(response) => (response.status().as_u16(), response.text().await.unwrap()),
        Err(error) => (0, error.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_follow_requests_down_to_none_and_what_is_asked_then_is_held() {
    let Some(scene) = Scene::without_operator("scaled") else { return };
    let mut audit = Audit::from_now();
    // The chart brings the kinds, and takes none over.
    let kinds = [
        "inferenceservices.serving.kserve.io",
        "inferenceservices.serving.kubeflow.org",
        "inferencegraphs.serving.kserve.io",
    ];
    kubectl(&[&["delete", "crd", "--ignore-not-found"][..], &kinds].concat(), "");
    accounts::grant(scene.namespace);
    let release = Release::install(RELEASE, NAMESPACE, &scene.image, &["--set", VALUES]);
    scene.apply(&service(&json!({"minReplicas": 0})));
    let url = format!("{GATEWAY}/seldon/scaled/iris/v1/models/iris:predict");
    eventually(async || match predict(&url).await {
        (200, _) => Ok(()),
        other => Err(other),
    })
    .await;

    scaled_to("0/").await;
    let ready = r#"jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;
    assert_eq!(kubectl(&["-n", "scaled", "get", "isvc", "iris", "-o", ready], ""), "True");
    // All of many at once are held, and answered.
    let asked = futures_util::future::join_all((0..20).map(|_| predict(&url))).await;
    assert!(asked.iter().all(|answer| *answer == (200, r#"{"predictions":[0,1]}"#.to_owned())), "{asked:?}");
    assert_eq!(replicas(), "1/1");
    let url_of_status = kubectl(&["-n", "scaled", "get", "isvc", "iris", "-o", "jsonpath={.status.url}"], "");
    assert_eq!(url_of_status, "http://iris-scaled.example.org");

    // Twenty a second are for more than two that take ten each.
    scene.apply(&service(&json!({"minReplicas": 0, "maxReplicas": 3, "scaleMetric": "rps", "scaleTarget": 10})));
    let (going, requests) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
    let load = tokio::spawn({
        let (going, requests, url) = (Arc::clone(&going), Arc::clone(&requests), url.clone());
        async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            while going.load(Ordering::Relaxed) {
                ticks.tick().await;
                let answer = predict(&url).await;
                assert_eq!(answer.0, 200, "request {}: {}", requests.load(Ordering::Relaxed), answer.1);
                requests.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    scaled_to("3/3").await;
    going.store(false, Ordering::Relaxed);
    load.await.unwrap();
    assert!(requests.load(Ordering::Relaxed) > 50);
    // By its host at the gateway, and by its Service, requests are held as well.
    scaled_to("0/").await;
    let answer = (200, r#"{"predictions":[0,1]}"#.to_owned());
    let at_gateway = format!("{GATEWAY}/v1/models/iris:predict");
    assert_eq!(predict_at(&at_gateway, Some("iris-scaled.example.org")).await, answer);
    assert_eq!(predict_at(&at_gateway, Some("iris.scaled.example.org")).await, answer);
    scaled_to("0/").await;
    let address = ["-n", "scaled", "get", "service", "iris-predictor", "-o", "jsonpath={.spec.clusterIP}"];
    let service = format!("http://{}/v1/models/iris:predict", kubectl(&address, ""));
    assert_eq!(predict_at(&service, Some("iris-predictor.scaled.svc.cluster.local")).await, answer);

    for (component, account) in [("operator", "waking-provost"), ("gateway", "waking-provost-gateway")] {
        let of_scaling = ["discovery.k8s.io", "apps deployments/scale"];
        let granted = granted(RELEASE, component).into_iter();
        let granted: Vec<_> = granted.filter(|one| of_scaling.iter().any(|of| one.starts_with(of))).collect();
        assert!(!granted.is_empty());
        eventually(async || {
            let used = audit.used(&format!("system:serviceaccount:{NAMESPACE}:{account}"));
            let idle: Vec<_> = granted.iter().filter(|one| !used.contains(*one)).collect();
            if idle.is_empty() { Ok(()) } else { Err(format!("granted and not used: {idle:?}")) }
        })
        .await;
    }
    drop(release);
    kubectl(&["delete", "namespace", NAMESPACE, "--wait=false"], "");
}
