//! Makes plans real: loads predictors and swaps routes in this process, or applies objects on Kubernetes,
//! where the [`operator`] drives. Whether a cluster is fit for it, the [`doctor`] tells.
//!
//! **Invariant**: no choices are made in process; [`plan`](provost_domain::plan::plan) made them.

pub mod cluster;
pub mod doctor;
mod endpoints;
mod in_process;
pub mod kubernetes;
pub mod model_servers;
mod namespaces;
pub mod operator;

pub use in_process::InProcessDeployer;
pub use model_servers::ModelServers;
