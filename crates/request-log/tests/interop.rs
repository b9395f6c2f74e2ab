//! Users read the datasets as they are with pandas, pyarrow and DuckDB.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{path::Path, process::Command, time::Duration};

use provost_inference::{
    OutputKind, OutputShape,
    record::{Payload, Record, RecordLane, RecordSink as _, Stream, Timestamp},
};
use provost_request_log::{Options, RequestLog};
use serde_json::{Map, Value, json};

const NOON: i64 = 1_769_860_800_000_000_000;
const DAY: i64 = 86_400_000_000_000;

fn stream(id: u64, outputs: &[&str], kind: OutputKind) -> Stream {
    Stream {
        id,
        namespace: "default".into(),
        deployment: "iris".into(),
        predictor: if id == 1 { "main".into() } else { "canary".into() },
        revision: format!("r{id}"),
        features: vec!["a".into(), "b c".into()],
        outputs: outputs.iter().map(|name| (*name).to_owned()).collect(),
        output_kind: kind,
        output_shape: OutputShape::Matrix(outputs.len()),
    }
}

fn values<'a>(inputs: &'a [f64], outputs: &'a [f64]) -> Payload<'a> {
    Payload::Values { inputs, outputs }
}

/// Writes requests and remembers the rows they are to become.
struct Writer {
    lane: Box<dyn RecordLane>,
    expected: Vec<Value>,
}

impl Writer {
    fn append(&mut self, stream: &Stream, id: &str, time: i64, payload: Payload<'_>, rows: Vec<Value>) {
        let is_failed = matches!(payload, Payload::Failed { .. });
        let record = Record {
            stream,
            request_id: id,
            time: Timestamp(time),
            latency: Duration::from_micros(1500),
            status: if is_failed { 400 } else { 200 },
            rows: u32::try_from(rows.len()).unwrap(),
            payload,
        };
        self.lane.append(&record).unwrap();
        for (row, values) in rows.into_iter().enumerate() {
            let fixed = json!({
                "request_id": id, "row": row, "time": time / 1000, "predictor": stream.predictor, "revision": stream.revision,
                "status": record.status, "latency": 0.0015, "day": if time < NOON + DAY { "2026-01-31" } else { "2026-02-01" },
            });
            let (Value::Object(mut fixed), Value::Object(values)) = (fixed, values) else { panic!("not objects") };
            fixed.extend(values);
            self.expected.push(Value::Object(fixed));
        }
    }
}

fn write(folder: &Path) -> Vec<Value> {
    let mut options = Options::new(folder.join("log"));
    options.rewrite_delay = Duration::ZERO;
    let log = RequestLog::open(options).unwrap();
    let scores = stream(1, &["score"], OutputKind::Float);
    let classes = stream(2, &["class"], OutputKind::Label(["setosa".into(), "versicolor – β".into()].into()));
    let counts = stream(3, &["count"], OutputKind::Integer);
    let flags = stream(4, &["ok"], OutputKind::Boolean);
    let mut expected = Vec::new();
    for round in 0..3 {
        let mut writer = Writer { lane: log.open_lane(), expected };
        for number in 0..50 {
            let time = NOON + DAY * i64::from(number % 2) + i64::from(number) * 1_000_003_000;
            let a = f64::from(number) / 7.0;
            let id = |kind: &str| format!("{kind}-{round}-{number}");
            let row = |a: Value, b: Value, name: &str, value: Value| {
                Value::Object(Map::from_iter([
                    ("x.a".to_owned(), a),
                    ("x.b c".to_owned(), b),
                    (name.to_owned(), value),
                ]))
            };
            let two = vec![
                row(a.into(), "NaN".into(), "y.score", 0.1.into()),
                row((-a).into(), 1e300.into(), "y.score", a.into()),
            ];
            writer.append(&scores, &id("scores"), time, values(&[a, f64::NAN, -a, 1e300], &[0.1, a]), two);
            let one = vec![row(a.into(), 2.0.into(), "y.class", "versicolor – β".into())];
            writer.append(&classes, &id("classes"), time, values(&[a, 2.0], &[1.0]), one);
            if round > 0 {
                let one = vec![row(a.into(), 2.0.into(), "y.count", (i64::from(number) - 7).into())];
                writer.append(&counts, &id("counts"), time, values(&[a, 2.0], &[f64::from(number) - 7.0]), one);
                let one = vec![row(a.into(), 2.0.into(), "y.ok", (number % 3 == 0).into())];
                writer.append(
                    &flags,
                    &id("flags"),
                    time,
                    values(&[a, 2.0], &[f64::from(u8::from(number % 3 == 0))]),
                    one,
                );
            }
            writer.append(
                &scores,
                &id("failed"),
                time,
                Payload::Failed { reason: "too \"few\" features" },
                vec![json!({ "error": "too \"few\" features" })],
            );
            let text = Payload::Text { request: "{\"s\":\"ü\"}".as_bytes(), response: b"[1]" };
            writer.append(
                &scores,
                &id("text"),
                time,
                text,
                vec![json!({ "request": "{\"s\":\"ü\"}", "response": "[1]" })],
            );
        }
        expected = writer.expected;
        drop(writer.lane);
        // The days are not over for the first two rounds: their files stay apart until the third.
        let now = if round < 2 { NOON } else { NOON + 30 * DAY };
        if round != 1 {
            while log.maintain(Timestamp(now)).unwrap().has_more {}
        }
    }
    assert_eq!(log.segments().unwrap(), []);
    expected
}

#[test]
fn pandas_pyarrow_and_duckdb_read_the_datasets_as_they_are() {
    #[expect(clippy::disallowed_methods, reason = "the driver of the test suites says where Python is")]
    let Ok(python) = std::env::var("PROVOST_PYTHON") else {
        eprintln!("skipped: PROVOST_PYTHON names no Python with tests/requirements.txt");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let expected = folder.path().join("expected.json");
    std::fs::write(&expected, Value::Array(write(folder.path())).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder.path().join("log/datasets/default/iris"))
        .arg(&expected)
        .output()
        .unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.starts_with("ok"), "{text}{errors}");
    eprintln!("{text}");
}
