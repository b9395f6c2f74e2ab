//! Scales Deployments by the requests that their pods get: asks the pods, lets [`provost_domain::scaling`] decide, and
//! sets the number of replicas. What is scaled to none gets the addresses of the activator, which holds requests.

mod ask;
mod hold;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, future, stream};
use k8s_openapi::api::apps::v1::Deployment;
use kube::{Client, ResourceExt as _, runtime::reflector::Store};
use provost_domain::{
    plan::Timestamp,
    scaling::{Load, Metric, Scaling},
};

use super::{Options, apply, crd::Served, memories::Memories, pod_client};
use crate::{
    endpoints::Endpoints,
    kubernetes::{PREDICTOR_LABEL, SCALED_LABEL, SCALING_ANNOTATION},
    namespaces::{labelled, scopes},
};
use ask::{Asked, Pods};
use hold::Hold;

/// How often pods are asked.
const EVERY: Duration = Duration::from_secs(2);
/// How long until everybody sends requests to the activator, too.
const SETTLE: Duration = Duration::from_secs(4);
/// How many Deployments are looked at at once.
const CONCURRENCY: usize = 16;

/// Scales until `stopped`. Only what `KServe` has asks for it.
pub(super) async fn run(client: &Client, options: &Options, stopped: impl Future<Output = ()>) {
    if !options.kinds.contains(&Served::InferenceService) {
        return;
    }
    let scaler = match Scaler::new(client, options) {
        Ok(scaler) => scaler,
        Err(error) => return tracing::error!(%error, "nothing is scaled by requests"),
    };
    let scopes = scopes(&options.namespaces).into_iter();
    let (stores, following): (Vec<_>, Vec<_>) =
        scopes.map(|scope| labelled::<Deployment>(client, scope, SCALED_LABEL, slim)).unzip();
    let endpoints = scaler.endpoints.follow(client, &options.namespaces, PREDICTOR_LABEL);
    let activator = scaler.hold.follow(client);
    let looking = scaler.look_again(&stores);
    let work = future::join4(future::join_all(following), endpoints, activator, looking);
    future::select(Box::pin(work), Box::pin(stopped)).await;
}

/// Keeps of a Deployment what is read here.
fn slim(deployment: &mut Deployment) {
    deployment.metadata.managed_fields = None;
    deployment.status = None;
    if let Some(spec) = &mut deployment.spec {
        spec.template.spec = None;
    }
}

/// What is known of a Deployment since the operator started.
#[derive(Debug, Default)]
struct Memory {
    load: Load,
    pods: Pods,
    /// Since when the activator gets requests, too.
    held: Option<Instant>,
}

struct Scaler {
    client: Client,
    http: reqwest::Client,
    endpoints: Endpoints,
    hold: Hold,
    memories: Memories<Memory>,
}

impl Scaler {
    fn new(client: &Client, options: &Options) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: client.clone(),
            http: pod_client::client()?,
            endpoints: Endpoints::default(),
            hold: Hold::new(options.settings.activator.clone()),
            memories: Memories::default(),
        })
    }

    /// Never ends.
    async fn look_again(&self, stores: &[Store<Deployment>]) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let all: Vec<_> = stores.iter().flat_map(Store::state).filter_map(|one| Scaled::of(&one)).collect();
            self.memories.retain(|uid| all.iter().any(|one| one.uid == uid));
            stream::iter(all).for_each_concurrent(CONCURRENCY, |scaled| self.look(scaled)).await;
        }
    }

    async fn look(&self, scaled: Scaled) {
        let taken = self.memories.take(&scaled.uid);
        let mut memory = taken.unwrap_or_default();
        if let Err(error) = self.scale(&scaled, &mut memory).await {
            tracing::warn!(namespace = scaled.namespace, deployment = scaled.name, %error, "scaling failed, and is tried again");
        }
        self.memories.put(scaled.uid, memory);
    }

    async fn scale(&self, scaled: &Scaled, memory: &mut Memory) -> Result<(), kube::Error> {
        let services = self.endpoints.ready(&scaled.namespace, (PREDICTOR_LABEL, &scaled.app));
        let ready: Vec<_> = services.values().flatten().cloned().collect();
        let wanted = if scaled.replicas == 0 {
            // Who asks wakes it, and it begins anew then.
            memory.load = Load::default();
            0
        } else {
            let asked = memory.pods.ask(&self.http, &ready).await;
            memory.decide(scaled, asked, ready.len())
        };
        if scaled.scaling.min_replicas == 0 && (wanted == 0 || ready.is_empty()) {
            let is_held = self.hold.take(&self.client, scaled, services.keys(), &self.endpoints).await?;
            memory.held = is_held.then(|| memory.held.unwrap_or_else(Instant::now));
        } else {
            memory.held = None;
            self.hold.give_back(&self.client, scaled, &self.endpoints).await?;
        }
        let is_settled = wanted > 0 || memory.held.is_some_and(|since| since.elapsed() >= SETTLE);
        if wanted == scaled.replicas || !is_settled {
            return Ok(());
        }
        tracing::info!(
            namespace = scaled.namespace,
            deployment = scaled.name,
            from = scaled.replicas,
            to = wanted,
            "scaling by requests"
        );
        let change = (scaled.replicas, wanted);
        apply::scale(&self.client, &scaled.namespace, &scaled.name, change).await
    }
}

impl Memory {
    fn decide(&mut self, scaled: &Scaled, asked: Option<Asked>, ready: usize) -> i32 {
        let current = u32::try_from(scaled.replicas).unwrap_or(0);
        let now = now();
        match asked {
            Some(asked) => self.load.add(now, scaled.load(asked)),
            // Where no pod answers, nothing is known.
            None => return scaled.within_bounds(),
        }
        let ready = u32::try_from(ready).unwrap_or(u32::MAX);
        i32::try_from(self.load.replicas(&scaled.scaling, now, current, ready)).unwrap_or(i32::MAX)
    }
}

/// A Deployment that is scaled by requests.
#[derive(Debug)]
struct Scaled {
    namespace: String,
    name: String,
    uid: String,
    /// The label that its pods and Services have in common.
    app: String,
    replicas: i32,
    scaling: Scaling,
}

impl Scaled {
    fn of(deployment: &Arc<Deployment>) -> Option<Self> {
        let scaling = serde_json::from_str(deployment.annotations().get(SCALING_ANNOTATION)?).ok()?;
        Some(Self {
            namespace: deployment.namespace()?,
            name: deployment.name_any(),
            uid: deployment.uid()?,
            app: deployment.labels().get(PREDICTOR_LABEL)?.clone(),
            replicas: deployment.spec.as_ref()?.replicas.unwrap_or(1),
            scaling,
        })
    }

    fn load(&self, asked: Asked) -> f64 {
        match self.scaling.metric {
            Metric::Concurrency => asked.concurrency,
            Metric::Rps => asked.rps,
        }
    }

    /// The replicas there are, as far as they may be.
    fn within_bounds(&self) -> i32 {
        let [fewest, most] = [self.scaling.min_replicas.max(1), self.scaling.max_replicas.max(1)]
            .map(|bound| i32::try_from(bound).unwrap_or(i32::MAX));
        self.replicas.clamp(fewest, most.max(fewest))
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0))
}
