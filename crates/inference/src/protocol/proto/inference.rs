//! Package `inference` of the Open Inference Protocol (`open_inference_grpc.proto`). What no server of numbers looks at,
//! such as parameters, is passed over.

use prost::Message;

/// A request for a prediction.
#[derive(Clone, PartialEq, Message)]
pub struct ModelInferRequest {
    /// Name of the model.
    #[prost(string, tag = "1")]
    pub model_name: String,
    /// Its version; empty for any.
    #[prost(string, tag = "2")]
    pub model_version: String,
    /// The caller's id of the request.
    #[prost(string, tag = "3")]
    pub id: String,
    /// The tensors.
    #[prost(message, repeated, tag = "5")]
    pub inputs: Vec<Tensor>,
    /// Outputs that are asked for; all where there are none.
    #[prost(message, repeated, tag = "6")]
    pub outputs: Vec<RequestedOutput>,
    /// The values of the tensors, in their order, where they are not in the tensors.
    #[prost(bytes = "bytes", repeated, tag = "7")]
    pub raw_input_contents: Vec<bytes::Bytes>,
}

/// A prediction.
#[derive(Clone, PartialEq, Message)]
pub struct ModelInferResponse {
    /// Name of the model.
    #[prost(string, tag = "1")]
    pub model_name: String,
    /// Its version.
    #[prost(string, tag = "2")]
    pub model_version: String,
    /// The caller's id of the request.
    #[prost(string, tag = "3")]
    pub id: String,
    /// The tensors.
    #[prost(message, repeated, tag = "5")]
    pub outputs: Vec<Tensor>,
    /// The values of the tensors, in their order, where they are not in the tensors.
    #[prost(bytes = "bytes", repeated, tag = "6")]
    pub raw_output_contents: Vec<bytes::Bytes>,
}

/// A tensor.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its datatype, such as `FP32`.
    #[prost(string, tag = "2")]
    pub datatype: String,
    /// Length of each dimension.
    #[prost(int64, repeated, tag = "3")]
    pub shape: Vec<i64>,
    /// Its values.
    #[prost(message, optional, tag = "5")]
    pub contents: Option<Contents>,
}

/// The values of a tensor, in the field of its datatype.
#[derive(Clone, PartialEq, Message)]
pub struct Contents {
    /// BOOL.
    #[prost(bool, repeated, tag = "1")]
    pub bool_contents: Vec<bool>,
    /// INT8, INT16 and INT32.
    #[prost(int32, repeated, tag = "2")]
    pub int_contents: Vec<i32>,
    /// INT64.
    #[prost(int64, repeated, tag = "3")]
    pub int64_contents: Vec<i64>,
    /// UINT8, UINT16 and UINT32.
    #[prost(uint32, repeated, tag = "4")]
    pub uint_contents: Vec<u32>,
    /// UINT64.
    #[prost(uint64, repeated, tag = "5")]
    pub uint64_contents: Vec<u64>,
    /// FP32.
    #[prost(float, repeated, tag = "6")]
    pub fp32_contents: Vec<f32>,
    /// FP64.
    #[prost(double, repeated, tag = "7")]
    pub fp64_contents: Vec<f64>,
    /// BYTES.
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub bytes_contents: Vec<Vec<u8>>,
}

/// An output that is asked for.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RequestedOutput {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// A question that needs no words: whether the server lives or is ready, and what it is.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Empty {}

/// Whether the server lives, or it or a model is ready.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Yes {
    /// Whether it is so.
    #[prost(bool, tag = "1")]
    pub is_so: bool,
}

/// What the server is.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ServerMetadata {
    /// Name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Version.
    #[prost(string, tag = "2")]
    pub version: String,
    /// Extensions of the protocol.
    #[prost(string, repeated, tag = "3")]
    pub extensions: Vec<String>,
}

/// A question about a model.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ModelQuestion {
    /// Name of the model.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its version; empty for any.
    #[prost(string, tag = "2")]
    pub version: String,
}

/// What a model is.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ModelMetadata {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its versions.
    #[prost(string, repeated, tag = "2")]
    pub versions: Vec<String>,
    /// What it is made with.
    #[prost(string, tag = "3")]
    pub platform: String,
    /// What it takes.
    #[prost(message, repeated, tag = "4")]
    pub inputs: Vec<TensorMetadata>,
    /// What it gives.
    #[prost(message, repeated, tag = "5")]
    pub outputs: Vec<TensorMetadata>,
}

/// What a tensor is.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct TensorMetadata {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its datatype.
    #[prost(string, tag = "2")]
    pub datatype: String,
    /// Length of each dimension; -1 for any.
    #[prost(int64, repeated, tag = "3")]
    pub shape: Vec<i64>,
}

/// Which models are asked about.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RepositoryQuestion {
    /// Only those that answer.
    #[prost(bool, tag = "2")]
    pub ready: bool,
}

/// The models.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RepositoryIndex {
    /// Each.
    #[prost(message, repeated, tag = "1")]
    pub models: Vec<RepositoryModel>,
}

/// A model of the repository.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RepositoryModel {
    /// Name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Version.
    #[prost(string, tag = "2")]
    pub version: String,
    /// `READY` or `UNAVAILABLE`.
    #[prost(string, tag = "3")]
    pub state: String,
    /// Why it does not answer.
    #[prost(string, tag = "4")]
    pub reason: String,
}

/// Which model is to be loaded: Triton has the name in the second field, after that of a repository, `KServe` in the first.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RepositoryModelQuestion {
    /// The first field.
    #[prost(string, tag = "1")]
    pub first: String,
    /// The second field.
    #[prost(string, tag = "2")]
    pub second: String,
}

impl RepositoryModelQuestion {
    /// The model's name.
    pub fn model(&self) -> &str {
        if self.second.is_empty() { &self.first } else { &self.second }
    }
}

/// That a model is loaded, as `KServe` tells it; Triton's answer is empty.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RepositoryModelAnswer {
    /// Name.
    #[prost(string, tag = "1")]
    pub model_name: String,
    /// Whether it is.
    #[prost(bool, tag = "2")]
    pub is_done: bool,
}
