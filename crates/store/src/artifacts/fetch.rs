//! Copies what a model URI names into the store.

mod archive;
mod bucket;
mod download;
mod location;
mod web;

use std::{
    fs,
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use provost_domain::{
    Digest, ModelUri,
    port::artifacts::{FetchError, Source as Wanted},
};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::{FilesystemArtifacts, relative};

pub use self::download::Patience;
pub(crate) use self::{bucket::reason, location::Location};

/// Where a copy into a folder is made before it counts.
const INCOMING: &str = ".incoming";

/// Numbers the copies under way.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// What one artifact may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    bytes: u64,
    files: usize,
    patience: Patience,
}

/// Copies the artifact and tells its digest. What is kept already is not kept twice. Blocks; call it where
/// a runtime runs beside.
pub(super) fn fetch(store: &FilesystemArtifacts, wanted: &Wanted) -> Result<Digest, FetchError> {
    let uri = ModelUri::parse(&wanted.uri).map_err(|error| FetchError(error.to_string()))?;
    let incoming = store.incoming().join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
    let digest = fetch_into(store, wanted, &uri, &incoming).and_then(|digest| {
        keep(store, &incoming, &digest).map_err(|error| failed(&wanted.uri, &error))?;
        Ok(digest)
    });
    if incoming.exists() {
        // What is left is removed at the next start at the latest.
        let _left = fs::remove_dir_all(&incoming);
    }
    digest
}

/// Copies the artifact into a folder that may hold an earlier copy, whose files of the same names it replaces. Blocks, too.
pub(super) fn download(store: &FilesystemArtifacts, wanted: &Wanted, folder: &Path) -> Result<Digest, FetchError> {
    let uri = ModelUri::parse(&wanted.uri).map_err(|error| FetchError(error.to_string()))?;
    let shown = folder.display().to_string();
    let cannot = |error: io::Error| FetchError(format!("cannot write to `{shown}`: {error}"));
    let incoming = folder.join(INCOMING);
    if incoming.exists() {
        fs::remove_dir_all(&incoming).map_err(cannot)?;
    }
    fs::create_dir_all(folder).map_err(cannot)?;
    let digest = fetch_into(store, wanted, &uri, &incoming)?;
    move_all(&incoming, folder).map_err(cannot)?;
    Ok(digest)
}

/// Moves what is in a folder to another one, and removes the first.
fn move_all(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        match fs::symlink_metadata(&place) {
            Ok(known) if known.is_dir() => fs::remove_dir_all(&place)?,
            Ok(_) => fs::remove_file(&place)?,
            Err(_none) => {}
        }
        fs::rename(entry.path(), place)?;
    }
    fs::remove_dir(from)
}

fn fetch_into(
    store: &FilesystemArtifacts,
    wanted: &Wanted,
    uri: &ModelUri,
    incoming: &Path,
) -> Result<Digest, FetchError> {
    let options = &store.options;
    let limits = Limits { bytes: options.bytes_max, files: options.files_max, patience: options.patience };
    match uri {
        ModelUri::Path(path) => copy(store, &locate(store, path)?, incoming),
        ModelUri::Web(url) => web::fetch(&Handle::current(), url, &limits, incoming),
        ModelUri::Claim(_) => {
            Err(FetchError(format!("`{}`: a claimed volume is read where it is mounted", wanted.uri)))
        }
        ModelUri::Bucket(bucket) => {
            let environment = store.options.environments.of(wanted)?;
            bucket::fetch(&Handle::current(), bucket, environment, &limits, incoming)
        }
    }
}

/// A local artifact.
struct Source {
    /// Its path with links resolved.
    path: PathBuf,
    /// Its path as the user knows it.
    shown: String,
}

fn locate(store: &FilesystemArtifacts, path: &str) -> Result<Source, FetchError> {
    let path = PathBuf::from(path);
    let shown = std::path::absolute(&path).unwrap_or(path).display().to_string();
    let path = fs::canonicalize(&shown).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => FetchError(format!("there is no file or folder `{shown}`: check the model URI")),
        _ => failed(&shown, &error),
    })?;
    let roots = store.options.roots.as_deref();
    if roots.is_some_and(|roots| !roots.iter().any(|root| path.starts_with(root))) {
        return Err(FetchError(format!(
            "`{shown}` is outside the folders this server reads models from: add its folder to `artifacts.roots` in the configuration"
        )));
    }
    Ok(Source { path, shown })
}

