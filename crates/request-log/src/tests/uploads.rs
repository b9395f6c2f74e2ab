//! Files on their way to a bucket.

use std::{sync::Arc, time::Duration};

use object_store::ObjectStoreExt as _;
use provost_inference::record::{Payload, RecordSink as _, Timestamp};

use super::{
    store::Store,
    support::{Log, NOON, SECOND, folder, iris, record},
};
use crate::{Error, Files, Options, RequestLog, Retention, Sent, Uploads};

const PATIENCE: Duration = Duration::from_secs(20);

/// A server whose log goes to a bucket.
pub(super) struct Server {
    pub(super) folder: tempfile::TempDir,
    pub(super) log: Arc<RequestLog>,
    pub(super) uploads: Uploads,
}

impl Server {
    pub(super) fn start(store: &Arc<Store>, name: &str) -> Self {
        Self::start_in(folder(), store, name, Retention::default())
    }

    pub(super) fn start_in(folder: tempfile::TempDir, store: &Arc<Store>, name: &str, retention: Retention) -> Self {
        let options = Options { files: Files::Sent, retention, ..Log::options(&folder) };
        let log = Arc::new(RequestLog::open(options).unwrap());
        let uploads = Uploads::new(Arc::clone(&log), store.bucket(), name).unwrap();
        Self { folder, log, uploads }
    }

    /// As after `kill -9`: what follows knows only what is on the disk.
    fn restart(self, store: &Arc<Store>, name: &str) -> Self {
        let Self { folder, log, uploads } = self;
        drop((log, uploads));
        Self::start_in(folder, store, name, Retention::default())
    }

    /// Logs requests of one row, from this number on, a second apart.
    pub(super) fn append(&self, first: i64, count: i64) {
        let (mut lane, stream) = (self.log.open_lane(), iris(1));
        for number in first..first + count {
            let id = format!("r{number}");
            let payload = Payload::Values { inputs: &[1.0, 2.0], outputs: &[0.5] };
            lane.append(&record(&stream, &id, NOON + number * SECOND, payload)).unwrap();
        }
    }

    fn maintain(&self) {
        while self.log.maintain(Timestamp(NOON)).unwrap().has_more {}
    }

    fn files(&self) -> u64 {
        self.log.maintain(Timestamp(NOON)).unwrap();
        self.log.statistics().files
    }

    pub(super) async fn send(&self) -> Sent {
        self.maintain();
        self.uploads.send(Timestamp(NOON)).await.unwrap()
    }
}

#[tokio::test]
async fn a_file_goes_to_the_bucket_under_a_name_that_tells_who_wrote_it_and_when() {
    let store = Store::new();
    let server = Server::start(&store, "iris-main-0");
    server.append(0, 3);
    let sent = server.send().await;
    assert_eq!((sent.files, sent.rows, server.files()), (1, 3, 0));
    let [key] = &store.keys().await[..] else { panic!("{:?}", store.keys().await) };
    let (start, rest) = key.split_at("team/a/default/iris/day=2026-01-31/iris-main-0.".len());
    assert_eq!(start, "team/a/default/iris/day=2026-01-31/iris-main-0.");
    let (number, rest) = rest.split_once('.').unwrap();
    assert!(number.len() == 16 && u64::from_str_radix(number, 16).is_ok(), "{key}");
    assert_eq!(rest, "00000001-000-00000000-00000000.000649add4493000-000649add467b480.parquet");
    assert_eq!(server.send().await, Sent::default());
}

#[tokio::test]
async fn servers_of_one_name_do_not_replace_each_others_objects() {
    let store = Store::new();
    for _ in 0..2 {
        let server = Server::start(&store, "../iris main");
        server.append(0, 1);
        server.send().await;
    }
    let keys = store.keys().await;
    assert!(keys.len() == 2 && keys.iter().all(|key| key.contains("/_iris_main.")), "{keys:?}");
}

#[tokio::test]
async fn while_the_store_is_away_files_stay_and_are_sent_afterwards() {
    let store = Store::new();
    let server = Server::start(&store, "iris");
    store.set_away(true);
    for number in 0..20 {
        server.append(number, 1);
        server.maintain();
    }
    let error = server.uploads.send(Timestamp(NOON)).await.unwrap_err().to_string();
    assert_eq!(error, "cannot write `s3://logs/team/a`: Generic S3 error: connection refused");
    store.set_away(false);
    let at_once = server.uploads.send(Timestamp(NOON + SECOND)).await.unwrap();
    assert_eq!(at_once, Sent::default(), "it pauses");
    assert_eq!(server.files(), 20, "what waits is not merged");
    let later = server.uploads.send(Timestamp(NOON + 2 * SECOND)).await.unwrap();
    assert_eq!((later.files, later.rows, server.files(), server.log.lost()), (20, 20, 0, 0));
    assert_eq!(store.keys().await.len(), 20);
}

#[tokio::test]
async fn what_is_too_much_goes_and_is_counted_as_lost() {
    let store = Store::new();
    let server = Server::start_in(folder(), &store, "iris", Retention { bytes: 20_000, ..Retention::default() });
    store.set_away(true);
    for number in 0..20 {
        server.append(number * 10, 10);
        server.maintain();
    }
    store.set_away(false);
    let sent = server.send().await;
    assert!(sent.bytes <= 20_000 && sent.files > 0, "{sent:?}");
    assert_eq!(server.log.lost() + sent.rows, 200);
}

