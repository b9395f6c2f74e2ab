//! Package `grpc.health.v1`.

use prost::{Enumeration, Message};

/// A question whether a service answers.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct HealthCheckRequest {
    /// Its name; empty for the server.
    #[prost(string, tag = "1")]
    pub service: String,
}

/// Whether it does.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct HealthCheckResponse {
    /// It.
    #[prost(enumeration = "ServingStatus", tag = "1")]
    pub status: i32,
}

/// Whether a service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum ServingStatus {
    /// Not known.
    Unknown = 0,
    /// It does.
    Serving = 1,
    /// It does not.
    NotServing = 2,
    /// There is no such service.
    ServiceUnknown = 3,
}
