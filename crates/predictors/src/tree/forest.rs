//! Trees over the same features, in the layout that suits them.

#![expect(clippy::inline_always, reason = "the hot loop: a call for each step would cost more than the step")]

use std::ops::Range;

use super::{
    CompleteTrees, LinkedTrees, Missing, RowBlock,
    lanes::{self, COLUMNS, Lanes},
};

/// Trees beyond this size are walked tree by tree where there are enough rows.
const LARGE_BYTES: usize = 512 << 10;
const ROWS_WORTH_IT: usize = 4;

/// Trees over the same features.
#[derive(Debug)]
pub(crate) struct Forest {
    features: usize,
    tree_count: usize,
    layout: Layout,
}

/// Up to eight rows, laid out to go through all trees side by side.
#[derive(Debug)]
pub(crate) struct Eight<'a> {
    trees: &'a CompleteTrees,
    columns: &'a [Lanes; COLUMNS],
}

impl Eight<'_> {
    /// Calls `visit` with the number of a tree, and what stands in the leaves that the rows reach in
    /// this tree and those after it: all trees, in order, some at a time. Where there are fewer than
    /// eight rows, the last leaves mean nothing.
    pub(crate) fn visit(&self, visit: impl FnMut(usize, &[[u32; lanes::COUNT]])) {
        self.trees.visit_lanes(self.columns, visit);
    }

    /// Adds what stands in the leaves, as 32-bit floats, to the rows' sums of the outputs that the trees
    /// belong to.
    pub(crate) fn add_to(&self, outputs: &[u32], sums: &mut [[f32; lanes::COUNT]]) {
        self.visit(|tree, leaves| lanes::add(&outputs[tree..], leaves, sums));
    }
}

#[derive(Debug)]
enum Layout {
    Complete(CompleteTrees),
    Linked(LinkedTrees),
}

impl Forest {
    pub(super) fn new(features: usize, trees: LinkedTrees) -> Self {
        let tree_count = trees.trees.len();
        let layout = match CompleteTrees::new(&trees, features) {
            Some(complete) => Layout::Complete(complete),
            None => Layout::Linked(trees),
        };
        Self { features, tree_count, layout }
    }

    pub(crate) fn tree_count(&self) -> usize {
        self.tree_count
    }

