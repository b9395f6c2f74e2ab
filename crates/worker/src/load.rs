//! From a graph's node to a predictor.

use std::{error::Error, sync::Arc};

use provost_domain::graph::{Implementation, Node};
use provost_inference::{ArtifactFiles, Predict};
use provost_predictors::{LoadError, LoadErrorKind, LoadOptions, Method, ModelServer, load};

/// Why a node cannot be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// For a person, with what to do.
    pub(crate) reason: String,
    /// Whether another attempt may end differently.
    pub(crate) may_pass: bool,
}

impl Failure {
    fn lasting(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), may_pass: false }
    }
}

/// Loads the model of a node. What the loader warns of is logged.
pub(crate) fn load_node(node: &Node, files: &dyn ArtifactFiles) -> Result<Arc<dyn Predict>, Failure> {
    let options = options(node)?;
    let loaded = load(files, &options)
        .map_err(|error| Failure { may_pass: error.kind() == LoadErrorKind::Io, reason: with_causes(&error) })?;
    let description = &loaded.description;
    tracing::info!(
        node = node.name,
        library = description.library,
        version = description.library_version,
        estimator = description.estimator,
        method = %description.method,
        "model loaded"
    );
    for warning in &description.warnings {
        tracing::warn!(node = node.name, warning, "model loaded with a warning");
    }
    Ok(loaded.predictor)
}

fn options(node: &Node) -> Result<LoadOptions, Failure> {
    let server = match &node.implementation {
        Implementation::Server(name) if name == "SKLEARN_SERVER" => ModelServer::Sklearn,
        Implementation::Server(name) if name == "XGBOOST_SERVER" => ModelServer::Xgboost,
        Implementation::Server(name) if name == "LIGHTGBM_SERVER" => ModelServer::Lightgbm,
        Implementation::Server(name) if name == "CATBOOST_SERVER" => ModelServer::Catboost,
        other => return Err(Failure::lasting(format!("`{}` is not served natively", other.as_str()))),
    };
    let mut options = LoadOptions::new(server);
    if let Some(value) = node.parameter("method") {
        let name = value.to_text();
        let method = Method::ALL.into_iter().find(|method| method.name() == name);
        options.method = Some(method.ok_or_else(|| {
            let names = Method::ALL.map(Method::name).join(", ");
            Failure::lasting(format!("the parameter `method` of node `{}` is `{name}`: use one of {names}", node.name))
        })?);
    }
    Ok(options)
}

fn with_causes(error: &LoadError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
