//! The models that can be asked, as KServe (V1) and the model repository of V2 tell of them. Models come and go with the
//! manifests of their deployments, so that loading one that is there does nothing, and taking one away is refused.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use provost_domain::ErrorCode;
use serde_json::{Value, json};

use crate::{
    about::{About, find, json as answer},
    error::RequestError,
    matcher::Action,
    predict::check_model,
    routes::{Deployment, Routes},
};

/// Why no model is taken away.
pub(crate) const NOT_HERE: &str =
    "a model goes with its deployment: delete the deployment, or apply it without the model";

/// A model that can be asked by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// Its version, where this server knows it.
    pub(crate) version: String,
    /// Why it does not answer, where it does not.
    pub(crate) reason: Option<String>,
}

impl Listed {
    /// Its state, in V2's words.
    pub(crate) fn state(&self) -> &'static str {
        if self.reason.is_none() { "READY" } else { "UNAVAILABLE" }
    }
}

/// The models of a deployment; without one, all that can be asked without naming their deployment.
pub(crate) fn listed(routes: &Routes, of: Option<&Arc<Deployment>>) -> Vec<Listed> {
    match of {
        Some(deployment) => models(deployment, |model| Some(model.to_owned())),
        None => routes
            .all()
            .iter()
            .flat_map(|deployment| models(deployment, |model| root_name(routes, deployment, model)))
            .collect(),
    }
}

/// The name by which a deployment's model is known at the root; none where another's is, too.
fn root_name(routes: &Routes, deployment: &Arc<Deployment>, model: &str) -> Option<String> {
    let is_its = |name: &&str| routes.with_model(name).is_some_and(|found| Arc::ptr_eq(&found, deployment));
    [model, &deployment.name].into_iter().find(is_its).map(str::to_owned)
}

fn models(deployment: &Deployment, name: impl Fn(&str) -> Option<String>) -> Vec<Listed> {
    if deployment.predictors.is_empty() {
        let unavailable = |name| Listed { name, version: String::new(), reason: Some(deployment.unavailable.clone()) };
        return name(&deployment.name).map(unavailable).into_iter().collect();
    }
    let model = |predictor: &crate::routes::Predictor| {
        let version = predictor.version().unwrap_or_default().to_owned();
        Some(Listed { name: name(&predictor.model)?, version, reason: None })
    };
    deployment.predictors.iter().filter_map(model).collect()
}

/// Tells of the models, as the body asks.
pub(crate) fn tell(
    action: Action,
    routes: &Routes,
    of: Option<&Arc<Deployment>>,
    body: &[u8],
) -> Result<Response<Full<Bytes>>, RequestError> {
    let mut models = listed(routes, of);
    if action == Action::Models {
        let mut names: Vec<_> = models.into_iter().map(|model| model.name).collect();
        names.dedup();
        return Ok(answer(StatusCode::OK, json!({"models": names}).to_string().into_bytes()));
    }
    if wants_ready(body)? {
        models.retain(|model| model.reason.is_none());
    }
    let entry = |model: Listed| {
        let state = model.state();
        let Listed { name, version, reason } = model;
        json!({"name": name, "version": version, "state": state, "reason": reason.unwrap_or_default()})
    };
    let entries: Vec<_> = models.into_iter().map(entry).collect();
    Ok(answer(StatusCode::OK, Value::Array(entries).to_string().into_bytes()))
}

/// Whether only models that answer are asked for: `{"ready": true}`. Clients may send nothing.
fn wants_ready(body: &[u8]) -> Result<bool, RequestError> {
    let bad = |info: &str| RequestError::new(ErrorCode::BadRequest, info.to_owned());
    if body.trim_ascii().is_empty() {
        return Ok(false);
    }
    let asked: Value = serde_json::from_slice(body).map_err(|error| bad(&format!("the body is no JSON: {error}")))?;
    match asked.get("ready") {
        None | Some(Value::Null) if asked.is_object() => Ok(false),
        Some(Value::Bool(ready)) => Ok(*ready),
        _ => Err(bad("send an object with `ready`: true or false, or nothing")),
    }
}

/// Sees to it that a model is loaded, or refuses to take it away.
pub(crate) fn change(about: &About) -> Result<Response<Full<Bytes>>, RequestError> {
    if about.action == Action::Unload {
        return Err(RequestError::new(ErrorCode::BadRequest, NOT_HERE));
    }
    let predictor = find(about)?;
    check_model(&about.deployment, predictor, Some(&about.model), None)?;
    Ok(answer(StatusCode::OK, json!({"name": about.model, "load": true}).to_string().into_bytes()))
}