fn copy(store: &FilesystemArtifacts, source: &Source, target: &Path) -> Result<Digest, FetchError> {
    let (mut files, mut left) = (Vec::new(), store.options.bytes_max);
    for (path, name) in list(store, source)? {
        let copied = fs::File::open(&path).and_then(|from| copy_to(from, &target.join(&name), left));
        let (content, length) = copied.map_err(|error| failed(&path.display().to_string(), &error))?;
        left -= length;
        files.push((name, content, length));
    }
    Ok(manifest_digest(&files))
}

/// The digest of an artifact from those of its files, which are in the order of their names.
fn manifest_digest(files: &[(String, Digest, u64)]) -> Digest {
    let mut sum = Sha256::new();
    for (name, content, length) in files {
        sum.update(format!("{} {length} {name}\n", content.hex()));
    }
    Digest::from_sha256(&sum.finalize())
}

/// The files of the artifact with their names in it, in the order of these, within the limits.
fn list(store: &FilesystemArtifacts, source: &Source) -> Result<Vec<(PathBuf, String)>, FetchError> {
    let error = |error: io::Error| failed(&source.shown, &error);
    let mut files = Vec::new();
    if fs::metadata(&source.path).map_err(error)?.is_dir() {
        walk(&source.path, store.options.files_max, &mut files).map_err(error)?;
    } else {
        let name = source.path.file_name().and_then(|name| name.to_str()).unwrap_or("model");
        files.push((source.path.clone(), name.to_owned()));
    }
    files.sort_by(|a, b| a.1.cmp(&b.1));
    let mut bytes = 0_u64;
    for (path, _) in &files {
        bytes = bytes.saturating_add(fs::metadata(path).map_err(error)?.len());
    }
    if bytes > store.options.bytes_max {
        let most = store.options.bytes_max;
        return Err(FetchError(format!("`{}` has {bytes} bytes, more than the {most} allowed", source.shown)));
    }
    Ok(files)
}

/// All files below `root`. Links are followed where they stay below it.
fn walk(root: &Path, files_max: usize, files: &mut Vec<(PathBuf, String)>) -> io::Result<()> {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let kind = fs::symlink_metadata(&path)?;
            if kind.is_symlink()
                && !fs::canonicalize(&path).is_ok_and(|target| target.starts_with(root) && target.is_file())
            {
                let message = format!("`{}` is a link that leaves the model's folder", path.display());
                return Err(io::Error::other(message));
            }
            if kind.is_dir() {
                folders.push(path);
            } else if let Some(name) = relative(&path, root) {
                files.push((path, name));
            }
            if files.len() + folders.len() > files_max {
                return Err(io::Error::other(format!("the folder has more than {files_max} files")));
            }
        }
    }
    Ok(())
}

/// Copies to a new file, at most `bytes_max` bytes, and tells the digest and length of what was copied.
fn copy_to(mut from: impl Read, to: &Path, bytes_max: u64) -> io::Result<(Digest, u64)> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut to = fs::File::create_new(to)?;
    let (mut sum, mut length, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        length += read as u64;
        if length > bytes_max {
            return Err(io::Error::other("there are more bytes than are allowed"));
        }
        sum.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
    }
    to.sync_all()?;
    Ok((Digest::from_sha256(&sum.finalize()), length))
}

/// Moves a finished copy to its place, unless it is there already.
fn keep(store: &FilesystemArtifacts, incoming: &Path, digest: &Digest) -> io::Result<()> {
    fs::create_dir_all(incoming)?;
    let place = store.path(digest);
    if !place.exists() {
        fs::rename(incoming, &place)?;
        fs::File::open(store.kept())?.sync_all()?;
    }
    Ok(())
}

fn failed(path: &str, error: &io::Error) -> FetchError {
    FetchError(format!("cannot read `{path}`: {error}"))
}
