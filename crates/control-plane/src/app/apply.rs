//! Applying manifests: all are checked before any is stored.

use provost_api::{
    crd::{Finding, inference_service::rollout},
    manifest::{ManifestDocument, ManifestError, parse, parse_deployment},
    problem::{FieldError, Problem},
    rest::v1::apply::{Action, Applied, ApplyResult, Warning},
};
use provost_domain::{
    Deployment, DeploymentId, ErrorCode, FieldPath, Namespace, ResourceName, Violation,
    port::deployments::{ChangeNote, Mutation, Precondition, StoredDeployment},
};
use serde_json::Value;

use super::{App, problem};

/// What a user applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyRequest {
    /// The documents: YAML or JSON.
    pub text: String,
    /// Name of the file or other source, for messages.
    pub source: String,
    /// Namespace of documents that name none.
    pub namespace: Option<String>,
    /// Check everything and store nothing.
    pub is_dry_run: bool,
    /// Who.
    pub author: String,
    /// Why.
    pub message: Option<String>,
    /// What must hold of each deployment.
    pub precondition: Precondition,
}

/// A document that may be stored.
pub(super) struct Checked {
    pub(super) document: ManifestDocument,
    pub(super) deployment: Deployment,
    pub(super) warnings: Vec<Warning>,
}

impl App {
    /// Checks all documents and stores them, or none and tells everything that is wrong.
    pub async fn apply(&self, request: ApplyRequest) -> Result<ApplyResult, Problem> {
        let namespace = default_namespace(request.namespace.as_deref())?;
        let (source, text) = (request.source.clone(), request.text.clone());
        // Reading a long text takes a while, and this thread serves predictions.
        let mut documents = away(move || read(&source, &text)).await?;
        let stood = self.stood(&documents, &namespace).await?;
        for (document, stood) in documents.iter_mut().zip(&stood) {
            rollout::carry(&mut document.json, stood.as_ref());
        }
        let app = self.clone();
        let checked = away(move || app.check(documents, &stood, &namespace)).await?;
        let applied = self.preview(&checked).await?;
        if request.is_dry_run {
            return Ok(ApplyResult { applied });
        }
        let mutations = checked.into_iter().map(|checked| Mutation::Put {
            id: checked.deployment.id,
            document: checked.document.json,
            precondition: request.precondition,
        });
        let note = ChangeNote { author: request.author, message: request.message, time: self.clock.now() };
        let stored = self.repository.write(mutations.collect(), note).await.map_err(problem)?;
        let generations = stored.iter().map(|stored| stored.generation);
        let applied =
            applied.into_iter().zip(generations).map(|(applied, generation)| Applied { generation, ..applied });
        Ok(ApplyResult { applied: applied.collect() })
    }

    /// What stands of each document: the manifest that had the traffic before it, if there is one.
    async fn stood(
        &self,
        documents: &[ManifestDocument],
        namespace: &Namespace,
    ) -> Result<Vec<Option<Value>>, Problem> {
        let mut stood = Vec::with_capacity(documents.len());
        for document in documents {
            let namespace = document.namespace.as_deref().map_or(Ok(namespace.clone()), Namespace::try_from);
            let name = document.name.as_deref().unwrap_or_default();
            let id =
                namespace.and_then(|namespace| Ok(DeploymentId { namespace, name: ResourceName::try_from(name)? }));
            // A name that is none is told when the document is checked.
            let stored = match id {
                Ok(id) => self.repository.get(&id).await.map_err(problem)?,
                Err(_) => None,
            };
            stood.push(stored.map(StoredDeployment::into_served));
        }
        Ok(stood)
    }

    fn check(
        &self,
        documents: Vec<ManifestDocument>,
        stood: &[Option<Value>],
        namespace: &Namespace,
    ) -> Result<Vec<Checked>, Problem> {
        let mut errors = Vec::new();
        let mut checked: Vec<Checked> = Vec::new();
        for (document, stood) in documents.into_iter().zip(stood) {
            match self.check_document(document, namespace) {
                Ok(one) => {
                    errors.extend(twice(&one, &checked));
                    errors.extend(of_another_kind(&one, stood.as_ref()));
                    checked.push(one);
                }
                Err(found) => errors.extend(found),
            }
        }
        if errors.is_empty() { Ok(checked) } else { Err(invalid(errors)) }
    }

