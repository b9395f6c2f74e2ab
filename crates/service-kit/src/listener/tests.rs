//! Connections through a real socket.

use std::convert::Infallible;

use futures_util::{StreamExt as _, stream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use super::*;

const TIMEOUT: Duration = Duration::from_millis(200);
/// Parts of the answer: together they take several times as long as a connection may be idle.
const PARTS: usize = 10;

/// Answers with a body that comes in parts.
#[derive(Debug, Clone)]
struct Slow;

impl ThreadService for Slow {
    async fn call(&self, _request: Request<Incoming>) -> Response<Body> {
        let ticks = stream::unfold(tokio::time::interval(TIMEOUT / 2), |mut ticks| async move {
            ticks.tick().await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b"part\n")), ticks))
        });
        Response::new(Either::Right(axum::body::Body::from_stream(ticks.take(PARTS))))
    }

    async fn background(&self) {}
}

/// Answers at once, with more than fits between server and client.
#[derive(Debug, Clone)]
struct Large;

const LARGE: usize = 16 << 20;

impl ThreadService for Large {
    async fn call(&self, _request: Request<Incoming>) -> Response<Body> {
        Response::new(Either::Left(Full::new(vec![b'x'; LARGE].into())))
    }

    async fn background(&self) {}
}

/// A server of large answers to one client at a time.
fn serve_large() -> Handle {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let options = Options { threads: 1, connections_max: 1, head_timeout: TIMEOUT, ..Options::default() };
    serve(listener, &options, None, || Large).unwrap()
}

/// A client that has asked for its answer.
async fn ask(handle: &Handle) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(512 << 10).unwrap();
    let mut stream = socket.connect(handle.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    stream
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_let_go() {
    let handle = serve_large();
    let mut first = ask(&handle).await;
    let mut second = ask(&handle).await;
    let answered = tokio::time::timeout(TIMEOUT * 50, second.read_u8()).await;
    answered.expect("the first client's place is free in time").unwrap();
    let mut taken = Vec::new();
    // What was sent before still comes, and then the end of the connection in one way or the other.
    let _ended = first.read_to_end(&mut taken).await;
    assert!(taken.len() < LARGE, "{}", taken.len());
    drop(second);
    handle.stop().await;
}

#[tokio::test]
async fn a_client_that_takes_its_answer_slowly_gets_all_of_it() {
    let handle = serve_large();
    let mut stream = ask(&handle).await;
    let mut ticks = tokio::time::interval(TIMEOUT / 2);
    let mut answer = Vec::new();
    while answer.len() < LARGE {
        ticks.tick().await;
        let part = (&mut stream).take((LARGE / PARTS) as u64).read_to_end(&mut answer).await.unwrap();
        assert!(part > 0, "it ends after {} bytes", answer.len());
    }
    handle.stop().await;
}

#[tokio::test]
async fn a_body_that_takes_its_time_is_no_idle_connection() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let options = Options { threads: 1, head_timeout: TIMEOUT, ..Options::default() };
    let handle = serve(socket, &options, None, || Slow).unwrap();
    let mut stream = TcpStream::connect(handle.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    // The server ends the connection once nothing has been asked for too long.
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer.matches("part\n").count(), PARTS, "{answer}");
    assert!(answer.ends_with("0\r\n\r\n"), "{answer}");
    handle.stop().await;
}
