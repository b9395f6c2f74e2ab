//! Whatever is appended, and whatever is done to it meanwhile, is read back as it was.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*, sample::select};
use provost_inference::{
    OutputKind,
    record::{LogQuery, Payload, RecordLane, Stream, Timestamp},
};

use super::support::{DAY, Log, NOON, SECOND, parse, query, record, stream, texts};

/// What happens to a log.
#[derive(Debug, Clone)]
enum Step {
    Append {
        lane: usize,
        stream: usize,
        time: i64,
        what: What,
    },
    /// The clock, in days after the first.
    Maintain {
        day: i64,
    },
    Restart,
}

#[derive(Debug, Clone)]
enum What {
    Values { rows: usize, seed: u32 },
    Failed,
    Text { is_binary: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let what = prop_oneof![
        6 => (1..5_usize, any::<u32>()).prop_map(|(rows, seed)| What::Values { rows, seed }),
        1 => Just(What::Failed),
        1 => any::<bool>().prop_map(|is_binary| What::Text { is_binary }),
    ];
    let time = (0..3_i64, 0..1000_i64).prop_map(|(day, nanos)| day * DAY + nanos * 777);
    let append = (0..3_usize, 0..6_usize, time, what);
    prop_oneof![
        40 => append.prop_map(|(lane, stream, time, what)| Step::Append { lane, stream, time, what }),
        3 => (0..5_i64).prop_map(|day| Step::Maintain { day }),
        1 => Just(Step::Restart),
    ]
}

fn streams() -> [Stream; 6] {
    let labels = OutputKind::Label(["no".into(), "yes".into()].into());
    [
        stream(1, "iris", &["a", "b"], &["t"], OutputKind::Float),
        stream(2, "iris", &["a", "b"], &["t"], OutputKind::Integer),
        stream(3, "iris", &["b", "c"], &["t", "u"], OutputKind::Boolean),
        stream(4, "iris", &["a"], &["v", "w"], labels),
        stream(5, "iris", &["a", "a"], &["u"], OutputKind::Float),
        stream(6, "other", &["a"], &["t"], OutputKind::Float),
    ]
}

/// Names of a stream's values, as columns.
fn names(stream: &Stream) -> Vec<String> {
    let features = stream.features.iter().enumerate().map(|(index, name)| {
        if stream.features[..index].contains(name) { format!("x.{name}#2") } else { format!("x.{name}") }
    });
    features.chain(stream.outputs.iter().map(|name| format!("y.{name}"))).collect()
}

/// A value that the kind of output may have, NaN included.
fn value(kind: &OutputKind, number: u32) -> f64 {
    match (number % 11, kind) {
        (0, _) => f64::NAN,
        (_, OutputKind::Float) => f64::from(number) / 7.0 - 1000.0,
        (_, OutputKind::Integer) => f64::from(number % 1000) - 500.0,
        (_, OutputKind::Boolean | OutputKind::Label(_)) => f64::from(number / 11 % 2),
    }
}

/// What a query shows for it, in a column of the kind or of text.
fn shown(kind: &OutputKind, value: f64, is_text: bool) -> Option<String> {
    match kind {
        OutputKind::Float if value.is_nan() => (!is_text).then(|| "NaN".to_owned()),
        _ if value.is_nan() => None,
        OutputKind::Float if is_text => Some(format!("{value}")),
        OutputKind::Float => Some(format!("{value:?}")),
        OutputKind::Integer => Some(format!("{value}")),
        OutputKind::Boolean => Some((value != 0.0).to_string()),
        OutputKind::Label(labels) => labels.get(usize::from(value != 0.0)).map(ToString::to_string),
    }
}

type Row = BTreeMap<String, String>;

/// What is to be read back.
#[derive(Debug, Default)]
struct Model {
    rows: Vec<Expected>,
}

/// Deployment, fixed columns, and values whose type depends on what else there is.
type Expected = (usize, Row, Vec<(String, OutputKind, f64)>);

impl Model {
    fn append(&mut self, lane: &mut dyn RecordLane, number: usize, of: &Stream, time: i64, what: &What) {
        let id = format!("id-{number}");
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let payload = match what {
            What::Values { rows, seed } => {
                let number = |index: usize| {
                    seed.wrapping_mul(2_654_435_761).wrapping_add(u32::try_from(index).unwrap() * 97) >> 8
                };
                inputs = (0..rows * of.features.len()).map(|index| value(&OutputKind::Float, number(index))).collect();
                outputs =
                    (0..rows * of.outputs.len()).map(|index| value(&of.output_kind, number(index + 50))).collect();
                Payload::Values { inputs: &inputs, outputs: &outputs }
            }
            What::Failed => Payload::Failed { reason: "it 'failed'" },
            What::Text { is_binary: true } => Payload::Text { request: b"\x00\xff", response: b"" },
            What::Text { is_binary: false } => Payload::Text { request: b"{}", response: "[\"é\"]".as_bytes() },
        };
        let record = record(of, &id, NOON + time, payload);
        lane.append(&record).unwrap();
        let rows = if let What::Values { rows, .. } = what { *rows } else { 1 };
        for row in 0..rows {
            let mut cells = Row::from([
                ("request_id".to_owned(), id.clone()),
                ("row".to_owned(), row.to_string()),
                ("time".to_owned(), ((NOON + time).div_euclid(1000) * 1000).to_string()),
                ("status".to_owned(), record.status.to_string()),
            ]);
            let mut add = |name: &str, value: &str| cells.insert(name.to_owned(), value.to_owned());
            match what {
                What::Values { .. } => {}
                What::Failed => drop(add("error", "it 'failed'")),
                What::Text { is_binary } => {
                    add("request", if *is_binary { "data:application/octet-stream;base64,AP8=" } else { "{}" });
                    add("response", if *is_binary { "" } else { "[\"é\"]" });
                }
            }
            let width = of.features.len();
            let inputs = inputs.iter().skip(row * width).take(width).map(|value| (OutputKind::Float, *value));
            let outputs = outputs.iter().skip(row * of.outputs.len()).take(of.outputs.len());
            let values = inputs.chain(outputs.map(|value| (of.output_kind.clone(), *value)));
            let values = names(of).into_iter().zip(values).map(|(name, (kind, value))| (name, kind, value)).collect();
            self.rows.push((usize::from(of.deployment == "other"), cells, values));
        }
    }

