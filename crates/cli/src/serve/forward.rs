//! The log of a pod, which goes to a bucket: the pod's own disk goes with it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use provost_domain::port::clock::Clock;
use provost_request_log::{Bucket, Files, Options, RequestLog, Uploads};
use provost_service_kit::{
    config::Period,
    supervise::{Shutdown, supervise},
};
use provost_store::buckets::{self, Folder};
use tokio::time::Instant;

use super::{Roles, TEND_EVERY, config::Config, log_time};

/// A record is in the bucket after about this long.
const AGE: Duration = Duration::from_secs(10);
/// How much longer than requests in flight the log may take when the server stops. With the time that Kubernetes
/// lets traffic end in before, it is within the 30 seconds that it gives a pod.
const DRAIN_EXTRA: Duration = Duration::from_secs(4);

/// Where the log goes, and who sends it.
#[derive(Debug)]
pub(super) struct Destination {
    folder: Folder,
    server: String,
}

impl Destination {
    /// Where the configuration says, or what is wrong with it. Nothing is asked of the store yet.
    pub(super) fn find(
        config: &Config,
        variables: &BTreeMap<String, String>,
        roles: Roles,
    ) -> Result<Option<Self>, Vec<String>> {
        let Some((uri, environment)) = config.log_bucket(variables)? else { return Ok(None) };
        if roles == Roles::All {
            let problem = "request-log.bucket: it is for pods; a server that answers queries itself keeps what it logs";
            return Err(vec![problem.to_owned()]);
        }
        let folder = buckets::open(&uri, &environment);
        let folder = folder.map_err(|error| vec![format!("request-log.bucket: {error}")])?;
        let name = ["POD_NAME", "HOSTNAME"].into_iter().find_map(|name| variables.get(name));
        Ok(Some(Self { folder, server: name.cloned().unwrap_or_default() }))
    }

    /// What sends the files of the log there.
    pub(super) fn uploads(self, log: &Arc<RequestLog>) -> anyhow::Result<Uploads> {
        let uploads = Uploads::new(Arc::clone(log), bucket(self.folder), &self.server);
        uploads.with_context(|| format!("cannot write below `{}`", log.folder().display()))
    }
}

/// The folder as the request log knows it.
pub(super) fn bucket(Folder { store, path, uri }: Folder) -> Bucket {
    Bucket { store, path, uri, explain: buckets::explain }
}

/// How a log is kept that goes to a bucket: of `age`, half is for a segment, and half for others that become one
/// file with it.
pub(super) fn options(options: Options, age: Option<Period>) -> Options {
    let half = age.map_or(AGE, |age| age.0) / 2;
    Options { segment_age: half, rewrite_delay: half, files: Files::Sent, ..options }
}

/// Sends files as they come.
pub(super) fn send(stopped: &Shutdown, uploads: &Arc<Uploads>, clock: &Arc<dyn Clock>) {
    let (uploads, clock) = (Arc::clone(uploads), Arc::clone(clock));
    supervise("log-upload", stopped.clone(), move || {
        let (uploads, clock) = (Arc::clone(&uploads), Arc::clone(&clock));
        async move {
            let mut ticks = tokio::time::interval(TEND_EVERY);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                match uploads.send(log_time(&*clock)).await {
                    Ok(sent) if sent.files > 0 => tracing::debug!(?sent, "sent files of the request log"),
                    Ok(_) => {}
                    Err(error) => tracing::warn!(%error, "the request log waits here"),
                }
            }
        }
    });
}

/// Until when a server that stops now may take.
pub(super) fn drain_end(config: &Config) -> Instant {
    Instant::now() + config.server.drain_timeout.0 + DRAIN_EXTRA
}

/// Sends what is left.
pub(super) async fn drain(uploads: &Uploads, until: Instant) {
    match uploads.drain(until.saturating_duration_since(Instant::now())).await {
        Ok(sent) => {
            tracing::info!(files = sent.files, rows = sent.rows, "the rest of the request log is in the bucket");
        }
        Err(error) => tracing::error!("{error}"),
    }
}
