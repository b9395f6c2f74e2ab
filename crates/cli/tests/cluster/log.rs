//! The request log of pods, which outlives them in a bucket.

use std::collections::BTreeMap;

use provost_testkit::{eventually, logged_ids};

use crate::scene::{Scene, access, kubectl, manifest, predictor};

const BUCKET: &str = "s3://logs/cluster";
/// Rows of one request of a scene.
const ROWS: usize = 2;

/// Waits until the bucket has all rows of so many requests, and no more.
async fn await_rows(namespace: &str, requests: usize) {
    let access: BTreeMap<String, String> = serde_json::from_value(access()).unwrap();
    let ids = eventually(async || {
        let ids = logged_ids(BUCKET, &access, (namespace, "iris"), 7).await?;
        if ids.len() >= requests * ROWS { Ok(ids) } else { Err(format!("{} rows", ids.len())) }
    })
    .await;
    assert_eq!(ids, vec!["same-on-both"; requests * ROWS]);
}

async fn predict(scene: &Scene, times: usize) {
    for _ in 0..times {
        scene.predict_at_last("iris", None).await;
    }
}

#[tokio::test]
async fn what_a_pod_logged_is_in_the_bucket_when_the_pod_is_gone() {
    let Some(mut scene) = Scene::without_operator("logged") else { return };
    scene.start_operator_with_log(BUCKET, "bucket");
    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")]));
    scene.wait("iris");
    predict(&scene, 5).await;
    kubectl(&["-n", "logged", "delete", "pod", "-l", "seldon-deployment-id=iris", "--timeout=60s"], "");
    await_rows("logged", 5).await;

    // The pod in its place sends while it runs.
    scene.wait("iris");
    predict(&scene, 3).await;
    await_rows("logged", 8).await;
}

#[tokio::test]
async fn pods_serve_without_the_bucket_and_without_the_secret() {
    let Some(mut scene) = Scene::without_operator("unlogged") else { return };
    scene.start_operator_with_log("s3://no-such-bucket/cluster", "no-such-secret");
    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")]));
    scene.wait("iris");
    predict(&scene, 2).await;
}
