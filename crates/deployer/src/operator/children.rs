//! What the cluster runs for each deployment, as the watches show it: the few facts that decisions need, kept by
//! deployment, so that nothing is read from the API server to reconcile and memory stays small.

use std::{
    collections::{BTreeMap, HashMap, HashSet, btree_map::Entry},
    sync::{Mutex, PoisonError},
};

use kube::{core::TypeMeta, runtime::watcher::Event};
use provost_domain::{plan::Route, scaling::Scaling};
use tokio::sync::watch;

/// The kinds of objects that are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Deployment,
    HttpRoute,
    HorizontalPodAutoscaler,
    Pod,
    PodDisruptionBudget,
    Service,
}

impl Kind {
    /// How the API server calls it.
    pub(super) fn types(self) -> TypeMeta {
        let (api_version, kind) = match self {
            Self::Deployment => ("apps/v1", "Deployment"),
            Self::HttpRoute => ("gateway.networking.k8s.io/v1", "HTTPRoute"),
            Self::HorizontalPodAutoscaler => ("autoscaling/v2", "HorizontalPodAutoscaler"),
            Self::Pod => ("v1", "Pod"),
            Self::PodDisruptionBudget => ("policy/v1", "PodDisruptionBudget"),
            Self::Service => ("v1", "Service"),
        };
        TypeMeta { api_version: api_version.to_owned(), kind: kind.to_owned() }
    }
}

/// A deployment's namespace and name.
pub(super) type Key = (String, String);

/// An object of a deployment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Child {
    /// The resource it belongs to; a pod's is known by label alone.
    pub(super) owner: Option<String>,
    /// Counts the changes of its specification, where the kind does.
    pub(super) generation: Option<i64>,
    /// The predictor it serves.
    pub(super) predictor: Option<String>,
    /// The revision of the predictor.
    pub(super) revision: Option<String>,
    /// What is known of its kind alone.
    pub(super) facts: Facts,
}

/// What is known of an object, by its kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Facts {
    /// How far a Deployment is.
    Deployment(Rollout),
    /// What a route says, and what the gateway says to it.
    HttpRoute(RouteFacts),
    /// Why a pod does not run.
    Pod { workload: String, trouble: Option<String> },
    /// That it is there.
    Other,
}

/// How far a Deployment is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rollout {
    pub(super) desired: i32,
    pub(super) available: i32,
    /// How it is scaled by the requests that its pods get.
    pub(super) scaling: Option<Scaling>,
    /// Whether all replicas are of this generation and available, and no others are left.
    pub(super) is_complete: bool,
    /// Why no pods can be made.
    pub(super) trouble: Option<String>,
}

/// What a route says, and what the gateway says to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RouteFacts {
    pub(super) routes: Vec<Route>,
    /// Whether they are in force only once what they name can serve.
    pub(super) is_first: bool,
    pub(super) answer: Answer,
}

/// What the gateway says to the present generation of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing yet.
    #[default]
    Awaited,
    Accepted,
    Rejected(String),
}

/// A child of a deployment, with its name.
pub(super) type Named = (Key, String, Child);
/// The children of one deployment, by kind and name.
pub(super) type Family = BTreeMap<(Kind, String), Child>;

/// All children of all deployments.
#[derive(Debug)]
pub(super) struct Children {
    index: Mutex<Index>,
    /// Kinds whose first list has not come yet.
    missing: watch::Sender<HashSet<Kind>>,
}

#[derive(Debug, Default)]
struct Index {
    families: HashMap<Key, Family>,
    /// What a list that is under way has named so far.
    listed: HashMap<Kind, HashSet<(Key, String)>>,
}

impl Children {
    /// None are known, until each of these kinds was listed.
    pub(super) fn new(kinds: &[Kind]) -> Self {
        let missing = watch::Sender::new(kinds.iter().copied().collect());
        Self { index: Mutex::default(), missing }
    }

    /// Waits until every kind was listed.
    pub(super) async fn listed(&self) {
        let mut missing = self.missing.subscribe();
        // The sender lives as long as this.
        let _listed = missing.wait_for(HashSet::is_empty).await;
    }

    /// The children that the resource of this name and identity has now.
    pub(super) fn of(&self, key: &Key, uid: &str) -> Family {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let is_its = |child: &Child| child.owner.as_deref().is_none_or(|owner| owner == uid);
        let family = index.families.get(key).into_iter().flatten();
        family.filter(|(_, child)| is_its(child)).map(|(name, child)| (name.clone(), child.clone())).collect()
    }

