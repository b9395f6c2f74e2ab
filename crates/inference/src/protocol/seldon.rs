//! Seldon's protocol: `SeldonMessage` as JSON, with the payloads `ndarray` and `tensor`.
//!
//! Shapes and names follow the Seldon Core 1.9 Python wrapper; see `prediction.proto` for the message.

mod envelope;
mod error;
mod feedback;
mod grpc;
mod metadata;
mod outcome;
mod request;
mod response;

pub use envelope::{Data, Envelope, Field, parse_data, parse_envelope};
pub use error::{BadRequest, write_error};
pub use feedback::{Feedback, Part, parse_feedback};
pub use grpc::{MessageAnswer, MessageNumbers, read_message};
pub use metadata::{ModelMetadata, write_inputs, write_outputs};
pub use outcome::{Outcome, outcomes};
pub use request::{Form, Meta, Request, parse_names, parse_request};
pub use response::{Answer, ResponseTemplate, output_names, write_data};
