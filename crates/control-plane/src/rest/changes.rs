//! Changes that the server makes to a deployment's manifest.

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use provost_api::{
    problem::Problem,
    rest::v1::{
        apply::ApplyResult,
        changes::{ChangeParameters, PredictorChange, Rollback},
    },
};

use super::{
    Error,
    deployments::Caller,
    extract::{Body, Parameters},
};
use crate::app::{App, deployment_id};

/// Adds, weighs, promotes or removes a canary or shadow, as one change of the manifest.
#[utoipa::path(post, path = "/api/v1/namespaces/{namespace}/deployments/{name}/predictors", tag = "deployments",
    params(("namespace" = String, Path), ("name" = String, Path), ChangeParameters), request_body = PredictorChange,
    responses((status = 200, body = ApplyResult), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn predictors(
    State(app): State<App>,
    Extension(Caller(author)): Extension<Caller>,
    Path((namespace, name)): Path<(String, String)>,
    Parameters(parameters): Parameters<ChangeParameters>,
    Body(change): Body<PredictorChange>,
) -> Result<Json<ApplyResult>, Error> {
    let id = deployment_id(&namespace, &name)?;
    Ok(Json(app.change_predictors(&id, &change, &parameters, &author).await?))
}

/// Goes back to the manifest of an earlier generation, which makes a new one. Not on a cluster, which keeps none.
#[utoipa::path(post, path = "/api/v1/namespaces/{namespace}/deployments/{name}/rollback", tag = "deployments",
    params(("namespace" = String, Path), ("name" = String, Path), ChangeParameters), request_body = Rollback,
    responses((status = 200, body = ApplyResult), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn rollback(
    State(app): State<App>,
    Extension(Caller(author)): Extension<Caller>,
    Path((namespace, name)): Path<(String, String)>,
    Parameters(parameters): Parameters<ChangeParameters>,
    Body(rollback): Body<Rollback>,
) -> Result<Json<ApplyResult>, Error> {
    let id = deployment_id(&namespace, &name)?;
    Ok(Json(app.rollback(&id, &rollback, &parameters, &author).await?))
}
