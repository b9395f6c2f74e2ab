//! Clients that speak HTTP/2 to do harm, through the real server: each is let go, others are answered meanwhile, and memory
//! stays bounded.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{collections::HashMap, time::Duration};

use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Node, NodeOptions, eventually, manifest};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const ROW: &str = r#"{"data":{"ndarray":[[6.8,2.8,4.8,1.4]]}}"#;
const PATH: &str = "/seldon/default/iris/api/v1.0/predictions";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long the server may take to let go of a client.
const PATIENCE: Duration = Duration::from_secs(20);
/// What one client may cost, in KiB. One byte of what it sends kept for each that it sends would be more.
const COST_MAX: u64 = 96 << 10;

// Types of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
// Flags of frames.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

async fn start() -> Node {
    let mut options = NodeOptions::new(env!("CARGO_BIN_EXE_provost"));
    options.environment = [("PROVOST_SERVER__HEAD_TIMEOUT", "500ms"), ("PROVOST_GATEWAY__BODY_TIMEOUT", "500ms")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec();
    let node = Node::start(options).await;
    node.apply(&manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    node.await_state("iris", DeploymentState::Available).await;
    node
}

async fn connect(node: &Node) -> TcpStream {
    TcpStream::connect(node.url().strip_prefix("http://").unwrap()).await.unwrap()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The preface and settings of a client.
fn opening(settings: &[u8]) -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, settings)].concat()
}

