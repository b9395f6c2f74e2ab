//! Package `seldon.protos` of Seldon Core 1.9 (`prediction.proto`).

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use prost::{Enumeration, Message, Oneof};
use prost_types::{Any, ListValue, Value};

/// A request or an answer.
#[derive(Clone, PartialEq, Message)]
pub struct SeldonMessage {
    /// How it went.
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    /// What is said of it.
    #[prost(message, optional, tag = "2")]
    pub meta: Option<Meta>,
    /// The payload.
    #[prost(oneof = "Payload", tags = "3, 4, 5, 6, 7")]
    pub payload: Option<Payload>,
}

/// Several messages, for those who make one of them.
#[derive(Clone, PartialEq, Message)]
pub struct SeldonMessageList {
    /// The messages.
    #[prost(message, repeated, tag = "1")]
    pub seldon_messages: Vec<SeldonMessage>,
}

/// What came of a prediction.
#[derive(Clone, PartialEq, Message)]
pub struct Feedback {
    /// What was asked.
    #[prost(message, optional, tag = "1")]
    pub request: Option<SeldonMessage>,
    /// What was answered.
    #[prost(message, optional, tag = "2")]
    pub response: Option<SeldonMessage>,
    /// How good the answer was.
    #[prost(float, tag = "3")]
    pub reward: f32,
    /// What should have been answered.
    #[prost(message, optional, tag = "4")]
    pub truth: Option<SeldonMessage>,
}

/// What a message carries.
#[derive(Clone, PartialEq, Oneof)]
pub enum Payload {
    /// Numbers or texts in rows.
    #[prost(message, tag = "3")]
    Data(DefaultData),
    /// Bytes.
    #[prost(bytes = "vec", tag = "4")]
    BinData(Vec<u8>),
    /// A text.
    #[prost(string, tag = "5")]
    StrData(String),
    /// Any JSON.
    #[prost(message, tag = "6")]
    JsonData(Value),
    /// A message of another kind.
    #[prost(message, tag = "7")]
    CustomData(Any),
}

/// Numbers or texts in rows.
#[derive(Clone, PartialEq, Message)]
pub struct DefaultData {
    /// Names of the columns.
    #[prost(string, repeated, tag = "1")]
    pub names: Vec<String>,
    /// The values.
    #[prost(oneof = "Values", tags = "2, 3, 4")]
    pub values: Option<Values>,
}

/// The values of `data`.
#[derive(Clone, PartialEq, Oneof)]
pub enum Values {
    /// Numbers with their shape.
    #[prost(message, tag = "2")]
    Tensor(Tensor),
    /// Nested lists.
    #[prost(message, tag = "3")]
    Ndarray(ListValue),
    /// A tensor of `TensorFlow`, as it came.
    #[prost(bytes = "bytes", tag = "4")]
    Tftensor(Bytes),
}

/// Numbers with their shape.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// Length of each dimension.
    #[prost(int32, repeated, tag = "1")]
    pub shape: Vec<i32>,
    /// Row after row.
    #[prost(double, repeated, tag = "2")]
    pub values: Vec<f64>,
}

/// What is said of a message.
#[derive(Clone, PartialEq, Message)]
pub struct Meta {
    /// The request's id.
    #[prost(string, tag = "1")]
    pub puid: String,
    /// Tags.
    #[prost(btree_map = "string, message", tag = "2")]
    pub tags: BTreeMap<String, Value>,
    /// The child that each router chose.
    #[prost(btree_map = "string, int32", tag = "3")]
    pub routing: BTreeMap<String, i32>,
    /// The image of each node that was passed.
    #[prost(btree_map = "string, string", tag = "4")]
    pub request_path: BTreeMap<String, String>,
    /// What nodes measured.
    #[prost(message, repeated, tag = "5")]
    pub metrics: Vec<Metric>,
}

/// What a node measured.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    /// Its name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// What kind of number it is.
    #[prost(enumeration = "MetricKind", tag = "2")]
    pub kind: i32,
    /// The number.
    #[prost(float, tag = "3")]
    pub value: f32,
    /// Labels.
    #[prost(map = "string, string", tag = "4")]
    pub tags: HashMap<String, String>,
}

/// Kinds of what nodes measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum MetricKind {
    /// Adds up.
    Counter = 0,
    /// Replaces what was before.
    Gauge = 1,
    /// Milliseconds.
    Timer = 2,
}

/// How a request went.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Status {
    /// A code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// For people.
    #[prost(string, tag = "2")]
    pub info: String,
    /// For programs.
    #[prost(string, tag = "3")]
    pub reason: String,
    /// 0 for success, 1 for failure.
    #[prost(int32, tag = "4")]
    pub status: i32,
}

/// A question about a node.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SeldonModelMetadataRequest {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// What a node is.
#[derive(Clone, PartialEq, Message)]
pub struct SeldonModelMetadata {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its versions.
    #[prost(string, repeated, tag = "2")]
    pub versions: Vec<String>,
    /// What it is made with.
    #[prost(string, tag = "3")]
    pub platform: String,
    /// What goes in.
    #[prost(message, repeated, tag = "4")]
    pub inputs: Vec<SeldonMessageMetadata>,
    /// What comes out.
    #[prost(message, repeated, tag = "5")]
    pub outputs: Vec<SeldonMessageMetadata>,
    /// What it says besides.
    #[prost(btree_map = "string, string", tag = "6")]
    pub custom: BTreeMap<String, String>,
}

/// What a message is.
#[derive(Clone, PartialEq, Message)]
pub struct SeldonMessageMetadata {
    /// Which of Seldon's payloads it is.
    #[prost(string, tag = "1")]
    pub messagetype: String,
    /// What that looks like.
    #[prost(message, optional, tag = "2")]
    pub schema: Option<Value>,
    /// Name of the tensor.
    #[prost(string, tag = "3")]
    pub name: String,
    /// Its datatype.
    #[prost(string, tag = "4")]
    pub datatype: String,
    /// Its shape.
    #[prost(int64, repeated, tag = "5")]
    pub shape: Vec<i64>,
}

/// What a graph is.
#[derive(Clone, PartialEq, Message)]
pub struct SeldonGraphMetadata {
    /// Name of its predictor.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its nodes by their names.
    #[prost(btree_map = "string, message", tag = "2")]
    pub models: BTreeMap<String, SeldonModelMetadata>,
    /// What goes in.
    #[prost(message, repeated, tag = "3")]
    pub inputs: Vec<SeldonMessageMetadata>,
    /// What comes out.
    #[prost(message, repeated, tag = "4")]
    pub outputs: Vec<SeldonMessageMetadata>,
}
