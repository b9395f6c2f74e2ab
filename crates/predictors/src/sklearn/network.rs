//! `MLPClassifier` and `MLPRegressor`: layers of weighted sums, each with a function behind it.

use provost_inference::{Features, MissingValues, OutputKind, OutputSchema, OutputShape, Precision, PredictError};

use crate::{Method, shown::shown};

use super::{
    Error,
    classes::Classes,
    estimator::Model,
    linear::{Finish, Linear},
    predictor::{Answer, Head},
    record::{Part, Record},
    transform::check_finite,
};

/// What a unit makes of its sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activation {
    Identity,
    Logistic,
    Tanh,
    Relu,
}

impl Activation {
    fn apply(self, values: &mut [f64]) {
        match self {
            Self::Identity => {}
            Self::Logistic => values.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp())),
            Self::Tanh => values.iter_mut().for_each(|value| *value = value.tanh()),
            Self::Relu => values.iter_mut().for_each(|value| *value = value.max(0.0)),
        }
    }
}

#[derive(Debug)]
pub(super) struct Network {
    layers: Vec<Linear>,
    hidden: Activation,
    /// None of a regressor.
    classes: Vec<Classes>,
    /// Of a Poisson loss the target is the output's exponential.
    is_exponential: bool,
}

impl Network {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let (weights, intercepts) = (record.get("coefs_")?, record.get("intercepts_")?);
        let mut layers: Vec<Linear> = Vec::new();
        for (weights_id, intercepts_id) in weights.list()?.iter().zip(intercepts.list()?) {
            let (values, shape) = weights.element(*weights_id).floats()?;
            let (shifts, _) = intercepts.element(*intercepts_id).floats()?;
            let &[inputs, outputs] = &*shape else { return Err(weights.problem("holds what is no matrix")) };
            let expected = layers.last().map_or(inputs, Linear::outputs);
            let transposed = (0..outputs).flat_map(|unit| values.iter().skip(unit).step_by(outputs).copied());
            let layer = (inputs == expected && outputs == shifts.len() && outputs > 0)
                .then(|| Linear::new(transposed.collect(), shifts))
                .flatten();
            layers.push(layer.ok_or_else(|| weights.problem("holds layers that do not fit, or are not finite"))?);
        }
        let outputs = layers.last().map(Linear::outputs).ok_or_else(|| weights.problem("is empty"))?;
        let classes =
            if record.estimator.name == "MLPClassifier" { vec![classes(record, outputs)?] } else { Vec::new() };
        let activation = record.get("activation")?;
        let hidden = match activation.text()? {
            "identity" => Activation::Identity,
            "logistic" => Activation::Logistic,
            "tanh" => Activation::Tanh,
            "relu" => Activation::Relu,
            other => return Err(activation.problem(format!("is `{}`, which is not known", shown(other)))),
        };
        let last = record.get("out_activation_")?;
        let is_exponential = match (last.text()?, classes.is_empty()) {
            ("identity", true) | ("logistic" | "softmax", false) => false,
            ("exp", true) => true,
            (other, _) => return Err(last.problem(format!("is `{}`, which is not known", shown(other)))),
        };
        Ok(Self { layers, hidden, classes, is_exponential })
    }

    fn finish(&self, method: Method, outputs: usize) -> Finish {
        match (method, self.classes.first().map(Classes::values).as_deref()) {
            (Method::Predict, Some([negative, positive])) if outputs == 1 => Finish::Sign([*negative, *positive]),
            (Method::Predict, Some(values)) => Finish::Highest(values.to_vec()),
            (Method::PredictProba, _) if outputs == 1 => Finish::LogisticPair,
            (Method::PredictProba, _) => Finish::Softmax,
            _ if self.is_exponential => Finish::Exponential,
            _ => Finish::Scores,
        }
    }
}

/// The labels, of which one output stands for two.
fn classes(record: &Record<'_>, outputs: usize) -> Result<Classes, Error> {
    let binarizer = Record::parse_part(record.get("_label_binarizer")?, Part::LabelBinarizer)?;
    let kind = binarizer.get("y_type_")?;
    if !matches!(kind.text()?, "binary" | "multiclass") {
        return Err(kind.problem("is of several labels for a row, which are not supported"));
    }
    let classes = Classes::parse(binarizer.get("classes_")?)?;
    if classes.len() == outputs && outputs > 1 || classes.len() == 2 && outputs == 1 {
        return Ok(classes);
    }
    Err(record.problem("coefs_", format!("ends in {outputs} units for {} classes", classes.len())))
}

impl Model for Network {
    fn features(&self) -> Option<usize> {
        self.layers.first().map(Linear::features)
    }

    fn methods(&self) -> Vec<Method> {
        if self.classes.is_empty() { vec![Method::Predict] } else { vec![Method::PredictProba, Method::Predict] }
    }

    fn classes(&self) -> &[Classes] {
        &self.classes
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let outputs = self.layers.last().map_or(0, Linear::outputs);
        let finish = self.finish(method, outputs);
        let (shape, kind) = match (method, self.classes.first()) {
            (Method::Predict, Some(classes)) => (OutputShape::Vector, classes.output_kind()),
            (_, Some(classes)) => (OutputShape::Matrix(classes.len()), OutputKind::Float),
            (_, None) if outputs == 1 => (OutputShape::Vector, OutputKind::Float),
            (_, None) => (OutputShape::Matrix(outputs), OutputKind::Float),
        };
        let output = OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        let head = NetworkHead { layers: self.layers, hidden: self.hidden, finish };
        Ok(Answer { head: Box::new(head), output, missing_values: MissingValues::Refused })
    }
}

#[derive(Debug)]
struct NetworkHead {
    layers: Vec<Linear>,
    hidden: Activation,
    finish: Finish,
}

impl Head for NetworkHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        let (mut from, mut into) = (Vec::new(), Vec::new());
        let Some((last, before)) = self.layers.split_last() else { return Ok(()) };
        for row in rows.iter_rows() {
            from.clear();
            from.extend_from_slice(row);
            for layer in before {
                into.clear();
                layer.score(&from, &mut into);
                self.hidden.apply(&mut into);
                std::mem::swap(&mut from, &mut into);
            }
            let start = output.len();
            last.score(&from, output);
            self.finish.apply(start, output);
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self) -> f64 {
        let layer = |layer: &Linear| 0.5 * layer.weight_count() as f64 + 8.0 * layer.outputs() as f64;
        20.0 + self.layers.iter().map(layer).sum::<f64>()
    }
}
