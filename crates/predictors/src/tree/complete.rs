//! Shallow trees, laid out complete: every tree has all splits of the deepest one's depth, so that
//! the children of split `i` are the splits `2i` and `2i + 1` and need no links.
//!
//! The depth is known when the code is compiled, which takes the checks out of the inner loop.

#![expect(clippy::inline_always, reason = "the hot loop: a call for each step would cost more than the step")]

use super::{
    MISSING_LEFT, goes_right,
    key::ALWAYS_LEFT,
    lanes::{self, COLUMNS, Lanes},
    linked::{LinkedTrees, Node},
};

/// Deepest trees that are laid out complete.
const MAX_DEPTH: u32 = 8;
/// Values of a row: more features are left to linked trees.
pub(super) const ROW: usize = 64;
/// A complete layout may take so many times the memory of a linked one.
const MAX_GROWTH: usize = 2;
/// Trees that are walked at the same time.
const LANES: usize = 4;

/// A row of keys, padded.
pub(super) type Row = [i32; ROW];

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(super) struct Split {
    /// Keys above it go right.
    pub(super) threshold: i32,
    /// The feature that is compared, with [`MISSING_LEFT`] and, set alike, [`COLUMN_LEFT`].
    feature: u32,
}

/// Set in a split's feature where missing values go left: the columns of a block of lanes from here on.
const COLUMN_LEFT: u32 = 64;

/// The split of which both children are the same.
const PADDING: Split = Split { threshold: ALWAYS_LEFT, feature: 0 };

impl Split {
    fn new(node: &Node) -> Self {
        let left = if node.feature & MISSING_LEFT != 0 { COLUMN_LEFT } else { 0 };
        Self { threshold: node.threshold, feature: node.feature | left }
    }

    /// The column of a block of lanes that is compared.
    #[inline(always)]
    pub(super) fn column(self) -> usize {
        self.feature as usize % COLUMNS
    }
}

#[derive(Debug)]
pub(crate) struct CompleteTrees {
    depth: u32,
    /// `2^depth` for each tree: an unused one, the root, its two children, and so on.
    splits: Vec<Split>,
    /// `2^depth` for each tree.
    leaves: Vec<u32>,
}

impl CompleteTrees {
    /// Lays out the trees, if they are shallow and the layout does not waste memory.
    pub(super) fn new(trees: &LinkedTrees, features: usize) -> Option<Self> {
        let depth = trees.trees.iter().map(|tree| tree.depth).max()?.max(1);
        if depth > MAX_DEPTH || features > ROW {
            return None;
        }
        let size = trees.trees.len() << depth;
        let growth_limit = trees.nodes.len() * size_of::<Node>() * MAX_GROWTH;
        if size * (size_of::<Split>() + size_of::<u32>()) > growth_limit {
            return None;
        }
        let mut complete = Self { depth, splits: vec![PADDING; size], leaves: vec![0; size] };
        for (index, tree) in trees.trees.iter().enumerate() {
            complete.lay_out(index << depth, &trees.nodes, tree.root);
        }
        Some(complete)
    }

    /// Lays out one tree from `first` on.
    fn lay_out(&mut self, first: usize, nodes: &[Node], root: u32) {
        let mut open = vec![(1, root)];
        while let Some((at, place)) = open.pop() {
            let node = nodes[place as usize];
            if at >= 1 << self.depth {
                self.leaves[first + at - (1 << self.depth)] = node.payload;
            } else if node.is_leaf_at(place) {
                open.extend([(2 * at + 1, place), (2 * at, place)]);
            } else {
                self.splits[first + at] = Split::new(&node);
                open.extend([(2 * at + 1, node.left + 1), (2 * at, node.left)]);
            }
        }
    }

    /// Size in memory.
    pub(super) fn bytes(&self) -> usize {
        self.leaves.len() * (size_of::<Split>() + size_of::<u32>())
    }

    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// Calls `visit` with leaves that `row` reaches: those of all trees, in order, some at a time.
    #[inline(always)]
    pub(super) fn visit_row<const MAY_MISS: bool>(&self, row: &Row, visit: impl FnMut(usize, &[u32])) {
        match self.depth {
            1 => self.visit_row_of::<4, 1, 2, MAY_MISS>(row, visit),
            2 => self.visit_row_of::<4, 2, 4, MAY_MISS>(row, visit),
            3 => self.visit_row_of::<4, 3, 8, MAY_MISS>(row, visit),
            4 => self.visit_row_of::<4, 4, 16, MAY_MISS>(row, visit),
            5 => self.visit_row_of::<8, 5, 32, MAY_MISS>(row, visit),
            6 => self.visit_row_of::<8, 6, 64, MAY_MISS>(row, visit),
            7 => self.visit_row_of::<8, 7, 128, MAY_MISS>(row, visit),
            _ => self.visit_row_of::<8, 8, 256, MAY_MISS>(row, visit),
        }
    }

