//! Clients that are slow, many, or send too much, through the real server.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Node, NodeOptions, eventually, manifest};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const ROW: &str = r#"{"data":{"ndarray":[[6.8,2.8,4.8,1.4]]}}"#;
const PATH: &str = "/seldon/default/iris/api/v1.0/predictions";

async fn start(settings: &[(&str, &str)]) -> Node {
    let mut options = NodeOptions::new(env!("CARGO_BIN_EXE_provost"));
    options.environment = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let node = Node::start(options).await;
    node.apply(&manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    node.await_state("iris", DeploymentState::Available).await;
    node
}

/// A connection that says what a test wants it to say.
async fn connect(node: &Node, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(node.url().strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

fn head(length: usize) -> String {
    format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n")
}

/// Everything that comes until the server closes the connection, which it must do in time.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    read.expect("the server closes the connection").unwrap();
    String::from_utf8(bytes).unwrap()
}

/// One answer, as far as it comes at once.
async fn read_some(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut bytes)).await;
    let length = read.expect("the server answers").unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_request_is_let_go() {
    let node = start(&[("PROVOST_SERVER__HEAD_TIMEOUT", "200ms"), ("PROVOST_GATEWAY__BODY_TIMEOUT", "200ms")]).await;
    for unfinished in ["", "POST ", "POST /seldon HTTP/1.1\r\nhost: loc"] {
        let mut stream = connect(&node, unfinished).await;
        assert_eq!(read_to_end(&mut stream).await, "", "{unfinished}");
    }
    let mut stream = connect(&node, &format!("{}{}", head(40), "{\"data\":")).await;
    assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn a_body_for_the_api_must_arrive_in_time_too() {
    let node = start(&[("PROVOST_GATEWAY__BODY_TIMEOUT", "200ms")]).await;
    let head = "HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/yaml\r\ncontent-length: 100\r\n\r\nkind: ";
    let mut stream = connect(&node, &format!("POST /api/v1/apply {head}")).await;
    let answer = read_some(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("the body ends too early, or comes too slowly"), "{answer}");
}

#[tokio::test]
async fn a_connection_is_kept_while_it_is_used_and_closed_when_it_is_idle() {
    let node = start(&[("PROVOST_SERVER__HEAD_TIMEOUT", "400ms")]).await;
    let request = format!("{}{ROW}", head(ROW.len()));
    let mut stream = connect(&node, &request).await;
    let started = std::time::Instant::now();
    let mut answers = 0;
    while started.elapsed() < Duration::from_millis(1200) {
        assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 200 "), "after {answers} answers");
        stream.write_all(request.as_bytes()).await.unwrap();
        answers += 1;
    }
    assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_client_that_stops_sending_still_gets_its_answer() {
    let node = start(&[]).await;
    let mut stream = connect(&node, &format!("{}{ROW}", head(ROW.len()))).await;
    stream.shutdown().await.unwrap();
    assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn more_requests_than_are_allowed_at_a_time_are_told_to_come_again() {
    let node = start(&[("PROVOST_GATEWAY__IN_FLIGHT_MAX", "1")]).await;
    let mut first = connect(&node, &head(ROW.len())).await;
    // Before it is counted, the next one could take its place.
    eventually(async || {
        let in_flight = node.client().status().await.map_err(|error| error.to_string())?.in_flight;
        if in_flight == 1 { Ok(()) } else { Err(format!("{in_flight} in flight")) }
    })
    .await;
    let refused = node.predict("iris", ROW).await;
    assert_eq!(refused.status, 429);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(refused.info(), "too many requests at a time: try again");
    first.write_all(ROW.as_bytes()).await.unwrap();
    assert!(read_some(&mut first).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(node.predict("iris", ROW).await.status, 200);
}

#[tokio::test]
async fn more_connections_than_are_allowed_wait() {
    let node = start(&[("PROVOST_SERVER__CONNECTIONS_MAX", "8"), ("PROVOST_SERVER__HEAD_TIMEOUT", "2s")]).await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(connect(&node, "").await);
    }
    // Those that say nothing are let go in time, and then those that waited get their answer.
    let mut waiting = connect(&node, &format!("{}{ROW}", head(ROW.len()))).await;
    assert!(read_some(&mut waiting).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let node = start(&[("PROVOST_SERVER__HEAD_MAX", "64KiB"), ("PROVOST_GATEWAY__BODY_MAX", "1KiB")]).await;
    let mut stream = connect(&node, &format!("{}{}", head(1025), "x".repeat(1025))).await;
    assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 413 "));
    let chunked = format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = format!("200\r\n{}\r\n", "x".repeat(512));
    let mut stream = connect(&node, &format!("{chunked}{}0\r\n\r\n", chunk.repeat(3))).await;
    assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 413 "));
    let mut stream = connect(&node, &format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(70 << 10))).await;
    assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 431 "));
}
