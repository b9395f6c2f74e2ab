//! Nodes whose programs are users' own: servers that are called, and whose bodies pass through.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use provost_api::rest::v1::{deployments::DeploymentState, requests::RequestParameters};
use provost_testkit::{Node, NodeOptions, eventually, manifest, repository, wrapped_model};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
const BODY: &str = r#"{"data":{"ndarray":[[1,2],[3,4.5]]},"meta":{"puid":"of-the-body"}}"#;

/// A model on a port of its own.
async fn model() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let environment = BTreeMap::from([("PREDICTIVE_UNIT_ID".to_owned(), "classifier".to_owned())]);
    tokio::spawn(wrapped_model::serve(listener, environment));
    port
}

fn predictor(name: &str, traffic: u32, port: u16) -> Value {
    let endpoint = json!({"service_host": "127.0.0.1", "httpPort": port, "type": "REST"});
    json!({"name": name, "traffic": traffic, "graph": {"name": "classifier", "type": "MODEL", "endpoint": endpoint}})
}

fn deployment(predictors: &[Value]) -> String {
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "own", "annotations": {"seldon.io/rest-timeout": "700"}},
        "spec": {"predictors": predictors},
    })
    .to_string()
}

async fn served(port: u16) -> Node {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    let applied = node.apply(&deployment(&[predictor("main", 100, port)])).await;
    assert!(applied.applied[0].warnings.is_empty(), "{:?}", applied.applied[0].warnings);
    node.await_state("own", DeploymentState::Available).await;
    node
}

#[tokio::test]
async fn bodies_pass_through_and_are_logged() {
    let node = served(model().await).await;
    let headers = [("x-request", "7"), ("authorization", "Bearer of-this-server"), ("accept-encoding", "gzip")];
    let path = "/seldon/default/own/api/v1.0/predictions";
    let reply = node.post(path, BODY, &headers).await;
    assert_eq!((reply.status, &reply.json["data"]["ndarray"]), (200, &json!([[3.0], [7.5]])));
    assert_eq!(reply.headers["seldon-puid"], "of-the-body");
    assert_eq!(reply.headers["provost-predictor"], "main");
    let seen = &reply.json["meta"]["tags"]["headers"];
    assert_eq!((&seen["x-request"], &seen["seldon-puid"]), (&json!("7"), &json!("of-the-body")));
    assert_eq!((&seen["authorization"], &seen["accept-encoding"]), (&Value::Null, &Value::Null), "{seen}");

    let page = node.requests("own", &RequestParameters::default()).await;
    let column = |name: &str| page.columns.iter().position(|column| column == name).unwrap();
    let text = |name: &str| page.rows[0][column(name)].as_str().unwrap().to_owned();
    assert_eq!((text("request_id"), text("predictor")), ("of-the-body".to_owned(), "main".to_owned()));
    // Numbers are columns, as those of a model of this process are.
    let values = |name: &str| page.rows.iter().map(|row| row[column(name)].as_f64().unwrap()).collect::<Vec<_>>();
    assert_eq!((values("x.x0"), values("x.x1"), values("y.t:0")), (vec![3.0, 1.0], vec![4.5, 2.0], vec![7.5, 3.0]));
}

#[tokio::test]
async fn what_is_no_table_of_numbers_is_logged_as_it_was() {
    let node = served(model().await).await;
    let body = r#"{"data":{"ndarray":[["a",2]]}}"#;
    assert_eq!(node.predict("own", body).await.status, 200);
    let named = r#"{"data":{"names":["a","b"],"ndarray":[[1,2]]}}"#;
    assert_eq!(node.predict("own", named).await.status, 200);
    let page = node.requests("own", &RequestParameters::default()).await;
    let column = |name: &str| page.columns.iter().position(|column| column == name).unwrap();
    assert_eq!(page.rows[1][column("request")], body);
    assert!(page.rows[1][column("response")].as_str().unwrap().contains("[[2.0]]"), "{page:?}");
    assert_eq!((&page.rows[0][column("x.a")], &page.rows[0][column("x.b")]), (&json!(1.0), &json!(2.0)));
}

