//! Lets routers that learn know of each other's feedback: asks the pods what theirs were told, keeps the sum at the
//! predictor's Service, and tells every pod what the others know. So a new pod starts with what was learned before.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, future, stream};
use k8s_openapi::api::core::v1::Service;
use kube::{
    Api, Client, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::reflector::Store,
};
use provost_api::figures::{LEARNED_MAX, LEARNED_PATH};
use provost_domain::learned::{Ledger, Told};
use serde_json::json;

use super::{Options, memories::Memories, pod_client};
use crate::{
    endpoints::Endpoints,
    kubernetes::{LEARNS_LABEL, PREDICTOR_LABEL},
    namespaces::{labelled, scopes},
};

/// Annotation of a Service: what the routers behind it learned.
const ANNOTATION: &str = "provost.dev/learned";
/// How often pods are asked.
const EVERY: Duration = Duration::from_secs(5);
/// How long what was learned stays with its pods alone, as long as they are all there.
const KEEP: Duration = Duration::from_secs(30);
/// How long a pod is not seen until it counts as gone.
const GONE: Duration = Duration::from_hours(1);
/// How many Services are looked at at once.
const CONCURRENCY: usize = 16;

/// Works until `stopped`.
pub(super) async fn run(client: &Client, options: &Options, stopped: impl Future<Output = ()>) {
    let http = match pod_client::client() {
        Ok(http) => http,
        Err(error) => return tracing::error!(%error, "routers that learn know nothing of each other"),
    };
    let keeper =
        Keeper { client: client.clone(), http, endpoints: Endpoints::default(), memories: Memories::default() };
    let scopes = scopes(&options.namespaces).into_iter();
    let (stores, following): (Vec<_>, Vec<_>) = scopes.map(|scope| labelled(client, scope, LEARNS_LABEL, slim)).unzip();
    let endpoints = keeper.endpoints.follow(client, &options.namespaces, LEARNS_LABEL);
    let work = future::join3(future::join_all(following), endpoints, keeper.look_again(&stores));
    future::select(Box::pin(work), Box::pin(stopped)).await;
}

fn slim(service: &mut Service) {
    service.metadata.managed_fields = None;
}

struct Keeper {
    client: Client,
    http: reqwest::Client,
    endpoints: Endpoints,
    /// By the identifiers of Services.
    memories: Memories<Memory>,
}

impl Keeper {
    /// Never ends.
    async fn look_again(&self, stores: &[Store<Service>]) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let all: Vec<_> = stores.iter().flat_map(Store::state).filter_map(|one| Behind::of(&one)).collect();
            self.memories.retain(|uid| all.iter().any(|one| one.uid == uid));
            stream::iter(all).for_each_concurrent(CONCURRENCY, |behind| self.look(behind)).await;
        }
    }

    async fn look(&self, behind: Behind) {
        let taken = self.memories.take(&behind.uid);
        let mut memory = taken.unwrap_or_else(|| Memory::starting(&behind, Instant::now()));
        self.exchange(&behind, &mut memory).await;
        if memory.is_to_be_kept(Instant::now())
            && let Err(error) = self.keep(&behind, &mut memory).await
        {
            let Behind { namespace, name, .. } = &behind;
            tracing::warn!(namespace, service = name, %error, "what routers learned is not kept yet, and is tried again");
        }
        self.memories.put(behind.uid, memory);
    }

    /// Tells each pod what the others know, and takes what it tells.
    async fn exchange(&self, behind: &Behind, memory: &mut Memory) {
        let services = self.endpoints.ready(&behind.namespace, (PREDICTOR_LABEL, &behind.app));
        let addresses: HashSet<_> = services.into_values().flatten().collect();
        let asked = addresses.iter().map(async |address| {
            let request = self.http.post(format!("http://{address}{LEARNED_PATH}")).json(&memory.told(address));
            (address, pod_client::answer::<Told>(request, LEARNED_MAX).await)
        });
        let answers = future::join_all(asked).await;
        memory.take(&addresses, answers, Instant::now());
    }

    async fn keep(&self, behind: &Behind, memory: &mut Memory) -> Result<(), kube::Error> {
        let Behind { namespace, name, .. } = behind;
        let api: Api<Service> = Api::namespaced(self.client.clone(), namespace);
        let change = json!({"metadata": {"annotations": {ANNOTATION: json!(memory.ledger).to_string()}}});
        api.patch_metadata(name, &PatchParams::default(), &Patch::Merge(change)).await?;
        memory.kept(Instant::now());
        Ok(())
    }
}

/// A Service behind which routers learn.
struct Behind {
    namespace: String,
    name: String,
    uid: String,
    /// The label that its pods and Services have in common.
    app: String,
    /// What was kept.
    learned: Option<String>,
}

impl Behind {
    fn of(service: &Arc<Service>) -> Option<Self> {
        Some(Self {
            namespace: service.namespace()?,
            name: service.name_any(),
            uid: service.uid()?,
            app: service.labels().get(PREDICTOR_LABEL)?.clone(),
            learned: service.annotations().get(ANNOTATION).cloned(),
        })
    }
}

/// What is known behind a Service since the operator started.
#[derive(Debug)]
struct Memory {
    ledger: Ledger,
    /// Which process answered at an address.
    processes: HashMap<String, String>,
    /// When a process was there last.
    seen: HashMap<String, Instant>,
    is_news: bool,
    /// Whether a pod is gone since it was kept: nobody else knows what it told.
    is_urgent: bool,
    kept: Instant,
}

