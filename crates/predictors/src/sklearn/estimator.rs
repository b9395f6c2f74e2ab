//! From records to fitted estimators, which a pipeline strings together.

use std::{fmt, sync::Arc};

use provost_inference::MissingValues;

use crate::{
    Limits, Method,
    estimators::Class,
    pickle::{NodeId, Pickle},
};

use super::{
    Error,
    boosted::Boosted,
    chain::{Chain, Steps},
    classes::Classes,
    composite::{self, Calibrated, CompositeModel},
    density::DensityModel,
    discriminant::LinearDiscriminant,
    dummy::Dummy,
    gradient_boosting::Boosting,
    isolation::IsolationForest,
    isotonic::Isotonic,
    linear_classifier::LinearClassifier,
    linear_novelty::LinearNovelty,
    linear_regressor::LinearRegressor,
    neighbours::{Centres, Neighbours},
    network::Network,
    pipeline,
    predictor::Answer,
    record::Record,
    scalers::Scaler,
    svm::Svm,
    target,
    transform::{self, Missing, Transform, width_after},
    transformers,
    tree_model::TreeModel,
};

/// Deepest nesting of estimators.
const MAX_DEPTH: usize = 16;

/// What predicts, before it is known with which method.
pub(super) trait Model: fmt::Debug {
    /// Number of features; `None` where any number will do.
    fn features(&self) -> Option<usize>;

    /// What it can answer with.
    fn methods(&self) -> Vec<Method>;

    /// The classes of each output; none where outputs are numbers.
    fn classes(&self) -> &[Classes];

    /// The model as it answers with `method`, one of its methods, for so many features.
    fn answer(self: Box<Self>, method: Method, features: usize) -> Result<Answer, Error>;

    /// The model as a step before another, if it can be one. It then has the method `transform`.
    fn into_transform(self: Box<Self>) -> Option<Box<dyn Transform>> {
        None
    }
}

/// A fitted estimator, or a pipeline of them: steps, then perhaps a model.
#[derive(Debug)]
pub(super) struct Fitted {
    /// Such as `Pipeline(StandardScaler, LogisticRegression)`.
    pub(super) name: String,
    pub(super) version: Option<String>,
    /// Number of features; `None` where any number will do.
    pub(super) features: Option<usize>,
    pub(super) feature_names: Option<Arc<[Box<str>]>>,
    pub(super) steps: Vec<Box<dyn Transform>>,
    pub(super) model: Option<Box<dyn Model>>,
}

impl Fitted {
    fn new(record: &Record<'_>, features: Option<usize>) -> Result<Self, Error> {
        if let (Some(declared), Some(features)) = (record.features_in()?, features)
            && declared != features
        {
            return Err(record.problem("n_features_in_", format!("is not {features}")));
        }
        let names = features.map(|features| record.feature_names(features)).transpose()?.flatten();
        Ok(Self {
            name: record.estimator.name.to_owned(),
            version: record.version_text().map(ToOwned::to_owned),
            features,
            feature_names: names.map(Into::into),
            steps: Vec::new(),
            model: None,
        })
    }

    /// An estimator that predicts.
    pub(super) fn model(record: &Record<'_>, model: impl Model + 'static) -> Result<Self, Error> {
        let fitted = Self::new(record, model.features())?;
        Ok(Self { model: Some(Box::new(model)), ..fitted })
    }

    /// An estimator that transforms.
    pub(super) fn transform(record: &Record<'_>, transform: impl Transform + 'static) -> Result<Self, Error> {
        let fitted = Self::new(record, transform.features())?;
        Ok(Self { steps: vec![Box::new(transform)], ..fitted })
    }

    /// What it can answer with.
    pub(super) fn methods(&self) -> Vec<Method> {
        self.model.as_ref().map_or_else(|| vec![Method::Transform], |model| model.methods())
    }

    /// The classes of each output.
    pub(super) fn classes(&self) -> &[Classes] {
        self.model.as_ref().map_or(&[], |model| model.classes())
    }

    /// Labels of the classes, as text.
    pub(super) fn class_names(&self) -> Vec<String> {
        self.classes().iter().flat_map(Classes::names).collect()
    }

    /// Number of features, which must be known of what is served.
    pub(super) fn known_features(&self) -> Result<usize, Error> {
        self.features.ok_or_else(|| Error::AnyFeatures { estimator: self.name.clone() })
    }

    /// What answers with `method`, one of its methods.
    pub(super) fn answer(self, method: Method) -> Result<Answer, Error> {
        let features = self.known_features()?;
        self.answer_for(method, features)
    }

