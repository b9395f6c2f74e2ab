//! Trees as they are read, laid out one after the other.

use crate::tree::{
    self, Cut, Forest, ForestBuilder, MissingRule, Side, SourceNode, Split, Test, WideBuilder, WideForest, WideNode,
    WideSplit, strict_threshold,
};

use super::Error;

/// Stands for "no child" in the nodes of a leaf.
const NO_CHILD: i64 = -1;
/// Categories beyond it are none: XGBoost keeps them in 32-bit floats.
const MAX_CATEGORY: i64 = 1 << 24;

/// One node of a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawNode {
    pub(super) left: i64,
    pub(super) right: i64,
    pub(super) feature: u32,
    /// The bound of a split: values below it go left. The value of a leaf.
    pub(super) value: f32,
    pub(super) is_default_left: bool,
}

impl RawNode {
    fn is_leaf(self) -> bool {
        self.left == NO_CHILD
    }

    fn missing(self) -> Side {
        if self.is_default_left { Side::Left } else { Side::Right }
    }
}

/// A tree of a file.
pub(super) trait RawTree {
    /// Number of nodes, the first of which is the root.
    fn count(&self) -> usize;

    fn node(&self, node: usize) -> RawNode;

    /// The categories that go right at each node that splits on some, by the nodes' numbers.
    fn category_splits(&self) -> Result<Vec<(usize, &[i64])>, Error> {
        Ok(Vec::new())
    }

    /// Values in each leaf: 0 and 1 both mean one.
    fn leaf_size(&self) -> usize {
        1
    }

    /// Appends the values in a leaf that has several; `None` if it has not.
    fn leaf_vector(&self, _node: usize, _into: &mut Vec<f32>) -> Option<()> {
        None
    }
}

/// What is laid out.
#[derive(Debug)]
enum Builder {
    Plain(ForestBuilder),
    /// From the first split on categories on.
    Wide(WideBuilder<u32>),
}

/// Trees in the layout that fits their splits.
#[derive(Debug)]
pub(super) enum AnyForest {
    Plain(Forest),
    Wide(WideForest<u32>),
}

/// Trees, laid out one after the other. A leaf stands for the bits of its value, or where leaves
/// have several values, for the place of the first of them in `vectors`.
#[derive(Debug)]
pub(super) struct Trees {
    builder: Builder,
    count: usize,
    leaf_size: usize,
    vectors: Vec<f32>,
}

