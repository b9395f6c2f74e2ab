//! Implements the storage ports: deployments in SQLite, artifacts in the file system.

pub mod artifacts;
pub mod metadata;
