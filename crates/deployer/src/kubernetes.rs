//! Kubernetes objects that run a deployment. Pure: the operator applies them.

mod build;
mod names;
mod pod;
mod route;

pub use build::{Owner, Settings, Source, build, workloads};
pub use route::route;
