//! Which store a bucket URI means, from the fetcher's environment: the variables that rclone reads
//! (`RCLONE_CONFIG_<REMOTE>_…`), those of the AWS tools and of Google's, and those of `KFServing`'s fetcher.

mod google;
mod s3;
#[cfg(test)]
mod tests;

use std::{fs, sync::Arc, time::Duration};

use object_store::{ClientOptions, ObjectStore, RetryConfig};
use provost_domain::{BucketUri, port::artifacts::FetchError};

use self::{google::Google, s3::S3};
use crate::artifacts::Environment;

/// A store and how to get in. What is secret of it is never printed.
#[derive(Debug)]
pub(crate) enum Location {
    /// Amazon S3, or what speaks its protocol.
    S3(S3),
    /// Google Cloud Storage.
    Gs(Google),
}

impl Location {
    /// The store that `uri` means in this environment. Files of keys and certificates that it names are read.
    pub(crate) fn of(uri: &BucketUri, environment: &Environment) -> Result<Self, FetchError> {
        let remote = Remote { name: &uri.remote, environment };
        match (remote.get("TYPE").unwrap_or_default().to_lowercase().as_str(), uri.remote.as_str()) {
            ("s3", _) => S3::of_remote(&remote).map(Self::S3),
            ("google cloud storage" | "gcs", _) => Google::of_remote(&remote).map(Self::Gs),
            ("", "s3") => S3::of_environment(environment).map(Self::S3),
            ("", "gs") => Google::of_environment(environment).map(Self::Gs),
            ("", name) => Err(FetchError(format!(
                "the remote `{name}` is not known: use s3:// or gs://, or define {} in the fetcher's environment",
                remote.variable("TYPE"),
            ))),
            (kind, _) => {
                Err(FetchError(format!("the remote `{}` has the type `{kind}`; s3 and gcs are supported", uri.remote)))
            }
        }
    }

    /// A client of the bucket.
    pub(crate) fn connect(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>, FetchError> {
        // A download may take long; that nothing comes is watched for by the one who reads.
        let client = ClientOptions::new().with_timeout_disabled().with_connect_timeout(Duration::from_secs(10));
        let client = client.with_allow_http(true);
        let retry = RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() };
        let connected = match self {
            Self::S3(s3) => s3.connect(bucket, client, retry),
            Self::Gs(google) => google.connect(bucket, client, retry),
        };
        connected.map_err(|error| FetchError(format!("cannot reach the bucket `{bucket}`: {error}")))
    }
}

/// An rclone remote.
struct Remote<'a> {
    name: &'a str,
    environment: &'a Environment,
}

impl Remote<'_> {
    fn variable(&self, option: &str) -> String {
        format!("RCLONE_CONFIG_{}_{option}", self.name.to_uppercase().replace('-', "_"))
    }

    fn get(&self, option: &str) -> Option<String> {
        given(self.environment, &self.variable(option))
    }

    fn is_set(&self, option: &str) -> bool {
        self.get(option).is_some_and(|value| is_true(&value))
    }
}

/// A variable that says something.
fn given(environment: &Environment, name: &str) -> Option<String> {
    environment.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn with_scheme(endpoint: String) -> String {
    if endpoint.contains("://") { endpoint } else { format!("https://{endpoint}") }
}

fn is_true(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

fn is_false(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "0" | "false" | "no" | "off")
}

/// The file that a variable names. Who puts the content there instead of the path is told so without showing it.
fn read(variable: &str, path: &str) -> Result<String, FetchError> {
    if path.starts_with('{') || path.contains("-----BEGIN") {
        return Err(FetchError(format!("{variable} is to be the path of a file, and holds its content")));
    }
    fs::read_to_string(path).map_err(|error| FetchError(format!("{variable}: cannot read `{path}`: {error}")))
}
