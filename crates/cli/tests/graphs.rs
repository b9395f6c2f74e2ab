//! Graphs of several nodes through the real server: models of this process, programs of users' own, and what is built in.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::collections::BTreeMap;

use provost_api::rest::v1::{deployments::DeploymentState, requests::RequestParameters};
use provost_testkit::{Node, NodeOptions, expected_probabilities as expected, wrapped_model};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
/// The rows that `examples/iris/expected.json` is about.
const ROWS: &str = "[[6.8,2.8,4.8,1.4],[6.1,3.4,4.5,1.6]]";

/// A program of a user's own, on a port of its own.
async fn program(name: &str, kind: &str, children: &[Value]) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let environment = BTreeMap::from([("PREDICTIVE_UNIT_ID".to_owned(), name.to_owned())]);
    tokio::spawn(wrapped_model::serve(listener, environment));
    let endpoint = json!({"service_host": "127.0.0.1", "httpPort": port, "type": "REST"});
    json!({"name": name, "type": kind, "endpoint": endpoint, "children": children})
}

fn model(name: &str, server: &str, uri: &str) -> Value {
    json!({"name": name, "implementation": server, "modelUri": uri})
}

fn sklearn() -> Value {
    model("sklearn", "SKLEARN_SERVER", "examples/iris/sklearn")
}

fn xgboost() -> Value {
    model("xgboost", "XGBOOST_SERVER", "examples/iris/xgboost")
}

fn built_in(implementation: &str, children: &[Value]) -> Value {
    json!({"name": "root", "implementation": implementation, "children": children})
}

async fn served(graph: Value) -> Node {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    let manifest = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "graph"},
        "spec": {"predictors": [{"name": "main", "graph": graph}]},
    });
    let applied = node.apply(&manifest.to_string()).await;
    assert!(applied.applied[0].warnings.is_empty(), "{:?}", applied.applied[0].warnings);
    node.await_state("graph", DeploymentState::Available).await;
    node
}

#[track_caller]
fn assert_close(got: &Value, expected: &[f64]) {
    let got: Vec<Vec<f64>> = serde_json::from_value(got.clone()).unwrap();
    let got = got.concat();
    let is_close =
        got.len() == expected.len() && got.iter().zip(expected).all(|(got, want)| (got - want).abs() <= 1e-6);
    assert!(is_close, "{got:?} is not {expected:?}");
}

