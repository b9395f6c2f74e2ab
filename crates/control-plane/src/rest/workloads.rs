//! What runs a deployment.

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, header};
use provost_api::{
    problem::Problem,
    rest::v1::workloads::{Events, Instances, LinesParameters, Usage, UsageParameters},
};
use provost_domain::port::workloads::Lines;

use super::{Error, extract::Parameters};
use crate::app::{App, deployment_id};

/// The instances of a deployment: on Kubernetes, its pods.
#[utoipa::path(get, path = "/api/v1/namespaces/{namespace}/deployments/{name}/instances", tag = "workloads",
    params(("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Instances), (status = 404, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn instances(
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<Instances>, Error> {
    Ok(Json(app.instances(&deployment_id(&namespace, &name)?).await?))
}

/// What happened to a deployment and its instances, latest first.
#[utoipa::path(get, path = "/api/v1/namespaces/{namespace}/deployments/{name}/events", tag = "workloads",
    params(("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Events), (status = 404, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn events(
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<Events>, Error> {
    Ok(Json(app.events(&deployment_id(&namespace, &name)?).await?))
}

/// Lines that a container of an instance wrote, each begun by its time: as text, as they come.
#[utoipa::path(get, path = "/api/v1/namespaces/{namespace}/deployments/{name}/instances/{instance}/log", tag = "workloads",
    params(("namespace" = String, Path), ("name" = String, Path), ("instance" = String, Path), LinesParameters),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn log(
    State(app): State<App>,
    Path((namespace, name, instance)): Path<(String, String, String)>,
    Parameters(parameters): Parameters<LinesParameters>,
) -> Result<Response, Error> {
    let lines = app.lines(&deployment_id(&namespace, &name)?, instance, parameters).await?;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, text)], body(lines)).into_response())
}

/// CPU, memory and number of the instances of a deployment, for live charts.
#[utoipa::path(get, path = "/api/v1/namespaces/{namespace}/deployments/{name}/usage", tag = "workloads",
    params(("namespace" = String, Path), ("name" = String, Path), UsageParameters),
    responses((status = 200, body = Usage), (status = 404, body = Problem), (status = "default", body = Problem)))]
pub(super) async fn usage(
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
    Parameters(parameters): Parameters<UsageParameters>,
) -> Result<Json<Usage>, Error> {
    Ok(Json(app.usage(&deployment_id(&namespace, &name)?, parameters.seconds).await?))
}

/// Lines as a body. An error ends it early, so that the caller does not take it for the end of the log.
fn body(lines: Box<dyn Lines>) -> Body {
    let stream = stream::unfold(lines, |mut lines| async move {
        let line = lines.next().await?;
        let line = line.map(|mut line| {
            line.push('\n');
            Bytes::from(line)
        });
        Some((line, lines))
    });
    Body::from_stream(stream.inspect(|line| {
        if let Err(error) = line {
            tracing::warn!(%error, "a log ended early");
        }
    }))
}
