//! A cluster as the control plane sees it: deployments are those of the API server, watched and not copied, and
//! what runs them are pods.

mod backends;
mod deployments;
mod flush;
mod instances;
mod lines;
mod mirror;
mod pods;
mod samples;
mod stored;
mod usage;
mod wake;
mod workloads;

pub use backends::follow_backends;
pub use deployments::ClusterDeployments;
pub use flush::LogFlush;
pub use pods::ClusterPods;
pub use samples::follow_usage;
pub use usage::UsageHistory;
pub use wake::ClusterWaker;
pub use workloads::ClusterWorkloads;
