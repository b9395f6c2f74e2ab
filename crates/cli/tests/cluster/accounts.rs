//! Models of buckets by way of a service account, as `KFServing` has them.

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::scene::{Scene, access, kubectl, manifest};

/// The account that [`grant`] makes.
pub(crate) const ACCOUNT: &str = "fetcher";

/// A service account of the namespace, without a Secret of its own yet.
fn account(namespace: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": ACCOUNT, "namespace": namespace},
        "secrets": [{"name": "store"}],
    })
}

/// The Secret that it names: with `KFServing`'s old names of keys, and annotations that tell of the store.
fn secret(namespace: &str) -> Value {
    let access = access();
    let endpoint = access["AWS_ENDPOINT_URL"].as_str().unwrap();
    let annotations = json!({
        "serving.kubeflow.org/s3-endpoint": endpoint.strip_prefix("http://").unwrap(),
        "serving.kubeflow.org/s3-usehttps": "0",
    });
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "store", "namespace": namespace, "annotations": annotations},
        "stringData": {
            "awsAccessKeyID": access["AWS_ACCESS_KEY_ID"],
            "awsSecretAccessKey": access["AWS_SECRET_ACCESS_KEY"],
        },
    })
}

/// Makes an account of the namespace that gives access to the bucket.
pub(crate) fn grant(namespace: &str) {
    for object in [secret(namespace), account(namespace)] {
        kubectl(&["apply", "-f", "-"], &object.to_string());
    }
}

/// A deployment whose model is fetched by that account alone.
pub(crate) fn by_account() -> Value {
    manifest(&[json!({
        "name": "main",
        "graph": {
            "name": "classifier",
            "implementation": "SKLEARN_SERVER",
            "modelUri": "s3://models/iris/sklearn",
            "serviceAccountName": ACCOUNT,
        },
    })])
}

#[tokio::test]
async fn a_model_is_fetched_with_the_secret_of_a_service_account() {
    let Some(scene) = Scene::start("accounts") else { return };
    grant(scene.namespace);
    scene.apply(&by_account());
    scene.wait("iris");
    scene.predict_at_last("iris", None).await;

    let environment = "jsonpath={.items[0].spec.template.spec.containers[0].env}";
    let text = kubectl(&["-n", scene.namespace, "get", "deployments", "-o", environment], "");
    let secret = access()["AWS_SECRET_ACCESS_KEY"].as_str().unwrap().to_owned();
    assert!(text.contains("awsSecretAccessKey") && !text.contains(&secret), "pods refer to the key: {text}");
}

#[tokio::test]
async fn a_secret_that_is_made_later_is_found() {
    let Some(scene) = Scene::start("later") else { return };
    kubectl(&["apply", "-f", "-"], &account(scene.namespace).to_string());
    scene.apply(&by_account());
    eventually(async || {
        let status = scene.status("iris");
        let told = "the Secret `store` of the service account `fetcher`: has no effect; it is not there";
        if status["conditions"].to_string().contains(told) { Ok(()) } else { Err(status) }
    })
    .await;
    kubectl(&["apply", "-f", "-"], &secret(scene.namespace).to_string());
    // Nothing changes that the operator watches: it looks again after a while.
    scene.wait("iris");
    scene.predict_at_last("iris", None).await;
}
