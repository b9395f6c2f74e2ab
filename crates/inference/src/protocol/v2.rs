//! The Open Inference Protocol (V2) over REST: tensors as JSON.
//!
//! Shapes follow `open_inference_rest.yaml`; outputs are named and shaped as the scikit-learn and XGBoost runtimes of
//! `MLServer` do it. Binary tensors are an extension that is not taken.

mod error;
mod request;
mod response;
mod tensor;

pub use error::{BadRequest, TensorProblem};
pub use request::{Request, find_id, parse_request};
pub use response::{Answer, ResponseTemplate, write_model_ready, write_server};
pub use tensor::Datatype;