    /// Rows of a deployment, newest first.
    fn expected(&self, deployment: usize, used: &BTreeSet<usize>) -> Vec<Row> {
        let mut kinds: BTreeMap<String, Vec<OutputKind>> = BTreeMap::new();
        let streams = streams();
        for of in used.iter().map(|index| &streams[*index]).filter(|of| (of.deployment == "other") == (deployment == 1))
        {
            for name in names(of) {
                let kind = if name.starts_with("x.") { OutputKind::Float } else { of.output_kind.clone() };
                kinds.entry(name).or_default().push(kind);
            }
        }
        let is_text = |name: &str| {
            let is_number = |kind: &OutputKind| matches!(kind, OutputKind::Float | OutputKind::Integer);
            kinds[name].iter().any(|kind| kind != &kinds[name][0]) && !kinds[name].iter().all(is_number)
        };
        let is_mixed =
            |name: &str| kinds[name].contains(&OutputKind::Float) && kinds[name].contains(&OutputKind::Integer);
        let complete = |(_, cells, values): &Expected| {
            let mut cells = cells.clone();
            for (name, kind, value) in values {
                let kind = if *kind == OutputKind::Integer && is_mixed(name) && !is_text(name) && !value.is_nan() {
                    &OutputKind::Float
                } else {
                    kind
                };
                cells.extend(shown(kind, *value, is_text(name)).map(|text| (name.clone(), text)));
            }
            cells
        };
        self.rows.iter().filter(|(of, ..)| *of == deployment).rev().map(complete).collect()
    }
}

fn rows(log: &Log, of: LogQuery, limit: usize) -> Vec<Row> {
    let mut of = LogQuery { limit, ..of };
    let mut rows = Vec::new();
    loop {
        let page = log.page(&of);
        let names = page
            .columns
            .names
            .iter()
            .filter(|name| !["seq", "predictor", "revision", "latency"].contains(&name.as_str()));
        let columns: Vec<_> = names.map(|name| (name, texts(&page.columns, name))).collect();
        let count = columns[0].1.len();
        rows.extend((0..count).map(|row| {
            let cells = columns.iter().filter(|(_, values)| values[row] != "-");
            cells.map(|(name, values)| ((*name).clone(), values[row].clone())).collect()
        }));
        match page.next {
            Some(next) => of.before = Some(next),
            None => return rows,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_in_comes_out(steps in vec(step(), 1..120), limit in select(vec![1, 7, 1000]), number in 0..60_usize) {
        let streams = streams();
        let mut log = Log::new();
        let mut lanes: Vec<_> = (0..3).map(|_| log.lane()).collect();
        let (mut model, mut used) = (Model::default(), BTreeSet::new());
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Append { lane, stream, time, what } => {
                    used.insert(*stream);
                    model.append(lanes[*lane].as_mut(), number, &streams[*stream], *time, what);
                }
                Step::Maintain { day } => {
                    lanes.iter_mut().for_each(|lane| lane.tick(Timestamp(NOON + 100 * DAY)));
                    let now = Timestamp(NOON + day * DAY + SECOND);
                    while log.log.maintain(now).unwrap().has_more {}
                }
                Step::Restart => {
                    lanes.clear();
                    log = log.restart();
                    lanes = (0..3).map(|_| log.lane()).collect();
                }
            }
        }
        for (deployment, name) in ["iris", "other"].into_iter().enumerate() {
            let expected = model.expected(deployment, &used);
            prop_assert_eq!(rows(&log, query(name, 0), limit), expected.clone());
            // What a filter finds is what one finds who looks at all rows.
            let filtered = |filter: &str| rows(&log, LogQuery { filter: parse(filter), ..query(name, 0) }, limit);
            let keep = |keep: &dyn Fn(&Row) -> bool| expected.iter().filter(|row| keep(row)).cloned().collect::<Vec<_>>();
            let id = format!("id-{number}");
            prop_assert_eq!(filtered(&format!("request_id = '{id}'")), keep(&|row| row["request_id"] == id));
            prop_assert_eq!(filtered("status = 400 and error != ''"), keep(&|row| row["status"] == "400"));
            if !expected.is_empty() && used.contains(&if deployment == 0 { 0 } else { 5 }) {
                let is_low = |row: &Row| row.get("x.a").is_some_and(|text| text.parse::<f64>().unwrap() < 0.0);
                prop_assert_eq!(filtered("x.a < 0 or row = 3"), keep(&|row| is_low(row) || row["row"] == "3"));
            }
            let since = NOON + DAY;
            let of = LogQuery { since: Some(Timestamp(since)), ..query(name, 0) };
            prop_assert_eq!(rows(&log, of, limit), keep(&|row| row["time"].parse::<i64>().unwrap() >= since));
        }
    }
}
