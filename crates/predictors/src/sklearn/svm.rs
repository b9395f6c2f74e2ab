//! Support vector machines with kernels: `SVC`, `NuSVC`, `SVR`, `NuSVR` and `OneClassSVM`.
//!
//! Chang and Lin, LIBSVM: a library for support vector machines (2011).

mod exponential;
mod head;
mod kernel;
mod probability;

use provost_inference::{MissingValues, OutputKind, OutputSchema, OutputShape, Precision};

use crate::{Method, shown::shown};

use self::{
    head::{Decision, Machines, Ovr, SvmHead},
    kernel::Kernel,
    probability::Platt,
};
use super::{Error, classes::Classes, estimator::Model, predictor::Answer, record::Record};

/// What the machine is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Classification,
    Regression,
    Novelty,
}

/// A fitted support vector machine.
#[derive(Debug)]
pub(super) struct Svm {
    machines: Machines,
    features: usize,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Classes {
        classes: Classes,
        platt: Option<Platt>,
        shape: ScoreShape,
    },
    Number,
    /// With an offset between scores and decisions.
    Novelty {
        offset: f64,
    },
}

/// What `decision_function` gives for more than two classes, and whether `predict` goes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ScoreShape {
    one_versus_rest: bool,
    breaks_ties: bool,
}

impl Svm {
    pub(super) fn parse(record: &Record<'_>, task: Task) -> Result<Self, Error> {
        if record.is_true("_sparse")? {
            return Err(record.problem("_sparse", "is true: a model fitted on a sparse matrix is not supported"));
        }
        let attribute = record.get("support_vectors_")?;
        let (vectors, shape) = attribute.floats()?;
        let &[count, features] = &*shape else { return Err(attribute.problem(format!("has the shape {shape:?}"))) };
        if vectors.is_empty() || vectors.iter().any(|value| !value.is_finite()) {
            return Err(attribute.problem("is empty, or holds a number that is not finite"));
        }
        let classes = match task {
            Task::Classification => Some(Classes::parse(record.get("classes_")?)?),
            Task::Regression | Task::Novelty => None,
        };
        let class_count = classes.as_ref().map_or(2, Classes::len);
        if class_count < 2 {
            return Err(record.problem("classes_", "has fewer than two classes"));
        }
        let supports = if classes.is_some() { supports(record, count, class_count)? } else { vec![0, count, count] };
        let (coefficients, intercepts) = coefficients(record, count, class_count)?;
        let machines =
            Machines { vectors, features, kernel: Kernel::parse(record)?, coefficients, starts: supports, intercepts };
        let target = match classes {
            Some(classes) => classified(record, classes)?,
            None if task == Task::Regression => Target::Number,
            None => Target::Novelty { offset: -machines.intercepts[0] },
        };
        Ok(Self { machines, features, target })
    }
}

fn classified(record: &Record<'_>, classes: Classes) -> Result<Target, Error> {
    let shape = record.get("decision_function_shape")?;
    let shape = match shape.text()? {
        "ovr" => true,
        "ovo" => false,
        other => return Err(shape.problem(format!("is `{}`, which is not known", shown(other)))),
    };
    let shape = ScoreShape { one_versus_rest: shape, breaks_ties: record.is_true("break_ties")? };
    let platt = Platt::parse(record, pairs(classes.len()))?;
    Ok(Target::Classes { classes, platt, shape })
}

/// Number of pairs of classes.
fn pairs(classes: usize) -> usize {
    classes.saturating_mul(classes - 1) / 2
}

/// Where the support vectors of each class begin, and where the last end. Renamed in 0.22.
fn supports(record: &Record<'_>, vectors: usize, classes: usize) -> Result<Vec<usize>, Error> {
    let attribute = match record.some("_n_support") {
        Some(attribute) => attribute,
        None => record.get("n_support_")?,
    };
    let mut starts = vec![0usize];
    for count in attribute.integers()? {
        let start = usize::try_from(count).ok().and_then(|count| starts[starts.len() - 1].checked_add(count));
        starts.push(start.ok_or_else(|| attribute.problem("has a count that is none"))?);
    }
    if starts.len() != classes + 1 || starts[classes] != vectors {
        return Err(attribute.problem(format!("does not share {vectors} support vectors among {classes} classes")));
    }
    Ok(starts)
}

