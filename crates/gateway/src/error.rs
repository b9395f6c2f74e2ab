//! Errors of the data plane, answered in the dialect of the path.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use provost_domain::ErrorCode;
use provost_inference::{
    PredictError,
    protocol::{block, seldon, serving, v1, v2, write_error},
};

use crate::matcher::Dialect;

/// Seconds after which a caller may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Why a request is not answered with a prediction. The text is for the caller.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{info}")]
pub(crate) struct RequestError {
    pub(crate) code: ErrorCode,
    pub(crate) info: String,
}

impl RequestError {
    pub(crate) fn new(code: ErrorCode, info: impl Into<String>) -> Self {
        Self { code, info: info.into() }
    }

    /// The answer in the dialect of the path.
    pub(crate) fn response(&self, dialect: Dialect) -> Response<Full<Bytes>> {
        let status = self.code.http_status();
        let mut body = Vec::with_capacity(128 + self.info.len());
        match dialect {
            Dialect::Seldon => seldon::write_error(status, self.seldon_reason(), &self.info, &mut body),
            Dialect::V1 | Dialect::V2 => write_error(&self.info, &mut body),
        }
        let mut response = Response::new(Full::new(body.into()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.code.is_retryable() {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }

    /// Seldon's word where it has one, else ours.
    fn seldon_reason(&self) -> &'static str {
        match self.code {
            ErrorCode::BadRequest => "MICROSERVICE_BAD_DATA",
            ErrorCode::NotFound => "NOT_FOUND",
            ErrorCode::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            ErrorCode::Timeout | ErrorCode::GatewayTimeout => "TIMEOUT",
            ErrorCode::TooLarge => "TOO_LARGE",
            ErrorCode::Overloaded => "OVERLOADED",
            ErrorCode::Unavailable => "UNAVAILABLE",
            ErrorCode::Forbidden => "FORBIDDEN",
            _ => "MICROSERVICE_INTERNAL_ERROR",
        }
    }
}

impl From<seldon::BadRequest> for RequestError {
    fn from(error: seldon::BadRequest) -> Self {
        Self::new(ErrorCode::BadRequest, error.to_string())
    }
}

impl From<v1::BadRequest> for RequestError {
    fn from(error: v1::BadRequest) -> Self {
        Self::new(ErrorCode::BadRequest, error.to_string())
    }
}

impl From<v2::BadRequest> for RequestError {
    fn from(error: v2::BadRequest) -> Self {
        Self::new(ErrorCode::BadRequest, error.to_string())
    }
}

impl From<serving::BadRequest> for RequestError {
    fn from(error: serving::BadRequest) -> Self {
        Self::new(ErrorCode::BadRequest, error.to_string())
    }
}

impl From<block::UnknownFeature> for RequestError {
    fn from(error: block::UnknownFeature) -> Self {
        Self::new(ErrorCode::BadRequest, error.to_string())
    }
}

impl From<serde_json::Error> for RequestError {
    fn from(error: serde_json::Error) -> Self {
        Self::new(ErrorCode::BadRequest, format!("`meta` cannot be read: {error}"))
    }
}

impl From<PredictError> for RequestError {
    fn from(error: PredictError) -> Self {
        Self::new(ErrorCode::BadRequest, error.to_string())
    }
}