#[tokio::test]
async fn refusals_are_the_programs_own() {
    let node = served(model().await).await;
    let refused = node.predict("own", r#"{"strData": "hello"}"#).await;
    assert_eq!((refused.status, refused.info()), (400, "Invalid request data type"));
    assert_eq!(refused.headers["content-type"], "application/json");
    let no_json = node.predict("own", "{").await;
    assert_eq!(no_json.status, 400);
    assert!(no_json.headers["content-type"].to_str().unwrap().starts_with("text/"));
    let page = node.requests("own", &RequestParameters::default()).await;
    let column = |name: &str| page.columns.iter().position(|column| column == name).unwrap();
    assert_eq!(page.rows[1][column("status")], 400);
    assert!(page.rows[1][column("error")].as_str().unwrap().contains("MICROSERVICE_BAD_DATA"), "{page:?}");
}

#[tokio::test]
async fn one_that_does_not_answer_in_time_is_told_of() {
    let node = served(model().await).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    // It says that it is well, and nothing more.
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        loop {
            let (mut stream, _) = silent.accept().await.unwrap();
            tokio::spawn(async move {
                let mut got = [0; 1024];
                let length = stream.read(&mut got).await.unwrap();
                if got[..length].starts_with(b"GET /health/status") {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                }
                std::future::pending::<()>().await;
            });
        }
    });
    node.apply(&deployment(&[predictor("silent", 100, port)])).await;
    node.await_state("own", DeploymentState::Available).await;
    let reply = node.predict("own", BODY).await;
    assert_eq!((reply.status, reply.info()), (504, "node `classifier` did not answer within 700 ms"));
}

#[tokio::test]
async fn explanations_are_the_programs_own_and_not_logged() {
    let roots = format!("[\"{}\"]", repository("examples").display());
    let environment = vec![("PROVOST_ARTIFACTS__ROOTS".to_owned(), roots)];
    let node = Node::start(NodeOptions { environment, ..NodeOptions::new(BINARY) }).await;
    let uri = repository("examples/iris/sklearn").display().to_string();
    node.apply(&manifest("classifier", "SKLEARN_SERVER", &uri)).await;
    node.await_state("classifier", DeploymentState::Available).await;
    // It explains what the node predicts.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let host = node.url().trim_start_matches("http://").to_owned();
    let environment = BTreeMap::from([(wrapped_model::PREDICTOR_HOST.to_owned(), host)]);
    tokio::spawn(wrapped_model::serve(listener, environment));
    let explainer = deployment(&[predictor("main", 100, port)]);
    node.apply(&explainer.replace(r#""spec":{"#, r#""spec":{"protocol":"tensorflow","#)).await;
    node.await_state("own", DeploymentState::Available).await;

    let body = r#"{"instances": [[5.1,3.5,1.4,0.2]]}"#;
    let predicted = node.post("/seldon/default/classifier/v1/models/classifier:predict", body, &[]).await;
    let explained = node.post("/seldon/default/own/v1/models/classifier:explain", body, &[]).await;
    assert_eq!((explained.status, &explained.json["explanations"]), (200, &predicted.json["predictions"]));
    assert!(explained.json["explanations"].is_array(), "{}", explained.json);
    assert_eq!(node.requests("own", &RequestParameters::default()).await.rows.len(), 0);
    let refused = node.post("/seldon/default/classifier/v1/models/classifier:explain", body, &[]).await;
    let expected = json!("the deployment has no explainer; ask for predictions");
    assert_eq!((refused.status, &refused.json["error"]), (404, &expected));
}

/// Counts the requests that a program has at once, and holds each until it is let go.
struct Held {
    now: AtomicUsize,
    most: AtomicUsize,
    let_go: Semaphore,
}

impl Held {
    async fn answer(&self) -> &'static str {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.let_go.acquire().await.unwrap().forget();
        self.now.fetch_sub(1, Ordering::SeqCst);
        r#"{"data":{"ndarray":[[1]]}}"#
    }

    /// Answers what is asked on a connection, which is closed then.
    async fn serve(&self, mut stream: TcpStream) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut got, mut chunk) = (Vec::new(), [0; 1024]);
        let body = loop {
            let length = stream.read(&mut chunk).await.unwrap();
            got.extend_from_slice(&chunk[..length]);
            if got.ends_with(BODY.as_bytes()) {
                break self.answer().await;
            }
            if length == 0 || got.starts_with(b"GET ") {
                break "{}";
            }
        };
        let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + body).as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn one_that_takes_so_many_requests_at_once_gets_no_more() {
    let held = Arc::new(Held { now: AtomicUsize::new(0), most: AtomicUsize::new(0), let_go: Semaphore::new(0) });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let program = Arc::clone(&held);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let program = Arc::clone(&program);
            tokio::spawn(async move { program.serve(stream).await });
        }
    });
    let node = Node::start(NodeOptions::new(BINARY)).await;
    let text = deployment(&[predictor("main", 100, port)]);
    let limited = text.replace(r#""seldon.io/rest-timeout":"700""#, r#""provost.dev/container-concurrency":"2""#);
    assert_ne!(limited, text);
    node.apply(&limited).await;
    node.await_state("own", DeploymentState::Available).await;
    let let_go = async {
        for left in (0..5).rev() {
            let expected = 2.min(left + 1);
            eventually(async || match held.now.load(Ordering::SeqCst) {
                now if now == expected => Ok(()),
                now => Err(now),
            })
            .await;
            held.let_go.add_permits(1);
        }
    };
    let ask = || async { node.predict("own", BODY).await.status };
    let all = async { tokio::join!(ask(), ask(), ask(), ask(), ask()) };
    let (answers, ()) = tokio::join!(all, let_go);
    assert_eq!((answers, held.most.load(Ordering::SeqCst)), ((200, 200, 200, 200, 200), 2));
}