fn ndarray(rows: &str, tags: &Value) -> String {
    format!(r#"{{"data":{{"ndarray":{rows}}},"meta":{{"puid":"p","tags":{tags}}}}}"#)
}

#[tokio::test]
async fn the_mean_of_two_models_is_computed_here() {
    let node = served(built_in("AVERAGE_COMBINER", &[sklearn(), xgboost()])).await;
    let reply = node.predict("graph", &ndarray(ROWS, &json!({"a": 1}))).await;
    assert_eq!(reply.status, 200, "{:?}", reply.json);
    let [one, other] = ["sklearn", "xgboost"].map(expected);
    let mean: Vec<f64> = one.iter().zip(&other).map(|(one, other)| f64::midpoint(*one, *other)).collect();
    assert_close(&reply.json["data"]["ndarray"], &mean);
    assert_eq!(reply.json["data"]["names"], json!(["t:0", "t:1", "t:2"]));
    let path = json!({"sklearn": "SKLEARN_SERVER", "xgboost": "XGBOOST_SERVER", "root": "AVERAGE_COMBINER"});
    assert_eq!(reply.json["meta"], json!({"puid": "p", "requestPath": path, "tags": {"a": 1}}));

    let page = node.requests("graph", &RequestParameters::default()).await;
    let column = |name: &str| page.columns.iter().position(|column| column == name).unwrap();
    let values: Vec<f64> = page.rows.iter().map(|row| row[column("y.t:0")].as_f64().unwrap()).collect();
    // The newest first.
    assert!((values[1] - mean[0]).abs() < 1e-6 && (values[0] - mean[3]).abs() < 1e-6, "{page:?}");
}

#[tokio::test]
async fn a_random_test_splits_between_two_children_and_tells_which_it_chose() {
    let mut graph = built_in("RANDOM_ABTEST", &[sklearn(), xgboost()]);
    graph["parameters"] = json!([{"name": "ratioA", "value": "0.25", "type": "FLOAT"}]);
    let node = served(graph).await;
    let mut counts = [0_u32; 2];
    for id in 0..400 {
        let body = format!(r#"{{"data":{{"ndarray":{ROWS}}},"meta":{{"puid":"{id}"}}}}"#);
        let reply = node.predict("graph", &body).await;
        let chosen = usize::try_from(reply.json["meta"]["routing"]["root"].as_u64().unwrap()).unwrap();
        assert_close(&reply.json["data"]["ndarray"], &expected(["sklearn", "xgboost"][chosen]));
        counts[chosen] += 1;
    }
    // Five standard deviations of a binomial with p = 0.25.
    assert!((100 - 43..=100 + 43).contains(&counts[0]), "{counts:?}");
}

#[tokio::test]
async fn the_nodes_are_told_in_their_order() {
    let below = program("double", "TRANSFORMER", &[xgboost()]).await;
    let node = served(built_in("AVERAGE_COMBINER", &[sklearn(), below])).await;
    let detail = node.await_state("graph", DeploymentState::Available).await;
    let predictor = &detail.summary.predictors[0];
    assert_eq!((predictor.node.as_str(), predictor.implementation.as_str()), ("root", "AVERAGE_COMBINER"));
    let nodes = predictor.nodes.iter();
    let told: Vec<_> =
        nodes.map(|node| (node.name.as_str(), node.depth, node.kind.as_str(), node.digest.is_some())).collect();
    let expected = [("sklearn", 1, "MODEL", true), ("double", 1, "TRANSFORMER", false), ("xgboost", 2, "MODEL", true)];
    assert_eq!(told, expected);
    let described =
        std::process::Command::new(BINARY).args(["describe", "sdep", "graph", "--server", node.url()]).output();
    let described = String::from_utf8(described.unwrap().stdout).unwrap();
    let graph = described.split("\nGraphs:\n").nth(1).unwrap();
    let names: Vec<_> = graph.lines().take(5).map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(names, ["NODE", "root", "sklearn", "double", "xgboost"], "{described}");
}

#[tokio::test]
async fn nodes_of_every_kind_are_called_in_their_order() {
    let branches = [
        program("double", "TRANSFORMER", &[program("sum", "MODEL", &[]).await]).await,
        program("plus", "OUTPUT_TRANSFORMER", &[program("other", "MODEL", &[]).await]).await,
    ];
    let node = served(program("combine", "COMBINER", &branches).await).await;
    let reply = node.predict("graph", &ndarray("[[1,2.5]]", &json!({}))).await;
    assert_eq!(reply.json["data"]["ndarray"], json!([[7.0, 103.5]]), "{:?}", reply.json);
    let meta = &reply.json["meta"];
    let path: Vec<&String> = meta["requestPath"].as_object().unwrap().keys().collect();
    assert_eq!(path.len(), 5, "{path:?}");
    assert_eq!((&meta["puid"], &meta["tags"]["combine"]), (&json!("p"), &json!(true)));
    // Each node tells once what it measured, and gets nothing of what others did.
    let mut keys: Vec<&str> =
        meta["metrics"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["combine_calls", "double_calls", "plus_calls"]);
}

#[tokio::test]
async fn a_router_of_the_users_own_chooses_a_child_all_or_none() {
    let children = [program("sum", "MODEL", &[]).await, sklearn()];
    let node = served(program("router", "ROUTER", &children).await).await;
    let ask_of = async |rows: &str, child: i64| node.predict("graph", &ndarray(rows, &json!({"child": child}))).await;
    let ask = async |child: i64| ask_of("[[6.5,2.5,4.5,1.5]]", child).await;
    let first = ask(0).await;
    assert_eq!(
        (&first.json["data"]["ndarray"], &first.json["meta"]["routing"]),
        (&json!([[15.0]]), &json!({"router": 0}))
    );
    let second = ask_of("[[6.8,2.8,4.8,1.4]]", 1).await;
    assert_close(&second.json["data"]["ndarray"], &expected("sklearn")[..3]);
    assert_eq!(second.json["meta"]["requestPath"]["sklearn"], "SKLEARN_SERVER");
    // All children are asked, and the answer of the first goes on.
    assert_eq!(ask(-1).await.json["data"]["ndarray"], json!([[15.0]]));
    assert_eq!(ask(-2).await.json["data"]["ndarray"], json!([[6.5, 2.5, 4.5, 1.5]]));
    let out_of_range = ask(7).await;
    assert_eq!(out_of_range.status, 500);
    let expected =
        "node `router` chose the child 7: a router answers 0 to 1, -1 for all or -2 for none of its children";
    assert_eq!(out_of_range.info(), expected);
}

#[tokio::test]
async fn what_a_node_refuses_is_the_callers() {
    let node = served(program("double", "TRANSFORMER", &[program("sum", "ROUTER", &[sklearn()]).await]).await).await;
    let refused = node.predict("graph", &ndarray("[[1]]", &json!({"fail": "sum"}))).await;
    assert_eq!((refused.status, refused.info()), (400, "as it was told"));
    let unfit = node.predict("graph", &ndarray("[[1]]", &json!({}))).await;
    let expected = "node `sklearn`: the model takes 4 features, the request has 1";
    assert_eq!((unfit.status, unfit.info()), (400, expected));
}

#[tokio::test]
async fn texts_go_through_programs_and_not_into_models() {
    let node = served(json!({"name": "simple", "implementation": "SIMPLE_MODEL"})).await;
    let numbers = node.predict("graph", r#"{"data":{"ndarray":[[1]]},"meta":{"puid":"p"}}"#).await;
    let data = json!({"names": ["class0", "class1", "class2"], "tensor": {"shape": [1, 3], "values": [0.1, 0.9, 0.5]}});
    assert_eq!(numbers.json["data"], data);

    let text = node.predict("graph", r#"{"strData":"hello"}"#).await;
    assert_eq!(text.json["strData"], "hello");

    let node = served(program("router", "ROUTER", &[sklearn()]).await).await;
    let text = node.predict("graph", r#"{"strData":"hello","meta":{"puid":"of-a-text"}}"#).await;
    let expected = "node `sklearn`: `strData` is not a payload this model takes: send `data.ndarray` or `data.tensor`";
    assert_eq!((text.status, text.info()), (400, expected));
    assert_eq!(text.headers["seldon-puid"], "of-a-text");
    for path in ["v1/models/router:predict", "v2/models/router/infer"] {
        let reply = node.post(&format!("/seldon/default/graph/{path}"), "{}", &[]).await;
        assert_eq!(reply.status, 404);
        assert!(reply.error().contains("which is at api/v1.0/predictions"), "{}", reply.error());
    }
}

#[tokio::test]
async fn each_node_is_counted_where_it_is_called() {
    let node = served(program("router", "ROUTER", &[sklearn()]).await).await;
    node.predict("graph", &ndarray("[[6.8,2.8,4.8,1.4]]", &json!({}))).await;
    let metrics = reqwest::get(format!("{}/metrics", node.url())).await.unwrap().text().await.unwrap();
    let count = |side: &str, labels: &[&str]| {
        let name = format!("seldon_api_executor_{side}_requests_seconds_count");
        let is_it = |line: &&str| line.starts_with(&name) && labels.iter().all(|label| line.contains(label));
        metrics.lines().filter(is_it).map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(count("server", &["deployment_name=\"graph\""]), ["1"]);
    assert_eq!(count("client", &["service=\"/route\"", "model_name=\"router\""]), ["1"]);
    assert_eq!(count("client", &["service=\"/predict\"", "model_name=\"sklearn\""]), ["1"]);
    assert_eq!(count("client", &[]).len(), 2, "{metrics}");
    let measured = metrics.lines().find(|line| line.starts_with("router_calls_total{")).unwrap();
    assert!(measured.contains("model_name=\"router\"") && measured.ends_with("} 1"), "{measured}");
}

/// A program that answers its health and then, whatever it is asked, this; without an answer, it says nothing.
async fn faulty(name: &str, kind: &str, children: &[Value], answer: Option<&'static str>) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut got = [0; 4096];
                let length = stream.read(&mut got).await.unwrap();
                let healthy = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let is_health = got[..length].starts_with(b"GET /health/status");
                match if is_health { Some(healthy) } else { answer } {
                    Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                    None => std::future::pending().await,
                }
            });
        }
    });
    let endpoint = json!({"service_host": "127.0.0.1", "httpPort": port, "type": "REST"});
    json!({"name": name, "type": kind, "endpoint": endpoint, "children": children})
}

#[tokio::test]
async fn a_node_that_fails_is_named_and_others_answer_on() {
    let json =
        |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let answers = [
        // It hangs.
        (None, 504, "node `bad` did not answer within 700 ms"),
        // It dies in the middle of its answer.
        (
            Some("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"data\"".to_owned()),
            500,
            "the answer of node `bad` ends too early",
        ),
        // What it says is no HTTP, no JSON, no message.
        (Some("hello".to_owned()), 503, "node `bad` does not answer at"),
        (
            Some(json("<html>")),
            500,
            "node `bad` did not answer with a message that can be used: the body is not valid JSON",
        ),
        (Some(json("{\"a\":1}")), 500, "`a` is not a field of a Seldon message"),
        // It chooses no child.
        (Some(json("{\"data\":{\"ndarray\":[[\"x\"]]}}")), 500, "a child's number, as in"),
        (Some(json("{\"data\":{\"ndarray\":[[0.5]]}}")), 500, "a child's number, as in"),
    ];
    let node = Node::start(NodeOptions::new(BINARY)).await;
    for (answer, status, expected) in answers {
        let bad = faulty("bad", "ROUTER", &[sklearn()], answer.map(|answer| &*answer.leak())).await;
        let predictor =
            |name: &str, traffic: u32, graph: Value| json!({"name": name, "traffic": traffic, "graph": graph});
        let manifest = json!({
            "apiVersion": "machinelearning.seldon.io/v1",
            "kind": "SeldonDeployment",
            "metadata": {"name": "graph", "annotations": {"seldon.io/rest-timeout": "700"}},
            "spec": {"predictors": [predictor("main", 50, bad), predictor("other", 50, sklearn())]},
        });
        node.apply(&manifest.to_string()).await;
        node.await_state("graph", DeploymentState::Available).await;
        let path = "/seldon/default/graph/api/v1.0/predictions";
        let pinned = async |predictor: &str| {
            node.post(path, &ndarray("[[6.8,2.8,4.8,1.4]]", &json!({})), &[("provost-predictor", predictor)]).await
        };
        let reply = pinned("main").await;
        assert_eq!(reply.status, status, "{expected}: {:?}", reply.json);
        assert!(reply.info().contains(expected), "{} is not {expected}", reply.info());
        assert_eq!(pinned("other").await.status, 200);
    }
}

#[tokio::test]
async fn answers_of_different_shapes_have_no_mean() {
    let body = "HTTP/1.1 200 OK\r\ncontent-length: 28\r\nconnection: close\r\n\r\n{\"data\":{\"ndarray\":[[1,2]]}}";
    let bad = faulty("bad", "MODEL", &[], Some(body)).await;
    let node = served(built_in("AVERAGE_COMBINER", &[sklearn(), bad])).await;
    let reply = node.predict("graph", &ndarray("[[6.8,2.8,4.8,1.4]]", &json!({}))).await;
    let expected = "node `root`: its child 1 answers what has no mean: 1 × 2 values, where child 0 answers 1 × 3";
    assert_eq!((reply.status, reply.info()), (500, expected));
}

#[tokio::test]
async fn seldons_metadata_and_status_are_told_of_nodes_and_of_the_graph() {
    let below = program("double", "TRANSFORMER", &[sklearn()]).await;
    let node = served(built_in("AVERAGE_COMBINER", &[below, xgboost()])).await;
    let get = async |path: &str| node.get(&format!("/seldon/default/graph/api/v1.0/{path}")).await;
    for path in ["status", "health/status"] {
        assert_eq!(get(path).await.status, 200, "{path}");
    }
    let model = get("metadata/sklearn").await.json;
    assert_eq!((&model["name"], &model["platform"]), (&json!("sklearn"), &json!("sklearn")));
    let tensor =
        |names: Value, columns: u32| json!([{"messagetype": "tensor", "schema": {"names": names, "shape": [columns]}}]);
    assert_eq!(model["outputs"], tensor(json!(["t:0", "t:1", "t:2"]), 3));
    assert_eq!(get("status/sklearn").await.json["data"]["tensor"]["shape"], json!([0]));
    // A program's own words.
    assert_eq!(get("metadata/double").await.json["platform"], "wrapped");
    assert_eq!(get("status/double").await.status, 200);
    let unknown = get("metadata/other").await;
    assert_eq!(
        (unknown.status, unknown.info()),
        (404, "there is no node `other` in the graph; it has: root, double, sklearn, xgboost")
    );

    let doc = get("doc/seldon.json").await.json;
    let example =
        &doc["paths"]["/api/v1.0/predictions"]["post"]["requestBody"]["content"]["application/json"]["example"];
    assert_eq!(
        (&doc["servers"][0]["url"], example),
        (&json!("/seldon/default/graph"), &json!({"data": {"ndarray": [[0.0, 0.0, 0.0, 0.0]]}}))
    );
    assert!(get("doc/").await.headers["content-type"].to_str().unwrap().starts_with("text/html"));

    let graph = get("metadata").await.json;
    assert_eq!(graph["name"], "main");
    let models: Vec<&String> = graph["models"].as_object().unwrap().keys().collect();
    assert_eq!(models, ["root", "double", "sklearn", "xgboost"]);
    // What goes in is what the transformer takes; what comes out is the mean of what the models give.
    assert_eq!(graph["graphinputs"], json!([{"messagetype": "strData"}]));
    assert_eq!(graph["graphoutputs"], model["outputs"]);
}
