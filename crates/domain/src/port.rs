//! What the rules need of the world, as traits. Adapters and services implement them.

pub mod artifacts;
pub mod clock;
pub mod deployer;
pub mod deployments;
pub mod model_host;
pub mod routes;
pub mod servers;
pub mod traffic;
pub mod waker;
pub mod workloads;
