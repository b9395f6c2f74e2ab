//! Columns of odd numbers, names and types.

use provost_inference::{
    OutputKind,
    record::{Payload, Stream},
};

use super::support::{Log, NOON, query, record, show, stream, texts};
use crate::dataset::FileReader;

fn values<'a>(inputs: &'a [f64], outputs: &'a [f64]) -> Payload<'a> {
    Payload::Values { inputs, outputs }
}

/// A stream whose features are named after a client.
fn client(id: u64, features: usize) -> Stream {
    let names: Vec<_> = (0..features).map(|index| format!("client {id} feature {index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stream(id, "iris", &names, &["t:0"], OutputKind::Float)
}

#[test]
fn values_for_which_there_are_no_columns_left_are_kept_as_text() {
    let log = Log::new();
    let mut lane = log.lane();
    for id in 1..=5 {
        let inputs: Vec<f64> = (0..1000_u32).map(f64::from).collect();
        lane.append(&record(&client(id, 1000), &format!("client-{id}"), NOON, values(&inputs, &[0.5]))).unwrap();
    }
    drop(lane);
    let check = || {
        let page = log.page(&query("iris", 10));
        assert!(page.columns.names.len() < 4200, "{}", page.columns.names.len());
        assert_eq!(texts(&page.columns, "request_id"), ["client-5", "client-4", "client-3", "client-2", "client-1"]);
        let requests = texts(&page.columns, "request");
        // The newest have columns in an answer, the first in a file.
        assert_eq!(requests.iter().filter(|text| *text == "-").count(), 4);
        let kept = requests.iter().find(|text| *text != "-").unwrap();
        assert!(kept.contains(" feature 0\"") && kept.ends_with(",998.0,999.0]]}"), "{kept}");
    };
    check();
    log.maintain();
    check();
}

#[test]
fn outputs_of_several_types_in_one_file_become_text_and_whole_numbers_become_floating() {
    let log = Log::new();
    let mut lane = log.lane();
    let integers = stream(1, "iris", &["a"], &["n", "t"], OutputKind::Integer);
    let floats = stream(2, "iris", &["a"], &["n"], OutputKind::Float);
    let labels = stream(3, "iris", &["a"], &["t"], OutputKind::Label(["no".into(), "yes".into()].into()));
    lane.append(&record(&integers, "integers", NOON, values(&[1.0], &[7.0, 8.0]))).unwrap();
    lane.append(&record(&floats, "floats", NOON, values(&[1.0], &[0.5]))).unwrap();
    lane.append(&record(&labels, "labels", NOON, values(&[1.0], &[1.0]))).unwrap();
    drop(lane);
    let expected = "\
time=1769860800000000000 request_id=labels row=0 predictor=main status=200 x.a=1.0 y.t=yes
time=1769860800000000000 request_id=floats row=0 predictor=main status=200 x.a=1.0 y.n=0.5
time=1769860800000000000 request_id=integers row=0 predictor=main status=200 x.a=1.0 y.n=7.0 y.t=8
";
    assert_eq!(show(&log.page(&query("iris", 10))), expected);
    log.maintain();
    assert_eq!(show(&log.page(&query("iris", 10))), expected);
    assert_eq!(log.column("y.t = '8'", "request_id"), ["integers"]);
    assert_eq!(log.column("y.n >= 7", "request_id"), ["integers"]);
}

#[test]
fn long_texts_do_not_make_large_row_groups() {
    let log = Log::new();
    let mut lane = log.lane();
    let of = stream(1, "iris", &[], &[], OutputKind::Float);
    // Not to be compressed to nothing.
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + u8::try_from(state >> 24).unwrap() % 26
    };
    for number in 0..40 {
        let body: Vec<u8> = (0..1 << 20).map(|_| random()).collect();
        lane.append(&record(&of, &format!("r{number}"), NOON, Payload::Text { request: &body, response: b"ok" }))
            .unwrap();
    }
    drop(lane);
    log.maintain();
    let file = log.folder.path().join("log/datasets").join(&log.files()[0]);
    let file = FileReader::open(&file).unwrap();
    assert!(file.metadata().num_row_groups() >= 2);
    let page = log.page(&query("iris", 3));
    assert_eq!(texts(&page.columns, "request_id"), ["r39", "r38", "r37"]);
    assert!(texts(&page.columns, "request").iter().all(|text| text.len() == 1 << 20));
}

#[test]
fn a_request_of_many_rows_is_cut_into_batches() {
    let log = Log::new();
    let mut lane = log.lane();
    let of = stream(1, "iris", &["a"], &["t:0"], OutputKind::Float);
    let inputs: Vec<f64> = (0..70_000_u32).map(f64::from).collect();
    lane.append(&record(&of, "before", NOON, values(&[1.0], &[1.0]))).unwrap();
    lane.append(&record(&of, "many", NOON, values(&inputs, &inputs))).unwrap();
    drop(lane);
    let check = || {
        let page = log.page(&query("iris", 3));
        assert_eq!(texts(&page.columns, "row"), ["69999", "69998", "69997"]);
        assert_eq!(texts(&page.columns, "x.a"), ["69999.0", "69998.0", "69997.0"]);
        assert_eq!(log.column("x.a = 12345", "row"), ["12345"]);
        assert_eq!(log.column("request_id = before", "row"), ["0"]);
    };
    check();
    assert_eq!(log.maintain().rows, 70_001);
    check();
    let file = log.folder.path().join("log/datasets").join(&log.files()[0]);
    let file = FileReader::open(&file).unwrap();
    let rows: Vec<_> =
        file.metadata().row_groups().iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).collect();
    assert_eq!(rows, [32_768, 32_768, 70_001 - 65_536]);
}
