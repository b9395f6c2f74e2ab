//! `TensorFlow` Serving's gRPC services: `Predict` on tensors, `Classify` and `Regress` on examples, and what is told of a
//! model. Over REST the same is [V1](super::v1), whose `:classify` and `:regress` are here, too.

mod answer;
pub mod bridge;
mod error;
mod examples;
mod json;
mod request;
mod signature;

pub use answer::{Answer, NamedModel};
pub use error::{BadRequest, ExampleProblem};
pub use json::{Examples, parse_examples};
pub use request::{Method, Request, read_request};
pub use signature::{SIGNATURE_DEF, metadata, status, version_number, write_metadata};
