//! Keeps the log that the servers of a cluster share in a bucket: merges small objects, and removes what is too old or
//! too much.
//!
//! A merged object is put beside those it is made of, which stay for some minutes. Its name tells that it holds their
//! rows ([`sort_out`]), so that nobody reads them twice; and who began to list before it was there has long found them
//! all when they go.
//!
//! **Invariant**: nothing here has to be the only one at work, or to end what it began. Two keepers make the same
//! objects or none that share a part of their rows ([`plan`]), and what is removed is removed because of what is in
//! the bucket, not because of what this keeper did.

mod merge;
mod plan;
mod state;

use std::{
    collections::{HashMap, HashSet},
    io,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use object_store::path::Path;
use provost_inference::record::Timestamp;

use self::{
    merge::{Merged, merge},
    plan::{Merge, plan_merge},
    state::{Look, State},
};
use crate::{
    Bucket, Error, Retention,
    bucket::{Covered, Listed, dataset_folder, folder_of, sort_out},
    bucket_log::PAGE_MAX,
    dataset::Partition,
    retention::{Removable, plan_retention},
};

/// A listing ends within this time, or is not used: what it may have missed stays as long.
const SETTLED_AFTER: Duration = Duration::from_secs(180);
const _: () = assert!(SETTLED_AFTER.as_secs() > 2 * PAGE_MAX.as_secs());
/// A day is over when this much time has passed since: what pods still have is sent by then.
const GRACE_NANOS: i64 = 15 * 60 * 1_000_000_000;
/// Most merges of one day of a dataset in a pass, so that the others have their turn.
const MERGES_MAX: usize = 64;
/// After so many failures in a row the store is taken to be away.
const FAILURES_MAX: usize = 3;

/// How a bucket is kept.
#[derive(Debug, Clone)]
pub struct KeeperOptions {
    /// A folder for copies while they are merged, which belongs to one process and is emptied. It takes about 16 MiB.
    pub folder: PathBuf,
    /// What is kept of the log. Only objects of the log are counted and removed.
    pub retention: Retention,
}

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Objects whose rows are now in others as well.
    pub merged: usize,
    /// Those others.
    pub written: usize,
    /// Objects removed whose rows are in others.
    pub covered: usize,
    /// Objects removed with their rows, for being too old or too much.
    pub expired: usize,
    /// Whether there is more to do at once.
    pub has_more: bool,
}

/// Keeps a folder of a bucket.
#[derive(Debug)]
pub struct BucketKeeper {
    bucket: Bucket,
    options: KeeperOptions,
    settled_after: Duration,
    state: State,
}

impl BucketKeeper {
    /// Of a folder of a bucket, of which nothing is asked yet.
    pub fn open(bucket: Bucket, options: KeeperOptions) -> io::Result<Self> {
        match std::fs::remove_dir_all(&options.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::create_dir_all(&options.folder)?,
        }
        Ok(Self { bucket, options, settled_after: SETTLED_AFTER, state: State::default() })
    }

    /// The same, which takes a listing to end within this time.
    #[cfg(test)]
    pub(crate) fn settling_after(self, settled_after: Duration) -> Self {
        Self { settled_after, ..self }
    }

    /// Looks at all days of all datasets, one after the other, and does what there is to do. Call it every few minutes,
    /// and again at once when it says that there is more. What fails is logged and tried again by the next pass; an
    /// error is told only where the bucket seems to be away. It may be dropped at any moment.
    pub async fn pass(&mut self, now: Timestamp) -> Result<Kept, Error> {
        let mut kept = Kept::default();
        let partitions = self.partitions().await?;
        self.state.begin(&partitions);
        let mut failures = 0;
        for partition in self.state.in_turn(partitions) {
            match self.tend(&partition, now, &mut kept).await {
                Ok(()) => failures = 0,
                Err(error) => {
                    tracing::warn!(%error, folder = %self.show(&partition), "cannot keep a part of the request log, and tries again");
                    self.state.note_failure(partition);
                    failures += 1;
                    if failures >= FAILURES_MAX {
                        return Err(error);
                    }
                }
            }
        }
        self.keep_to_size(now, &mut kept).await?;
        self.state.end();
        Ok(kept)
    }

