//! Checks wide trees from outside and lays them out.

use super::{
    Error, Side,
    category::{CategorySets, Cut, SetId},
    traversal::{Pending, Traversal},
    wide::{CATEGORIES, FEATURE, MISSING_LEFT, Node, Tree, WideForest, ZERO_IS_MISSING, threshold_of},
};

/// A node as its library stores it, with children as indices into the library's nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum WideNode<P> {
    Split(WideSplit),
    /// A leaf, and what it stands for.
    Leaf(P),
}

/// A split on one feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WideSplit {
    pub(crate) feature: i64,
    pub(crate) test: Test,
    pub(crate) missing: MissingRule,
    pub(crate) left: i64,
    pub(crate) right: i64,
}

/// What a value must be to go left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Test {
    AtMost(f64),
    In(SetId),
}

/// Which values are missing, and where these go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingRule {
    NotANumber(Side),
    ZeroOrNotANumber(Side),
}

impl MissingRule {
    fn flags(self) -> u32 {
        let (Self::NotANumber(side) | Self::ZeroOrNotANumber(side)) = self;
        let zero = if matches!(self, Self::ZeroOrNotANumber(_)) { ZERO_IS_MISSING } else { 0 };
        zero | if side == Side::Left { MISSING_LEFT } else { 0 }
    }
}

/// Collects the trees of a wide forest.
#[derive(Debug)]
pub(crate) struct WideBuilder<P> {
    pub(super) nodes: Vec<Node>,
    pub(super) payloads: Vec<P>,
    pub(super) trees: Vec<Tree>,
    pub(super) sets: CategorySets,
    /// The highest feature that a split is on, and its node.
    pub(super) highest: Option<(u32, usize)>,
}

impl<P: Copy + Default> WideBuilder<P> {
    pub(crate) fn new(cut: Cut) -> Self {
        let (nodes, payloads, trees) = (Vec::new(), Vec::new(), Vec::new());
        Self { nodes, payloads, trees, sets: CategorySets::new(cut), highest: None }
    }

    /// The sets that splits may name.
    pub(crate) fn sets(&mut self) -> &mut CategorySets {
        &mut self.sets
    }

    /// Adds a tree of `count` nodes, the first of which is its root. `source` is asked once for each
    /// node that can be reached.
    pub(crate) fn add_tree(&mut self, count: usize, mut source: impl FnMut(usize) -> WideNode<P>) -> Result<(), Error> {
        if count == 0 {
            return Err(Error::Empty);
        }
        let root = self.reserve(1)?;
        let mut way = Traversal::new(count, root);
        while let Some(next) = way.next()? {
            match source(next.source) {
                WideNode::Leaf(payload) => {
                    self.nodes[next.place] = Node::leaf(index(next.place)?);
                    self.payloads[next.place] = payload;
                }
                WideNode::Split(split) => self.add_split(next, &split, &mut way)?,
            }
        }
        self.trees.push(Tree { root: index(root)?, depth: way.deepest() });
        Ok(())
    }

    /// Lays out a split and goes on with its children.
    fn add_split(&mut self, at: Pending, split: &WideSplit, way: &mut Traversal) -> Result<(), Error> {
        let node = at.source;
        let children = way.children(node, [split.left, split.right])?;
        let (threshold, kind) = match split.test {
            Test::AtMost(threshold) if threshold.is_nan() => return Err(Error::ThresholdNotANumber { node }),
            Test::AtMost(threshold) => (threshold, 0),
            Test::In(set) => (threshold_of(set), CATEGORIES),
        };
        let feature = self.checked_feature(node, split.feature)?;
        let place = self.reserve(2)?;
        self.nodes[at.place] = Node { threshold, feature: feature | kind | split.missing.flags(), left: index(place)? };
        way.descend(at, children, place);
        Ok(())
    }

    fn checked_feature(&mut self, node: usize, feature: i64) -> Result<u32, Error> {
        let out_of_range = Error::FeatureOutOfRange { node, feature, count: FEATURE as usize };
        let known = u32::try_from(feature).ok().filter(|feature| *feature < FEATURE).ok_or(out_of_range)?;
        self.highest = self.highest.max(Some((known, node)));
        Ok(known)
    }

    /// Makes room for `count` nodes and gives the place of the first.
    fn reserve(&mut self, count: usize) -> Result<usize, Error> {
        let place = self.nodes.len();
        index(place + count)?;
        self.nodes.resize(place + count, Node::leaf(0));
        self.payloads.resize(place + count, P::default());
        Ok(place)
    }

