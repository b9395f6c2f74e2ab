//! Requests through the proxy to servers that tell what they got.

use std::sync::Mutex;

use http::StatusCode;
use http_body_util::BodyExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use provost_domain::routing_table::Sleeper;

use super::*;

/// A server that answers every request with its name, and keeps what it got.
struct Server {
    authority: String,
    seen: Arc<Mutex<Vec<String>>>,
}

async fn server(name: &'static str) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut got = Vec::new();
            // Tests send bodies that end in `}`, or get something.
            while !(got.ends_with(b"}") || got.starts_with(b"GET ") && got.ends_with(b"\r\n\r\n")) {
                if stream.read_buf(&mut got).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            kept.lock().unwrap().push(String::from_utf8_lossy(&got).into_owned());
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{name}", name.len());
            stream.write_all(answer.as_bytes()).await.unwrap_or_default();
        }
    });
    Server { authority, seen }
}

fn backend(predictor: &str, weight: u32, is_shadow: bool, authority: &str) -> Backend {
    Backend {
        predictor: predictor.to_owned(),
        weight,
        is_shadow,
        authority: authority.to_owned(),
        timeout: None,
        sleeper: None,
    }
}

fn proxy(backends: Vec<Backend>) -> ProxyThread {
    waking_proxy(backends, None)
}

fn waking_proxy(backends: Vec<Backend>, waker: Option<Arc<dyn Waker>>) -> ProxyThread {
    let unavailable = "it is being created".to_owned();
    published(DeploymentBackends { backends, unavailable, ..DeploymentBackends::default() }, waker)
}

fn published(backends: DeploymentBackends, waker: Option<Arc<dyn Waker>>) -> ProxyThread {
    let proxy = Proxy::new(Options { body_max: 1000, ..Options::default() }, waker).unwrap();
    let id = DeploymentId { namespace: "models".try_into().unwrap(), name: "iris".try_into().unwrap() };
    proxy.publish_all(BTreeMap::from([(id, backends)]));
    proxy.thread()
}

fn request(path: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::from(body.to_owned())).unwrap()
}

async fn text(response: Response<Answer>) -> (StatusCode, String) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_transformer_is_asked_in_place_of_the_predictor_but_where_it_asks_that_itself() {
    let (main, transformer) = (server("main").await, server("transformer").await);
    // The first two labels of an authority name the Service: `127.0` that of the predictor.
    let transformer = backend("transformer", 100, false, &transformer.authority.replace("127.0.0.1", "localhost"));
    let backends = vec![backend("main", 100, false, &main.authority)];
    let transformers = BTreeMap::from([("main".to_owned(), transformer)]);
    let proxy = published(DeploymentBackends { backends, transformers, ..DeploymentBackends::default() }, None);
    let path = "/v1/models/iris:predict";
    let below = format!("/seldon/models/iris{path}");
    for (path, headers, expected) in [
        (below.as_str(), vec![], "transformer"),
        (below.as_str(), vec![("provost-predictor", "main")], "transformer"),
        (path, vec![("host", "iris.models")], "transformer"),
        (path, vec![("host", "127.0.svc")], "main"),
    ] {
        let answer = text(proxy.call(request(path, &headers, "{}")).await).await;
        assert_eq!(answer, (StatusCode::OK, expected.to_owned()), "{path} {headers:?}");
    }
}

#[tokio::test]
async fn each_predictor_is_asked_through_its_own_transformer_and_explained_by_its_own_explainer() {
    let names = ["main", "canary", "before-main", "before-canary", "explains-canary"];
    let mut servers = Vec::new();
    for name in names {
        servers.push(server(name).await);
    }
    let at = |index: usize, weight| backend(names[index], weight, false, &servers[index].authority);
    let transformers = [("main", 2), ("canary", 3)].map(|(name, index)| (name.to_owned(), at(index, 100)));
    let proxy = published(
        DeploymentBackends {
            backends: vec![at(0, 100), at(1, 0)],
            transformers: transformers.into(),
            explainers: BTreeMap::from([("canary".to_owned(), at(4, 0))]),
            ..DeploymentBackends::default()
        },
        None,
    );
    let [predict, explain] = ["predict", "explain"].map(|verb| format!("/seldon/models/iris/v1/models/iris:{verb}"));
    for (path, headers, expected) in [
        (&predict, vec![], "before-main"),
        (&predict, vec![("provost-predictor", "canary")], "before-canary"),
        (&explain, vec![("provost-predictor", "canary")], "explains-canary"),
    ] {
        let answer = text(proxy.call(request(path, &headers, "{}")).await).await;
        assert_eq!(answer, (StatusCode::OK, expected.to_owned()), "{path} {headers:?}");
    }
}

