//! The server and its namespaces.

use axum::{Json, extract::State};
use provost_api::{
    problem::Problem,
    rest::v1::{deployments::Namespaces, status::ServerStatus},
};

use super::Error;
use crate::app::App;

/// What the server is and how it does.
#[utoipa::path(get, path = "/api/v1/status", tag = "server",
    responses((status = 200, body = ServerStatus), (status = "default", body = Problem)))]
pub(super) async fn status(State(app): State<App>) -> Result<Json<ServerStatus>, Error> {
    Ok(Json(app.status().await?))
}

/// Namespaces that deployments can be in, and how many each has.
#[utoipa::path(get, path = "/api/v1/namespaces", tag = "server",
    responses((status = 200, body = Namespaces), (status = "default", body = Problem)))]
pub(super) async fn namespaces(State(app): State<App>) -> Result<Json<Namespaces>, Error> {
    Ok(Json(app.namespaces().await?))
}
