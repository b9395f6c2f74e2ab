//! Tests of the log as a whole.

mod crashes;
pub(crate) mod faults;
mod pages;
mod support;
