//! What the request log costs: appending a record, rewriting a row as Parquet, reading a page.
#![expect(clippy::print_stderr, reason = "it prints a figure")]

use std::{
    cell::LazyCell,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use provost_inference::{
    OutputKind, OutputShape,
    record::{LogQuery, LogReader as _, Payload, Record, RecordLane, RecordSink as _, Stream, Timestamp},
};
use provost_request_log::{Options, RequestLog};

const FEATURES: usize = 12;
const OUTPUTS: usize = 3;
const NOON: i64 = 1_769_860_800_000_000_000;
/// Between two requests.
const STEP: i64 = 25_000;

fn stream() -> Stream {
    Stream {
        id: 1,
        namespace: "default".into(),
        deployment: "iris".into(),
        predictor: "main".into(),
        revision: "0123456789ab".into(),
        features: (0..FEATURES).map(|index| format!("feature {index}")).collect(),
        outputs: (0..OUTPUTS).map(|index| format!("t:{index}")).collect(),
        output_kind: OutputKind::Float,
        output_shape: OutputShape::Matrix(OUTPUTS),
    }
}

/// Values as sensors and models give them: few digits in, many out.
struct Source {
    state: u64,
    inputs: Vec<f64>,
    outputs: Vec<f64>,
    id: String,
}

impl Source {
    fn new() -> Self {
        Self { state: 0x9E37_79B9_7F4A_7C15, inputs: Vec::new(), outputs: Vec::new(), id: String::new() }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    #[expect(clippy::cast_precision_loss, reason = "any number will do")]
    fn fill(&mut self, rows: usize) {
        use std::fmt::Write as _;
        self.inputs.clear();
        self.outputs.clear();
        for _ in 0..rows * FEATURES {
            let value = (self.next() % 1000) as f64 * 0.1;
            self.inputs.push(value);
        }
        for _ in 0..rows * OUTPUTS {
            let value = self.next() as f64 / u64::MAX as f64;
            self.outputs.push(value);
        }
        self.id.clear();
        let (a, b) = (self.next(), self.next());
        write!(self.id, "{a:016x}-{b:016x}").expect("a String takes all");
    }

    fn append(&mut self, lane: &mut dyn RecordLane, stream: &Stream, time: i64, rows: usize) {
        let record = Record {
            stream,
            request_id: &self.id,
            time: Timestamp(time),
            latency: Duration::from_nanos(8000 + (self.state % 4000)),
            status: 200,
            rows: u32::try_from(rows).expect("few rows"),
            payload: Payload::Values { inputs: &self.inputs, outputs: &self.outputs },
        };
        lane.append(&record).expect("there is room");
    }
}

fn open(folder: &Path) -> RequestLog {
    let mut options = Options::new(folder.join("log"));
    options.rewrite_delay = Duration::ZERO;
    RequestLog::open(options).expect("a new folder")
}

fn fill(log: &RequestLog, requests: usize, rows: usize) {
    let (mut lanes, mut source, stream) = ([log.open_lane(), log.open_lane()], Source::new(), stream());
    let mut time = NOON;
    for request in 0..requests {
        source.fill(rows);
        source.append(lanes[request % 2].as_mut(), &stream, time, rows);
        time += STEP;
    }
}

fn append(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    let (mut source, stream) = (Source::new(), stream());
    for rows in [1, 100] {
        source.fill(rows);
        let mut lane = log.open_lane();
        let mut appended: u64 = 0;
        c.bench_function(&format!("append a record of {rows} × {FEATURES}"), |b| {
            b.iter(|| {
                source.append(lane.as_mut(), &stream, NOON, rows);
                appended += 1;
                if appended.is_multiple_of(1 << 17) {
                    remove_segments(&log);
                }
            });
        });
        drop(lane);
        remove_segments(&log);
    }
}

fn remove_segments(log: &RequestLog) {
    for name in log.finished_segments().expect("a folder") {
        std::fs::remove_file(log.segment_path(name)).expect("a segment");
    }
}

fn rewrite(c: &mut Criterion) {
    let mut group = c.benchmark_group("rewrite");
    group.sample_size(10);
    for (requests, rows) in [(200_000, 1), (4_000, 100)] {
        let count = requests * rows;
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("requests of {rows} rows"), |b| {
            b.iter_custom(|iterations| (0..iterations).map(|_| rewrite_once(requests, rows)).sum());
        });
    }
}

/// Processor time, since a file is also synced.
fn rewrite_once(requests: usize, rows: usize) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    fill(&log, requests, rows);
    let start = processor_time();
    while log.maintain(Timestamp(NOON)).expect("a whole disk").has_more {}
    processor_time().saturating_sub(start)
}

/// Of this thread.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("a number"))
}

fn page(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    // Made when a benchmark of this group is asked for.
    let log = LazyCell::new(|| {
        let (log, start) = (open(folder.path()), Instant::now());
        for _ in 0..10 {
            fill(&log, 100_000, 1);
            while log.maintain(Timestamp(NOON)).expect("a whole disk").has_more {}
        }
        eprintln!("1,000,000 rows in {:.1?}: {:?}", start.elapsed(), log.statistics());
        log
    });
    let mut group = c.benchmark_group("page of 50 of 1,000,000 rows");
    let mut bench = |name: &str, filter: &str| {
        let query = LogQuery {
            namespace: "default".into(),
            deployment: "iris".into(),
            filter: (!filter.is_empty()).then(|| filter.parse().expect("a filter")),
            limit: 50,
            ..LogQuery::default()
        };
        group.bench_function(name, |b| {
            let log = &*log;
            b.iter(|| black_box(log.page(&query).expect("a page")));
        });
    };
    bench("newest", "");
    bench("one in ten", "\"x.feature 3\" > 90");
    bench("one in 100,000", "\"x.feature 3\" = 50 and \"x.feature 4\" < 1 and y.t:0 > 0.9");
    bench("none, by statistics", "status = 500");
    bench("none, by request id", "request_id = 'absent'");
}

criterion_group!(benches, append, rewrite, page);
criterion_main!(benches);
