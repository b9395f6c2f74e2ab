//! Files of segments whose records are in the datasets by now, to be used again: a page of a new file costs the serving
//! thread several times as much as one that the system has at hand.
//!
//! **Invariant**: the first word of a spare file is 0 on the disk, so that under the name of a segment it is an empty one. What
//! stands behind that are frames of lower numbers than any that follow, by which readers know them.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{Error, disk::Disk};

/// Most files that are kept: what serving threads fill while a batch of segments is rewritten.
const MOST: usize = 16;
const ENDING: &str = "spare";

/// Files to be used again. None are kept by the default.
#[derive(Debug, Default)]
pub(crate) struct Spares {
    folder: PathBuf,
    /// Length of a segment, from which on a file is worth keeping; see [`is_worth_it`](Self::is_worth_it).
    segment_bytes: u64,
    files: Mutex<Vec<Spare>>,
    next: AtomicU32,
}

#[derive(Debug)]
struct Spare {
    path: PathBuf,
    since: Instant,
}

impl Spares {
    /// Those of a log with segments of this length in `folder`. What an earlier start left is removed.
    pub(crate) fn in_folder(folder: PathBuf, segment_bytes: usize) -> io::Result<Self> {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(Self { folder, segment_bytes: segment_bytes as u64, ..Self::default() })
    }

    /// Takes a segment away whose records are elsewhere. One that is gone already is what was wanted.
    pub(crate) fn take_in(&self, disk: &Disk, path: &Path) -> Result<(), Error> {
        if !self.is_worth_it(path) || self.files().len() >= MOST {
            return disk.remove(path);
        }
        let spare = self.folder.join(format!("{:08}.{ENDING}", self.next.fetch_add(1, Ordering::Relaxed)));
        // In this order: whoever reads the segment meanwhile sees that its name is gone.
        disk.set_aside(path, &spare)?;
        match blank(&spare) {
            Ok(()) => self.files().push(Spare { path: spare, since: Instant::now() }),
            Err(error) => {
                tracing::debug!(%error, "a segment's file cannot be used again, and is removed");
                disk.remove(&spare)?;
            }
        }
        Ok(())
    }

    /// Whether most of a segment is there: the rest would have to be made anew. Longer ones are of long records.
    fn is_worth_it(&self, path: &Path) -> bool {
        let length = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        length > 0 && (self.segment_bytes / 2..=self.segment_bytes).contains(&length)
    }

    /// A file to use, the latest.
    pub(super) fn take(&self) -> Option<PathBuf> {
        self.files().pop().map(|spare| spare.path)
    }

    /// Removes what nobody used for so long.
    pub(crate) fn trim(&self, kept: Duration) {
        let old = self.files().extract_if(.., |spare| spare.since.elapsed() >= kept).collect::<Vec<_>>();
        for spare in old {
            if let Err(error) = std::fs::remove_file(&spare.path) {
                tracing::warn!(%error, path = %spare.path.display(), "cannot remove a file that is not used any more");
            }
        }
    }

    fn files(&self) -> MutexGuard<'_, Vec<Spare>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn blank(path: &Path) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    file.write_all_at(&[0; 8], 0)?;
    file.sync_data()
}
