//! Seldon's quickstart, whose model is in a public bucket: against an emulator, where the environment says
//! that there is one. `cargo xtask test --suite buckets` starts it.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "a test")]

use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Node, NodeOptions, manifest, repository};

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
