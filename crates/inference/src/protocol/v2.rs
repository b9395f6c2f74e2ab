//! The Open Inference Protocol (V2) over REST: tensors as JSON, and inputs as bytes after it.
//!
//! Shapes follow `open_inference_rest.yaml`; outputs are named and shaped as the scikit-learn and XGBoost runtimes of
//! `MLServer` do it. Of the extension for binary tensors inputs are taken; outputs are always JSON, which its clients take.

mod datatype;
mod error;
mod grpc;
mod request;
mod response;
mod tensor;

pub use error::{BadRequest, TensorProblem};
pub use grpc::read_message;
pub use request::{Request, find_id, parse_binary_request, parse_request};
pub use response::{Answer, ResponseTemplate, write_model_ready, write_server};
