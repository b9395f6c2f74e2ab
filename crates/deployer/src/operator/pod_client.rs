//! How pods are asked for what they know of themselves.

use std::time::Duration;

use serde::de::DeserializeOwned;

/// How long one may take to answer.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A client for pods.
pub(super) fn client() -> Result<reqwest::Client, reqwest::Error> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().redirect(reqwest::redirect::Policy::none());
    client.build()
}

/// What a pod answers, in so many bytes at most; `None` where it does not.
pub(super) async fn answer<T: DeserializeOwned>(request: reqwest::RequestBuilder, limit: usize) -> Option<T> {
    let answer = request.send().await.ok()?.error_for_status().ok()?;
    if answer.content_length().is_none_or(|length| length > limit as u64) {
        return None;
    }
    serde_json::from_slice(&answer.bytes().await.ok()?).ok()
}
