//! Which segments a file holds the records of.

use serde::{Deserialize, Serialize};

use crate::segment::SegmentName;

/// Segments of one lane that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, u16, u32, u32)", into = "(u32, u16, u32, u32)")]
pub(crate) struct SegmentRange {
    pub(crate) epoch: u32,
    pub(crate) lane: u16,
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl From<(u32, u16, u32, u32)> for SegmentRange {
    fn from((epoch, lane, first, last): (u32, u16, u32, u32)) -> Self {
        Self { epoch, lane, first, last }
    }
}

impl From<SegmentRange> for (u32, u16, u32, u32) {
    fn from(range: SegmentRange) -> Self {
        (range.epoch, range.lane, range.first, range.last)
    }
}

impl SegmentRange {
    fn is_same_lane(&self, other: &Self) -> bool {
        (self.epoch, self.lane) == (other.epoch, other.lane)
    }

    pub(crate) fn includes(&self, other: &Self) -> bool {
        self.is_same_lane(other) && self.first <= other.first && other.last <= self.last
    }
}

/// A set of segments, as ranges in order that neither overlap nor touch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<SegmentRange>", into = "Vec<SegmentRange>")]
pub(crate) struct Coverage(Vec<SegmentRange>);

impl From<Vec<SegmentRange>> for Coverage {
    fn from(ranges: Vec<SegmentRange>) -> Self {
        ranges.into_iter().collect()
    }
}

impl From<Coverage> for Vec<SegmentRange> {
    fn from(coverage: Coverage) -> Self {
        coverage.0
    }
}

impl FromIterator<SegmentRange> for Coverage {
    fn from_iter<I: IntoIterator<Item = SegmentRange>>(ranges: I) -> Self {
        let mut sorted: Vec<_> = ranges.into_iter().collect();
        sorted.sort_unstable();
        let mut joined: Vec<SegmentRange> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match joined.last_mut() {
                Some(last) if last.is_same_lane(&range) && range.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(range.last);
                }
                _ => joined.push(range),
            }
        }
        Self(joined)
    }
}

impl Coverage {
    pub(crate) fn ranges(&self) -> &[SegmentRange] {
        &self.0
    }

    /// Whether the segment is in the set.
    pub(crate) fn contains(&self, SegmentName { epoch, lane, number }: SegmentName) -> bool {
        self.includes_range(&SegmentRange { epoch, lane, first: number, last: number })
    }

    /// Whether all segments of `other` are in the set.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        other.0.iter().all(|range| self.includes_range(range))
    }

    fn includes_range(&self, range: &SegmentRange) -> bool {
        // Only the last range that does not start after it can hold it.
        let after =
            self.0.partition_point(|own| (own.epoch, own.lane, own.first) <= (range.epoch, range.lane, range.first));
        after.checked_sub(1).is_some_and(|index| self.0[index].includes(range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(ranges: &[(u32, u16, u32, u32)]) -> Coverage {
        ranges.iter().copied().map(SegmentRange::from).collect()
    }

    #[test]
    fn ranges_that_touch_become_one() {
        let joined = coverage(&[(1, 0, 4, 6), (1, 0, 0, 3), (1, 1, 7, 7), (1, 0, 9, 9), (2, 0, 10, 10)]);
        assert_eq!(joined, coverage(&[(1, 0, 0, 6), (1, 0, 9, 9), (1, 1, 7, 7), (2, 0, 10, 10)]));
        assert_eq!(joined.ranges().len(), 4);
        let text = serde_json::to_string(&joined).unwrap();
        assert_eq!(text, "[[1,0,0,6],[1,0,9,9],[1,1,7,7],[2,0,10,10]]");
        assert_eq!(serde_json::from_str::<Coverage>(&text).unwrap(), joined);
    }

    #[test]
    fn a_gap_is_not_covered() {
        let covered = coverage(&[(1, 0, 0, 6), (1, 0, 9, 9), (1, 1, 7, 7)]);
        let contains = |epoch, lane, number| covered.contains(SegmentName { epoch, lane, number });
        assert!(contains(1, 0, 0) && contains(1, 0, 6) && contains(1, 0, 9) && contains(1, 1, 7));
        assert!(
            !contains(1, 0, 7) && !contains(1, 1, 6) && !contains(1, 1, 8) && !contains(2, 0, 0) && !contains(0, 0, 0)
        );
        assert!(covered.includes(&coverage(&[(1, 0, 2, 3), (1, 1, 7, 7)])));
        assert!(!covered.includes(&coverage(&[(1, 0, 6, 9)])));
    }
}
