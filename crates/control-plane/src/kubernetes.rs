//! The API of Kubernetes for the kinds that manifests have, as far as clients need it to create, read, watch, change and
//! delete resources: those of `KServe` and any that can be told an address work with a server that is no cluster.
//!
//! `/apis/<group>/<version>/namespaces/<namespace>/<plural>[/<name>]`, over the same use cases as the REST API.

mod body;
mod objects;
mod patch;
mod status;
#[cfg(test)]
mod tests;
mod watch;

use axum::{
    Extension, Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, header};
use provost_api::{
    crd::{inference_service, seldon_deployment},
    problem::Problem,
    rest::v1::deployments::DeleteParameters,
};
use provost_domain::{
    DeploymentId, ErrorCode,
    port::deployments::{Precondition, StoredDeployment},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::{App, ApplyRequest, deployment_id},
    rest::deployments::Caller,
};
use body::ObjectBody;
use objects::Objects;

/// A kind that is served, in one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ServedKind {
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    /// Its versions, of which those of one schema stand together.
    schemas: &'static [&'static [&'static str]],
}

const KINDS: [ServedKind; 3] = [
    ServedKind {
        group: "machinelearning.seldon.io",
        plural: "seldondeployments",
        kind: seldon_deployment::KIND,
        schemas: &[&["v1", "v1alpha2", "v1alpha3"]],
    },
    ServedKind {
        group: "serving.kserve.io",
        plural: "inferenceservices",
        kind: inference_service::KIND,
        schemas: &[&["v1beta1"]],
    },
    ServedKind {
        group: "serving.kubeflow.org",
        plural: "inferenceservices",
        kind: inference_service::KIND,
        schemas: &[&["v1beta1"], &["v1alpha2"]],
    },
];

/// The routes.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/apis/{group}/{version}/{plural}", get(list_all))
        .route("/apis/{group}/{version}/namespaces/{namespace}/{plural}", get(list).post(create))
        .route(
            "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}",
            get(read).put(replace).patch(change).delete(remove),
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

/// How a change is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeParameters {
    #[serde(default)]
    dry_run: String,
}

type Answer = Result<Response, Failed>;

async fn list_all(
    State(app): State<App>,
    Path((group, version, plural)): Path<(String, String, String)>,
    Query(parameters): Query<ListParameters>,
    headers: HeaderMap,
) -> Answer {
    let objects = Objects::new(&group, &version, &plural, &headers)?;
    answer_list(app, objects, None, &parameters).await
}

async fn list(
    State(app): State<App>,
    Path((group, version, namespace, plural)): Path<(String, String, String, String)>,
    Query(parameters): Query<ListParameters>,
    headers: HeaderMap,
) -> Answer {
    let objects = Objects::new(&group, &version, &plural, &headers)?;
    answer_list(app, objects, Some(namespace), &parameters).await
}

async fn answer_list(app: App, objects: Objects, namespace: Option<String>, parameters: &ListParameters) -> Answer {
    let scope = watch::Scope::new(app, objects, namespace)?;
    if matches!(parameters.watch.as_str(), "true" | "1" | "True") {
        return Ok(scope.watch(&parameters.resource_version, parameters.timeout_seconds));
    }
    let (items, version) = scope.list().await?;
    Ok(Json(json!({
        "apiVersion": scope.objects.api_version(),
        "kind": format!("{}List", scope.objects.kind.kind),
        "metadata": {"resourceVersion": version.to_string()},
        "items": items,
    }))
    .into_response())
}

