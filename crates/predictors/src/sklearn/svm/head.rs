//! Predicts with support vectors: a decision for each pair of classes, and what becomes of the decisions.

use provost_inference::{Features, PredictError};

use crate::argmax::argmax;

use super::{
    super::{predictor::Head, transform::check_finite},
    kernel::Kernel,
    probability::{Coupling, Platt},
};

/// The machines of all pairs of classes, over the same support vectors.
#[derive(Debug)]
pub(super) struct Machines {
    /// Vector after vector.
    pub(super) vectors: Vec<f64>,
    pub(super) features: usize,
    pub(super) kernel: Kernel,
    /// A row for each other class, of a number for each vector.
    pub(super) coefficients: Vec<f64>,
    /// Where the vectors of each class begin, and the last end.
    pub(super) starts: Vec<usize>,
    pub(super) intercepts: Vec<f64>,
}

/// What becomes of the decisions.
#[derive(Debug)]
pub(super) enum Decision {
    /// Nothing.
    Plain,
    /// The only one has its sign changed.
    Negated,
    /// The only one is increased.
    Plus(f64),
    /// 1 if the only one is above 0, else -1.
    Sign,
    /// Each decides between its classes; the class with the most votes is taken, the first of equals.
    Votes(Vec<f64>),
    /// A score for each class.
    Scores(Ovr),
    /// The class with the highest score.
    Highest(Ovr, Vec<f64>),
    Probabilities(Platt),
}

/// Makes a score for each class of a decision for each pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ovr {
    classes: usize,
}

impl Ovr {
    pub(super) fn new(classes: usize) -> Self {
        Self { classes }
    }

    /// Appends votes, and within a third of a vote the sum of the decisions.
    fn push(self, decisions: &[f64], output: &mut Vec<f64>) {
        let start = output.len();
        output.resize(start + self.classes, 0.0);
        let scores = &mut output[start..];
        for_each_pair(self.classes, decisions, |i, j, decision| {
            scores[i] += decision;
            scores[j] -= decision;
        });
        scores.iter_mut().for_each(|sum| *sum /= 3.0 * (sum.abs() + 1.0));
        for_each_pair(self.classes, decisions, |i, j, decision| scores[if decision < 0.0 { j } else { i }] += 1.0);
    }
}

fn for_each_pair(classes: usize, decisions: &[f64], mut visit: impl FnMut(usize, usize, f64)) {
    let pairs = (0..classes).flat_map(|i| (i + 1..classes).map(move |j| (i, j)));
    pairs.zip(decisions).for_each(|((i, j), decision)| visit(i, j, *decision));
}

/// Support vectors and what becomes of their decisions.
#[derive(Debug)]
pub(super) struct SvmHead {
    pub(super) machines: Machines,
    pub(super) decision: Decision,
}

/// Memory for one row after the other.
#[derive(Debug, Default)]
struct Memory {
    kernels: Vec<f64>,
    decisions: Vec<f64>,
    scores: Vec<f64>,
    coupling: Coupling,
}

impl Head for SvmHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        let mut memory = Memory::default();
        memory.kernels.resize(self.machines.count(), 0.0);
        for row in rows.iter_rows() {
            self.machines.kernel.evaluate(row, &self.machines.vectors, &mut memory.kernels);
            memory.decisions.clear();
            self.machines.decide(&memory.kernels, &mut memory.decisions);
            self.decision.apply(&mut memory, self.machines.classes(), output);
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self) -> f64 {
        let vector = self.machines.kernel.cost_nanoseconds(self.machines.features);
        50.0 + self.machines.count() as f64 * (vector + self.machines.classes() as f64)
    }
}

impl Machines {
    fn count(&self) -> usize {
        self.vectors.len() / self.features
    }

    fn classes(&self) -> usize {
        self.starts.len() - 1
    }

    /// Appends the decision between each pair of classes: above 0 is the first of them.
    fn decide(&self, kernels: &[f64], decisions: &mut Vec<f64>) {
        let (count, classes) = (self.count(), self.classes());
        let pairs = (0..classes).flat_map(|i| (i + 1..classes).map(move |j| (i, j)));
        for ((i, j), intercept) in pairs.zip(&self.intercepts) {
            let side = |class: usize, row: usize| -> f64 {
                let range = self.starts[class]..self.starts[class + 1];
                let coefficients = &self.coefficients[row * count..][..count][range.clone()];
                coefficients.iter().zip(&kernels[range]).map(|(coefficient, kernel)| coefficient * kernel).sum()
            };
            decisions.push(side(i, j - 1) + side(j, i.min(classes - 2)) + intercept);
        }
    }
}

impl Decision {
    fn apply(&self, memory: &mut Memory, classes: usize, output: &mut Vec<f64>) {
        let Memory { decisions, scores, coupling, .. } = memory;
        match self {
            Self::Plain => output.extend_from_slice(decisions),
            Self::Negated => output.extend(decisions.iter().map(|decision| -decision)),
            Self::Plus(offset) => output.extend(decisions.iter().map(|decision| decision + offset)),
            Self::Sign => output.extend(decisions.iter().map(|decision| if *decision > 0.0 { 1.0 } else { -1.0 })),
            Self::Votes(values) => {
                scores.clear();
                scores.resize(classes, 0.0);
                for_each_pair(classes, decisions, |i, j, decision| {
                    scores[if decision > 0.0 { i } else { j }] += 1.0;
                });
                output.push(values[argmax(scores)]);
            }
            Self::Scores(scorer) => scorer.push(decisions, output),
            Self::Highest(scorer, values) => {
                scores.clear();
                scorer.push(decisions, scores);
                output.push(values[argmax(scores)]);
            }
            Self::Probabilities(platt) => platt.push(decisions, classes, coupling, output),
        }
    }
}
