//! Trees for what the fast layouts cannot express: 64-bit thresholds, sets of categories, and zeros
//! that count as missing.
//!
//! They are linked as [`LinkedTrees`](super::linked) are: the two children of a split stand side by
//! side, and a leaf is its own left child.

#![expect(clippy::inline_always, reason = "the hot loop: a call for each step would cost more than the step")]

use super::{
    RowBlock,
    category::{CategorySets, SetId},
    key::value,
};

/// Trees, or rows, that are walked at the same time.
const LANES: usize = 8;
/// Numbers this near to zero count as zero where zeros are missing (`LightGBM`'s `kZeroThreshold`).
const ZERO: f64 = 1e-35_f32 as f64;
/// Trees beyond this size, and blocks of so many rows, are walked tree by tree.
const LARGE_BYTES: usize = 256 << 10;
const ROWS_WORTH_IT: usize = 8;

/// Set in a split's feature where missing values go left.
pub(super) const MISSING_LEFT: u32 = 1 << 31;
/// Set where zeros are missing values too.
pub(super) const ZERO_IS_MISSING: u32 = 1 << 30;
/// Set where the threshold is the name of a set of categories.
pub(super) const CATEGORIES: u32 = 1 << 29;
/// The bits of the feature itself.
pub(super) const FEATURE: u32 = CATEGORIES - 1;

/// One node: a split, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(super) struct Node {
    /// Values above it go right. The bits of a set's name with [`CATEGORIES`].
    pub(super) threshold: f64,
    /// The feature that is compared, with flags.
    pub(super) feature: u32,
    /// Index of the left child; the right child follows it. A leaf's own index.
    pub(super) left: u32,
}

impl Node {
    /// A leaf that stands at `place`.
    pub(super) fn leaf(place: u32) -> Self {
        Self { threshold: f64::INFINITY, feature: MISSING_LEFT, left: place }
    }
}

/// Where a tree begins and how many steps lead to its deepest leaf.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree {
    pub(super) root: u32,
    pub(super) depth: u32,
}

/// Whether every step has to look for missing values and categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    Needless,
    Needed,
}

/// Trees over the same features, with a `P` in each leaf.
#[derive(Debug)]
pub(crate) struct WideForest<P> {
    pub(super) nodes: Vec<Node>,
    /// What each leaf stands for, at the leaf's place.
    pub(super) payloads: Vec<P>,
    pub(super) trees: Vec<Tree>,
    pub(super) sets: CategorySets,
    /// Whether a split is on categories, or takes zeros for missing.
    pub(super) has_special_splits: bool,
}

impl<P: Copy + Default> WideForest<P> {
    pub(crate) fn tree_count(&self) -> usize {
        self.trees.len()
    }

