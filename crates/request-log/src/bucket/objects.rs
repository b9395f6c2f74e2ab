//! What is in a bucket: datasets, days and objects of the log. Others, whoever put them there, are left alone.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{ObjectMeta, path::Path};

use super::{Bucket, Listed, ObjectName, dataset_folder, folder_of};
use crate::{
    Error,
    dataset::{Dataset, Day, Partition, SegmentRange, micros},
};

/// Most objects of one day that are listed.
const OBJECTS_MAX: usize = 200_000;
/// Longest object that is looked at; a server writes shorter ones.
const BYTES_MAX: u64 = 1 << 30;

impl Bucket {
    /// The datasets there are.
    pub(crate) async fn datasets(&self) -> Result<Vec<Dataset>, Error> {
        let mut datasets = Vec::new();
        for namespace in self.folders(&self.path).await? {
            for folder in self.folders(&namespace).await? {
                let dataset = namespace.filename().zip(folder.filename());
                let dataset = dataset.and_then(|(namespace, name)| Dataset::of_folders(namespace, name));
                datasets.extend(dataset.filter(|dataset| dataset_folder(&self.path, dataset) == folder));
            }
        }
        Ok(datasets)
    }

    /// The days of which a dataset's folder has any.
    pub(crate) async fn days(&self, folder: &Path) -> Result<Vec<Day>, Error> {
        let folders = self.folders(folder).await?;
        Ok(folders.iter().filter_map(|folder| Day::of_folder(folder.filename()?)).collect())
    }

    async fn folders(&self, folder: &Path) -> Result<Vec<Path>, Error> {
        Ok(self.bounded("read", self.store.list_with_delimiter(Some(folder))).await?.common_prefixes)
    }

    /// The objects of a partition that are wanted, or what is wrong with their number.
    pub(crate) async fn all_objects(
        &self,
        partition: &Partition,
        is_wanted: impl Fn(&Listed) -> bool,
    ) -> Result<Vec<Listed>, Error> {
        let (objects, is_all) = self.objects(partition, is_wanted).await?;
        let folder = folder_of(&self.path, partition);
        let reason = || format!("there are more than {OBJECTS_MAX} objects in `{folder}`: narrow it with since");
        if is_all { Ok(objects) } else { Err(self.failed("read", reason())) }
    }

    /// Objects of a partition that are wanted, and whether there are no others.
    pub(crate) async fn objects(
        &self,
        partition: &Partition,
        is_wanted: impl Fn(&Listed) -> bool,
    ) -> Result<(Vec<Listed>, bool), Error> {
        let folder = folder_of(&self.path, partition);
        let mut objects = self.store.list(Some(&folder));
        let mut listed = Vec::new();
        while let Some(object) = self.bounded("read", objects.try_next()).await? {
            listed.extend(parse(partition, &folder, &object).filter(|object| is_wanted(object)));
            if listed.len() >= OBJECTS_MAX {
                return Ok((listed, false));
            }
        }
        Ok((listed, true))
    }

    /// Removes objects. One that is gone already is what was wanted.
    pub(crate) async fn remove(&self, keys: Vec<Path>) -> Result<(), Error> {
        let mut removed = self.store.delete_stream(stream::iter(keys.into_iter().map(Ok)).boxed());
        loop {
            let next = async {
                match removed.try_next().await {
                    Err(object_store::Error::NotFound { .. }) => Ok(true),
                    removed => removed.map(|removed| removed.is_some()),
                }
            };
            if !self.bounded("remove objects of", next).await? {
                return Ok(());
            }
        }
    }

    /// What the keys of objects of a block of segments begin with, one of which is `object`.
    pub(crate) fn key_of_block(&self, object: &Listed, range: SegmentRange) -> Path {
        let name = ObjectName::merged(&object.name.origin, range, (0, 0));
        folder_of(&self.path, &object.partition).join(format!("{}.{}", name.origin, name.file))
    }

    /// Where the object is.
    pub(crate) fn key(&self, object: &Listed) -> Path {
        folder_of(&self.path, &object.partition).join(object.name.to_string())
    }
}

/// The last microsecond of the day.
pub(crate) fn last_micros(day: Day) -> i64 {
    micros(day.end()).saturating_sub(1)
}

/// The object as one of the log.
fn parse(partition: &Partition, folder: &Path, object: &ObjectMeta) -> Option<Listed> {
    let name =
        ObjectName::parse(object.location.filename()?).filter(|_| object.location.parent().as_ref() == Some(folder))?;
    let is_of_day = micros(partition.day.start()) <= name.first_time && name.last_time <= last_micros(partition.day);
    let is_possible = is_of_day && (1..=BYTES_MAX).contains(&object.size);
    is_possible.then(|| Listed { partition: partition.clone(), name, bytes: object.size })
}
