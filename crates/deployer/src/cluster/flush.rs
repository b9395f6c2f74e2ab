//! Asks pods to send what they have logged, so that the bucket has it.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use provost_api::flush;
use provost_domain::DeploymentId;

use super::ClusterPods;

/// Longest time that all pods of a deployment have together.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How many are asked at a time.
const CONCURRENCY: usize = 64;

/// Asks the pods of a cluster.
#[derive(Debug, Clone)]
pub struct LogFlush {
    pods: ClusterPods,
    client: reqwest::Client,
}

impl LogFlush {
    /// Of these pods. Fails where no client can be made.
    pub fn new(pods: ClusterPods) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy();
        let client = client.redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { pods, client })
    }

    /// Asks the ready pods of a deployment at once, and waits for two seconds at most. A pod that does not answer, or
    /// has no log to send, sends when it does so by itself.
    pub async fn flush(&self, id: &DeploymentId) {
        let asked = stream::iter(self.pods.ready(id)).for_each_concurrent(CONCURRENCY, |address| self.ask(address));
        if tokio::time::timeout(TIMEOUT, asked).await.is_err() {
            tracing::debug!(%id, "not all pods sent what they logged in time");
        }
    }

    async fn ask(&self, address: String) {
        let url = format!("http://{address}{}", flush::PATH);
        let answered = self.client.post(url).send().await.and_then(reqwest::Response::error_for_status);
        if let Err(error) = answered {
            tracing::debug!(%error, "a pod does not send what it logged");
        }
    }
}
