//! Which resource has a name: what deployments of several kinds are made of is named after them alone, so that of two of one
//! name the older is made so, and the other waits until that is gone. And where it is called, for graphs that call it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use futures_util::{Stream, StreamExt as _, future, stream};
use kube::{ResourceExt as _, api::DynamicObject, runtime::watcher::Event};
use tokio::sync::{broadcast, watch};

use super::{children::Key, crd::Served, words::AVAILABLE};

/// How many changes may wait to be told; there are few, as names are seldom had twice.
const NEWS_MAX: usize = 1024;

/// A kind, and the namespace in which it is watched; all where none is told.
pub(super) type Watch = (Served, Option<String>);

/// The resources of all kinds, by their names.
#[derive(Debug)]
pub(super) struct Claims {
    known: Mutex<Known>,
    /// How many watches have not listed theirs yet.
    missing: watch::Sender<usize>,
    /// A name that several have or had, and the kind by which that changed.
    news: broadcast::Sender<(Served, Key)>,
    /// The namespaces in which a resource is called elsewhere than before, or is new or gone.
    moved: broadcast::Sender<String>,
}

/// What is known of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Claim {
    /// When it was made, in seconds: the API server tells no less.
    created: i64,
    /// Where it is called in the cluster, once it has served.
    address: Option<String>,
}

/// Where a deployment is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// There is no such deployment.
    Nowhere,
    /// It has not served yet.
    Awaited,
    /// At this URL.
    At(String),
}

#[derive(Debug, Default)]
struct Known {
    by_name: HashMap<Key, BTreeMap<Served, Claim>>,
    /// What a list under way has named so far.
    listed: HashMap<Watch, HashSet<Key>>,
    complete: HashSet<Watch>,
}

impl Claims {
    /// None are known, until so many watches have listed theirs.
    pub(super) fn new(watches: usize) -> Self {
        let (missing, news) = (watch::Sender::new(watches), broadcast::Sender::new(NEWS_MAX));
        Self { known: Mutex::default(), missing, news, moved: broadcast::Sender::new(NEWS_MAX) }
    }

    /// Waits until every watch has listed its resources.
    pub(super) async fn listed(&self) {
        let mut missing = self.missing.subscribe();
        // The sender lives as long as this.
        let _listed = missing.wait_for(|missing| *missing == 0).await;
    }

    /// The kind of another resource that has the name of this one, and had it first.
    pub(super) fn other(&self, served: Served, key: &Key) -> Option<Served> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, _) = first(known.by_name.get(key)?)?;
        Some(first).filter(|first| *first != served)
    }

    /// Where the deployment of a name is called.
    pub(super) fn place(&self, key: &Key) -> Place {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.by_name.get(key).and_then(first) {
            None => Place::Nowhere,
            Some((_, Claim { address: None, .. })) => Place::Awaited,
            Some((_, Claim { address: Some(address), .. })) => Place::At(address.clone()),
        }
    }

    /// Notes what a watch tells of the resources that are this operator's own.
    pub(super) fn note(&self, watch: &Watch, event: &Event<DynamicObject>, is_own: impl Fn(&DynamicObject) -> bool) {
        let (changed, is_first) = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let changed = known.note(watch, event, is_own, &self.moved);
            (changed, matches!(event, Event::InitDone) && known.complete.insert(watch.clone()))
        };
        for key in changed {
            // Nobody needs to listen.
            let _heard = self.news.send((watch.0, key));
        }
        if is_first {
            self.missing.send_modify(|missing| *missing = missing.saturating_sub(1));
        }
    }

    /// The resources of a kind whose names others took or left.
    pub(super) fn changes(&self, served: Served) -> impl Stream<Item = Key> + Send + 'static + use<> {
        heard(&self.news).filter_map(move |(by, key)| future::ready(Some(key).filter(|_| by != served)))
    }

    /// The namespaces in which a deployment is called elsewhere than before.
    pub(super) fn moves(&self) -> impl Stream<Item = String> + Send + 'static + use<> {
        heard(&self.moved)
    }
}

