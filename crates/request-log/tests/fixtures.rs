//! Logs that earlier versions wrote are still read.
//!
//! `fixtures/v1` is what the first version wrote: files of a dataset, rewritten and merged, and a segment.
//! A fixture is never written again; `UPDATE=1` makes the one of a new version where it is missing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use provost_inference::{
    OutputKind, OutputShape,
    record::{Column, LogQuery, LogReader as _, Payload, Record, RecordSink as _, Stream, Timestamp},
};
use provost_request_log::{Options, RequestLog};

const VERSION: u32 = 1;
const NOON: i64 = 1_769_860_800_000_000_000;
const DAY: i64 = 86_400_000_000_000;

fn fixture(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/v{version}"))
}

fn open(folder: &Path) -> RequestLog {
    let mut options = Options::new(folder.to_owned());
    options.segment_bytes = 16 << 10;
    options.rewrite_delay = Duration::ZERO;
    RequestLog::open(options).unwrap()
}

fn streams() -> [Stream; 4] {
    let stream = |id, predictor: &str, outputs: &[&str], kind| Stream {
        id,
        namespace: "default".into(),
        deployment: "iris".into(),
        predictor: predictor.into(),
        revision: format!("revision-{id}"),
        features: vec!["Sepal length".into(), "Petal Width".into()],
        outputs: outputs.iter().map(|name| (*name).to_owned()).collect(),
        output_kind: kind,
        output_shape: OutputShape::Matrix(outputs.len()),
    };
    [
        stream(1, "main", &["t:0", "t:1"], OutputKind::Float),
        stream(2, "main", &["class"], OutputKind::Label(["setosa".into(), "virginica".into()].into())),
        stream(3, "canary", &["count"], OutputKind::Integer),
        stream(4, "canary", &["ok"], OutputKind::Boolean),
    ]
}

/// Appends one request of each kind.
fn append(log: &RequestLog, round: u8, time: i64) {
    let mut lane = log.open_lane();
    let [floats, labels, integers, booleans] = streams();
    let mut append = |stream: &Stream, kind: &str, rows, status, payload| {
        let id = format!("{kind}-{round}");
        let latency = Duration::from_micros(125 * u64::from(round + 1));
        lane.append(&Record { stream, request_id: &id, time: Timestamp(time), latency, status, rows, payload })
            .unwrap();
    };
    let a = f64::from(round) + 0.1;
    let two = [a, 2.5, f64::NAN, -1e-300];
    let one = &two[..2];
    append(&floats, "floats", 2, 200, Payload::Values { inputs: &two, outputs: &[0.25, 0.75, 1.0, 0.0] });
    append(&labels, "labels", 1, 200, Payload::Values { inputs: one, outputs: &[1.0] });
    append(&integers, "integers", 1, 200, Payload::Values { inputs: one, outputs: &[-7.0] });
    append(&booleans, "booleans", 1, 200, Payload::Values { inputs: one, outputs: &[1.0] });
    append(&floats, "failed", 1, 400, Payload::Failed { reason: "3 features instead of 2" });
    append(&floats, "text", 1, 200, Payload::Text { request: "{\"text\":\"ü\"}".as_bytes(), response: b"[\xff]" });
}

/// A log with a merged file, a rewritten one, and a segment.
fn write(folder: &Path) {
    let log = open(folder);
    for round in 0..2 {
        append(&log, round, NOON);
        while log.maintain(Timestamp(NOON)).unwrap().has_more {}
    }
    while log.maintain(Timestamp(NOON + DAY)).unwrap().has_more {}
    append(&log, 2, NOON + DAY);
    while log.maintain(Timestamp(NOON + DAY)).unwrap().has_more {}
    append(&log, 3, NOON + DAY);
}

fn show(log: &RequestLog) -> String {
    let query = LogQuery { namespace: "default".into(), deployment: "iris".into(), limit: 100, ..LogQuery::default() };
    let columns = log.page(&query).unwrap().columns;
    let cell = |column: &Column, row: usize| match column {
        Column::Float(values) => values[row].map(|value| format!("{value:?}")),
        Column::Integer(values) => values[row].map(|value| value.to_string()),
        Column::Boolean(values) => values[row].map(|value| value.to_string()),
        Column::Text(values) => values[row].as_ref().map(ToString::to_string),
    };
    let mut text = String::new();
    for row in 0..columns.columns[0].len() {
        let cells = columns.names.iter().zip(&columns.columns);
        let cells: Vec<_> = cells.filter_map(|(name, column)| Some(format!("{name}={}", cell(column, row)?))).collect();
        writeln!(text, "{}", cells.join(" ")).unwrap();
    }
    text
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(path, target).unwrap();
        }
    }
}

#[test]
fn logs_of_all_versions_are_read_rewritten_and_merged() {
    #[expect(clippy::disallowed_methods, reason = "asked for by whoever makes a new version")]
    let is_update = std::env::var("UPDATE").is_ok_and(|value| value == "1");
    if is_update && !fixture(VERSION).exists() {
        write(&fixture(VERSION).join("log"));
        let folder = tempfile::tempdir().unwrap();
        copy(&fixture(VERSION).join("log"), folder.path());
        std::fs::write(fixture(VERSION).join("rows.txt"), show(&open(folder.path()))).unwrap();
    }
    for version in 1..=VERSION {
        let folder = tempfile::tempdir().unwrap();
        copy(&fixture(version).join("log"), folder.path());
        let expected = std::fs::read_to_string(fixture(version).join("rows.txt")).unwrap();
        assert_eq!(expected.lines().count(), 28, "of version {version}");
        let log = open(folder.path());
        assert_eq!(log.segments().unwrap().len(), 1, "of version {version}");
        assert_eq!(show(&log), expected, "version {version} as it is");
        while log.maintain(Timestamp(NOON + 2 * DAY)).unwrap().has_more {}
        assert_eq!(log.segments().unwrap(), []);
        assert_eq!(log.statistics().files, 2);
        assert_eq!(show(&log), expected, "version {version} after maintenance");
    }
}
