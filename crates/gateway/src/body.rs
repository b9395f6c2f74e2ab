//! Reads bodies of requests within limits, and takes what is left of those that are refused.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt;
use provost_domain::ErrorCode;

use crate::{error::RequestError, service::Options};

/// Most bytes of a refused body that are taken, and for how long.
const DISCARDED_MAX: usize = 64 << 20;
const DISCARDED_FOR: Duration = Duration::from_secs(5);

/// Reads a body within the limits. One that arrived in one piece is not copied.
pub(crate) async fn read_body<B>(body: &mut B, headers: &HeaderMap, options: &Options) -> Result<Bytes, RequestError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let too_large = || {
        let info = format!("the body is longer than {} bytes: split the request into several", options.body_max);
        RequestError::new(ErrorCode::TooLarge, info)
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > options.body_max) {
        return Err(too_large());
    }
    let read = async {
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let broken = |_| RequestError::new(ErrorCode::BadRequest, "the body ends too early");
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            if whole.len() + data.len() > options.body_max {
                return Err(too_large());
            }
            if whole.is_empty() && body.is_end_stream() {
                return Ok(data);
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    };
    match poll_once_or_timeout(read, options.body_timeout).await {
        Some(result) => result,
        None => Err(RequestError::new(ErrorCode::Timeout, "the body did not arrive in time")),
    }
}

/// Takes what is left of a body that is refused: a client that is still sending would see a broken
/// connection instead of the answer. Gives up on one that sends much more.
pub(crate) async fn discard<B: Body<Data = Bytes> + Unpin>(body: &mut B) {
    let discarding = async {
        let mut left = DISCARDED_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    let _given_up = tokio::time::timeout(DISCARDED_FOR, discarding).await;
}

/// Runs `future` to its end or until `timeout`. No timer is set for one that is ready at once, as
/// bodies of most requests are.
async fn poll_once_or_timeout<F: Future>(future: F, timeout: Duration) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let first = std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context))).await;
    match first {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => tokio::time::timeout(timeout, future).await.ok(),
    }
}
