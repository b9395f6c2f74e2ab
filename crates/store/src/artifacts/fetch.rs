//! Copies what a model URI names into the store.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use provost_domain::{Digest, ModelUri, port::artifacts::FetchError};
use sha2::{Digest as _, Sha256};

use super::{FilesystemArtifacts, relative};

/// Numbers the copies under way.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Copies the artifact and tells its digest. What is kept already is not kept twice.
pub(super) fn fetch(store: &FilesystemArtifacts, uri: &str) -> Result<Digest, FetchError> {
    let source = locate(store, uri)?;
    let incoming = store.incoming().join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
    let digest = copy(store, &source, &incoming).and_then(|digest| {
        keep(store, &incoming, &digest).map_err(|error| failed(&source.shown, &error))?;
        Ok(digest)
    });
    if incoming.exists() {
        // What is left is removed at the next start at the latest.
        let _left = fs::remove_dir_all(&incoming);
    }
    digest
}

/// A local artifact.
struct Source {
    /// Its path with links resolved.
    path: PathBuf,
    /// Its path as the user knows it.
    shown: String,
}

fn locate(store: &FilesystemArtifacts, uri: &str) -> Result<Source, FetchError> {
    let ModelUri::Path(path) = ModelUri::parse(uri).map_err(|error| FetchError(error.to_string()))?;
    let path = PathBuf::from(path);
    let shown = std::path::absolute(&path).unwrap_or(path).display().to_string();
    let path = fs::canonicalize(&shown).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => FetchError(format!("there is no file or folder `{shown}`: check the model URI")),
        _ => failed(&shown, &error),
    })?;
    let roots = store.options.roots.as_deref();
    if roots.is_some_and(|roots| !roots.iter().any(|root| path.starts_with(root))) {
        return Err(FetchError(format!(
            "`{shown}` is outside the folders this server reads models from: add its folder to `model-roots` in the configuration"
        )));
    }
    Ok(Source { path, shown })
}

fn copy(store: &FilesystemArtifacts, source: &Source, target: &Path) -> Result<Digest, FetchError> {
    let files = list(store, source)?;
    let mut sum = Sha256::new();
    for (path, name) in &files {
        let (content, length) =
            copy_file(path, &target.join(name)).map_err(|error| failed(&path.display().to_string(), &error))?;
        sum.update(format!("{} {length} {name}\n", content.hex()));
    }
    Ok(Digest::from_sha256(&sum.finalize()))
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

fn copy_file(from: &Path, to: &Path) -> io::Result<(Digest, u64)> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let (mut from, mut to) = (fs::File::open(from)?, fs::File::create_new(to)?);
    let (mut sum, mut length, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        sum.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        length += read as u64;
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
