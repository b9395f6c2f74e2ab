//! Connections through a real socket.

use std::convert::Infallible;

use futures_util::{StreamExt as _, stream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
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
