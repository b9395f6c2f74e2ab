//! Feedback through the real server: by answer, by id and by request; to the nodes of graphs, and to routers that learn.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::collections::BTreeMap;

use provost_api::rest::v1::{deployments::DeploymentState, requests::RequestParameters};
use provost_testkit::{Node, NodeOptions, wrapped_model};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
const FEEDBACK: &str = "/seldon/default/iris/api/v1.0/feedback";

async fn served(graph: Value) -> Node {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    let manifest = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris"},
        "spec": {"predictors": [{"name": "main", "graph": graph}]},
    });
    node.apply(&manifest.to_string()).await;
    node.await_state("iris", DeploymentState::Available).await;
    node
}

fn model(name: &str) -> Value {
    json!({"name": name, "implementation": "SKLEARN_SERVER", "modelUri": "examples/iris/sklearn"})
}

/// A program of a user's own, on a port of its own.
async fn program(name: &str, kind: &str, children: &[Value]) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let environment = BTreeMap::from([("PREDICTIVE_UNIT_ID".to_owned(), name.to_owned())]);
    tokio::spawn(wrapped_model::serve(listener, environment));
    let endpoint = json!({"service_host": "127.0.0.1", "httpPort": port, "type": "REST"});
    json!({"name": name, "type": kind, "endpoint": endpoint, "children": children})
}

/// The rows of the request log, or of feedback, each with what it has, oldest first.
async fn rows(node: &Node, is_feedback: bool) -> Vec<Value> {
    let (client, all) = (node.client(), RequestParameters::default());
    let page = if is_feedback {
        client.feedback("default", "iris", &all).await
    } else {
        client.requests("default", "iris", &all).await
    };
    let page = page.unwrap();
    let row = |row: Vec<Value>| page.columns.iter().cloned().zip(row).collect::<serde_json::Map<_, _>>().into();
    page.rows.into_iter().map(row).rev().collect()
}

async fn metric(node: &Node, start: &str) -> Option<f64> {
    let text = reqwest::get(format!("{}/metrics", node.url())).await.unwrap().text().await.unwrap();
    let line = text.lines().find(|line| start.split('…').all(|part| line.contains(part)) && !line.starts_with('#'))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test]
