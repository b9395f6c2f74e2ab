//! Implements the storage ports: deployments in SQLite, artifacts in the file system. Also knows buckets.

pub mod artifacts;
pub mod buckets;
pub mod metadata;
