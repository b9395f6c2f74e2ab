//! `IsotonicRegression`: a function that never falls, or never rises, as a line between points.

use provost_inference::{Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, PredictError};

use crate::{Method, shown::shown};

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    predictor::{Answer, Head},
    record::Record,
    transform::check_finite,
};

#[derive(Debug)]
pub(super) struct Isotonic {
    points: Vec<(f64, f64)>,
}

impl Isotonic {
    /// The points have had their present names since 0.24; before they were those of all rows.
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let column = |names: [&'static str; 3]| -> Result<Vec<f64>, Error> {
            let found = names.into_iter().find_map(|name| record.some(name));
            Ok(found.ok_or_else(|| record.problem(names[0], "is missing: was the estimator fitted?"))?.floats()?.0)
        };
        let x = column(["X_thresholds_", "_necessary_X_", "X_"])?;
        let y = column(["y_thresholds_", "_necessary_y_", "y_"])?;
        let bounds = record.get("out_of_bounds")?;
        if bounds.text()? != "clip" {
            return Err(bounds.problem(format!("is `{}`; supported is `clip`", shown(bounds.text()?))));
        }
        let is_finite = x.iter().chain(&y).all(|value| value.is_finite());
        if x.is_empty() || x.len() != y.len() || !x.is_sorted() || !is_finite {
            return Err(record.problem("X_thresholds_", "is empty, out of order or does not fit `y_thresholds_`"));
        }
        Ok(Self { points: x.into_iter().zip(y).collect() })
    }

    /// The value at `x`, or at the nearest end.
    pub(super) fn at(&self, x: f64) -> f64 {
        let above = self.points.partition_point(|(place, _)| *place < x);
        let (first, last) = (self.points[0], self.points[self.points.len() - 1]);
        match above {
            0 => first.1,
            above if above == self.points.len() => last.1,
            above => {
                let ((x0, y0), (x1, y1)) = (self.points[above - 1], self.points[above]);
                (y1 - y0) / (x1 - x0) * (x - x0) + y0
            }
        }
    }
}

impl Model for Isotonic {
    fn features(&self) -> Option<usize> {
        Some(1)
    }

    fn methods(&self) -> Vec<Method> {
        vec![Method::Predict]
    }

    fn classes(&self) -> &[Classes] {
        &[]
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let (shape, kind) = (OutputShape::Vector, OutputKind::Float);
        let output = OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        Ok(Answer { head: self, output, missing_values: MissingValues::Refused })
    }
}

impl Head for Isotonic {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        output.extend(rows.values().iter().map(|value| self.at(*value)));
        Ok(())
    }

    fn cost_nanoseconds(&self) -> f64 {
        20.0
    }
}