    /// Replaces what stands in each leaf, given the number of its tree.
    pub(crate) fn map_leaves(&mut self, mut change: impl FnMut(usize, P) -> P) {
        let ends = self.trees.iter().skip(1).map(|tree| tree.root as usize).chain([self.nodes.len()]);
        let mut first = 0;
        for (tree, end) in ends.enumerate() {
            for payload in &mut self.payloads[first..end] {
                *payload = change(tree, *payload);
            }
            first = end;
        }
    }

    /// Drops all trees but the first `count`.
    pub(crate) fn truncate(&mut self, count: usize) {
        if let Some(tree) = self.trees.get(count) {
            self.nodes.truncate(tree.root as usize);
            self.payloads.truncate(tree.root as usize);
            self.trees.truncate(count);
        }
    }

    /// The forest over this many features, if no split is on any beyond them.
    pub(crate) fn build_for(self, features: usize) -> Result<WideForest<P>, Error> {
        match self.highest {
            _ if features == 0 => return Err(Error::Empty),
            Some((feature, node)) if feature as usize >= features => {
                return Err(Error::FeatureOutOfRange { node, feature: feature.into(), count: features });
            }
            _ => {}
        }
        let Self { mut nodes, mut payloads, mut trees, sets, .. } = self;
        nodes.shrink_to_fit();
        payloads.shrink_to_fit();
        trees.shrink_to_fit();
        let has_special_splits = nodes.iter().any(|node| node.feature & (CATEGORIES | ZERO_IS_MISSING) != 0);
        Ok(WideForest { nodes, payloads, trees, sets, has_special_splits })
    }
}

