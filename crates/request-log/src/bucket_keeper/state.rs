//! What a keeper remembers from pass to pass. All of it may be forgotten: it only saves work.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use object_store::path::Path;
use provost_inference::record::Timestamp;

use crate::dataset::{Day, Partition};

/// A day that is over and in order is looked at again after this long, in nanoseconds: a pod may come back with what it
/// could not send, which readers see without that.
const LOOK_AGAIN: i64 = 6 * 3600 * 1_000_000_000;
/// Most objects, and most blocks, that are remembered for not being merged.
const REMEMBERED_MAX: usize = 10_000;

/// How a day of a dataset was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) at: Timestamp,
    /// Bytes of all objects, without those that another covers.
    pub(super) bytes: u64,
    /// Whether there is nothing to do until something comes.
    pub(super) is_quiet: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    looks: HashMap<Partition, Look>,
    failed: HashSet<Partition>,
    /// When objects were first seen to cover others that are there, and in which pass last.
    seen: HashMap<Path, (Instant, u64)>,
    pass: u64,
    /// Objects that are not what their names say.
    pub(super) broken: Remembered,
    /// Blocks that do not fit into one object.
    refused: Remembered,
    merges: u64,
}

/// A set of limited size, which starts anew when it is full.
#[derive(Debug, Default)]
pub(super) struct Remembered(HashSet<Path>);

impl Remembered {
    pub(super) fn insert(&mut self, key: Path) {
        if self.0.len() >= REMEMBERED_MAX {
            self.0.clear();
        }
        self.0.insert(key);
    }

    pub(super) fn contains(&self, key: &Path) -> bool {
        self.0.contains(key)
    }
}

impl State {
    /// A pass begins, with these days there.
    pub(super) fn begin(&mut self, partitions: &[Partition]) {
        self.pass += 1;
        let there: HashSet<_> = partitions.iter().collect();
        self.looks.retain(|partition, _| there.contains(partition));
        self.failed.retain(|partition| there.contains(partition));
    }

    /// The pass saw all that it could.
    pub(super) fn end(&mut self) {
        let pass = self.pass;
        self.seen.retain(|_, (_, last)| *last == pass);
    }

    /// The days in the order of work: what failed before does not hold up the rest.
    pub(super) fn in_turn(&self, mut partitions: Vec<Partition>) -> Vec<Partition> {
        partitions.sort_by_key(|partition| self.failed.contains(partition));
        partitions
    }

    pub(super) fn note(&mut self, partition: &Partition, look: Look) {
        self.failed.remove(partition);
        self.looks.insert(partition.clone(), look);
    }

    pub(super) fn note_failure(&mut self, partition: Partition) {
        self.failed.insert(partition);
    }

    /// Whether the last look found nothing to do there, and is not long ago.
    pub(super) fn is_quiet(&self, partition: &Partition, now: Timestamp) -> bool {
        let look = self.looks.get(partition).filter(|look| look.is_quiet);
        look.is_some_and(|look| (0..LOOK_AGAIN).contains(&now.0.saturating_sub(look.at.0)))
    }

    /// For how long the object, which was listed just now, has been seen to cover others.
    pub(super) fn seen_for(&mut self, key: Path) -> Duration {
        let (since, last) = self.seen.entry(key).or_insert_with(|| (Instant::now(), self.pass));
        *last = self.pass;
        since.elapsed()
    }

    pub(super) fn refuse(&mut self, block: Path) {
        self.refused.insert(block);
    }

    pub(super) fn is_refused(&self, block: &Path) -> bool {
        self.refused.contains(block)
    }

    /// Numbers merges.
    pub(super) fn next_number(&mut self) -> u64 {
        self.merges += 1;
        self.merges
    }

    /// Bytes of all days.
    pub(super) fn bytes(&self) -> u64 {
        self.looks.values().map(|look| look.bytes).sum()
    }

    /// Bytes of all other days.
    pub(super) fn bytes_without(&self, day: Day) -> u64 {
        let others = self.looks.iter().filter(|(partition, _)| partition.day != day);
        others.map(|(_, look)| look.bytes).sum()
    }

    /// The oldest day of which there is anything.
    pub(super) fn oldest(&self) -> Option<Day> {
        let there = self.looks.iter().filter(|(_, look)| look.bytes > 0);
        there.map(|(partition, _)| partition.day).min()
    }

    /// What there is of a day.
    pub(super) fn partitions_of(&self, day: Day) -> Vec<Partition> {
        let there = self.looks.iter().filter(|(partition, look)| partition.day == day && look.bytes > 0);
        there.map(|(partition, _)| partition.clone()).collect()
    }
}
