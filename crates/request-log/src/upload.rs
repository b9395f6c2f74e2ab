//! Sends finished files to a bucket, and removes them here once they are there.
//!
//! **Invariant**: a file is sent only when no segment that it covers is left, on the disk too. Its records can
//! then not be written a second time under another name, and sending it twice makes no second object.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use provost_inference::record::Timestamp;
use tokio::task::spawn_blocking;

use crate::{
    Bucket, Error, RequestLog,
    bucket::{Origin, key_of},
    dataset::LogFile,
    epoch,
    pause::Pause,
};

/// Files that are under way at a time.
const AT_ONCE: usize = 4;
/// Pause before a server that stops tries again.
const DRAIN_PAUSE: Duration = Duration::from_millis(500);

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Files.
    pub files: u64,
    /// Their rows.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a server that stops could not send.
#[derive(Debug, thiserror::Error)]
#[error("{rows} rows in {files} files and {segments} segments of the request log were not sent: {reason}")]
pub struct Unsent {
    /// Files that are left.
    pub files: u64,
    /// Their rows.
    pub rows: u64,
    /// Segments that are not even files.
    pub segments: usize,
    /// Why.
    pub reason: String,
}

/// Sends the files of a log to a bucket.
#[derive(Debug)]
pub struct Uploads {
    log: Arc<RequestLog>,
    bucket: Bucket,
    origin: Origin,
    pause: Mutex<Pause>,
    /// Held while files are sent, so that none is sent twice at once.
    sending: tokio::sync::Mutex<()>,
}

impl Uploads {
    /// For the log of the server of this name, which is opened with [`Files::Sent`](crate::Files::Sent). Another
    /// one of the name does not get in its way.
    pub fn new(log: Arc<RequestLog>, bucket: Bucket, server: &str) -> io::Result<Self> {
        let origin = Origin::new(server, epoch::folder_number(log.folder())?);
        Ok(Self { log, bucket, origin, pause: Mutex::default(), sending: tokio::sync::Mutex::default() })
    }

    /// Sends the files there are, the oldest first. Call it about once a second; after a failure it pauses by
    /// itself.
    pub async fn send(&self, now: Timestamp) -> Result<Sent, Error> {
        if self.pause().is_on(now) {
            return Ok(Sent::default());
        }
        let sent = self.send_all().await;
        self.pause().note(now, &sent);
        sent
    }

    /// Makes files of what serving threads have handed over, and sends them now, whatever failed before.
    pub async fn flush(&self) -> Result<Sent, Error> {
        let log = Arc::clone(&self.log);
        let rewritten = spawn_blocking(move || log.rewrite_now()).await.unwrap_or(Err(Error::Interrupted));
        // A full disk is no reason to keep back the files there are.
        let sent = self.send_all().await?;
        rewritten.map(|_| sent)
    }

    /// Makes files of all that was logged, and sends them, for no longer than `limit`. For a server that stops:
    /// its lanes are gone.
    pub async fn drain(&self, limit: Duration) -> Result<Sent, Unsent> {
        let mut reason = format!("there was no time within {} s", limit.as_secs());
        if let Ok(sent) = tokio::time::timeout(limit, self.drain_all(&mut reason)).await {
            return Ok(sent);
        }
        self.log.stop_maintenance();
        let unsent = self.unsent(reason);
        self.log.count_lost(unsent.rows);
        Err(unsent)
    }

    /// Tries until it is done.
    async fn drain_all(&self, reason: &mut String) -> Sent {
        loop {
            let log = Arc::clone(&self.log);
            let finished = spawn_blocking(move || log.finish()).await.unwrap_or(Err(Error::Interrupted));
            // A full disk is no reason to keep back the files there are.
            match (self.send_all().await, finished) {
                (Ok(sent), Ok(_)) => return sent,
                (Err(error), _) | (_, Err(error)) => *reason = error.to_string(),
            }
            tokio::time::sleep(DRAIN_PAUSE).await;
        }
    }

    fn unsent(&self, reason: String) -> Unsent {
        let files = self.log.datasets.with(|catalogue| {
            let rows = catalogue.partitions().flatten().map(|file| file.bounds.rows);
            rows.fold((0, 0), |(count, sum), rows| (count + 1, sum + rows))
        });
        let (files, rows) = files.unwrap_or_default();
        Unsent { files, rows, segments: self.log.segments().map_or(0, |segments| segments.len()), reason }
    }

    async fn send_all(&self) -> Result<Sent, Error> {
        let _one_at_a_time = self.sending.lock().await;
        let log = Arc::clone(&self.log);
        let files = spawn_blocking(move || ready(&log)).await.unwrap_or(Err(Error::Interrupted))?;
        let mut sending = stream::iter(files).map(|file| self.send_file(file)).buffer_unordered(AT_ONCE);
        let mut sum = Sent::default();
        while let Some(sent) = sending.next().await {
            let Sent { files, rows, bytes } = sent?;
            sum = Sent { files: sum.files + files, rows: sum.rows + rows, bytes: sum.bytes + bytes };
        }
        Ok(sum)
    }

    async fn send_file(&self, file: Arc<LogFile>) -> Result<Sent, Error> {
        let key = key_of(&self.bucket.path, &self.origin, &file);
        let sent = Sent { files: 1, rows: file.bounds.rows, bytes: file.bytes };
        match self.bucket.put(&key, &file.path, file.bytes).await {
            // Retention took it meanwhile.
            Err(error) if error.is_not_found() => return Ok(Sent::default()),
            put => put?,
        }
        let log = Arc::clone(&self.log);
        let removed = spawn_blocking(move || log.datasets.discard(&[file])).await;
        removed.unwrap_or(Err(Error::Interrupted)).map(|()| sent)
    }

    fn pause(&self) -> MutexGuard<'_, Pause> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files that may be sent, the oldest first.
fn ready(log: &RequestLog) -> Result<Vec<Arc<LogFile>>, Error> {
    let failed = |source| Error::File { operation: "list", path: log.folder().to_owned(), source };
    // In this order: no segment comes of which there is a file already.
    let segments = log.segments().map_err(failed)?;
    let is_alone = |file: &&Arc<LogFile>| !segments.iter().any(|segment| file.covers.contains(*segment));
    let mut files: Vec<_> = log.datasets.with(|catalogue| {
        let files = catalogue.partitions().flatten().filter(is_alone);
        files.cloned().collect()
    })?;
    if !files.is_empty() {
        log.sync_segments()?;
    }
    files.sort_by_key(|file| (file.bounds.last_time, file.bounds.first_seq));
    Ok(files)
}