impl Trees {
    pub(super) fn new() -> Self {
        let builder = Builder::Plain(ForestBuilder::with_any_features());
        Self { builder, count: 0, leaf_size: 1, vectors: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Adds a tree.
    pub(super) fn add(&mut self, tree: &impl RawTree) -> Result<(), Error> {
        let leaf_size = tree.leaf_size().max(1);
        if self.count > 0 && leaf_size != self.leaf_size {
            return Err(Error::malformed("some trees have vectors in their leaves and others have not"));
        }
        self.leaf_size = leaf_size;
        let categories = tree.category_splits()?;
        if !categories.is_empty() {
            self.make_wide()?;
        }
        let is_sound = self.lay_out(tree, &categories)?;
        if !is_sound {
            return Err(Error::malformed(format!("a leaf of tree {} is not finite or has no value", self.count)));
        }
        self.count += 1;
        Ok(())
    }

    /// Goes over to the layout that takes splits on categories.
    fn make_wide(&mut self) -> Result<(), Error> {
        if let Builder::Plain(builder) = &mut self.builder {
            let builder = std::mem::replace(builder, ForestBuilder::with_any_features());
            let wide = builder.into_wide(Cut::NotNegative).map_err(|source| self.tree_error(source))?;
            self.builder = Builder::Wide(wide);
        }
        Ok(())
    }

    fn tree_error(&self, source: tree::Error) -> Error {
        Error::Tree { tree: self.count, source }
    }

    /// Adds a tree and tells whether all its leaves are sound.
    fn lay_out(&mut self, tree: &impl RawTree, categories: &[(usize, &[i64])]) -> Result<bool, Error> {
        let mut leaves = Leaves { size: self.leaf_size, vectors: &mut self.vectors, is_sound: true };
        let added = match &mut self.builder {
            Builder::Plain(builder) => builder.add_tree(tree.count(), |index| {
                let node = tree.node(index);
                if node.is_leaf() { SourceNode::Leaf(leaves.add(tree, index, node)) } else { plain_split(node) }
            }),
            Builder::Wide(builder) => {
                let sets = add_sets(builder, tree.count(), categories)?;
                builder.add_tree(tree.count(), |index| {
                    let node = tree.node(index);
                    match sets.get(index).copied().flatten() {
                        _ if node.is_leaf() => WideNode::Leaf(leaves.add(tree, index, node)),
                        Some(set) => category_split(node, set),
                        None => wide_split(node),
                    }
                })
            }
        };
        let is_sound = leaves.is_sound;
        added.map_err(|source| self.tree_error(source))?;
        Ok(is_sound)
    }

    fn map_leaves(&mut self, change: impl FnMut(usize, u32) -> u32) {
        match &mut self.builder {
            Builder::Plain(builder) => builder.map_leaves(change),
            Builder::Wide(builder) => builder.map_leaves(change),
        }
    }

    fn truncate(&mut self, count: usize) {
        match &mut self.builder {
            Builder::Plain(builder) => builder.truncate(count),
            Builder::Wide(builder) => builder.truncate(count),
        }
        self.count = self.count.min(count);
    }

    /// The finished forest, whose splits must be on this many features.
    fn build(self, features: usize) -> Result<AnyForest, Error> {
        let features_error = |source: tree::Error| Error::malformed(source.to_string());
        match self.builder {
            Builder::Plain(builder) => builder.build_for(features).map(AnyForest::Plain),
            Builder::Wide(builder) => builder.build_for(features).map(AnyForest::Wide),
        }
        .map_err(features_error)
    }
}

/// The leaves of a tree that is being laid out.
struct Leaves<'a> {
    size: usize,
    vectors: &'a mut Vec<f32>,
    is_sound: bool,
}

impl Leaves<'_> {
    /// What the leaf at a node stands for.
    fn add(&mut self, tree: &impl RawTree, index: usize, node: RawNode) -> u32 {
        if self.size == 1 {
            self.is_sound &= node.value.is_finite();
            return node.value.to_bits();
        }
        let place = self.vectors.len();
        let found = tree.leaf_vector(index, self.vectors);
        let values = &self.vectors[place..];
        self.is_sound &= found.is_some() && values.iter().all(|value| value.is_finite());
        u32::try_from(place).unwrap_or_else(|_| {
            self.is_sound = false;
            0
        })
    }
}

fn plain_split(node: RawNode) -> SourceNode {
    SourceNode::Split(Split {
        feature: i64::from(node.feature),
        threshold: strict_threshold(node.value),
        missing: node.missing(),
        left: node.left,
        right: node.right,
    })
}

fn wide_split<P>(node: RawNode) -> WideNode<P> {
    WideNode::Split(WideSplit {
        feature: i64::from(node.feature),
        test: Test::AtMost(strict_threshold(node.value).into()),
        missing: MissingRule::NotANumber(node.missing()),
        left: node.left,
        right: node.right,
    })
}

/// Categories of the set go right in XGBoost, so the children change sides.
fn category_split<P>(node: RawNode, set: tree::SetId) -> WideNode<P> {
    let missing = if node.is_default_left { Side::Right } else { Side::Left };
    WideNode::Split(WideSplit {
        feature: i64::from(node.feature),
        test: Test::In(set),
        missing: MissingRule::NotANumber(missing),
        left: node.right,
        right: node.left,
    })
}