    async fn partitions(&self) -> Result<Vec<Partition>, Error> {
        let mut partitions = Vec::new();
        for dataset in self.bucket.datasets().await? {
            let dataset = Arc::new(dataset);
            let days = self.bucket.days(&dataset_folder(&self.bucket.path, &dataset)).await?;
            partitions.extend(days.into_iter().map(|day| Partition { dataset: Arc::clone(&dataset), day }));
        }
        Ok(partitions)
    }

    /// Does what there is to do in a day of a dataset.
    async fn tend(&mut self, partition: &Partition, now: Timestamp, kept: &mut Kept) -> Result<(), Error> {
        if self.state.is_quiet(partition, now) {
            return Ok(());
        }
        let before = *kept;
        let (listed, is_all) = self.bucket.objects(partition, |_| true).await?;
        if self.options.retention.is_too_old(partition.day, now) {
            self.expire(partition, &listed, now, kept).await?;
            kept.has_more |= !is_all && *kept != before;
            return Ok(());
        }
        let (mut objects, covered) = sort_out(listed);
        let waits = self.remove_covered(&covered, kept).await?;
        let is_over = partition.day.end().0.saturating_add(GRACE_NANOS) <= now.0;
        let is_merged = self.merge_all(&mut objects, is_over, kept).await?;
        let bytes = objects.iter().map(|object| object.bytes).sum();
        let is_quiet = is_over && is_all && is_merged && waits == 0;
        kept.has_more |= !is_all && *kept != before;
        self.state.note(partition, Look { at: now, bytes, is_quiet });
        Ok(())
    }

    /// Removes all of a day.
    async fn expire(
        &mut self,
        partition: &Partition,
        listed: &[Listed],
        now: Timestamp,
        kept: &mut Kept,
    ) -> Result<(), Error> {
        if !listed.is_empty() {
            tracing::info!(folder = %self.show(partition), objects = listed.len(), "removing a day of the request log");
        }
        self.remove(listed.iter()).await?;
        kept.expired += listed.len();
        // What was not listed is looked at again.
        self.state.note(partition, Look { at: now, bytes: 0, is_quiet: listed.is_empty() });
        Ok(())
    }

    /// Removes objects whose rows are in another one that was seen long enough ago; gives how many wait for that.
    async fn remove_covered(&mut self, covered: &[Covered], kept: &mut Kept) -> Result<usize, Error> {
        let mut gone = Vec::new();
        for Covered { object, by } in covered {
            if self.state.seen_for(self.bucket.key(by)) >= self.settled_after {
                gone.push(object);
            }
        }
        self.remove(gone.iter().copied()).await?;
        kept.covered += gone.len();
        Ok(covered.len() - gone.len())
    }

    /// Merges what is worth it, and tells whether there was nothing.
    async fn merge_all(&mut self, objects: &mut Vec<Listed>, is_over: bool, kept: &mut Kept) -> Result<bool, Error> {
        let before = kept.written;
        for _ in 0..MERGES_MAX {
            let Some(planned) = self.plan(objects, is_over) else { return Ok(kept.written == before) };
            if !self.merge_one(objects, planned, kept).await? {
                return Ok(false);
            }
        }
        kept.has_more |= kept.written > before;
        Ok(false)
    }

    fn plan(&self, objects: &[Listed], is_over: bool) -> Option<Merge> {
        let is_excepted = |object: &Listed| self.state.broken.contains(&self.bucket.key(object));
        let is_refused = |object: &Listed, range| self.state.is_refused(&self.bucket.key_of_block(object, range));
        plan_merge(objects, is_over, is_excepted, is_refused)
    }

