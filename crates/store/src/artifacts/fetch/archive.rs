//! Archives of hostile origin: nothing leaves the folder, and everything is within the limits.

use std::{
    io::{self, Read},
    path::{Component, Path},
};

use provost_domain::Digest;
use tar::{Archive, EntryType};

use super::{Limits, copy_to};

/// Unpacks a tar archive into the folder `to`, and gives its files in the order of their names. Folders
/// that all files are in are kept, as they are in the archive.
pub(super) fn unpack(archive: impl Read, to: &Path, limits: &Limits) -> io::Result<Vec<(String, Digest, u64)>> {
    let mut archive = Archive::new(archive);
    let (mut files, mut left) = (Vec::new(), limits.bytes);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = name_of(&entry.path()?)?;
        match entry.header().entry_type() {
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {}
            kind => {
                return Err(refused(&format!("the archive holds `{name}`, which is no file but of the kind {kind:?}")));
            }
        }
        // A name that comes twice is refused by this.
        let (digest, length) = copy_to(&mut entry, &to.join(&name), left)?;
        left -= length;
        files.push((name, digest, length));
        if files.len() > limits.files {
            return Err(refused(&format!("the archive has more than {} files", limits.files)));
        }
    }
    if files.is_empty() {
        return Err(refused("the archive holds no file"));
    }
    files.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    Ok(files)
}

/// The name of an entry, which must stay below the folder.
fn name_of(path: &Path) -> io::Result<String> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str().ok_or_else(|| refused("a name is not UTF-8"))?),
            _ => return Err(refused(&format!("the archive holds `{}`, which leaves its folder", path.display()))),
        }
    }
    Ok(parts.join("/"))
}

fn refused(reason: &str) -> io::Error {
    io::Error::other(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tar::{Builder, Header};

    use super::*;
    use crate::artifacts::fetch::Patience;

    fn limits() -> Limits {
        Limits { bytes: 100, files: 3, patience: Patience::default() }
    }

    fn entry(archive: &mut Builder<Vec<u8>>, name: &str, kind: EntryType, content: &[u8]) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        if kind == EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        // Set past the checks of the library, as a hostile archive would be.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, content).unwrap();
    }

    #[track_caller]
    fn check(entries: &[(&str, EntryType, &[u8])], expected: Result<&[&str], &str>) {
        let mut archive = Builder::new(Vec::new());
        for (name, kind, content) in entries {
            entry(&mut archive, name, *kind, content);
        }
        let folder = tempfile::tempdir().unwrap();
        let unpacked = unpack(&*archive.into_inner().unwrap(), &folder.path().join("in"), &limits());
        let names = unpacked.map(|files| files.into_iter().map(|(name, ..)| name).collect::<Vec<_>>());
        let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(names.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written beside the folder");
    }

    #[test]
    fn files_are_unpacked_with_their_folders() {
        let files: [(&str, EntryType, &[u8]); 3] = [
            ("m", EntryType::Directory, b""),
            ("./m/model.joblib", EntryType::Regular, b"abc"),
            ("m/a.txt", EntryType::Regular, b""),
        ];
        check(&files, Ok(&["m/a.txt", "m/model.joblib"]));
    }

    #[test]
    fn what_leaves_the_folder_is_refused() {
        let first = ("a", EntryType::Regular, &b"x"[..]);
        for (name, expected) in [
            ("../x", "the archive holds `../x`, which leaves its folder"),
            ("/etc/x", "the archive holds `/etc/x`, which leaves its folder"),
            ("m/../../x", "the archive holds `m/../../x`, which leaves its folder"),
        ] {
            check(&[first, (name, EntryType::Regular, b"x")], Err(expected));
        }
        let link = "the archive holds `l`, which is no file but of the kind Symlink";
        check(&[first, ("l", EntryType::Symlink, b"")], Err(link));
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let long = [1; 60];
        check(
            &[("a", EntryType::Regular, &long), ("b", EntryType::Regular, &long)],
            Err("there are more bytes than are allowed"),
        );
        let many: Vec<_> = ["a", "b", "c", "d"].map(|name| (name, EntryType::Regular, &b"x"[..])).to_vec();
        check(&many, Err("the archive has more than 3 files"));
    }

    #[test]
    fn an_archive_without_files_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let error = unpack(&*Builder::new(Vec::new()).into_inner().unwrap(), folder.path(), &limits()).unwrap_err();
        assert_eq!(error.to_string(), "the archive holds no file");
    }
}