async fn requests_show_what_feedback_told_of_them_by_answer_by_id_and_by_their_features() {
    let node = served(model("m")).await;
    for (puid, body) in [
        ("one", r#"{"data":{"ndarray":[[6.8,2.8,4.8,1.4],[6.1,3.4,4.5,1.6]]}}"#),
        ("two", r#"{"data":{"ndarray":[[5.1,3.5,1.4,0.2]]}}"#),
        ("three", r#"{"data":{"ndarray":[[5.9,3.0,5.1,1.8]]}}"#),
        ("four", r#"{"data":{"ndarray":[[5.0,3.0,5.0,1.0]]}}"#),
    ] {
        let reply = node.post("/seldon/default/iris/api/v1.0/predictions", body, &[("seldon-puid", puid)]).await;
        assert_eq!(reply.status, 200);
    }
    let by_answer = json!({"reward": 1.0, "truth": {"data": {"ndarray": [1, 2]}},
        "response": {"meta": {"puid": "one"}, "data": {"ndarray": [[0.1, 0.8, 0.1], [0.2, 0.7, 0.1]]}}});
    let reply = node.post(FEEDBACK, &by_answer.to_string(), &[]).await;
    let expected =
        json!({"data": {"names": [], "ndarray": []}, "meta": {"puid": "one", "requestPath": {"m": "SKLEARN_SERVER"}}});
    assert_eq!((reply.status, &reply.json), (200, &expected));
    let by_id = json!({"truth": {"data": {"ndarray": ["setosa"]}}});
    let reply =
        node.post("/seldon/default/iris/api/v0.1/feedback", &by_id.to_string(), &[("seldon-puid", "two")]).await;
    assert_eq!(reply.status, 200);
    let by_request = json!({"request": {"data": {"ndarray": [[5.9, 3.0, 5.1, 1.8]]}}, "reward": -0.5});
    assert_eq!(node.post(FEEDBACK, &by_request.to_string(), &[]).await.status, 200);

    let of = |row: &Value| (row["request_id"].clone(), row["reward"].clone(), row["truth"].clone());
    let requests: Vec<_> = rows(&node, false).await.iter().map(of).collect();
    assert_eq!(
        requests,
        [
            (json!("one"), json!(1.0), json!("1")),
            (json!("one"), json!(1.0), json!("2")),
            (json!("two"), json!(0.0), json!("setosa")),
            (json!("three"), json!(-0.5), json!(null)),
            (json!("four"), json!(null), json!(null)),
        ]
    );
    let feedback = rows(&node, true).await;
    let told: Vec<_> = feedback.iter().map(|row| (&row["truth"], &row["prediction"])).collect();
    let nothing = json!(null);
    assert_eq!(
        told,
        [(&json!("1"), &json!("1")), (&json!("2"), &json!("1")), (&json!("setosa"), &nothing), (&nothing, &nothing)]
    );
    assert_eq!(metric(&node, "seldon_api_model_feedback_total{…model_name=\"m\"").await, Some(3.0));
    assert_eq!(metric(&node, "seldon_api_model_feedback_reward_total{").await, Some(1.0));
    assert_eq!(metric(&node, "server_requests_seconds_count{code=\"200\"…service=\"feedback\"").await, Some(3.0));
    assert_eq!(metric(&node, "server_requests_seconds_count{code=\"200\"…service=\"predictions\"").await, Some(4.0));
}

#[tokio::test]
async fn bad_feedback_is_told_what_is_wrong_and_counted_as_such() {
    let node = served(model("m")).await;
    for (body, expected) in [
        ("{", "the body is not valid JSON"),
        ("{}", "it cannot be told which prediction this is of"),
        (r#"{"foo":1}"#, "`foo` is not a field of a feedback"),
        (r#"{"request":{"strData":"a"},"reward":1}"#, "a prediction is found by a `request` of numbers only"),
        (r#"{"response":{"data":{"ndarray":[1,2]}},"truth":{"data":{"ndarray":[1]}}}"#, "`truth` has 1 instances"),
    ] {
        let reply = node.post(FEEDBACK, body, &[]).await;
        let status = &reply.json["status"];
        assert_eq!((reply.status, &status["code"]), (400, &json!(400)), "{body}");
        assert!(status["info"].as_str().unwrap().starts_with(expected), "{body}: {status}");
    }
    assert_eq!(metric(&node, "server_requests_seconds_count{code=\"400\"…service=\"feedback\"").await, Some(5.0));
    assert!(rows(&node, true).await.is_empty());
    let reply = node.get(FEEDBACK).await;
    assert_eq!(reply.status, 405);
}

#[tokio::test]
async fn feedback_goes_the_way_of_its_request_through_a_graph() {
    let (left, right) = (program("left", "MODEL", &[]).await, program("right", "MODEL", &[]).await);
    let node = served(program("choice", "ROUTER", &[left, right]).await).await;
    let feedback = json!({"reward": 1.0, "response": {"meta": {"puid": "p", "routing": {"choice": 1}}}});
    let reply = node.post(FEEDBACK, &feedback.to_string(), &[]).await;
    // The answer is that of the first node, which got what was sent.
    assert_eq!(reply.json["meta"]["tags"]["feedback"], feedback);
    let told = async |name: &str| {
        let start = format!("client_requests_seconds_count{{…model_name=\"{name}\"…service=\"/send-feedback\"");
        metric(&node, &start).await
    };
    // Labels are in the order of their names.
    let by_service = "client_requests_seconds_count{code=\"200\"…service=\"/send-feedback\"…model_name=\"right\"";
    assert_eq!(metric(&node, by_service).await, Some(1.0));
    assert_eq!(told("left").await, None);
    for (routing, expected) in
        [(json!(2), "node `choice` chose the child 2"), (json!("a"), "`response.meta.routing.choice`")]
    {
        let feedback = json!({"response": {"meta": {"puid": "p", "routing": {"choice": routing}}}});
        let reply = node.post(FEEDBACK, &feedback.to_string(), &[]).await;
        assert_eq!(reply.status, 400);
        assert!(reply.json["status"]["info"].as_str().unwrap().starts_with(expected), "{}", reply.json);
    }
    let refused = json!({"response": {"meta": {"puid": "p", "tags": {"fail": "choice"}}}});
    let reply = node.post(FEEDBACK, &refused.to_string(), &[]).await;
    assert_eq!((reply.status, &reply.json["status"]["info"]), (400, &json!("as it was told")));
}

#[tokio::test]
async fn a_router_learns_which_child_earns_the_most_and_knows_it_after_a_restart() {
    let learns = json!({"name": "r", "implementation": "EPSILON_GREEDY", "children": [model("a"), model("b")],
        "parameters": [{"name": "epsilon", "type": "FLOAT", "value": "0.2"}]});
    let mut node = served(learns).await;
    let body = r#"{"data":{"ndarray":[[6.8,2.8,4.8,1.4]]}}"#;
    let mut chosen = [0, 0];
    for index in 0..300 {
        let reply = node.predict("iris", body).await;
        let child = usize::try_from(reply.json["meta"]["routing"]["r"].as_u64().unwrap()).unwrap();
        chosen[child] += usize::from(index >= 150);
        // By the whole answer, or by its id alone.
        let response = if index % 2 == 0 { reply.json } else { json!({"meta": {"puid": reply.json["meta"]["puid"]}}) };
        let feedback = json!({"response": response, "reward": child});
        assert_eq!(node.post(FEEDBACK, &feedback.to_string(), &[]).await.json.get("status"), None);
    }
    // Nine in ten of the last 150: 135, within five standard deviations.
    assert!(chosen[1] >= 116, "{chosen:?}");
    let learned = metric(&node, "provost_router_feedback_total{…child=\"1\"").await.unwrap();
    assert_eq!(metric(&node, "provost_router_reward_total{…child=\"1\"").await, Some(learned));
    node.stop().await;
    node.restart().await;
    node.await_state("iris", DeploymentState::Available).await;
    let mut chosen = [0, 0];
    for _ in 0..50 {
        let reply = node.predict("iris", body).await;
        chosen[usize::try_from(reply.json["meta"]["routing"]["r"].as_u64().unwrap()).unwrap()] += 1;
    }
    assert!(chosen[1] >= 34, "{chosen:?}");
    let unknown = json!({"response": {"meta": {"puid": "unknown"}}, "reward": 1});
    let reply = node.post(FEEDBACK, &unknown.to_string(), &[]).await;
    assert!(reply.json["status"]["info"].as_str().unwrap().contains("which child of r answered"), "{}", reply.json);
    let beyond = json!({"response": {"meta": {"puid": "p", "routing": {"r": 0}}}, "reward": 2});
    let reply = node.post(FEEDBACK, &beyond.to_string(), &[]).await;
    let expected = "router `r` learns of rewards from 0 to 1, and `reward` is 2";
    assert_eq!((reply.status, &reply.json["status"]["info"]), (400, &json!(expected)));
}
