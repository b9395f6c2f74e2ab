//! `TensorFlow` Serving's gRPC services: `Predict` on tensors, `Classify` and `Regress` on examples, and what is told of a
//! model. Over REST the same is [V1](super::v1).

mod answer;
mod error;
mod examples;
mod request;
mod signature;

pub use answer::{Answer, NamedModel};
pub use error::{BadRequest, ExampleProblem};
pub use request::{Request, read_request};
pub use signature::{SIGNATURE_DEF, metadata, status, version_number, write_metadata};
