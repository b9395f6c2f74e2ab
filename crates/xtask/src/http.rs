//! As much of an HTTP client as talking to a server on this machine takes.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// The body of an answer that is no error.
    pub(crate) fn success(self) -> Result<String> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        bail!("the server answered {}: {}", self.status, explanation(&self.body))
    }
}

/// Asks for something.
pub(crate) fn get(server: &str, path: &str) -> Result<Answer> {
    send(server, &format!("GET {path} HTTP/1.0\r\nHost: {server}\r\n\r\n"))
}

/// Sends something.
pub(crate) fn post(server: &str, path: &str, kind: &str, body: &str) -> Result<Answer> {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.0\r\nHost: {server}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
    send(server, &(head + body))
}

/// HTTP 1.0: the answer ends where the connection does, and comes in one piece.
fn send(server: &str, request: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect(server).with_context(|| format!("cannot connect to {server}"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).with_context(|| format!("no answer from {server}"))?;
    parse(&String::from_utf8_lossy(&answer)).with_context(|| format!("{server} does not speak HTTP"))
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

/// What a problem document says, or the body as it is.
fn explanation(body: &str) -> String {
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let errors = problem["errors"].as_array().into_iter().flatten();
    let messages: Vec<_> = errors.filter_map(|error| error["message"].as_str()).collect();
    match problem["detail"].as_str() {
        Some(detail) if messages.is_empty() => detail.to_owned(),
        Some(detail) => format!("{detail}\n{}", messages.join("\n")),
        None => body.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = parse("HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nok\n").unwrap();
        assert_eq!(answer, Answer { status: 200, body: "ok\n".to_owned() });
        assert_eq!(parse("what?"), None);
    }

    #[test]
    fn errors_say_what_the_server_says() {
        let body = r#"{"detail":"nothing was applied","errors":[{"message":"no name"}]}"#;
        let error = Answer { status: 422, body: body.to_owned() }.success().unwrap_err();
        assert_eq!(error.to_string(), "the server answered 422: nothing was applied\nno name");
    }
}
