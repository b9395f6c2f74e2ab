//! Which store a bucket URI means, from the fetcher's environment: the variables that rclone reads
//! (`RCLONE_CONFIG_<REMOTE>_…`), and those of the AWS tools and of `KFServing`'s fetcher.

use std::{fmt, sync::Arc, time::Duration};

use object_store::{ClientOptions, ObjectStore, RetryConfig, aws::AmazonS3Builder, gcp::GoogleCloudStorageBuilder};
use provost_domain::{BucketUri, port::artifacts::FetchError};

use crate::artifacts::Environment;

/// A store and how to get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// Amazon S3, or what speaks its protocol.
    S3 { endpoint: Option<String>, region: String, keys: Option<Keys> },
    /// Google Cloud Storage, without credentials.
    Gs { endpoint: Option<String> },
}

/// Credentials of S3. The secret ones are never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    id: String,
    secret: String,
    token: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Location {
    /// The store that `uri` means in this environment.
    pub(crate) fn of(uri: &BucketUri, environment: &Environment) -> Result<Self, FetchError> {
        let remote = Remote { name: &uri.remote, environment };
        match (remote.get("TYPE").unwrap_or_default().to_lowercase().as_str(), uri.remote.as_str()) {
            ("s3", _) => remote.s3(),
            ("google cloud storage" | "gcs", _) => remote.gs(),
            ("", "s3") => aws(environment),
            ("", "gs") => Ok(Self::Gs { endpoint: given(environment, "STORAGE_EMULATOR_HOST").map(with_scheme) }),
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
        let failed = |error: object_store::Error| FetchError(format!("cannot reach the bucket `{bucket}`: {error}"));
        // A download may take long; that nothing comes is watched for by the one who reads.
        let client = ClientOptions::new().with_timeout_disabled().with_connect_timeout(Duration::from_secs(10));
        let client = client.with_allow_http(true);
        let retry = RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() };
        match self {
            Self::S3 { endpoint, region, keys } => {
                let mut builder = AmazonS3Builder::new().with_bucket_name(bucket).with_region(region);
                builder = builder.with_client_options(client).with_retry(retry);
                if let Some(endpoint) = endpoint {
                    builder = builder.with_endpoint(endpoint);
                }
                builder = match keys {
                    None => builder.with_skip_signature(true),
                    Some(keys) => builder.with_access_key_id(&keys.id).with_secret_access_key(&keys.secret),
                };
                if let Some(token) = keys.as_ref().and_then(|keys| keys.token.as_ref()) {
                    builder = builder.with_token(token);
                }
                Ok(Arc::new(builder.build().map_err(failed)?))
            }
            Self::Gs { endpoint } => {
                let mut builder = GoogleCloudStorageBuilder::new().with_bucket_name(bucket).with_skip_signature(true);
                builder = builder.with_client_options(client).with_retry(retry);
                if let Some(endpoint) = endpoint {
                    builder = builder.with_base_url(endpoint);
                }
                Ok(Arc::new(builder.build().map_err(failed)?))
            }
        }
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

    fn s3(&self) -> Result<Location, FetchError> {
        if self.is_set("ENV_AUTH") {
            return aws(self.environment).map(|location| self.over(location));
        }
        let keys = match (self.get("ACCESS_KEY_ID"), self.get("SECRET_ACCESS_KEY")) {
            (None, None) => None,
            (Some(id), Some(secret)) => Some(Keys { id, secret, token: self.get("SESSION_TOKEN") }),
            _ => return Err(half(&self.variable("ACCESS_KEY_ID"), &self.variable("SECRET_ACCESS_KEY"))),
        };
        Ok(self.over(Location::S3 { endpoint: None, region: DEFAULT_REGION.to_owned(), keys }))
    }

    /// The remote's own endpoint and region come before those of the environment.
    fn over(&self, location: Location) -> Location {
        match location {
            Location::S3 { endpoint, region, keys } => Location::S3 {
                endpoint: self.get("ENDPOINT").map(with_scheme).or(endpoint),
                region: self.get("REGION").unwrap_or(region),
                keys,
            },
            other @ Location::Gs { .. } => other,
        }
    }

    fn gs(&self) -> Result<Location, FetchError> {
        if self.get("SERVICE_ACCOUNT_CREDENTIALS").or_else(|| self.get("SERVICE_ACCOUNT_FILE")).is_some() {
            let message =
                "service accounts of Google Cloud are not supported yet; use a bucket that everybody may read";
            return Err(FetchError(format!("the remote `{}`: {message}", self.name)));
        }
        Ok(Location::Gs { endpoint: self.get("ENDPOINT").map(with_scheme) })
    }
}

const DEFAULT_REGION: &str = "us-east-1";

/// S3 as the variables of the AWS tools and of `KFServing`'s fetcher describe it.
fn aws(environment: &Environment) -> Result<Location, FetchError> {
    let get = |name: &str| given(environment, name);
    let keys = match (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")) {
        (None, None) => None,
        (Some(id), Some(secret)) => Some(Keys { id, secret, token: get("AWS_SESSION_TOKEN") }),
        _ => return Err(half("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
    };
    let is_plain = ["USE_SSL", "S3_USE_HTTPS"].iter().any(|name| get(name).is_some_and(|value| !is_true(&value)));
    let endpoint = get("AWS_ENDPOINT_URL").or_else(|| get("S3_ENDPOINT")).map(|endpoint| {
        let is_bare = !endpoint.contains("://");
        if is_plain && is_bare { format!("http://{endpoint}") } else { with_scheme(endpoint) }
    });
    let region = get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")).unwrap_or_else(|| DEFAULT_REGION.to_owned());
    Ok(Location::S3 { endpoint, region, keys })
}

fn half(one: &str, other: &str) -> FetchError {
    FetchError(format!("of {one} and {other} only one is set: set both, or none for a public bucket"))
}

fn given(environment: &Environment, name: &str) -> Option<String> {
    environment.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn with_scheme(endpoint: String) -> String {
    if endpoint.contains("://") { endpoint } else { format!("https://{endpoint}") }
}

fn is_true(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

#[cfg(test)]
mod tests {
    use provost_domain::ModelUri;

    use super::*;

    #[track_caller]
    fn check(uri: &str, environment: &[(&str, &str)], expected: &str) {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let Ok(ModelUri::Bucket(uri)) = ModelUri::parse(uri) else { panic!("{uri} is of no bucket") };
        let shown = match Location::of(&uri, &environment) {
            Ok(Location::S3 { endpoint, region, keys }) => {
                let keys = keys.map_or("anonymous".to_owned(), |keys| format!("{}/{}", keys.id, keys.secret));
                format!("s3 {} {region} {keys}", endpoint.as_deref().unwrap_or("-"))
            }
            Ok(Location::Gs { endpoint }) => format!("gs {}", endpoint.as_deref().unwrap_or("-")),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_bucket_without_credentials_is_public() {
        check("s3://b/m", &[], "s3 - us-east-1 anonymous");
        check("gs://b/m", &[], "gs -");
        check("gs://b/m", &[("STORAGE_EMULATOR_HOST", "http://127.0.0.1:4443")], "gs http://127.0.0.1:4443");
    }

    #[test]
    fn the_variables_of_the_aws_tools_are_read() {
        let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let with = |more: &[(&'static str, &'static str)]| [&keys[..], more].concat();
        let url = ("AWS_ENDPOINT_URL", "http://minio:9000");
        check("s3://b/m", &with(&[url, ("AWS_REGION", "eu-1")]), "s3 http://minio:9000 eu-1 id/secret");
        check("s3://b/m", &with(&[("S3_ENDPOINT", "minio:9000")]), "s3 https://minio:9000 us-east-1 id/secret");
        let plain = [("AWS_ENDPOINT_URL", "minio:9000"), ("USE_SSL", "false")];
        check("s3://b/m", &with(&plain), "s3 http://minio:9000 us-east-1 id/secret");
        let half =
            "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set: set both, or none for a public bucket";
        check("s3://b/m", &keys[..1], half);
    }

    #[test]
    fn rclones_remotes_are_read() {
        let remote = [
            ("RCLONE_CONFIG_MY_S3_TYPE", "s3"),
            ("RCLONE_CONFIG_MY_S3_PROVIDER", "minio"),
            ("RCLONE_CONFIG_MY_S3_ENDPOINT", "http://minio.minio-system.svc:9000"),
            ("RCLONE_CONFIG_MY_S3_ACCESS_KEY_ID", "id"),
            ("RCLONE_CONFIG_MY_S3_SECRET_ACCESS_KEY", "secret"),
        ];
        check("my-s3:sklearn/iris", &remote, "s3 http://minio.minio-system.svc:9000 us-east-1 id/secret");
        let of_environment = [
            ("RCLONE_CONFIG_S3_TYPE", "s3"),
            ("RCLONE_CONFIG_S3_ENV_AUTH", "true"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        check("s3://b/m", &of_environment, "s3 - us-east-1 id/secret");
        check(
            "gs://b/m",
            &[("RCLONE_CONFIG_GS_TYPE", "google cloud storage"), ("RCLONE_CONFIG_GS_ANONYMOUS", "true")],
            "gs -",
        );
        let unknown = "the remote `mys3` is not known: use s3:// or gs://, or define RCLONE_CONFIG_MYS3_TYPE in the fetcher's environment";
        check("mys3:b/m", &[], unknown);
        let azure = "the remote `az` has the type `azureblob`; s3 and gcs are supported";
        check("az:b/m", &[("RCLONE_CONFIG_AZ_TYPE", "azureblob")], azure);
    }

    #[test]
    fn secrets_are_not_printed() {
        let keys = Keys { id: "id".into(), secret: "s3cr3t".into(), token: Some("t0k3n".into()) };
        let shown = format!("{:?}", Location::S3 { endpoint: None, region: String::new(), keys: Some(keys) });
        assert!(shown.contains("id") && !shown.contains("s3cr3t") && !shown.contains("t0k3n"), "{shown}");
    }
}
