//! `LinearDiscriminantAnalysis`: a linear classifier, and a transformer towards the axes that tell classes apart.

use crate::Method;

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    linear_classifier::{Kind, LinearClassifier},
    predictor::Answer,
    record::Record,
    transform::{self, Transform},
    transformers::Projection,
};

#[derive(Debug)]
pub(super) struct LinearDiscriminant {
    classifier: LinearClassifier,
    /// The solver `lsqr` finds none.
    projection: Option<Projection>,
}

impl LinearDiscriminant {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let classifier = LinearClassifier::parse(record, Kind::Discriminant)?;
        let projection = match record.get("solver")?.text()? {
            "lsqr" => None,
            solver => Some(Projection::discriminant(record, solver == "svd")?),
        };
        let features = projection.as_ref().and_then(Transform::features);
        if features.is_some() && features != classifier.features() {
            return Err(record.problem("scalings_", "is of another number of features than `coef_`"));
        }
        Ok(Self { classifier, projection })
    }
}

impl Model for LinearDiscriminant {
    fn features(&self) -> Option<usize> {
        self.classifier.features()
    }

    fn methods(&self) -> Vec<Method> {
        let mut methods = self.classifier.methods();
        methods.extend(self.projection.as_ref().map(|_| Method::Transform));
        methods
    }

    fn classes(&self) -> &[Classes] {
        self.classifier.classes()
    }

    fn answer(self: Box<Self>, method: Method, features: usize) -> Result<Answer, Error> {
        match (method, self.projection) {
            (Method::Transform, Some(projection)) => Ok(transform::answer(Box::new(projection), features)),
            _ => Box::new(self.classifier).answer(method, features),
        }
    }

    fn into_transform(self: Box<Self>) -> Option<Box<dyn Transform>> {
        self.projection.map(|projection| Box::new(projection) as Box<dyn Transform>)
    }
}
