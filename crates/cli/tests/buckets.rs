//! Seldon's quickstart, whose model is in a public bucket, and the log of pods, which goes to one: against a store
//! and an emulator, where the environment says that there are such. `cargo xtask test --suite buckets` starts them.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "a test")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Node, NodeOptions, eventually, keep_log, logged_ids, manifest, repository};

const REQUEST: &str = r#"{"data":{"names":["Sepal length","Sepal width","Petal length","Petal Width"],"ndarray":[[6.8,2.8,4.8,1.4],[6.1,3.4,4.5,1.6]]}}"#;

async fn upload(address: &str, name: &str, content: Vec<u8>) {
    let client = reqwest::Client::new();
    // The bucket may be there.
    let made = client.post(format!("{address}/storage/v1/b")).body(r#"{"name":"seldon-models"}"#).send().await;
    assert!(made.is_ok());
    let url = format!("{address}/upload/storage/v1/b/seldon-models/o?uploadType=media&name={name}");
    assert!(client.post(url).body(content).send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn seldons_quickstart_is_served_from_its_bucket() {
    let Ok(address) = std::env::var("PROVOST_TEST_GCS") else {
        println!("there is no store here");
        return;
    };
    let mut options = NodeOptions::new(env!("CARGO_BIN_EXE_provost"));
    options.environment = vec![("STORAGE_EMULATOR_HOST".to_owned(), address.clone())];
    let node = Node::start(options).await;
    let model = std::fs::read(repository("examples/iris/sklearn/model.joblib")).unwrap();
    upload(&address, "sklearn%2Firis%2Fmodel.joblib", model).await;
    node.apply(&manifest("from-bucket", "SKLEARN_SERVER", "gs://seldon-models/sklearn/iris")).await;
    node.apply(&manifest("from-file", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    let [from_bucket, from_file] = ["from-bucket", "from-file"];
    node.await_state(from_bucket, DeploymentState::Available).await;
    node.await_state(from_file, DeploymentState::Available).await;
    let (answer, expected) = (node.predict(from_bucket, REQUEST).await, node.predict(from_file, REQUEST).await);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["data"], expected.json["data"]);

    node.apply(&manifest("missing", "SKLEARN_SERVER", "gs://seldon-models/sklearn/none")).await;
    let failed = node.await_state("missing", DeploymentState::Failed).await;
    let reason = "there is nothing at `gs://seldon-models/sklearn/none`: check the model URI";
    assert!(failed.summary.description.contains(reason), "{}", failed.summary.description);
}

/// An empty bucket, and its folder; `None` where there is no store.
fn bucket(name: &str) -> Option<(String, PathBuf)> {
    let (Ok(address), Ok(buckets)) = (std::env::var("PROVOST_TEST_S3"), std::env::var("PROVOST_TEST_BUCKETS")) else {
        println!("there is no store here");
        return None;
    };
    let folder = PathBuf::from(buckets).join("s3").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    Some((address, folder))
}

/// A pod of the deployment `iris`, as the operator makes it, with this access to the bucket of its log.
fn pod(name: &str, bucket: &str, address: &str) -> NodeOptions {
    let manifest = manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn");
    let arguments = ["--roles", "predictor", "--listen", "127.0.0.1:0"].map(str::to_owned).to_vec();
    let environment = [
        ("PROVOST_MANIFEST", manifest.as_str()),
        ("PROVOST_ARTIFACTS__ROOTS", &format!("[\"{}\"]", repository("examples").display())),
        ("PROVOST_REQUEST_LOG__BUCKET", &format!("s3://{bucket}/logs")),
        ("REQUEST_LOG_AWS_ACCESS_KEY_ID", "testaccess"),
        ("REQUEST_LOG_AWS_SECRET_ACCESS_KEY", "testsecret"),
        ("REQUEST_LOG_AWS_ENDPOINT_URL", address),
        ("POD_NAME", name),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    NodeOptions { arguments, environment, ..NodeOptions::new(env!("CARGO_BIN_EXE_provost")) }
}

/// What gives access to the store.
fn access(address: &str) -> BTreeMap<String, String> {
    let access =
        [("AWS_ACCESS_KEY_ID", "testaccess"), ("AWS_SECRET_ACCESS_KEY", "testsecret"), ("AWS_ENDPOINT_URL", address)];
    access.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

async fn predict(node: &Node, times: usize) {
    for _ in 0..times {
        assert_eq!(node.predict("iris", REQUEST).await.status, 200);
    }
}

/// Files below a folder that end in `.parquet`.
fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test]
async fn a_pod_that_is_told_to_stop_sends_its_log_first() {
    let Some((address, folder)) = bucket("drained") else { return };
    let mut node = Node::start(pod("iris-main-0-x", "drained", &address)).await;
    predict(&node, 5).await;
    assert!(node.stop().await.success());
    let files = parquet_files(&folder.join("logs/default/iris"));
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(!files.is_empty() && files.iter().all(|path| name(path).starts_with("iris-main-0-x.")), "{files:?}");
    assert_eq!(parquet_files(node.data()).len(), 0, "what is in the bucket is no longer here");
}

#[tokio::test]
async fn what_a_killed_pod_logged_is_sent_once_it_runs_again() {
    let Some((address, folder)) = bucket("killed") else { return };
    let mut node = Node::start(pod("iris-main-0-y", "killed", &address)).await;
    predict(&node, 5).await;
    node.kill();
    assert_eq!(parquet_files(&folder).len(), 0);
    node.restart().await;
    eventually(async || if parquet_files(&folder).is_empty() { Err("nothing is sent") } else { Ok(()) }).await;
    assert_eq!(node.predict("iris", REQUEST).await.status, 200);
}

#[tokio::test]
async fn what_two_pods_logged_is_read_as_one_log() {
    let Some((address, _)) = bucket("read") else { return };
    let mut pods = [
        Node::start(pod("iris-main-0-a", "read", &address)).await,
        Node::start(pod("iris-main-0-b", "read", &address)).await,
    ];
    let mut expected = Vec::new();
    for number in 0..20 {
        let body = format!(r#"{{"data":{{"ndarray":[[5.1,3.5,1.4,0.2]]}},"meta":{{"puid":"r{number}"}}}}"#);
        assert_eq!(pods[number % 2].predict("iris", &body).await.status, 200);
        expected.insert(0, format!("r{number}"));
    }
    for pod in &mut pods {
        assert!(pod.stop().await.success());
    }
    let access = access(&address);
    for limit in [3, 20, 100] {
        let ids = logged_ids("s3://read/logs", &access, ("default", "iris"), limit).await;
        assert_eq!(ids.as_ref(), Ok(&expected), "{limit}");
    }
    let missing = logged_ids("s3://no-such-bucket/logs", &access, ("default", "iris"), 3).await.unwrap_err();
    assert!(missing.contains("cannot read `s3://no-such-bucket/logs`: the store answers 404"), "{missing}");
}

#[tokio::test]
async fn a_pod_sends_while_it_runs() {
    let Some((address, _)) = bucket("running") else { return };
    let mut options = pod("iris-main-0-c", "running", &address);
    options.environment.push(("PROVOST_REQUEST_LOG__SEGMENT_AGE".to_owned(), "1s".to_owned()));
    let node = Node::start(options).await;
    predict(&node, 3).await;
    let access = access(&address);
    eventually(async || {
        let ids = logged_ids("s3://running/logs", &access, ("default", "iris"), 100).await?;
        if ids.len() == 6 { Ok(()) } else { Err(format!("{} rows", ids.len())) }
    })
    .await;
    assert_eq!(parquet_files(node.data()).len(), 0);
    let metrics = reqwest::get(format!("{}/metrics", node.url())).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("provost_request_log_lost_records_total 0"), "{metrics}");
}

/// Has a pod send what it logged; gives the status of its answer.
async fn flush(node: &Node) -> u16 {
    let answer = reqwest::Client::new().post(format!("{}/-/flush", node.url())).send().await.unwrap();
    answer.status().as_u16()
}

#[tokio::test]
async fn a_pod_sends_at_once_when_it_is_asked() {
    let Some((address, folder)) = bucket("asked") else { return };
    let mut options = pod("iris-main-0-d", "asked", &address);
    options.environment.push(("PROVOST_REQUEST_LOG__SEGMENT_AGE".to_owned(), "1h".to_owned()));
    let node = Node::start(options).await;
    let access = access(&address);
    for requests in [1, 2] {
        predict(&node, 1).await;
        assert_eq!(flush(&node).await, 204);
        let ids = logged_ids("s3://asked/logs", &access, ("default", "iris"), 100).await.unwrap();
        assert_eq!(ids.len(), 2 * requests);
    }
    let others = futures_util::future::join_all((0..20).map(|_| flush(&node))).await;
    assert_eq!(others, [204; 20], "there is nothing to send");
    assert_eq!(reqwest::get(format!("{}/-/flush", node.url())).await.unwrap().status(), 405);
    fs::remove_dir_all(folder.parent().unwrap().join("asked")).unwrap();
    predict(&node, 1).await;
    assert_eq!(flush(&node).await, 503);
}

#[tokio::test]
async fn a_keeper_merges_what_pods_sent_and_removes_it_when_it_is_old() {
    let Some((address, folder)) = bucket("kept") else { return };
    let mut options = pod("iris-main-0-e", "kept", &address);
    options.environment.push(("PROVOST_SERVER__THREADS".to_owned(), "1".to_owned()));
    let node = Node::start(options).await;
    let access = access(&address);
    for _ in 0..4 {
        predict(&node, 1).await;
        assert_eq!(flush(&node).await, 204);
    }
    let ids = async || logged_ids("s3://kept/logs", &access, ("default", "iris"), 3).await.unwrap();
    let expected = ids().await;
    assert_eq!((expected.len(), parquet_files(&folder).len()), (8, 4));
    let kept = keep_log("s3://kept/logs", &access, 2).await.unwrap();
    assert_eq!((kept.merged, kept.written, parquet_files(&folder).len()), (4, 1, 5));
    assert_eq!(ids().await, expected);
    fs::write(folder.join("logs/notes.txt"), "of somebody else").unwrap();
    let kept = keep_log("s3://kept/logs", &access, 40).await.unwrap();
    assert_eq!((kept.expired, parquet_files(&folder).len()), (5, 0));
    assert!(folder.join("logs/notes.txt").exists());
}
