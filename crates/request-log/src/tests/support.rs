//! Logs to test with.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use provost_inference::{
    OutputKind, OutputShape,
    record::{
        Column, Columns, LogPage, LogQuery, LogReader as _, Payload, Position, Record, RecordLane, RecordSink as _,
        Stream, Timestamp,
    },
};

use super::faults::Faults;
use crate::{Options, RequestLog, disk::Disk};

/// Noon of 2026-01-31.
pub(super) const NOON: i64 = 1_769_860_800_000_000_000;
pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const DAY: i64 = 86_400 * SECOND;

pub(super) fn stream(id: u64, deployment: &str, features: &[&str], outputs: &[&str], kind: OutputKind) -> Stream {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Stream {
        id,
        namespace: "default".into(),
        deployment: deployment.into(),
        predictor: "main".into(),
        revision: "r1".into(),
        features: owned(features),
        outputs: owned(outputs),
        output_kind: kind,
        output_shape: OutputShape::Matrix(outputs.len()),
    }
}

/// A stream of two features and one output.
pub(super) fn iris(id: u64) -> Stream {
    stream(id, "iris", &["a", "b c"], &["t:0"], OutputKind::Float)
}

pub(super) fn record<'a>(stream: &'a Stream, id: &'a str, time: i64, payload: Payload<'a>) -> Record<'a> {
    let rows = match payload {
        Payload::Values { outputs, .. } => outputs.len() / stream.outputs.len().max(1),
        Payload::Text { .. } | Payload::Failed { .. } => 1,
    };
    Record {
        stream,
        request_id: id,
        time: Timestamp(time),
        latency: Duration::from_micros(250),
        status: if matches!(payload, Payload::Failed { .. }) { 400 } else { 200 },
        rows: u32::try_from(rows).unwrap(),
        payload,
    }
}

/// A log in a folder of its own.
pub(super) struct Log {
    pub(super) folder: tempfile::TempDir,
    pub(super) log: RequestLog,
}

impl Log {
    pub(super) fn new() -> Self {
        let folder = folder();
        let log = RequestLog::open(Self::options(&folder)).unwrap();
        Self { folder, log }
    }

    /// Segments become Parquet at once.
    pub(super) fn options(folder: &tempfile::TempDir) -> Options {
        let mut options = Options::new(folder.path().join("log"));
        options.segment_bytes = 64 << 10;
        options.rewrite_delay = Duration::ZERO;
        options
    }

    /// What the next start of the server finds.
    pub(super) fn restart(self) -> Self {
        self.restart_with(Disk::default())
    }

    pub(super) fn restart_with(self, disk: Disk) -> Self {
        let Self { folder, log } = self;
        drop(log);
        let log = RequestLog::open_on(Self::options(&folder), disk).unwrap();
        Self { folder, log }
    }

    pub(super) fn lane(&self) -> Box<dyn RecordLane> {
        self.log.open_lane()
    }

    pub(super) fn maintain(&self) -> crate::Report {
        let mut sum = crate::Report::default();
        loop {
            let report = self.log.maintain(Timestamp(NOON)).unwrap();
            sum.rows += report.rows;
            sum.bytes += report.bytes;
            sum.segments += report.segments;
            sum.merged_files += report.merged_files;
            sum.removed_files += report.removed_files;
            if !report.has_more {
                return sum;
            }
        }
    }

    pub(super) fn page(&self, query: &LogQuery) -> LogPage {
        self.log.page(query).unwrap()
    }

    /// Texts of a column of all rows of `iris` that satisfy the filter, newest first.
    pub(super) fn column(&self, filter: &str, name: &str) -> Vec<String> {
        let page = self.page(&LogQuery { filter: parse(filter), ..query("iris", 1_000_000) });
        texts(&page.columns, name)
    }

    /// Files of the datasets, by path within their folder.
    pub(super) fn files(&self) -> Vec<String> {
        let datasets = self.folder.path().join("log/datasets");
        let mut found = Vec::new();
        let mut folders = vec![datasets.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&datasets).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }
}

/// A folder in memory where there is one: tests sync often.
pub(super) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(super) fn faulty(faults: &Arc<Faults>) -> Disk {
    Disk { faults: Some(Arc::clone(faults)) }
}

pub(super) fn parse(filter: &str) -> Option<provost_inference::filter::Filter> {
    (!filter.is_empty()).then(|| filter.parse().unwrap())
}

pub(super) fn query(deployment: &str, limit: usize) -> LogQuery {
    LogQuery { namespace: "default".into(), deployment: deployment.into(), limit, ..LogQuery::default() }
}

pub(super) fn column<'a>(columns: &'a Columns, name: &str) -> &'a Column {
    let index = columns.names.iter().position(|known| known == name);
    &columns.columns[index.unwrap_or_else(|| panic!("no column {name} among {:?}", columns.names))]
}

/// The values of a column as texts; `-` where there is none.
pub(super) fn texts(columns: &Columns, name: &str) -> Vec<String> {
    fn all<T>(values: &[Option<T>], show: impl Fn(&T) -> String) -> Vec<String> {
        values.iter().map(|value| value.as_ref().map_or_else(|| "-".to_owned(), &show)).collect()
    }
    match column(columns, name) {
        Column::Float(values) => all(values, |value| format!("{value:?}")),
        Column::Integer(values) => all(values, ToString::to_string),
        Column::Boolean(values) => all(values, ToString::to_string),
        Column::Text(values) => all(values, ToString::to_string),
    }
}

/// A page as lines of `name=value`, without what differs from run to run.
pub(super) fn show(page: &LogPage) -> String {
    let Columns { names, .. } = &page.columns;
    let shown: Vec<_> = names.iter().filter(|name| !["seq", "revision", "latency"].contains(&name.as_str())).collect();
    let columns: Vec<_> = shown.iter().map(|name| texts(&page.columns, name)).collect();
    let mut text = String::new();
    for row in 0..columns.first().map_or(0, Vec::len) {
        let cells = shown.iter().zip(&columns).filter(|(_, values)| values[row] != "-");
        let cells: Vec<_> = cells.map(|(name, values)| format!("{name}={}", values[row])).collect();
        writeln!(text, "{}", cells.join(" ")).unwrap();
    }
    text
}

/// Request ids with their rows, over pages of `limit`, newest first.
pub(super) fn walk(log: &RequestLog, mut query: LogQuery, limit: usize) -> Vec<(String, String)> {
    query.limit = limit;
    let mut rows = Vec::new();
    loop {
        let page = log.page(&query).unwrap();
        assert!(page.columns.columns.iter().all(|column| column.len() <= limit));
        rows.extend(texts(&page.columns, "request_id").into_iter().zip(texts(&page.columns, "row")));
        match page.next {
            Some(next) => query.before = Some(next),
            None => return rows,
        }
    }
}

pub(super) fn positions(page: &LogPage) -> Vec<Position> {
    let (Column::Integer(seqs), Column::Integer(rows)) = (column(&page.columns, "seq"), column(&page.columns, "row"))
    else {
        panic!("{:?}", page.columns.names)
    };
    let position = |(seq, row): (&Option<i64>, &Option<i64>)| Position {
        time: 0,
        source: 0,
        seq: seq.unwrap().cast_unsigned(),
        row: u32::try_from(row.unwrap()).unwrap(),
    };
    seqs.iter().zip(rows).map(position).collect()
}
