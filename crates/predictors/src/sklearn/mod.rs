//! Builds predictors from scikit-learn's estimators, versions 0.20 to current.
//!
//! Each supported estimator has an extractor that reads the attributes of its record, normalises
//! what differed between versions and checks shapes before anything is trusted.

mod boosted;
mod chain;
mod classes;
mod composite;
mod density;
mod discriminant;
mod dummy;
mod error;
mod estimator;
mod gradient_boosting;
mod isolation;
mod isotonic;
mod linear;
mod linear_classifier;
mod linear_novelty;
mod linear_regressor;
mod neighbours;
mod network;
mod pipeline;
mod predictor;
mod record;
mod scalers;
mod svm;
mod target;
mod transform;
mod transformers;
mod tree;
mod tree_head;
mod tree_model;
mod version;

pub use self::error::Error;
pub(crate) use self::{
    composite::Composite, density::Family, linear_classifier::Kind, linear_regressor::Link, neighbours::Search,
    record::Part, svm::Task, transformers::Transformer,
};

use std::sync::Arc;

use crate::{
    LoadError, LoadOptions, LoadedModel, Method, ModelDescription, decompress::decompress, estimators::SCIKIT_LEARN,
    pickle, shown::shown,
};

use self::{boosted::Boosted, estimator::Fitted, predictor::SklearnPredictor};

/// Loads the estimator in a pickle or joblib file.
pub(crate) fn load(path: &str, bytes: &[u8], options: &LoadOptions) -> Result<LoadedModel, LoadError> {
    let content =
        decompress(bytes, &options.limits).map_err(|source| LoadError::Decompress { file: path.to_owned(), source })?;
    let pickle =
        pickle::parse(&content, options.limits.pickle_values).map_err(|source| Error::from_pickle(path, source))?;
    let build = || {
        if let Some(boosted) = Boosted::find(&pickle, pickle.root(), &options.limits)? {
            return load_boosted(path, boosted, options.method);
        }
        let fitted = estimator::extract(&pickle, pickle.root(), &options.limits)?;
        let method = choose_method(&fitted, options.method)?;
        build(path, fitted, method)
    };
    build().map_err(|source| LoadError::Sklearn { file: path.to_owned(), source })
}

/// Loads a booster, bare or in its scikit-learn interface.
fn load_boosted(path: &str, boosted: Boosted, wanted: Option<Method>) -> Result<LoadedModel, Error> {
    let methods = boosted.methods();
    let method = wanted.or_else(|| methods.first().copied()).unwrap_or(Method::Predict);
    if !methods.contains(&method) {
        return Err(Error::NoMethod { estimator: boosted.name(), method, available: methods });
    }
    let source = boosted.source();
    let description = ModelDescription {
        library: source.library(),
        library_version: source.version(),
        estimator: boosted.name(),
        file: path.to_owned(),
        features: source.features(),
        feature_names: source.feature_names(),
        classes: boosted.class_names(),
        method,
        warnings: source.warnings(),
    };
    Ok(LoadedModel { predictor: Arc::new(boosted.predictor(method)?), description })
}

/// The method asked for, or the best one the estimator has.
fn choose_method(fitted: &Fitted, wanted: Option<Method>) -> Result<Method, Error> {
    let methods = fitted.methods();
    if wanted == Some(Method::PredictProba) && fitted.classes().len() > 1 {
        let (estimator, outputs) = (fitted.name.clone(), fitted.classes().len());
        return Err(Error::SeveralOutputs { estimator, outputs });
    }
    let chosen = match wanted {
        Some(method) => methods.contains(&method).then_some(method),
        None => Method::ALL.into_iter().find(|m| methods.contains(m)),
    };
    chosen.ok_or_else(|| Error::NoMethod {
        estimator: fitted.name.clone(),
        method: wanted.unwrap_or(Method::Predict),
        available: methods,
    })
}

fn warnings(fitted: &Fitted) -> Vec<String> {
    let outputs = fitted.classes().len();
    let warning = || {
        format!(
            "the model predicts {outputs} outputs, so it answers with `predict`: probabilities would be a table for each"
        )
    };
    (outputs > 1).then(warning).into_iter().collect()
}

fn build(path: &str, fitted: Fitted, method: Method) -> Result<LoadedModel, Error> {
    let description = ModelDescription {
        library: SCIKIT_LEARN,
        library_version: fitted.version.as_deref().map(shown),
        estimator: fitted.name.clone(),
        file: path.to_owned(),
        features: fitted.features.unwrap_or_default(),
        feature_names: fitted.feature_names.as_ref().map(|names| names.iter().map(ToString::to_string).collect()),
        classes: fitted.class_names(),
        method,
        warnings: warnings(&fitted),
    };
    let predictor = Arc::new(SklearnPredictor::new(fitted, method)?);
    Ok(LoadedModel { predictor, description })
}
