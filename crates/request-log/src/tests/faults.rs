//! Makes changes to the disk fail.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::disk::Change;

/// Records changes to the disk, and lets all fail from some change on, as a crash does.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    changes: Vec<(Change, PathBuf)>,
    crash_at: Option<usize>,
    /// Whether changes succeed again after the one that failed.
    is_passing: bool,
}

impl Faults {
    /// All changes fail from this one on, counted from 0.
    pub(crate) fn crash_at(index: usize) -> Self {
        Self { state: Mutex::new(State { crash_at: Some(index), ..State::default() }) }
    }

    /// Only this change fails.
    pub(crate) fn fail_at(index: usize) -> Self {
        Self { state: Mutex::new(State { crash_at: Some(index), is_passing: true, ..State::default() }) }
    }

    pub(crate) fn before(&self, change: Change, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.changes.push((change, path.to_owned()));
        match state.crash_at {
            Some(index) if state.changes.len() == index + 1 || (!state.is_passing && state.changes.len() > index) => {
                Err(io::Error::new(io::ErrorKind::StorageFull, "the disk is full"))
            }
            _ => Ok(()),
        }
    }

    /// The changes so far.
    pub(crate) fn changes(&self) -> Vec<(Change, PathBuf)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).changes.clone()
    }
}
