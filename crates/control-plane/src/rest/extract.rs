//! Reads parameters and bodies, with problems that say what to do.

use axum::{
    extract::{FromRequest, FromRequestParts, Query, Request, rejection::BytesRejection},
    http::request::Parts,
};
use http::header;
use provost_api::problem::Problem;
use provost_domain::ErrorCode;
use serde::de::DeserializeOwned;

use super::Error;

/// Media types of manifests.
const MANIFESTS: [&str; 5] = ["application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "application/json"];

/// Parameters from the query; unknown ones are an error.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(Problem::new(ErrorCode::BadRequest, rejection.body_text()).into()),
        }
    }
}

/// A text of manifests, YAML or JSON.
pub(super) struct Manifests(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for Manifests {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = media_type.and_then(|value| value.split(';').next()).map(|value| value.trim().to_lowercase());
        if !essence.as_deref().is_some_and(|essence| MANIFESTS.contains(&essence)) {
            let detail = format!("send manifests as one of: {}", MANIFESTS.join(", "));
            return Err(Problem::new(ErrorCode::UnsupportedMediaType, detail).into());
        }
        match axum::body::Bytes::from_request(request, state).await {
            Ok(bytes) => match String::from_utf8(bytes.into()) {
                Ok(text) => Ok(Self(text)),
                Err(error) => {
                    let at = error.utf8_error().valid_up_to() + 1;
                    Err(Problem::new(ErrorCode::BadRequest, format!("the manifests are not UTF-8 at byte {at}")).into())
                }
            },
            Err(rejection) => Err(body_problem(&rejection).into()),
        }
    }
}

fn body_problem(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        http::StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(ErrorCode::TooLarge, "the manifests are longer than 4 MiB: apply them in parts")
        }
        _ => Problem::new(ErrorCode::BadRequest, "the body ends too early"),
    }
}
