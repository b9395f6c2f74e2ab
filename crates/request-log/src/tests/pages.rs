//! Pages over segments and files.

use provost_inference::{
    OutputKind,
    record::{LogQuery, LogReader as _, Payload, ReadError, Timestamp},
};

use super::support::{Log, NOON, SECOND, iris, positions, query, record, show, stream, walk};

fn values<'a>(inputs: &'a [f64], outputs: &'a [f64]) -> Payload<'a> {
    Payload::Values { inputs, outputs }
}

#[test]
fn a_deployment_without_requests_has_an_empty_page_with_the_fixed_columns() {
    let log = Log::new();
    let page = log.page(&query("iris", 50));
    assert_eq!(
        page.columns.names,
        ["time", "seq", "request_id", "row", "predictor", "revision", "status", "latency", "error"]
    );
    assert!(page.columns.columns.iter().all(provost_inference::record::Column::is_empty));
    assert_eq!(page.next, None);
}

#[test]
fn rows_are_the_same_before_and_after_they_are_rewritten() {
    let log = Log::new();
    let mut lane = log.lane();
    let (iris, labels) =
        (iris(1), stream(2, "iris", &["a", "d"], &["class"], OutputKind::Label(["no".into(), "yes".into()].into())));
    lane.append(&record(&iris, "one", NOON, values(&[1.0, f64::NAN, 2.0, 0.5], &[0.25, 0.75]))).unwrap();
    lane.append(&record(&iris, "bad", NOON + 1, Payload::Failed { reason: "no such \"feature\"" })).unwrap();
    lane.append(&record(&labels, "two", NOON + 2_999, values(&[3.0, 4.0], &[1.0]))).unwrap();
    lane.append(&record(
        &stream(3, "other", &["z"], &["t:0"], OutputKind::Float),
        "not ours",
        NOON,
        values(&[0.0], &[0.0]),
    ))
    .unwrap();
    lane.append(&record(&iris, "text", NOON + SECOND, Payload::Text { request: b"{\"a\": 1}", response: b"\xff" }))
        .unwrap();
    let expected = "\
time=1769860801000000000 request_id=text row=0 predictor=main status=200 request={\"a\": 1} response=data:application/octet-stream;base64,/w==
time=1769860800000002000 request_id=two row=0 predictor=main status=200 x.a=3.0 x.d=4.0 y.class=yes
time=1769860800000000000 request_id=bad row=0 predictor=main status=400 error=no such \"feature\"
time=1769860800000000000 request_id=one row=1 predictor=main status=200 x.a=2.0 x.b c=0.5 y.t:0=0.75
time=1769860800000000000 request_id=one row=0 predictor=main status=200 x.a=1.0 x.b c=NaN y.t:0=0.25
";
    let columns = [
        "time",
        "seq",
        "request_id",
        "row",
        "predictor",
        "revision",
        "status",
        "latency",
        "error",
        "request",
        "response",
        "x.a",
        "x.b c",
        "x.d",
        "y.t:0",
        "y.class",
    ];
    let while_written = log.page(&query("iris", 50));
    assert_eq!(show(&while_written), expected);
    assert_eq!(while_written.columns.names, columns);
    drop(lane);
    assert_eq!(show(&log.page(&query("iris", 50))), expected);
    let report = log.maintain();
    assert_eq!((report.rows, report.segments), (6, 1));
    assert_eq!(log.log.segments().unwrap(), []);
    let rewritten = log.page(&query("iris", 50));
    assert_eq!(show(&rewritten), expected);
    assert_eq!(rewritten.columns.names, columns);
    assert_eq!(positions(&rewritten), positions(&while_written));
    assert_eq!(
        log.files(),
        [
            "default/iris/day=2026-01-31/00000001-000-00000000-00000000.parquet",
            "default/other/day=2026-01-31/00000001-000-00000000-00000000.parquet"
        ]
    );
    assert_eq!(show(&log.restart().page(&query("iris", 50))), expected);
}

