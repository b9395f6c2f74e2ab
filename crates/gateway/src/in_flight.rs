//! How many requests are being answered.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts a request while it is being answered.
pub(crate) struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    /// `None` where as many as there may be are under way.
    pub(crate) fn enter(count: &'a AtomicUsize, most: usize) -> Option<Self> {
        let slot = Self(count);
        let before = count.fetch_add(1, Ordering::Relaxed);
        (before < most).then_some(slot)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
