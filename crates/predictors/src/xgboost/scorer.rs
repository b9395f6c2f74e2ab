//! From rows to margins: sums over trees, or over weighted features, in 32 bits and in the order of
//! the library.

#![expect(clippy::inline_always, reason = "the hot loop: a call for each step would cost more than the step")]

use std::ops::Range;

use crate::tree::{Care, Eight, Forest, LANES, RowBlock, WideForest};

use super::{
    Error,
    model::Scores,
    trees::{AnyForest, LeafTargets},
};

/// Values of a row, or of rows, that fit on the stack.
const SMALL: usize = 64;

/// Adds to margins what rows are worth.
#[derive(Debug)]
pub(super) enum Scorer {
    Trees { forest: AnyForest, targets: LeafTargets, features: usize },
    Linear(Linear),
}

impl Scorer {
    pub(super) fn new(scores: Scores, features: usize, groups: usize) -> Result<Self, Error> {
        match scores {
            Scores::Trees(ensemble) => {
                let (forest, targets) = ensemble.build(features, groups)?;
                Ok(Self::Trees { forest, targets, features })
            }
            Scores::Weights(weights) => Linear::new(weights, features, groups).map(Self::Linear),
        }
    }

    /// Adds to `margins`, `groups` for each row of the block.
    pub(super) fn add(&self, block: &RowBlock<'_>, groups: usize, margins: &mut [f32]) {
        match self {
            Self::Trees { forest: AnyForest::Plain(forest), targets: LeafTargets::One(tree_groups), .. }
                if add_by_eights(forest, block, tree_groups, groups, margins) => {}
            Self::Trees { forest: AnyForest::Plain(forest), targets, .. } => {
                add_leaves(&PlainRows { forest, block }, targets, groups, margins);
            }
            Self::Trees { forest: AnyForest::Wide(forest), targets, features } => {
                with_values(block, *features, |values| {
                    let care = forest.care_for(values);
                    let rows = WideRows { forest, values, columns: *features, care };
                    add_leaves(&rows, targets, groups, margins);
                });
            }
            Self::Linear(linear) => {
                with_values(block, linear.features, |values| linear.add(values, margins));
            }
        }
    }

    /// An estimate of the time a row takes.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn nanoseconds(&self) -> f64 {
        match self {
            Self::Trees { forest: AnyForest::Plain(forest), .. } => forest.walk_nanoseconds(),
            Self::Trees { forest: AnyForest::Wide(forest), .. } => forest.walk_nanoseconds(),
            Self::Linear(linear) => linear.weights.len() as f64,
        }
    }
}

/// Adds the leaves of eight rows at a time, where that is faster than one row after the other, and
/// tells whether it did.
fn add_by_eights(
    forest: &Forest,
    block: &RowBlock<'_>,
    tree_groups: &[u32],
    groups: usize,
    margins: &mut [f32],
) -> bool {
    let mut sums = Vec::new();
    forest.visit_eights(block, |rows: Range<usize>, eight| {
        add_eight(eight, tree_groups, groups, &mut sums, &mut margins[rows.start * groups..rows.end * groups]);
    })
}

/// Adds the leaves of eight rows to their margins, which stand side by side in `sums` meanwhile.
fn add_eight(eight: &Eight<'_>, tree_groups: &[u32], groups: usize, sums: &mut Vec<[f32; LANES]>, margins: &mut [f32]) {
    sums.resize(groups, [0.0; LANES]);
    for (lane, margins) in margins.chunks_exact(groups).enumerate() {
        sums.iter_mut().zip(margins).for_each(|(sums, margin)| sums[lane] = *margin);
    }
    eight.add_to(tree_groups, sums);
    for (lane, margins) in margins.chunks_exact_mut(groups).enumerate() {
        margins.iter_mut().zip(&*sums).for_each(|(margin, sums)| *margin = sums[lane]);
    }
}

/// Calls `visit` with the block's values, on the stack if they are few.
fn with_values(block: &RowBlock<'_>, columns: usize, visit: impl FnOnce(&[f64])) {
    let count = block.count() * columns;
    if count <= SMALL {
        let mut values = [0.0; SMALL];
        block.widen(columns, &mut values[..count]);
        return visit(&values[..count]);
    }
    let mut values = vec![0.0; count];
    block.widen(columns, &mut values);
    visit(&values);
}

/// Rows before a forest.
trait Rows {
    fn is_better_by_tree(&self) -> bool;
    fn tree_count(&self) -> usize;
    fn visit_row(&self, row: usize, visit: impl FnMut(usize, &[u32]));
    fn visit_tree(&self, tree: usize, visit: impl FnMut(usize, &[u32]));
}

struct PlainRows<'a> {
    forest: &'a Forest,
    block: &'a RowBlock<'a>,
}

