//! Queries while records are appended, rewritten, merged and removed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use provost_inference::record::{LogQuery, LogReader as _, Payload, RecordSink as _, Timestamp};

use super::support::{DAY, Log, NOON, iris, query, record, texts, walk};

#[test]
fn a_query_sees_each_answered_request_once_whatever_maintenance_does() {
    let log = Log::new();
    let (is_done, appended) = (AtomicBool::new(false), AtomicU64::new(0));
    let log = &log.log;
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let appended = &appended;
            scope.spawn(move || {
                let mut lane = log.open_lane();
                let of = iris(writer + 1);
                for number in 0..20_000 {
                    let payload = Payload::Values { inputs: &[1.0, 2.0, 3.0, 4.0], outputs: &[0.5, 0.25] };
                    let time = NOON + i64::from(number % 2) * DAY;
                    lane.append(&record(&of, &format!("w{writer}-{number}"), time, payload)).unwrap();
                    appended.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        scope.spawn(|| {
            // All days are over: what is rewritten is merged at once.
            while !is_done.load(Ordering::SeqCst) {
                log.maintain(Timestamp(NOON + 10 * DAY)).unwrap();
            }
        });
        let mut last = 0;
        while last < 40_000 {
            let before = appended.load(Ordering::SeqCst);
            let page = log.page(&query("iris", 1_000_000)).unwrap();
            let ids = texts(&page.columns, "request_id");
            let distinct: std::collections::HashSet<_> = ids.iter().zip(texts(&page.columns, "row")).collect();
            assert_eq!(distinct.len(), ids.len(), "some row comes twice");
            assert!(ids.len() as u64 >= before * 2, "{} of {} rows", ids.len(), before * 2);
            for writer in 0..2 {
                // No gap: what a writer appended is there up to some record.
                let prefix = format!("w{writer}-");
                let own: Vec<usize> = ids.iter().filter_map(|id| id.strip_prefix(&prefix)?.parse().ok()).collect();
                assert!(
                    own.chunks(2).enumerate().all(|(index, pair)| pair[0] == own.len() / 2 - 1 - index),
                    "{prefix}"
                );
            }
            last = before;
        }
        is_done.store(true, Ordering::SeqCst);
    });
    assert_eq!(walk(log, LogQuery::clone(&query("iris", 0)), 9999).len(), 80_000);
}
