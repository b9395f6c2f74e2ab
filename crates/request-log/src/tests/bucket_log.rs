//! The log of several servers, read from their bucket.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
};

use object_store::ObjectStoreExt as _;
use proptest::prelude::*;
use provost_inference::{
    OutputKind,
    record::{LogPage, LogQuery, LogReader as _, Payload, ReadError, RecordSink as _, Timestamp},
};

use super::{
    store::Store,
    support::{DAY, NOON, SECOND, folder, iris, parse, query, record, show, stream, texts},
    uploads::Server,
};
use crate::{BucketLog, CacheOptions};

/// A reader with copies of its own.
pub(super) struct Reader {
    folder: tempfile::TempDir,
    log: Arc<BucketLog>,
}

impl Reader {
    pub(super) fn open(store: &Arc<Store>, bytes: u64) -> Self {
        Self::open_in(folder(), store, bytes)
    }

    fn open_in(folder: tempfile::TempDir, store: &Arc<Store>, bytes: u64) -> Self {
        let cache = CacheOptions { folder: folder.path().join("copies"), bytes };
        Self { log: Arc::new(BucketLog::open(store.bucket(), cache).unwrap()), folder }
    }

    pub(super) async fn try_page(&self, query: &LogQuery) -> Result<LogPage, ReadError> {
        let (log, query) = (Arc::clone(&self.log), query.clone());
        tokio::task::spawn_blocking(move || log.page(&query)).await.unwrap()
    }

    async fn page(&self, query: &LogQuery) -> LogPage {
        self.try_page(query).await.unwrap()
    }

    async fn error(&self, query: &LogQuery) -> String {
        match self.try_page(query).await.unwrap_err() {
            ReadError::Store(error) => error.to_string(),
            error @ ReadError::Filter(_) => error.to_string(),
        }
    }

    /// Rows over pages of `limit`, newest first.
    pub(super) async fn walk(&self, mut query: LogQuery, limit: usize) -> Vec<String> {
        query.limit = limit;
        let mut rows = Vec::new();
        loop {
            let page = self.page(&query).await;
            rows.extend(ids(&page));
            match page.next {
                // As it goes to users and comes back.
                Some(next) => query.before = Some(next.to_string().parse().unwrap()),
                None => return rows,
            }
        }
    }

    fn copies(&self) -> usize {
        let day = self.folder.path().join("copies/default/iris/day=2026-01-31");
        std::fs::read_dir(day).map_or(0, Iterator::count)
    }
}

fn ids(page: &LogPage) -> Vec<String> {
    let rows = texts(&page.columns, "row");
    texts(&page.columns, "request_id").iter().zip(rows).map(|(id, row)| [id.as_str(), &row].join(".")).collect()
}

/// One server after the other sends `count` objects of one row, a second apart.
async fn fill(store: &Arc<Store>, servers: i64, count: i64) -> Vec<Server> {
    let mut all = Vec::new();
    for index in 0..servers {
        let server = Server::start(store, "iris");
        for number in 0..count {
            server.append(number * servers + index, 1);
            server.send().await;
        }
        all.push(server);
    }
    all
}

pub(super) const PLENTY: u64 = 1 << 30;

#[tokio::test]
async fn rows_of_several_servers_are_in_the_order_of_time() {
    let store = Store::new();
    let _servers = fill(&store, 3, 10).await;
    let reader = Reader::open(&store, PLENTY);
    let expected: Vec<_> = (0..30).rev().map(|number| format!("r{number}.0")).collect();
    for limit in [1, 7, 29, 30, 31] {
        assert_eq!(reader.walk(query("iris", 0), limit).await, expected, "{limit}");
    }
    let at = |seconds: i64| Some(Timestamp(NOON + seconds * SECOND));
    let some = reader.walk(LogQuery { since: at(5), until: at(8), ..query("iris", 0) }, 2).await;
    assert_eq!(some, ["r7.0", "r6.0", "r5.0"]);
    let found = reader.page(&LogQuery { filter: parse("request_id = r17"), ..query("iris", 5) }).await;
    assert_eq!(ids(&found), ["r17.0"]);
    assert_eq!(ids(&reader.page(&query("other", 5)).await), [""; 0]);
    let error = reader.error(&LogQuery { filter: parse("x.z = 1"), ..query("iris", 5) }).await;
    assert!(error.starts_with("there is no column `x.z`"), "{error}");
}

