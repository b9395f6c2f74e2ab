//! Small adapters between ports and what implements them.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use provost_control_plane::app::ServerView;
use provost_domain::{Digest, plan::Timestamp, port::clock::Clock};
use provost_gateway::{Gateway, ProcessFigures, write_metrics};
use provost_inference::ArtifactFiles;
use provost_request_log::RequestLog;
use provost_store::artifacts::FilesystemArtifacts;
use provost_worker::ArtifactReader;

/// The system's clock.
#[derive(Debug)]
pub(super) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Artifacts of the store, as the worker opens them.
#[derive(Debug)]
pub(super) struct Artifacts(pub(super) FilesystemArtifacts);

impl ArtifactReader for Artifacts {
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn ArtifactFiles + Send>> {
        Ok(Box::new(self.0.files(digest)?))
    }
}

/// Figures of this process.
#[derive(Debug, Clone)]
pub(super) struct View {
    gateway: Gateway,
    log: Arc<RequestLog>,
    settled: Arc<AtomicBool>,
}

impl View {
    pub(super) fn new(gateway: Gateway, log: Arc<RequestLog>) -> Self {
        Self { gateway, log, settled: Arc::default() }
    }

    /// Set once every deployment that was stored at the start serves or has failed.
    pub(super) fn settled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.settled)
    }

    /// Whether the start is over.
    pub(super) fn is_ready(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    /// The metrics as Prometheus reads them.
    pub(super) async fn metrics(&self) -> String {
        let process = ProcessFigures { in_flight: self.gateway.in_flight(), lost_records: self.log.lost() };
        write_metrics(&self.gateway.metrics().snapshot().await, process)
    }
}

impl ServerView for View {
    fn in_flight(&self) -> usize {
        self.gateway.in_flight()
    }

    fn lost_records(&self) -> u64 {
        self.log.lost()
    }
}
