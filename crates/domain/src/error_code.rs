//! The closed list of errors a user can meet, the same in every dialect.

use serde::{Deserialize, Serialize};

/// What went wrong, as a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request cannot be read or does not fit the model.
    BadRequest,
    /// A token is needed, or the one given is not valid.
    Unauthenticated,
    /// The caller may not do this, or comes from another origin.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The path takes another method.
    MethodNotAllowed,
    /// The stored state is not the one the request was made for.
    Conflict,
    /// The body is longer than allowed.
    TooLarge,
    /// The body is of a type that is not taken here.
    UnsupportedMediaType,
    /// Valid in form, but breaks a rule.
    Invalid,
    /// Too many requests at a time; try again.
    Overloaded,
    /// The request did not arrive in time.
    Timeout,
    /// A fault of the server's own.
    Internal,
    /// Not ready, or failed; the reason says.
    Unavailable,
    /// A server that was asked on the caller's behalf did not answer in time.
    GatewayTimeout,
}

impl ErrorCode {
    /// All codes, for documentation and tests.
    pub const ALL: [Self; 14] = [
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::Overloaded,
        Self::Timeout,
        Self::Internal,
        Self::Unavailable,
        Self::GatewayTimeout,
    ];

    /// The code as it stands in bodies and headers.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status it answers with.
    pub fn http_status(self) -> u16 {
        self.row().1
    }

    /// The code it answers with in gRPC.
    pub fn grpc_code(self) -> i32 {
        self.row().3
    }

    /// One line for people.
    pub fn title(self) -> &'static str {
        self.row().2
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Overloaded | Self::Timeout | Self::Unavailable | Self::GatewayTimeout)
    }

    fn row(self) -> (&'static str, u16, &'static str, i32) {
        match self {
            Self::BadRequest => ("bad_request", 400, "The request cannot be read", 3),
            Self::Unauthenticated => ("unauthenticated", 401, "A valid token is needed", 16),
            Self::Forbidden => ("forbidden", 403, "This is not allowed", 7),
            Self::NotFound => ("not_found", 404, "There is no such thing", 5),
            Self::MethodNotAllowed => ("method_not_allowed", 405, "The path takes another method", 12),
            Self::Timeout => ("timeout", 408, "The request did not arrive in time", 4),
            Self::Conflict => ("conflict", 409, "The stored state has changed", 10),
            Self::TooLarge => ("too_large", 413, "The request is too large", 8),
            Self::UnsupportedMediaType => ("unsupported_media_type", 415, "The body's type is not taken here", 3),
            Self::Invalid => ("invalid", 422, "The request breaks a rule", 3),
            Self::Overloaded => ("overloaded", 429, "Too many requests at a time", 8),
            Self::Internal => ("internal", 500, "The server has a fault", 13),
            Self::Unavailable => ("unavailable", 503, "Not available now", 14),
            Self::GatewayTimeout => ("gateway_timeout", 504, "A server did not answer in time", 4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_serialized_form() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
