//! `/api/v1`: handlers translate between HTTP and the use cases. The OpenAPI document is made from the
//! same routes.

mod changes;
pub mod deployments;
mod extract;
mod server;
mod workloads;

use axum::{
    Router,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use provost_api::problem::{MEDIA_TYPE, Problem};
use provost_domain::ErrorCode;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// Longest body of an apply.
const BODY_MAX: usize = 4 << 20;

#[derive(OpenApi)]
#[openapi(info(
    title = "Provost",
    description = "Deploys machine-learning models and keeps them honest once they run. Errors are `application/problem+json`.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Document;

/// The routes of `/api/v1`.
pub fn router(app: App) -> Router {
    routes().split_for_parts().0.fallback(no_route).method_not_allowed_fallback(no_method).with_state(app)
}

/// The OpenAPI document as JSON, without any server running.
pub fn openapi() -> String {
    routes().split_for_parts().1.to_pretty_json().unwrap_or_default()
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(server::status))
        .routes(routes!(server::namespaces))
        .routes(routes!(deployments::apply))
        .routes(routes!(deployments::list))
        .routes(routes!(deployments::get, deployments::delete))
        .routes(routes!(changes::predictors))
        .routes(routes!(changes::rollback))
        .routes(routes!(deployments::history))
        .routes(routes!(deployments::traffic))
        .routes(routes!(deployments::requests))
        .routes(routes!(deployments::feedback))
        .routes(routes!(workloads::instances))
        .routes(routes!(workloads::events))
        .routes(routes!(workloads::log))
        .routes(routes!(workloads::usage))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_MAX))
}

async fn no_route(uri: http::Uri) -> Error {
    Problem::new(ErrorCode::NotFound, format!("there is nothing at `{}`", uri.path())).into()
}

async fn no_method(method: http::Method, uri: http::Uri) -> Error {
    Problem::new(ErrorCode::MethodNotAllowed, format!("`{}` does not take {method}", uri.path())).into()
}

/// A problem as an answer.
#[derive(Debug)]
pub(crate) struct Error(Problem);

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(&self.0)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response
    }
}
