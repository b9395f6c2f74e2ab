//! Asks the pods of a cluster what they use and are asked, again and again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use provost_api::figures::{self, Figures};
use provost_domain::{DeploymentId, port::clock::Clock};

use super::{ClusterDeployments, ClusterPods, UsageHistory, instances, pods, usage::Sample};
use crate::kubernetes::DEPLOYMENT_LABEL;

/// How often pods are asked.
const EVERY: Duration = Duration::from_secs(5);
/// How long one may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How many are asked at a time.
const CONCURRENCY: usize = 32;
/// Longest answer that is read, in bytes.
const ANSWER_MAX: usize = 1 << 20;

/// Asks the `pods` of `deployments` every five seconds, and adds what they tell to `history`. Never ends.
pub async fn follow_usage(
    pods: ClusterPods,
    deployments: ClusterDeployments,
    history: Arc<UsageHistory>,
    clock: Arc<dyn Clock>,
) {
    let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().redirect(reqwest::redirect::Policy::none());
    let client = match client.build() {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "pods cannot be asked what they use"),
    };
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let targets = targets(&pods, &deployments);
        let samples = stream::iter(targets).map(|target| target.ask(&client, &history)).buffer_unordered(CONCURRENCY);
        let samples: Vec<Sample> = samples.collect().await;
        history.add(clock.now(), samples);
    }
}

/// A pod to ask.
struct Target {
    sample: Sample,
    /// Its address, once it has one.
    address: Option<String>,
}

fn targets(pods: &ClusterPods, deployments: &ClusterDeployments) -> Vec<Target> {
    let predictors: BTreeMap<_, _> = deployments
        .all()
        .iter()
        .map(|stored| {
            (
                (stored.id.namespace.to_string(), stored.id.name.to_string()),
                (stored.id.clone(), instances::predictors(stored)),
            )
        })
        .collect();
    let pods = pods.all().into_iter();
    pods.filter_map(|pod| {
        let metadata = &pod.metadata;
        let deployment = metadata.labels.as_ref()?.get(DEPLOYMENT_LABEL)?;
        let (id, predictors) = predictors.get(&(metadata.namespace.clone()?, deployment.clone()))?;
        target(&pod, id, instances::predictor_of(&pod, predictors)?)
    })
    .collect()
}

/// A pod to ask; `None` for one that is over.
fn target(pod: &Pod, id: &DeploymentId, predictor: String) -> Option<Target> {
    let status = pod.status.as_ref().filter(|_| !pods::is_over(pod))?;
    let starts: i32 = status.container_statuses.iter().flatten().map(|container| container.restart_count).sum();
    let sample = Sample {
        deployment: id.clone(),
        predictor,
        instance: format!("{}/{starts}", pod.metadata.uid.as_deref()?),
        is_ready: instances::is_ready(status),
        figures: None,
    };
    Some(Target { sample, address: pods::address(pod) })
}

impl Target {
    /// What the pod tells. One that does not answer is there all the same.
    async fn ask(self, client: &reqwest::Client, history: &UsageHistory) -> Sample {
        let Self { mut sample, address } = self;
        if let Some(address) = address {
            let since = history.told(&sample.instance).map(|since| format!("?since={}", since.as_millis()));
            let url = format!("http://{address}{}{}", figures::PATH, since.unwrap_or_default());
            sample.figures = fetch(client, &url)
                .await
                .inspect_err(|error| tracing::debug!(%error, "a pod does not tell what it uses"))
                .ok();
        }
        sample
    }
}

async fn fetch(client: &reqwest::Client, url: &str) -> Result<Figures, Box<dyn std::error::Error + Send + Sync>> {
    let mut answer = client.get(url).send().await?.error_for_status()?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_MAX {
            return Err("the answer is too long".into());
        }
    }
    Ok(serde_json::from_slice(&body)?)
}
