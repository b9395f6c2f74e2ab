//! A server inside a pod: it serves the one predictor whose manifest the pod carries. It has neither API nor
//! console, so everybody who reaches it may predict.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context as _;
use provost_control_plane::app::{App, ApplyRequest};
use provost_domain::{
    DeploymentId, Namespace,
    plan::{Report, State},
    port::deployments::{DeploymentRepository, Precondition},
};
use provost_service_kit::access::Rules;

use super::config::Config;

/// The variable that holds the manifest.
pub(super) const MANIFEST: &str = "PROVOST_MANIFEST";
/// Where Kubernetes mounts what a pod may read, and where the image has the models of the examples.
const MODELS: [&str; 2] = ["/mnt", "/examples"];
/// Where Kubernetes reads why a container ended.
const TERMINATION_LOG: &str = "/dev/termination-log";

/// Who may do what: everybody may predict, and there is nothing else.
pub(super) fn open_rules(config: &Config) -> Rules {
    Rules {
        is_loopback: false,
        is_insecure: true,
        is_inference_open: true,
        token: None,
        hosts: config.server.hosts.clone(),
        origins: config.server.origins.clone(),
    }
}

/// Where model files may be.
pub(super) fn roots() -> Vec<PathBuf> {
    MODELS.map(PathBuf::from).into()
}

/// The deployment that the manifest describes; `None` where it describes none, which [`serve`] tells.
pub(super) fn deployment(manifest: &str) -> Option<DeploymentId> {
    let documents = provost_api::manifest::parse(MANIFEST, manifest).ok()?;
    let metadata = &documents.first()?.json["metadata"];
    let namespace = Namespace::default_namespace();
    let namespace = metadata["namespace"].as_str().unwrap_or(namespace.as_str());
    Some(DeploymentId { namespace: namespace.try_into().ok()?, name: metadata["name"].as_str()?.try_into().ok()? })
}

/// Applies the manifest and watches what becomes of it: sets `is_ready` once it serves, and ends only when
/// it cannot.
pub(super) async fn serve(
    app: App,
    repository: Arc<dyn DeploymentRepository>,
    manifest: String,
    is_ready: Arc<AtomicBool>,
) -> anyhow::Error {
    match apply(&app, manifest).await {
        Ok(id) => watch(repository.as_ref(), &id, &is_ready).await,
        Err(error) => error,
    }
}

async fn apply(app: &App, manifest: String) -> anyhow::Result<DeploymentId> {
    let request = ApplyRequest {
        text: manifest,
        source: MANIFEST.to_owned(),
        namespace: None,
        is_dry_run: false,
        author: "kubernetes".to_owned(),
        message: None,
        precondition: Precondition::None,
    };
    let applied = app.apply(request).await.map_err(|problem| {
        let errors = problem.errors.iter().map(ToString::to_string);
        anyhow::Error::msg(std::iter::once(problem.detail).chain(errors).collect::<Vec<_>>().join("\n  "))
    })?;
    let first = applied.applied.first().context("the manifest has no documents")?;
    Ok(DeploymentId { namespace: first.namespace.as_str().try_into()?, name: first.name.as_str().try_into()? })
}

async fn watch(repository: &dyn DeploymentRepository, id: &DeploymentId, is_ready: &AtomicBool) -> anyhow::Error {
    let mut version = 0;
    loop {
        version = repository.changed(version).await;
        match repository.get(id).await {
            Ok(Some(stored)) => match stored.report.filter(|report| report.generation == stored.generation) {
                Some(Report { state: State::Failed, description, .. }) => return anyhow::Error::msg(description),
                report => {
                    let is_available = report.is_some_and(|report| report.state == State::Available);
                    is_ready.store(is_available, Ordering::Relaxed);
                }
            },
            Ok(None) => return anyhow::anyhow!("the deployment `{id}` is gone"),
            Err(error) => return error.into(),
        }
    }
}

/// Tells Kubernetes why the server ends, for the pod's status.
pub(super) fn note_end(reason: &anyhow::Error) {
    let path = Path::new(TERMINATION_LOG);
    if path.exists()
        && let Err(error) = std::fs::write(path, format!("{reason:#}"))
    {
        tracing::warn!(%error, "cannot write `{TERMINATION_LOG}`");
    }
}
