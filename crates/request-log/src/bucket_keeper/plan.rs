//! Which objects of a day are to become one.
//!
//! **Invariant**: of any two sets of segments that are ever merged, by whomever and whenever, one lies within the
//! other or they have none in common. So no keeper, however little or much of the bucket it saw, makes an object that
//! shares a part of its rows with another. It holds because the sets are blocks: 2ⁿ segments of one lane from a
//! multiple of 2ⁿ on, and only whole ones. A block of which an object is missing is left alone, be it late or lost:
//! whoever sends it later finds its place free.
//!
//! Of a lane about two segments come every ten seconds. Blocks of 64 (about five minutes) become one object, and of
//! those 64 together (about six hours), as soon as they are whole; when the day is over, whatever blocks there are
//! in what is left. So a row is written again three times at most, and a day of a lane ends as a few dozen objects,
//! whose number grows with the logarithm of the segments. What came after the day was over may cost one time more.

use std::{collections::BTreeMap, ops::Range};

use crate::{bucket::Listed, dataset::SegmentRange};

/// A merged object has at most about this many bytes. Readers copy objects as a whole: a page of some past moment needs
/// one of each lane of each pod that was there, all of which together have to fit among the copies.
const MERGED_BYTES: u64 = 8 << 20;
/// An object of this many bytes is not merged any more.
const FULL_BYTES: u64 = 2 << 20;
/// Most objects that are merged at once.
const PARTS_MAX: usize = 4096;

/// How blocks are chosen.
#[derive(Debug, Clone, Copy)]
struct Tier {
    /// Blocks of 2ⁿ segments are looked at, and smaller ones in those that cannot be merged as a whole.
    largest: u32,
    smallest: u32,
    /// Fewer objects are not worth it.
    parts_min: usize,
    /// Whether smaller ones are looked at only where the largest is whole.
    is_whole: bool,
}

const DURING_THE_DAY: [Tier; 2] = [
    Tier { largest: 12, smallest: 7, parts_min: 4, is_whole: true },
    Tier { largest: 6, smallest: 1, parts_min: 4, is_whole: true },
];
const AFTER_THE_DAY: [Tier; 1] = [Tier { largest: 32, smallest: 1, parts_min: 2, is_whole: false }];

/// A block of segments, and the indices of the objects that it consists of, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Merge {
    pub(super) range: SegmentRange,
    pub(super) parts: Vec<usize>,
}

/// An object of a lane.
#[derive(Debug, Clone, Copy)]
struct Part {
    index: usize,
    first: u64,
    last: u64,
    bytes: u64,
    /// How many parts before it do not follow the one before.
    breaks: usize,
}

/// A whole block of objects that are to become one; `None` where nothing is worth it. The objects are of one partition
/// and none covers another; those for which `is_excepted` are left alone, and so are blocks of which one part is
/// among the objects but not all.
pub(super) fn plan_merge(
    objects: &[Listed],
    is_over: bool,
    is_excepted: impl Fn(&Listed) -> bool,
    is_refused: impl Fn(&Listed, SegmentRange) -> bool,
) -> Option<Merge> {
    let tiers: &[Tier] = if is_over { &AFTER_THE_DAY } else { &DURING_THE_DAY };
    lanes(objects, is_excepted).values().find_map(|parts| {
        let (object, range) = parts.first().and_then(|part| Some((&objects[part.index], segments(objects, part)?)))?;
        let range =
            |block: Range<u64>| SegmentRange { first: narrow(block.start), last: narrow(block.end - 1), ..range };
        let may_be = |block: Range<u64>| !is_refused(object, range(block));
        let (block, parts) = tiers.iter().find_map(|tier| tier.find(parts, &may_be))?;
        Some(Merge { range: range(block), parts: parts.iter().map(|part| part.index).collect() })
    })
}

/// Parts of each lane of each server, in order.
fn lanes(objects: &[Listed], is_excepted: impl Fn(&Listed) -> bool) -> BTreeMap<(&str, u32, u16), Vec<Part>> {
    let mut lanes: BTreeMap<_, Vec<Part>> = BTreeMap::new();
    for (index, object) in objects.iter().enumerate().filter(|(_, object)| !is_excepted(object)) {
        let Some(range) = object.name.segments() else { continue };
        let (first, last) = (u64::from(range.first), u64::from(range.last));
        let part = Part { index, first, last, bytes: object.bytes, breaks: 0 };
        lanes.entry((object.name.origin.as_str(), range.epoch, range.lane)).or_default().push(part);
    }
    for parts in lanes.values_mut() {
        parts.sort_unstable_by_key(|part| (part.first, part.last, part.index));
        for index in 1..parts.len() {
            let follows = parts[index].first == parts[index - 1].last + 1;
            parts[index].breaks = parts[index - 1].breaks + usize::from(!follows);
        }
    }
    lanes
}

fn segments(objects: &[Listed], part: &Part) -> Option<SegmentRange> {
    objects[part.index].name.segments()
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Tier {
    /// The first block to merge of a lane, with its parts.
    fn find<'a>(self, parts: &'a [Part], may_be: &impl Fn(Range<u64>) -> bool) -> Option<(Range<u64>, &'a [Part])> {
        let mut rest = parts;
        while let Some(first) = rest.first() {
            let block = block_of(first.first, self.largest);
            let (own, after) = rest.split_at(rest.partition_point(|part| part.first < block.end));
            if (!self.is_whole || is_whole(own, &block))
                && let Some(found) = self.find_within(own, self.largest, block, may_be)
            {
                return Some(found);
            }
            rest = after;
        }
        None
    }

    fn find_within<'a>(
        self,
        parts: &'a [Part],
        level: u32,
        block: Range<u64>,
        may_be: &impl Fn(Range<u64>) -> bool,
    ) -> Option<(Range<u64>, &'a [Part])> {
        if level < self.smallest || parts.len() < self.parts_min {
            return None;
        }
        if is_whole(parts, &block) && is_worth_it(parts) && may_be(block.clone()) {
            return Some((block, parts));
        }
        let middle = block.start + (block.end - block.start) / 2;
        let (left, right) = parts.split_at(parts.partition_point(|part| part.first < middle));
        self.find_within(left, level - 1, block.start..middle, may_be)
            .or_else(|| self.find_within(right, level - 1, middle..block.end, may_be))
    }
}

/// The block of 2ⁿ segments that a segment lies in.
fn block_of(segment: u64, level: u32) -> Range<u64> {
    let start = segment >> level << level;
    start..start + (1 << level)
}

/// Whether the parts, which are in order, are all of the block and nothing else.
fn is_whole(parts: &[Part], block: &Range<u64>) -> bool {
    let ends = parts.first().zip(parts.last());
    ends.is_some_and(|(first, last)| {
        (first.first, last.last + 1, first.breaks) == (block.start, block.end, last.breaks)
    })
}

fn is_worth_it(parts: &[Part]) -> bool {
    parts.len() <= PARTS_MAX
        && parts.iter().all(|part| part.bytes < FULL_BYTES)
        && parts.iter().map(|part| part.bytes).sum::<u64>() <= MERGED_BYTES
}

#[cfg(test)]
mod tests;
