//! Where a model's files are, as manifests write it.

use std::{fmt, str::FromStr};

/// A model URI, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelUri {
    /// A path of this machine, plain or as `file:///path`.
    Path(String),
    /// A file that a web server gives, by its whole URL.
    Web(String),
    /// Objects of a bucket.
    Bucket(BucketUri),
    /// Files of a volume that is claimed on Kubernetes.
    Claim(ClaimUri),
}

/// Objects of a bucket: `s3://bucket/key`, `gs://bucket/key`, or rclone's `remote:bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketUri {
    /// The scheme, or the name of the rclone remote.
    pub remote: String,
    /// The bucket.
    pub bucket: String,
    /// The key of one object, or what the keys of several have in common up to a `/`; may be empty.
    pub key: String,
}

/// Files of a claimed volume: `pvc://claim/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimUri {
    /// The name of the `PersistentVolumeClaim`.
    pub claim: String,
    /// The path in it, without a `/` at its ends; empty for all of the volume.
    pub path: String,
}

/// Why a URI names nothing that can be read. The text is for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidModelUri {
    /// There is none.
    #[error("the model URI is empty")]
    Empty,
    /// A file URI without an absolute path.
    #[error("`{0}`: a file URI is written file:///absolute/path")]
    File(String),
    /// No bucket follows the scheme.
    #[error("`{0}`: a bucket must follow the scheme, as in s3://bucket/path")]
    NoBucket(String),
    /// A web address without a host.
    #[error("`{0}`: a host must follow the scheme, as in https://host/model.joblib")]
    NoHost(String),
    /// No claim follows the scheme.
    #[error("`{0}`: a claim must follow the scheme, as in pvc://claim/path")]
    NoClaim(String),
}

/// It is no URI of a bucket. The text is for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no bucket: write s3://bucket/prefix, gs://bucket/prefix, or remote:bucket/prefix for a remote of rclone's"
)]
pub struct InvalidBucketUri(String);

impl FromStr for BucketUri {
    type Err = InvalidBucketUri;

    fn from_str(uri: &str) -> Result<Self, InvalidBucketUri> {
        match ModelUri::parse(uri) {
            Ok(ModelUri::Bucket(bucket)) if bucket.key.split('/').all(|part| !matches!(part, "." | "..")) => Ok(bucket),
            _ => Err(InvalidBucketUri(uri.to_owned())),
        }
    }
}

impl fmt::Display for BucketUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { remote, bucket, key } = self;
        let separator = if key.is_empty() { "" } else { "/" };
        write!(f, "{remote}://{bucket}{separator}{key}")
    }
}

impl ModelUri {
    /// Reads a URI.
    pub fn parse(uri: &str) -> Result<Self, InvalidModelUri> {
        if uri.trim().is_empty() {
            return Err(InvalidModelUri::Empty);
        }
        match uri.split_once(':') {
            Some(("file", rest)) => {
                let path = rest.strip_prefix("//").map(|rest| rest.strip_prefix("localhost").unwrap_or(rest));
                let path = path.filter(|path| path.starts_with('/'));
                let path = path.ok_or_else(|| InvalidModelUri::File(uri.to_owned()))?;
                Ok(Self::Path(percent_decode(path)))
            }
            Some(("http" | "https", rest)) => {
                let host = rest.strip_prefix("//").filter(|rest| !rest.is_empty() && !rest.starts_with('/'));
                host.map(|_| Self::Web(uri.to_owned())).ok_or_else(|| InvalidModelUri::NoHost(uri.to_owned()))
            }
            Some(("pvc", rest)) => {
                let claim = ClaimUri::parse(rest).map(Self::Claim);
                claim.ok_or_else(|| InvalidModelUri::NoClaim(uri.to_owned()))
            }
            Some((remote, rest)) if is_remote(remote) => {
                let rest = rest.trim_start_matches('/');
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return Err(InvalidModelUri::NoBucket(uri.to_owned()));
                }
                let key = key.trim_matches('/').to_owned();
                Ok(Self::Bucket(BucketUri { remote: remote.to_owned(), bucket: bucket.to_owned(), key }))
            }
            _ => Ok(Self::Path(uri.to_owned())),
        }
    }
}

impl ClaimUri {
    /// Reads what follows the scheme. A path that leaves the volume names nothing in it.
    fn parse(rest: &str) -> Option<Self> {
        let rest = rest.strip_prefix("//")?;
        let (claim, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_inside = !path.split('/').any(|part| part == "..");
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
        let is_claim = !claim.is_empty() && claim.bytes().all(is_name);
        (is_claim && is_inside).then(|| Self { claim: claim.to_owned(), path: path.trim_matches('/').to_owned() })
    }
}

/// Whether it is a scheme or the name of an rclone remote, and no path.
fn is_remote(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn percent_decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = path.get(at + 1..at + 3).filter(|_| *byte == b'%').and_then(|d| u8::from_str_radix(d, 16).ok());
        decoded.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: &str) {
        let shown = match ModelUri::parse(uri) {
            Ok(ModelUri::Path(path)) => path,
            Ok(ModelUri::Web(url)) => format!("web {url}"),
            Ok(ModelUri::Bucket(BucketUri { remote, bucket, key })) => format!("{remote} | {bucket} | {key}"),
            Ok(ModelUri::Claim(ClaimUri { claim, path })) => format!("claim {claim} | {path}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn paths_and_file_uris_are_read() {
        check("/models/iris", "/models/iris");
        check("models/a:b/c", "models/a:b/c");
        check("C:/models", "C:/models");
        check("file:///a%20b/%C3%BC%", "/a b/ü%");
        check("file://localhost/models", "/models");
    }

    #[test]
    fn buckets_are_written_as_uris_or_as_rclone_does() {
        check("gs://seldon-models/sklearn/iris", "gs | seldon-models | sklearn/iris");
        check("s3://bucket/", "s3 | bucket | ");
        check("mys3:sklearn/iris/", "mys3 | sklearn | iris");
        check("my-s3://sklearn/iris", "my-s3 | sklearn | iris");
        check("https://example.org/m.tar.gz?x=1", "web https://example.org/m.tar.gz?x=1");
    }

    #[test]
    fn claims_are_followed_by_a_path_or_not() {
        check("pvc://models/iris/v1/", "claim models | iris/v1");
        check("pvc://models", "claim models | ");
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for uri in ["file:models", "file://models", "file:/models"] {
            check(uri, &format!("`{uri}`: a file URI is written file:///absolute/path"));
        }
        check(" ", "the model URI is empty");
        check("s3://", "`s3://`: a bucket must follow the scheme, as in s3://bucket/path");
        check("http:///m", "`http:///m`: a host must follow the scheme, as in https://host/model.joblib");
        for uri in ["pvc://", "pvc:///m", "pvc:claim/m", "pvc://My_Claim/m", "pvc://claim/a/../../b"] {
            check(uri, &format!("`{uri}`: a claim must follow the scheme, as in pvc://claim/path"));
        }
    }

    #[test]
    fn a_bucket_is_told_from_anything_else() {
        for (uri, expected) in
            [("s3://logs/team/a/", "s3://logs/team/a"), ("gs://logs", "gs://logs"), ("mys3:logs/a", "mys3://logs/a")]
        {
            assert_eq!(uri.parse::<BucketUri>().map(|uri| uri.to_string()).as_deref(), Ok(expected));
        }
        for uri in ["", "/var/log", "s3://", "https://host/a", "pvc://claim/a", "s3://logs/../a", "file:///a"] {
            let error = uri.parse::<BucketUri>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{uri}` is no bucket: write s3://bucket/prefix")), "{error}");
        }
    }
}
