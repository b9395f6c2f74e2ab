//! `KMeans`, `MiniBatchKMeans` and `NearestCentroid`: which of a few centres is nearest.

use provost_inference::{Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, PredictError};

use crate::{Method, shown::shown};

use super::{
    super::{
        Error,
        classes::Classes,
        estimator::Model,
        predictor::{Answer, Head},
        record::Record,
        transform::{self, Missing, Transform, check_finite},
    },
    distance::Metric,
};

#[derive(Debug)]
pub(in super::super) struct Centres {
    name: &'static str,
    points: Vec<f64>,
    features: usize,
    metric: Metric,
    /// None of clusters, which are numbered.
    classes: Vec<Classes>,
}

impl Centres {
    /// Centres of clusters.
    pub(in super::super) fn clusters(record: &Record<'_>) -> Result<Self, Error> {
        Self::parse(record, "cluster_centers_", Metric::Euclidean, Vec::new())
    }

    /// Centres of classes. Those of classes of different weight are not supported.
    pub(in super::super) fn centroids(record: &Record<'_>) -> Result<Self, Error> {
        let attribute = record.get("metric")?;
        let metric = match attribute.text()? {
            "euclidean" => Metric::Euclidean,
            "manhattan" => Metric::Manhattan,
            other => return Err(attribute.problem(format!("is `{}`, which is not supported", shown(other)))),
        };
        if let Some(priors) = record.some("priors")
            && priors.text_if_any() != Some("uniform")
        {
            return Err(priors.problem("is not `uniform`, which is the only one that is supported"));
        }
        let classes = Classes::parse(record.get("classes_")?)?;
        Self::parse(record, "centroids_", metric, vec![classes])
    }

    fn parse(record: &Record<'_>, name: &'static str, metric: Metric, classes: Vec<Classes>) -> Result<Self, Error> {
        let attribute = record.get(name)?;
        let (points, shape) = attribute.floats()?;
        let &[count, features] = &*shape else { return Err(attribute.problem(format!("has the shape {shape:?}"))) };
        if points.is_empty() || points.iter().any(|value| !value.is_finite()) {
            return Err(attribute.problem("is empty, or holds a number that is not finite"));
        }
        if classes.iter().any(|classes| classes.len() != count) {
            return Err(attribute.problem(format!("has {count} rows, not one for each class")));
        }
        Ok(Self { name: record.estimator.name, points, features, metric, classes })
    }

    fn count(&self) -> usize {
        self.points.len() / self.features
    }

    fn ranks(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        self.points.chunks_exact(self.features).map(|point| self.metric.rank(row, point))
    }
}

impl Model for Centres {
    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn methods(&self) -> Vec<Method> {
        if self.classes.is_empty() { vec![Method::Predict, Method::Transform] } else { vec![Method::Predict] }
    }

    fn classes(&self) -> &[Classes] {
        &self.classes
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn answer(self: Box<Self>, method: Method, features: usize) -> Result<Answer, Error> {
        if method == Method::Transform {
            return Ok(transform::answer(self, features));
        }
        let (values, kind) = match self.classes.first() {
            Some(classes) => (classes.values(), classes.output_kind()),
            None => ((0..self.count()).map(|index| index as f64).collect(), OutputKind::Integer),
        };
        let output =
            OutputSchema { shape: OutputShape::Vector, kind, name: method.name(), precision: Precision::Double };
        let head = CentreHead { centres: *self, values };
        Ok(Answer { head: Box::new(head), output, missing_values: MissingValues::Refused })
    }

    fn into_transform(self: Box<Self>) -> Option<Box<dyn Transform>> {
        self.classes.is_empty().then_some(self as Box<dyn Transform>)
    }
}

/// As a transformer: the distance from each centre.
impl Transform for Centres {
    fn name(&self) -> &'static str {
        self.name
    }

    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn width(&self, _columns: usize) -> usize {
        self.count()
    }

    fn missing(&self) -> Missing {
        Missing::REFUSED
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        for row in rows.iter_rows() {
            output.extend(self.ranks(row).map(|rank| self.metric.distance(rank)));
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        self.count() as f64 * (self.metric.cost_nanoseconds(columns) + 5.0)
    }
}

#[derive(Debug)]
struct CentreHead {
    centres: Centres,
    /// What stands for each centre.
    values: Vec<f64>,
}

impl Head for CentreHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        for row in rows.iter_rows() {
            let nearest = |best: (f64, f64), next: (f64, f64)| if next.0 < best.0 { next } else { best };
            let ranked = self.centres.ranks(row).zip(self.values.iter().copied());
            output.push(ranked.fold((f64::INFINITY, self.values[0]), nearest).1);
        }
        Ok(())
    }

    fn cost_nanoseconds(&self) -> f64 {
        20.0 + self.centres.cost_nanoseconds(self.centres.features)
    }
}
