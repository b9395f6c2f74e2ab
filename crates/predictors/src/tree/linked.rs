//! Trees as linked nodes: for any depth and any number of features.
//!
//! The two children of a split stand side by side, so a step is `left + goes right`; a leaf is its
//! own left child and its threshold sends everything left, so stepping on is harmless.

#![expect(clippy::inline_always, reason = "the hot loop: a call for each step would cost more than the step")]

use super::{MISSING_LEFT, goes_right, key::ALWAYS_LEFT};

/// Trees, or rows, that are walked at the same time.
const LANES: usize = 8;

/// One node: a split, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(16))]
pub(super) struct Node {
    /// Keys above it go right.
    pub(super) threshold: i32,
    /// The feature that is compared, with [`MISSING_LEFT`].
    pub(super) feature: u32,
    /// Index of the left child; the right child follows it. A leaf's own index.
    pub(super) left: u32,
    /// What a leaf stands for.
    pub(super) payload: u32,
}

impl Node {
    /// A leaf that stands at `place`.
    pub(super) fn leaf(place: u32, payload: u32) -> Self {
        Self { threshold: ALWAYS_LEFT, feature: 0, left: place, payload }
    }

    pub(super) fn is_leaf_at(&self, place: u32) -> bool {
        self.left == place
    }
}

/// Where a tree begins and how many steps lead to its deepest leaf.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree {
    pub(super) root: u32,
    pub(super) depth: u32,
}

#[derive(Debug)]
pub(crate) struct LinkedTrees {
    pub(super) nodes: Vec<Node>,
    pub(super) trees: Vec<Tree>,
}

impl LinkedTrees {
    /// Size in memory.
    pub(super) fn bytes(&self) -> usize {
        self.nodes.len() * size_of::<Node>()
    }

    /// Calls `visit` with leaves that `row` reaches: those of all trees, in order, some at a time.
    #[inline(always)]
    pub(super) fn visit_row<const MAY_MISS: bool>(&self, row: &[i32], mut visit: impl FnMut(usize, &[u32])) {
        let (groups, rest) = self.trees.as_chunks::<LANES>();
        for (index, group) in groups.iter().enumerate() {
            let (mut roots, mut depth) = ([0; LANES], 0);
            for lane in 0..LANES {
                roots[lane] = group[lane].root;
                depth = depth.max(group[lane].depth);
            }
            let leaves = self.walk::<LANES, MAY_MISS>(roots, row, [0; LANES], depth);
            visit(index * LANES, &leaves);
        }
        let first = groups.len() * LANES;
        for (index, tree) in rest.iter().enumerate() {
            let leaf = self.walk::<1, MAY_MISS>([tree.root], row, [0], tree.depth);
            visit(first + index, &leaf);
        }
    }

    /// Calls `visit` with leaves of one tree: those that all rows reach, in order, some at a time.
    #[inline(always)]
    pub(super) fn visit_tree<const MAY_MISS: bool>(
        &self,
        tree: usize,
        rows: &[i32],
        stride: usize,
        mut visit: impl FnMut(usize, &[u32]),
    ) {
        let Tree { root, depth } = self.trees[tree];
        let mut offsets = [0; LANES];
        for (lane, offset) in offsets.iter_mut().enumerate() {
            *offset = lane * stride;
        }
        let count = rows.len() / stride;
        let grouped = count - count % LANES;
        for row in (0..grouped).step_by(LANES) {
            let rows = &rows[row * stride..][..LANES * stride];
            visit(row, &self.walk::<LANES, MAY_MISS>([root; LANES], rows, offsets, depth));
        }
        for row in grouped..count {
            visit(row, &self.walk::<1, MAY_MISS>([root], &rows[row * stride..], [0], depth));
        }
    }

    /// Takes `depth` steps in all lanes. A lane that has reached its leaf stays there.
    ///
    /// Written with plain loops: at the optimisation level of releases, `map` on arrays is a call.
    #[inline(always)]
    fn walk<const N: usize, const MAY_MISS: bool>(
        &self,
        mut at: [u32; N],
        rows: &[i32],
        offsets: [usize; N],
        depth: u32,
    ) -> [u32; N] {
        let nodes = self.nodes.as_slice();
        for _ in 0..depth {
            for lane in 0..N {
                let node = &nodes[at[lane] as usize];
                let value = rows[offsets[lane] + (node.feature & !MISSING_LEFT) as usize];
                let step = goes_right::<MAY_MISS>(value, node.threshold, node.feature);
                at[lane] = node.left + u32::from(step);
            }
        }
        for leaf in &mut at {
            *leaf = nodes[*leaf as usize].payload;
        }
        at
    }
}
