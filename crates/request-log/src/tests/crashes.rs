//! Maintenance that dies at any change to the disk.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use provost_inference::record::{LogReader as _, Payload, Timestamp};

use super::{
    faults::Faults,
    support::{DAY, Log, NOON, SECOND, faulty, folder, iris, query, record, stream, texts},
};
use crate::{
    RequestLog,
    dataset::FileReader,
    disk::{Change, Disk},
};

/// When the days of the records are over.
const LATER: Timestamp = Timestamp(NOON + 3 * DAY);

/// Request ids and rows of all rows of a deployment, newest first.
type Rows = Vec<String>;

/// A log with files that will be merged and segments that will be rewritten, over two days.
fn prepare() -> Log {
    let mut log = Log::new();
    let streams = [iris(1), stream(2, "other", &["z"], &["t:0"], provost_inference::OutputKind::Float)];
    for round in 0..3 {
        let mut lanes = [log.lane(), log.lane()];
        for number in 0..30_usize {
            let of = &streams[usize::from(round == 2 && number % 5 == 4)];
            let is_next_day = round > 0 && number % 3 == 0;
            let time = NOON + DAY * i64::from(is_next_day) + SECOND * i64::try_from(number).unwrap();
            let inputs = vec![1.5; of.features.len() * 2];
            let payload = Payload::Values { inputs: &inputs, outputs: &[0.5, 0.25] };
            lanes[usize::from(round == 2 && number % 2 == 1)]
                .append(&record(of, &format!("r{round}-{number}"), time, payload))
                .unwrap();
        }
        drop(lanes);
        if round == 0 {
            log.log.maintain(Timestamp(NOON)).unwrap();
        }
        if round == 1 {
            log = log.restart();
        }
    }
    log
}

fn rows(log: &RequestLog) -> BTreeMap<&'static str, Rows> {
    let of = |deployment| {
        let page = log.page(&query(deployment, 10_000)).unwrap();
        let rows = texts(&page.columns, "request_id").into_iter().zip(texts(&page.columns, "row"));
        (deployment, rows.map(|(id, row)| format!("{id}/{row}")).collect())
    };
    ["iris", "other"].map(of).into()
}