#[tokio::test]
async fn only_what_a_page_needs_is_copied_and_only_once() {
    let store = Store::new();
    let _servers = fill(&store, 2, 50).await;
    let gets = || store.gets.swap(0, Ordering::SeqCst);
    let reader = Reader::open(&store, PLENTY);
    assert_eq!(ids(&reader.page(&query("iris", 3)).await), ["r99.0", "r98.0", "r97.0"]);
    assert_eq!(gets(), 8);
    reader.page(&query("iris", 3)).await;
    assert_eq!(gets(), 0);
    assert_eq!(reader.walk(query("iris", 0), 40).await.len(), 100);
    assert_eq!(gets(), 92);
    let Reader { folder, log } = reader;
    drop(log);
    let reader = Reader::open_in(folder, &store, PLENTY);
    assert_eq!(reader.walk(query("iris", 0), 40).await.len(), 100);
    assert_eq!(gets(), 0, "copies outlive the process");
}

#[tokio::test]
async fn a_copy_that_is_spoiled_is_made_again() {
    let store = Store::new();
    let _servers = fill(&store, 1, 1).await;
    let reader = Reader::open(&store, PLENTY);
    reader.page(&query("iris", 5)).await;
    let Reader { folder, log } = reader;
    drop(log);
    let day = folder.path().join("copies/default/iris/day=2026-01-31");
    let copy = std::fs::read_dir(&day).unwrap().next().unwrap().unwrap();
    std::fs::write(copy.path(), vec![0; usize::try_from(copy.metadata().unwrap().len()).unwrap()]).unwrap();
    std::fs::write(day.join("7.new"), "what was being written").unwrap();
    let reader = Reader::open_in(folder, &store, PLENTY);
    assert_eq!(ids(&reader.page(&query("iris", 5)).await), ["r0.0"]);
    assert_eq!(reader.copies(), 1);
}

#[tokio::test]
async fn copies_that_were_not_used_for_longest_go_first() {
    let store = Store::new();
    let _servers = fill(&store, 1, 30).await;
    let probe = Reader::open(&store, PLENTY);
    probe.page(&query("iris", 1)).await;
    let entry = std::fs::read_dir(probe.folder.path().join("copies/default/iris/day=2026-01-31")).unwrap().next();
    let bytes = entry.unwrap().unwrap().metadata().unwrap().len();
    let reader = Reader::open(&store, bytes * 17);
    assert_eq!(reader.walk(query("iris", 0), 5).await.len(), 30);
    assert!((8..=17).contains(&reader.copies()), "{}", reader.copies());
    let error = reader.error(&query("iris", 25)).await;
    assert!(error.contains("more than the") && error.contains("narrow it with since"), "{error}");
    std::fs::remove_dir_all(reader.folder.path().join("copies")).unwrap();
    assert_eq!(reader.walk(query("iris", 0), 5).await.len(), 30, "somebody may remove copies");
}

#[tokio::test]
async fn more_objects_than_are_open_at_a_time_are_searched() {
    let store = Store::new();
    let _servers = fill(&store, 1, 300).await;
    let reader = Reader::open(&store, PLENTY);
    let of = LogQuery { filter: parse("request_id = r0 or request_id = r299"), ..query("iris", 5) };
    assert_eq!(ids(&reader.page(&of).await), ["r299.0", "r0.0"]);
    assert_eq!(reader.walk(query("iris", 0), 290).await.len(), 300);
}

#[tokio::test]
async fn a_store_that_is_away_is_an_error_that_says_so() {
    let store = Store::new();
    let _servers = fill(&store, 1, 2).await;
    let reader = Reader::open(&store, PLENTY);
    store.set_away(true);
    let error = reader.error(&query("iris", 5)).await;
    assert_eq!(error, "cannot read `s3://logs/team/a`: Generic S3 error: connection refused");
    store.set_away(false);
    assert_eq!(reader.walk(query("iris", 0), 5).await.len(), 2);
}

#[tokio::test]
async fn what_others_put_into_the_bucket_is_left_alone() {
    let store = Store::new();
    let _servers = fill(&store, 1, 3).await;
    let keys = store.keys().await;
    let name = keys[0].rsplit('/').next().unwrap();
    let good = store.get(&keys[0].as_str().into()).await.unwrap().bytes().await.unwrap();
    let day = "team/a/default/iris/day=2026-01-31";
    let other_time = name.replace("-000649", "-000650");
    for key in [
        format!("{day}/notes.txt"),
        format!("{day}/data.parquet"),
        format!("{day}/broken.{name}"),
        format!("{day}/deeper/{name}"),
        format!("team/a/default/iris/day=2026-02-01/{name}"),
        format!("team/a/default/iris/day=soon/{name}"),
        format!("team/a/default/{name}"),
        format!("{day}/{other_time}"),
    ] {
        let is_broken = key.contains("broken");
        let content = if is_broken { b"PAR1".to_vec().into() } else { good.clone() };
        store.put(&key.as_str().into(), content.into()).await.unwrap();
    }
    let reader = Reader::open(&store, PLENTY);
    for _ in 0..2 {
        assert_eq!(reader.walk(query("iris", 0), 2).await, ["r2.0", "r1.0", "r0.0"]);
    }
    store.gets.store(0, Ordering::SeqCst);
    reader.page(&query("iris", 5)).await;
    assert_eq!(store.gets.load(Ordering::SeqCst), 0, "what is no file of a log is not fetched again");
}