#[tokio::test]
async fn one_that_is_not_there_is_waited_for() {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    // Whoever had the port has let it go.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    node.apply(&deployment(&[predictor("main", 100, port)])).await;
    let failed = node.await_state("own", DeploymentState::Failed).await;
    let expected = format!("node `classifier` at 127.0.0.1:{port} does not answer yet");
    assert!(failed.summary.description.contains(&expected), "{}", failed.summary.description);
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let serving = tokio::spawn(wrapped_model::serve(listener, BTreeMap::new()));
    node.await_state("own", DeploymentState::Available).await;
    assert_eq!(node.predict("own", BODY).await.status, 200);
    serving.abort();
    let gone = eventually(async || match node.predict("own", BODY).await {
        reply if reply.status == 503 => Ok(reply),
        reply => Err(reply.status),
    })
    .await;
    assert!(gone.info().starts_with(&format!("node `classifier` does not answer at 127.0.0.1:{port}")), "{gone:?}");
}

#[tokio::test]
async fn one_beside_a_model_of_this_process_shares_the_traffic() {
    let node = served(model().await).await;
    let native = json!({
        "name": "native",
        "traffic": 0,
        "graph": {"name": "classifier", "implementation": "SKLEARN_SERVER", "modelUri": "examples/iris/sklearn"},
    });
    node.apply(&deployment(&[predictor("main", 100, model().await), native])).await;
    node.await_state("own", DeploymentState::Available).await;
    let body = r#"{"data":{"ndarray":[[5.1,3.5,1.4,0.2]]}}"#;
    let path = "/seldon/default/own/api/v1.0/predictions";
    assert_eq!(node.post(path, body, &[]).await.headers["provost-predictor"], "main");
    let native = node.post(path, body, &[("provost-predictor", "native")]).await;
    assert_eq!(native.json["data"]["ndarray"][0].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_container_is_told_to_be_for_a_cluster() {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    let text = manifest("own", "", "").replace("implementation: \n", "").replace("modelUri: \n", "");
    let refused = node.apply_refused(&text).await;
    let errors: Vec<_> = refused.errors.iter().map(ToString::to_string).collect();
    assert!(errors.iter().any(|error| error.contains("containers run on a Kubernetes cluster only")), "{errors:?}");
}

#[tokio::test]
async fn a_model_server_that_runs_already_is_called_by_its_name() {
    let mut named = predictor("main", 100, model().await);
    named["graph"]["implementation"] = json!("MLFLOW_SERVER");
    let node = Node::start(NodeOptions::new(BINARY)).await;
    node.apply(&deployment(std::slice::from_ref(&named))).await;
    node.await_state("own", DeploymentState::Available).await;
    assert_eq!(node.predict("own", BODY).await.json["data"]["ndarray"], json!([[3.0], [7.5]]));

    named["graph"]["endpoint"] = Value::Null;
    named["graph"]["modelUri"] = json!("s3://models/mine");
    let refused = node.apply_refused(&deployment(&[named])).await;
    let errors: Vec<_> = refused.errors.iter().map(ToString::to_string).collect();
    let expected = "spec.predictors[0].graph.implementation: `MLFLOW_SERVER` runs in a container";
    assert!(errors.len() == 1 && errors[0].contains(expected), "{errors:?}");
}

/// A pod's server passes on what callers send to prove who they are, as it asks for nothing itself.
#[tokio::test]
async fn in_a_pod_credentials_are_the_models() {
    let manifest = deployment(&[predictor("main", 100, model().await)]);
    let arguments = ["--roles", "predictor", "--listen", "0.0.0.0:0"].map(str::to_owned).to_vec();
    let roots = format!("[\"{}\"]", repository("examples").display());
    let environment = [("PROVOST_MANIFEST", manifest), ("PROVOST_ARTIFACTS__ROOTS", roots)];
    let environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let node = Node::start(NodeOptions { arguments, environment, ..NodeOptions::new(BINARY) }).await;
    let path = "/api/v1.0/predictions";
    let reply = node.post(path, BODY, &[("authorization", "Bearer of-the-model")]).await;
    assert_eq!(reply.json["meta"]["tags"]["headers"]["authorization"], "Bearer of-the-model");
}