/// `_dual_coef_` and `_intercept_`, as LIBSVM has them: for two classes the public ones have another sign.
fn coefficients(record: &Record<'_>, vectors: usize, classes: usize) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let attribute = record.get("_dual_coef_")?;
    let (coefficients, shape) = attribute.floats()?;
    if *shape != [classes - 1, vectors] || coefficients.iter().any(|value| !value.is_finite()) {
        return Err(attribute.problem(format!("has the shape {shape:?}, or a number that is not finite")));
    }
    let attribute = record.get("_intercept_")?;
    let (intercepts, shape) = attribute.floats()?;
    if intercepts.len() != pairs(classes) || intercepts.iter().any(|value| !value.is_finite()) {
        return Err(attribute.problem(format!("has the shape {shape:?}, or a number that is not finite")));
    }
    Ok((coefficients, intercepts))
}

impl Model for Svm {
    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn methods(&self) -> Vec<Method> {
        match &self.target {
            Target::Classes { platt: Some(_), .. } => {
                vec![Method::PredictProba, Method::Predict, Method::DecisionFunction]
            }
            Target::Classes { .. } => vec![Method::Predict, Method::DecisionFunction],
            Target::Number => vec![Method::Predict],
            Target::Novelty { .. } => vec![Method::Predict, Method::DecisionFunction, Method::ScoreSamples],
        }
    }

    fn classes(&self) -> &[Classes] {
        match &self.target {
            Target::Classes { classes, .. } => std::slice::from_ref(classes),
            Target::Number | Target::Novelty { .. } => &[],
        }
    }

    fn answer(self: Box<Self>, method: Method, _features: usize) -> Result<Answer, Error> {
        let (decision, shape, kind) = self.target.decision(method);
        let output = OutputSchema { shape, kind, name: method.name(), precision: Precision::Double };
        let head = SvmHead { machines: self.machines, decision };
        Ok(Answer { head: Box::new(head), output, missing_values: MissingValues::Refused })
    }
}

impl Target {
    fn decision(self, method: Method) -> (Decision, OutputShape, OutputKind) {
        let vector = |decision, kind| (decision, OutputShape::Vector, kind);
        match (self, method) {
            (Self::Classes { classes, platt: Some(platt), .. }, Method::PredictProba) => {
                (Decision::Probabilities(platt), OutputShape::Matrix(classes.len()), OutputKind::Float)
            }
            (Self::Classes { classes, shape, .. }, Method::Predict) => {
                let (kind, values) = (classes.output_kind(), classes.values());
                let by_score = shape.breaks_ties && shape.one_versus_rest && classes.len() > 2;
                let decision =
                    if by_score { Decision::Highest(Ovr::new(classes.len()), values) } else { Decision::Votes(values) };
                vector(decision, kind)
            }
            (Self::Classes { classes, .. }, _) if classes.len() == 2 => vector(Decision::Negated, OutputKind::Float),
            (Self::Classes { classes, shape, .. }, _) if shape.one_versus_rest => {
                let width = classes.len();
                (Decision::Scores(Ovr::new(width)), OutputShape::Matrix(width), OutputKind::Float)
            }
            (Self::Classes { classes, .. }, _) => {
                (Decision::Plain, OutputShape::Matrix(pairs(classes.len())), OutputKind::Float)
            }
            (Self::Novelty { .. }, Method::Predict) => vector(Decision::Sign, OutputKind::Integer),
            (Self::Novelty { offset }, Method::ScoreSamples) => vector(Decision::Plus(offset), OutputKind::Float),
            (Self::Novelty { .. } | Self::Number, _) => vector(Decision::Plain, OutputKind::Float),
        }
    }
}
