//! The files there are, by dataset and day.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Coverage, Dataset, Day, FileName, FileReader, FileSummary, Layout, Partition, RowBounds,
    place::{TEMPORARY_NAME, name_of_folder},
};
use crate::Error;

/// A file of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    pub(crate) partition: Partition,
    /// Which server wrote it, where several did.
    pub(crate) source: u64,
    pub(crate) bytes: u64,
    pub(crate) covers: Coverage,
    pub(crate) bounds: RowBounds,
    pub(crate) layout: Arc<Layout>,
}

type Days = BTreeMap<Day, Vec<Arc<LogFile>>>;

/// All files of all datasets. Made from the disk once, then kept up to date by those who change it.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    datasets: BTreeMap<Arc<Dataset>, Days>,
    /// Files of a dataset mostly have the same columns.
    layouts: HashSet<Arc<Layout>>,
}

impl Catalogue {
    /// Reads the folder of datasets. Files that are not ours are left alone, with a warning. The second
    /// part are files to remove: what was being written when the server stopped, and what was merged.
    pub(crate) fn load(folder: &Path) -> Result<(Self, Vec<PathBuf>), Error> {
        let (mut catalogue, mut leftovers) = (Self::default(), Vec::new());
        for partition in list_partitions(folder)? {
            for path in list(&partition.folder(folder))? {
                match path.file_name().and_then(|name| name.to_str()) {
                    Some(TEMPORARY_NAME) => leftovers.push(path),
                    Some(name) if name.ends_with(".parquet") => catalogue.load_file(&partition, &path),
                    _ => {}
                }
            }
            leftovers.extend(catalogue.drop_covered(&partition));
        }
        Ok((catalogue, leftovers))
    }

    fn load_file(&mut self, partition: &Partition, path: &Path) {
        let described = FileReader::open(path).and_then(|file| Ok((file.describe()?, file.len())));
        match described {
            Ok(((summary, layout), bytes)) => {
                self.add(partition, path.to_owned(), bytes, summary, layout, &[]);
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "a file among those of the request log is not read");
            }
        }
    }

    /// Takes out the files whose segments another file covers as well.
    fn drop_covered(&mut self, partition: &Partition) -> Vec<PathBuf> {
        let files = self.files_of(partition).to_vec();
        let is_covered = |file: &Arc<LogFile>| {
            files.iter().any(|other| other.covers != file.covers && other.covers.includes(&file.covers))
        };
        let is_copy =
            |(index, file): (usize, &Arc<LogFile>)| files[..index].iter().any(|other| other.covers == file.covers);
        let covered: Vec<_> = files.iter().filter(|file| is_covered(file)).cloned().collect();
        let copies: Vec<_> =
            files.iter().enumerate().filter(|entry| is_copy(*entry)).map(|(_, file)| Arc::clone(file)).collect();
        for copy in &copies {
            tracing::warn!(path = %copy.path.display(), "a copy among the files of the request log is not read");
        }
        self.remove(&covered);
        self.remove(&copies);
        covered.iter().map(|file| file.path.clone()).collect()
    }

    /// Adds a file in place of others.
    pub(crate) fn add(
        &mut self,
        partition: &Partition,
        path: PathBuf,
        bytes: u64,
        FileSummary { covers, bounds, .. }: FileSummary,
        layout: Layout,
        replaced: &[Arc<LogFile>],
    ) -> Arc<LogFile> {
        self.remove(replaced);
        let layout = self.intern(layout);
        let file = Arc::new(LogFile { path, partition: partition.clone(), source: 0, bytes, covers, bounds, layout });
        let days = self.datasets.entry(Arc::clone(&partition.dataset)).or_default();
        days.entry(partition.day).or_default().push(Arc::clone(&file));
        file
    }

    fn intern(&mut self, layout: Layout) -> Arc<Layout> {
        if let Some(known) = self.layouts.get(&layout) {
            return Arc::clone(known);
        }
        let layout = Arc::new(layout);
        self.layouts.insert(Arc::clone(&layout));
        layout
    }

    /// Takes files out.
    pub(crate) fn remove(&mut self, removed: &[Arc<LogFile>]) {
        for file in removed {
            let Some(days) = self.datasets.get_mut(&file.partition.dataset) else { continue };
            if let Some(files) = days.get_mut(&file.partition.day) {
                files.retain(|known| known.path != file.path);
            }
            days.retain(|_, files| !files.is_empty());
        }
        self.datasets.retain(|_, days| !days.is_empty());
        self.layouts.retain(|layout| Arc::strong_count(layout) > 1);
    }

    /// The files of a dataset, oldest day first.
    pub(crate) fn files(&self, dataset: &Dataset) -> Vec<Arc<LogFile>> {
        self.datasets.get(dataset).into_iter().flat_map(BTreeMap::values).flatten().cloned().collect()
    }

    /// The files of a day of a dataset.
    pub(crate) fn files_of(&self, partition: &Partition) -> &[Arc<LogFile>] {
        self.datasets
            .get(&partition.dataset)
            .and_then(|days| days.get(&partition.day))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// All files, by dataset and day.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = &[Arc<LogFile>]> {
        self.datasets.values().flat_map(BTreeMap::values).map(Vec::as_slice)
    }

    /// The segments that the files of a day of a dataset cover.
    pub(crate) fn coverage(&self, partition: &Partition) -> Coverage {
        self.files_of(partition).iter().flat_map(|file| file.covers.ranges()).copied().collect()
    }
}

/// The partitions there are folders of.
fn list_partitions(folder: &Path) -> Result<Vec<Partition>, Error> {
    let mut partitions = Vec::new();
    for (namespace, folder) in list_named(folder)? {
        for (deployment, folder) in list_named(&folder)? {
            let dataset = Arc::new(Dataset { namespace: namespace.clone(), deployment });
            let days = list(&folder)?;
            let days = days.iter().filter_map(|path| Day::of_folder(path.file_name()?.to_str()?));
            partitions.extend(days.map(|day| Partition { dataset: Arc::clone(&dataset), day }));
        }
    }
    partitions.sort_unstable();
    Ok(partitions)
}

fn list_named(folder: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let named = |path: PathBuf| Some((name_of_folder(path.file_name()?.to_str()?)?, path));
    Ok(list(folder)?.into_iter().filter_map(named).collect())
}

/// What is in the folder, in order; nothing where there is no such folder.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::File { operation: "list", path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort_unstable();
    Ok(paths)
}

/// The last start of the server of which there is a file; 0 where there is none.
pub(crate) fn newest_epoch(folder: &Path) -> u32 {
    let partitions = list_partitions(folder).unwrap_or_default();
    let paths = partitions.iter().flat_map(|partition| list(&partition.folder(folder)).unwrap_or_default());
    paths.filter_map(|path| FileName::epoch_of(path.file_name()?.to_str()?)).max().unwrap_or_default()
}
