//! Tensors of `TensorFlow` (`tensorflow.TensorProto`), as messages of gRPC and as JSON (proto3's mapping).

mod answer;
mod bridge;
mod dtype;
mod error;
mod json;
mod tensor;
mod typed;

pub(in crate::protocol) use answer::dtype_number;
pub use answer::{tensor, write_tensor};
pub(in crate::protocol) use bridge::{dtype_from_value, shape_from_value};
pub use bridge::{from_value, to_value};
pub(in crate::protocol) use dtype::dtype_name;
pub use error::{BadTensor, TensorProblem};
pub(in crate::protocol) use json::read_json;
pub use tensor::read_tensor;
pub use typed::{DIMENSIONS_MAX, Typed, tensor_of, typed};