/// A copy of a log, as the next start of the server finds it.
fn copy(log: &Log, disk: Disk) -> Log {
    let folder = folder();
    copy_folder(log.folder.path(), folder.path());
    let log = RequestLog::open_on(Log::options(&folder), disk).unwrap();
    Log { folder, log }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn maintain_until_done(log: &RequestLog, mut now: Timestamp) -> Result<(), crate::Error> {
    loop {
        now.0 += 100 * SECOND;
        if !log.maintain(now)?.has_more {
            return Ok(());
        }
    }
}

/// What pandas or DuckDB would read.
#[track_caller]
fn check_files(log: &Log, expected: usize) {
    let mut rows = 0;
    for name in log.files() {
        assert!(name.ends_with(".parquet"), "{name} is left over");
        let file = FileReader::open(&log.folder.path().join("log/datasets").join(name)).unwrap();
        rows += usize::try_from(file.metadata().file_metadata().num_rows()).unwrap();
    }
    assert_eq!(rows, expected);
    assert_eq!(log.log.segments().unwrap(), []);
}

#[test]
fn a_crash_at_any_change_to_the_disk_loses_nothing_and_leaves_nothing_twice() {
    let original = prepare();
    let expected = rows(&original.log);
    let count = expected.values().map(Vec::len).sum();
    assert_eq!(count, 180);
    let faults = Arc::new(Faults::default());
    let whole = copy(&original, faulty(&faults));
    maintain_until_done(&whole.log, LATER).unwrap();
    assert_eq!(rows(&whole.log), expected);
    check_files(&whole, count);
    assert_eq!(whole.files().len(), 4, "{:?}", whole.files());
    check_order(&faults.changes());

    for index in 0..faults.changes().len() {
        let crashed = copy(&original, faulty(&Arc::new(Faults::crash_at(index))));
        let error = maintain_until_done(&crashed.log, LATER).unwrap_err();
        assert!(error.to_string().starts_with("cannot "), "{error}");
        assert_eq!(rows(&crashed.log), expected, "after a crash at {:?}", faults.changes()[index]);
        let again = crashed.restart();
        assert_eq!(rows(&again.log), expected, "at the start after a crash at {:?}", faults.changes()[index]);
        maintain_until_done(&again.log, LATER).unwrap();
        assert_eq!(rows(&again.log), expected, "after the crash at {:?} was cleaned up", faults.changes()[index]);
        check_files(&again, count);
    }
}

#[test]
fn a_failure_that_passes_is_made_good_by_the_next_pass() {
    let original = prepare();
    let expected = rows(&original.log);
    let faults = Arc::new(Faults::default());
    maintain_until_done(&copy(&original, faulty(&faults)).log, LATER).unwrap();
    for index in 0..faults.changes().len() {
        let log = copy(&original, faulty(&Arc::new(Faults::fail_at(index))));
        maintain_until_done(&log.log, LATER).unwrap_err();
        assert!(log.log.statistics().last_error.unwrap().contains("the disk is full"));
        assert_eq!(rows(&log.log), expected, "after a failure at {:?}", faults.changes()[index]);
        maintain_until_done(&log.log, Timestamp(LATER.0 + DAY)).unwrap();
        assert_eq!(log.log.statistics().last_error, None);
        assert_eq!(rows(&log.log), expected, "after the failure at {:?} passed", faults.changes()[index]);
        check_files(&log, 180);
    }
}

/// Files are on the disk before their names are, and names before what they replace goes.
#[track_caller]
fn check_order(changes: &[(Change, std::path::PathBuf)]) {
    let (mut synced, mut unsynced_names) = (None, 0);
    for (change, path) in changes {
        match change {
            Change::Write => synced = None,
            Change::SyncFile => synced = Some(path),
            Change::Rename => {
                assert_eq!(synced, Some(path), "renamed before it is on the disk");
                unsynced_names += 1;
            }
            Change::SyncFolder => unsynced_names = 0,
            Change::Remove => assert_eq!(unsynced_names, 0, "{} goes too early", path.display()),
            Change::CreateFolder | Change::CreateFile => {}
        }
    }
    assert!(changes.iter().any(|(change, _)| *change == Change::Rename));
}

#[test]
fn after_a_failure_there_is_a_pause() {
    let log = prepare();
    let log = copy(&log, faulty(&Arc::new(Faults::fail_at(3))));
    let at = |seconds: i64| Timestamp(LATER.0 + seconds * SECOND);
    log.log.maintain(at(0)).unwrap_err();
    assert_eq!(log.log.maintain(at(1)).unwrap(), crate::Report::default());
    assert!(log.log.maintain(at(3)).unwrap().segments > 0);
}

#[test]
fn a_clock_that_steps_back_does_not_make_the_pause_longer() {
    let log = copy(&prepare(), faulty(&Arc::new(Faults::fail_at(3))));
    log.log.maintain(LATER).unwrap_err();
    assert!(log.log.maintain(Timestamp(NOON)).unwrap().segments > 0);
}

#[test]
fn retention_that_dies_goes_on_at_the_next_start() {
    let original = prepare();
    maintain_until_done(&original.log, LATER).unwrap();
    let expected: Vec<_> = original.files().into_iter().filter(|name| name.contains("day=2026-02-01")).collect();
    assert_eq!((original.files().len(), expected.len()), (4, 2));
    let old = Timestamp(NOON + 31 * DAY);
    for index in 0..5 {
        let crashed = copy(&original, faulty(&Arc::new(Faults::crash_at(index))));
        let _report = crashed.log.maintain(old);
        let again = crashed.restart();
        maintain_until_done(&again.log, old).unwrap();
        assert_eq!(again.files(), expected);
        let left = rows(&again.log);
        assert_eq!(left.values().map(Vec::len).sum::<usize>(), 40, "{left:?}");
    }
}
