//! Codecs of the inference protocols: pure functions over borrowed bytes.

pub mod block;
pub mod json;
mod number_type;
pub mod proto;
pub mod seldon;
pub mod serving;
pub mod tensorflow;
pub mod v1;
pub mod v2;
mod values;

pub use values::BadValue;

/// Appends an error body of V1 and V2: `{"error":"…"}`.
pub fn write_error(info: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"error\":");
    json::write_string(info, out);
    out.push(b'}');
}
