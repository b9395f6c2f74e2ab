//! From records to fitted estimators, which a pipeline strings together.

use std::sync::Arc;

use provost_inference::{MissingValues, OutputSchema};

use crate::{
    Limits, Method,
    estimators::Class,
    pickle::{NodeId, Pickle},
};

use super::{
    Error, linear::LinearHead, linear_regression::LinearRegression, logistic_regression::LogisticRegression, pipeline,
    predictor::Head, record::Record, scaler::Scaler, tree_model::TreeModel,
};

/// Deepest nesting of pipelines.
const MAX_DEPTH: usize = 16;

/// A fitted estimator, or a pipeline of them: scalers, then perhaps a model.
#[derive(Debug)]
pub(super) struct Fitted {
    /// Such as `Pipeline(StandardScaler, LogisticRegression)`.
    pub(super) name: String,
    pub(super) version: Option<String>,
    /// Number of features; `None` where any number will do.
    pub(super) features: Option<usize>,
    pub(super) feature_names: Option<Arc<[Box<str>]>>,
    pub(super) scalers: Vec<Scaler>,
    pub(super) model: Option<Model>,
}

impl Fitted {
    fn new(record: &Record<'_>, features: Option<usize>) -> Result<Self, Error> {
        let names = features.map(|features| record.feature_names(features)).transpose()?.flatten();
        Ok(Self {
            name: record.estimator.name.to_owned(),
            version: record.version_text().map(ToOwned::to_owned),
            features,
            feature_names: names.map(Into::into),
            scalers: Vec::new(),
            model: None,
        })
    }

    /// The methods it has for predicting; none if it only transforms.
    pub(super) fn methods(&self) -> Vec<Method> {
        self.model.as_ref().map(Model::methods).unwrap_or_default()
    }

    /// Number of outputs that are classes.
    pub(super) fn classified_outputs(&self) -> usize {
        match &self.model {
            Some(Model::Trees(model)) => model.classified_outputs(),
            Some(Model::LogisticRegression(_)) => 1,
            _ => 0,
        }
    }

    /// Labels of the classes, as text.
    pub(super) fn class_names(&self) -> Vec<String> {
        self.model.as_ref().map(Model::class_names).unwrap_or_default()
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
        Class::StandardScaler => extract_scaler(&record),
        Class::Boosted(_) => Err(record.unsupported()),
        _ => extract_model(&record),
    }
}

/// A step that does nothing.
pub(super) fn passthrough() -> Fitted {
    Fitted {
        name: "passthrough".to_owned(),
        version: None,
        features: None,
        feature_names: None,
        scalers: Vec::new(),
        model: None,
    }
}

fn extract_scaler(record: &Record<'_>) -> Result<Fitted, Error> {
    let scaler = Scaler::parse(record)?;
    let fitted = Fitted::new(record, scaler.features)?;
    Ok(Fitted { scalers: vec![scaler], ..fitted })
}

fn extract_model(record: &Record<'_>) -> Result<Fitted, Error> {
    let model = match record.estimator.class {
        Class::LogisticRegression => Model::LogisticRegression(LogisticRegression::parse(record)?),
        Class::LinearRegression => Model::LinearRegression(LinearRegression::parse(record)?),
        _ => Model::Trees(TreeModel::parse(record)?),
    };
    let features = model.features();
    if record.features_in()?.is_some_and(|declared| declared != features) {
        return Err(record.problem("n_features_in_", format!("is not {features}")));
    }
    let fitted = Fitted::new(record, Some(features))?;
    Ok(Fitted { model: Some(model), ..fitted })
}

/// An estimator that predicts.
#[derive(Debug)]
pub(super) enum Model {
    LogisticRegression(LogisticRegression),
    LinearRegression(LinearRegression),
    Trees(TreeModel),
}

/// What a model becomes for one of its methods.
pub(super) struct Answer {
    pub(super) head: Box<dyn Head>,
    pub(super) output: OutputSchema,
    pub(super) missing_values: MissingValues,
}

impl Model {
    fn features(&self) -> usize {
        match self {
            Self::LogisticRegression(model) => model.linear.features(),
            Self::LinearRegression(model) => model.linear.features(),
            Self::Trees(model) => model.features,
        }
    }

    fn methods(&self) -> Vec<Method> {
        match self {
            Self::LogisticRegression(_) => {
                vec![Method::PredictProba, Method::Predict, Method::DecisionFunction]
            }
            Self::LinearRegression(_) => vec![Method::Predict],
            Self::Trees(model) => model.methods(),
        }
    }

    fn class_names(&self) -> Vec<String> {
        match self {
            Self::LogisticRegression(model) => model.classes.names(),
            Self::LinearRegression(_) => Vec::new(),
            Self::Trees(model) => model.class_names(),
        }
    }

    /// The model as it answers with `method`, one of its methods.
    pub(super) fn answer(self, method: Method) -> Answer {
        match self {
            Self::LogisticRegression(model) => linear(model.head(method)),
            Self::LinearRegression(model) => linear(model.head()),
            Self::Trees(model) => {
                let missing_values = model.missing_values();
                let (head, output) = model.head(method);
                Answer { head: Box::new(head), output, missing_values }
            }
        }
    }
}

fn linear((head, output): (LinearHead, OutputSchema)) -> Answer {
    Answer { head: Box::new(head), output, missing_values: MissingValues::Refused }
}
