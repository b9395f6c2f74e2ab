//! What a request is about, and who makes it.

use axum::{
    Extension,
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use provost_api::problem::Problem;
use provost_domain::ErrorCode;
use serde::Deserialize;

use super::{Failed, objects::Objects};
use crate::rest::deployments::Caller;

/// The names in a path.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Names {
    pub(super) group: String,
    version: String,
    pub(super) plural: String,
    /// None for all.
    pub(super) namespace: Option<String>,
    /// None for all, or for one that is to be made.
    pub(super) name: Option<String>,
}

/// The resources that a path names.
pub(super) struct Asked {
    pub(super) names: Names,
    pub(super) objects: Objects,
}

/// Who makes a change, and whether it is only tried.
pub(super) struct Change {
    pub(super) author: String,
    pub(super) is_dry_run: bool,
}

/// How a change is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeParameters {
    #[serde(default)]
    dry_run: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let Path(names) = Path::<Names>::from_request_parts(parts, state).await.map_err(|error| bad(&error))?;
        let objects = Objects::new(&names.group, &names.version, &names.plural, &parts.headers)?;
        Ok(Self { names, objects })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Change {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let Query(parameters) = Query::<ChangeParameters>::try_from_uri(&parts.uri).map_err(|error| bad(&error))?;
        let caller = Extension::<Caller>::from_request_parts(parts, state).await.map_err(|error| bad(&error))?;
        let Extension(Caller(author)) = caller;
        Ok(Self { author, is_dry_run: !parameters.dry_run.is_empty() })
    }
}

fn bad(error: &impl ToString) -> Failed {
    Problem::new(ErrorCode::BadRequest, error.to_string()).into()
}