fn heard<T: Clone + Send + 'static>(news: &broadcast::Sender<T>) -> impl Stream<Item = T> + Send + 'static + use<T> {
    stream::unfold(news.subscribe(), |mut news| async {
        loop {
            match news.recv().await {
                Ok(change) => return Some((change, news)),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    })
}

/// The resource that had a name first.
fn first(claims: &BTreeMap<Served, Claim>) -> Option<(Served, &Claim)> {
    let first = claims.iter().min_by_key(|(served, claim)| (claim.created, **served));
    first.map(|(served, claim)| (*served, claim))
}

/// Where a resource says that it is called, if it says that it serves.
fn address(object: &DynamicObject) -> Option<String> {
    let status = &object.data["status"];
    let serves = status["state"] == AVAILABLE || status["replicas"].as_i64().is_some_and(|replicas| replicas > 0);
    status["address"]["url"].as_str().filter(|_| serves).map(str::to_owned)
}

impl Known {
    /// Notes an event; gives the names for which it matters to others.
    fn note(
        &mut self,
        watch: &Watch,
        event: &Event<DynamicObject>,
        is_own: impl Fn(&DynamicObject) -> bool,
        moved: &broadcast::Sender<String>,
    ) -> Vec<Key> {
        let served = watch.0;
        let changed = match event {
            Event::Apply(object) | Event::InitApply(object) if is_own(object) => {
                if matches!(event, Event::InitApply(_)) {
                    self.listed.entry(watch.clone()).or_default().insert(key_of(object));
                }
                self.put(served, object, moved)
            }
            Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) => {
                self.remove(served, key_of(object), moved)
            }
            Event::Init => {
                self.listed.remove(watch);
                None
            }
            Event::InitDone => return self.forget_unlisted(watch, moved),
        };
        changed.into_iter().collect()
    }

    fn put(&mut self, served: Served, object: &DynamicObject, moved: &broadcast::Sender<String>) -> Option<Key> {
        let created = object.creation_timestamp().map_or(0, |time| time.0.as_second());
        let key = key_of(object);
        let claims = self.by_name.entry(key.clone()).or_default();
        let before = claims.get(&served).filter(|before| before.created == created);
        // One that served once is called there, whatever becomes of it.
        let address = address(object).or_else(|| before.and_then(|before| before.address.clone()));
        let claim = Claim { created, address };
        let (is_new, is_same) = (before.is_none(), before == Some(&claim));
        claims.insert(served, claim);
        if !is_same {
            tell(moved, &key);
        }
        (is_new && claims.len() > 1).then_some(key)
    }

    fn remove(&mut self, served: Served, key: Key, moved: &broadcast::Sender<String>) -> Option<Key> {
        let claims = self.by_name.get_mut(&key)?;
        let was_there = claims.remove(&served).is_some();
        if was_there {
            tell(moved, &key);
        }
        if claims.is_empty() {
            self.by_name.remove(&key);
            return None;
        }
        was_there.then_some(key)
    }

    /// A list that is complete tells by its silence what was deleted while nobody watched.
    fn forget_unlisted(&mut self, watch: &Watch, moved: &broadcast::Sender<String>) -> Vec<Key> {
        let (served, namespace) = watch;
        let listed = self.listed.remove(watch).unwrap_or_default();
        let is_watched = |key: &Key| namespace.as_ref().is_none_or(|namespace| *namespace == key.0);
        let of_watch = self.by_name.iter().filter(|(key, claims)| claims.contains_key(served) && is_watched(key));
        let gone: Vec<_> = of_watch.map(|(key, _)| key.clone()).filter(|key| !listed.contains(key)).collect();
        gone.into_iter().filter_map(|key| self.remove(*served, key, moved)).collect()
    }
}

fn tell(moved: &broadcast::Sender<String>, (namespace, _): &Key) {
    // Nobody needs to listen.
    let _heard = moved.send(namespace.clone());
}

fn key_of(object: &DynamicObject) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SELDON: Served = Served::SeldonDeployment;
    const KSERVE: Served = Served::InferenceService;

    fn object(second: u32, label: &str) -> DynamicObject {
        let metadata = json!({
            "name": "iris",
            "namespace": "models",
            "creationTimestamp": format!("2026-01-01T00:00:0{second}Z"),
            "labels": {"own": label},
        });
        serde_json::from_value(json!({"metadata": metadata})).unwrap()
    }

    fn note(claims: &Claims, served: Served, event: &Event<DynamicObject>) {
        claims.note(&(served, None), event, |object| object.labels()["own"] == "yes");
    }

    fn others(claims: &Claims) -> [Option<Served>; 2] {
        [SELDON, KSERVE].map(|served| claims.other(served, &("models".to_owned(), "iris".to_owned())))
    }

    #[test]
    fn the_older_of_two_has_the_name_until_it_is_gone() {
        let claims = Claims::new(2);
        note(&claims, SELDON, &Event::Apply(object(2, "yes")));
        assert_eq!(others(&claims)[0], None);
        note(&claims, KSERVE, &Event::Apply(object(1, "yes")));
        assert_eq!(others(&claims), [Some(KSERVE), None]);
        note(&claims, KSERVE, &Event::Delete(object(1, "yes")));
        assert_eq!(others(&claims)[0], None);
    }

    #[test]
    fn of_two_of_one_second_one_has_the_name() {
        let claims = Claims::new(2);
        for served in [KSERVE, SELDON] {
            note(&claims, served, &Event::Apply(object(1, "yes")));
        }
        assert_eq!(others(&claims), [None, Some(SELDON)]);
    }

    #[test]
    fn what_is_another_operators_has_no_name_here() {
        let claims = Claims::new(2);
        note(&claims, KSERVE, &Event::Apply(object(1, "yes")));
        note(&claims, SELDON, &Event::Apply(object(2, "yes")));
        note(&claims, KSERVE, &Event::Apply(object(1, "no")));
        assert_eq!(others(&claims)[0], None);
    }

    #[tokio::test]
    async fn a_resource_is_called_where_it_once_served_until_it_is_gone() {
        let claims = Claims::new(1);
        let mut moves = std::pin::pin!(claims.moves());
        let place = || claims.place(&("models".to_owned(), "iris".to_owned()));
        let with = |status: serde_json::Value| {
            let mut object = object(1, "yes");
            object.data = json!({"status": status});
            Event::Apply(object)
        };
        assert_eq!(place(), Place::Nowhere);
        let address = json!({"url": "http://iris:8000/"});
        note(&claims, SELDON, &with(json!({"state": "Creating", "replicas": 0, "address": address})));
        assert_eq!(place(), Place::Awaited);
        let at = Place::At("http://iris:8000/".to_owned());
        for status in [json!({"state": "Available", "address": address}), json!({"state": "Failed"})] {
            note(&claims, SELDON, &with(status));
            assert_eq!(place(), at);
        }
        note(&claims, SELDON, &Event::Delete(object(1, "yes")));
        assert_eq!(place(), Place::Nowhere);
        for _ in ["it is new", "it serves", "it is gone"] {
            assert_eq!(moves.next().await.as_deref(), Some("models"));
        }
        assert!(futures_util::FutureExt::now_or_never(moves.next()).is_none(), "its state alone moves nothing");
    }

    #[tokio::test]
    async fn who_waits_for_a_name_is_told_when_a_list_does_not_name_its_holder() {
        let claims = Claims::new(2);
        let mut changes = std::pin::pin!(claims.changes(SELDON));
        note(&claims, KSERVE, &Event::InitApply(object(1, "yes")));
        note(&claims, KSERVE, &Event::InitDone);
        note(&claims, SELDON, &Event::InitApply(object(2, "yes")));
        note(&claims, SELDON, &Event::InitDone);
        claims.listed().await;
        note(&claims, KSERVE, &Event::Init);
        note(&claims, KSERVE, &Event::InitDone);
        assert_eq!(changes.next().await, Some(("models".to_owned(), "iris".to_owned())));
        assert_eq!(others(&claims)[0], None);
    }
}
