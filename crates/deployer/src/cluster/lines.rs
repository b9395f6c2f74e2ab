//! Lines of a container's log, as the API server passes them on.

use std::pin::Pin;

use async_trait::async_trait;
use futures_util::{AsyncBufRead, AsyncBufReadExt as _};
use provost_domain::port::workloads::{Lines, WorkloadError};

/// Longest line that is passed on whole, in bytes: a program may write without ever ending a line.
const LINE_MAX: usize = 64 << 10;

/// A log that is being read.
pub(super) struct LogLines {
    source: Pin<Box<dyn AsyncBufRead + Send>>,
}

impl LogLines {
    pub(super) fn new(source: impl AsyncBufRead + Send + 'static) -> Self {
        Self { source: Box::pin(source) }
    }

    /// Reads up to the end of a line; what is too long of it is left out.
    async fn read(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut is_any = false;
        loop {
            let chunk = self.source.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(is_any.then_some(line));
            }
            is_any = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(chunk.len());
            let room = LINE_MAX.saturating_sub(line.len());
            line.extend_from_slice(&chunk[..taken.min(room)]);
            let used = taken + usize::from(end.is_some());
            self.source.as_mut().consume(used);
            if end.is_some() {
                return Ok(Some(line));
            }
        }
    }
}

#[async_trait]
impl Lines for LogLines {
    async fn next(&mut self) -> Option<Result<String, WorkloadError>> {
        let line = self
            .read()
            .await
            .map_err(|source| WorkloadError::Backend { operation: "read the log further", source: Box::new(source) });
        line.transpose().map(|line| line.map(|line| String::from_utf8_lossy(&line).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, io::Cursor};

    use super::*;

    fn all(text: &[u8]) -> Vec<String> {
        let mut lines = LogLines::new(Cursor::new(text.to_vec()));
        let next = || lines.next().now_or_never().flatten().map(Result::unwrap);
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn lines_end_with_a_line_feed_or_with_the_log() {
        assert_eq!(all(b"one\n\ntwo"), ["one", "", "two"]);
        assert_eq!(all(b"one\n"), ["one"]);
        assert!(all(b"").is_empty());
    }

    #[test]
    fn a_line_that_does_not_end_is_cut() {
        let long = vec![b'x'; LINE_MAX + 10];
        let lines = all(&[&long[..], b"\nafter\n"].concat());
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LINE_MAX, 5]);
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_such() {
        assert_eq!(all(b"\xffa\n"), ["\u{fffd}a"]);
    }
}
