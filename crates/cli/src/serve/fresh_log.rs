//! A log of which the newest rows may still be elsewhere: whoever reads up to now has them fetched first.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use provost_deployer::cluster::LogFlush;
use provost_domain::{DeploymentId, port::clock::Clock};
use provost_inference::record::{LogPage, LogQuery, LogReader, ReadError};
use tokio::{runtime::Handle, time::Instant};

use super::log_time;

/// Rows of a deployment are fetched no more often than this, however many follow its log.
const EVERY: Duration = Duration::from_secs(1);
/// What was answered longer ago than this, in nanoseconds, has come by itself.
const SENT_AFTER: i64 = 20 * 1_000_000_000;
/// When more deployments than this were asked about, those that nobody asks about now are forgotten.
const REMEMBERED_MAX: usize = 1000;

/// Has the newest rows come to where the log is read. It ends within about two seconds, whatever came.
pub(super) trait Fetch: Send + Sync + fmt::Debug {
    /// Has those of a deployment come.
    fn fetch<'a>(&'a self, id: &'a DeploymentId) -> BoxFuture<'a, ()>;
}

impl Fetch for LogFlush {
    fn fetch<'a>(&'a self, id: &'a DeploymentId) -> BoxFuture<'a, ()> {
        self.flush(id).boxed()
    }
}

/// When fetching rows began and ended last; held while they are fetched.
type Last = Arc<tokio::sync::Mutex<Option<(Instant, Instant)>>>;

/// Reads `log`, and has the newest rows fetched before where they are asked for.
pub(super) struct FreshLog<L, F> {
    log: L,
    fetch: F,
    clock: Arc<dyn Clock>,
    runtime: Handle,
    every: Duration,
    last: Mutex<HashMap<DeploymentId, Last>>,
}

impl<L: fmt::Debug, F: fmt::Debug> fmt::Debug for FreshLog<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreshLog").field("log", &self.log).field("fetch", &self.fetch).finish_non_exhaustive()
    }
}

impl<L: LogReader, F: Fetch> FreshLog<L, F> {
    /// Call it within a runtime that goes on; pages are then read from other threads, which may wait.
    pub(super) fn new(log: L, fetch: F, clock: Arc<dyn Clock>) -> Self {
        Self { log, fetch, clock, runtime: Handle::current(), every: EVERY, last: Mutex::default() }
    }

    /// Whether the query asks for rows that may not have come. Who reads on from a page had them fetched for the first.
    fn may_miss(&self, query: &LogQuery) -> bool {
        let sent = log_time(&*self.clock).0.saturating_sub(SENT_AFTER);
        query.before.is_none() && query.until.is_none_or(|until| until.0 > sent)
    }

    async fn fetch(&self, id: DeploymentId) {
        let (last, asked) = (self.last_of(&id), Instant::now());
        let mut last = last.lock().await;
        // Who comes while rows are fetched has waited for these, and does not wait for others.
        if last.is_none_or(|(began, ended)| ended < asked && began.elapsed() >= self.every) {
            let began = Instant::now();
            self.fetch.fetch(&id).await;
            *last = Some((began, Instant::now()));
        }
    }

    fn last_of(&self, id: &DeploymentId) -> Last {
        let mut all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED_MAX {
            all.retain(|_, last| Arc::strong_count(last) > 1);
        }
        Arc::clone(all.entry(id.clone()).or_default())
    }
}

impl<L: LogReader, F: Fetch> LogReader for FreshLog<L, F> {
    fn page(&self, query: &LogQuery) -> Result<LogPage, ReadError> {
        let id = query.namespace.as_str().try_into().ok().zip(query.deployment.as_str().try_into().ok());
        if let Some((namespace, name)) = id.filter(|_| self.may_miss(query)) {
            self.runtime.block_on(self.fetch(DeploymentId { namespace, name }));
        }
        self.log.page(query)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use provost_domain::plan::Timestamp;
    use provost_inference::record::{self, Columns, Position};

    use super::*;

    /// Noon of 2026-01-31, in milliseconds.
    const NOON: u64 = 1_769_860_800_000;

    #[derive(Debug)]
    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(NOON)
        }
    }

    #[derive(Debug, Clone, Default)]
    struct Counted(Arc<AtomicUsize>);

    impl Fetch for Counted {
        fn fetch<'a>(&'a self, _id: &'a DeploymentId) -> BoxFuture<'a, ()> {
            self.0.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().boxed()
        }
    }

    #[derive(Debug)]
    struct Empty;

    impl LogReader for Empty {
        fn page(&self, _query: &LogQuery) -> Result<LogPage, ReadError> {
            Ok(LogPage { columns: Columns::default(), next: None })
        }
    }

    /// How often rows are fetched for these queries, which come at once however slow the machine is.
    async fn fetches(queries: Vec<LogQuery>) -> usize {
        let fetch = Counted::default();
        let log = FreshLog::new(Empty, fetch.clone(), Arc::new(Noon));
        let log = Arc::new(FreshLog { every: Duration::MAX, ..log });
        let pages = queries.into_iter().map(|query| {
            let log = Arc::clone(&log);
            tokio::task::spawn_blocking(move || log.page(&query).unwrap())
        });
        futures_util::future::join_all(pages.collect::<Vec<_>>()).await;
        fetch.0.load(Ordering::SeqCst)
    }

    fn query(deployment: &str) -> LogQuery {
        LogQuery { namespace: "models".into(), deployment: deployment.into(), limit: 1, ..LogQuery::default() }
    }

    fn until(seconds: i64) -> LogQuery {
        let time = i64::try_from(NOON).unwrap() * 1_000_000 + seconds * 1_000_000_000;
        LogQuery { until: Some(record::Timestamp(time)), ..query("iris") }
    }

    #[tokio::test]
    async fn rows_are_fetched_for_who_asks_for_the_newest() {
        assert_eq!(fetches(vec![query("iris")]).await, 1);
        assert_eq!(fetches(vec![until(60)]).await, 1);
        assert_eq!(fetches(vec![until(-5)]).await, 1);
        assert_eq!(fetches(vec![until(-60)]).await, 0);
        let next = LogQuery { before: Some(Position { time: 1, source: 1, seq: 1, row: 0 }), ..query("iris") };
        assert_eq!(fetches(vec![next]).await, 0);
        assert_eq!(fetches(vec![query("../iris")]).await, 0, "it is no deployment's name");
    }

    #[tokio::test]
    async fn however_many_ask_each_deployment_is_asked_once_a_second() {
        let many = (0..50).map(|number| query(if number % 2 == 0 { "iris" } else { "other" }));
        assert_eq!(fetches(many.collect()).await, 2);
    }

    #[tokio::test]
    async fn who_comes_while_rows_are_fetched_waits_for_these_and_no_others() {
        let fetch = Counted::default();
        let log = FreshLog::new(Empty, fetch.clone(), Arc::new(Noon));
        let log = FreshLog { every: Duration::ZERO, ..log };
        let id = || DeploymentId { namespace: "models".try_into().unwrap(), name: "iris".try_into().unwrap() };
        futures_util::future::join_all((0..10).map(|_| log.fetch(id()))).await;
        assert_eq!(fetch.0.load(Ordering::SeqCst), 1);
        log.fetch(id()).await;
        assert_eq!(fetch.0.load(Ordering::SeqCst), 2);
    }
}