    /// An estimate of the time in which a row, one of several, goes through all trees.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(crate) fn walk_nanoseconds(&self) -> f64 {
        let trees = self.tree_count as f64;
        let steps = match &self.layout {
            Layout::Complete(complete) if complete.depth() <= lanes::MAX_DEPTH => {
                return 0.12 * trees * f64::from(1u32 << complete.depth());
            }
            Layout::Complete(complete) => trees * f64::from(complete.depth()),
            Layout::Linked(linked) => linked.trees.iter().map(|tree| f64::from(tree.depth)).sum(),
        };
        let step = if self.bytes() > LARGE_BYTES { 3.5 } else { 1.2 };
        step * steps
    }

    fn bytes(&self) -> usize {
        match &self.layout {
            Layout::Complete(trees) => trees.bytes(),
            Layout::Linked(trees) => trees.bytes(),
        }
    }

    /// Whether a block is best walked tree by tree, all rows through one tree before the next. That
    /// pays for trees that the processor's nearer caches do not hold; others are faster row by row.
    pub(crate) fn is_better_by_tree(&self, block: &RowBlock<'_>) -> bool {
        self.bytes() > LARGE_BYTES && block.count() >= ROWS_WORTH_IT
    }

    /// Takes the rows of a block eight at a time, where that is faster than one after the other. Calls
    /// `visit` with the rows, and tells whether it did.
    pub(crate) fn visit_eights(&self, block: &RowBlock<'_>, mut visit: impl FnMut(Range<usize>, &Eight<'_>)) -> bool {
        let trees = match &self.layout {
            Layout::Complete(trees) if trees.depth() <= lanes::MAX_DEPTH && block.count() >= ROWS_WORTH_IT => trees,
            _ => return false,
        };
        let mut columns = [[0; lanes::COUNT]; COLUMNS];
        for (index, rows) in block.padded_rows().chunks(lanes::COUNT).enumerate() {
            lanes::fill(rows, self.features, &mut columns);
            let first = index * lanes::COUNT;
            visit(first..first + rows.len(), &Eight { trees, columns: &columns });
        }
        true
    }

    /// Calls `visit` with the number of a tree, and what stands in the leaves that a row reaches in
    /// this tree and those after it: all trees, in order, some at a time.
    #[inline(always)]
    pub(crate) fn visit_row(&self, block: &RowBlock<'_>, row: usize, visit: impl FnMut(usize, &[u32])) {
        match (&self.layout, block.missing) {
            (Layout::Complete(trees), Missing::Absent) => {
                trees.visit_row::<false>(&block.padded_rows()[row], visit);
            }
            (Layout::Complete(trees), Missing::Possible) => {
                trees.visit_row::<true>(&block.padded_rows()[row], visit);
            }
            (Layout::Linked(trees), Missing::Absent) => trees.visit_row::<false>(block.row(row), visit),
            (Layout::Linked(trees), Missing::Possible) => trees.visit_row::<true>(block.row(row), visit),
        }
    }

    /// Calls `visit` with the number of a row, and what stands in the leaves that this row and those
    /// after it reach in tree `tree`: all rows, in order, some at a time.
    #[inline(always)]
    pub(crate) fn visit_tree(&self, block: &RowBlock<'_>, tree: usize, visit: impl FnMut(usize, &[u32])) {
        let (keys, stride) = (block.keys, block.stride);
        match (&self.layout, block.missing) {
            (Layout::Complete(trees), Missing::Absent) => {
                trees.visit_tree::<false>(tree, block.padded_rows(), visit);
            }
            (Layout::Complete(trees), Missing::Possible) => {
                trees.visit_tree::<true>(tree, block.padded_rows(), visit);
            }
            (Layout::Linked(trees), Missing::Absent) => {
                trees.visit_tree::<false>(tree, keys, stride, visit);
            }
            (Layout::Linked(trees), Missing::Possible) => {
                trees.visit_tree::<true>(tree, keys, stride, visit);
            }
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the numbers are small"
)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use provost_inference::{Features, MissingValues};

    use crate::tree::{ForestBuilder, Side, SourceNode, Split, for_each_block};

    use super::*;

    /// A tree of random shape; the payload of a leaf is its number.
    #[derive(Debug, Clone)]
    struct Source(Vec<SourceNode>);

    /// Makes a tree of choices: how deep, and a feature and a threshold for each split.
    fn source(depth: u32, features: usize, choices: &[(u8, u8, bool)]) -> Source {
        let mut nodes = vec![SourceNode::Leaf(0)];
        let mut open = vec![(0usize, 0u32)];
        let mut choices = choices.iter();
        while let Some((node, level)) = open.pop() {
            let Some((feature, threshold, is_left)) = choices.next().filter(|_| level < depth) else {
                nodes[node] = SourceNode::Leaf(node as u32);
                continue;
            };
            let left = nodes.len();
            nodes.extend([SourceNode::Leaf(0); 2]);
            nodes[node] = SourceNode::Split(Split {
                feature: i64::from(*feature) % features as i64,
                threshold: f32::from(*threshold),
                missing: if *is_left { Side::Left } else { Side::Right },
                left: left as i64,
                right: left as i64 + 1,
            });
            open.extend([(left, level + 1), (left + 1, level + 1)]);
        }
        Source(nodes)
    }

    impl Source {
        /// The leaf that a row reaches, by the plainest of walks.
        fn leaf(&self, row: &[f64]) -> u32 {
            let mut node = 0;
            loop {
                match self.0[node] {
                    SourceNode::Leaf(payload) => return payload,
                    SourceNode::Split(split) => {
                        let value = row[split.feature as usize] as f32;
                        let goes_left = value <= split.threshold || value.is_nan() && split.missing == Side::Left;
                        node = (if goes_left { split.left } else { split.right }) as usize;
                    }
                }
            }
        }
    }

    fn forest(sources: &[Source], features: usize) -> Forest {
        let mut builder = ForestBuilder::new(features);
        for source in sources {
            builder.add_tree(source.0.len(), |node| source.0[node]).unwrap();
        }
        builder.build()
    }

    /// Compares all leaves of all rows, row by row and tree by tree.
    fn check(sources: &[Source], features: usize, rows: &[f64]) {
        let forest = forest(sources, features);
        let rows = Features::new(rows.len() / features, features, rows).unwrap();
        for_each_block(&rows, MissingValues::Accepted, |block| {
            for (index, row) in rows.iter_rows().enumerate() {
                let mut leaves = Vec::new();
                forest.visit_row(block, index, |first, found| {
                    assert_eq!(first, leaves.len());
                    leaves.extend_from_slice(found);
                });
                let expected: Vec<_> = sources.iter().map(|source| source.leaf(row)).collect();
                assert_eq!(leaves, expected, "row {index}");
            }
            forest.visit_eights(block, |eight, lanes| {
                let mut leaves = vec![Vec::new(); eight.len()];
                lanes.visit(|first, found| {
                    assert_eq!(first, leaves[0].len());
                    for (lane, leaves) in leaves.iter_mut().enumerate() {
                        leaves.extend(found.iter().map(|found| found[lane]));
                    }
                });
                for (row, leaves) in eight.zip(leaves) {
                    let row = &rows.values()[row * features..][..features];
                    let expected: Vec<_> = sources.iter().map(|source| source.leaf(row)).collect();
                    assert_eq!(leaves, expected);
                }
            });
            for (index, source) in sources.iter().enumerate() {
                let mut leaves = Vec::new();
                forest.visit_tree(block, index, |_, found| leaves.extend_from_slice(found));
                let expected: Vec<_> = rows.iter_rows().map(|row| source.leaf(row)).collect();
                assert_eq!(leaves, expected, "tree {index}");
            }
        })
        .unwrap();
    }

    /// Numbers, and holes among them where `may_miss`.
    fn value(may_miss: bool) -> impl Strategy<Value = f64> {
        let hole = if may_miss { f64::NAN } else { 7.0 };
        prop_oneof![9 => (0u8..=255).prop_map(f64::from), 1 => Just(hole)]
    }

    #[test]
    fn several_rows_go_through_shallow_trees_side_by_side() {
        let full = source(3, 2, &[(0, 9, true), (1, 4, false), (0, 3, true), (1, 7, true)].repeat(8));
        let values: Vec<_> = (0..22).map(f64::from).collect();
        let visited = |trees: &[Source], rows: usize| {
            let rows = Features::new(rows, 2, &values[..2 * rows]).unwrap();
            let mut visited = Vec::new();
            let forest = forest(trees, 2);
            for_each_block(&rows, MissingValues::Accepted, |block| {
                forest.visit_eights(block, |rows, _| visited.push(rows));
            })
            .unwrap();
            visited
        };
        assert_eq!(visited(std::slice::from_ref(&full), 11), [0..8, 8..11]);
        assert_eq!(visited(&[full], 3), [], "few rows are walked");
        let deep = source(6, 2, &[(0, 9, true), (1, 4, false), (0, 3, true), (1, 7, true)].repeat(40));
        assert_eq!(visited(&[deep], 11), [], "and so are deep trees");
    }

    proptest! {
        #[test]
        fn every_layout_reaches_the_leaves_of_a_plain_walk(
            depth in 0u32..12,
            features in prop::sample::select(vec![1usize, 3, 64, 65]),
            trees in vec(vec(any::<(u8, u8, bool)>(), 0..60), 1..80),
            values in any::<bool>().prop_flat_map(|may_miss| vec(value(may_miss), 65..900)),
        ) {
            let trees = trees.iter().map(|choices| source(depth, features, choices));
            let rows = (values.len() / features).min(20);
            check(&trees.collect::<Vec<_>>(), features, &values[..rows * features]);
        }
    }
}