    /// The same for so many features, which it must take.
    pub(super) fn answer_for(mut self, method: Method, features: usize) -> Result<Answer, Error> {
        let Some(model) = self.model.take() else {
            return Ok(transform::answer(Steps::joined(self.steps, Some(features)), features));
        };
        let answer = model.answer(method, width_after(&self.steps, features))?;
        let missing = Missing::of(&self.steps);
        let is_taken = missing.fills || missing.passes && answer.missing_values == MissingValues::Accepted;
        let missing_values = if is_taken { MissingValues::Accepted } else { MissingValues::Refused };
        Ok(Answer { head: Chain::with(self.steps, answer.head, features), missing_values, ..answer })
    }

    /// All of it as steps before another estimator.
    pub(super) fn into_steps(mut self) -> Option<Vec<Box<dyn Transform>>> {
        if let Some(model) = self.model.take() {
            self.steps.push(model.into_transform()?);
        }
        Some(self.steps)
    }
}

/// Reads the estimator at `id` and everything it consists of.
pub(super) fn extract(pickle: &Pickle<'_>, id: NodeId, limits: &Limits) -> Result<Fitted, Error> {
    let fitted = extract_nested(pickle, id, 0)?;
    match fitted.features {
        Some(features) if features > limits.features => {
            Err(Error::TooManyFeatures { features, limit: limits.features })
        }
        _ => Ok(fitted),
    }
}

pub(super) fn extract_nested(pickle: &Pickle<'_>, id: NodeId, depth: usize) -> Result<Fitted, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::TooDeep { limit: MAX_DEPTH });
    }
    let record = Record::parse(pickle, id)?;
    match record.estimator.class {
        Class::Pipeline => pipeline::extract(&record, depth),
        Class::StandardScaler | Class::MinMaxScaler | Class::MaxAbsScaler | Class::RobustScaler | Class::Binarizer => {
            Fitted::transform(&record, Scaler::parse(&record)?)
        }
        Class::LinearClassifier(kind) => Fitted::model(&record, LinearClassifier::parse(&record, kind)?),
        Class::LinearRegressor(link) => Fitted::model(&record, LinearRegressor::parse(&record, link)?),
        Class::LinearNovelty => Fitted::model(&record, LinearNovelty::parse(&record)?),
        Class::Svm(task) => Fitted::model(&record, Svm::parse(&record, task)?),
        Class::Density(family) => Fitted::model(&record, DensityModel::parse(&record, family)?),
        Class::LinearDiscriminant => Fitted::model(&record, LinearDiscriminant::parse(&record)?),
        Class::Neighbours(search) => Fitted::model(&record, Neighbours::parse(&record, search)?),
        Class::Clusters => Fitted::model(&record, Centres::clusters(&record)?),
        Class::Centroids => Fitted::model(&record, Centres::centroids(&record)?),
        Class::Composite(kind) => Fitted::model(&record, CompositeModel::parse(&record, kind, depth)?),
        Class::Stacking => composite::extract_stacking(&record, depth),
        Class::Calibrated => Fitted::model(&record, Calibrated::parse(&record, depth)?),
        Class::Isotonic => Fitted::model(&record, Isotonic::parse(&record)?),
        Class::Network => Fitted::model(&record, Network::parse(&record)?),
        Class::Dummy => Fitted::model(&record, Dummy::parse(&record)?),
        Class::Boosting => Fitted::model(&record, Boosting::parse(&record)?),
        Class::Isolation => Fitted::model(&record, IsolationForest::parse(&record)?),
        Class::TransformedTarget => target::extract(&record, depth),
        Class::Unwrapped(attribute) => unwrap(&record, attribute, depth),
        Class::Transformer(kind) => transformers::extract(&record, kind, depth),
        Class::TreeClassifier(_) | Class::TreeRegressor(_) | Class::ForestClassifier(_) | Class::ForestRegressor(_) => {
            Fitted::model(&record, TreeModel::parse(&record)?)
        }
        Class::Boosted(role) => Boosted::fitted(&record, role),
        Class::Part(_) | Class::Booster => Err(record.unsupported()),
    }
}

/// An estimator that hands everything to one that it has fitted.
fn unwrap(record: &Record<'_>, attribute: &'static str, depth: usize) -> Result<Fitted, Error> {
    let inner = extract_nested(record.pickle, record.get(attribute)?.id, depth + 1)?;
    let outer = Fitted::new(record, inner.features)?;
    let name = format!("{}({})", record.estimator.name, inner.name);
    Ok(Fitted { name, version: outer.version, feature_names: outer.feature_names.or(inner.feature_names), ..inner })
}

/// A step that does nothing.
pub(super) fn passthrough() -> Fitted {
    Fitted {
        name: "passthrough".to_owned(),
        version: None,
        features: None,
        feature_names: None,
        steps: Vec::new(),
        model: None,
    }
}
