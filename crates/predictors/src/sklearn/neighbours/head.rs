//! Finds the neighbours of each row, and has them vote.

use provost_inference::{Features, PredictError};

use crate::argmax::argmax;

use super::{
    super::{predictor::Head, transform::check_finite},
    distance::Metric,
};

/// Which points count as neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reach {
    Nearest(usize),
    Radius(f64),
}

/// What a neighbour's vote counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weights {
    Uniform,
    /// The inverse of its distance; where some are at no distance, they alone count.
    Distance,
}

/// What neighbours vote for.
#[derive(Debug)]
pub(super) enum Vote {
    /// Shares of so many classes; of each point its class.
    Shares(Vec<u32>, usize),
    /// The class with the greatest share, and what stands for each.
    Class(Vec<u32>, Vec<f64>),
    /// The mean of so many numbers.
    Mean(Vec<f64>, usize),
}

#[derive(Debug)]
pub(super) struct NeighbourHead {
    pub(super) points: Vec<f64>,
    pub(super) features: usize,
    pub(super) metric: Metric,
    pub(super) reach: Reach,
    pub(super) weights: Weights,
    pub(super) vote: Vote,
}

/// The rank of a point, and its number.
type Ranked = (f64, u32);

impl Head for NeighbourHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        let (mut ranked, mut shares) = (Vec::with_capacity(self.points.len() / self.features), Vec::new());
        for (row, values) in rows.iter_rows().enumerate() {
            self.find(values, &mut ranked);
            if ranked.is_empty() && !matches!(self.vote, Vote::Mean(..)) {
                return Err(PredictError::NoNeighbours { row });
            }
            self.weigh(&mut ranked);
            self.vote(&ranked, &mut shares, output);
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self) -> f64 {
        let points = (self.points.len() / self.features) as f64;
        50.0 + points * (self.metric.cost_nanoseconds(self.features) + 3.0)
    }
}

impl NeighbourHead {
    /// The neighbours of a row, nearest first; of equally near ones those that came first.
    fn find(&self, row: &[f64], ranked: &mut Vec<Ranked>) {
        ranked.clear();
        let ranks = self.points.chunks_exact(self.features).map(|point| self.metric.rank(row, point));
        let by_rank = |one: &Ranked, other: &Ranked| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1));
        match self.reach {
            Reach::Nearest(count) => {
                ranked.extend(ranks.zip(0u32..));
                if count < ranked.len() {
                    ranked.select_nth_unstable_by(count - 1, by_rank);
                    ranked.truncate(count);
                }
            }
            Reach::Radius(radius) => {
                let bound = self.metric.rank_of(radius);
                ranked.extend(ranks.zip(0u32..).filter(|(rank, _)| *rank <= bound));
            }
        }
        ranked.sort_unstable_by(by_rank);
    }

    /// Puts weights in the place of ranks.
    fn weigh(&self, ranked: &mut [Ranked]) {
        if self.weights == Weights::Uniform {
            ranked.iter_mut().for_each(|(rank, _)| *rank = 1.0);
            return;
        }
        let is_at_one = ranked.iter().any(|(rank, _)| *rank == 0.0);
        for (rank, _) in ranked {
            let weight = self.metric.distance(*rank).recip();
            *rank = if is_at_one { f64::from(u8::from(*rank == 0.0)) } else { weight };
        }
    }

    fn vote(&self, weighted: &[Ranked], shares: &mut Vec<f64>, output: &mut Vec<f64>) {
        match &self.vote {
            Vote::Shares(classes, width) => {
                let start = output.len();
                count(weighted, classes, *width, output);
                let sum: f64 = output[start..].iter().sum();
                output[start..].iter_mut().for_each(|share| *share /= sum);
            }
            Vote::Class(classes, values) => {
                shares.clear();
                count(weighted, classes, values.len(), shares);
                output.push(values[argmax(shares)]);
            }
            Vote::Mean(values, outputs) => {
                let sum: f64 = weighted.iter().map(|(weight, _)| weight).sum();
                output.extend((0..*outputs).map(|index| {
                    let weighted =
                        weighted.iter().map(|(weight, point)| weight * values[*point as usize * outputs + index]);
                    weighted.sum::<f64>() / sum
                }));
            }
        }
    }
}

/// Appends the sum of weights for each class.
fn count(weighted: &[Ranked], classes: &[u32], width: usize, sums: &mut Vec<f64>) {
    let start = sums.len();
    sums.resize(start + width, 0.0);
    for (weight, point) in weighted {
        sums[start + classes[*point as usize] as usize] += weight;
    }
}
