//! Changes that are made to a stored manifest rather than by its author: of canaries and shadows, and rollback.
//!
//! Each is one write, on condition that nobody else wrote since the manifest was read.

#[cfg(test)]
mod tests;

use std::time::Duration;

use provost_api::{
    manifest::{ManifestDocument, traffic},
    problem::Problem,
    rest::v1::{
        apply::{Action, Applied, ApplyResult},
        changes::{ChangeParameters, PredictorChange, Rollback},
    },
    yaml::to_yaml,
};
use provost_domain::{
    DeploymentId, Engine, ErrorCode,
    port::deployments::{Change, ChangeNote, Mutation, Precondition, StoreError, StoredDeployment},
};
use serde_json::Value;

use super::{
    App,
    apply::{Checked, invalid, manifest_error},
    deployments::HISTORY_MAX,
    problem,
};

/// How often a change is tried, while others keep changing the deployment.
const ATTEMPTS: u32 = 5;

/// How long somebody else's change may take to be seen.
const PAUSE: Duration = Duration::from_secs(1);

/// What a cluster says to a rollback.
const NO_HISTORY: &str = "on a cluster only the present manifest is kept: take the earlier one from where it is kept, \
                          such as git, and apply it";

/// What to make of a manifest.
#[derive(Clone, Copy)]
enum Edit<'a> {
    Predictors(&'a PredictorChange),
    Rollback(&'a Rollback),
}

/// What was made of it.
struct Edited {
    document: Value,
    /// Where it comes from, for messages.
    source: String,
    /// What the history says where the author says nothing.
    message: Option<String>,
}

impl App {
    /// Changes the canaries and shadows of a deployment.
    pub async fn change_predictors(
        &self,
        id: &DeploymentId,
        change: &PredictorChange,
        parameters: &ChangeParameters,
        author: &str,
    ) -> Result<ApplyResult, Problem> {
        self.edit(id, Edit::Predictors(change), parameters, author).await
    }

    /// Goes back to the manifest of an earlier generation, which makes a new one.
    pub async fn rollback(
        &self,
        id: &DeploymentId,
        rollback: &Rollback,
        parameters: &ChangeParameters,
        author: &str,
    ) -> Result<ApplyResult, Problem> {
        self.edit(id, Edit::Rollback(rollback), parameters, author).await
    }

    /// Tries again where somebody else was faster, unless the caller means one generation.
    async fn edit(
        &self,
        id: &DeploymentId,
        edit: Edit<'_>,
        parameters: &ChangeParameters,
        author: &str,
    ) -> Result<ApplyResult, Problem> {
        for _ in 1..ATTEMPTS {
            let version = self.wait_for_change(None).await;
            match self.try_edit(id, edit, parameters, author).await {
                Err(problem) if problem.code == ErrorCode::Conflict && parameters.generation.is_none() => {
                    // What was read may be behind what stands there.
                    let _changed = tokio::time::timeout(PAUSE, self.repository.changed(version)).await;
                }
                result => return result,
            }
        }
        self.try_edit(id, edit, parameters, author).await
    }

    async fn try_edit(
        &self,
        id: &DeploymentId,
        edit: Edit<'_>,
        parameters: &ChangeParameters,
        author: &str,
    ) -> Result<ApplyResult, Problem> {
        let stored = self.stored(id).await?;
        check_generation(&stored, parameters.generation)?;
        let Edited { document, source, message } = self.edited(&stored, edit).await?;
        let checked = self.check_edited(id, &source, document)?;
        let mut applied = applied(&stored, &checked);
        if !parameters.dry_run {
            let precondition = Precondition::Generation(stored.generation);
            let put = Mutation::Put { id: id.clone(), document: checked.document.json, precondition };
            let message = parameters.message.clone().or(message);
            let note = ChangeNote { author: author.to_owned(), message, time: self.clock.now() };
            let written = self.repository.write(vec![put], note).await.map_err(problem)?;
            applied.generation = written.first().map_or(applied.generation, |written| written.generation);
        }
        Ok(ApplyResult { applied: vec![applied] })
    }

    async fn edited(&self, stored: &StoredDeployment, edit: Edit<'_>) -> Result<Edited, Problem> {
        match edit {
            Edit::Predictors(change) => {
                let document = traffic::change_predictors(&stored.document, change).map_err(refused)?;
                Ok(Edited { document, source: "the changed manifest".to_owned(), message: None })
            }
            Edit::Rollback(Rollback { to }) => {
                let (generation, document) = self.earlier(stored, *to).await?;
                let source = format!("the manifest of generation {generation}");
                Ok(Edited { document, source, message: Some(format!("rollback to generation {generation}")) })
            }
        }
    }

    /// The manifest to go back to, with its generation.
    async fn earlier(&self, stored: &StoredDeployment, to: Option<u64>) -> Result<(u64, Value), Problem> {
        if self.engine == Engine::Kubernetes {
            return Err(refused(NO_HISTORY));
        }
        let changes = self.repository.history(&stored.id, changes_back(stored, to)).await.map_err(problem)?;
        match to {
            Some(to) => find(changes, stored, |change| change.generation == to).ok_or_else(|| unknown(stored, to)),
            None => find(changes, stored, |change| change.document.as_ref() != Some(&stored.document))
                .ok_or_else(|| refused(nothing_before(stored))),
        }
    }

    /// The same checks that an applied manifest goes through.
    fn check_edited(&self, id: &DeploymentId, source: &str, document: Value) -> Result<Checked, Problem> {
        let document = ManifestDocument::from_json(source, document);
        let document = document.map_err(|error| invalid(vec![manifest_error(&error)]))?;
        self.check_document(document, &id.namespace).map_err(invalid)
    }
}

fn check_generation(stored: &StoredDeployment, expected: Option<u64>) -> Result<(), Problem> {
    match expected {
        Some(expected) if expected != stored.generation => {
            Err(problem(StoreError::Conflict { id: stored.id.clone(), actual: stored.generation }))
        }
        _ => Ok(()),
    }
}

fn applied(stored: &StoredDeployment, checked: &Checked) -> Applied {
    Applied {
        kind: checked.document.kind.clone(),
        namespace: stored.id.namespace.to_string(),
        name: stored.id.name.to_string(),
        action: Action::Configured,
        generation: stored.generation + 1,
        warnings: checked.warnings.clone(),
        manifest_yaml: Some(to_yaml(&checked.document.json)),
    }
}

/// How many changes there are back to a generation.
fn changes_back(stored: &StoredDeployment, to: Option<u64>) -> u32 {
    let back = |to: u64| u32::try_from(stored.generation.saturating_sub(to) + 1).unwrap_or(u32::MAX);
    to.map_or(HISTORY_MAX, back)
}

/// The latest manifest before the present one that `is_it`; what was deleted meanwhile does not count.
fn find(changes: Vec<Change>, stored: &StoredDeployment, is_it: impl Fn(&Change) -> bool) -> Option<(u64, Value)> {
    let kept = changes.into_iter().take_while(|change| change.document.is_some());
    let found = kept.filter(|change| change.generation < stored.generation).find(is_it)?;
    Some((found.generation, found.document?))
}

fn refused(detail: impl Into<String>) -> Problem {
    Problem::new(ErrorCode::Invalid, detail)
}

fn unknown(stored: &StoredDeployment, to: u64) -> Problem {
    let StoredDeployment { id, generation, .. } = stored;
    let detail = format!("`{id}` is at generation {generation}, and has no manifest of generation {to} before it");
    Problem::new(ErrorCode::NotFound, detail)
}

fn nothing_before(stored: &StoredDeployment) -> String {
    let StoredDeployment { id, generation, .. } = stored;
    format!("no manifest of `{id}` before generation {generation} differs from it: there is nothing to go back to")
}
