//! Reads the body of a change: a resource, or a patch of one.

use axum::extract::{FromRequest, Request};
use http::header;
use provost_api::problem::Problem;
use provost_domain::ErrorCode;
use serde_json::Value;

use super::Failed;

/// Media types of resources and of patches. A patch is read as a merge patch whichever of them names it: clients in Python
/// call theirs a JSON patch.
const MEDIA_TYPES: [&str; 3] = ["application/json", "application/merge-patch+json", "application/json-patch+json"];

/// An object.
pub(super) struct ObjectBody(pub(super) Value);

impl<S: Send + Sync> FromRequest<S> for ObjectBody {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = media_type.and_then(|value| value.split(';').next()).map(|value| value.trim().to_lowercase());
        if !essence.as_deref().is_some_and(|essence| MEDIA_TYPES.contains(&essence)) {
            let detail = format!("send resources and patches as one of: {}", MEDIA_TYPES.join(", "));
            return Err(Problem::new(ErrorCode::UnsupportedMediaType, detail).into());
        }
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|rejection| {
            let is_long = rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE;
            let code = if is_long { ErrorCode::TooLarge } else { ErrorCode::BadRequest };
            Problem::new(code, rejection.body_text())
        })?;
        match serde_json::from_slice(&bytes) {
            Ok(object @ Value::Object(_)) => Ok(Self(object)),
            Ok(Value::Array(_)) => {
                let detail =
                    "lists of operations are not taken; send a merge patch: the fields to set, null to remove one";
                Err(Problem::new(ErrorCode::UnsupportedMediaType, detail).into())
            }
            Ok(_) => Err(Problem::new(ErrorCode::BadRequest, "the body must be an object").into()),
            Err(error) => Err(Problem::new(ErrorCode::BadRequest, format!("the body is no JSON: {error}")).into()),
        }
    }
}
