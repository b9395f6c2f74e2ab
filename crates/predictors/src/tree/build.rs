//! Checks trees from outside and lays them out.

use super::{
    Error, Forest, LinkedTrees, MISSING_LEFT,
    category::{CategorySets, Cut},
    key::{key, value},
    linked::{Node, Tree},
    traversal::{Pending, Traversal},
    wide,
    wide_build::WideBuilder,
};

/// A node as its library stores it, with children as indices into the library's nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum SourceNode {
    Split(Split),
    /// A leaf, and what it stands for.
    Leaf(u32),
}

/// Values up to `threshold` go left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Split {
    pub(crate) feature: i64,
    pub(crate) threshold: f32,
    pub(crate) missing: Side,
    pub(crate) left: i64,
    pub(crate) right: i64,
}

/// Where missing values go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Collects the trees of a forest.
#[derive(Debug)]
pub(crate) struct ForestBuilder {
    /// Number of features, or more than any tree has while it is not known.
    features: usize,
    /// The highest feature that a split is on, and its node.
    highest: Option<(u32, usize)>,
    nodes: Vec<Node>,
    trees: Vec<Tree>,
}

impl ForestBuilder {
    /// A builder for trees over this many features.
    pub(crate) fn new(features: usize) -> Self {
        Self { features, highest: None, nodes: Vec::new(), trees: Vec::new() }
    }

    /// A builder for trees whose number of features is not known yet.
    pub(crate) fn with_any_features() -> Self {
        Self::new(MISSING_LEFT as usize)
    }

    /// Adds a tree of `count` nodes, the first of which is its root. `source` is asked once for each
    /// node that can be reached.
    pub(crate) fn add_tree(&mut self, count: usize, mut source: impl FnMut(usize) -> SourceNode) -> Result<(), Error> {
        if count == 0 || self.features == 0 {
            return Err(Error::Empty);
        }
        let root = self.reserve(1)?;
        let mut way = Traversal::new(count, root);
        while let Some(next) = way.next()? {
            match source(next.source) {
                SourceNode::Leaf(payload) => {
                    self.nodes[next.place] = Node::leaf(index(next.place)?, payload);
                }
                SourceNode::Split(split) => self.add_split(next, &split, &mut way)?,
            }
        }
        self.trees.push(Tree { root: index(root)?, depth: way.deepest() });
        Ok(())
    }

    /// Lays out a split and goes on with its children.
    fn add_split(&mut self, at: Pending, split: &Split, way: &mut Traversal) -> Result<(), Error> {
        let node = at.source;
        let children = way.children(node, [split.left, split.right])?;
        if split.threshold.is_nan() {
            return Err(Error::ThresholdNotANumber { node });
        }
        let feature = self.checked_feature(node, split)?;
        let place = self.reserve(2)?;
        self.nodes[at.place] = Node {
            threshold: key(split.threshold),
            feature: feature | if split.missing == Side::Left { MISSING_LEFT } else { 0 },
            left: index(place)?,
            payload: 0,
        };
        way.descend(at, children, place);
        Ok(())
    }

    fn checked_feature(&mut self, node: usize, split: &Split) -> Result<u32, Error> {
        let out_of_range = Error::FeatureOutOfRange { node, feature: split.feature, count: self.features };
        let known = u32::try_from(split.feature)
            .ok()
            .filter(|feature| (*feature as usize) < self.features && *feature < MISSING_LEFT);
        let feature = known.ok_or(out_of_range)?;
        self.highest = self.highest.max(Some((feature, node)));
        Ok(feature)
    }

    /// Makes room for `count` nodes and gives the place of the first.
    fn reserve(&mut self, count: usize) -> Result<usize, Error> {
        let place = self.nodes.len();
        index(place + count)?;
        self.nodes.resize(place + count, Node::leaf(0, 0));
        Ok(place)
    }

    /// Replaces what stands in each leaf, given the number of its tree.
    pub(crate) fn map_leaves(&mut self, mut change: impl FnMut(usize, u32) -> u32) {
        let ends = self.trees.iter().skip(1).map(|tree| tree.root).chain(u32::try_from(self.nodes.len()));
        let mut first = 0;
        for (tree, end) in ends.enumerate() {
            for place in first..end {
                let node = &mut self.nodes[place as usize];
                if node.is_leaf_at(place) {
                    node.payload = change(tree, node.payload);
                }
            }
            first = end;
        }
    }

