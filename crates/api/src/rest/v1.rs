//! Types of `/api/v1`. Within `v1` fields are only added.

pub mod apply;
pub mod changes;
pub mod deployments;
pub mod requests;
pub mod status;
pub mod workloads;
