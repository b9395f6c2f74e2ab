//! Which objects of a dataset a query has to look at, the newest first. Days are listed as they are needed.

use std::{collections::VecDeque, sync::Arc};

use provost_inference::record::LogQuery;

use crate::{
    Bucket, Error,
    bucket::{Listed, dataset_folder, last_micros, sort_out},
    dataset::{Dataset, Day, Partition, micros},
};

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
        let times = Times::of(query);
        let days = bucket.days(&folder).await?.into_iter();
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
        let listed = self.bucket.all_objects(&partition, |object| self.is_wanted(object)).await?;
        let (mut listed, _covered) = sort_out(listed);
        listed.sort_by(|a, b| (b.name.last_time, &b.name).cmp(&(a.name.last_time, &a.name)));
        Ok(listed.into())
    }

    fn is_wanted(&self, object: &Listed) -> bool {
        self.times.may_hold(object.name.first_time, object.name.last_time)
    }
}
