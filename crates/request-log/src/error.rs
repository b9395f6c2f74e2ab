//! What can go wrong while the log is maintained or read.

use std::{io, path::PathBuf};

use parquet::errors::ParquetError;

/// Why the log could not be maintained or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or changed.
    #[error("cannot {operation} `{}`", path.display())]
    File {
        /// What was attempted.
        operation: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A Parquet file could not be read or written.
    #[error("cannot {operation} the Parquet file `{}`", path.display())]
    Parquet {
        /// What was attempted.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: ParquetError,
    },
    /// The file is not one that this version wrote.
    #[error("`{}` is not a file of the request log: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A bucket could not be read or written.
    #[error("cannot {operation} `{uri}`: {reason}")]
    Bucket {
        /// What was attempted.
        operation: &'static str,
        /// The folder of the bucket.
        uri: String,
        /// Why it failed, and what to do.
        reason: String,
    },
    /// An object was removed or replaced since it was listed.
    #[error("the object `{key}` is not there any more as it was listed")]
    Gone {
        /// The object.
        key: String,
    },
    /// The server stops.
    #[error("maintenance of the request log was interrupted")]
    Interrupted,
}

impl Error {
    /// Whether the file or object was not there, be it that it was moved or removed since it was listed.
    pub(crate) fn is_not_found(&self) -> bool {
        match self {
            Self::Gone { .. } => true,
            Self::File { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Whether a file was read, and holds something else than it should.
    pub(crate) fn is_of_content(&self) -> bool {
        matches!(self, Self::Parquet { .. } | Self::Foreign { .. })
    }

    pub(crate) fn parquet(operation: &'static str, path: &std::path::Path) -> impl Fn(ParquetError) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Parquet { operation, path: path.clone(), source }
    }
}
