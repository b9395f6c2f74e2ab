//! Models that look for what is near: neighbours, centroids and centres of clusters. All rows are compared with all
//! points, in whichever order scikit-learn keeps them for faster search.

mod centres;
mod distance;
mod head;

use provost_inference::{MissingValues, OutputKind, OutputSchema, OutputShape, Precision};

use crate::{Method, shown::shown};

pub(super) use self::centres::Centres;
use self::{
    distance::Metric,
    head::{NeighbourHead, Reach, Vote, Weights},
};
use super::{Error, classes::Classes, estimator::Model, predictor::Answer, record::Record, version::Version};

/// Which model it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Search {
    /// So many of the nearest.
    Nearest,
    /// All within a radius.
    Radius,
}

#[derive(Debug)]
pub(super) struct Neighbours {
    points: Vec<f64>,
    features: usize,
    metric: Metric,
    reach: Reach,
    weights: Weights,
    target: Target,
    /// Not of classes within a radius before 0.22.
    has_probabilities: bool,
}

#[derive(Debug)]
enum Target {
    /// The number of each point's class.
    Classes(Classes, Vec<u32>),
    /// So many numbers for each point.
    Numbers { values: Vec<f64>, outputs: usize, is_vector: bool },
}

impl Neighbours {
    pub(super) fn parse(record: &Record<'_>, search: Search) -> Result<Self, Error> {
        let attribute = record.get("_fit_X")?;
        let (points, shape) = attribute.floats()?;
        let &[count, features] = &*shape else { return Err(attribute.problem(format!("has the shape {shape:?}"))) };
        if points.is_empty() || points.iter().any(|value| !value.is_finite()) {
            return Err(attribute.problem("is empty, or holds a number that is not finite"));
        }
        let reach = match search {
            Search::Nearest => {
                let neighbours = record.get("n_neighbors")?;
                let wanted = neighbours.count()?;
                if wanted == 0 || wanted > count {
                    return Err(neighbours.problem(format!("is {wanted}, of {count} points")));
                }
                Reach::Nearest(wanted)
            }
            Search::Radius => Reach::Radius(record.number("radius")?),
        };
        let weights = record.some("weights").map_or(Ok(Some("uniform")), |weights| Ok(weights.text_if_any()))?;
        let weights = match weights {
            Some("uniform") => Weights::Uniform,
            Some("distance") => Weights::Distance,
            Some(other) => return Err(record.problem("weights", format!("is `{}`, which is not known", shown(other)))),
            None => return Err(record.calls_a_function()),
        };
        if record.some("outlier_label").is_some() {
            return Err(record.problem("outlier_label", "is set, which is not supported"));
        }
        let target = Target::parse(record, count)?;
        let has_probabilities =
            search == Search::Nearest || record.version().is_none_or(|version| version >= Version(0, 22));
        Ok(Self { points, features, metric: Metric::parse(record)?, reach, weights, target, has_probabilities })
    }
}

impl Target {
    fn parse(record: &Record<'_>, count: usize) -> Result<Self, Error> {
        let attribute = record.get("_y")?;
        let (values, shape) = attribute.floats()?;
        if shape.first() != Some(&count) || shape.len() > 2 {
            return Err(attribute.problem(format!("has the shape {shape:?} for {count} points")));
        }
        let outputs = shape.get(1).copied().unwrap_or(1);
        if !record.estimator.name.ends_with("Classifier") {
            return Ok(Self::Numbers { values, outputs, is_vector: shape.len() == 1 });
        }
        if outputs != 1 {
            return Err(attribute.problem(format!("is of {outputs} outputs; one is supported")));
        }
        let classes = Classes::parse(record.get("classes_")?)?;
        let number = |value: i64| u32::try_from(value).ok().filter(|number| (*number as usize) < classes.len());
        let numbers = attribute.integers()?.into_iter().map(number).collect::<Option<Vec<_>>>();
        let numbers = numbers.ok_or_else(|| attribute.problem("holds a class that is not in `classes_`"))?;
        Ok(Self::Classes(classes, numbers))
    }
}

impl Model for Neighbours {
    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn methods(&self) -> Vec<Method> {
        match self.target {
            Target::Classes(..) if self.has_probabilities => vec![Method::PredictProba, Method::Predict],
            _ => vec![Method::Predict],
        }
    }

    fn classes(&self) -> &[Classes] {
        match &self.target {
            Target::Classes(classes, _) => std::slice::from_ref(classes),
            Target::Numbers { .. } => &[],
        }
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let (vote, shape, kind) = match self.target {
            Target::Classes(classes, numbers) if method == Method::PredictProba => {
                let width = classes.len();
                (Vote::Shares(numbers, width), OutputShape::Matrix(width), OutputKind::Float)
            }
            Target::Classes(classes, numbers) => {
                (Vote::Class(numbers, classes.values()), OutputShape::Vector, classes.output_kind())
            }
            Target::Numbers { values, outputs, is_vector } => {
                let shape = if is_vector { OutputShape::Vector } else { OutputShape::Matrix(outputs) };
                (Vote::Mean(values, outputs), shape, OutputKind::Float)
            }
        };
        let output = OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        let Self { points, features, metric, reach, weights, .. } = *self;
        let head = NeighbourHead { points, features, metric, reach, weights, vote };
        Ok(Answer { head: Box::new(head), output, missing_values: MissingValues::Refused })
    }
}
