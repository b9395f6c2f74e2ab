//! Counts the starts of the server, so that names and sequence numbers are never used twice.

use std::{io, path::Path, str::FromStr, time::SystemTime};

use crate::{dataset::newest_epoch, segment::SegmentName};

/// Version of the log's folder; that of a later one is refused.
const FORMAT: u32 = 1;

/// Refuses a folder that a newer version wrote, and marks a new one.
pub(crate) fn check_format(folder: &Path) -> io::Result<()> {
    let path = folder.join("format");
    match read_number::<u32>(&path)? {
        None => write_number(&path, FORMAT),
        Some(format) if format <= FORMAT => Ok(()),
        Some(format) => {
            let text = format!("`{}` was written by a newer version of Provost (format {format})", folder.display());
            Err(io::Error::other(text))
        }
    }
}

/// Counts this start in the file `epoch`, which is on the disk before any segment carries the number.
pub(crate) fn start(folder: &Path) -> io::Result<u32> {
    let path = folder.join("epoch");
    let last = match read_number(&path)? {
        Some(last) => last,
        // Lost or never there: whatever carries an epoch tells it.
        None => newest_epoch(&folder.join("datasets")).max(newest_segment(&folder.join("segments"))?),
    };
    let epoch = last.checked_add(1).ok_or_else(|| io::Error::other("the request log has no epochs left"))?;
    write_number(&path, epoch)?;
    Ok(epoch)
}

/// A number that this folder got when it was first asked for, and no other folder has.
pub(crate) fn folder_number(folder: &Path) -> io::Result<u64> {
    let path = folder.join("origin");
    if let Some(number) = read_number(&path)? {
        return Ok(number);
    }
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let number = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX);
    write_number(&path, number)?;
    Ok(number)
}

fn newest_segment(folder: &Path) -> io::Result<u32> {
    let mut newest = 0;
    for entry in std::fs::read_dir(folder)? {
        newest = newest.max(SegmentName::of_path(&entry?.path()).map_or(0, |name| name.epoch));
    }
    Ok(newest)
}

fn read_number<N: FromStr>(path: &Path) -> io::Result<Option<N>> {
    match std::fs::read_to_string(path) {
        Ok(text) => match text.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(io::Error::other(format!("`{}` holds no number", path.display()))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_number(path: &Path, number: impl ToString) -> io::Result<()> {
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, number.to_string())?;
    std::fs::File::open(&temporary)?.sync_all()?;
    std::fs::rename(&temporary, path)?;
    path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_count_goes_on_after_what_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let day = folder.path().join("datasets/default/iris/day=2026-01-31");
        std::fs::create_dir_all(&day).unwrap();
        std::fs::create_dir_all(folder.path().join("segments")).unwrap();
        assert_eq!(start(folder.path()).unwrap(), 1);
        std::fs::write(folder.path().join("segments/00000007-000-00000000.segment"), "").unwrap();
        assert_eq!(start(folder.path()).unwrap(), 2);
        std::fs::remove_file(folder.path().join("epoch")).unwrap();
        assert_eq!(start(folder.path()).unwrap(), 8);
        std::fs::remove_file(folder.path().join("epoch")).unwrap();
        std::fs::write(day.join("00000011-000-00000000-00000001.parquet"), "").unwrap();
        assert_eq!(start(folder.path()).unwrap(), 12);
    }

    #[test]
    fn a_folder_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        check_format(folder.path()).unwrap();
        check_format(folder.path()).unwrap();
        std::fs::write(folder.path().join("format"), "2\n").unwrap();
        let error = check_format(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("was written by a newer version of Provost (format 2)"), "{error}");
    }
}
