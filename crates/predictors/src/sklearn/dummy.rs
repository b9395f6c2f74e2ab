//! `DummyClassifier` and `DummyRegressor`: the same answer for every row.

use provost_inference::{Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, PredictError};

use crate::{Method, argmax::argmax, shown::shown};

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    predictor::{Answer, Head},
    record::Record,
};

#[derive(Debug)]
pub(super) struct Dummy {
    features: Option<usize>,
    classes: Vec<Classes>,
    /// Shares of the classes, or the number.
    values: Vec<f64>,
}

impl Dummy {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let features = record.features_in()?;
        if record.estimator.name == "DummyRegressor" {
            let attribute = record.get("constant_")?;
            let (values, _) = attribute.floats()?;
            return match values.len() {
                1 => Ok(Self { features, classes: Vec::new(), values }),
                len => Err(attribute.problem(format!("has {len} numbers; one output is supported"))),
            };
        }
        let classes = Classes::parse(record.get("classes_")?)?;
        let (mut values, _) = record.get("class_prior_")?.floats()?;
        if values.len() != classes.len() {
            return Err(record.problem("class_prior_", "is not of as many numbers as there are classes"));
        }
        let strategy = record.get("strategy")?;
        match strategy.text()? {
            "prior" => {}
            "most_frequent" => {
                let best = argmax(&values);
                values.fill(0.0);
                values[best] = 1.0;
            }
            other => {
                let problem = format!("is `{}`; supported are `prior` and `most_frequent`", shown(other));
                return Err(strategy.problem(problem));
            }
        }
        Ok(Self { features, classes: vec![classes], values })
    }
}

impl Model for Dummy {
    fn features(&self) -> Option<usize> {
        self.features
    }

    fn methods(&self) -> Vec<Method> {
        if self.classes.is_empty() { vec![Method::Predict] } else { vec![Method::PredictProba, Method::Predict] }
    }

    fn classes(&self) -> &[Classes] {
        &self.classes
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let (shape, kind, values) = match (method, self.classes.first()) {
            (Method::Predict, Some(classes)) => {
                (OutputShape::Vector, classes.output_kind(), vec![classes.values()[argmax(&self.values)]])
            }
            (_, Some(classes)) => (OutputShape::Matrix(classes.len()), OutputKind::Float, self.values),
            (_, None) => (OutputShape::Vector, OutputKind::Float, self.values),
        };
        let output = OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        // Features are not looked at.
        Ok(Answer { head: Box::new(Constant(values)), output, missing_values: MissingValues::Accepted })
    }
}

#[derive(Debug)]
struct Constant(Vec<f64>);

impl Head for Constant {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        (0..rows.rows()).for_each(|_| output.extend_from_slice(&self.0));
        Ok(())
    }

    fn cost_nanoseconds(&self) -> f64 {
        2.0
    }
}
