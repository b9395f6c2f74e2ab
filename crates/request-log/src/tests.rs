//! Tests of the log as a whole.

mod bucket_keeper;
mod bucket_log;
mod columns;
mod concurrency;
mod crashes;
pub(crate) mod faults;
mod odd_files;
mod pages;
mod properties;
mod store;
mod support;
mod uploads;
