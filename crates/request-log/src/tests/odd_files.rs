//! Files in the folder of datasets that are not ours, or not whole.

use provost_inference::{
    OutputKind,
    record::{Payload, Timestamp},
};

use super::support::{DAY, Log, NOON, SECOND, iris, query, record, stream, texts};

fn fill(log: &Log, prefix: &str) {
    let mut lane = log.lane();
    for number in 0..5 {
        let payload = Payload::Values { inputs: &[1.0, 2.0], outputs: &[0.5] };
        lane.append(&record(&iris(1), &format!("{prefix}{number}"), NOON, payload)).unwrap();
    }
}

fn ids(log: &Log) -> Vec<String> {
    texts(&log.page(&query("iris", 100)).columns, "request_id")
}

#[test]
fn files_that_are_not_ours_are_left_alone() {
    let log = Log::new();
    fill(&log, "a");
    log.maintain();
    let datasets = log.folder.path().join("log/datasets");
    let ours = log.files().remove(0);
    let day = datasets.join(&ours).parent().unwrap().to_owned();
    let whole = std::fs::read(datasets.join(&ours)).unwrap();
    std::fs::write(day.join("notes.parquet"), "not a Parquet file").unwrap();
    std::fs::write(day.join("empty.parquet"), "").unwrap();
    std::fs::write(day.join("00000001-009-00000000-00000000.parquet"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(day.join("copy.parquet"), &whole).unwrap();
    std::fs::write(day.join("README.txt"), "mine").unwrap();
    std::fs::write(datasets.join("default/iris/day=soon"), "").unwrap();
    std::fs::create_dir_all(datasets.join("default/iris/day=2026-13-01")).unwrap();
    std::fs::write(datasets.join("file"), "").unwrap();
    let before = log.files().len();
    let log = log.restart();
    fill(&log, "b");
    assert_eq!(ids(&log), ["b4", "b3", "b2", "b1", "b0", "a4", "a3", "a2", "a1", "a0"]);
    log.maintain();
    assert_eq!(ids(&log).len(), 10);
    assert_eq!(log.files().len(), before + 1);
}

#[test]
fn a_damaged_file_is_not_merged_and_the_others_do_not_wait_for_it() {
    let log = Log::new();
    let later = Timestamp(NOON + 2 * DAY);
    for _ in 0..2 {
        fill(&log, "a");
        let payload = Payload::Values { inputs: &[1.0], outputs: &[0.5] };
        let other = stream(2, "other", &["z"], &["t:0"], OutputKind::Float);
        log.lane().append(&record(&other, "other", NOON, payload)).unwrap();
        log.maintain();
    }
    let damaged = log.folder.path().join("log/datasets").join(&log.files()[0]);
    let mut bytes = std::fs::read(&damaged).unwrap();
    bytes[4..40].fill(0xAA);
    std::fs::write(&damaged, bytes).unwrap();
    assert_eq!(log.files().len(), 4);
    let error = log.log.maintain(later).unwrap_err();
    assert!(error.to_string().starts_with("cannot read the Parquet file"), "{error}");
    while log.log.maintain(Timestamp(later.0 + 10 * SECOND)).unwrap().has_more {}
    let files = log.files();
    assert_eq!(files.iter().filter(|name| name.contains("/other/")).count(), 1, "{files:?}");
    assert_eq!(files.iter().filter(|name| name.contains("/iris/")).count(), 2, "{files:?}");
}

#[test]
fn a_segment_with_records_of_a_newer_version_is_kept_aside() {
    let log = Log::new();
    fill(&log, "a");
    let path = log.log.segment_path(log.log.segments().unwrap()[0]);
    let mut bytes = std::fs::read(&path).unwrap();
    let payload = [200_u8, 1, 2, 3];
    bytes.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    bytes.extend(crc32c::crc32c(&payload).to_le_bytes());
    bytes.extend([payload, [0; 4]].concat());
    std::fs::write(&path, &bytes).unwrap();
    log.maintain();
    assert_eq!(ids(&log), ["a4", "a3", "a2", "a1", "a0"]);
    assert_eq!(log.log.segments().unwrap(), []);
    assert_eq!(std::fs::read(path.with_extension("unreadable")).unwrap(), bytes);
}

#[test]
fn a_file_that_a_user_removed_is_no_longer_read() {
    let log = Log::new();
    fill(&log, "a");
    log.maintain();
    fill(&log, "b");
    assert_eq!(ids(&log).len(), 10);
    std::fs::remove_dir_all(log.folder.path().join("log/datasets/default")).unwrap();
    assert_eq!(ids(&log), ["b4", "b3", "b2", "b1", "b0"]);
    log.maintain();
    assert_eq!(ids(&log), ["b4", "b3", "b2", "b1", "b0"]);
    fill(&log, "c");
    log.maintain();
    std::fs::remove_file(log.folder.path().join("log/datasets").join(&log.files()[0])).unwrap();
    while log.log.maintain(Timestamp(NOON + 2 * DAY)).unwrap().has_more {}
    assert_eq!(ids(&log), ["c4", "c3", "c2", "c1", "c0"]);
}
