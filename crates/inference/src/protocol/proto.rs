//! Messages of gRPC, by the field numbers of their published definitions: no code is generated, and so no compiler of
//! definitions is needed to build.

pub mod inference;
pub mod seldon;
pub mod tensorflow;