fn index(place: usize) -> Result<u32, Error> {
    u32::try_from(place).map_err(|_| Error::TooManyNodes)
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use crate::tree::{ForestBuilder, SourceNode, Split};

    use super::*;

    const FEATURES: usize = 3;

    /// What makes one split: feature, threshold or set, which of these, and the rule for missing values.
    type Choice = (u8, u8, bool, bool, bool);

    /// A tree of random shape; the payload of a leaf is its number.
    fn tree(depth: u32, choices: &[Choice], sets: &mut CategorySets) -> Vec<WideNode<u32>> {
        let mut nodes = vec![WideNode::Leaf(0)];
        let mut open = vec![(0usize, 0u32)];
        let mut choices = choices.iter();
        while let Some((node, level)) = open.pop() {
            let Some((feature, number, is_set, is_left, is_zero_missing)) = choices.next().filter(|_| level < depth)
            else {
                nodes[node] = WideNode::Leaf(node as u32);
                continue;
            };
            let side = if *is_left { Side::Left } else { Side::Right };
            let test = if *is_set {
                Test::In(sets.add(vec![u32::from(*number) / 2, 3, 100]).unwrap())
            } else {
                Test::AtMost(f64::from(*number) - 100.0 + 1e-12)
            };
            let (left, right) = (nodes.len(), nodes.len() + 1);
            nodes.extend([WideNode::Leaf(0); 2]);
            nodes[node] = WideNode::Split(WideSplit {
                feature: i64::from(*feature) % FEATURES as i64,
                test,
                missing: if *is_zero_missing {
                    MissingRule::ZeroOrNotANumber(side)
                } else {
                    MissingRule::NotANumber(side)
                },
                left: left as i64,
                right: right as i64,
            });
            open.extend([(left, level + 1), (right, level + 1)]);
        }
        nodes
    }

    /// The leaf that a row reaches, by the plainest of walks.
    fn leaf(nodes: &[WideNode<u32>], sets: &CategorySets, row: &[f64]) -> u32 {
        let mut node = 0;
        loop {
            match nodes[node] {
                WideNode::Leaf(payload) => return payload,
                WideNode::Split(split) => {
                    let value = row[split.feature as usize];
                    let (MissingRule::NotANumber(side) | MissingRule::ZeroOrNotANumber(side)) = split.missing;
                    let is_zero = value == 0.0 && matches!(split.missing, MissingRule::ZeroOrNotANumber(_));
                    let goes_left = match split.test {
                        _ if value.is_nan() || is_zero => side == Side::Left,
                        Test::AtMost(threshold) => value <= threshold,
                        Test::In(set) => sets.contains(set, value),
                    };
                    node = (if goes_left { split.left } else { split.right }) as usize;
                }
            }
        }
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![6 => (0u8..=255).prop_map(|value| f64::from(value) - 100.0), 1 => Just(f64::NAN), 1 => Just(0.0)]
    }

    /// Compares all leaves of all rows, row by row and tree by tree.
    fn check(trees: &[Vec<WideNode<u32>>], builder: WideBuilder<u32>, rows: &[f64]) {
        let forest = builder.build_for(FEATURES).unwrap();
        let care = forest.care_for(rows);
        for row in rows.chunks_exact(FEATURES) {
            let mut found = Vec::new();
            forest.visit_row(care, row, |first, leaves| {
                assert_eq!(first, found.len());
                found.extend_from_slice(leaves);
            });
            let expected: Vec<_> = trees.iter().map(|tree| leaf(tree, &forest.sets, row)).collect();
            assert_eq!(found, expected, "{row:?}");
        }
        for (index, tree) in trees.iter().enumerate() {
            let mut found = Vec::new();
            forest.visit_tree(care, index, rows, FEATURES, |_, leaves| found.extend_from_slice(leaves));
            let expected: Vec<_> = rows.chunks_exact(FEATURES).map(|row| leaf(tree, &forest.sets, row)).collect();
            assert_eq!(found, expected, "tree {index}");
        }
    }

    proptest! {
        #[test]
        fn the_leaves_of_a_plain_walk_are_reached(
            depth in 0u32..10,
            trees in vec(vec(any::<Choice>(), 0..40), 1..20),
            is_plain: bool,
            values in vec(value(), 3..90),
        ) {
            let mut builder = WideBuilder::new(Cut::TowardsZero);
            let mut sources = Vec::new();
            for choices in &trees {
                let plain = |(feature, number, _, is_left, _): &Choice| (*feature, *number, false, *is_left, false);
                let choices: Vec<_> = choices.iter().map(|choice| if is_plain { plain(choice) } else { *choice }).collect();
                let nodes = tree(depth, &choices, builder.sets());
                builder.add_tree(nodes.len(), |node| nodes[node]).unwrap();
                sources.push(nodes);
            }
            check(&sources, builder, &values[..values.len() / FEATURES * FEATURES]);
        }
    }

    fn split(feature: i64, left: i64, right: i64) -> WideNode<u32> {
        let (test, missing) = (Test::AtMost(0.5), MissingRule::NotANumber(Side::Left));
        WideNode::Split(WideSplit { feature, test, missing, left, right })
    }

    #[test]
    fn broken_trees_are_refused() {
        let check = |nodes: &[WideNode<u32>], expected: Error| {
            let outcome = WideBuilder::new(Cut::TowardsZero).add_tree(nodes.len(), |node| nodes[node]);
            assert_eq!(outcome, Err(expected));
        };
        let leaf = WideNode::Leaf(0);
        check(&[], Error::Empty);
        check(&[split(0, 1, 7), leaf], Error::ChildOutOfRange { node: 0, child: 7, count: 2 });
        check(&[split(0, -5, 1), leaf], Error::ChildOutOfRange { node: 0, child: -5, count: 2 });
        check(
            &[split(-2, 1, 2), leaf, leaf],
            Error::FeatureOutOfRange { node: 0, feature: -2, count: FEATURE as usize },
        );
        check(&[split(0, 0, 1), leaf], Error::ReachedTwice { node: 0 });
        check(&[split(0, 1, 1), leaf], Error::ReachedTwice { node: 1 });
        let (test, missing) = (Test::AtMost(f64::NAN), MissingRule::NotANumber(Side::Left));
        let nan = WideNode::Split(WideSplit { feature: 0, test, missing, left: 1, right: 2 });
        check(&[nan, leaf, leaf], Error::ThresholdNotANumber { node: 0 });
    }

    #[test]
    fn a_feature_that_the_model_lacks_is_refused() {
        let nodes = [split(4, 1, 2), WideNode::Leaf(1), WideNode::Leaf(2)];
        let mut builder = WideBuilder::new(Cut::TowardsZero);
        builder.add_tree(3, |node| nodes[node]).unwrap();
        let error = Error::FeatureOutOfRange { node: 0, feature: 4, count: 4 };
        assert_eq!(builder.build_for(4).unwrap_err(), error);
    }

    #[test]
    fn plain_trees_stay_what_they_are_when_they_become_wide() {
        let split = |threshold| Split { feature: 1, threshold, missing: Side::Left, left: 1, right: 2 };
        let mut plain = ForestBuilder::with_any_features();
        for threshold in [0.5, -3.0, f32::MIN, 0.0] {
            let nodes = [SourceNode::Split(split(threshold)), SourceNode::Leaf(7), SourceNode::Leaf(8)];
            plain.add_tree(3, |node| nodes[node]).unwrap();
        }
        plain.truncate(3);
        plain.map_leaves(|tree, leaf| leaf + 10 * tree as u32);
        let forest = plain.into_wide(Cut::NotNegative).unwrap().build_for(FEATURES).unwrap();
        for (value, expected) in [(0.5, [7, 18, 28]), (f64::NAN, [7, 17, 27]), (-3.0, [7, 17, 28]), (1.0, [8, 18, 28])]
        {
            let (row, mut found) = ([0.0, value, 0.0], Vec::new());
            forest.visit_row(forest.care_for(&row), &row, |_, leaves| found.extend_from_slice(leaves));
            assert_eq!(found, expected, "{value}");
        }
    }
}