#[test]
fn pages_follow_each_other_over_lanes_files_and_the_tail() {
    let log = Log::new();
    let mut lanes = [log.lane(), log.lane(), log.lane()];
    let stream = iris(1);
    let mut expected = Vec::new();
    for number in 0..6000_usize {
        let id = format!("r{number}");
        let rows = 1 + number % 3;
        let inputs: Vec<f64> = (0..2 * rows).map(|i| f64::from(u32::try_from(i).unwrap())).collect();
        let time = NOON + i64::try_from(number).unwrap() * SECOND / 10;
        lanes[number * 7 % 3].append(&record(&stream, &id, time, values(&inputs, &inputs[..rows]))).unwrap();
        expected.extend((0..rows).map(|row| (id.clone(), row.to_string())));
        if number % 1500 == 700 {
            log.maintain();
        }
    }
    expected.reverse();
    assert!(log.files().len() > 6, "{:?}", log.files());
    assert!(log.log.segments().unwrap().len() >= 3);
    for limit in [1013, 5000, 12_000, 20_000] {
        assert_eq!(walk(&log.log, query("iris", 0), limit), expected);
    }
    let at = |tenths: i64| Some(Timestamp(NOON + tenths * SECOND / 10));
    let some = walk(&log.log, LogQuery { since: at(1000), until: at(2000), ..query("iris", 0) }, 300);
    assert_eq!(some.first().unwrap(), &("r1999".to_owned(), "1".to_owned()));
    assert_eq!(some.last().unwrap(), &("r1000".to_owned(), "0".to_owned()));
    assert_eq!(some, expected[expected.len() - 2 * 2000 + 1..][..some.len()]);
    drop(lanes);
    log.maintain();
    assert_eq!(log.log.segments().unwrap(), []);
    assert_eq!(walk(&log.log, query("iris", 0), 997), expected);
}

#[test]
fn filters_find_the_same_rows_in_segments_and_files() {
    let log = Log::new();
    let mut lane = log.lane();
    let (float, label) =
        (iris(1), stream(2, "iris", &["a"], &["t:0"], OutputKind::Label(["low".into(), "high".into()].into())));
    for number in 0..10 {
        let id = format!("r{number}");
        let a = f64::from(number);
        lane.append(&record(&float, &id, NOON + SECOND * i64::from(number), values(&[a, -a, a + 0.5, -a], &[0.5, a])))
            .unwrap();
    }
    lane.append(&record(&label, "label", NOON + SECOND * 20, values(&[100.0], &[1.0]))).unwrap();
    lane.append(&record(&float, "failed", NOON + SECOND * 30, Payload::Failed { reason: "too late" })).unwrap();
    let check = |filter: &str, expected: &[&str]| assert_eq!(log.column(filter, "request_id"), expected, "{filter}");
    let check_all = || {
        check("request_id = 'r3'", &["r3", "r3"]);
        check("request_id = 'r33'", &[]);
        check("request_id >= 'r8' and row = 0", &["r9", "r8"]);
        check("x.a > 8.7", &["label", "r9", "r9"]);
        check("a > 8.7 and \"b c\" <= -9", &["r9", "r9"]);
        check("status != 200", &["failed"]);
        check("error = 'too late' or y.t:0 = 'high'", &["failed", "label"]);
        check("y.t:0 = '0.5' and row = 0 and x.a < 2", &["r1", "r0"]);
        check("time >= 2026-01-31T12:00:20Z", &["failed", "label"]);
        check("latency > 0.001", &[]);
        check("latency = 0.00025 and predictor = main and revision = r1 and x.a = 4.5", &["r4"]);
    };
    check_all();
    drop(lane);
    log.maintain();
    check_all();
    let error = log.log.page(&LogQuery { filter: super::support::parse("x.z = 1"), ..query("iris", 1) }).unwrap_err();
    let ReadError::Filter(message) = error else { panic!("{error:?}") };
    assert!(message.starts_with("there is no column `x.z`; there are request_id, row,"), "{message}");
    assert!(message.ends_with("x.a, \"x.b c\", y.t:0"), "{message}");
}
