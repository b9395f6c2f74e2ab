//! What each process does alike: listeners, supervised tasks, shutdown, telemetry and access checks.

pub mod access;
pub mod config;
pub mod listener;
pub mod open_files;
pub mod supervise;
pub mod telemetry;
pub mod tls;
