//! The deployments that the watches have shown. Pure.

use std::collections::{BTreeMap, BTreeSet};

use kube::{api::DynamicObject, runtime::watcher::Event};
use provost_domain::{DeploymentId, Namespace};

use super::stored::Known;

/// What is known of the cluster's deployments.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    known: BTreeMap<(String, String), Entry>,
    /// By watch: what a list under way has named so far.
    listed: BTreeMap<usize, BTreeSet<(String, String)>>,
    /// Watches that have been listed once.
    complete: BTreeSet<usize>,
}

#[derive(Debug)]
struct Entry {
    watch: usize,
    uid: Option<String>,
    known: Known,
}

impl Mirror {
    /// Notes what watch number `watch` shows; gives whether anything is new.
    pub(super) fn note(&mut self, watch: usize, event: &Event<DynamicObject>) -> bool {
        match event {
            Event::Apply(object) => self.put(watch, object),
            Event::InitApply(object) => {
                self.listed.entry(watch).or_default().extend(key(object));
                self.put(watch, object)
            }
            Event::Delete(object) => key(object).is_some_and(|key| {
                let is_it = self.known.get(&key).is_some_and(|entry| entry.watch == watch);
                is_it && self.known.remove(&key).is_some()
            }),
            Event::Init => {
                self.listed.remove(&watch);
                false
            }
            Event::InitDone => {
                let listed = self.listed.remove(&watch).unwrap_or_default();
                let before = self.known.len();
                self.known.retain(|key, entry| entry.watch != watch || listed.contains(key));
                self.complete.insert(watch) || self.known.len() != before
            }
        }
    }

    /// Whether all of `watches` have been listed.
    pub(super) fn is_complete(&self, watches: usize) -> bool {
        self.complete.len() >= watches
    }

    /// Notes a resource; gives whether it is news. One that is older than what is known of it is none: the answer to a
    /// write may come before the watch shows it. Of two kinds the older resource has the name, as it has for the operator.
    pub(super) fn put(&mut self, watch: usize, object: &DynamicObject) -> bool {
        let (Some(key), Some(known)) = (key(object), Known::of(object)) else { return false };
        let before = self.known.get(&key);
        let place = |watch: usize, known: &Known| (known.stored.created, watch);
        if before.is_some_and(|it| it.watch != watch && place(it.watch, &it.known) < place(watch, &known)) {
            return false;
        }
        let is_same = before.is_some_and(|before| before.uid == object.metadata.uid);
        let is_old = before.is_some_and(|before| is_same && before.known.stored.generation > known.stored.generation);
        if is_old || before.is_some_and(|before| is_same && before.known == known) {
            return false;
        }
        self.known.insert(key, Entry { watch, uid: object.metadata.uid.clone(), known });
        true
    }

    /// Forgets a deployment that was deleted.
    pub(super) fn remove(&mut self, id: &DeploymentId) {
        self.known.remove(&key_of(id));
    }

    /// The deployment of that name.
    pub(super) fn get(&self, id: &DeploymentId) -> Option<&Known> {
        self.known.get(&key_of(id)).map(|entry| &entry.known)
    }

    /// All deployments, or those of a namespace, by name.
    pub(super) fn list<'a>(&'a self, namespace: Option<&'a Namespace>) -> impl Iterator<Item = &'a Known> {
        let is_wanted = move |key: &&(String, String)| namespace.is_none_or(|namespace| key.0 == namespace.as_str());
        self.known.iter().filter(move |(key, _)| is_wanted(key)).map(|(_, entry)| &entry.known)
    }
}

fn key(object: &DynamicObject) -> Option<(String, String)> {
    Some((object.metadata.namespace.clone()?, object.metadata.name.clone()?))
}

fn key_of(id: &DeploymentId) -> (String, String) {
    (id.namespace.to_string(), id.name.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, generation: u64, uid: &str) -> DynamicObject {
        let metadata = json!({"name": name, "namespace": "models", "generation": generation, "uid": uid});
        serde_json::from_value(json!({"metadata": metadata, "spec": {}})).unwrap()
    }

    fn names(mirror: &Mirror) -> Vec<String> {
        mirror.list(None).map(|known| known.stored.id.name.to_string()).collect()
    }

    #[test]
    fn what_is_older_than_an_answer_to_a_write_is_no_news() {
        let mut mirror = Mirror::default();
        assert!(mirror.put(0, &object("iris", 2, "a")));
        assert!(!mirror.note(0, &Event::Apply(object("iris", 1, "a"))));
        assert!(!mirror.note(0, &Event::Apply(object("iris", 2, "a"))));
        assert!(mirror.note(0, &Event::Apply(object("iris", 1, "b"))), "it was made anew");
    }

    #[test]
    fn of_two_kinds_the_older_resource_has_the_name() {
        let object = |second: u32, uid: &str| {
            let mut object = object("iris", 1, uid);
            let created = format!("2026-01-01T00:00:0{second}Z");
            object.metadata.creation_timestamp = Some(serde_json::from_value(created.into()).unwrap());
            object
        };
        let mut mirror = Mirror::default();
        assert!(mirror.note(0, &Event::Apply(object(2, "a"))));
        assert!(mirror.note(1, &Event::Apply(object(1, "b"))));
        assert!(!mirror.note(0, &Event::Apply(object(2, "a"))));
        assert!(!mirror.note(0, &Event::Delete(object(2, "a"))), "the other stays");
        assert_eq!(names(&mirror), ["iris"]);
    }

    #[test]
    fn a_list_forgets_what_it_does_not_name_of_its_own_watch() {
        let mut mirror = Mirror::default();
        mirror.note(0, &Event::Apply(object("iris", 1, "a")));
        mirror.note(1, &Event::Apply(object("wine", 1, "b")));
        mirror.note(0, &Event::Init);
        mirror.note(0, &Event::InitApply(object("income", 1, "c")));
        assert!(!mirror.is_complete(1));
        assert!(mirror.note(0, &Event::InitDone));
        assert!(mirror.is_complete(1) && !mirror.is_complete(2));
        assert_eq!(names(&mirror), ["income", "wine"]);
    }
}
