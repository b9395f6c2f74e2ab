//! Small adapters between ports and what implements them.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use async_trait::async_trait;
use provost_api::figures::{Figures, Load};
use provost_control_plane::app::ServerView;
use provost_domain::{
    DeploymentId, Digest,
    learned::Told,
    plan::Timestamp,
    port::{clock::Clock, traffic::TrafficView as _},
};
use provost_gateway::{Gateway, ProcessFigures, Proxy, Snapshot, TrafficHistory, check_server, write_metrics};
use provost_inference::ArtifactFiles;
use provost_request_log::RequestLog;
use provost_store::artifacts::FilesystemArtifacts;
use provost_worker::{ArtifactReader, ServerCheck};

use super::{flush::Flush, load::LoadMeter};

/// How far back a pod tells of its traffic when it is first asked, in milliseconds.
const FIGURES_SINCE: u64 = 900_000;

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

/// Asks programs of users.
#[derive(Debug)]
pub(super) struct ServerChecks;

#[async_trait]
impl ServerCheck for ServerChecks {
    async fn check(&self, authority: &str, is_grpc: bool) -> Result<(), String> {
        check_server(authority, is_grpc).await
    }
}

/// Where requests are answered.
#[derive(Debug, Clone)]
enum Serving {
    /// In this process.
    Here { gateway: Gateway, log: Arc<RequestLog> },
    /// By servers that this one passes them on to.
    Elsewhere(Proxy),
}

/// Figures of this process.
#[derive(Debug, Clone)]
pub(super) struct View {
    serving: Serving,
    settled: Arc<AtomicBool>,
    /// In a pod: its deployment, and the traffic of that.
    pod: Option<(DeploymentId, Arc<TrafficHistory>)>,
    load: Arc<LoadMeter>,
    /// Where the log goes to a bucket.
    flush: Option<Arc<Flush>>,
}

impl View {
    /// Of a server that answers requests itself.
    pub(super) fn new(gateway: Gateway, log: Arc<RequestLog>) -> Self {
        Self {
            serving: Serving::Here { gateway, log },
            settled: Arc::default(),
            pod: None,
            load: Arc::default(),
            flush: None,
        }
    }

    /// Of a server that passes requests on; it is ready once `settled` is set.
    pub(super) fn elsewhere(proxy: Proxy, settled: Arc<AtomicBool>) -> Self {
        Self { serving: Serving::Elsewhere(proxy), settled, pod: None, load: Arc::default(), flush: None }
    }

    /// The same in a pod, which tells the control plane of its traffic.
    pub(super) fn in_pod(self, deployment: DeploymentId, traffic: Arc<TrafficHistory>) -> Self {
        Self { pod: Some((deployment, traffic)), ..self }
    }

    /// The same where the log goes to a bucket, at once when somebody asks for it.
    pub(super) fn sending(self, flush: Arc<Flush>) -> Self {
        Self { flush: Some(flush), ..self }
    }

    /// What sends the log when somebody asks for it; `None` where it stays.
    pub(super) fn flush(&self) -> Option<&Arc<Flush>> {
        self.flush.as_ref()
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
        let process = ProcessFigures {
            in_flight: self.in_flight(),
            lost_records: self.lost_records(),
            cpu_seconds: process::cpu_seconds(),
            memory: process::memory(),
        };
        let snapshot = match &self.serving {
            Serving::Here { gateway, .. } => gateway.metrics().snapshot().await,
            Serving::Elsewhere(_) => Snapshot::default(),
        };
        write_metrics(&snapshot, process)
    }

    /// What a pod tells the control plane of itself since then; `None` outside of pods.
    pub(super) fn figures(&self, since: Option<Timestamp>) -> Option<Figures> {
        let (deployment, traffic) = self.pod.as_ref()?;
        let time = SystemClock.now();
        let recent = Timestamp::from_millis(time.as_millis().saturating_sub(FIGURES_SINCE));
        let mut traffic = traffic.points(deployment, since.unwrap_or(recent));
        traffic.retain(|point| since.is_none_or(|since| point.time > since));
        Some(Figures { time, cpu_seconds: process::cpu_seconds(), memory: process::memory(), traffic })
    }
}

impl View {
    /// What a pod was loaded with; `None` outside of pods.
    pub(super) async fn load(&self) -> Option<Load> {
        let Serving::Here { gateway, .. } = &self.serving else { return None };
        self.pod.as_ref()?;
        let busy_seconds = self.load.busy_seconds(gateway);
        let snapshot = gateway.metrics().snapshot().await;
        let requests = snapshot.series.values().map(|one| one.server.count()).sum();
        Some(Load { requests, busy_seconds })
    }
}

impl View {
    /// What the routers of a pod learned, which are told of those of other pods where that is meant for this process; `None`
    /// outside of pods.
    pub(super) fn learned(&self, others: &Told) -> Option<Told> {
        let Serving::Here { gateway, .. } = &self.serving else { return None };
        self.pod.as_ref()?;
        gateway.tell_learners(others);
        Some(gateway.learned_here())
    }
}

impl ServerView for View {
    fn in_flight(&self) -> usize {
        match &self.serving {
            Serving::Here { gateway, .. } => gateway.in_flight(),
            Serving::Elsewhere(proxy) => proxy.in_flight(),
        }
    }

    fn lost_records(&self) -> u64 {
        match &self.serving {
            Serving::Here { log, .. } => log.lost(),
            Serving::Elsewhere(_) => 0,
        }
    }
}

/// What the kernel tells of this process.
mod process {
    /// Ticks a second, in which the kernel tells times on every architecture.
    const TICKS: f64 = 100.0;

    /// Processor time since the start.
    pub(super) fn cpu_seconds() -> Option<f64> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The name of the program, in brackets, may hold spaces. User and system time are fields 14 and 15.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        Some((ticks(11)? + ticks(12)?) / TICKS)
    }

    /// Resident memory in bytes.
    pub(super) fn memory() -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn the_kernel_tells_what_a_process_uses() {
            assert!(super::memory().unwrap() > 1 << 20);
            assert!(super::cpu_seconds().unwrap() < 3600.0);
        }
    }
}