    /// An estimate of the time in which a row goes through all trees.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(crate) fn walk_nanoseconds(&self) -> f64 {
        let steps: u64 = self.trees.iter().map(|tree| u64::from(tree.depth)).sum();
        let step = if self.has_special_splits { 3.0 } else { 1.5 };
        step * steps as f64
    }

    /// Whether these rows, one after the other, have to be walked with care.
    pub(crate) fn care_for(&self, values: &[f64]) -> Care {
        let is_missing = |values: &[f64]| values.iter().fold(false, |any, value| any | value.is_nan());
        if self.has_special_splits || is_missing(values) { Care::Needed } else { Care::Needless }
    }

    /// Whether so many rows are best walked tree by tree.
    pub(crate) fn is_better_by_tree(&self, rows: usize) -> bool {
        rows >= ROWS_WORTH_IT && self.nodes.len() * size_of::<Node>() > LARGE_BYTES
    }

    /// Calls `visit` with the number of a tree, and what stands in the leaves that a row reaches in
    /// this tree and those after it: all trees, in order, some at a time.
    #[inline(always)]
    pub(crate) fn visit_row(&self, care: Care, row: &[f64], visit: impl FnMut(usize, &[P])) {
        match care {
            Care::Needless => self.visit_row_with::<false>(row, visit),
            Care::Needed => self.visit_row_with::<true>(row, visit),
        }
    }

    /// Calls `visit` with the number of a row, and what stands in the leaves that this row and those
    /// after it reach in tree `tree`: all rows, in order, some at a time.
    #[inline(always)]
    pub(crate) fn visit_tree(
        &self,
        care: Care,
        tree: usize,
        rows: &[f64],
        columns: usize,
        visit: impl FnMut(usize, &[P]),
    ) {
        match care {
            Care::Needless => self.visit_tree_with::<false>(tree, rows, columns, visit),
            Care::Needed => self.visit_tree_with::<true>(tree, rows, columns, visit),
        }
    }

    #[inline(always)]
    fn visit_row_with<const CARE: bool>(&self, row: &[f64], mut visit: impl FnMut(usize, &[P])) {
        let (groups, rest) = self.trees.as_chunks::<LANES>();
        for (index, group) in groups.iter().enumerate() {
            let (mut roots, mut depth) = ([0; LANES], 0);
            for lane in 0..LANES {
                roots[lane] = group[lane].root;
                depth = depth.max(group[lane].depth);
            }
            visit(index * LANES, &self.walk::<LANES, CARE>(roots, row, [0; LANES], depth));
        }
        let first = groups.len() * LANES;
        for (index, tree) in rest.iter().enumerate() {
            visit(first + index, &self.walk::<1, CARE>([tree.root], row, [0], tree.depth));
        }
    }

    #[inline(always)]
    fn visit_tree_with<const CARE: bool>(
        &self,
        tree: usize,
        rows: &[f64],
        columns: usize,
        mut visit: impl FnMut(usize, &[P]),
    ) {
        let Tree { root, depth } = self.trees[tree];
        let mut offsets = [0; LANES];
        for (lane, offset) in offsets.iter_mut().enumerate() {
            *offset = lane * columns;
        }
        let count = rows.len() / columns;
        let grouped = count - count % LANES;
        for row in (0..grouped).step_by(LANES) {
            let rows = &rows[row * columns..][..LANES * columns];
            visit(row, &self.walk::<LANES, CARE>([root; LANES], rows, offsets, depth));
        }
        for row in grouped..count {
            visit(row, &self.walk::<1, CARE>([root], &rows[row * columns..][..columns], [0], depth));
        }
    }

    /// Takes steps in all lanes until all have reached their leaves.
    #[inline(always)]
    fn walk<const N: usize, const CARE: bool>(
        &self,
        mut at: [u32; N],
        rows: &[f64],
        offsets: [usize; N],
        depth: u32,
    ) -> [P; N] {
        let nodes = self.nodes.as_slice();
        for _ in 0..depth {
            for lane in 0..N {
                let node = &nodes[at[lane] as usize];
                let value = rows[offsets[lane] + (node.feature & FEATURE) as usize];
                at[lane] = node.left + u32::from(self.goes_right::<CARE>(node, value));
            }
        }
        let mut found = [P::default(); N];
        for lane in 0..N {
            found[lane] = self.payloads[at[lane] as usize];
        }
        found
    }

    #[inline(always)]
    fn goes_right<const CARE: bool>(&self, node: &Node, value: f64) -> bool {
        if !CARE {
            return value > node.threshold;
        }
        let flags = node.feature;
        if value.is_nan() || (flags & ZERO_IS_MISSING != 0 && value.abs() <= ZERO) {
            flags & MISSING_LEFT == 0
        } else if flags & CATEGORIES != 0 {
            !self.sets.contains(set_of(node.threshold), value)
        } else {
            value > node.threshold
        }
    }
}

/// The name of a set in the place of a threshold.
#[expect(clippy::cast_possible_truncation, reason = "its bits are those of a `u32`")]
fn set_of(threshold: f64) -> SetId {
    SetId(threshold.to_bits() as u32)
}

/// A set's name in the place of a threshold.
pub(super) fn threshold_of(set: SetId) -> f64 {
    f64::from_bits(u64::from(set.0))
}

impl RowBlock<'_> {
    /// Writes the 32-bit values of the block's first `columns` columns, row after row.
    pub(crate) fn widen(&self, columns: usize, values: &mut [f64]) {
        let rows = self.keys.chunks_exact(self.stride).zip(values.chunks_exact_mut(columns));
        for (keys, values) in rows {
            keys.iter().zip(values).for_each(|(key, into)| *into = f64::from(value(*key)));
        }
    }
}