#[tokio::test]
async fn columns_of_several_kinds_and_days_come_together() {
    let store = Store::new();
    let server = Server::start(&store, "iris");
    let labels = stream(2, "iris", &["d"], &["class"], OutputKind::Label(["no".into(), "yes".into()].into()));
    let values = Payload::Values { inputs: &[3.0], outputs: &[1.0] };
    server.append(0, 1);
    server.log.open_lane().append(&record(&labels, "new", NOON + DAY, values)).unwrap();
    server.send().await;
    let reader = Reader::open(&store, PLENTY);
    let page = reader.page(&query("iris", 5)).await;
    let expected = "\
time=1769947200000000000 request_id=new row=0 predictor=main status=200 x.d=3.0 y.class=yes
time=1769860800000000000 request_id=r0 row=0 predictor=main status=200 x.a=1.0 x.b c=2.0 y.t:0=0.5
";
    assert_eq!(show(&page), expected);
    let old = reader.page(&LogQuery { filter: parse("x.a = 1"), ..query("iris", 5) }).await;
    assert_eq!(ids(&old), ["r0.0"], "a column that the newest objects do not have");
}

/// Requests: which server, which of the times, how many rows, and whether an object ends there.
type Requests = Vec<(usize, i64, usize, bool)>;

fn requests() -> impl Strategy<Value = Requests> {
    prop::collection::vec((0..3_usize, 0..4_i64, 1..4_usize, prop::bool::weighted(0.3)), 1..25)
}

/// Lets servers log and send these; gives the ids of the rows.
async fn log(servers: &[Server], requests: &Requests, name: &str) -> Vec<String> {
    let stream = iris(1);
    let mut lanes: Vec<_> = servers.iter().map(|server| server.log.open_lane()).collect();
    let mut rows = Vec::new();
    for (number, (server, time, count, is_end)) in requests.iter().enumerate() {
        let id = format!("{name}{number}");
        let (inputs, outputs) = (vec![1.0; 2 * count], vec![0.5; *count]);
        let payload = Payload::Values { inputs: &inputs, outputs: &outputs };
        // Few times, so that servers share them, on two days.
        let time = NOON + time / 2 * DAY + time % 2 * 1000;
        lanes[*server].append(&record(&stream, &id, time, payload)).unwrap();
        rows.extend((0..*count).map(|row| format!("{id}.{row}")));
        if *is_end {
            lanes[*server] = servers[*server].log.open_lane();
            servers[*server].send().await;
        }
    }
    drop(lanes);
    for server in servers {
        server.send().await;
    }
    rows
}

async fn check_walk(first: Requests, later: Requests, limit: usize) {
    let store = Store::new();
    let servers: Vec<_> = ["a", "b", "b"].iter().map(|name| Server::start(&store, name)).collect();
    let there = log(&servers, &first, "r").await;
    let reader = Reader::open(&store, PLENTY);
    let mut of = LogQuery { limit, ..query("iris", 0) };
    let page = reader.page(&of).await;
    let mut walked = ids(&page);
    let mut times = texts(&page.columns, "time");
    log(&servers, &later, "late").await;
    if let Some(next) = page.next {
        of.before = Some(next);
        loop {
            let page = reader.page(&of).await;
            walked.extend(ids(&page));
            times.extend(texts(&page.columns, "time"));
            let Some(next) = page.next else { break };
            of.before = Some(next);
        }
    }
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let distinct: HashSet<_> = walked.iter().collect();
    assert_eq!(distinct.len(), walked.len(), "a row came twice: {walked:?}");
    let missing: Vec<_> = there.iter().filter(|row| !distinct.contains(row)).collect();
    assert!(missing.is_empty(), "{missing:?} of {walked:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_gives_every_row_once_whatever_comes_in_between(
        first in requests(), later in requests(), limit in 1..12_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check_walk(first, later, limit));
    }
}