#[tokio::test]
async fn a_crash_between_sending_and_removing_makes_no_second_object() {
    let store = Store::new();
    let mut server = Server::start(&store, "iris");
    server.append(0, 5);
    server.maintain();
    let file = server.log.datasets.with(|catalogue| catalogue.partitions().flatten().next().cloned()).unwrap().unwrap();
    let content = std::fs::read(&file.path).unwrap();
    server.send().await;
    std::fs::write(&file.path, content).unwrap();
    server.append(5, 1);
    server = server.restart(&store, "iris");
    let sent = server.send().await;
    assert_eq!((sent.files, store.keys().await.len(), server.files()), (2, 2, 0));
}

#[tokio::test]
async fn a_file_waits_until_its_segments_are_gone() {
    let store = Store::new();
    let server = Server::start(&store, "iris");
    server.append(0, 5);
    let [segment] = server.log.finished_segments().unwrap()[..] else { panic!() };
    let path = server.log.segment_path(segment);
    let content = std::fs::read(&path).unwrap();
    server.maintain();
    std::fs::write(&path, content).unwrap();
    assert_eq!(server.uploads.send(Timestamp(NOON)).await.unwrap(), Sent::default());
    assert_eq!(server.send().await.rows, 5, "the segment is covered and goes");
}

#[tokio::test]
async fn a_server_that_stops_sends_all_it_has() {
    let store = Store::new();
    let server = Server::start(&store, "iris");
    server.append(0, 7);
    server.maintain();
    server.append(7, 7);
    server.log.stop_maintenance();
    let sent = server.uploads.drain(PATIENCE).await.unwrap();
    assert_eq!((sent.rows, store.keys().await.len()), (14, 2));
    assert_eq!(server.log.segments().unwrap(), []);
}

#[tokio::test]
async fn what_serving_threads_hand_over_is_sent_at_once_and_they_go_on() {
    let store = Store::new();
    let server = Server::start(&store, "iris");
    let (mut lane, stream) = (server.log.open_lane(), iris(1));
    let payload = Payload::Values { inputs: &[1.0, 2.0], outputs: &[0.5] };
    for number in 0..3_i64 {
        lane.append(&record(&stream, &format!("r{number}"), NOON + number * SECOND, payload)).unwrap();
        assert_eq!(server.uploads.flush().await.unwrap(), Sent::default(), "the lane has it still");
        lane.hand_over();
        assert_eq!(server.uploads.flush().await.unwrap().rows, 1);
        lane.hand_over();
    }
    store.set_away(true);
    lane.append(&record(&stream, "r3", NOON + 3 * SECOND, payload)).unwrap();
    lane.hand_over();
    for _ in 0..2 {
        assert!(server.uploads.flush().await.is_err());
    }
    store.set_away(false);
    assert_eq!(server.uploads.flush().await.unwrap().rows, 1, "whatever failed before");
    assert_eq!((store.keys().await.len(), server.log.lost()), (4, 0));
}

#[tokio::test]
async fn a_file_never_reaches_over_the_edge_of_a_block() {
    let store = Store::new();
    let server = Server::start(&store, "iris");
    let (mut lane, stream) = (server.log.open_lane(), iris(1));
    let payload = Payload::Values { inputs: &[1.0, 2.0], outputs: &[0.5] };
    for number in 0..19_i64 {
        lane.append(&record(&stream, &format!("r{number}"), NOON, payload)).unwrap();
        lane.hand_over();
    }
    assert_eq!(server.send().await.rows, 19);
    let keys = store.keys().await;
    let ranges: Vec<_> = keys.iter().map(|key| key.rsplit('.').nth(2).unwrap().split_at(13).1).collect();
    assert_eq!(ranges, ["00000000-00000007", "00000008-00000015", "00000016-00000018"]);
}

#[tokio::test]
async fn what_a_server_that_stops_cannot_send_is_told_and_sent_by_the_next() {
    let store = Store::new();
    let server = Server::start(&store, "iris");
    server.append(0, 7);
    store.set_away(true);
    let error = server.uploads.drain(Duration::from_millis(200)).await.unwrap_err().to_string();
    let expected = "7 rows in 1 files and 0 segments of the request log were not sent: \
                    cannot write `s3://logs/team/a`: Generic S3 error: connection refused";
    assert_eq!((error.as_str(), server.log.lost()), (expected, 7));
    store.set_away(false);
    let server = server.restart(&store, "iris");
    assert_eq!(server.send().await.rows, 7);
}

#[tokio::test]
async fn a_long_file_is_sent_in_parts() {
    let store = Store::new();
    let bucket = store.bucket();
    let folder = folder();
    let path = folder.path().join("long");
    let content: Vec<u8> = (0..5_000_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&path, &content).unwrap();
    let key = object_store::path::Path::parse("long").unwrap();
    bucket.put(&key, &path, content.len() as u64).await.unwrap();
    assert!(store.get(&key).await.unwrap().bytes().await.unwrap() == content);
    let missing = bucket.put(&key, &folder.path().join("none"), 1).await;
    assert!(missing.as_ref().is_err_and(Error::is_not_found), "{missing:?}");
}
