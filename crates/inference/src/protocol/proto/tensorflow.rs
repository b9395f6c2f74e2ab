//! Package `tensorflow`: tensors (`tensor.proto`), examples (`example.proto`) and signatures (`meta_graph.proto`).

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::{Message, Oneof};

/// Values with their type and shape. They stand in the field of their type, or as bytes.
#[derive(Clone, PartialEq, Message)]
pub struct TensorProto {
    /// The type, one of [`DataType`](https://www.tensorflow.org/api_docs/python/tf/dtypes)'s numbers.
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    /// The shape.
    #[prost(message, optional, tag = "2")]
    pub tensor_shape: Option<TensorShape>,
    /// Of the format: 0.
    #[prost(int32, tag = "3")]
    pub version_number: i32,
    /// All values, little-endian.
    #[prost(bytes = "bytes", tag = "4")]
    pub tensor_content: Bytes,
    /// Of `DT_FLOAT`.
    #[prost(float, repeated, tag = "5")]
    pub float_val: Vec<f32>,
    /// Of `DT_DOUBLE`.
    #[prost(double, repeated, tag = "6")]
    pub double_val: Vec<f64>,
    /// Of whole numbers up to 32 bits with a sign, and up to 16 bits without.
    #[prost(int32, repeated, tag = "7")]
    pub int_val: Vec<i32>,
    /// Of `DT_STRING`.
    #[prost(bytes = "bytes", repeated, tag = "8")]
    pub string_val: Vec<Bytes>,
    /// Of `DT_COMPLEX64`.
    #[prost(float, repeated, tag = "9")]
    pub scomplex_val: Vec<f32>,
    /// Of `DT_INT64`.
    #[prost(int64, repeated, tag = "10")]
    pub int64_val: Vec<i64>,
    /// Of `DT_BOOL`.
    #[prost(bool, repeated, tag = "11")]
    pub bool_val: Vec<bool>,
    /// Of `DT_COMPLEX128`.
    #[prost(double, repeated, tag = "12")]
    pub dcomplex_val: Vec<f64>,
    /// Of `DT_HALF` and `DT_BFLOAT16`: their 16 bits.
    #[prost(int32, repeated, tag = "13")]
    pub half_val: Vec<i32>,
    /// Of `DT_UINT32`.
    #[prost(uint32, repeated, tag = "16")]
    pub uint32_val: Vec<u32>,
    /// Of `DT_UINT64`.
    #[prost(uint64, repeated, tag = "17")]
    pub uint64_val: Vec<u64>,
}

/// A shape.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct TensorShape {
    /// Its dimensions.
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<Dim>,
    /// Whether nothing is known of it.
    #[prost(bool, tag = "3")]
    pub unknown_rank: bool,
}

/// A dimension.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Dim {
    /// Its length; -1 where any will do.
    #[prost(int64, tag = "1")]
    pub size: i64,
    /// Its name.
    #[prost(string, tag = "2")]
    pub name: String,
}

impl TensorShape {
    /// The shape of these lengths.
    pub fn of(lengths: &[i64]) -> Self {
        let dim = |size: &i64| Dim { size: *size, name: String::new() };
        Self { dim: lengths.iter().map(dim).collect(), unknown_rank: false }
    }
}

/// Values of one instance, by the names of its features.
#[derive(Clone, PartialEq, Message)]
pub struct Example {
    /// The features.
    #[prost(message, optional, tag = "1")]
    pub features: Option<Features>,
}

/// Features by their names.
#[derive(Clone, PartialEq, Message)]
pub struct Features {
    /// Each by its name.
    #[prost(btree_map = "string, message", tag = "1")]
    pub feature: BTreeMap<String, Feature>,
}

/// The values of a feature.
#[derive(Clone, PartialEq, Message)]
pub struct Feature {
    /// What they are.
    #[prost(oneof = "FeatureKind", tags = "1, 2, 3")]
    pub kind: Option<FeatureKind>,
}

/// Kinds of values.
#[derive(Clone, PartialEq, Oneof)]
pub enum FeatureKind {
    /// Texts or bytes.
    #[prost(message, tag = "1")]
    Bytes(BytesList),
    /// Floating-point numbers.
    #[prost(message, tag = "2")]
    Floats(FloatList),
    /// Whole numbers.
    #[prost(message, tag = "3")]
    Integers(Int64List),
}

/// Texts or bytes.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BytesList {
    /// They.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub value: Vec<Bytes>,
}

/// Floating-point numbers.
#[derive(Clone, PartialEq, Message)]
pub struct FloatList {
    /// They.
    #[prost(float, repeated, tag = "1")]
    pub value: Vec<f32>,
}

/// Whole numbers.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Int64List {
    /// They.
    #[prost(int64, repeated, tag = "1")]
    pub value: Vec<i64>,
}

/// What can be asked of a model by one name.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SignatureDef {
    /// What goes in.
    #[prost(btree_map = "string, message", tag = "1")]
    pub inputs: BTreeMap<String, TensorInfo>,
    /// What comes out.
    #[prost(btree_map = "string, message", tag = "2")]
    pub outputs: BTreeMap<String, TensorInfo>,
    /// By which method it is asked.
    #[prost(string, tag = "3")]
    pub method_name: String,
}

/// Name, type and shape of a tensor.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct TensorInfo {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its type.
    #[prost(int32, tag = "2")]
    pub dtype: i32,
    /// Its shape.
    #[prost(message, optional, tag = "3")]
    pub tensor_shape: Option<TensorShape>,
}
