//! Google Cloud Storage, and as whom it is asked.

use std::{fmt, sync::Arc};

use object_store::{
    ClientOptions, ObjectStore, RetryConfig,
    gcp::{GoogleCloudStorageBuilder, ServiceAccountKey},
};
use provost_domain::port::artifacts::FetchError;
use serde_json::Value;

use super::{Remote, given, read, with_scheme};
use crate::artifacts::Environment;

/// The variable of Google's tools that names a file with credentials.
const CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// The entry of `KFServing`'s Secrets that holds the content of such a file.
const ENTRY: &str = "gcloud-application-credentials.json";
/// What the key of a service account cannot do without.
const FIELDS: [&str; 3] = ["client_email", "private_key", "private_key_id"];
/// What the credentials of a person cannot do without.
const FIELDS_OF_USER: [&str; 3] = ["client_id", "client_secret", "refresh_token"];

/// Google Cloud Storage.
#[derive(Debug)]
pub(crate) struct Google {
    pub(super) endpoint: Option<String>,
    pub(super) identity: Identity,
}

/// As whom requests are made. Keys are never printed.
pub(super) enum Identity {
    /// Nobody: the bucket is public.
    Anonymous,
    /// A service account, by its key, which is JSON.
    Account { email: String, key: String },
    /// Somebody who logged in with `gcloud`, by the file that this made.
    User { path: String },
    /// The account that the machine or the pod has.
    Platform,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Account { email, .. } => f.debug_struct("Account").field("email", email).finish_non_exhaustive(),
            Self::User { path } => f.debug_struct("User").field("path", path).finish(),
            Self::Platform => f.write_str("Platform"),
        }
    }
}

impl Google {
    /// As the variables of Google's tools and of `KFServing`'s fetcher describe it.
    pub(super) fn of_environment(environment: &Environment) -> Result<Self, FetchError> {
        let endpoint = given(environment, "STORAGE_EMULATOR_HOST").map(with_scheme);
        Ok(Self { endpoint, identity: named(environment)?.unwrap_or(Identity::Anonymous) })
    }

    /// As an rclone remote describes it.
    pub(super) fn of_remote(remote: &Remote<'_>) -> Result<Self, FetchError> {
        Ok(Self { endpoint: remote.get("ENDPOINT").map(with_scheme), identity: identity(remote)? })
    }

    /// A client of the bucket.
    pub(super) fn connect(
        &self,
        bucket: &str,
        client: ClientOptions,
        retry: RetryConfig,
    ) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
        let builder = GoogleCloudStorageBuilder::new().with_bucket_name(bucket);
        let mut builder = builder.with_client_options(client).with_retry(retry);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_base_url(endpoint);
        }
        let builder = match &self.identity {
            // A token, though it is not sent, keeps the builder from looking for one in the home folder.
            Identity::Anonymous => builder.with_bearer_token("").with_skip_signature(true),
            Identity::Account { key, .. } => builder.with_service_account_key(key),
            Identity::User { path } => builder.with_application_credentials(path),
            Identity::Platform => builder,
        };
        Ok(Arc::new(builder.build()?))
    }
}

fn identity(remote: &Remote<'_>) -> Result<Identity, FetchError> {
    if remote.is_set("ANONYMOUS") {
        return Ok(Identity::Anonymous);
    }
    if let Some(key) = remote.get("SERVICE_ACCOUNT_CREDENTIALS") {
        return of_key(&remote.variable("SERVICE_ACCOUNT_CREDENTIALS"), &key);
    }
    if let Some(path) = remote.get("SERVICE_ACCOUNT_FILE") {
        return of_file(&remote.variable("SERVICE_ACCOUNT_FILE"), path);
    }
    let otherwise = if remote.is_set("ENV_AUTH") { Identity::Platform } else { Identity::Anonymous };
    Ok(named(remote.environment)?.unwrap_or(otherwise))
}

/// The identity that the environment names.
fn named(environment: &Environment) -> Result<Option<Identity>, FetchError> {
    if let Some(path) = given(environment, CREDENTIALS) {
        return of_file(CREDENTIALS, path).map(Some);
    }
    given(environment, ENTRY).map(|key| of_key(ENTRY, &key)).transpose()
}

fn of_file(variable: &str, path: String) -> Result<Identity, FetchError> {
    let content = read(variable, &path)?;
    match kind(variable, &content)?.as_str() {
        Some("authorized_user") => match missing(&content, FIELDS_OF_USER) {
            None => Ok(Identity::User { path }),
            Some(field) => Err(FetchError(format!(
                "{variable}: `{field}` is missing in `{path}`: log in again with `gcloud auth application-default login`"
            ))),
        },
        _ => of_key(variable, &content),
    }
}

/// The service account of a key. What is wrong with it is told without showing any of it.
fn of_key(variable: &str, key: &str) -> Result<Identity, FetchError> {
    match kind(variable, key)?.as_str() {
        None | Some("service_account") => {}
        Some("authorized_user") => {
            let message = "credentials of a person are read from a file only";
            return Err(FetchError(format!("{variable}: {message}: name it in {CREDENTIALS}")));
        }
        Some(_) => return Err(malformed(variable, "its `type` is another than `service_account`")),
    }
    if let Some(field) = missing(key, FIELDS) {
        return Err(malformed(variable, &format!("`{field}` is missing")));
    }
    let fields: Value = serde_json::from_str(key).unwrap_or_default();
    let text = |field: &str| fields[field].as_str().unwrap_or_default().to_owned();
    ServiceAccountKey::from_pem(text("private_key").as_bytes())
        .map_err(|_shows_the_key| malformed(variable, "its `private_key` is no RSA key in PEM"))?;
    Ok(Identity::Account { email: text("client_email"), key: key.to_owned() })
}

/// A field that is no text in JSON.
fn missing(json: &str, fields: [&'static str; 3]) -> Option<&'static str> {
    let found: Value = serde_json::from_str(json).unwrap_or_default();
    fields.into_iter().find(|field| !found[field].is_string())
}

/// What kind of credentials JSON holds.
fn kind(variable: &str, key: &str) -> Result<Value, FetchError> {
    let fields: Result<Value, _> = serde_json::from_str(key);
    let fields = fields.map_err(|error| {
        malformed(variable, &format!("it is not JSON from line {}, column {} on", error.line(), error.column()))
    })?;
    Ok(fields["type"].clone())
}

fn malformed(variable: &str, problem: &str) -> FetchError {
    FetchError(format!(
        "{variable} does not give the key of a service account: {problem}; download a key of the kind JSON from Google's \
         console, or with `gcloud iam service-accounts keys create`"
    ))
}
