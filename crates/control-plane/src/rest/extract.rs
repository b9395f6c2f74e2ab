//! Reads parameters and bodies, with problems that say what to do.

use axum::{
    body::Bytes,
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

/// A body of JSON; unknown fields are an error.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        check_media_type(&request, "send the body", &["application/json"])?;
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| body_problem(&rejection))?;
        let read = serde_json::from_slice(&bytes);
        let wrong =
            |error: serde_json::Error| Problem::new(ErrorCode::BadRequest, format!("the body cannot be read: {error}"));
        Ok(Self(read.map_err(wrong)?))
    }
}

/// A text of manifests, YAML or JSON.
pub(super) struct Manifests(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for Manifests {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        check_media_type(&request, "send manifests", &MANIFESTS)?;
        match Bytes::from_request(request, state).await {
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

fn check_media_type(request: &Request, send: &str, accepted: &[&str]) -> Result<(), Problem> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.and_then(|value| value.split(';').next()).map(|value| value.trim().to_lowercase());
    if essence.as_deref().is_some_and(|essence| accepted.contains(&essence)) {
        return Ok(());
    }
    let one_of = if accepted.len() > 1 { "one of: " } else { "" };
    Err(Problem::new(ErrorCode::UnsupportedMediaType, format!("{send} as {one_of}{}", accepted.join(", "))))
}

fn body_problem(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        http::StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(ErrorCode::TooLarge, "the body is longer than 4 MiB: apply manifests in parts")
        }
        _ => Problem::new(ErrorCode::BadRequest, "the body ends too early, or comes too slowly"),
    }
}