/// A header block of a request for a prediction, without any compression.
fn head() -> Vec<u8> {
    let field = |(name, value): &(&str, &str)| {
        let length = |text: &str| u8::try_from(text.len()).unwrap();
        [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
    };
    [(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", PATH)]
        .iter()
        .flat_map(field)
        .collect()
}

fn request(stream: u32) -> Vec<u8> {
    [frame(HEADERS, END_HEADERS, stream, &head()), frame(DATA, END_STREAM, stream, ROW.as_bytes())].concat()
}

/// Memory that the server has in use, in KiB.
fn memory(node: &Node) -> u64 {
    let server: serde_json::Value =
        serde_json::from_slice(&std::fs::read(node.data().join("server.json")).unwrap()).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", server["pid"])).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    resident.trim().trim_end_matches(" kB").parse().unwrap()
}

/// What a client does with what it gets.
#[derive(Debug, Clone, Copy)]
enum Answers {
    Taken,
    Left,
}

/// Sends what `next` makes until the server ends the connection.
async fn flood(stream: TcpStream, opening: Vec<u8>, mut next: impl FnMut() -> Vec<u8>, answers: Answers) {
    let (mut reader, mut writer) = stream.into_split();
    let writing = async {
        let mut bytes = opening;
        while writer.write_all(&bytes).await.is_ok() {
            bytes = next();
        }
    };
    let reading = async {
        if matches!(answers, Answers::Taken) {
            let _ended = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
        }
    };
    tokio::join!(writing, reading);
}

/// The status of a request on a connection of its own: one that waits for the next is let go after half a second here.
async fn predicted(node: &Node) -> u16 {
    node.post(PATH, ROW, &[("connection", "close")]).await.status
}

async fn check_flood(node: &Node, (name, answers): (&str, Answers), opening: Vec<u8>, next: impl FnMut() -> Vec<u8>) {
    let before = memory(node);
    let flooding = tokio::time::timeout(PATIENCE, flood(connect(node).await, opening, next, answers));
    let predicting = async {
        for _ in 0..20 {
            assert_eq!(predicted(node).await, 200, "{name}");
        }
    };
    let (flooded, ()) = tokio::join!(flooding, predicting);
    assert!(flooded.is_ok(), "{name}, {answers:?}: the server does not let go of the client");
    let cost = memory(node).saturating_sub(before);
    assert!(cost < COST_MAX, "{name}, {answers:?}: {cost} KiB");
    assert_eq!(predicted(node).await, 200, "{name}");
}

/// Frames that mean nothing in such a number, after what has to come before them.
fn floods() -> [(&'static str, Vec<u8>, Vec<u8>); 8] {
    let unfinished = [opening(&[]), frame(HEADERS, 0, 1, &head())].concat();
    let bodiless = [opening(&[]), frame(HEADERS, END_HEADERS, 1, &head())].concat();
    let field = [&[0, 1][..], b"x", &[100], &[b'y'; 100]].concat();
    [
        ("pings", opening(&[]), frame(PING, 0, 0, &[0; 8])),
        ("settings", opening(&[]), frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1])),
        ("windows", opening(&[]), frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("wide windows", opening(&[]), frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff])),
        ("unknown frames", opening(&[]), frame(0x77, 0, 0, &[0; 64])),
        ("fields", unfinished.clone(), frame(CONTINUATION, 0, 1, &field)),
        ("empty continuations", unfinished, frame(CONTINUATION, 0, 1, &[])),
        ("empty data", bodiless, frame(DATA, 0, 1, &[])),
    ]
}

#[tokio::test]
async fn a_client_that_floods_is_let_go_and_others_are_answered() {
    let mut node = start().await;
    for answers in [Answers::Taken, Answers::Left] {
        for (name, opening, frame) in floods() {
            check_flood(&node, (name, answers), opening, || frame.repeat(1000)).await;
        }
        let mut stream = 1;
        let resets = || {
            stream += 2;
            [frame(HEADERS, END_HEADERS, stream, &head()), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
        };
        check_flood(&node, ("resets", answers), opening(&[]), resets).await;
    }
    let mut stream = 1;
    let streams = || {
        stream += 2;
        request(stream)
    };
    check_flood(&node, ("streams", Answers::Left), opening(&[]), streams).await;
    assert!(node.stop().await.success());
}

/// Reads frames and answers pings until the server ends the connection; how many of each type came.
async fn keep_alive(stream: &mut TcpStream) -> HashMap<u8, usize> {
    let mut counts = HashMap::new();
    let mut head = [0; 9];
    while stream.read_exact(&mut head).await.is_ok() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        if stream.read_exact(&mut payload).await.is_err() {
            break;
        }
        *counts.entry(head[3]).or_default() += 1;
        if head[3] == PING && head[4] != ACK {
            let _sent = stream.write_all(&frame(PING, ACK, 0, &payload)).await;
        }
    }
    counts
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_let_go() {
    let node = start().await;
    let before = memory(&node);
    let mut stream = connect(&node).await;
    let no_window = [0, 4, 0, 0, 0, 0];
    let requests = (0..256).flat_map(|index| request(2 * index + 1));
    stream.write_all(&opening(&no_window).into_iter().chain(requests).collect::<Vec<_>>()).await.unwrap();
    let counts = tokio::time::timeout(PATIENCE, keep_alive(&mut stream)).await.expect("the server ends the connection");
    assert_eq!((counts.get(&HEADERS), counts.get(&DATA)), (Some(&256), None));
    assert!(memory(&node).saturating_sub(before) < COST_MAX);
    assert_eq!(predicted(&node).await, 200);
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_let_go() {
    let node = start().await;
    let headers = frame(HEADERS, END_HEADERS, 1, &head());
    for unfinished in [
        PREFACE[..10].to_vec(),
        opening(&[]),
        [opening(&[]), headers[..headers.len() - 1].to_vec()].concat(),
        [opening(&[]), frame(HEADERS, END_STREAM, 1, &head())].concat(),
    ] {
        let mut stream = connect(&node).await;
        stream.write_all(&unfinished).await.unwrap();
        let counts = tokio::time::timeout(PATIENCE, keep_alive(&mut stream)).await;
        let counts = counts.unwrap_or_else(|_| panic!("the server does not let go of the client: {unfinished:?}"));
        assert!(!counts.contains_key(&HEADERS), "{unfinished:?}");
    }
}

/// Sends bytes one by one, as `wrap` puts them, until the answer says that they come too slowly.
async fn check_trickle(node: &Node, opening: &[u8], wrap: impl Fn(u8) -> Vec<u8>) {
    let (mut reader, mut writer) = connect(node).await.into_split();
    writer.write_all(opening).await.unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let trickling = async {
        for byte in ROW.bytes().cycle() {
            ticks.tick().await;
            if writer.write_all(&wrap(byte)).await.is_err() {
                break;
            }
        }
    };
    let mut read = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&read).contains("the body did not arrive in time") {
            assert!(reader.read_buf(&mut read).await.unwrap() > 0, "{}", String::from_utf8_lossy(&read));
        }
    };
    let answered = async {
        tokio::select! { () = reading => {}, () = trickling => panic!("it ended without an answer") }
    };
    tokio::time::timeout(PATIENCE, answered).await.expect("the server answers");
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_is_refused_in_time() {
    let node = start().await;
    let head_1 = format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4000\r\n\r\n");
    check_trickle(&node, head_1.as_bytes(), |byte| vec![byte]).await;
    let head_2 = [opening(&[]), frame(HEADERS, END_HEADERS, 1, &head())].concat();
    check_trickle(&node, &head_2, |byte| frame(DATA, 0, 1, &[byte])).await;
    eventually(async || {
        let in_flight = node.client().status().await.map_err(|error| error.to_string())?.in_flight;
        if in_flight == 0 { Ok(()) } else { Err(format!("{in_flight} in flight")) }
    })
    .await;
}
