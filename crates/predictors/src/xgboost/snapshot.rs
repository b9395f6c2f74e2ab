//! A booster in a pickle: the model and the state of its training, in one of four forms.

use super::{Error, document, legacy, model::Model};

/// What stands before the binary model of 1.0 to 1.2, and before the length that follows it.
const CONFIGURED: &[u8] = b"CONFIG-offset:";
const LENGTH_BYTES: usize = 8;
/// Where a document of a model and its state names the latter.
const HEAD: usize = 32;

/// Reads the model of at most so many features: up to 0.90 in binary; up to 1.2 in binary, with the state behind it; then
/// in a document of both, JSON or UBJSON.
pub(crate) fn read(bytes: &[u8], max_features: usize) -> Result<Model, Error> {
    let model = match bytes {
        _ if bytes.starts_with(CONFIGURED) => {
            legacy::parse(bytes.get(CONFIGURED.len() + LENGTH_BYTES..).unwrap_or_default())?
        }
        _ if !is_document(bytes) => super::parse(bytes)?,
        [b'{', b'L', ..] => document::parse_ubj_snapshot(bytes)?,
        _ => document::parse_json_snapshot(bytes)?,
    };
    model.within(max_features)
}

fn is_document(bytes: &[u8]) -> bool {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    head.starts_with(b"{") && head.windows(6).any(|word| word == b"Config")
}