    /// Notes what a watch tells; gives the deployments that it is news for.
    pub(super) fn note(&self, kind: Kind, event: Event<Named>) -> Vec<Key> {
        let is_listed = matches!(event, Event::InitDone);
        let news = self.index.lock().unwrap_or_else(PoisonError::into_inner).note(kind, event);
        if is_listed {
            self.missing.send_if_modified(|missing| missing.remove(&kind));
        }
        news
    }
}

impl Index {
    fn note(&mut self, kind: Kind, event: Event<Named>) -> Vec<Key> {
        match event {
            Event::Apply(child) => self.put(kind, child),
            Event::Delete((key, name, _)) => self.remove(kind, key, name),
            Event::Init => {
                self.listed.insert(kind, HashSet::new());
                Vec::new()
            }
            Event::InitApply(child) => {
                self.listed.entry(kind).or_default().insert((child.0.clone(), child.1.clone()));
                self.put(kind, child)
            }
            Event::InitDone => self.forget_unlisted(kind),
        }
    }

    fn put(&mut self, kind: Kind, (key, name, child): Named) -> Vec<Key> {
        match self.families.entry(key.clone()).or_default().entry((kind, name)) {
            Entry::Occupied(known) if *known.get() == child => return Vec::new(),
            Entry::Occupied(mut known) => drop(known.insert(child)),
            Entry::Vacant(free) => drop(free.insert(child)),
        }
        vec![key]
    }

    fn remove(&mut self, kind: Kind, key: Key, name: String) -> Vec<Key> {
        let Some(family) = self.families.get_mut(&key) else { return Vec::new() };
        family.remove(&(kind, name));
        if family.is_empty() {
            self.families.remove(&key);
        }
        vec![key]
    }

    /// A list that is complete tells by its silence what was deleted while nobody watched.
    fn forget_unlisted(&mut self, kind: Kind) -> Vec<Key> {
        let listed = self.listed.remove(&kind).unwrap_or_default();
        let of_kind = self.families.iter().flat_map(|(key, family)| {
            family.keys().filter(|(one, _)| *one == kind).map(|(_, name)| (key.clone(), name.clone()))
        });
        let gone: Vec<_> = of_kind.filter(|child| !listed.contains(child)).collect();
        gone.into_iter().flat_map(|(key, name)| self.remove(kind, key, name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        ("models".to_owned(), "iris".to_owned())
    }

    fn service(name: &str, owner: &str) -> Named {
        let owner = Some(owner.to_owned());
        let child = Child { owner, generation: None, predictor: None, revision: None, facts: Facts::Other };
        (key(), name.to_owned(), child)
    }

    fn names(children: &Children, uid: &str) -> Vec<String> {
        children.of(&key(), uid).into_keys().map(|(_, name)| name).collect()
    }

    #[test]
    fn only_news_is_told() {
        let children = Children::new(&[Kind::Service]);
        assert_eq!(children.note(Kind::Service, Event::Apply(service("a", "1"))), [key()]);
        assert!(children.note(Kind::Service, Event::Apply(service("a", "1"))).is_empty());
        assert_eq!(children.note(Kind::Service, Event::Delete(service("a", "1"))), [key()]);
        assert!(children.note(Kind::Service, Event::Delete(service("a", "1"))).is_empty());
    }

    #[test]
    fn what_a_new_list_does_not_name_is_gone() {
        let children = Children::new(&[Kind::Service]);
        for name in ["a", "b"] {
            children.note(Kind::Service, Event::Apply(service(name, "1")));
        }
        assert!(children.note(Kind::Service, Event::Init).is_empty());
        assert!(children.note(Kind::Service, Event::InitApply(service("b", "1"))).is_empty());
        assert_eq!(children.note(Kind::Service, Event::InitDone), [key()]);
        assert_eq!(names(&children, "1"), ["b"]);
    }

    #[test]
    fn children_of_another_resource_of_the_name_are_not_its() {
        let children = Children::new(&[]);
        children.note(Kind::Service, Event::Apply(service("a", "1")));
        children.note(Kind::Service, Event::Apply(service("b", "2")));
        assert_eq!(names(&children, "2"), ["b"]);
    }

    #[tokio::test]
    async fn nothing_waits_once_every_kind_was_listed() {
        let children = Children::new(&[Kind::Service]);
        children.note(Kind::Service, Event::Init);
        children.note(Kind::Service, Event::InitDone);
        children.listed().await;
    }
}
