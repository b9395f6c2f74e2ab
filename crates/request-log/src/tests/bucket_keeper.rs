//! The keeper of a bucket: whatever it does and wherever it ends, readers find every row once.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use object_store::{ObjectStoreExt as _, path::Path};
use proptest::prelude::*;
use provost_inference::{
    OutputKind,
    record::{LogQuery, Payload, RecordLane, RecordSink as _, Stream, Timestamp},
};

use super::{
    bucket_log::{PLENTY, Reader},
    store::Store,
    support::{DAY, NOON, SECOND, folder, iris, query, record, stream},
    uploads::Server,
};
use crate::{BucketKeeper, KeeperOptions, Kept, Retention};

const AT_NOON: Timestamp = Timestamp(NOON);
/// When the day is over.
const NEXT_DAY: Timestamp = Timestamp(NOON + DAY);
/// After this long a day in order is looked at again.
const AGAIN: i64 = 6 * 3600 * SECOND;
/// Longer than any test.
const LATER: Duration = Duration::from_secs(3600);

/// A pod, whose one thread ends a segment when it is told to.
struct Pod {
    server: Server,
    lane: Box<dyn RecordLane>,
    name: &'static str,
    requests: i64,
}

impl Pod {
    fn start(store: &Arc<Store>, name: &'static str) -> Self {
        let server = Server::start(store, name);
        Self { lane: server.log.open_lane(), server, name, requests: 0 }
    }

    /// Logs a request of one row at a time in seconds after noon, and sends it as an object.
    async fn send_one(&mut self, stream: &Stream, seconds: i64) {
        let id = format!("{}{}", self.name, self.requests);
        let (inputs, outputs) = (vec![1.0; stream.features.len()], vec![0.0; stream.outputs.len()]);
        let payload = Payload::Values { inputs: &inputs, outputs: &outputs };
        self.lane.append(&record(stream, &id, NOON + seconds * SECOND, payload)).unwrap();
        self.lane.tick(Timestamp(i64::MAX));
        self.server.send().await;
        self.requests += 1;
    }
}

