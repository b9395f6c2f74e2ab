//! Sends what a pod has logged when somebody asks for it, so that it need not wait for its time.

use std::{sync::Arc, time::Duration};

use provost_gateway::Gateway;
use provost_request_log::Uploads;
use tokio::{runtime::Handle, sync::Mutex, time::Instant};

/// However often it is asked for, it is done no more often than this: everybody who reaches a pod may ask.
const EVERY: Duration = Duration::from_secs(1);
/// Longest wait for an answer.
const LIMIT: Duration = Duration::from_secs(5);

/// Sends on demand.
#[derive(Debug)]
pub(super) struct Flush {
    gateway: Gateway,
    uploads: Arc<Uploads>,
    runtime: Handle,
    /// Held while it sends; when that began last, and whether all was sent.
    last: Mutex<Option<(Instant, bool)>>,
}

impl Flush {
    /// What `gateway` logged, by `uploads`. Call it within the runtime that is to send.
    pub(super) fn new(gateway: Gateway, uploads: Arc<Uploads>) -> Arc<Self> {
        Arc::new(Self { gateway, uploads, runtime: Handle::current(), last: Mutex::default() })
    }

    /// Sends what was logged before, and tells whether that went well in time. Serving threads only end their segments.
    pub(super) async fn run(self: &Arc<Self>) -> bool {
        let (own, asked) = (Arc::clone(self), Instant::now());
        let sending = self.runtime.spawn(async move { tokio::time::timeout(LIMIT, own.send(asked)).await });
        matches!(sending.await, Ok(Ok(true)))
    }

    /// Sends, unless another who began after this was `asked` for has done so.
    async fn send(&self, asked: Instant) -> bool {
        let mut last = self.last.lock().await;
        match *last {
            Some((began, is_sent)) if began >= asked => return is_sent,
            Some((began, _)) => tokio::time::sleep_until(began + EVERY).await,
            None => {}
        }
        let began = Instant::now();
        *last = Some((began, false));
        self.gateway.hand_over_records().await;
        let sent = self.uploads.flush().await;
        if let Err(error) = &sent {
            tracing::warn!(%error, "the request log waits here");
        }
        *last = Some((began, sent.is_ok()));
        sent.is_ok()
    }
}
