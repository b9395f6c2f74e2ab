//! The API of Kubernetes for the kinds that manifests have, as far as clients need it to create, read, watch, change and
//! delete resources: those of `KServe` and any that can be told an address work with a server that is no cluster.
//!
//! `/apis/<group>/<version>/namespaces/<namespace>/<plural>[/<name>]`, over the same use cases as the REST API.

mod asked;
mod body;
mod objects;
mod patch;
mod status;
#[cfg(test)]
mod tests;
mod watch;

use axum::{
    Json, Router,
    extract::{Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use provost_api::{problem::Problem, rest::v1::deployments::DeleteParameters};
use provost_domain::{
    DeploymentId, ErrorCode,
    port::deployments::{Precondition, StoredDeployment},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, ApplyRequest, deployment_id};
use asked::{Asked, Change, Names};
use body::ObjectBody;

/// The routes.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/apis/{group}/{version}/{plural}", get(list))
        .route("/apis/{group}/{version}/namespaces/{namespace}/{plural}", get(list).post(create))
        .route(
            "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}",
            get(read).put(replace).patch(merge).delete(remove),
        )
        .with_state(app)
}

/// What a list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListParameters {
    #[serde(default)]
    watch: String,
    #[serde(default)]
    resource_version: String,
    timeout_seconds: Option<u64>,
}

type Answer = Result<Response, Failed>;

async fn list(State(app): State<App>, asked: Asked, Query(parameters): Query<ListParameters>) -> Answer {
    let scope = watch::Scope::new(app, asked.objects, asked.names.namespace)?;
    if matches!(parameters.watch.as_str(), "true" | "1" | "True") {
        return Ok(scope.watch(&parameters.resource_version, parameters.timeout_seconds));
    }
    let (items, version) = scope.list().await?;
    Ok(Json(json!({
        "apiVersion": scope.objects.api_version(),
        "kind": format!("{}List", scope.objects.resource.kind),
        "metadata": {"resourceVersion": version.to_string()},
        "items": items,
    }))
    .into_response())
}

async fn read(State(app): State<App>, asked: Asked) -> Answer {
    let stored = asked.stored(&app).await?;
    Ok(Json(asked.objects.object(&app, &stored)).into_response())
}

async fn create(State(app): State<App>, asked: Asked, change: Change, ObjectBody(document): ObjectBody) -> Answer {
    let created = change.put(&app, &asked, document, Precondition::Absent).await?;
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

async fn replace(State(app): State<App>, asked: Asked, change: Change, ObjectBody(document): ObjectBody) -> Answer {
    asked.stored(&app).await?;
    let precondition = objects::precondition(&document)?;
    Ok(Json(change.put(&app, &asked, document, precondition).await?).into_response())
}

async fn merge(State(app): State<App>, asked: Asked, change: Change, ObjectBody(patch): ObjectBody) -> Answer {
    let stored = asked.stored(&app).await?;
    let precondition = match objects::precondition(&patch)? {
        Precondition::None => Precondition::Generation(stored.generation),
        told => told,
    };
    let mut document = asked.objects.object(&app, &stored);
    patch::merge(&mut document, &patch);
    Ok(Json(change.put(&app, &asked, document, precondition).await?).into_response())
}

async fn remove(State(app): State<App>, asked: Asked, change: Change) -> Answer {
    let stored = asked.stored(&app).await?;
    if !change.is_dry_run {
        app.delete(&stored.id, DeleteParameters::default(), &change.author).await?;
    }
    let Names { group, plural, name, .. } = &asked.names;
    let details = json!({"name": name, "group": group, "kind": plural, "uid": objects::uid(&stored)});
    Ok(Json(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}))
        .into_response())
}

impl Asked {
    /// The deployment of that name, if it is of the kind.
    async fn stored(&self, app: &App) -> Result<StoredDeployment, Failed> {
        let Names { namespace, name, .. } = &self.names;
        let name = name.as_deref().unwrap_or_default();
        let stored = app.stored(&deployment_id(namespace.as_deref().unwrap_or_default(), name)?).await;
        let not_found =
            || Problem::new(ErrorCode::NotFound, format!("{} `{name}` not found", self.objects.full_name()));
        match stored {
            Ok(stored) if self.objects.has(&stored) => Ok(stored),
            Ok(_) => Err(not_found().into()),
            Err(problem) if problem.code == ErrorCode::NotFound => Err(not_found().into()),
            Err(problem) => Err(problem.into()),
        }
    }
}

impl Change {
    /// Stores a resource; answers with it.
    async fn put(self, app: &App, asked: &Asked, document: Value, precondition: Precondition) -> Result<Value, Failed> {
        let Names { namespace, name, .. } = &asked.names;
        let namespace = namespace.as_deref().unwrap_or_default();
        let document = asked.objects.written(document, namespace, name.as_deref())?;
        let id = id_of(&document, namespace)?;
        let request = ApplyRequest {
            text: document.to_string(),
            source: String::new(),
            namespace: Some(namespace.to_owned()),
            is_dry_run: self.is_dry_run,
            author: self.author,
            message: None,
            precondition,
        };
        let applied = app.apply(request).await;
        applied.map_err(|problem| Failed::of(problem, precondition))?;
        if self.is_dry_run {
            return Ok(document);
        }
        Ok(asked.objects.object(app, &app.stored(&id).await?))
    }
}

fn id_of(document: &Value, namespace: &str) -> Result<DeploymentId, Problem> {
    match document["metadata"]["name"].as_str() {
        Some(name) => deployment_id(namespace, name),
        None => {
            Err(Problem::new(ErrorCode::Invalid, "metadata.name: Required value: name or generateName is required"))
        }
    }
}

/// A problem, told as a `Status` of Kubernetes.
#[derive(Debug)]
struct Failed {
    problem: Problem,
    is_taken: bool,
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self { problem, is_taken: false }
    }
}

impl Failed {
    /// A problem of a change with this precondition.
    fn of(problem: Problem, precondition: Precondition) -> Self {
        let is_taken = problem.code == ErrorCode::Conflict && precondition == Precondition::Absent;
        Self { problem, is_taken }
    }

    fn reason(&self) -> &'static str {
        match self.problem.code {
            ErrorCode::Conflict if self.is_taken => "AlreadyExists",
            ErrorCode::BadRequest => "BadRequest",
            ErrorCode::Unauthenticated => "Unauthorized",
            ErrorCode::Forbidden => "Forbidden",
            ErrorCode::NotFound => "NotFound",
            ErrorCode::MethodNotAllowed => "MethodNotAllowed",
            ErrorCode::Conflict => "Conflict",
            ErrorCode::TooLarge => "RequestEntityTooLarge",
            ErrorCode::UnsupportedMediaType => "UnsupportedMediaType",
            ErrorCode::Invalid => "Invalid",
            ErrorCode::Overloaded => "TooManyRequests",
            ErrorCode::Timeout | ErrorCode::GatewayTimeout => "Timeout",
            ErrorCode::Internal => "InternalError",
            ErrorCode::Unavailable => "ServiceUnavailable",
        }
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let causes = self.problem.errors.iter().map(|error| {
            let field = error.path.as_deref().unwrap_or_default();
            json!({"reason": "FieldValueInvalid", "message": error.message, "field": field})
        });
        let causes: Vec<_> = causes.collect();
        let lines = self.problem.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": if lines.is_empty() { &self.problem.detail } else { &lines },
            "reason": self.reason(),
            "details": {"causes": causes},
            "code": self.problem.status,
        });
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}
