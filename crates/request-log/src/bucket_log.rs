//! Reads the log that the servers of a cluster keep in a bucket.
//!
//! Rows are ordered by time, then by the server that wrote them, then by its sequence number: that is told by
//! the rows alone, so that a cursor stays right whatever comes in between. Names of objects tell the times of
//! their rows: objects are read from the newest on, until none of the others can hold a newer row than those
//! found. Objects whose rows another one holds are left out. What servers have not sent yet is not seen.

mod listing;

use std::{io, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use provost_inference::record::{LogPage, LogQuery, LogReader, ReadError};
use tokio::runtime::Handle;

use crate::{
    Bucket, Error,
    bucket::{Cache, CacheOptions, Listed},
    dataset::LogFile,
    query::{self, Order, Snapshot},
};

use self::listing::Listing;

/// Longest time that one page may take.
pub(crate) const PAGE_MAX: Duration = Duration::from_secs(30);
/// Objects that are looked at first; then as many as before, and so on.
const FIRST_OBJECTS: usize = 8;
/// A column that none of so many objects has is taken for one that is nowhere.
const KNOWN_OBJECTS: usize = 64;
/// Objects that are copied at a time.
const AT_ONCE: usize = 16;
/// How often a query starts again because objects or copies went away under it.
const ATTEMPTS: usize = 3;

/// The log of a cluster, in a bucket. The columns of a page are those of the objects it was found in.
#[derive(Debug)]
pub struct BucketLog {
    bucket: Bucket,
    cache: Cache,
    runtime: Handle,
}

impl BucketLog {
    /// The log in a folder of a bucket, of which nothing is asked yet. Call it within a runtime that goes on;
    /// pages are then read from other threads, which may wait.
    pub fn open(bucket: Bucket, cache: CacheOptions) -> io::Result<Self> {
        Ok(Self { bucket, cache: Cache::open(cache)?, runtime: Handle::current() })
    }

    async fn page_within(&self, query: &LogQuery) -> Result<Result<LogPage, ReadError>, Error> {
        let mut listing = Listing::of(&self.bucket, query).await?;
        let mut files: Vec<Arc<LogFile>> = Vec::new();
        let (mut count, mut bytes) = (FIRST_OBJECTS, 0);
        loop {
            let objects = listing.take(count).await?;
            bytes += objects.iter().map(|object| object.bytes).sum::<u64>();
            self.check_bytes(bytes)?;
            files.extend(self.copies(&objects).await?);
            let snapshot = Snapshot { order: Order::Time, tail: Vec::new(), files: files.clone() };
            let page = query::page(query, &snapshot)?;
            if is_final(&page, files.len(), listing.newest()) {
                return Ok(page);
            }
            count = files.len().max(FIRST_OBJECTS);
        }
    }

    async fn copies(&self, objects: &[Listed]) -> Result<Vec<Arc<LogFile>>, Error> {
        let copies = stream::iter(objects).map(|object| self.cache.file(&self.bucket, object)).buffered(AT_ONCE);
        let copies: Vec<_> = copies.try_collect().await?;
        Ok(copies.into_iter().flatten().collect())
    }

    fn check_bytes(&self, bytes: u64) -> Result<(), Error> {
        let most = self.cache.bytes_max();
        let reason = || {
            format!(
                "the query looks at more than the {most} bytes that copies may take: narrow it with since and until, \
                 or allow more"
            )
        };
        if bytes > most { Err(self.bucket.failed("read", reason())) } else { Ok(()) }
    }

    async fn page_in_time(&self, query: &LogQuery) -> Result<Result<LogPage, ReadError>, Error> {
        let seconds = PAGE_MAX.as_secs();
        let reason =
            || format!("it took longer than {seconds} s: ask again, as what was read is kept, or narrow it with since");
        let page = tokio::time::timeout(PAGE_MAX, self.page_within(query)).await;
        page.unwrap_or_else(|_| Err(self.bucket.failed("read", reason())))
    }
}

/// Whether objects that were not looked at, whose rows are of `newest` or before, can change nothing any more.
fn is_final(page: &Result<LogPage, ReadError>, looked_at: usize, newest: Option<i64>) -> bool {
    let Some(newest) = newest else { return true };
    match page {
        // As `next` tells, there is one more row than the page holds.
        Ok(page) => page.next.is_some_and(|last| last.time > newest),
        Err(_) => looked_at >= KNOWN_OBJECTS,
    }
}

impl LogReader for BucketLog {
    fn page(&self, query: &LogQuery) -> Result<LogPage, ReadError> {
        let mut attempts = 1..=ATTEMPTS;
        let page = loop {
            match self.runtime.block_on(self.page_in_time(query)) {
                // The keeper removed an object, another query needed the room, or somebody removed a copy.
                Err(error) if error.is_not_found() && attempts.next().is_some() => self.cache.forget_missing(),
                page => break page,
            }
        };
        self.cache.shrink();
        page.unwrap_or_else(|error| Err(ReadError::Store(Box::new(error))))
    }
}
