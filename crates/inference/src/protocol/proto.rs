//! Messages of gRPC, by the field numbers of their published definitions: no code is generated, and so no compiler of
//! definitions is needed to build.

use bytes::Bytes;
use prost::{DecodeError, Message};

pub mod health;
pub mod inference;
pub mod seldon;
pub mod serving;
pub mod tensorflow;

/// Reads a message, whose texts and bytes are parts of what it is read from.
pub fn decode<M: Message + Default>(message: &Bytes) -> Result<M, DecodeError> {
    M::decode(message.clone())
}
