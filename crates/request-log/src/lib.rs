//! The request log: segments written by serving threads, Parquet datasets, queries and retention.
//!
//! **Invariant**: appending a record takes no lock, waits for no thread and makes no system call but
//! when a segment starts or ends, and one for each 256 KiB of it.

pub mod segment;

mod bucket;
mod bucket_keeper;
mod bucket_log;
mod compact;
mod dataset;
mod datasets;
mod disk;
mod epoch;
mod error;
mod log;
mod maintenance;
mod pause;
mod query;
mod retention;
mod rewrite;
#[cfg(test)]
mod tests;
mod upload;

pub use bucket::{Bucket, CacheOptions};
pub use bucket_keeper::{BucketKeeper, KeeperOptions, Kept};
pub use bucket_log::BucketLog;
pub use error::Error;
pub use log::{Files, Options, RequestLog};
pub use maintenance::{Report, Statistics};
pub use retention::Retention;
pub use upload::{Sent, Unsent, Uploads};
