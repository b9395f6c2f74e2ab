//! One merge: copies objects, writes one of their rows, and puts it beside them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::{StreamExt as _, stream};
use tokio::task::spawn_blocking;

use crate::{
    Bucket, Error,
    bucket::{Listed, ObjectName, Origin},
    compact::{common_layout, write_merged},
    dataset::{Coverage, FileReader, FileWriter, Layout, LogFile, SegmentRange},
    disk::Disk,
};

/// Objects that are copied at a time.
const AT_ONCE: usize = 16;

/// What became of a merge.
#[derive(Debug)]
pub(super) enum Merged {
    /// The object is there.
    Done(Listed),
    /// The columns of the parts do not fit into one file.
    Apart,
    /// These objects are not what their names say, with the reason.
    Broken(Vec<(Listed, Error)>),
}

/// A folder for one merge, which goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn create(folder: PathBuf) -> Result<Self, Error> {
        let failed = |source| Error::File { operation: "create", path: folder.clone(), source };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "copies of merged objects stay until the next start");
        }
    }
}

/// Merges these objects. They stay: see [`super`].
pub(super) async fn merge(
    bucket: &Bucket,
    folder: PathBuf,
    range: SegmentRange,
    objects: Vec<Listed>,
) -> Result<Merged, Error> {
    let Some(partition) = objects.first().map(|object| object.partition.clone()) else { return Ok(Merged::Apart) };
    let scratch = Arc::new(Scratch::create(folder)?);
    let copies = copy(bucket, &scratch, &objects).await?;
    let kept = Arc::clone(&scratch);
    let written = spawn_blocking(move || write(&kept.0, range, objects, &copies)).await;
    match written.unwrap_or(Err(Error::Interrupted))? {
        Written::File(path, bytes, name) => {
            let object = Listed { partition, name, bytes };
            bucket.put(&bucket.key(&object), &path, bytes).await?;
            Ok(Merged::Done(object))
        }
        Written::Not(merged) => Ok(merged),
    }
}

/// Copies the objects, each to a file numbered as it is.
async fn copy(bucket: &Bucket, scratch: &Scratch, objects: &[Listed]) -> Result<Vec<PathBuf>, Error> {
    let numbered = (0..).zip(objects.to_vec()).collect::<Vec<(usize, _)>>();
    let copies = numbered.into_iter().map(|(index, object)| {
        let path = scratch.0.join(index.to_string());
        async move { bucket.get(&bucket.key(&object), &path, object.bytes).await.map(|()| path) }
    });
    let mut copies = stream::iter(copies).buffered(AT_ONCE);
    let mut paths = Vec::with_capacity(objects.len());
    while let Some(copied) = copies.next().await {
        paths.push(copied?);
    }
    Ok(paths)
}

enum Written {
    /// A file and its length, and what it is to be called.
    File(PathBuf, u64, ObjectName),
    Not(Merged),
}

fn write(folder: &Path, range: SegmentRange, objects: Vec<Listed>, copies: &[PathBuf]) -> Result<Written, Error> {
    let (mut parts, mut broken) = (Parts::default(), Vec::new());
    for (object, copy) in objects.into_iter().zip(copies) {
        match parts.add(&object, copy) {
            Err(error) if error.is_of_content() => broken.push((object, error)),
            added => added?,
        }
    }
    if !broken.is_empty() {
        return Ok(Written::Not(Merged::Broken(broken)));
    }
    let Some(layout) = common_layout(parts.layouts.iter().map(|layout| &**layout)) else {
        return Ok(Written::Not(Merged::Apart));
    };
    match parts.write(&folder.join("merged"), range, &layout) {
        // Whichever it is, the others of the log are not to wait for it.
        Err(error) if error.is_of_content() => {
            tracing::warn!(%error, ?range, "objects of the request log cannot be merged, and stay as they are");
            Ok(Written::Not(Merged::Apart))
        }
        written => written,
    }
}

/// Files to merge.
#[derive(Default)]
struct Parts {
    files: Vec<Arc<LogFile>>,
    origin: Option<Origin>,
    /// Their different columns, in order.
    layouts: Vec<Arc<Layout>>,
}

impl Parts {
    /// Adds a copy, whose name must tell its rows.
    fn add(&mut self, object: &Listed, copy: &Path) -> Result<(), Error> {
        let (summary, layout) = object.describe(copy)?;
        let covers: Coverage = object.name.segments().into_iter().collect();
        if summary.covers != covers {
            let reason = "its rows are of other segments than its name says".to_owned();
            return Err(Error::Foreign { path: copy.to_owned(), reason });
        }
        let layout = self.intern(layout);
        self.files.push(Arc::new(object.file(copy, summary, layout)));
        self.origin = Some(object.name.origin.clone());
        Ok(())
    }

    fn intern(&mut self, layout: Layout) -> Arc<Layout> {
        match self.layouts.iter().rev().find(|known| ***known == layout) {
            Some(known) => Arc::clone(known),
            None => {
                self.layouts.push(Arc::new(layout));
                Arc::clone(&self.layouts[self.layouts.len() - 1])
            }
        }
    }

    fn write(&self, path: &Path, range: SegmentRange, layout: &Layout) -> Result<Written, Error> {
        let foreign = |reason: &str| Error::Foreign { path: path.to_owned(), reason: reason.to_owned() };
        let origin = self.origin.as_ref().ok_or_else(|| foreign("it has no parts"))?;
        let mut writer = FileWriter::create(&Disk::default(), path)?;
        write_merged(&self.files, Arc::new(layout.schema()), &|| Ok(()), &mut writer)?;
        let bounds = writer.finish([range].into_iter().collect())?.bounds;
        if bounds.rows != self.files.iter().map(|file| file.bounds.rows).sum::<u64>() {
            return Err(foreign("its parts do not hold the rows that they say"));
        }
        let bytes = FileReader::open(path)?.len();
        Ok(Written::File(
            path.to_owned(),
            bytes,
            ObjectName::merged(origin, range, (bounds.first_time, bounds.last_time)),
        ))
    }
}
