//! Use cases, reconcile loops, the REST API, and serving the console.

pub mod app;
pub mod console;
pub mod kubernetes;
pub mod reconcile;
pub mod rest;
