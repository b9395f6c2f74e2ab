//! V1 over REST, the protocol of `TensorFlow` Serving and `KServe`: instances and predictions.
//!
//! A request holds `instances` (or `inputs`, as `KServe` takes them): rows of numbers, single numbers, or objects with
//! a value for each feature.

mod error;
mod request;
mod response;

pub use error::{BadRequest, RowProblem};
pub use request::{Request, parse_request};
pub use response::{write_answer, write_status};
