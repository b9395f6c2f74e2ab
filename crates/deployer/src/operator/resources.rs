//! Watching the resources that users write.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use futures_util::{Stream, StreamExt as _, future};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DynamicObject, TypeMeta},
    runtime::{
        WatchStreamExt as _,
        reflector::{ObjectRef, store::Writer},
        watcher::{self, Event, watcher},
    },
};

use super::{Context, crd::Served, reconcile::is_own};
use crate::kubernetes::LAST_APPLIED;

/// The resources of a kind in a namespace, or in all.
pub(crate) fn api(client: &Client, served: Served, namespace: Option<&str>) -> Api<DynamicObject> {
    let kind = served.resource();
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &kind),
        None => Api::all_with(client.clone(), &kind),
    }
}

/// The resources that their users change. What becomes of those that are deleted is forgotten.
pub(super) fn changed(
    client: &Client,
    namespace: Option<&str>,
    writer: Writer<DynamicObject>,
    context: Arc<Context>,
) -> impl Stream<Item = Result<DynamicObject, watcher::Error>> + Send + 'static + use<> {
    let served = context.served;
    let objects = watcher(api(client, served, namespace), watcher::Config::default()).default_backoff();
    let objects = objects.modify(move |object| strip(object, served)).reflect(writer);
    let (mut seen, watch) = (Seen::of(served), (served, namespace.map(str::to_owned)));
    objects.filter_map(move |event| {
        let changed = event.map(|event| {
            let controller = context.options.controller_id.as_deref();
            context.claims.note(&watch, &event, |object| is_own(object, controller));
            let before = seen.known.len();
            let is_news = seen.note(&event);
            context.figures.add_deployments(difference(before, seen.known.len()));
            if matches!(event, Event::Delete(_) | Event::InitDone) {
                context.memories().retain(|key, _| seen.known.contains_key(key));
            }
            match event {
                Event::Apply(object) | Event::InitApply(object) => Some(object).filter(|_| is_news),
                Event::Delete(_) | Event::Init | Event::InitDone => None,
            }
        });
        future::ready(changed.transpose())
    })
}

/// Takes away what nobody here reads, and may be large; adds the kind, which lists leave out.
fn strip(object: &mut DynamicObject, served: Served) {
    name_kind(object, served);
    object.managed_fields_mut().clear();
    object.annotations_mut().remove(LAST_APPLIED);
}

/// The resources that are there, each with a hash of what its user decides.
#[derive(Debug)]
struct Seen {
    served: Served,
    known: HashMap<ObjectRef<DynamicObject>, u64>,
    /// Those that a list under way has named so far.
    listed: HashSet<ObjectRef<DynamicObject>>,
}

/// Writes down what kind of resource it is.
pub(crate) fn name_kind(object: &mut DynamicObject, served: Served) {
    let types = || TypeMeta { api_version: served.api_version(), kind: served.kind().to_owned() };
    object.types.get_or_insert_with(types);
}

impl Seen {
    /// None are known yet.
    fn of(served: Served) -> Self {
        Self { served, known: HashMap::new(), listed: HashSet::new() }
    }

    /// Notes an event; gives whether a user changed something by it. A status is none of a user's.
    fn note(&mut self, event: &Event<DynamicObject>) -> bool {
        let served = self.served;
        let key = |object| ObjectRef::from_obj_with(object, served.resource());
        match event {
            Event::Apply(object) => self.put(key(object), object),
            Event::InitApply(object) => {
                self.listed.insert(key(object));
                self.put(key(object), object)
            }
            Event::Delete(object) => self.known.remove(&key(object)).is_some(),
            Event::Init => false,
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                self.known.retain(|key, _| listed.contains(key));
                false
            }
        }
    }

    fn put(&mut self, key: ObjectRef<DynamicObject>, object: &DynamicObject) -> bool {
        let hash = hash_of(object);
        self.known.insert(key, hash) != Some(hash)
    }
}

fn difference(before: usize, now: usize) -> i64 {
    i64::try_from(now).unwrap_or(i64::MAX) - i64::try_from(before).unwrap_or(i64::MAX)
}

/// A hash of what the user of a resource decides.
pub(super) fn hash_of(object: &DynamicObject) -> u64 {
    let mut hasher = DefaultHasher::new();
    let metadata = &object.metadata;
    (&metadata.uid, metadata.generation, metadata.deletion_timestamp.is_some()).hash(&mut hasher);
    (&metadata.labels, &metadata.annotations).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, generation: i64, state: &str) -> DynamicObject {
        let metadata = json!({"name": name, "namespace": "models", "generation": generation});
        serde_json::from_value(json!({"metadata": metadata, "status": {"state": state}})).unwrap()
    }

    #[test]
    fn a_status_is_no_news() {
        let mut seen = Seen::of(Served::SeldonDeployment);
        assert!(seen.note(&Event::Apply(object("iris", 1, "Creating"))));
        assert!(!seen.note(&Event::Apply(object("iris", 1, "Available"))));
        assert!(seen.note(&Event::Apply(object("iris", 2, "Available"))));
    }

    #[test]
    fn what_a_list_does_not_name_is_forgotten() {
        let mut seen = Seen::of(Served::SeldonDeployment);
        seen.note(&Event::Apply(object("iris", 1, "Creating")));
        seen.note(&Event::Init);
        seen.note(&Event::InitApply(object("wine", 1, "Creating")));
        seen.note(&Event::InitDone);
        let names: Vec<_> = seen.known.keys().map(|key| key.name.as_str()).collect();
        assert_eq!(names, ["wine"]);
    }
}
