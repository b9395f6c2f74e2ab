//! Tensors of `TensorFlow` (`tensorflow.TensorProto`), as messages of gRPC and as JSON (proto3's mapping).

mod answer;
mod bridge;
mod dtype;
mod error;
mod json;
mod tensor;

pub(in crate::protocol) use answer::dtype_number;
pub use answer::{tensor, write_tensor};
pub use bridge::{from_value, to_value};
pub(in crate::protocol) use dtype::dtype_name;
pub use error::{BadTensor, TensorProblem};
pub(in crate::protocol) use json::read_json;
pub use tensor::read_tensor;