    /// Drops all trees but the first `count`.
    pub(crate) fn truncate(&mut self, count: usize) {
        if let Some(tree) = self.trees.get(count) {
            self.nodes.truncate(tree.root as usize);
            self.trees.truncate(count);
        }
    }

    /// The same trees in a layout that takes any kind of split.
    pub(crate) fn into_wide(self, cut: Cut) -> Result<WideBuilder<u32>, Error> {
        let wide_node = |(node, place): (&Node, u32)| {
            if node.is_leaf_at(place) {
                return wide::Node::leaf(place);
            }
            wide::Node { threshold: value(node.threshold).into(), feature: node.feature, left: node.left }
        };
        let out_of_range = |(feature, node): (u32, usize)| {
            let count = wide::FEATURE as usize;
            (feature >= wide::FEATURE).then_some(Error::FeatureOutOfRange { node, feature: feature.into(), count })
        };
        match self.highest.and_then(out_of_range) {
            Some(error) => Err(error),
            None => Ok(WideBuilder {
                nodes: self.nodes.iter().zip(0..).map(wide_node).collect(),
                payloads: self.nodes.iter().map(|node| node.payload).collect(),
                trees: self.trees.iter().map(|tree| wide::Tree { root: tree.root, depth: tree.depth }).collect(),
                sets: CategorySets::new(cut),
                highest: self.highest,
            }),
        }
    }

    /// The forest over the features that the builder was made for.
    pub(crate) fn build(self) -> Forest {
        let Self { features, mut nodes, mut trees, .. } = self;
        nodes.shrink_to_fit();
        trees.shrink_to_fit();
        Forest::new(features, LinkedTrees { nodes, trees })
    }

    /// The forest over this many features, if no split is on any beyond them.
    pub(crate) fn build_for(self, features: usize) -> Result<Forest, Error> {
        match self.highest {
            _ if features == 0 => Err(Error::Empty),
            Some((feature, node)) if feature as usize >= features => {
                Err(Error::FeatureOutOfRange { node, feature: feature.into(), count: features })
            }
            _ => Ok(Self { features, ..self }.build()),
        }
    }
}

fn index(place: usize) -> Result<u32, Error> {
    u32::try_from(place).map_err(|_| Error::TooManyNodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(feature: i64, left: i64, right: i64) -> SourceNode {
        SourceNode::Split(Split { feature, threshold: 0.5, missing: Side::Left, left, right })
    }

    #[track_caller]
    fn check(nodes: &[SourceNode], expected: Error) {
        let outcome = ForestBuilder::new(2).add_tree(nodes.len(), |node| nodes[node]);
        assert_eq!(outcome, Err(expected));
    }

    #[test]
    fn broken_trees_are_refused() {
        let leaf = SourceNode::Leaf(0);
        check(&[], Error::Empty);
        check(&[split(0, 1, 7), leaf], Error::ChildOutOfRange { node: 0, child: 7, count: 2 });
        check(&[split(0, -5, 1), leaf], Error::ChildOutOfRange { node: 0, child: -5, count: 2 });
        check(&[split(2, 1, 2), leaf, leaf], Error::FeatureOutOfRange { node: 0, feature: 2, count: 2 });
        check(&[split(-2, 1, 2), leaf, leaf], Error::FeatureOutOfRange { node: 0, feature: -2, count: 2 });
    }

    #[test]
    fn a_tree_that_bites_its_tail_is_refused() {
        let leaf = SourceNode::Leaf(0);
        check(&[split(0, 0, 1), leaf], Error::ReachedTwice { node: 0 });
        check(&[split(0, 1, 1), leaf], Error::ReachedTwice { node: 1 });
    }

    #[test]
    fn a_threshold_that_is_not_a_number_is_refused() {
        let broken = Split { feature: 0, threshold: f32::NAN, missing: Side::Left, left: 1, right: 2 };
        let leaf = SourceNode::Leaf(0);
        check(&[SourceNode::Split(broken), leaf, leaf], Error::ThresholdNotANumber { node: 0 });
    }
}
