//! Combines what members say.

use provost_inference::{Features, PredictError};

use crate::argmax::argmax;

use super::super::predictor::Head;

/// A member that answers.
#[derive(Debug)]
pub(super) struct HeadOf {
    pub(super) head: Box<dyn Head>,
    pub(super) width: usize,
    pub(super) weight: f64,
    /// Where its columns stand in what is combined; `None` is in order.
    pub(super) places: Option<Vec<usize>>,
}

/// How what members say becomes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Combination {
    /// The weighted mean.
    Mean,
    /// The sum of weights of those who say each of so many numbers.
    Votes(usize),
    /// Each member's score, or its share of the second class.
    Positive { is_share: bool },
    /// All of it, one after the other.
    Beside,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decide {
    Nothing,
    /// What stands for the highest.
    Highest(Vec<f64>),
    /// The second of two if it is above a number.
    Above(f64, Vec<f64>),
    /// One share and what is left of 1.
    Pair,
    /// Shares are scaled to a sum of 1.
    Shares,
    /// The weighted median of what members say.
    Median,
}

#[derive(Debug)]
pub(super) struct CompositeHead {
    members: Vec<HeadOf>,
    combination: Combination,
    decide: Decide,
    /// Number of values that are combined for each row.
    width: usize,
    weights: f64,
}

impl CompositeHead {
    pub(super) fn new(members: Vec<HeadOf>, combination: Combination, decide: Decide) -> Self {
        let widths = || members.iter().map(|member| member.width);
        let placed =
            |member: &HeadOf| member.places.as_ref().and_then(|places| places.iter().max()).map(|last| last + 1);
        let width = match combination {
            Combination::Mean => widths().chain(members.iter().filter_map(placed)).max().unwrap_or(0),
            Combination::Votes(width) => width,
            Combination::Positive { .. } => members.len(),
            Combination::Beside => widths().sum(),
        };
        let width = match (&decide, combination) {
            (Decide::Highest(values), Combination::Mean) => values.len(),
            _ => width,
        };
        let weights = members.iter().map(|member| member.weight).sum();
        Self { members, combination, decide, width, weights }
    }

    /// Adds what a member says of all rows to `sums`.
    fn add(&self, number: usize, first: usize, said: &[f64], sums: &mut [f64]) {
        let member = &self.members[number];
        for (said, sums) in said.chunks_exact(member.width).zip(sums.chunks_exact_mut(self.width)) {
            match self.combination {
                Combination::Mean => match &member.places {
                    None => sums.iter_mut().zip(said).for_each(|(sum, value)| *sum += value * member.weight),
                    Some(places) => {
                        places.iter().zip(said).for_each(|(place, value)| sums[*place] += value * member.weight);
                    }
                },
                Combination::Votes(_) =>
                {
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of classes")]
                    if let Some(sum) = sums.get_mut(said[0] as usize) {
                        *sum += member.weight;
                    }
                }
                Combination::Positive { is_share } => {
                    sums[number] = if is_share { said[said.len() - 1] } else { said[0] }
                }
                Combination::Beside => sums[first..first + said.len()].copy_from_slice(said),
            }
        }
    }

    fn finish(&self, sums: &mut [f64], output: &mut Vec<f64>) {
        if self.combination == Combination::Mean || matches!(self.combination, Combination::Votes(_)) {
            sums.iter_mut().for_each(|sum| *sum /= self.weights);
        }
        let mut sorted = Vec::with_capacity(self.members.len());
        for row in sums.chunks_exact_mut(self.width) {
            match &self.decide {
                Decide::Median => {
                    sorted.clear();
                    sorted.extend(row.iter().copied().zip(self.members.iter().map(|member| member.weight)));
                    output.push(weighted_median(&mut sorted));
                }
                Decide::Nothing => output.extend_from_slice(row),
                Decide::Highest(values) => output.push(values[argmax(row)]),
                Decide::Above(threshold, values) => output.push(values[usize::from(row[0] > *threshold)]),
                Decide::Pair => output.extend([1.0 - row[0], row[0]]),
                Decide::Shares => {
                    let sum: f64 = row.iter().sum();
                    output.extend(row.iter().map(|share| share / sum));
                }
            }
        }
    }
}

/// The least value at which the weights up to it reach half of all, of values with weights: Drucker (1997), "Improving
/// regressors using boosting techniques".
fn weighted_median(sorted: &mut [(f64, f64)]) -> f64 {
    sorted.sort_unstable_by(|(left, _), (right, _)| left.total_cmp(right));
    let half = 0.5 * sorted.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut reached = 0.0;
    let is_half = |(_, weight): &&(f64, f64)| {
        reached += weight;
        reached >= half
    };
    sorted.iter().find(is_half).or(sorted.last()).map_or(f64::NAN, |(value, _)| *value)
}

/// Members may take missing values that the whole does not.
fn refuse_missing(rows: &Features<'_>) -> Result<(), PredictError> {
    match rows.values().iter().position(|value| value.is_nan()) {
        Some(place) => Err(PredictError::MissingValue { row: place / rows.columns(), column: place % rows.columns() }),
        None => Ok(()),
    }
}

impl Head for CompositeHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        if self.decide == Decide::Median {
            refuse_missing(rows)?;
        }
        let (mut sums, mut said, mut first) = (vec![0.0; rows.rows() * self.width], Vec::new(), 0);
        for (number, member) in self.members.iter().enumerate() {
            said.clear();
            member.head.predict(rows, &mut said)?;
            self.add(number, first, &said, &mut sums);
            first += member.width;
        }
        self.finish(&mut sums, output);
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self) -> f64 {
        let members: f64 = self.members.iter().map(|member| member.head.cost_nanoseconds()).sum();
        members + (self.members.len() * self.width) as f64
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::weighted_median;

    #[test]
    fn median_is_the_first_to_reach_half_of_the_weights() {
        assert_eq!(weighted_median(&mut [(3.0, 1.0), (1.0, 1.0), (2.0, 1.0)]).total_cmp(&2.0), Ordering::Equal);
        assert_eq!(weighted_median(&mut [(3.0, 5.0), (1.0, 1.0), (2.0, 1.0)]).total_cmp(&3.0), Ordering::Equal);
        assert_eq!(weighted_median(&mut [(2.0, 1.0), (1.0, 1.0)]).total_cmp(&1.0), Ordering::Equal);
        assert_eq!(weighted_median(&mut [(4.0, 0.0)]).total_cmp(&4.0), Ordering::Equal);
    }
}
