//! A load that wrk cannot make: calls of gRPC, and many connections at once. It writes what it measured as JSON.
//!
//! `protocol-load grpc ADDRESS MODEL SECONDS`, `protocol-load connections ADDRESS PATH COUNT BODY`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for measuring"
)]

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use axum::{body::Bytes, http::Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use prost::Message as _;
use provost_inference::protocol::proto::inference::{Contents, ModelInferRequest, Tensor};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::LocalSet,
};

/// Connections of the load of gRPC, and calls at a time on each.
const CONNECTIONS: usize = 4;
const STREAMS: usize = 8;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["grpc", address, model, seconds] => grpc(address, model, seconds.parse().unwrap()).await,
        ["connections", address, path, count, body] => connections(address, path, count.parse().unwrap(), body).await,
        _ => panic!("protocol-load grpc ADDRESS MODEL SECONDS | connections ADDRESS PATH COUNT BODY"),
    }
}

/// Calls `ModelInfer` with one row of twelve features again and again.
async fn grpc(address: &str, model: &str, seconds: u64) {
    let uri = format!("http://{address}/inference.GRPCInferenceService/ModelInfer");
    let body = frame(model);
    let end = Instant::now() + Duration::from_secs(seconds);
    let latencies = Rc::new(RefCell::new(Vec::new()));
    let local = LocalSet::new();
    for _ in 0..CONNECTIONS {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        // One client has one connection.
        let client: Client<HttpConnector, Full<Bytes>> =
            Client::builder(TokioExecutor::new()).http2_only(true).build(connector);
        for _ in 0..STREAMS {
            let (client, uri, body, latencies) = (client.clone(), uri.clone(), body.clone(), Rc::clone(&latencies));
            local.spawn_local(async move {
                while Instant::now() < end {
                    let started = Instant::now();
                    call(&client, &uri, body.clone()).await;
                    latencies.borrow_mut().push(started.elapsed());
                }
            });
        }
    }
    let started = Instant::now();
    local.await;
    let elapsed = started.elapsed().as_secs_f64();
    let mut latencies = latencies.borrow_mut();
    latencies.sort_unstable();
    let p50 = latencies[latencies.len() / 2].as_micros();
    println!("{}", json!({"requests": latencies.len(), "seconds": elapsed, "p50Micros": u64::try_from(p50).unwrap()}));
}

async fn call(client: &Client<HttpConnector, Full<Bytes>>, uri: &str, body: Bytes) {
    let request = Request::post(uri).header("content-type", "application/grpc").header("te", "trailers");
    let answer = client.request(request.body(Full::new(body)).unwrap()).await.unwrap();
    assert!(answer.headers().get("grpc-status").is_none(), "{:?}", answer.headers());
    let collected = answer.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
}

/// A message with its length before it.
fn frame(model: &str) -> Bytes {
    let contents =
        Contents { fp64_contents: (0..12).map(|index| f64::from(index) / 10.0).collect(), ..Contents::default() };
    let (name, datatype) = ("input".to_owned(), "FP64".to_owned());
    let tensor = Tensor { name, datatype, shape: vec![1, 12], contents: Some(contents) };
    let request =
        ModelInferRequest { model_name: model.to_owned(), inputs: vec![tensor], ..ModelInferRequest::default() };
    let message = request.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, &message].concat().into()
}

/// Opens connections, one after the other, each with a request, and when all are open asks on each of them again.
async fn connections(address: &str, path: &str, count: usize, body: &str) {
    let length = body.len();
    let request = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}");
    let mut open = Vec::with_capacity(count);
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await.unwrap();
        ask(&mut stream, &request).await;
        open.push(stream);
    }
    let started = Instant::now();
    for stream in &mut open {
        ask(stream, &request).await;
    }
    println!("{}", json!({"connections": open.len(), "secondRoundSeconds": started.elapsed().as_secs_f64()}));
}

async fn ask(stream: &mut TcpStream, request: &str) {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Answers are short: one ends with the object that it is.
    while !(answer.ends_with(b"}") || answer.ends_with(b"}\n")) {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "the server closed a connection");
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}