/// The set of each node that splits on categories.
fn add_sets(
    builder: &mut WideBuilder<u32>,
    count: usize,
    splits: &[(usize, &[i64])],
) -> Result<Vec<Option<tree::SetId>>, Error> {
    let mut sets = vec![None; if splits.is_empty() { 0 } else { count }];
    for (node, categories) in splits {
        let known = |category: &i64| u32::try_from(*category).ok().filter(|_| *category <= MAX_CATEGORY);
        let categories = categories.iter().map(known).collect::<Option<Vec<_>>>();
        let categories = categories.ok_or_else(|| Error::malformed("a category is out of range"))?;
        let set = builder.sets().add(categories).map_err(|error| Error::malformed(error.to_string()))?;
        *sets.get_mut(*node).ok_or_else(|| Error::malformed("a split on categories is at no node"))? = Some(set);
    }
    Ok(sets)
}

/// The trees of a model and what they add to.
#[derive(Debug)]
pub(super) struct Ensemble {
    pub(super) trees: Trees,
    /// The output that each tree adds to.
    pub(super) tree_groups: Vec<i64>,
    /// By what the trees of `dart` are multiplied.
    pub(super) weights: Option<Vec<f32>>,
    /// Trees that are grown at a time for each output.
    pub(super) parallel_trees: usize,
}

/// What the leaves of a forest add to.
#[derive(Debug)]
pub(super) enum LeafTargets {
    /// To one output, by the number of the tree.
    One(Box<[u32]>),
    /// To all outputs: one value for each, from where the leaf says.
    All(Box<[f32]>),
}

impl Ensemble {
    /// Outputs that the trees give a right to: one for each tree, or for each value of a leaf.
    pub(super) fn outputs(&self) -> usize {
        self.trees.len().max(if self.trees.len() > 0 { self.trees.leaf_size } else { 0 })
    }

    /// Drops all trees but those of the first rounds.
    pub(super) fn keep_rounds(&mut self, rounds: usize, groups: usize) {
        let outputs = if self.trees.leaf_size > 1 { 1 } else { groups };
        self.keep_trees(rounds.saturating_mul(outputs).saturating_mul(self.parallel_trees.max(1)));
    }

    /// Drops all trees but the first so many.
    pub(super) fn keep_trees(&mut self, count: usize) {
        self.trees.truncate(count);
        self.tree_groups.truncate(count);
        if let Some(weights) = &mut self.weights {
            weights.truncate(count);
        }
    }

    /// The forest over this many features, with the weights of its trees in its leaves.
    pub(super) fn build(mut self, features: usize, groups: usize) -> Result<(AnyForest, LeafTargets), Error> {
        let targets = self.tree_targets(groups)?;
        self.weigh()?;
        let leaf_size = self.trees.leaf_size;
        let targets = if leaf_size == 1 {
            LeafTargets::One(targets)
        } else if leaf_size == groups {
            LeafTargets::All(std::mem::take(&mut self.trees.vectors).into())
        } else {
            return Err(Error::malformed(format!("leaves hold {leaf_size} values for {groups} outputs")));
        };
        Ok((self.trees.build(features)?, targets))
    }

    fn tree_targets(&self, groups: usize) -> Result<Box<[u32]>, Error> {
        let (trees, listed) = (self.trees.len(), self.tree_groups.len());
        if trees != listed {
            return Err(Error::malformed(format!("it has {trees} trees, but lists outputs for {listed}")));
        }
        let known = |group: &i64| {
            let known = usize::try_from(*group).is_ok_and(|group| group < groups);
            known.then(|| u32::try_from(*group).ok()).flatten()
        };
        let targets = self.tree_groups.iter().map(known).collect::<Option<_>>();
        targets.ok_or_else(|| Error::malformed("a tree adds to an output that does not exist"))
    }

    /// Multiplies leaves by the weights of their trees, as the library does for every row.
    fn weigh(&mut self) -> Result<(), Error> {
        let Some(weights) = self.weights.take() else { return Ok(()) };
        if weights.len() != self.trees.len() || weights.iter().any(|weight| !weight.is_finite()) {
            return Err(Error::malformed("`weight_drop` is no list of a number for each tree"));
        }
        if self.trees.leaf_size > 1 {
            let what = "`dart` with vectors in its leaves".to_owned();
            return Err(Error::Unsupported { what, supported: "" });
        }
        self.trees.map_leaves(|tree, leaf| (f32::from_bits(leaf) * weights[tree]).to_bits());
        Ok(())
    }
}
