//! Keeps the bucket that pods send their log to, as long as this control plane holds the lease. Nothing goes wrong where
//! two do it: the lease saves the work of the second.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use provost_control_plane::reconcile::with_causes;
use provost_deployer::{
    kubernetes::ObjectName,
    operator::{Client, lease::Candidate},
};
use provost_domain::port::clock::Clock;
use provost_request_log::{Bucket, BucketKeeper, KeeperOptions, Kept, Retention};
use provost_service_kit::supervise::{Shutdown, supervise};

use super::{config::Config, log_time};

/// How often the bucket is looked at: each time a pod of usual traffic has about a block of objects more.
const EVERY: Duration = Duration::from_secs(300);
/// The same while there is more to do.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What is kept, and where.
#[derive(Clone)]
pub(super) struct LogKeeper {
    bucket: Bucket,
    options: KeeperOptions,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for LogKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogKeeper").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

impl LogKeeper {
    /// Keeps `bucket` as the configuration says; `folder` is for copies.
    pub(super) fn new(bucket: Bucket, folder: PathBuf, config: &Config, clock: Arc<dyn Clock>) -> Self {
        let settings = &config.request_log;
        let retention = Retention { age: settings.bucket_age_max.0, bytes: settings.bucket_size_max.0 };
        Self { bucket, options: KeeperOptions { folder, retention }, clock }
    }

    /// Works while this holds the lease, until the server stops.
    pub(super) fn start(self, stopped: &Shutdown, client: Client, lease: ObjectName) {
        supervise("log-keeper", stopped.clone(), move || {
            let candidate = Candidate::new(client.clone(), lease.clone(), crate::operator::identity());
            self.clone().stand(candidate)
        });
    }

    async fn stand(self, mut candidate: Candidate) {
        loop {
            candidate.win().await;
            tracing::info!("keeping the bucket of the request log: this control plane has the lease");
            tokio::select! {
                () = self.work() => return,
                () = candidate.hold() => tracing::warn!("the lease is lost: another keeps the bucket of the request log"),
            }
        }
    }

    /// Ends only where there is no room for copies.
    async fn work(&self) {
        let mut keeper = match BucketKeeper::open(self.bucket.clone(), self.options.clone()) {
            Ok(keeper) => keeper,
            Err(error) => {
                let folder = self.options.folder.display();
                return tracing::error!(%error, %folder, "the bucket of the request log cannot be kept");
            }
        };
        loop {
            let kept = keeper.pass(log_time(&*self.clock)).await;
            tokio::time::sleep(note(kept)).await;
        }
    }
}

/// Logs what a pass did; gives when the next is due.
fn note(kept: Result<Kept, provost_request_log::Error>) -> Duration {
    match kept {
        Ok(kept) => {
            if kept != Kept::default() {
                tracing::info!(?kept, "kept the bucket of the request log");
            }
            if kept.has_more { AT_ONCE } else { EVERY }
        }
        Err(error) => {
            tracing::warn!(error = %with_causes(&error), "cannot keep the bucket of the request log, and tries again");
            EVERY
        }
    }
}
