//! Runs compute: loads predictors and keeps them for the gateway.
//!
//! A loaded model has two faces: [`ModelHost`](provost_domain::port::model_host::ModelHost), which
//! deployers call, and [`PredictorTable`](provost_inference::PredictorTable), which the gateway reads.
//! [`ModelServer`] is both.

mod load;
mod model_server;

pub use model_server::{ArtifactReader, ModelServer, OwnPrograms, ServerCheck};
