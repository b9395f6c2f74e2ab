//! Which resource has a name: what deployments of several kinds are made of is named after them alone, so that of two of one
//! name the older is made so, and the other waits until that is gone.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use futures_util::{Stream, StreamExt as _, future, stream};
use kube::{ResourceExt as _, api::DynamicObject, runtime::watcher::Event};
use tokio::sync::{broadcast, watch};

use super::{children::Key, crd::Served};

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
}

#[derive(Debug, Default)]
struct Known {
    /// When each resource was made, in seconds: the API server tells no less.
    by_name: HashMap<Key, BTreeMap<Served, i64>>,
    /// What a list under way has named so far.
    listed: HashMap<Watch, HashSet<Key>>,
    complete: HashSet<Watch>,
}

impl Claims {
    /// None are known, until so many watches have listed theirs.
    pub(super) fn new(watches: usize) -> Self {
        let (missing, news) = (watch::Sender::new(watches), broadcast::Sender::new(NEWS_MAX));
        Self { known: Mutex::default(), missing, news }
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
        let first = known.by_name.get(key)?.iter().min_by_key(|(served, created)| (**created, **served));
        first.map(|(first, _)| *first).filter(|first| *first != served)
    }

    /// Notes what a watch tells of the resources that are this operator's own.
    pub(super) fn note(&self, watch: &Watch, event: &Event<DynamicObject>, is_own: impl Fn(&DynamicObject) -> bool) {
        let (changed, is_first) = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let changed = known.note(watch, event, is_own);
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
        let news = stream::unfold(self.news.subscribe(), |mut news| async {
            loop {
                match news.recv().await {
                    Ok(change) => return Some((change, news)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        });
        news.filter_map(move |(by, key)| future::ready(Some(key).filter(|_| by != served)))
    }
}

impl Known {
    /// Notes an event; gives the names for which it matters to others.
    fn note(
        &mut self,
        watch: &Watch,
        event: &Event<DynamicObject>,
        is_own: impl Fn(&DynamicObject) -> bool,
    ) -> Vec<Key> {
        let served = watch.0;
        let changed = match event {
            Event::Apply(object) | Event::InitApply(object) if is_own(object) => {
                if matches!(event, Event::InitApply(_)) {
                    self.listed.entry(watch.clone()).or_default().insert(key_of(object));
                }
                self.put(served, object)
            }
            Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) => {
                self.remove(served, key_of(object))
            }
            Event::Init => {
                self.listed.remove(watch);
                None
            }
            Event::InitDone => return self.forget_unlisted(watch),
        };
        changed.into_iter().collect()
    }

    fn put(&mut self, served: Served, object: &DynamicObject) -> Option<Key> {
        let created = object.creation_timestamp().map_or(0, |time| time.0.as_second());
        let key = key_of(object);
        let claims = self.by_name.entry(key.clone()).or_default();
        let is_new = claims.insert(served, created) != Some(created);
        (is_new && claims.len() > 1).then_some(key)
    }

    fn remove(&mut self, served: Served, key: Key) -> Option<Key> {
        let claims = self.by_name.get_mut(&key)?;
        let was_there = claims.remove(&served).is_some();
        if claims.is_empty() {
            self.by_name.remove(&key);
            return None;
        }
        was_there.then_some(key)
    }

    /// A list that is complete tells by its silence what was deleted while nobody watched.
    fn forget_unlisted(&mut self, watch: &Watch) -> Vec<Key> {
        let (served, namespace) = watch;
        let listed = self.listed.remove(watch).unwrap_or_default();
        let is_watched = |key: &Key| namespace.as_ref().is_none_or(|namespace| *namespace == key.0);
        let of_watch = self.by_name.iter().filter(|(key, claims)| claims.contains_key(served) && is_watched(key));
        let gone: Vec<_> = of_watch.map(|(key, _)| key.clone()).filter(|key| !listed.contains(key)).collect();
        gone.into_iter().filter_map(|key| self.remove(*served, key)).collect()
    }
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
