//! Folders of buckets, for what is kept there besides models.

use std::sync::Arc;

use object_store::{ObjectStore, path::Path};
use provost_domain::{BucketUri, port::artifacts::FetchError};

use crate::artifacts::{Environment, Location, reason};

/// A folder of a bucket.
#[derive(Debug, Clone)]
pub struct Folder {
    /// A client of the bucket.
    pub store: Arc<dyn ObjectStore>,
    /// What the keys of its objects begin with.
    pub path: Path,
    /// How users write it.
    pub uri: String,
}

/// The folder that `uri` names, with the credentials of `environment`: the same variables that models are
/// fetched with. Nothing is asked yet, so that a store may come up later than whoever uses it.
pub fn open(uri: &BucketUri, environment: &Environment) -> Result<Folder, FetchError> {
    let store = Location::of(uri, environment)?.connect(&uri.bucket)?;
    let path = Path::parse(&uri.key).map_err(|error| FetchError(format!("`{uri}` names no folder: {error}")))?;
    Ok(Folder { store, path, uri: uri.to_string() })
}

/// An error of a store in words for people, with what to do.
pub fn explain(error: &object_store::Error) -> String {
    reason(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_known_before_the_store_is_there() {
        // What the server's start does for the whole process.
        let _already_set = rustls::crypto::ring::default_provider().install_default();
        let uri = "s3://logs/team/a/".parse().unwrap();
        let endpoint = [("AWS_ENDPOINT_URL".to_owned(), "http://127.0.0.1:1".to_owned())].into();
        let folder = open(&uri, &endpoint).unwrap();
        assert_eq!((folder.path.as_ref(), folder.uri.as_str()), ("team/a", "s3://logs/team/a"));
        let error = open(&"mine:logs".parse().unwrap(), &Environment::new()).unwrap_err().to_string();
        assert!(error.starts_with("the remote `mine` is not known: use s3:// or gs://"), "{error}");
    }
}
