//! Features and predictions, the [`Predict`] trait, the request-log record and its ports, and the
//! protocol codecs.
//!
//! **Invariant**: this crate does no I/O, starts no thread, reads no clock, and knows no deployment
//! rules; names of deployments appear only as labels of a record's [`record::Stream`].

pub mod artifact;
pub mod features;
pub mod filter;
pub mod predict;
pub mod predictor_table;
pub mod protocol;
pub mod record;
pub mod schema;

pub use artifact::{ArtifactFile, ArtifactFiles};
pub use features::Features;
pub use predict::{Predict, PredictError};
pub use predictor_table::{PredictorTable, RevisionKey};
pub use schema::{MissingValues, OutputKind, OutputSchema, OutputShape, Precision, Schema};
