//! Which objects of a dataset a query has to look at, the newest first. Days are listed as they are needed.

use std::{collections::VecDeque, sync::Arc};

use futures_util::TryStreamExt as _;
use object_store::{ObjectMeta, path::Path};
use provost_inference::record::LogQuery;

use crate::{
    Bucket, Error,
    bucket::{Listed, ObjectName, dataset_folder, folder_of},
    dataset::{Dataset, Day, Partition, micros},
};

/// Most objects of one day.
const OBJECTS_MAX: usize = 200_000;
/// Longest object that is looked at; a server writes shorter ones.
const BYTES_MAX: u64 = 1 << 30;

/// The objects that are still to be looked at.
pub(super) struct Listing<'a> {
    bucket: &'a Bucket,
    dataset: Arc<Dataset>,
    times: Times,
    /// Days that are not listed yet, the newest last.
    days: Vec<Day>,
    /// The rest of the day that was listed last, the newest first.
    listed: VecDeque<Listed>,
}

/// The times that rows may be of, in microseconds, bounds included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    first: i64,
    last: i64,
}

impl Times {
    fn of(query: &LogQuery) -> Self {
        let before = query.before.map_or(i64::MAX, |position| position.time);
        let until = query.until.map_or(i64::MAX, micros);
        Self { first: query.since.map_or(i64::MIN, micros), last: before.min(until) }
    }

    fn may_hold(self, first: i64, last: i64) -> bool {
        first <= self.last && last >= self.first
    }
}

impl<'a> Listing<'a> {
    /// The objects for a query.
    pub(super) async fn of(bucket: &'a Bucket, query: &LogQuery) -> Result<Self, Error> {
        let dataset = Dataset { namespace: query.namespace.clone(), deployment: query.deployment.clone() };
        let folder = dataset_folder(&bucket.path, &dataset);
        let found = bucket.bounded("read", bucket.store.list_with_delimiter(Some(&folder))).await?;
        let times = Times::of(query);
        let days = found.common_prefixes.iter().filter_map(|folder| Day::of_folder(folder.filename()?));
        let mut days: Vec<_> = days.filter(|day| times.may_hold(micros(day.start()), last_micros(*day))).collect();
        days.sort_unstable();
        Ok(Self { bucket, dataset: Arc::new(dataset), times, days, listed: VecDeque::new() })
    }

    /// The next objects, fewer than `count` only where there are no more.
    pub(super) async fn take(&mut self, count: usize) -> Result<Vec<Listed>, Error> {
        let mut taken = Vec::new();
        while taken.len() < count {
            if let Some(object) = self.listed.pop_front() {
                taken.push(object);
            } else if let Some(day) = self.days.pop() {
                self.listed = self.list(day).await?;
            } else {
                break;
            }
        }
        Ok(taken)
    }

    /// No row of the rest is newer than this; `None` where there is no rest.
    pub(super) fn newest(&self) -> Option<i64> {
        let listed = self.listed.front().map(|object| object.name.last_time);
        listed.or_else(|| self.days.last().map(|day| last_micros(*day)))
    }

    async fn list(&self, day: Day) -> Result<VecDeque<Listed>, Error> {
        let partition = Partition { dataset: Arc::clone(&self.dataset), day };
        let folder = folder_of(&self.bucket.path, &partition);
        let mut objects = self.bucket.store.list(Some(&folder));
        let mut listed = Vec::new();
        while let Some(object) = self.bucket.bounded("read", objects.try_next()).await? {
            listed.extend(parse(&partition, &folder, &object).filter(|object| self.is_wanted(object)));
            if listed.len() > OBJECTS_MAX {
                let reason = format!("there are more than {OBJECTS_MAX} objects in `{folder}`: narrow it with since");
                return Err(self.bucket.failed("read", reason));
            }
        }
        listed.sort_by(|a, b| (b.name.last_time, &b.name).cmp(&(a.name.last_time, &a.name)));
        Ok(listed.into())
    }

    fn is_wanted(&self, object: &Listed) -> bool {
        self.times.may_hold(object.name.first_time, object.name.last_time)
    }
}

fn last_micros(day: Day) -> i64 {
    micros(day.end()).saturating_sub(1)
}

/// The object as one of the log; others, whoever put them there, are left alone.
fn parse(partition: &Partition, folder: &Path, object: &ObjectMeta) -> Option<Listed> {
    let name =
        ObjectName::parse(object.location.filename()?).filter(|_| object.location.parent().as_ref() == Some(folder))?;
    let is_of_day = micros(partition.day.start()) <= name.first_time && name.last_time <= last_micros(partition.day);
    let is_possible = is_of_day && (1..=BYTES_MAX).contains(&object.size);
    is_possible.then(|| Listed { partition: partition.clone(), name, bytes: object.size })
}
