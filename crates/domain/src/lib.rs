//! Vocabulary and rules of Provost: names, deployments, inference graphs, routing tables and plans;
//! and the ports through which the rules reach the world.
//!
//! **Invariant**: nothing here reads a clock, disk, socket, environment or random source. The ports
//! declare async traits; this crate awaits nothing.

pub mod deployment;
pub mod engine;
pub mod error_code;
pub mod field_path;
pub mod graph;
pub mod id;
pub mod learned;
pub mod model_uri;
pub mod plan;
pub mod port;
pub mod revision;
pub mod routing_table;
pub mod scaling;
pub mod server_catalog;
pub mod service_graph;
pub mod validation;

pub use deployment::{Deployment, Predictor, RequestLogging};
pub use engine::Engine;
pub use error_code::ErrorCode;
pub use field_path::FieldPath;
pub use id::{DeploymentId, InvalidName, Namespace, ResourceName};
pub use model_uri::{BucketUri, ClaimUri, InvalidBucketUri, InvalidModelUri, ModelUri};
pub use revision::{Digest, RevisionId};
pub use server_catalog::ServerCatalog;
pub use service_graph::ServiceGraph;
pub use validation::Violation;
