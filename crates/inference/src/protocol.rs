//! Codecs of the inference protocols: pure functions over borrowed bytes.

pub mod json;
pub mod seldon;