#[tokio::test]
async fn explanations_are_the_explainers() {
    let (main, explainer) = (server("main").await, server("explainer").await);
    let backends = vec![backend("main", 100, false, &main.authority)];
    let explainers = BTreeMap::from([("main".to_owned(), backend("explainer", 0, false, &explainer.authority))]);
    let proxy = published(DeploymentBackends { backends, explainers, ..DeploymentBackends::default() }, None);
    for (path, expected) in [
        ("/seldon/models/iris/v1/models/iris:explain", "explainer"),
        ("/seldon/models/iris/v2/models/iris/explain", "explainer"),
        ("/seldon/models/iris/v1/models/iris:predict", "main"),
    ] {
        let answer = text(proxy.call(request(path, &[], "{}")).await).await;
        assert_eq!(answer, (StatusCode::OK, expected.to_owned()));
    }
}

#[test]
fn what_may_take_long_is_waited_for_longer() {
    let with = |timeout| super::timeout(&Backend { timeout, ..backend("main", 100, false, "localhost:1") });
    assert_eq!([None, Some(1000)].map(with), [Duration::from_secs(60); 2]);
    assert_eq!(with(Some(300_000)), Duration::from_secs(305));
}

const PATH: &str = "/seldon/models/iris/api/v1.0/predictions";

fn run(test: impl Future<Output = ()>) {
    let _already_set = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
        .unwrap();
    runtime.block_on(test);
}

#[test]
fn a_request_goes_on_as_it_came_but_for_what_is_ours() {
    run(async {
        let main = server("main").await;
        let proxy = proxy(vec![backend("main", 100, false, &main.authority)]);
        let headers = [
            ("content-type", "application/json"),
            ("seldon-puid", "abc"),
            ("authorization", "Bearer secret"),
            ("cookie", "provost-token=secret"),
            ("connection", "keep-alive, x-mine"),
            ("x-mine", "1"),
        ];
        let answer = proxy.call(request(&format!("{PATH}?a=b"), &headers, "{}")).await;
        assert_eq!(text(answer).await, (StatusCode::OK, "main".to_owned()));
        let seen = main.seen.lock().unwrap()[0].to_lowercase();
        assert!(seen.starts_with(&format!("post {PATH}?a=b http/1.1\r\n")), "{seen}");
        assert!(seen.contains("seldon-puid: abc") && seen.contains("content-type: application/json"), "{seen}");
        assert!(!seen.contains("secret") && !seen.contains("x-mine"), "{seen}");
        assert!(seen.ends_with("{}"), "{seen}");
    });
}

#[test]
fn every_path_of_the_data_plane_goes_on() {
    run(async {
        let (main, shadow) = (server("main").await, server("shadow").await);
        let proxy =
            proxy(vec![backend("main", 100, false, &main.authority), backend("shadow", 100, true, &shadow.authority)]);
        for path in ["v1/models/m:predict", "v2/models/m/infer", "v2/models/m/versions/1/infer"] {
            let path = format!("/seldon/models/iris/{path}");
            assert_eq!(text(proxy.call(request(&path, &[], "{}")).await).await, (StatusCode::OK, "main".to_owned()));
            let seen = main.seen.lock().unwrap().pop().unwrap().to_lowercase();
            assert!(seen.starts_with(&format!("post {path} http/1.1\r\n")), "{seen}");
        }
        while shadow.seen.lock().unwrap().len() < 3 {
            tokio::task::yield_now().await;
        }
        for path in ["v2", "v2/health/ready", "v2/models/m/ready", "v1/models/m"] {
            let path = format!("/seldon/models/iris/{path}");
            let get = Request::get(&path).body(Full::default()).unwrap();
            assert_eq!(text(proxy.call(get).await).await, (StatusCode::OK, "main".to_owned()));
            let seen = main.seen.lock().unwrap().pop().unwrap().to_lowercase();
            assert!(seen.starts_with(&format!("get {path} http/1.1\r\n")), "{seen}");
        }
        assert_eq!(shadow.seen.lock().unwrap().len(), 3, "a shadow gets predictions");
    });
}