impl Memory {
    fn starting(behind: &Behind, now: Instant) -> Self {
        let ledger = behind.learned.as_deref().map(serde_json::from_str).transpose().unwrap_or_else(|error| {
            let Behind { namespace, name, .. } = behind;
            tracing::warn!(namespace, service = name, %error, "what routers learned cannot be read: they start anew");
            None
        });
        Self {
            ledger: ledger.unwrap_or_default(),
            processes: HashMap::new(),
            seen: HashMap::new(),
            is_news: false,
            is_urgent: false,
            kept: now,
        }
    }

    /// What the process at an address is told: nothing as long as it is not known which that is.
    fn told(&self, address: &str) -> Told {
        self.processes.get(address).map(|process| self.ledger.for_process(process)).unwrap_or_default()
    }

    /// Takes what those at these addresses told.
    fn take<'a>(
        &mut self,
        addresses: &HashSet<String>,
        answers: impl IntoIterator<Item = (&'a String, Option<Told>)>,
        now: Instant,
    ) {
        let known = self.processes.len();
        self.processes.retain(|address, _| addresses.contains(address));
        self.is_urgent |= self.processes.len() < known;
        for (address, told) in answers {
            let Some(told) = told else { continue };
            self.processes.insert(address.clone(), told.process.clone());
            self.seen.insert(told.process.clone(), now);
            self.is_news |= self.ledger.note(told);
        }
        self.close(now);
    }

    /// Counts those that were not there for long as gone.
    fn close(&mut self, now: Instant) {
        let all: Vec<_> = self.ledger.processes().map(ToOwned::to_owned).collect();
        for process in all {
            let seen = *self.seen.entry(process.clone()).or_insert(now);
            if now.duration_since(seen) >= GONE {
                self.ledger.close(&process);
                self.seen.remove(&process);
                self.is_news = true;
            }
        }
    }

    fn is_to_be_kept(&self, now: Instant) -> bool {
        self.is_news && (self.is_urgent || now.duration_since(self.kept) >= KEEP)
    }

    fn kept(&mut self, now: Instant) {
        (self.is_news, self.is_urgent, self.kept) = (false, false, now);
    }
}

#[cfg(test)]
mod tests {
    use provost_domain::learned::{Arm, Arms, Routers};

    use super::*;

    fn told(process: &str, trials: f64) -> Told {
        let arms = Arms::from([("a".to_owned(), Arm { rewards: 0.0, trials })]);
        Told { process: process.to_owned(), routers: Routers::from([("router".to_owned(), arms)]) }
    }

    fn behind(learned: Option<String>) -> Behind {
        let text = || "x".to_owned();
        Behind { namespace: text(), name: text(), uid: text(), app: text(), learned }
    }

    /// What happens at these addresses.
    fn take(memory: &mut Memory, answers: &[(&str, Option<Told>)], now: Instant) {
        let addresses: Vec<_> = answers.iter().map(|(address, _)| (*address).to_owned()).collect();
        let told = addresses.iter().zip(answers.iter().map(|(_, told)| told.clone()));
        memory.take(&addresses.iter().cloned().collect(), told, now);
    }

    #[test]
    fn a_pod_is_told_what_others_know_once_it_has_said_which_it_is() {
        let start = Instant::now();
        let mut memory = Memory::starting(&behind(None), start);
        take(&mut memory, &[("one", Some(told("p", 1.0))), ("two", Some(told("q", 2.0)))], start);
        assert_eq!(memory.told("one"), told("p", 2.0).clone());
        assert_eq!(memory.told("three"), Told::default());
        // One that does not answer for once keeps its place.
        take(&mut memory, &[("one", None), ("two", Some(told("q", 3.0)))], start);
        assert_eq!(memory.told("one"), told("p", 3.0));
    }

    #[test]
    fn it_is_kept_now_and_then_and_at_once_when_a_pod_leaves() {
        let start = Instant::now();
        let mut memory = Memory::starting(&behind(None), start);
        let both = [("one", Some(told("p", 1.0))), ("two", Some(told("q", 2.0)))];
        take(&mut memory, &both, start);
        assert!(!memory.is_to_be_kept(start));
        assert!(memory.is_to_be_kept(start + KEEP));
        take(&mut memory, &both[..1], start);
        assert!(memory.is_to_be_kept(start));
        memory.kept(start);
        take(&mut memory, &both[..1], start);
        assert!(!memory.is_to_be_kept(start + KEEP));
    }

    #[test]
    fn another_operator_goes_on_with_what_was_kept_and_forgets_only_who_told() {
        let start = Instant::now();
        let mut memory = Memory::starting(&behind(None), start);
        take(&mut memory, &[("one", Some(told("p", 1.0)))], start);
        let kept = json!(memory.ledger).to_string();
        let mut next = Memory::starting(&behind(Some(kept)), start);
        let fresh = Told { process: "r".to_owned(), ..Told::default() };
        take(&mut next, &[("two", Some(fresh.clone()))], start);
        assert_eq!(next.told("two"), told("r", 1.0));
        take(&mut next, &[("two", Some(fresh))], start + GONE);
        assert_eq!(next.ledger.processes().count(), 0);
        assert_eq!(next.told("two"), told("r", 1.0));
        assert!(next.is_to_be_kept(start + GONE));
    }

    #[test]
    fn what_cannot_be_read_is_begun_anew() {
        let memory = Memory::starting(&behind(Some("{".to_owned())), Instant::now());
        assert_eq!(memory.ledger, Ledger::default());
    }
}
