//! Package `tensorflow.serving`: `PredictionService` and `ModelService` of `TensorFlow` Serving.

use std::collections::BTreeMap;

use prost::{Enumeration, Message, Oneof};
use prost_types::Any;

use super::tensorflow::{Example, SignatureDef, TensorProto};

/// Which model is meant.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ModelSpec {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Which of its versions.
    #[prost(oneof = "VersionChoice", tags = "2, 4")]
    pub version: Option<VersionChoice>,
    /// Which of its signatures.
    #[prost(string, tag = "3")]
    pub signature_name: String,
}

/// A version of a model.
#[derive(Clone, PartialEq, Eq, Oneof)]
pub enum VersionChoice {
    /// By its number, a `google.protobuf.Int64Value`.
    #[prost(message, tag = "2")]
    Number(i64),
    /// By its label.
    #[prost(string, tag = "4")]
    Label(String),
}

/// Tensors to predict on.
#[derive(Clone, PartialEq, Message)]
pub struct PredictRequest {
    /// The model.
    #[prost(message, optional, tag = "1")]
    pub model_spec: Option<ModelSpec>,
    /// The tensors by their names.
    #[prost(btree_map = "string, message", tag = "2")]
    pub inputs: BTreeMap<String, TensorProto>,
    /// The outputs that are asked for; all where there are none.
    #[prost(string, repeated, tag = "3")]
    pub output_filter: Vec<String>,
}

/// What a model answers.
#[derive(Clone, PartialEq, Message)]
pub struct PredictResponse {
    /// The outputs by their names.
    #[prost(btree_map = "string, message", tag = "1")]
    pub outputs: BTreeMap<String, TensorProto>,
    /// The model.
    #[prost(message, optional, tag = "2")]
    pub model_spec: Option<ModelSpec>,
}

/// Examples to classify, or to predict one number of each: `ClassificationRequest` and `RegressionRequest`.
#[derive(Clone, PartialEq, Message)]
pub struct ExamplesRequest {
    /// The model.
    #[prost(message, optional, tag = "1")]
    pub model_spec: Option<ModelSpec>,
    /// The examples.
    #[prost(message, optional, tag = "2")]
    pub input: Option<Input>,
}

/// Examples.
#[derive(Clone, PartialEq, Message)]
pub struct Input {
    /// Of which kind.
    #[prost(oneof = "InputKind", tags = "1, 2")]
    pub kind: Option<InputKind>,
}

/// Kinds of examples.
#[derive(Clone, PartialEq, Oneof)]
pub enum InputKind {
    /// Each complete.
    #[prost(message, tag = "1")]
    Examples(ExampleList),
    /// With features that all have.
    #[prost(message, tag = "2")]
    WithContext(ExampleListWithContext),
}

/// Examples.
#[derive(Clone, PartialEq, Message)]
pub struct ExampleList {
    /// They.
    #[prost(message, repeated, tag = "1")]
    pub examples: Vec<Example>,
}

/// Examples with features that all have.
#[derive(Clone, PartialEq, Message)]
pub struct ExampleListWithContext {
    /// The examples.
    #[prost(message, repeated, tag = "1")]
    pub examples: Vec<Example>,
    /// What all have.
    #[prost(message, optional, tag = "2")]
    pub context: Option<Example>,
}

/// A class.
#[derive(Clone, PartialEq, Message)]
pub struct Class {
    /// Its label.
    #[prost(string, tag = "1")]
    pub label: String,
    /// Its score.
    #[prost(float, tag = "2")]
    pub score: f32,
}

/// The classes of one example.
#[derive(Clone, PartialEq, Message)]
pub struct Classifications {
    /// They.
    #[prost(message, repeated, tag = "1")]
    pub classes: Vec<Class>,
}

/// The classes of all examples.
#[derive(Clone, PartialEq, Message)]
pub struct ClassificationResult {
    /// In the order of the examples.
    #[prost(message, repeated, tag = "1")]
    pub classifications: Vec<Classifications>,
}

/// What a classifier answers.
#[derive(Clone, PartialEq, Message)]
pub struct ClassificationResponse {
    /// The classes.
    #[prost(message, optional, tag = "1")]
    pub result: Option<ClassificationResult>,
    /// The model.
    #[prost(message, optional, tag = "2")]
    pub model_spec: Option<ModelSpec>,
}

/// The number of one example.
#[derive(Clone, PartialEq, Message)]
pub struct Regression {
    /// It.
    #[prost(float, tag = "1")]
    pub value: f32,
}

/// The numbers of all examples.
#[derive(Clone, PartialEq, Message)]
pub struct RegressionResult {
    /// In the order of the examples.
    #[prost(message, repeated, tag = "1")]
    pub regressions: Vec<Regression>,
}

/// What a model of one number answers.
#[derive(Clone, PartialEq, Message)]
pub struct RegressionResponse {
    /// The numbers.
    #[prost(message, optional, tag = "1")]
    pub result: Option<RegressionResult>,
    /// The model.
    #[prost(message, optional, tag = "2")]
    pub model_spec: Option<ModelSpec>,
}

/// A question about a model.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct GetModelMetadataRequest {
    /// The model.
    #[prost(message, optional, tag = "1")]
    pub model_spec: Option<ModelSpec>,
    /// What is asked for.
    #[prost(string, repeated, tag = "2")]
    pub metadata_field: Vec<String>,
}

/// What is told of a model.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct GetModelMetadataResponse {
    /// The model.
    #[prost(message, optional, tag = "1")]
    pub model_spec: Option<ModelSpec>,
    /// What was asked for.
    #[prost(btree_map = "string, message", tag = "2")]
    pub metadata: BTreeMap<String, Any>,
}

/// The signatures of a model.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SignatureDefMap {
    /// By their names.
    #[prost(btree_map = "string, message", tag = "1")]
    pub signature_def: BTreeMap<String, SignatureDef>,
}

/// A question how a model is.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct GetModelStatusRequest {
    /// The model.
    #[prost(message, optional, tag = "1")]
    pub model_spec: Option<ModelSpec>,
}

/// How a model is.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct GetModelStatusResponse {
    /// By its versions.
    #[prost(message, repeated, tag = "1")]
    pub model_version_status: Vec<ModelVersionStatus>,
}

/// How a version of a model is.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ModelVersionStatus {
    /// The version.
    #[prost(int64, tag = "1")]
    pub version: i64,
    /// Its state.
    #[prost(enumeration = "ModelState", tag = "2")]
    pub state: i32,
    /// Whether it went wrong.
    #[prost(message, optional, tag = "3")]
    pub status: Option<StatusProto>,
}

/// States of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum ModelState {
    /// Not known.
    Unknown = 0,
    /// Known, and not loaded.
    Start = 10,
    /// Being loaded.
    Loading = 20,
    /// Answers.
    Available = 30,
    /// Being dropped.
    Unloading = 40,
    /// Gone.
    End = 50,
}

/// How something went.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct StatusProto {
    /// A code, as those of gRPC.
    #[prost(int32, tag = "1")]
    pub error_code: i32,
    /// For people.
    #[prost(string, tag = "2")]
    pub error_message: String,
}
