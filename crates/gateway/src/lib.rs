//! The data plane's entry: finds the deployment a request means, chooses a predictor, predicts, and
//! logs. It knows routing tables and the [`Predict`](provost_inference::Predict) trait, and neither
//! engines nor stores.
//!
//! One [`Gateway`] serves the whole process. Each serving thread has a [`GatewayThread`] of its own,
//! whose buffers, log lane and metrics no other thread touches.

mod about;
mod batching;
mod body;
mod clock;
mod dialects;
mod error;
mod exchange;
mod exposition;
mod feedback;
pub mod fuzz;
mod graph;
mod grpc;
mod headers;
mod in_flight;
mod infer;
mod learners;
mod matcher;
mod metrics;
mod native;
mod node_grpc;
mod node_metrics;
mod node_server;
mod node_tls;
mod passing;
mod predict;
mod proxy;
mod records;
mod repository;
mod routes;
mod service;
mod service_graph;
mod shadow;
mod traces;
mod traffic;

pub use exposition::{MEDIA_TYPE as METRICS_MEDIA_TYPE, ProcessFigures, write_metrics};
pub use graph::Learned;
pub use grpc::grpc_refusal;
pub use metrics::{Histograms, MetricsSource, SeriesKey, Snapshot};
pub use node_server::check_server;
pub use proxy::{Proxy, ProxyThread};
pub use service::{Gateway, GatewayThread, Options};
pub use traces::Traces;
pub use traffic::TrafficHistory;
