//! What is known of objects since the operator started, by their identifiers.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

#[derive(Debug)]
pub(super) struct Memories<M>(Mutex<HashMap<String, M>>);

impl<M> Default for Memories<M> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<M> Memories<M> {
    /// Forgets the objects that are gone.
    pub(super) fn retain(&self, is_there: impl Fn(&str) -> bool) {
        self.all().retain(|uid, _| is_there(uid));
    }

    /// Takes what is known of an object, to be put back.
    pub(super) fn take(&self, uid: &str) -> Option<M> {
        self.all().remove(uid)
    }

    pub(super) fn put(&self, uid: String, memory: M) {
        self.all().insert(uid, memory);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, M>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
