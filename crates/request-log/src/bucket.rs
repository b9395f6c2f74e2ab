//! The folder of a bucket in which the servers of a cluster keep one log together.
//!
//! Every call is bounded in time. Objects are named as [`name`] tells, and never change.

mod cache;
mod covered;
mod name;
mod objects;

use std::{fmt, path::Path as FilePath, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _, path::Path};

use crate::Error;

pub use cache::CacheOptions;
pub(crate) use cache::{Cache, Listed};
pub(crate) use covered::{Covered, sort_out};
pub(crate) use name::{ObjectName, Origin, dataset_folder, folder_of, key_of};
pub(crate) use objects::last_micros;

/// Longest wait for the answer to one call.
const CALL_MAX: Duration = Duration::from_secs(30);
/// A longer file is sent in parts, each of this length but the last.
const PART_BYTES: u64 = 8 << 20;

/// A folder of a bucket, as the request log uses it.
#[derive(Clone)]
pub struct Bucket {
    /// A client of the bucket.
    pub store: Arc<dyn ObjectStore>,
    /// What the keys of the log's objects begin with.
    pub path: Path,
    /// How users write it.
    pub uri: String,
    /// Tells an error of the store in words for people.
    pub explain: fn(&object_store::Error) -> String,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("uri", &self.uri).finish_non_exhaustive()
    }
}

impl Bucket {
    /// Puts the file there, in place of one of that key. A file that is sent in parts is there with the last
    /// of them or not at all.
    pub(crate) async fn put(&self, key: &Path, file: &FilePath, bytes: u64) -> Result<(), Error> {
        if bytes <= PART_BYTES {
            let content = read(file, 0, bytes).await?;
            self.bounded("write", self.store.put(key, content.into())).await.map(drop)
        } else {
            let mut upload = self.bounded("write", self.store.put_multipart(key)).await?;
            let sent = self.put_parts(&mut *upload, file, bytes).await;
            if sent.is_err() {
                // The store drops unfinished uploads sooner or later.
                let _aborted = tokio::time::timeout(CALL_MAX, upload.abort()).await;
            }
            sent
        }
    }

    /// Writes the object to a new file. One that went meanwhile is told as [`Error::Gone`].
    pub(crate) async fn get(&self, key: &Path, to: &FilePath, bytes: u64) -> Result<(), Error> {
        let failed = |source| Error::File { operation: "write", path: to.to_owned(), source };
        let gone = || Error::Gone { key: key.to_string() };
        let found = async {
            match self.store.get(key).await {
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                found => found.map(Some),
            }
        };
        let mut content = self.bounded("read", found).await?.ok_or_else(gone)?.into_stream();
        let mut file = std::fs::File::create(to).map_err(failed)?;
        let mut length = 0;
        while let Some(piece) = self.bounded("read", content.try_next()).await? {
            length += piece.len() as u64;
            if length > bytes {
                break;
            }
            std::io::Write::write_all(&mut file, &piece).map_err(failed)?;
        }
        if length == bytes { Ok(()) } else { Err(gone()) }
    }

    async fn put_parts(&self, upload: &mut dyn MultipartUpload, file: &FilePath, bytes: u64) -> Result<(), Error> {
        let mut at = 0;
        while at < bytes {
            let length = PART_BYTES.min(bytes - at);
            let part = read(file, at, length).await?;
            self.bounded("write", upload.put_part(part.into())).await?;
            at += length;
        }
        self.bounded("write", upload.complete()).await.map(drop)
    }

    /// What the call gives, unless that takes too long.
    pub(crate) async fn bounded<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(CALL_MAX, call).await {
            Ok(done) => done.map_err(|error| self.failed(operation, (self.explain)(&error))),
            Err(_) => Err(self.failed(operation, format!("there was no answer within {} s", CALL_MAX.as_secs()))),
        }
    }

    pub(crate) fn failed(&self, operation: &'static str, reason: String) -> Error {
        Error::Bucket { operation, uri: self.uri.clone(), reason }
    }
}

/// Reads a part of a file, away from the threads that wait for the network.
async fn read(file: &FilePath, at: u64, length: u64) -> Result<Bytes, Error> {
    use std::os::unix::fs::FileExt as _;
    let path = file.to_owned();
    let read = move || {
        let mut content = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        let read = std::fs::File::open(&path).and_then(|file| file.read_exact_at(&mut content, at));
        read.map(|()| Bytes::from(content)).map_err(|source| Error::File { operation: "read", path, source })
    };
    tokio::task::spawn_blocking(read).await.unwrap_or(Err(Error::Interrupted))
}
