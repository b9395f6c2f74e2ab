//! Lanes and readers: what is written is read, whatever happens in between.

use std::{sync::Arc, time::Duration};

use provost_inference::{
    OutputKind, OutputShape,
    record::{Payload, Record, RecordLane, Stream, Timestamp},
};

use super::{
    Lane, Layout, SegmentName, SegmentReader, StoredPayload,
    lane::{Shared, path_of},
};

fn stream(id: u64, features: usize) -> Stream {
    Stream {
        id,
        namespace: "default".into(),
        deployment: "iris".into(),
        predictor: "main".into(),
        revision: "r1".into(),
        features: (0..features).map(|i| format!("f{i}")).collect(),
        outputs: vec!["t:0".into()],
        output_kind: OutputKind::Label(["a".into(), "b".into()].into()),
        output_shape: OutputShape::Vector,
    }
}

fn record<'a>(stream: &'a Stream, id: &'a str, inputs: &'a [f64], outputs: &'a [f64]) -> Record<'a> {
    Record {
        stream,
        request_id: id,
        time: Timestamp(1_000),
        latency: Duration::from_nanos(42),
        status: 200,
        rows: u32::try_from(outputs.len()).unwrap(),
        payload: Payload::Values { inputs, outputs },
    }
}

struct Log {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
}

impl Log {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), shared: Arc::new(Shared::default()) }
    }

    fn lane(&self, lane: u16, segment_bytes: usize) -> Lane {
        let layout = Layout {
            folder: self.folder.path().to_owned(),
            epoch: 1,
            segment_bytes,
            segment_age: Duration::from_secs(60),
        };
        Lane::new(layout, lane, Arc::clone(&self.shared))
    }

    fn ids(&self) -> Vec<String> {
        let mut paths: Vec<_> = std::fs::read_dir(&self.folder).unwrap().map(|e| e.unwrap().path()).collect();
        paths.sort();
        let ids_of = |path| {
            let reader = SegmentReader::open(path).unwrap();
            reader.records().map(|entry| entry.record.request_id.to_owned()).collect::<Vec<_>>()
        };
        paths.iter().flat_map(|path| ids_of(path)).collect()
    }
}

#[test]
fn a_record_is_read_back_while_its_segment_is_open() {
    let log = Log::new();
    let mut lane = log.lane(0, 4096);
    let stream = stream(7, 2);
    lane.append(&record(&stream, "id-1", &[1.0, f64::NAN, 3.0, 4.0], &[0.0, 1.0])).unwrap();
    let failed =
        Record { payload: Payload::Failed { reason: "no" }, status: 400, rows: 1, ..record(&stream, "id-2", &[], &[]) };
    lane.append(&failed).unwrap();
    let text = Record { payload: Payload::Text { request: b"{}", response: b"[1]" }, ..failed };
    lane.append(&text).unwrap();

    let name = SegmentName { epoch: 1, lane: 0, number: 0 };
    let reader = SegmentReader::open(&path_of(log.folder.path(), name)).unwrap();
    let mut entries = reader.records();
    let records: Vec<_> = entries.by_ref().map(|entry| entry.record).collect();
    assert_eq!(
        records.iter().map(|r| (r.seq, r.status, r.rows, r.request_id)).collect::<Vec<_>>(),
        [(0, 200, 2, "id-1"), (1, 400, 1, "id-2"), (2, 400, 1, "id-2")]
    );
    let StoredPayload::Values { inputs, outputs } = &records[0].payload else { panic!("{:?}", records[0]) };
    assert_eq!(
        inputs.iter().map(|b| f64::from_le_bytes(*b).to_bits()).collect::<Vec<_>>(),
        [1.0_f64.to_bits(), f64::NAN.to_bits(), 3.0_f64.to_bits(), 4.0_f64.to_bits()]
    );
    assert_eq!(outputs.len(), 2);
    assert_eq!(entries.stream(0).output_kind(), stream.output_kind);
    assert_eq!(records[1].payload, StoredPayload::Failed { reason: "no" });
    assert_eq!(records[2].payload, StoredPayload::Text { request: b"{}", response: b"[1]" });
}

#[test]
fn segments_follow_each_other_and_a_long_record_gets_its_own() {
    let log = Log::new();
    let mut lane = log.lane(3, 1024);
    let (narrow, wide) = (stream(1, 1), stream(2, 1000));
    for i in 0..20 {
        lane.append(&record(&narrow, &format!("n{i:02}"), &[1.0], &[0.0])).unwrap();
    }
    lane.append(&record(&wide, "wide", &[0.5; 1000], &[1.0])).unwrap();
    lane.append(&record(&narrow, "last", &[1.0], &[0.0])).unwrap();
    drop(lane);
    let expected: Vec<_> = (0..20).map(|i| format!("n{i:02}")).chain(["wide".into(), "last".into()]).collect();
    assert_eq!(log.ids(), expected);
    assert!(log.shared.active().is_empty());
}

#[test]
fn a_torn_frame_ends_the_segment_and_nothing_before_it_is_lost() {
    let log = Log::new();
    let mut lane = log.lane(0, 4096);
    let stream = stream(1, 1);
    for id in ["a", "b", "c"] {
        lane.append(&record(&stream, id, &[1.0], &[0.0])).unwrap();
    }
    let path = path_of(log.folder.path(), SegmentName { epoch: 1, lane: 0, number: 0 });
    drop(lane);
    let whole = std::fs::read(&path).unwrap();
    let last = { SegmentReader::open(&path).unwrap().records().last().unwrap().offset };
    for damage in last..whole.len() - 7 {
        let mut bytes = whole.clone();
        bytes[damage] ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(log.ids(), ["a", "b"], "byte {damage}");
        std::fs::write(&path, &whole[..damage]).unwrap();
        assert_eq!(log.ids(), ["a", "b"], "cut at {damage}");
    }
}

#[test]
fn a_full_disk_loses_records_and_counts_them_until_there_is_room() {
    let log = Log::new();
    let mut lane = log.lane(0, 4096);
    lane.layout.folder = log.folder.path().join("missing");
    let stream = stream(1, 1);
    let at = |time, id| Record { time: Timestamp(time), ..record(&stream, id, &[1.0], &[0.0]) };
    assert!(lane.append(&at(0, "lost")).is_err());
    assert!(lane.append(&at(1, "lost too")).is_err());
    lane.layout.folder = log.folder.path().to_owned();
    assert!(lane.append(&at(2, "not tried again yet")).is_err());
    lane.append(&at(300_000_000, "kept")).unwrap();
    assert_eq!(log.shared.lost.load(std::sync::atomic::Ordering::Relaxed), 3);
    assert_eq!(log.ids(), ["kept"]);
}

#[test]
fn an_old_segment_is_finished_without_further_traffic() {
    let log = Log::new();
    let mut lane = log.lane(0, 4096);
    lane.append(&record(&stream(1, 1), "a", &[1.0], &[0.0])).unwrap();
    lane.tick(Timestamp(59_000_000_000));
    assert_eq!(log.shared.active().len(), 1);
    lane.tick(Timestamp(61_000_000_000));
    assert!(log.shared.active().is_empty());
    assert_eq!(log.ids(), ["a"]);
}

#[test]
fn names_are_read_back() {
    let name = SegmentName { epoch: 12, lane: 3, number: 456 };
    assert_eq!(SegmentName::of_path(name.to_string().as_ref()), Some(name));
    assert_eq!(SegmentName::of_path("x.segment".as_ref()), None);
    assert_eq!(SegmentName::of_path("1-2-3-4.segment".as_ref()), None);
}