    /// Merges these objects, and tells whether the others are as they were listed.
    async fn merge_one(
        &mut self,
        objects: &mut Vec<Listed>,
        Merge { range, parts }: Merge,
        kept: &mut Kept,
    ) -> Result<bool, Error> {
        let chosen: Vec<_> = parts.iter().map(|index| objects[*index].clone()).collect();
        let block = self.bucket.key_of_block(&chosen[0], range);
        let folder = self.options.folder.join(self.state.next_number().to_string());
        match merge(&self.bucket, folder, range, chosen).await {
            Ok(Merged::Done(object)) => {
                kept.merged += parts.len();
                kept.written += 1;
                let parts: HashSet<_> = parts.into_iter().collect();
                let mut index = 0..;
                objects.retain(|_| !index.next().is_some_and(|index| parts.contains(&index)));
                objects.push(object);
            }
            Ok(Merged::Apart) => self.state.refuse(block),
            Ok(Merged::Broken(broken)) => self.except(&broken),
            // Another keeper removed some.
            Err(error) if error.is_not_found() => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Leaves objects alone from now on.
    fn except(&mut self, broken: &[(Listed, Error)]) {
        for (object, error) in broken {
            let key = self.bucket.key(object);
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(%key, %error, cause, "an object among those of the request log is left as it is");
            self.state.broken.insert(key);
        }
    }

    /// Removes the oldest objects until the rest is small enough. Days are listed again before, so that what is known
    /// of the others only has to be about right.
    async fn keep_to_size(&mut self, now: Timestamp, kept: &mut Kept) -> Result<(), Error> {
        while self.state.bytes() > self.options.retention.bytes
            && let Some(day) = self.state.oldest()
        {
            let partitions = self.state.partitions_of(day);
            let rest = self.state.bytes_without(day);
            let mut groups = Vec::new();
            for partition in &partitions {
                groups.extend(groups_of(self.bucket.objects(partition, |_| true).await?.0));
            }
            let bytes = self.options.retention.bytes.saturating_sub(rest);
            let expired = expire(&mut groups, now, Retention { bytes, age: Duration::MAX });
            self.remove(expired.iter()).await?;
            kept.expired += expired.len();
            tracing::info!(%day, objects = expired.len(), "removing the oldest objects of the request log");
            for partition in partitions {
                let left = groups.iter().filter(|group| group[0].partition == partition);
                let bytes = left.map(|group| group[0].bytes).sum();
                self.state.note(&partition, Look { at: now, bytes, is_quiet: false });
            }
        }
        Ok(())
    }

    async fn remove(&self, objects: impl Iterator<Item = &Listed>) -> Result<(), Error> {
        let keys: Vec<_> = objects.map(|object| self.bucket.key(object)).collect();
        self.bucket.remove(keys).await
    }

    fn show(&self, partition: &Partition) -> Path {
        folder_of(&self.bucket.path, partition)
    }
}

/// Each object that no other one covers, with those that it does: they go together, or the rows would come back.
fn groups_of(listed: Vec<Listed>) -> Vec<Vec<Listed>> {
    let (kept, covered) = sort_out(listed);
    let mut groups: Vec<_> = kept.into_iter().map(|object| vec![object]).collect();
    let places: HashMap<_, _> =
        groups.iter().enumerate().map(|(index, group)| (group[0].name.clone(), index)).collect();
    for Covered { object, by } in covered {
        if let Some(index) = places.get(&by.name) {
            groups[*index].push(object);
        }
    }
    groups
}

/// Takes out the groups that are to go, and gives their objects. Each is as long as its first object.
fn expire(groups: &mut Vec<Vec<Listed>>, now: Timestamp, limits: Retention) -> Vec<Listed> {
    let removable = groups.iter().enumerate().map(|(id, group)| Removable {
        day: group[0].partition.day,
        last_time: group[0].name.last_time,
        bytes: group[0].bytes,
        id,
    });
    let expired: HashSet<_> = plan_retention(removable.collect(), now, limits).into_iter().collect();
    let (mut gone, mut index) = (Vec::new(), 0);
    groups.retain_mut(|group| {
        let is_kept = !expired.contains(&index);
        index += 1;
        if !is_kept {
            gone.append(group);
        }
        is_kept
    });
    gone
}