/// Each server has sent `count` objects of one row, a second apart.
async fn fill(store: &Arc<Store>, servers: &[&'static str], count: i64) -> Vec<Pod> {
    let mut pods = Vec::new();
    for name in servers {
        let mut pod = Pod::start(store, name);
        for second in 0..count {
            pod.send_one(&iris(1), second).await;
        }
        pods.push(pod);
    }
    pods
}

struct Keeper {
    keeper: BucketKeeper,
    folder: tempfile::TempDir,
}

impl Keeper {
    fn open(store: &Arc<Store>, settled_after: Duration) -> Self {
        Self::open_with(store, settled_after, Retention::default())
    }

    fn open_with(store: &Arc<Store>, settled_after: Duration, retention: Retention) -> Self {
        let folder = folder();
        let options = KeeperOptions { folder: folder.path().join("keeper"), retention };
        let keeper = BucketKeeper::open(store.bucket(), options).unwrap().settling_after(settled_after);
        Self { keeper, folder }
    }

    async fn pass(&mut self, now: Timestamp) -> Kept {
        let kept = is_send(self.keeper.pass(now)).await.unwrap();
        let left = std::fs::read_dir(self.folder.path().join("keeper")).unwrap().count();
        assert_eq!(left, 0, "copies are left over");
        kept
    }
}

/// Ids of all rows, newest first.
async fn rows(store: &Arc<Store>) -> Vec<String> {
    Reader::open(store, PLENTY).walk(query("iris", 0), 1000).await
}

/// Whoever keeps a bucket may do so on any thread.
fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn small_objects_become_one_and_go_later() {
    let store = Store::new();
    let _pods = fill(&store, &["a"], 70).await;
    let expected = rows(&store).await;
    let mut keeper = Keeper::open(&store, Duration::ZERO);
    let first = keeper.pass(AT_NOON).await;
    assert_eq!(first, Kept { merged: 64, written: 1, ..Kept::default() });
    assert_eq!((store.keys().await.len(), rows(&store).await), (71, expected.clone()));
    let second = keeper.pass(AT_NOON).await;
    assert_eq!(second, Kept { covered: 64, ..Kept::default() });
    assert_eq!((store.keys().await.len(), rows(&store).await), (7, expected.clone()));
    assert_eq!(keeper.pass(AT_NOON).await, Kept::default());
    let when_over = keeper.pass(NEXT_DAY).await;
    assert_eq!(when_over, Kept { merged: 6, written: 2, ..Kept::default() });
    keeper.pass(NEXT_DAY).await;
    assert_eq!((store.keys().await.len(), rows(&store).await), (3, expected));
}

#[tokio::test]
async fn what_is_covered_stays_until_every_listing_has_ended() {
    let store = Store::new();
    let _pods = fill(&store, &["a"], 8).await;
    let mut keeper = Keeper::open(&store, LATER);
    assert_eq!(keeper.pass(NEXT_DAY).await.written, 1);
    for _ in 0..3 {
        assert_eq!(keeper.pass(NEXT_DAY).await, Kept::default());
    }
    assert_eq!(store.keys().await.len(), 9);
}

#[tokio::test]
async fn a_day_in_order_is_not_listed_again_at_once() {
    let store = Store::new();
    let _pods = fill(&store, &["a"], 8).await;
    let mut keeper = Keeper::open(&store, Duration::ZERO);
    for _ in 0..3 {
        keeper.pass(NEXT_DAY).await;
    }
    let calls = |of: &Store| of.calls.swap(0, Ordering::SeqCst);
    calls(&store);
    keeper.pass(NEXT_DAY).await;
    assert_eq!(calls(&store), 3, "namespaces, deployments and days");
    keeper.pass(Timestamp(NEXT_DAY.0 + AGAIN)).await;
    assert_eq!(calls(&store), 4);
}

#[tokio::test]
async fn a_keeper_that_ends_at_any_call_leaves_every_row_once() {
    let original = Store::new();
    let _pods = fill(&original, &["a", "b"], 11).await;
    let expected = rows(&original).await;
    assert_eq!(expected.len(), 22);
    let passes = async |store: &Arc<Store>| {
        let mut keeper = Keeper::open(store, Duration::ZERO);
        for _ in 0..3 {
            keeper.keeper.pass(NEXT_DAY).await?;
        }
        Ok::<_, crate::Error>(())
    };
    let whole = original.duplicate();
    passes(&whole).await.unwrap();
    let (calls, keys) = (whole.calls.load(Ordering::SeqCst), whole.keys().await);
    assert!(calls > 50 && keys.len() == 6, "{calls} {keys:?}");
    for call in 1..calls {
        let store = original.duplicate();
        passes(&store.crash_at(call)).await.ok();
        assert_eq!(rows(&store).await, expected, "after {call} calls");
        passes(&store).await.unwrap();
        assert_eq!((store.keys().await, rows(&store).await), (keys.clone(), expected.clone()), "after {call} calls");
    }
}

/// A listing of many keys takes many calls, and things change between them.
#[tokio::test]
async fn a_listing_that_lasts_misses_nothing() {
    let store = Store::new();
    let mut pods = fill(&store, &["a"], 8).await;
    let (mut waiting, mut hasty) = (Keeper::open(&store, LATER), Keeper::open(&store, Duration::ZERO));
    let reader = Reader::open(&store, PLENTY);
    for round in 0..2 {
        let now = Timestamp(NEXT_DAY.0 + round * AGAIN);
        let expected = rows(&store).await;
        // What is read has copies already: nobody would notice that an object is gone.
        assert_eq!(reader.walk(query("iris", 0), 1000).await, expected);
        let before = store.duplicate();
        assert!(waiting.pass(now).await.written > 0);
        for count in 0..=before.keys().await.len() {
            store.tear(&before, count);
            assert_eq!(reader.walk(query("iris", 0), 1000).await, expected, "round {round}, {count} keys");
        }
        let mut is_complete = Vec::new();
        hasty.pass(now).await;
        for count in 0..=before.keys().await.len() {
            store.tear(&before, count);
            is_complete
                .push(reader.try_page(&query("iris", 1000)).await.is_ok_and(|page| ids(&page) == expected.len()));
        }
        assert!(is_complete.contains(&false), "this is what the wait is for");
        for second in 8..16 {
            pods[0].send_one(&iris(1), second).await;
        }
    }
}

fn ids(page: &provost_inference::record::LogPage) -> usize {
    super::support::texts(&page.columns, "request_id").len()
}

#[tokio::test]
async fn a_query_starts_again_when_objects_go_under_it() {
    let store = Store::new();
    let _pods = fill(&store, &["a"], 8).await;
    let expected = rows(&store).await;
    let before = store.duplicate();
    let mut keeper = Keeper::open(&store, Duration::ZERO);
    for _ in 0..2 {
        keeper.pass(NEXT_DAY).await;
    }
    assert_eq!(store.keys().await.len(), 1);
    store.tear(&before, usize::MAX);
    assert_eq!(rows(&store).await, expected);
}

#[tokio::test]
async fn an_object_that_comes_late_finds_its_place_free() {
    let store = Store::new();
    let _pods = fill(&store, &["a"], 16).await;
    let expected = rows(&store).await;
    let late: Path = store.keys().await[5].as_str().into();
    let content = store.get(&late).await.unwrap().bytes().await.unwrap();
    store.delete(&late).await.unwrap();
    let mut keeper = Keeper::open(&store, Duration::ZERO);
    for _ in 0..2 {
        keeper.pass(NEXT_DAY).await;
    }
    assert_eq!((store.keys().await.len(), rows(&store).await.len()), (4, 15));
    store.put(&late, content.clone().into()).await.unwrap();
    assert_eq!(rows(&store).await, expected);
    let later = Timestamp(NEXT_DAY.0 + AGAIN);
    for _ in 0..2 {
        keeper.pass(later).await;
    }
    assert_eq!((store.keys().await.len(), rows(&store).await), (1, expected.clone()));
    // It was sent twice, as its pod did not hear that it had come.
    store.put(&late, content.into()).await.unwrap();
    assert_eq!(rows(&store).await, expected);
    let much_later = Timestamp(later.0 + AGAIN);
    assert_eq!(keeper.pass(much_later).await, Kept { covered: 1, ..Kept::default() });
    assert_eq!((store.keys().await.len(), rows(&store).await), (1, expected));
}

#[tokio::test]
async fn what_others_put_there_is_left_alone() {
    let store = Store::new();
    let _pods = fill(&store, &["a"], 8).await;
    let name = store.keys().await[0].rsplit('/').next().unwrap().to_owned();
    let day = "team/a/default/iris/day=2026-01-31";
    let foreign = [
        format!("{day}/notes.txt"),
        format!("{day}/data.parquet"),
        format!("{day}/deeper/{name}"),
        format!("team/a/default/iris/day=2026-02-01/{name}"),
        format!("team/a/default/iris/day=soon/{name}"),
        format!("team/a/default/{name}"),
        format!("team/ab/default/iris/day=2026-01-31/{name}"),
    ];
    for key in &foreign {
        store.put(&key.as_str().into(), b"theirs".to_vec().into()).await.unwrap();
    }
    let mut keeper = Keeper::open(&store, Duration::ZERO);
    for _ in 0..2 {
        keeper.pass(NEXT_DAY).await;
    }
    assert_eq!(store.keys().await.len(), foreign.len() + 1);
    let mut keeper = Keeper::open(&store, Duration::ZERO);
    assert_eq!(keeper.pass(Timestamp(NOON + 400 * DAY)).await.expired, 1);
    let mut left = foreign.to_vec();
    left.sort();
    assert_eq!(store.keys().await, left);
}

#[tokio::test]
async fn a_broken_object_is_left_and_stops_nothing() {
    let store = Store::new();
    let _pods = fill(&store, &["a", "b"], 16).await;
    let broken: Path = store.keys().await[5].as_str().into();
    store.put(&broken, b"PAR1 not".to_vec().into()).await.unwrap();
    let mut keeper = Keeper::open(&store, Duration::ZERO);
    for _ in 0..2 {
        keeper.pass(NEXT_DAY).await;
    }
    // Of one server what is around it, of the other all.
    assert_eq!(store.keys().await.len(), 6);
    assert!(store.keys().await.contains(&broken.to_string()));
    assert_eq!(rows(&store).await.len(), 31);
    store.gets.store(0, Ordering::SeqCst);
    keeper.pass(Timestamp(NEXT_DAY.0 + AGAIN)).await;
    assert_eq!(store.gets.load(Ordering::SeqCst), 0, "it is not looked at again");
}

#[tokio::test]
async fn columns_that_do_not_fit_stay_apart() {
    let store = Store::new();
    let mut pod = Pod::start(&store, "a");
    let labels = stream(2, "iris", &["a"], &["t:0"], OutputKind::Label(["no".into(), "yes".into()].into()));
    let numbers = iris(1);
    for second in 0..8 {
        pod.send_one(if second < 4 { &numbers } else { &labels }, second).await;
    }
    let expected = rows(&store).await;
    let mut keeper = Keeper::open(&store, Duration::ZERO);
    for _ in 0..2 {
        keeper.pass(NEXT_DAY).await;
    }
    assert_eq!((store.keys().await.len(), rows(&store).await), (2, expected));
    store.gets.store(0, Ordering::SeqCst);
    keeper.pass(Timestamp(NEXT_DAY.0 + AGAIN)).await;
    assert_eq!(store.gets.load(Ordering::SeqCst), 0, "it is not tried again");
}

#[tokio::test]
async fn days_that_are_too_old_go() {
    let store = Store::new();
    let mut pod = Pod::start(&store, "a");
    for day in 0..5 {
        pod.send_one(&iris(1), day * 86_400).await;
    }
    let retention = Retention { age: Duration::from_secs(3 * 86_400), ..Retention::default() };
    let mut keeper = Keeper::open_with(&store, Duration::ZERO, retention);
    assert_eq!(keeper.pass(Timestamp(NOON + 4 * DAY)).await.expired, 1);
    assert_eq!(rows(&store).await, ["a4.0", "a3.0", "a2.0", "a1.0"]);
    assert_eq!(keeper.pass(Timestamp(NOON + 6 * DAY)).await.expired, 2);
    assert_eq!(rows(&store).await, ["a4.0", "a3.0"]);
}

#[tokio::test]
async fn the_oldest_go_when_all_is_too_much() {
    let store = Store::new();
    let mut pod = Pod::start(&store, "a");
    for number in 0..16 {
        pod.send_one(&iris(1), number / 8 * 86_400 + number).await;
    }
    let mut keeper = Keeper::open(&store, Duration::ZERO);
    keeper.pass(Timestamp(NOON + 2 * DAY)).await;
    // Merged and not gone yet: rows count once, and go with all objects that hold them.
    let sizes: HashMap<_, _> = store.sizes().await.into_iter().collect();
    let merged: Vec<_> = sizes
        .iter()
        .filter(|(key, _)| key.contains("-00000000-00000007") || key.contains("-00000008-00000015"))
        .collect();
    assert_eq!((sizes.len(), merged.len()), (18, 2));
    let bytes = merged.iter().map(|(_, bytes)| **bytes).sum();
    let pass = async |bytes: u64| {
        let retention = Retention { bytes, ..Retention::default() };
        Keeper::open_with(&store, LATER, retention).pass(Timestamp(NOON + 2 * DAY)).await.expired
    };
    assert_eq!(pass(bytes).await, 0);
    assert_eq!(pass(bytes - 1).await, 9);
    assert_eq!(rows(&store).await.last().map(String::as_str), Some("a8.0"));
    assert_eq!(pass(0).await, 9);
    assert_eq!(store.keys().await, [""; 0]);
}

#[tokio::test]
async fn a_store_that_is_away_is_an_error() {
    let store = Store::new();
    let _pods = fill(&store, &["a"], 8).await;
    let mut keeper = Keeper::open(&store, Duration::ZERO);
    store.set_away(true);
    let error = keeper.keeper.pass(NEXT_DAY).await.unwrap_err().to_string();
    assert_eq!(error, "cannot read `s3://logs/team/a`: Generic S3 error: connection refused");
    store.set_away(false);
    assert_eq!(keeper.pass(NEXT_DAY).await.written, 1);
}

/// Keepers that each believe to be the only one, and a reader, each having its turn between any two calls of another.
async fn keep_together(turns: [Vec<u8>; 2], counts: [i64; 2]) {
    let store = Store::new();
    let mut pods = fill(&store, &["a"], counts[0]).await;
    let expected = rows(&store).await;
    let mut keepers = turns.map(|turns| Keeper::open(&store.in_turns(&turns), Duration::ZERO));
    for round in 0..2 {
        let [one, other] = &mut keepers;
        let read = async {
            for _ in 0..3 {
                let of = LogQuery { until: Some(Timestamp(NOON + counts[0] * SECOND)), ..query("iris", 1000) };
                let page = Reader::open(&store, PLENTY).try_page(&of).await;
                assert_eq!(page.as_ref().map(ids).ok(), Some(expected.len()), "{page:?}");
            }
        };
        let passes = async |keeper: &mut Keeper| {
            for _ in 0..2 {
                keeper.keeper.pass(NEXT_DAY).await.unwrap();
            }
        };
        let send = async {
            for second in 0..if round == 0 { counts[1] } else { 0 } {
                pods[0].send_one(&iris(1), counts[0] + second).await;
            }
        };
        futures_util::join!(passes(one), passes(other), read, send);
    }
    let mut last = Keeper::open(&store, Duration::ZERO);
    for _ in 0..2 {
        last.pass(NEXT_DAY).await;
    }
    let all: Vec<_> = (0..counts[0] + counts[1]).rev().map(|number| format!("a{number}.0")).collect();
    assert_eq!(rows(&store).await, all);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    #[test]
    fn two_keepers_and_a_reader_do_not_harm_each_other(
        one in prop::collection::vec(0..4_u8, 100), other in prop::collection::vec(0..4_u8, 100),
        first in 1..20_i64, later in 0..6_i64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(keep_together([one, other], [first, later]));
    }
}