impl Rows for PlainRows<'_> {
    fn is_better_by_tree(&self) -> bool {
        self.forest.is_better_by_tree(self.block)
    }

    fn tree_count(&self) -> usize {
        self.forest.tree_count()
    }

    #[inline(always)]
    fn visit_row(&self, row: usize, visit: impl FnMut(usize, &[u32])) {
        self.forest.visit_row(self.block, row, visit);
    }

    #[inline(always)]
    fn visit_tree(&self, tree: usize, visit: impl FnMut(usize, &[u32])) {
        self.forest.visit_tree(self.block, tree, visit);
    }
}

struct WideRows<'a> {
    forest: &'a WideForest<u32>,
    values: &'a [f64],
    columns: usize,
    care: Care,
}

impl Rows for WideRows<'_> {
    fn is_better_by_tree(&self) -> bool {
        self.forest.is_better_by_tree(self.values.len() / self.columns)
    }

    fn tree_count(&self) -> usize {
        self.forest.tree_count()
    }

    #[inline(always)]
    fn visit_row(&self, row: usize, visit: impl FnMut(usize, &[u32])) {
        self.forest.visit_row(self.care, &self.values[row * self.columns..][..self.columns], visit);
    }

    #[inline(always)]
    fn visit_tree(&self, tree: usize, visit: impl FnMut(usize, &[u32])) {
        self.forest.visit_tree(self.care, tree, self.values, self.columns, visit);
    }
}

fn add_leaves(rows: &impl Rows, targets: &LeafTargets, groups: usize, margins: &mut [f32]) {
    match targets {
        LeafTargets::One(tree_groups) => add_values(rows, tree_groups, groups, margins),
        LeafTargets::All(values) => add_vectors(rows, values, groups, margins),
    }
}

/// Adds what each row's leaves hold to the outputs of their trees, tree after tree.
#[inline(always)]
fn add_values(rows: &impl Rows, tree_groups: &[u32], groups: usize, margins: &mut [f32]) {
    if !rows.is_better_by_tree() {
        for (row, margins) in margins.chunks_exact_mut(groups).enumerate() {
            add_values_to_row(rows, tree_groups, row, margins);
        }
        return;
    }
    for (tree, group) in tree_groups.iter().enumerate() {
        let margins = &mut margins[*group as usize..];
        rows.visit_tree(tree, |row, leaves| {
            let margins = margins[row * groups..].iter_mut().step_by(groups);
            margins.zip(leaves).for_each(|(margin, leaf)| *margin += f32::from_bits(*leaf));
        });
    }
}

#[inline(always)]
fn add_values_to_row(rows: &impl Rows, tree_groups: &[u32], row: usize, margins: &mut [f32]) {
    if let [margin] = margins {
        let mut sum = *margin;
        rows.visit_row(row, |_, leaves| {
            for leaf in leaves {
                sum += f32::from_bits(*leaf);
            }
        });
        *margin = sum;
        return;
    }
    rows.visit_row(row, |tree, leaves| {
        for (group, leaf) in tree_groups[tree..].iter().zip(leaves) {
            margins[*group as usize] += f32::from_bits(*leaf);
        }
    });
}

/// Adds the vectors of each row's leaves.
fn add_vectors(rows: &impl Rows, values: &[f32], groups: usize, margins: &mut [f32]) {
    for tree in 0..rows.tree_count() {
        rows.visit_tree(tree, |row, leaves| {
            let margins = margins[row * groups..].chunks_exact_mut(groups);
            for (margins, leaf) in margins.zip(leaves) {
                let values = &values[*leaf as usize..][..groups];
                margins.iter_mut().zip(values).for_each(|(margin, value)| *margin += value);
            }
        });
    }
}

/// `gblinear`.
#[derive(Debug)]
pub(super) struct Linear {
    features: usize,
    groups: usize,
    /// One for each output of each feature, then the outputs' biases.
    weights: Box<[f32]>,
}

impl Linear {
    fn new(weights: Vec<f32>, features: usize, groups: usize) -> Result<Self, Error> {
        let expected = features.checked_add(1).and_then(|rows| rows.checked_mul(groups));
        if Some(weights.len()) != expected || features == 0 {
            let count = weights.len();
            let what = format!("it has {count} weights for {features} features and {groups} outputs");
            return Err(Error::malformed(what));
        }
        if weights.iter().any(|weight| !weight.is_finite()) {
            return Err(Error::malformed("a weight is not finite"));
        }
        Ok(Self { features, groups, weights: weights.into() })
    }

    /// Adds bias and weighted features, without those that are missing.
    fn add(&self, values: &[f64], margins: &mut [f32]) {
        let (weights, biases) = self.weights.split_at(self.features * self.groups);
        let rows = values.chunks_exact(self.features).zip(margins.chunks_exact_mut(self.groups));
        for (row, margins) in rows {
            margins.iter_mut().zip(biases).for_each(|(margin, bias)| *margin += bias);
            for (value, weights) in row.iter().zip(weights.chunks_exact(self.groups)) {
                if value.is_nan() {
                    continue;
                }
                #[expect(clippy::cast_possible_truncation, reason = "a 32-bit float in 64 bits")]
                let value = *value as f32;
                margins.iter_mut().zip(weights).for_each(|(margin, weight)| *margin += value * weight);
            }
        }
    }
}
