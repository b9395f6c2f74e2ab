//! Probabilities of classes: Platt's sigmoid for each pair of classes, and what fits all pairs best.
//!
//! Platt, Probabilistic outputs for support vector machines (1999); Wu, Lin and Weng, Probability estimates for
//! multi-class classification by pairwise coupling (2004), algorithm 2 with LIBSVM's bounds.

use super::super::{Error, record::Record};

/// Probabilities of a pair are kept so far from 0 and 1.
const MARGIN: f64 = 1e-7;

/// Slope and offset of the sigmoid of each pair.
#[derive(Debug)]
pub(super) struct Platt {
    slopes: Vec<f64>,
    offsets: Vec<f64>,
}

/// Memory for one row after the other.
#[derive(Debug, Default)]
pub(super) struct Coupling {
    /// `r[i][j]`, the probability of class i among i and j.
    pairwise: Vec<f64>,
    q: Vec<f64>,
    qp: Vec<f64>,
}

impl Platt {
    /// `None` where the model was fitted without probabilities. Attributes were renamed in 0.22.
    pub(super) fn parse(record: &Record<'_>, pairs: usize) -> Result<Option<Self>, Error> {
        let read = |names: [&'static str; 2]| -> Result<Vec<f64>, Error> {
            let attribute = record.some(names[0]).or_else(|| record.some(names[1]));
            let Some(attribute) = attribute else { return Ok(Vec::new()) };
            let (values, _) = attribute.floats()?;
            match values.len() {
                len if (len == 0 || len == pairs) && values.iter().all(|value| value.is_finite()) => Ok(values),
                len => {
                    Err(attribute.problem(format!("has {len} numbers for {pairs} pairs, or one that is not finite")))
                }
            }
        };
        let (slopes, offsets) = (read(["_probA", "probA_"])?, read(["_probB", "probB_"])?);
        let is_asked = match record.some("_effective_probability") {
            Some(asked) => asked.truth()?,
            None => record.is_true("probability")?,
        };
        Ok((is_asked && slopes.len() == pairs && offsets.len() == pairs).then_some(Self { slopes, offsets }))
    }

    /// Appends the probabilities of the classes, from the decisions between each pair of them.
    pub(super) fn push(&self, decisions: &[f64], classes: usize, memory: &mut Coupling, output: &mut Vec<f64>) {
        memory.pairwise.resize(classes * classes, 0.0);
        let pairs = (0..classes).flat_map(|i| (i + 1..classes).map(move |j| (i, j)));
        for ((i, j), ((decision, slope), offset)) in pairs.zip(decisions.iter().zip(&self.slopes).zip(&self.offsets)) {
            let probability = sigmoid(decision * slope + offset).clamp(MARGIN, 1.0 - MARGIN);
            memory.pairwise[i * classes + j] = probability;
            memory.pairwise[j * classes + i] = 1.0 - probability;
        }
        let start = output.len();
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        output.resize(start + classes, 1.0 / classes as f64);
        memory.couple(classes, &mut output[start..]);
    }
}

/// `1 / (1 + exp(x))`, without overflow.
fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { (-x).exp() / (1.0 + (-x).exp()) } else { 1.0 / (1.0 + x.exp()) }
}

impl Coupling {
    /// Improves probabilities `p` of `k` classes until they fit the pairs.
    fn couple(&mut self, k: usize, p: &mut [f64]) {
        self.fill_q(k);
        self.qp.resize(k, 0.0);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let precision = 0.005 / k as f64;
        for _ in 0..k.max(100) {
            let mut pqp = 0.0;
            for t in 0..k {
                self.qp[t] = (0..k).map(|j| self.q[t * k + j] * p[j]).sum();
                pqp += p[t] * self.qp[t];
            }
            let error = self.qp.iter().map(|qp| (qp - pqp).abs()).fold(0.0, f64::max);
            if error < precision {
                return;
            }
            for t in 0..k {
                let diagonal = self.q[t * k + t];
                let step = (pqp - self.qp[t]) / diagonal;
                p[t] += step;
                pqp = (pqp + step * (step * diagonal + 2.0 * self.qp[t])) / (1.0 + step) / (1.0 + step);
                for (j, p) in p.iter_mut().enumerate() {
                    self.qp[j] = (self.qp[j] + step * self.q[t * k + j]) / (1.0 + step);
                    *p /= 1.0 + step;
                }
            }
        }
    }

    /// `Q[t][t]` is the sum of `r[j][t]²`, and `Q[t][j]` is `-r[j][t] r[t][j]`.
    fn fill_q(&mut self, k: usize) {
        let r = &self.pairwise;
        self.q.resize(k * k, 0.0);
        for t in 0..k {
            self.q[t * k + t] = (0..k).filter(|j| *j != t).map(|j| r[j * k + t] * r[j * k + t]).sum();
            for j in (0..k).filter(|j| *j != t) {
                self.q[t * k + j] = -r[j * k + t] * r[t * k + j];
            }
        }
    }
}