async fn read(
    State(app): State<App>,
    Path((group, version, namespace, plural, name)): Path<(String, String, String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let objects = Objects::new(&group, &version, &plural, &headers)?;
    let stored = stored(&app, &objects, &namespace, &name).await?;
    Ok(Json(objects.object(&app, &stored)).into_response())
}

async fn create(
    State(app): State<App>,
    Extension(Caller(author)): Extension<Caller>,
    Path((group, version, namespace, plural)): Path<(String, String, String, String)>,
    Query(parameters): Query<ChangeParameters>,
    headers: HeaderMap,
    ObjectBody(document): ObjectBody,
) -> Answer {
    let objects = Objects::new(&group, &version, &plural, &headers)?;
    let writing = Writing { app: &app, objects: &objects, author, is_dry_run: !parameters.dry_run.is_empty() };
    let written = writing.put(document, &namespace, None, Precondition::Absent).await?;
    Ok((StatusCode::CREATED, Json(written)).into_response())
}

async fn replace(
    State(app): State<App>,
    Extension(Caller(author)): Extension<Caller>,
    Path((group, version, namespace, plural, name)): Path<(String, String, String, String, String)>,
    Query(parameters): Query<ChangeParameters>,
    headers: HeaderMap,
    ObjectBody(document): ObjectBody,
) -> Answer {
    let objects = Objects::new(&group, &version, &plural, &headers)?;
    stored(&app, &objects, &namespace, &name).await?;
    let precondition = objects::precondition(&document)?;
    let writing = Writing { app: &app, objects: &objects, author, is_dry_run: !parameters.dry_run.is_empty() };
    Ok(Json(writing.put(document, &namespace, Some(&name), precondition).await?).into_response())
}

async fn change(
    State(app): State<App>,
    Extension(Caller(author)): Extension<Caller>,
    Path((group, version, namespace, plural, name)): Path<(String, String, String, String, String)>,
    Query(parameters): Query<ChangeParameters>,
    headers: HeaderMap,
    ObjectBody(patch): ObjectBody,
) -> Answer {
    let objects = Objects::new(&group, &version, &plural, &headers)?;
    let stored = stored(&app, &objects, &namespace, &name).await?;
    let (precondition, generation) = (objects::precondition(&patch)?, stored.generation);
    let mut document = objects.object(&app, &stored);
    patch::merge(&mut document, &patch);
    let precondition = match precondition {
        Precondition::None => Precondition::Generation(generation),
        told => told,
    };
    let writing = Writing { app: &app, objects: &objects, author, is_dry_run: !parameters.dry_run.is_empty() };
    Ok(Json(writing.put(document, &namespace, Some(&name), precondition).await?).into_response())
}

async fn remove(
    State(app): State<App>,
    Extension(Caller(author)): Extension<Caller>,
    Path((group, version, namespace, plural, name)): Path<(String, String, String, String, String)>,
    Query(parameters): Query<ChangeParameters>,
    headers: HeaderMap,
) -> Answer {
    let objects = Objects::new(&group, &version, &plural, &headers)?;
    let stored = stored(&app, &objects, &namespace, &name).await?;
    if parameters.dry_run.is_empty() {
        app.delete(&stored.id, DeleteParameters::default(), &author).await?;
    }
    let details = json!({"name": name, "group": group, "kind": plural, "uid": objects::uid(&stored)});
    Ok(Json(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}))
        .into_response())
}

/// The deployment of that name, if it is of the kind.
async fn stored(app: &App, objects: &Objects, namespace: &str, name: &str) -> Result<StoredDeployment, Failed> {
    let stored = app.stored(&deployment_id(namespace, name)?).await;
    let not_found = || Problem::new(ErrorCode::NotFound, format!("{} `{name}` not found", objects.resource()));
    match stored {
        Ok(stored) if objects.has(&stored) => Ok(stored),
        Ok(_) => Err(not_found().into()),
        Err(problem) if problem.code == ErrorCode::NotFound => Err(not_found().into()),
        Err(problem) => Err(problem.into()),
    }
}

/// Who writes, and what.
struct Writing<'a> {
    app: &'a App,
    objects: &'a Objects,
    author: String,
    is_dry_run: bool,
}

impl Writing<'_> {
    /// Stores a resource; answers with it.
    async fn put(
        self,
        document: Value,
        namespace: &str,
        name: Option<&str>,
        precondition: Precondition,
    ) -> Result<Value, Failed> {
        let document = self.objects.written(document, namespace, name)?;
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
        let applied = self.app.apply(request).await;
        applied.map_err(|problem| Failed::of(problem, precondition))?;
        if self.is_dry_run {
            return Ok(document);
        }
        Ok(self.objects.object(self.app, &self.app.stored(&id).await?))
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