    fn visit_row_of<const N: usize, const DEPTH: u32, const SIZE: usize, const MAY_MISS: bool>(
        &self,
        row: &Row,
        mut visit: impl FnMut(usize, &[u32]),
    ) {
        let (splits, _) = self.splits.as_chunks::<SIZE>();
        let (leaves, _) = self.leaves.as_chunks::<SIZE>();
        let (split_groups, split_rest) = splits.as_chunks::<N>();
        let (leaf_groups, leaf_rest) = leaves.as_chunks::<N>();
        for (index, (splits, leaves)) in split_groups.iter().zip(leaf_groups).enumerate() {
            let found = walk::<N, DEPTH, SIZE, MAY_MISS>(splits, leaves, row);
            visit(index * N, &found);
        }
        let first = split_groups.len() * N;
        for (index, (splits, leaves)) in split_rest.iter().zip(leaf_rest).enumerate() {
            let found =
                walk::<1, DEPTH, SIZE, MAY_MISS>(std::array::from_ref(splits), std::array::from_ref(leaves), row);
            visit(first + index, &found);
        }
    }

    /// Calls `visit` with the number of a tree, and what stands in the leaves that eight rows reach in
    /// it and those after it: all trees, in order, some at a time.
    pub(super) fn visit_lanes(&self, columns: &[Lanes; COLUMNS], mut visit: impl FnMut(usize, &[[u32; lanes::COUNT]])) {
        let mut found = [[0; lanes::COUNT]; lanes::TREES];
        let size = 1 << self.depth;
        let chunks = self.splits.chunks(size * lanes::TREES).zip(self.leaves.chunks(size * lanes::TREES));
        for (index, (splits, leaves)) in chunks.enumerate() {
            let found = &mut found[..leaves.len() / size];
            lanes::find(self.depth, splits, leaves, columns, found);
            visit(index * lanes::TREES, found);
        }
    }

    /// Calls `visit` with leaves of one tree: those that all rows reach, in order.
    #[inline(always)]
    pub(super) fn visit_tree<const MAY_MISS: bool>(
        &self,
        tree: usize,
        rows: &[Row],
        mut visit: impl FnMut(usize, &[u32]),
    ) {
        let size = 1 << self.depth;
        let splits = &self.splits[tree * size..][..size];
        let leaves = &self.leaves[tree * size..][..size];
        let (groups, rest) = rows.as_chunks::<LANES>();
        for (index, rows) in groups.iter().enumerate() {
            let found = walk_rows::<LANES, MAY_MISS>(splits, leaves, rows, self.depth);
            visit(index * LANES, &found);
        }
        let first = groups.len() * LANES;
        for (index, row) in rest.iter().enumerate() {
            let row = std::array::from_ref(row);
            let found = walk_rows::<1, MAY_MISS>(splits, leaves, row, self.depth);
            visit(first + index, &found);
        }
    }
}

/// Walks several trees with one row.
#[inline(always)]
fn walk<const N: usize, const DEPTH: u32, const SIZE: usize, const MAY_MISS: bool>(
    splits: &[[Split; SIZE]; N],
    leaves: &[[u32; SIZE]; N],
    row: &Row,
) -> [u32; N] {
    let mut at = [1; N];
    for _ in 0..DEPTH {
        for lane in 0..N {
            // The masks change nothing; they tell the compiler that the indices are in range.
            let split = splits[lane][at[lane] & (SIZE - 1)];
            at[lane] = 2 * at[lane] + usize::from(step::<MAY_MISS>(split, row));
        }
    }
    let mut found = [0; N];
    for lane in 0..N {
        found[lane] = leaves[lane][at[lane] & (SIZE - 1)];
    }
    found
}

/// Walks one tree with several rows.
#[inline(always)]
fn walk_rows<const N: usize, const MAY_MISS: bool>(
    splits: &[Split],
    leaves: &[u32],
    rows: &[Row; N],
    depth: u32,
) -> [u32; N] {
    let mut at = [1; N];
    for _ in 0..depth {
        for lane in 0..N {
            at[lane] = 2 * at[lane] + usize::from(step::<MAY_MISS>(splits[at[lane]], &rows[lane]));
        }
    }
    let mut found = [0; N];
    for lane in 0..N {
        found[lane] = leaves[at[lane] - leaves.len()];
    }
    found
}

#[inline(always)]
fn step<const MAY_MISS: bool>(split: Split, row: &Row) -> bool {
    let value = row[split.feature as usize % ROW];
    goes_right::<MAY_MISS>(value, split.threshold, split.feature)
}