#[test]
fn what_goes_wrong_is_told_in_the_dialect_of_the_path() {
    run(async {
        let proxy = proxy(vec![]);
        for path in ["v1/models/m:predict", "v2/models/m/infer", "v2/health/live"] {
            let answer = text(proxy.call(request(&format!("/seldon/models/iris/{path}"), &[], "{}")).await).await;
            let expected = (StatusCode::SERVICE_UNAVAILABLE, r#"{"error":"it is being created"}"#.to_owned());
            assert_eq!(answer, expected, "{path}");
        }
    });
}

#[test]
fn weights_decide_and_a_header_pins() {
    run(async {
        let (main, canary) = (server("main").await, server("canary").await);
        let proxy =
            proxy(vec![backend("main", 100, false, &main.authority), backend("canary", 0, false, &canary.authority)]);
        for _ in 0..20 {
            assert_eq!(text(proxy.call(request(PATH, &[], "{}")).await).await.1, "main");
        }
        let pinned = proxy.call(request(PATH, &[("provost-predictor", "canary")], "{}")).await;
        assert_eq!(text(pinned).await.1, "canary");
        let other = text(proxy.call(request(PATH, &[("provost-predictor", "best")], "{}")).await).await;
        assert_eq!(other.0, StatusCode::NOT_FOUND);
        assert!(other.1.contains("no predictor `best`; it has: main, canary"), "{}", other.1);
    });
}

#[test]
fn a_shadow_gets_a_copy_and_nobody_sees_its_answer() {
    run(async {
        let (main, shadow) = (server("main").await, server("shadow").await);
        let proxy =
            proxy(vec![backend("main", 100, false, &main.authority), backend("shadow", 100, true, &shadow.authority)]);
        assert_eq!(text(proxy.call(request(PATH, &[], "{\"a\":1}")).await).await.1, "main");
        while shadow.seen.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(shadow.seen.lock().unwrap()[0].ends_with("{\"a\":1}"));
    });
}

#[test]
fn what_cannot_be_answered_is_said() {
    run(async {
        let gone = { TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string() };
        let broken = proxy(vec![backend("main", 100, false, &gone)]);
        for (proxy, path, body, status, words) in [
            (&proxy(vec![]), PATH, "{}", StatusCode::SERVICE_UNAVAILABLE, "it is being created"),
            (&broken, PATH, "{}", StatusCode::SERVICE_UNAVAILABLE, "predictor `main` does not answer"),
            (&broken, "/seldon/models/wine/api/v1.0/predictions", "{}", StatusCode::NOT_FOUND, "no deployment `wine`"),
            (&broken, "/seldon/", "{}", StatusCode::NOT_FOUND, "there is nothing at"),
            (&broken, PATH, &"x".repeat(1001), StatusCode::PAYLOAD_TOO_LARGE, "longer than 1000 bytes"),
        ] {
            let answer = text(proxy.call(request(path, &[], body)).await).await;
            assert_eq!(answer.0, status, "{path}: {}", answer.1);
            assert!(answer.1.contains(words), "{}", answer.1);
        }
    });
}

/// Wakes a server at this address, or has a reason not to.
#[derive(Debug)]
struct Wakes(Result<String, String>);

#[async_trait::async_trait]
impl Waker for Wakes {
    async fn awake(&self, _sleeper: &Sleeper) -> Result<String, String> {
        self.0.clone()
    }
}

#[test]
fn what_sleeps_is_woken_and_answers_where_it_is_then() {
    run(async {
        let server = server("main").await;
        let sleeper = || Some(Sleeper { namespace: String::new(), workload: String::new(), app: String::new() });
        let asleep = Backend { sleeper: sleeper(), ..backend("main", 100, false, "localhost:1") };
        let woken = waking_proxy(vec![asleep.clone()], Some(Arc::new(Wakes(Ok(server.authority.clone())))));
        assert_eq!(text(woken.call(request(PATH, &[], "{}")).await).await, (StatusCode::OK, "main".to_owned()));
        let not = waking_proxy(vec![asleep], Some(Arc::new(Wakes(Err("no replica was ready".to_owned())))));
        let (status, body) = text(not.call(request(PATH, &[], "{}")).await).await;
        assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
        assert!(body.contains("predictor `main` does not wake: no replica was ready"), "{body}");
    });
}

#[test]
fn a_path_at_the_root_is_for_whom_the_host_names() {
    run(async {
        let (main, canary) = (server("main").await, server("canary").await);
        let proxy =
            proxy(vec![backend("main", 100, false, &main.authority), backend("canary", 0, false, &canary.authority)]);
        let asked = |host: &'static str| request("/v1/models/iris:predict", &[("host", host)], "{}");
        let answer = text(proxy.call(asked("iris.models.example.org")).await).await;
        assert_eq!(answer, (StatusCode::OK, "main".to_owned()));
        assert!(main.seen.lock().unwrap()[0].starts_with("POST /v1/models/iris:predict "));
        assert_eq!(proxy.call(asked("other.models.example.org")).await.status(), StatusCode::NOT_FOUND);
    });
}
