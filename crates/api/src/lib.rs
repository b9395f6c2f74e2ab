//! Wire types, versioned: manifests and custom resources, the REST API, and problem details.

pub mod client;
pub mod crd;
pub mod figures;
pub mod flush;
pub mod manifest;
pub mod problem;
pub mod rest;
pub mod yaml;
