//! Predictions through the real server: answers, errors, the log and the metrics.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::collections::BTreeSet;

use provost_api::rest::v1::{deployments::DeploymentState, requests::RequestParameters};
use provost_testkit::{Node, NodeOptions, eventually, manifest, repository};
use serde_json::{Value, json};

const IRIS: &str = r#"{"data":{"names":["Sepal length","Sepal width","Petal length","Petal Width"],"ndarray":[[6.8,2.8,4.8,1.4],[6.1,3.4,4.5,1.6]]}}"#;

async fn start() -> Node {
    let node = Node::start(NodeOptions::new(env!("CARGO_BIN_EXE_provost"))).await;
    node.apply(&manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    node.await_state("iris", DeploymentState::Available).await;
    node
}

fn expected(model: &str) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(repository("examples/iris/expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(expected[model]["predict_proba"].clone()).unwrap()
}

#[track_caller]
fn assert_close(answer: &Value, expected: &[Vec<f64>], tolerance: f64) {
    let answer: Vec<Vec<f64>> = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!(answer.len(), expected.len());
    for (got, want) in answer.iter().flatten().zip(expected.iter().flatten()) {
        assert!((got - want).abs() <= tolerance, "{answer:?} is not {expected:?}");
    }
}

#[tokio::test]
async fn seldons_iris_request_is_answered_in_seldons_shape_and_logged() {
    let node = start().await;
    for version in ["v1.0", "v0.1"] {
        let path = format!("/seldon/default/iris/api/{version}/predictions");
        let reply = node.post(&path, IRIS, &[("seldon-puid", &format!("id-{version}"))]).await;
        assert_eq!(reply.status, 200);
        assert_close(&reply.json["data"]["ndarray"], &expected("sklearn"), 1e-12);
        assert_eq!(reply.json["data"]["names"], json!(["t:0", "t:1", "t:2"]));
        let meta = json!({"puid": format!("id-{version}"), "requestPath": {"classifier": "SKLEARN_SERVER"}});
        assert_eq!(reply.json["meta"], meta);
        assert_eq!(reply.headers["seldon-puid"], format!("id-{version}"));
        assert_eq!(reply.headers["provost-predictor"], "main");
    }
    let filter = Some("request_id = 'id-v1.0'".to_owned());
    let page = node.requests("iris", &RequestParameters { filter, ..Default::default() }).await;
    assert_eq!(page.rows.len(), 2);
    let column = |name: &str| page.columns.iter().position(|column| column == name).unwrap();
    let lengths: BTreeSet<_> = page.rows.iter().map(|row| row[column("x.Sepal length")].to_string()).collect();
    assert_eq!(lengths, BTreeSet::from(["6.1".to_owned(), "6.8".to_owned()]));
    assert_eq!(page.rows[0][column("status")], 200);
}

#[tokio::test]
async fn tensors_tags_and_ids_of_the_caller_come_back() {
    let node = start().await;
    let body = r#"{"data":{"tensor":{"shape":[1,4],"values":[6.8,2.8,4.8,1.4]}},
        "meta":{"puid":"mine","tags":{"k":[1]},"routing":{"r":0},"requestPath":{"up":"img:1"}}}"#;
    let reply = node.predict("iris", body).await;
    assert_eq!(reply.json["data"]["tensor"]["shape"], json!([1, 3]));
    let path = json!({"classifier": "SKLEARN_SERVER", "up": "img:1"});
    let meta = json!({"puid": "mine", "requestPath": path, "routing": {"r": 0}, "tags": {"k": [1]}});
    assert_eq!(reply.json["meta"], meta);
}

#[tokio::test]
async fn a_tensor_of_tensorflow_comes_back_as_one() {
    let node = start().await;
    let shape = json!({"dim": [{"size": "1"}, {"size": "4"}]});
    let body = |values: serde_json::Value| {
        json!({"data": {"tftensor": {"dtype": "DT_DOUBLE", "tensorShape": shape, "doubleVal": values}}}).to_string()
    };
    let values = json!([6.8, 2.8, 4.8, 1.4]);
    let expected = node.predict("iris", &json!({"data": {"ndarray": [values]}}).to_string()).await;
    let reply = node.predict("iris", &body(values)).await;
    let tensor = &reply.json["data"]["tftensor"];
    assert_eq!(tensor["doubleVal"], expected.json["data"]["ndarray"][0]);
    assert_eq!(tensor["tensorShape"], json!({"dim": [{"size": "1"}, {"size": "3"}]}));
    let reply = node.predict("iris", &body(json!([1.0, 2.0]))).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json["status"]["info"], "`data.tftensor`: the shape [1,4] asks for 4 values, there are 2");
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let node = start().await;
    for (body, status, info) in [
        ("{\"data\":", 400, "the body is not valid JSON: expected a value, the text ends at byte 9"),
        ("", 400, "the body is not valid JSON: expected an object, the text ends at byte 1"),
        (r#"{"data":{"ndarray":[[1,2,3]]}}"#, 400, "the model takes 4 features, the request has 3"),
        (
            r#"{"data":{"ndarray":[[1,2,3,4],[1]]}}"#,
            400,
            "row 1 has 1 values, row 0 has 4: all rows must have the same number",
        ),
        (r#"{"data":{"ndarray":[[1,2,"x",4]]}}"#, 400, "row 0, column 2: expected a number, found a text"),
        (
            r#"{"data":{"ndarray":[[1,2,null,4]]}}"#,
            400,
            "row 0, column 2: the value is missing, and this model takes no missing values",
        ),
        (
            r#"{"strData":"x"}"#,
            400,
            "`strData` is not a payload this model takes: send `data.ndarray` or `data.tensor`",
        ),
    ] {
        let reply = node.predict("iris", body).await;
        assert_eq!((reply.status, reply.info()), (status, info), "{body}");
        assert_eq!(reply.json["status"]["status"], "FAILURE");
        assert!(reply.headers.contains_key("seldon-puid"));
    }
    // Requests that failed are rows without features.
    let rows = node.all_requests("iris").await;
    assert_eq!(rows.iter().filter(|row| row["status"] == 400).count(), 7);
}

#[tokio::test]
async fn what_is_not_there_is_a_404_and_what_cannot_be_done_says_so() {
    let node = start().await;
    let predictions = |namespace, name| format!("/seldon/{namespace}/{name}/api/v1.0/predictions");
    let reply = node.post(&predictions("default", "other"), IRIS, &[]).await;
    assert_eq!((reply.status, reply.info()), (404, "there is no deployment `other` in the namespace `default`"));
    let reply = node.post(&predictions("nowhere", "iris"), IRIS, &[]).await;
    assert_eq!((reply.status, reply.info()), (404, "there is no deployment in the namespace `nowhere`"));
    let reply = node.post("/seldon/default/iris/api/v9/predictions", IRIS, &[]).await;
    assert!(reply.status == 404 && reply.info().starts_with("there is nothing at `/seldon/default/iris/api/v9"));
    let reply = node.post(&predictions("default", "iris"), IRIS, &[("provost-predictor", "other")]).await;
    assert_eq!((reply.status, reply.info()), (404, "the deployment has no predictor `other`; it has: main"));
    let reply = node.post(&predictions("default", "iris"), IRIS, &[("seldon-puid", &"x".repeat(257))]).await;
    assert_eq!(reply.status, 400);
    let get = reqwest::get(format!("{}{}", node.url(), predictions("default", "iris"))).await.unwrap();
    assert_eq!(get.status(), 405);
    let reply = node.predict("iris", &format!("{{\"data\":\"{}\"}}", "x".repeat(17 << 20))).await;
    assert_eq!(reply.status, 413);
    let reply = node.post("/api/v1/nothing", "", &[]).await;
    assert_eq!((reply.status, &reply.json["code"]), (404, &json!("not_found")));
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused_everywhere() {
    let node = start().await;
    for path in ["/seldon/default/iris/api/v1.0/predictions", "/api/v1/apply"] {
        let reply = node.post(path, IRIS, &[("origin", "http://evil.example")]).await;
        assert_eq!((reply.status, &reply.json["code"]), (403, &json!("forbidden")), "{path}");
        let reply = node.post(path, IRIS, &[("host", "evil.example")]).await;
        assert_eq!(reply.status, 403, "{path}");
    }
    let reply = node.post("/api/v1/apply", IRIS, &[("content-type", "text/plain")]).await;
    assert_eq!(reply.status, 415);
}

#[tokio::test]
async fn a_canary_gets_its_share_and_can_be_asked_by_name() {
    let node = Node::start(NodeOptions::new(env!("CARGO_BIN_EXE_provost"))).await;
    let manifest = std::fs::read_to_string(repository("examples/iris/deployment.yaml")).unwrap();
    node.apply(&manifest).await;
    node.await_state("iris", DeploymentState::Available).await;

    let path = "/seldon/default/iris/api/v1.0/predictions";
    let reply = node.post(path, IRIS, &[("provost-predictor", "canary")]).await;
    assert_eq!(reply.headers["provost-predictor"], "canary");
    assert_close(&reply.json["data"]["ndarray"], &expected("xgboost"), 1e-6);
    let mut canary = 0;
    for index in 0..1000 {
        let reply = node.post(path, IRIS, &[("seldon-puid", &format!("request-{index}"))]).await;
        assert_eq!(reply.status, 200);
        canary += u32::from(reply.headers["provost-predictor"] == "canary");
    }
    // Five standard deviations of a binomial with n = 1000, p = 0.1.
    assert!((100 - 48..=100 + 48).contains(&canary), "{canary}");
    let metrics = reqwest::get(format!("{}/metrics", node.url())).await.unwrap().text().await.unwrap();
    let count = "seldon_api_executor_server_requests_seconds_count{code=\"200\",deployment_name=\"iris\",method=\"post\",namespace=\"default\",predictor_name=\"canary\",predictor_version=\"\",service=\"predictions\"}";
    assert!(metrics.contains(&format!("{count} {}\n", canary + 1)), "{metrics}");
    assert!(metrics.contains("seldon_api_executor_client_requests_seconds_summary{code=\"200\",deployment_name=\"iris\",method=\"post\",namespace=\"default\",predictor_name=\"main\",predictor_version=\"\",service=\"/predict\",model_name=\"classifier\",model_image=\"SKLEARN_SERVER\",model_version=\"\",quantile=\"0.99\"}"), "{metrics}");
}

#[tokio::test]
async fn logging_can_be_switched_off() {
    let node = start().await;
    node.predict("iris", IRIS).await;
    let off = manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")
        .replace("  name: iris\n", "  name: iris\n  annotations:\n    provost.dev/request-log: off\n");
    node.apply(&off).await;
    node.await_state("iris", DeploymentState::Available).await;
    eventually(async || {
        let before = node.all_requests("iris").await.len();
        assert_eq!(node.predict("iris", IRIS).await.status, 200);
        let after = node.all_requests("iris").await.len();
        if before == after { Ok(()) } else { Err((before, after)) }
    })
    .await;
}
