//! Tokens and TLS, through the real server.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::{path::Path, process::Command, time::Duration};

use provost_testkit::{Node, NodeOptions, eventually, manifest};
use reqwest::{Certificate, Client, Method, StatusCode};

const TOKEN: &str = "correct horse";

async fn start(settings: &[(&str, &str)]) -> Node {
    let mut options = NodeOptions::new(env!("CARGO_BIN_EXE_provost"));
    options.arguments = vec!["--listen".to_owned(), "0.0.0.0:0".to_owned()];
    options.environment = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Node::start(options).await
}

async fn status(node: &Node, method: Method, path: &str, token: Option<&str>) -> StatusCode {
    let request = Client::new().request(method, format!("{}{path}", node.url()));
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    request.send().await.unwrap().status()
}

const PREDICTIONS: &str = "/seldon/default/iris/api/v1.0/predictions";

#[tokio::test]
async fn whoever_comes_over_the_network_needs_the_token() {
    let node = start(&[("PROVOST_TOKEN", TOKEN)]).await;
    let guarded = [
        (Method::GET, "/api/v1/deployments"),
        (Method::GET, "/"),
        (Method::GET, "/metrics"),
        (Method::POST, PREDICTIONS),
    ];
    for (method, path) in guarded {
        assert_eq!(status(&node, method.clone(), path, None).await, 401, "{path}");
        assert_eq!(status(&node, method.clone(), path, Some("wrong")).await, 401, "{path}");
        assert_ne!(status(&node, method, path, Some(TOKEN)).await, 401, "{path}");
    }
    assert_eq!(status(&node, Method::GET, "/-/ready", None).await, 200);
    assert!(!node.logs().contains(TOKEN), "{}", node.logs());
}

#[tokio::test]
async fn predictions_are_open_where_the_configuration_says_so() {
    let node = start(&[("PROVOST_TOKEN", TOKEN), ("PROVOST_SERVER__OPEN_INFERENCE", "true")]).await;
    assert_eq!(status(&node, Method::POST, PREDICTIONS, None).await, 404);
    assert_eq!(status(&node, Method::GET, "/api/v1/deployments", None).await, 401);
}

#[tokio::test]
async fn a_browser_shows_the_token_once() {
    let node = start(&[("PROVOST_TOKEN", "plain-token")]).await;
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let log_in = async |token: &str| {
        let form = format!("token={token}");
        client.post(format!("{}/-/login", node.url())).body(form).send().await.unwrap()
    };
    assert_eq!(log_in("wrong").await.status(), 401);
    let answer = log_in("plain-token").await;
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let page = client.get(format!("{}/api/v1/deployments", node.url())).header("cookie", cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
}

#[tokio::test]
async fn without_a_token_the_network_is_not_listened_to_unless_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_provost"))
        .args(["serve", "--listen", "0.0.0.0:0", "--data-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("token"), "{error}");

    let mut options = NodeOptions::new(env!("CARGO_BIN_EXE_provost"));
    options.arguments = ["--listen", "0.0.0.0:0", "--insecure"].map(str::to_owned).to_vec();
    let node = Node::start(options).await;
    assert_eq!(status(&node, Method::GET, "/api/v1/deployments", None).await, 200);
    assert!(node.logs().contains("--insecure: everybody who reaches"), "{}", node.logs());
    // Whoever reaches the server could otherwise have it read any file of this machine.
    node.apply(&manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    let failed = node.await_state("iris", provost_api::rest::v1::deployments::DeploymentState::Failed).await;
    assert!(failed.summary.description.contains("is outside the folders"), "{}", failed.summary.description);
}

/// Writes a new certificate for `localhost`, and gives it as clients need it to trust it.
fn write_certificate(folder: &Path) -> Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()
}

#[tokio::test]
async fn tls_is_served_and_a_new_certificate_is_picked_up() {
    let _already_set = rustls::crypto::ring::default_provider().install_default();
    let files = tempfile::tempdir().unwrap();
    let first = write_certificate(files.path());
    let path = |name: &str| files.path().join(name).display().to_string();
    let mut server = Command::new(env!("CARGO_BIN_EXE_provost"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(files.path().join("data"))
        .env("PROVOST_SERVER__TLS_CERTIFICATE", path("certificate.pem"))
        .env("PROVOST_SERVER__TLS_KEY", path("key.pem"))
        .spawn()
        .unwrap();
    let port = eventually(async || {
        let text = std::fs::read_to_string(files.path().join("data/server.json")).map_err(|error| error.to_string())?;
        let server: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let url = server["url"].as_str().and_then(|url| url.strip_prefix("https://127.0.0.1:")).map(str::to_owned);
        url.ok_or(text)
    })
    .await;
    let ask = async |trusted: &Certificate| {
        // A client of its own: kept connections would know the certificate before.
        let client = Client::builder().tls_certs_only([trusted.clone()]).timeout(Duration::from_secs(5)).build();
        let answer = client.unwrap().get(format!("https://localhost:{port}/-/live")).send().await;
        answer.map(|answer| answer.status().as_u16()).map_err(|error| format!("{error:?}"))
    };
    assert_eq!(ask(&first).await, Ok(200));
    assert!(reqwest::get(format!("http://localhost:{port}/-/live")).await.is_err());
    let second = write_certificate(files.path());
    eventually(async || ask(&second).await).await;
    assert!(ask(&first).await.is_err());
    server.kill().unwrap();
    server.wait().unwrap();
}