    /// Checks one document: everything that is wrong with it, or its warnings.
    pub(super) fn check_document(
        &self,
        document: ManifestDocument,
        namespace: &Namespace,
    ) -> Result<Checked, Vec<FieldError>> {
        match parse_deployment(&document, namespace, &self.catalog(), self.engine) {
            Ok((deployment, findings)) => {
                let warnings = findings.into_iter().map(warning).collect();
                Ok(Checked { document, deployment, warnings })
            }
            Err(violations) => Err(violations.iter().map(|violation| field_error(&document, violation)).collect()),
        }
    }

    /// What would become of the documents.
    async fn preview(&self, checked: &[Checked]) -> Result<Vec<Applied>, Problem> {
        let mut applied = Vec::with_capacity(checked.len());
        for Checked { document, deployment, warnings } in checked {
            let before = self.repository.get(&deployment.id).await.map_err(problem)?;
            applied.push(Applied {
                kind: document.kind.clone(),
                namespace: deployment.id.namespace.to_string(),
                name: deployment.id.name.to_string(),
                action: if before.is_some() { Action::Configured } else { Action::Created },
                generation: before.map_or(1, |before| before.generation + 1),
                warnings: warnings.clone(),
                manifest_yaml: None,
            });
        }
        Ok(applied)
    }
}

/// Does what takes a while on another thread.
async fn away<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "reading manifests failed");
        Err(Problem::new(ErrorCode::Internal, "reading the manifests failed: please report it with the manifests"))
    })
}

fn read(source: &str, text: &str) -> Result<Vec<ManifestDocument>, Problem> {
    let documents = parse(source, text).map_err(|errors| invalid(errors.iter().map(manifest_error).collect()))?;
    if documents.is_empty() {
        return Err(Problem::new(ErrorCode::Invalid, format!("`{source}` has no documents")));
    }
    Ok(documents)
}

fn default_namespace(name: Option<&str>) -> Result<Namespace, Problem> {
    match name {
        None => Ok(Namespace::default_namespace()),
        Some(name) => Namespace::try_from(name).map_err(|error| Problem::new(ErrorCode::BadRequest, error.to_string())),
    }
}

pub(super) fn warning(finding: Finding) -> Warning {
    Warning { path: finding.path.to_string(), message: finding.message }
}

pub(super) fn invalid(errors: Vec<FieldError>) -> Problem {
    let detail = match &errors[..] {
        [only] => only.to_string(),
        all => format!("{} errors; nothing was stored", all.len()),
    };
    Problem { errors, ..Problem::new(ErrorCode::Invalid, detail) }
}

pub(super) fn manifest_error(error: &ManifestError) -> FieldError {
    FieldError {
        source: Some(error.source_name.clone()),
        line: error.line,
        resource: None,
        path: None,
        message: error.message.clone(),
    }
}

fn field_error(document: &ManifestDocument, violation: &Violation) -> FieldError {
    FieldError {
        source: Some(document.source.clone()),
        line: document.line_of(&violation.path).or(document.line),
        resource: Some(format!("{} {}", document.kind, document.name.as_deref().unwrap_or("without a name"))),
        path: Some(violation.path.to_string()),
        message: violation.message.clone(),
    }
}

/// A document that names a resource another document named before.
fn twice(Checked { document, deployment, .. }: &Checked, before: &[Checked]) -> Option<FieldError> {
    let id: &DeploymentId = &deployment.id;
    before.iter().any(|other| other.deployment.id == *id).then(|| FieldError {
        source: Some(document.source.clone()),
        line: document.line,
        resource: Some(format!("{} {id}", document.kind)),
        path: None,
        message: "the same resource stands in the documents twice: keep one".to_owned(),
    })
}

/// A document whose name is that of a resource of another kind: what it serves is known by the name alone.
fn of_another_kind(Checked { document, deployment, .. }: &Checked, stood: Option<&Value>) -> Option<FieldError> {
    let other = stood?.get("kind").and_then(Value::as_str).filter(|kind| *kind != document.kind)?;
    let id = &deployment.id;
    Some(FieldError {
        source: Some(document.source.clone()),
        line: document.line_of(&FieldPath::from("metadata.name")).or(document.line),
        resource: Some(format!("{} {id}", document.kind)),
        path: Some("metadata.name".to_owned()),
        message: format!("`{id}` is of kind {other} already: use another name, or delete it first"),
    })
}
