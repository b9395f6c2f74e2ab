//! Objects of a bucket.

use std::{path::Path, sync::Arc};

use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _};
use provost_domain::{BucketUri, Digest, port::artifacts::FetchError};
use tokio::runtime::Handle;

use crate::artifacts::Environment;

use super::{
    Limits,
    download::{Broken, Origin, Part, download},
    location::Location,
    manifest_digest,
};

/// Downloads the objects that `uri` names into the folder `to`.
pub(super) fn fetch(
    runtime: &Handle,
    uri: &BucketUri,
    environment: &Environment,
    limits: &Limits,
    to: &Path,
) -> Result<Digest, FetchError> {
    let shown = format!("{}://{}/{}", uri.remote, uri.bucket, uri.key);
    let store = Location::of(uri, environment)?.connect(&uri.bucket)?;
    let objects = runtime.block_on(list(&*store, uri, limits, &shown))?;
    let mut left = limits.bytes;
    let mut files = Vec::new();
    for (name, object) in objects {
        let origin = Object { store: Arc::clone(&store), object, shown: format!("{}://{}", uri.remote, uri.bucket) };
        let (digest, length) = download(runtime, &origin, &to.join(&name), left, limits.patience)?;
        left = left.saturating_sub(length);
        files.push((name, digest, length));
    }
    Ok(manifest_digest(&files))
}

/// The objects with their names in the artifact, in the order of these: one of exactly this key, or all
/// below it.
async fn list(
    store: &dyn ObjectStore,
    uri: &BucketUri,
    limits: &Limits,
    shown: &str,
) -> Result<Vec<(String, ObjectMeta)>, FetchError> {
    let failed = |error: object_store::Error| FetchError(format!("cannot read `{shown}`: {}", reason(&error)));
    let key = object_store::path::Path::parse(&uri.key).map_err(|error| failed(error.into()))?;
    let mut objects = Vec::new();
    let mut listed = store.list(Some(&key).filter(|key| !key.as_ref().is_empty()));
    while let Some(object) = listed.try_next().await.map_err(failed)? {
        let Some(parts) = object.location.prefix_match(&key) else { continue };
        let name = parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/");
        // Some tools mark folders by empty objects.
        if name.is_empty() || (object.size == 0 && object.location.as_ref().ends_with('/')) {
            continue;
        }
        if !is_safe(&name) {
            return Err(FetchError(format!("`{shown}` holds an object that cannot be a file: `{}`", object.location)));
        }
        objects.push((name, object));
        if objects.len() > limits.files {
            return Err(FetchError(format!("`{shown}` has more than {} objects", limits.files)));
        }
    }
    if objects.is_empty() {
        let object = store.head(&key).await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => {
                FetchError(format!("there is nothing at `{shown}`: check the model URI"))
            }
            error => failed(error),
        })?;
        let name = key.filename().unwrap_or("model").to_owned();
        objects.push((name, object));
    }
    let bytes: u64 = objects.iter().map(|(_, object)| object.size).sum();
    if bytes > limits.bytes {
        return Err(FetchError(format!("`{shown}` has {bytes} bytes, more than the {} allowed", limits.bytes)));
    }
    objects.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(objects)
}

/// Whether the name stays below its folder.
fn is_safe(name: &str) -> bool {
    name.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'))
}

struct Object {
    store: Arc<dyn ObjectStore>,
    object: ObjectMeta,
    shown: String,
}

impl Origin for Object {
    fn name(&self) -> String {
        format!("{}/{}", self.shown, self.object.location)
    }

    async fn open(&self, offset: u64, version: Option<&str>) -> Result<Part, Broken> {
        let options = GetOptions {
            range: (offset > 0).then_some(GetRange::Offset(offset)),
            if_match: version.map(str::to_owned),
            ..GetOptions::default()
        };
        let opened = self.store.get_opts(&self.object.location, options).await.map_err(|error| {
            let text = reason(&error);
            match error {
                object_store::Error::Precondition { .. } => {
                    Broken::Lasting("it changed while it was read: apply the deployment again".to_owned())
                }
                object_store::Error::NotFound { .. }
                | object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. } => Broken::Lasting(text),
                _ => Broken::Passing(text),
            }
        })?;
        let version = opened.meta.e_tag.clone();
        let pieces = opened.into_stream().map_err(|error| reason(&error)).boxed();
        Ok(Part { version, pieces })
    }
}

/// An error in words for people: what the libraries add for programmers is left out.
pub(crate) fn reason(error: &object_store::Error) -> String {
    match error {
        object_store::Error::NotFound { .. } => "there is no such bucket or object".to_owned(),
        object_store::Error::PermissionDenied { .. } => "the credentials do not allow it".to_owned(),
        object_store::Error::Unauthenticated { .. } => {
            "the credentials are not accepted, or some are needed: check the secret that the deployment names"
                .to_owned()
        }
        other => {
            let (mut text, mut cause) = (other.to_string(), std::error::Error::source(other));
            while let Some(error) = cause {
                let next = error.to_string();
                text = if text.contains(&next) { text } else { format!("{text}: {next}") };
                cause = error.source();
            }
            answer(&text).unwrap_or(text)
        }
    }
}

/// What the store answered, from an error that holds the whole answer: its status, code and message.
fn answer(text: &str) -> Option<String> {
    let between = |start: &str, end: &str| text.split_once(start)?.1.split_once(end).map(|(found, _)| found.trim());
    let status = between("status code: ", ":")?;
    let code = between("<Code>", "</Code>").map(|code| format!(" ({code})")).unwrap_or_default();
    let message = between("<Message>", "</Message>").map(|message| format!(": {message}")).unwrap_or_default();
    let advice = if status.starts_with("401") || status.starts_with("403") {
        "; check the credentials: the secret that the deployment names, or the server's environment"
    } else {
        ""
    };
    Some(format!("the store answers {status}{code}{message}{advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_answer_the_status_and_the_reason_are_told() {
        let text = "Generic S3 error: Error performing GET http://h/b?list-type=2 in 1 ms - Server returned non-2xx status \
                    code: 403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code><Message>It does not match.</Message>\
                    <StringToSign>AWS4</StringToSign></Error>";
        let expected = "the store answers 403 Forbidden (SignatureDoesNotMatch): It does not match.; check the credentials: \
                        the secret that the deployment names, or the server's environment";
        assert_eq!(answer(text).as_deref(), Some(expected));
        assert_eq!(answer("Generic S3 error: error sending request: connection refused"), None);
    }

    #[test]
    fn names_stay_below_their_folder() {
        for (name, expected) in [("a/b", true), ("a//b", false), ("../a", false), ("a/.", false), ("", false)] {
            assert_eq!(is_safe(name), expected, "{name}");
        }
    }
}
