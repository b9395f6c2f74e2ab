//! Predicts with trees: sums what the leaves hold, in the order of the estimators.

use provost_inference::{Features, MissingValues, PredictError};

use crate::{
    argmax::argmax,
    tree::{Eight, Forest, LANES, RowBlock, for_each_block},
};

use super::{classes::Classes, predictor::Head};

#[derive(Debug)]
pub(super) struct TreeHead {
    pub(super) forest: Forest,
    /// `width` values for each leaf.
    pub(super) leaf_values: Vec<f64>,
    pub(super) width: usize,
    /// Whether sums are divided by the number of trees.
    pub(super) averages: bool,
    pub(super) decision: Decision,
    pub(super) missing_values: MissingValues,
}

/// What becomes of the values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// Nothing.
    None,
    /// For each output, the class with the highest value.
    Classes(Vec<Choice>),
}

/// The values of one output's classes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    first: usize,
    /// What stands for each class.
    values: Vec<f64>,
}

impl Decision {
    /// Decides between the classes of each output.
    pub(super) fn among(outputs: &[Classes]) -> Self {
        let mut first = 0;
        let values = Classes::common_values(outputs);
        let choices = values.into_iter().map(|values| {
            let choice = Choice { first, values };
            first += choice.values.len();
            choice
        });
        Self::Classes(choices.collect())
    }

    /// Replaces the `width` values of each row, from `start` on, by its decisions.
    fn apply(&self, start: usize, width: usize, output: &mut Vec<f64>) {
        let Self::Classes(choices) = self else { return };
        let rows = (output.len() - start) / width;
        for row in 0..rows {
            for (index, choice) in choices.iter().enumerate() {
                let first = start + row * width + choice.first;
                let best = argmax(&output[first..first + choice.values.len()]);
                // Never ahead of what is still to be read: there are no more outputs than values.
                output[start + row * choices.len() + index] = choice.values[best];
            }
        }
        output.truncate(start + rows * choices.len());
    }
}

impl Head for TreeHead {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let start = output.len();
        // -0.0 + x is x to the last bit; scikit-learn sums forests from 0.0.
        let zero = if self.averages { 0.0 } else { -0.0 };
        output.resize(start + rows.rows() * self.width, zero);
        let mut sums = &mut output[start..];
        for_each_block(rows, self.missing_values, |block| {
            let len = block.count() * self.width;
            let (these, rest) = std::mem::take(&mut sums).split_at_mut(len);
            self.sum(block, these);
            sums = rest;
        })?;
        if self.averages {
            #[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
            let trees = self.forest.tree_count() as f64;
            output[start..].iter_mut().for_each(|sum| *sum /= trees);
        }
        self.decision.apply(start, self.width, output);
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self) -> f64 {
        let leaves = self.forest.tree_count() * self.width;
        30.0 + self.forest.walk_nanoseconds() + 0.5 * leaves as f64
    }
}

impl TreeHead {
    /// Adds what each row's leaves hold to its sums. Few values a leaf are added by unrolled code.
    fn sum(&self, block: &RowBlock<'_>, sums: &mut [f64]) {
        match self.width {
            1 => self.sum_fixed::<1>(block, sums),
            2 => self.sum_fixed::<2>(block, sums),
            3 => self.sum_fixed::<3>(block, sums),
            4 => self.sum_fixed::<4>(block, sums),
            width => self.sum_with(block, sums, |leaf, sums| {
                let values = &self.leaf_values[leaf as usize * width..][..width];
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }),
        }
    }

    fn sum_fixed<const WIDTH: usize>(&self, block: &RowBlock<'_>, sums: &mut [f64]) {
        let (leaf_values, _) = self.leaf_values.as_chunks::<WIDTH>();
        let is_done = self.forest.visit_eights(block, |rows, eight| {
            let (sums, _) = sums.as_chunks_mut::<WIDTH>();
            add_to_eight(leaf_values, eight, &mut sums[rows]);
        });
        if is_done {
            return;
        }
        self.sum_with(block, sums, |leaf, sums| {
            if let Some((sums, _)) = sums.split_first_chunk_mut::<WIDTH>() {
                let values = &leaf_values[leaf as usize];
                (0..WIDTH).for_each(|index| sums[index] += values[index]);
            }
        });
    }

    #[expect(clippy::inline_always, reason = "the hot loop")]
    #[inline(always)]
    fn sum_with(&self, block: &RowBlock<'_>, sums: &mut [f64], add: impl Fn(u32, &mut [f64])) {
        let width = self.width;
        if !self.forest.is_better_by_tree(block) {
            for (row, sums) in sums.chunks_exact_mut(width).enumerate() {
                self.forest.visit_row(block, row, |_, leaves| {
                    for leaf in leaves {
                        add(*leaf, sums);
                    }
                });
            }
            return;
        }
        for tree in 0..self.forest.tree_count() {
            self.forest.visit_tree(block, tree, |row, leaves| {
                let sums = sums[row * width..].chunks_exact_mut(width);
                sums.zip(leaves).for_each(|(sums, leaf)| add(*leaf, sums));
            });
        }
    }
}

/// Adds what the leaves of eight rows hold to their sums.
fn add_to_eight<const WIDTH: usize>(leaf_values: &[[f64; WIDTH]], eight: &Eight<'_>, sums: &mut [[f64; WIDTH]]) {
    let mut lanes = [[0.0; WIDTH]; LANES];
    lanes[..sums.len()].copy_from_slice(sums);
    eight.visit(|_, leaves| {
        for leaves in leaves {
            for (sums, leaf) in lanes.iter_mut().zip(leaves) {
                let values = &leaf_values[*leaf as usize];
                (0..WIDTH).for_each(|index| sums[index] += values[index]);
            }
        }
    });
    sums.copy_from_slice(&lanes[..sums.len()]);
}
