//! What is planned, and what two keepers plan who see different parts.

use std::sync::Arc;

use proptest::prelude::*;
use provost_inference::record::Timestamp;

use super::*;
use crate::{
    bucket::{ObjectName, Origin},
    dataset::{Dataset, Day, Partition},
};

const KB: u64 = 1 << 10;
const MB: u64 = 1 << 20;

fn listed(server: &str, (first, last): (u32, u32), bytes: u64) -> Listed {
    let dataset = Dataset { namespace: "default".into(), deployment: "iris".into() };
    let range = SegmentRange { epoch: 1, lane: 0, first, last };
    Listed {
        partition: Partition { dataset: Arc::new(dataset), day: Day::of(Timestamp(0)) },
        name: ObjectName::merged(&Origin::new(server, 7), range, (0, 9)),
        bytes,
    }
}

fn plan(objects: &[Listed], is_over: bool) -> Option<(u32, u32)> {
    plan_merge(objects, is_over, |_| false, |_, _| false).map(|Merge { range, .. }| (range.first, range.last))
}

/// Objects of one segment each.
fn singles(segments: impl IntoIterator<Item = u32>, bytes: u64) -> Vec<Listed> {
    segments.into_iter().map(|segment| listed("pod", (segment, segment), bytes)).collect()
}

/// What is left, as segments, when all that is planned was done; and how often each segment was written again.
fn run(mut objects: Vec<Listed>, is_over: bool, written: &mut [u32]) -> Vec<Listed> {
    while let Some(Merge { range, parts }) = plan_merge(&objects, is_over, |_| false, |_, _| false) {
        let bytes = parts.iter().map(|index| objects[*index].bytes).sum();
        written[range.first as usize..=range.last as usize].iter_mut().for_each(|times| *times += 1);
        objects.retain(|object| object.name.segments().is_none_or(|own| !range.includes(&own)));
        objects.push(listed("pod", (range.first, range.last), bytes));
    }
    objects
}

#[test]
fn a_block_is_merged_once_it_is_whole() {
    assert_eq!(plan(&singles(0..63, KB), false), None);
    assert_eq!(plan(&singles(0..64, KB), false), Some((0, 63)));
    assert_eq!(plan(&singles(1..128, KB), false), Some((64, 127)));
    assert_eq!(plan(&singles(0..4096, KB), false), Some((0, 4095)));
}

#[test]
fn nothing_is_merged_over_what_is_missing() {
    let with_gap = singles((0..64).filter(|segment| *segment != 40), KB);
    assert_eq!(plan(&with_gap, false), None);
    assert_eq!(plan(&with_gap, true), Some((0, 31)));
    let left: Vec<_> = singles([0, 1, 2, 4, 5, 7], KB);
    let mut ranges: Vec<_> = run(left, true, &mut [0; 8]).iter().filter_map(|object| object.name.segments()).collect();
    ranges.sort_unstable();
    let ranges: Vec<_> = ranges.iter().map(|range| (range.first, range.last)).collect();
    assert_eq!(ranges, [(0, 1), (2, 2), (4, 5), (7, 7)]);
}

#[test]
fn an_object_over_the_edge_of_a_block_is_merged_with_neither_side() {
    let mut objects = singles((0..64).filter(|segment| *segment != 63), KB);
    objects.push(listed("pod", (63, 64), KB));
    objects.extend(singles(65..128, KB));
    assert_eq!(plan(&objects, false), None);
    assert_eq!(plan(&objects, true), Some((0, 127)));
}

#[test]
fn servers_are_kept_apart() {
    let mut objects = singles(0..32, KB);
    objects.extend((32..64).map(|segment| listed("other", (segment, segment), KB)));
    assert_eq!(plan(&objects, false), None);
    let merge = plan_merge(&objects, true, |_| false, |_, _| false).unwrap();
    assert!(merge.parts.iter().all(|index| objects[*index].name.origin == objects[merge.parts[0]].name.origin));
}

#[test]
fn objects_stay_of_a_size_to_copy() {
    assert_eq!(plan(&singles(0..64, MB / 4), false), Some((0, 31)));
    assert_eq!(plan(&singles(0..64, 2 * MB), true), None);
    let mut with_full = singles(0..63, KB);
    with_full.push(listed("pod", (63, 63), 2 * MB));
    assert_eq!(plan(&with_full, false), Some((0, 31)));
    assert_eq!(plan(&singles(0..8192, KB / 2), true), Some((0, 4095)), "no more at once than this");
}

#[test]
fn what_is_excepted_or_refused_is_worked_around() {
    let objects = singles(0..64, KB);
    let first = objects[0].name.clone();
    let planned = plan_merge(&objects, false, |object| object.name == first, |_, _| false);
    assert_eq!(planned, None);
    let planned = plan_merge(&objects, false, |_| false, |_, range| range.last - range.first > 30);
    assert_eq!(planned.map(|merge| (merge.range.first, merge.range.last)), Some((0, 15)));
}

#[test]
fn a_row_is_written_again_three_times_at_most_and_few_objects_are_left() {
    // A pod that sends an object of one segment or two every ten seconds, from some moment of its life on.
    let (first, last) = (777, 777 + 12_000);
    let mut written = vec![0; last as usize + 1];
    let (mut objects, mut next) = (Vec::new(), first);
    while next < last {
        let end = if next % 3 == 0 && next % 8 != 7 { next + 1 } else { next };
        objects.push(listed("pod", (next, end), KB / 2));
        next = end + 1;
        if next % 64 < 2 {
            objects = run(objects, false, &mut written);
        }
    }
    assert!(objects.len() < 200, "{}", objects.len());
    let objects = run(objects, true, &mut written);
    assert!(objects.len() < 40, "{}", objects.len());
    assert!(written.iter().all(|times| *times <= 3));
    assert_eq!(plan(&objects, true), None);
}

proptest! {
    /// Whatever part of the objects a keeper sees, and at whatever time of the day: what it makes of them lies within
    /// what another makes, or has nothing in common with it.
    #[test]
    fn two_keepers_never_make_objects_that_share_a_part(
        lengths in prop::collection::vec(1_u32..4, 1..150),
        sizes in prop::collection::vec(prop::sample::select(vec![KB, MB / 2, 3 * MB]), 150),
        seen in prop::collection::vec(any::<[bool; 2]>(), 150),
        is_over in any::<[bool; 2]>(),
    ) {
        let mut next = 0;
        let objects: Vec<_> = lengths.iter().zip(&sizes).map(|(length, bytes)| {
            let range = (next, next + length - 1);
            next += length;
            listed("pod", range, *bytes)
        }).collect();
        let made = |keeper: usize| {
            let own = objects.iter().zip(&seen).filter(|(_, seen)| seen[keeper]).map(|(object, _)| object.clone());
            let made = run(own.collect(), is_over[keeper], &mut vec![0; next as usize]);
            made.into_iter().filter_map(|object| object.name.segments()).collect::<Vec<_>>()
        };
        let (one, other) = (made(0), made(1));
        for (a, b) in one.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
            let is_apart = a.last < b.first || b.last < a.first;
            prop_assert!(is_apart || a.includes(b) || b.includes(a), "{a:?} {b:?}");
        }
    }
}
