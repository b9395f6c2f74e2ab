//! Deployments, their history, traffic and request log.

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use http::StatusCode;
use provost_api::{
    problem::Problem,
    rest::v1::{
        apply::{ApplyParameters, ApplyResult},
        deployments::{
            DeleteParameters, DeploymentDetail, DeploymentPage, GetParameters, History, ListParameters, Traffic,
            TrafficParameters,
        },
        requests::{RequestPage, RequestParameters},
    },
};
use provost_domain::port::deployments::Precondition;

use super::{
    Error,
    extract::{Manifests, Parameters},
};
use crate::app::{App, ApplyRequest, deployment_id};

/// Who makes a request; set where access is checked.
#[derive(Debug, Clone)]
pub struct Caller(pub String);

/// Applies manifests: all are checked before any is stored.
#[utoipa::path(post, path = "/api/v1/apply", tag = "deployments", params(ApplyParameters),
    request_body(description = "One or more manifests", content((String = "application/yaml"), (serde_json::Value = "application/json"))),
    responses((status = 200, body = ApplyResult), (status = 422, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn apply(
    State(app): State<App>,
    Extension(Caller(author)): Extension<Caller>,
    Parameters(parameters): Parameters<ApplyParameters>,
    Manifests(text): Manifests,
) -> Result<Json<ApplyResult>, Error> {
    let request = ApplyRequest {
        text,
        source: parameters.source.unwrap_or_else(|| "the manifest".to_owned()),
        namespace: parameters.namespace,
        is_dry_run: parameters.dry_run,
        author,
        message: parameters.message,
        precondition: Precondition::None,
    };
    Ok(Json(app.apply(request).await?))
}

/// Lists deployments.
#[utoipa::path(get, path = "/api/v1/deployments", tag = "deployments", params(ListParameters),
    responses((status = 200, body = DeploymentPage), (status = "default", body = Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<DeploymentPage>, Error> {
    Ok(Json(app.list(&parameters).await?))
}

/// Tells all about a deployment.
#[utoipa::path(get, path = "/api/v1/namespaces/{namespace}/deployments/{name}", tag = "deployments",
    params(("namespace" = String, Path), ("name" = String, Path), GetParameters),
    responses((status = 200, body = DeploymentDetail), (status = 404, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn get(
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
    Parameters(parameters): Parameters<GetParameters>,
) -> Result<Json<DeploymentDetail>, Error> {
    Ok(Json(app.get(&deployment_id(&namespace, &name)?, parameters.after_version).await?))
}

/// Deletes a deployment. Its request log stays until it is too old.
#[utoipa::path(delete, path = "/api/v1/namespaces/{namespace}/deployments/{name}", tag = "deployments",
    params(("namespace" = String, Path), ("name" = String, Path), DeleteParameters),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn delete(
    State(app): State<App>,
    Extension(Caller(author)): Extension<Caller>,
    Path((namespace, name)): Path<(String, String)>,
    Parameters(parameters): Parameters<DeleteParameters>,
) -> Result<StatusCode, Error> {
    app.delete(&deployment_id(&namespace, &name)?, parameters, &author).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The latest changes of a deployment, newest first.
#[utoipa::path(get, path = "/api/v1/namespaces/{namespace}/deployments/{name}/history", tag = "deployments",
    params(("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = History), (status = 404, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn history(
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<History>, Error> {
    Ok(Json(app.history(&deployment_id(&namespace, &name)?).await?))
}

/// Recent traffic of a deployment, for live charts.
#[utoipa::path(get, path = "/api/v1/namespaces/{namespace}/deployments/{name}/traffic", tag = "deployments",
    params(("namespace" = String, Path), ("name" = String, Path), TrafficParameters),
    responses((status = 200, body = Traffic), (status = 404, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn traffic(
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
    Parameters(parameters): Parameters<TrafficParameters>,
) -> Result<Json<Traffic>, Error> {
    Ok(Json(app.traffic(&deployment_id(&namespace, &name)?, parameters.seconds).await?))
}

/// The request log of a deployment, newest first: one row an instance, with `reward` and `truth` where there is feedback.
#[utoipa::path(get, path = "/api/v1/namespaces/{namespace}/deployments/{name}/requests", tag = "requests",
    params(("namespace" = String, Path), ("name" = String, Path), RequestParameters),
    responses((status = 200, body = RequestPage), (status = 400, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn requests(
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
    Parameters(parameters): Parameters<RequestParameters>,
) -> Result<Json<RequestPage>, Error> {
    Ok(Json(app.requests(&deployment_id(&namespace, &name)?, &parameters).await?))
}

/// The feedback to predictions of a deployment, newest first: one row an instance, with `reward`, `truth` and `prediction`.
/// Predictions are those that callers told; `request_id` says where others are in the request log.
#[utoipa::path(get, path = "/api/v1/namespaces/{namespace}/deployments/{name}/feedback", tag = "requests",
    params(("namespace" = String, Path), ("name" = String, Path), RequestParameters),
    responses((status = 200, body = RequestPage), (status = 400, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn feedback(
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
    Parameters(parameters): Parameters<RequestParameters>,
) -> Result<Json<RequestPage>, Error> {
    Ok(Json(app.feedback(&deployment_id(&namespace, &name)?, &parameters).await?))
}
