//! `sklearn.tree._tree.Tree`: the nodes and leaf values of one tree.

use crate::{
    numpy::{self, NdArray},
    pickle::{Node, NodeId, Object, ObjectForm, Pickle},
    tree::{ForestBuilder, Side, SourceNode, Split, floor_threshold},
};

use super::{
    Error,
    record::{Attribute, Record},
};

/// Stands for "no child" in the nodes of a leaf.
const NO_CHILD: i64 = -1;

/// What a leaf holds for each output: one target, or a value for each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeafShape {
    /// Values for each output: 1 in a regressor, the number of classes in a classifier.
    pub(super) widths: Vec<usize>,
    pub(super) normalisation: Normalisation,
}

/// Up to 1.3 the leaves of classifiers hold weighted counts, later fractions. What is a fraction
/// already must not be divided again: that could move its last bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Normalisation {
    AsStored,
    DivideBySum,
}

impl LeafShape {
    /// Values of one leaf.
    pub(super) fn width(&self) -> usize {
        self.widths.iter().sum()
    }
}

/// Collects the trees of an estimator.
#[derive(Debug)]
pub(super) struct Trees {
    features: usize,
    pub(super) shape: LeafShape,
    pub(super) forest: ForestBuilder,
    /// The values of all leaves, [`LeafShape::width`] each.
    pub(super) leaf_values: Vec<f64>,
}

impl Trees {
    pub(super) fn new(features: usize, shape: LeafShape) -> Self {
        Self { features, shape, forest: ForestBuilder::new(features), leaf_values: Vec::new() }
    }

    /// Adds the tree of `record`, an estimator of one tree.
    pub(super) fn add(&mut self, record: &Record<'_>, number: usize) -> Result<(), Error> {
        let raw = self.raw(record)?;
        let Self { shape, forest, leaf_values, .. } = self;
        let width = shape.width();
        let added = forest.add_tree(raw.left.len(), |node| {
            if raw.left[node] != NO_CHILD {
                return SourceNode::Split(raw.split(node));
            }
            let leaf = u32::try_from(leaf_values.len() / width).unwrap_or(u32::MAX);
            raw.push_leaf(node, shape, leaf_values);
            SourceNode::Leaf(leaf)
        });
        let estimator = || record.estimator.name.to_owned();
        added.map_err(|source| Error::Tree { estimator: estimator(), tree: number, source })
    }
}

impl Trees {
    fn raw(&self, record: &Record<'_>) -> Result<RawTree, Error> {
        let tree = record.get("tree_")?;
        let raw = RawTree::parse(tree, self.features, &self.shape)?;
        if raw.values.iter().all(|value| value.is_finite()) {
            return Ok(raw);
        }
        Err(tree.problem("has a leaf value that is not finite"))
    }

    /// Adds a tree of one number a leaf, which counts for one of several scores, times a factor. Leaves then have a
    /// value for each score.
    pub(super) fn add_scaled(
        &mut self,
        record: &Record<'_>,
        number: usize,
        factor: f64,
        (score, width): (usize, usize),
    ) -> Result<(), Error> {
        let raw = self.raw(record)?;
        record.pickle.charge(raw.left.len().saturating_mul(8 * width)).map_err(|_| Error::OverBudget)?;
        self.add_leaves(record, number, &raw, width, |node, values| values[score] = factor * raw.values[node])
    }

    /// Adds a tree over some of the features, whose leaves are worth their depth and what `more` makes of the number
    /// of rows that came there.
    pub(super) fn add_depths(
        &mut self,
        record: &Record<'_>,
        number: usize,
        columns: &[usize],
        more: fn(f64) -> f64,
    ) -> Result<(), Error> {
        let tree = record.get("tree_")?;
        let mut raw = RawTree::parse(tree, columns.len(), &self.shape)?;
        let samples = raw.samples.take().ok_or_else(|| tree.problem("does not tell how many rows came to a node"))?;
        for feature in &mut raw.feature {
            let column = usize::try_from(*feature).ok().and_then(|index| columns.get(index));
            *feature = column.and_then(|column| i64::try_from(*column).ok()).unwrap_or(-1);
        }
        let depths = raw.depths();
        #[expect(clippy::cast_precision_loss, reason = "as Python counts")]
        let worth = |node: usize| f64::from(depths[node]) + more(samples[node] as f64);
        self.add_leaves(record, number, &raw, 1, |node, values| values[0] = worth(node))
    }

    /// Adds a tree that is a leaf.
    pub(super) fn add_constant(&mut self, values: &[f64]) -> Result<(), Error> {
        let leaf = u32::try_from(self.leaf_values.len() / values.len().max(1)).unwrap_or(u32::MAX);
        let added = self.forest.add_tree(1, |_| SourceNode::Leaf(leaf));
        self.leaf_values.extend_from_slice(values);
        added.map_err(|source| Error::Tree { estimator: "init_".to_owned(), tree: 0, source })
    }

    /// Adds a tree, for each of whose leaves `fill` tells the values.
    fn add_leaves(
        &mut self,
        record: &Record<'_>,
        number: usize,
        raw: &RawTree,
        width: usize,
        fill: impl Fn(usize, &mut [f64]),
    ) -> Result<(), Error> {
        let Self { forest, leaf_values, .. } = self;
        let added = forest.add_tree(raw.left.len(), |node| {
            if raw.left[node] != NO_CHILD {
                return SourceNode::Split(raw.split(node));
            }
            let start = leaf_values.len();
            leaf_values.resize(start + width, 0.0);
            fill(node, &mut leaf_values[start..]);
            SourceNode::Leaf(u32::try_from(start / width).unwrap_or(u32::MAX))
        });
        let estimator = || record.estimator.name.to_owned();
        added.map_err(|source| Error::Tree { estimator: estimator(), tree: number, source })
    }
}

/// The arrays of a tree.
#[derive(Debug)]
struct RawTree {
    left: Vec<i64>,
    right: Vec<i64>,
    feature: Vec<i64>,
    threshold: Vec<f64>,
    /// Since 1.3.
    missing_left: Option<Vec<i64>>,
    /// `outputs × most classes` for each node.
    values: Vec<f64>,
    most_classes: usize,
    /// How many rows came to each node.
    samples: Option<Vec<i64>>,
}

impl RawTree {
    /// Reads `Tree(n_features, n_classes, n_outputs)` and its state.
    fn parse(tree: Attribute<'_>, features: usize, shape: &LeafShape) -> Result<Self, Error> {
        let object = tree.pickle.object(tree.id).filter(|object| is_tree(tree.pickle, object));
        let object = object.ok_or_else(|| tree.problem("is not a tree"))?;
        check_arguments(tree, object, features, shape)?;
        let state = object.state.map(|state| tree.pickle.node(state));
        let Some(Node::Dict(entries)) = state else { return Err(tree.problem("has no state")) };
        let entry = |name| {
            let id = tree.pickle.entry(entries, name);
            id.ok_or_else(|| tree.problem(format!("has no `{name}`")))
        };
        let array = |name| {
            let array = NdArray::parse(tree.pickle, entry(name)?);
            array.map_err(|error| tree.numpy_problem(error))
        };
        let (nodes, values) = (array("nodes")?, array("values")?);
        if counts(tree.pickle, entry("node_count")?) != Some(nodes.len()) {
            return Err(tree.problem("has another number of nodes than its `node_count`"));
        }
        check_values(tree, nodes.len(), &values.shape, shape)?;
        Self::decode(&nodes, &values, tree.pickle).map_err(|error| tree.numpy_problem(error))
    }

    fn decode(nodes: &NdArray<'_>, values: &NdArray<'_>, pickle: &Pickle<'_>) -> Result<Self, numpy::Error> {
        let missing = nodes.has_field(pickle, "missing_go_to_left");
        let missing = missing.then(|| nodes.integer_field(pickle, "missing_go_to_left"));
        let samples = nodes.has_field(pickle, "n_node_samples");
        let samples = samples.then(|| nodes.integer_field(pickle, "n_node_samples"));
        Ok(Self {
            left: nodes.integer_field(pickle, "left_child")?,
            right: nodes.integer_field(pickle, "right_child")?,
            feature: nodes.integer_field(pickle, "feature")?,
            threshold: nodes.float_field(pickle, "threshold")?,
            missing_left: missing.transpose()?,
            values: values.floats(pickle)?,
            most_classes: values.shape.last().copied().unwrap_or(0),
            samples: samples.transpose()?,
        })
    }

    /// How deep each node is. What is no tree is told when it is laid out.
    fn depths(&self) -> Vec<u32> {
        let (mut depths, mut open) = (vec![u32::MAX; self.left.len()], vec![(0usize, 0u32)]);
        while let Some((node, depth)) = open.pop() {
            if depths.get(node).is_none_or(|known| *known != u32::MAX) {
                continue;
            }
            depths[node] = depth;
            let children = [self.left[node], self.right[node]].map(usize::try_from);
            open.extend(children.into_iter().flatten().map(|child| (child, depth + 1)));
        }
        depths
    }

    fn split(&self, node: usize) -> Split {
        let missing_left = self.missing_left.as_ref().is_some_and(|left| left[node] != 0);
        Split {
            feature: self.feature[node],
            threshold: floor_threshold(self.threshold[node]),
            missing: if missing_left { Side::Left } else { Side::Right },
            left: self.left[node],
            right: self.right[node],
        }
    }

    /// Appends the values of a leaf: those that count, for each output.
    fn push_leaf(&self, node: usize, shape: &LeafShape, leaf_values: &mut Vec<f64>) {
        let outputs = shape.widths.len();
        for (output, width) in shape.widths.iter().enumerate() {
            let first = (node * outputs + output) * self.most_classes;
            let values = &self.values[first..first + width];
            let divisor = match shape.normalisation {
                Normalisation::AsStored => 1.0,
                Normalisation::DivideBySum => Some(sum(values)).filter(|sum| *sum != 0.0).unwrap_or(1.0),
            };
            leaf_values.extend(values.iter().map(|value| value / divisor));
        }
    }
}

fn is_tree(pickle: &Pickle<'_>, object: &Object) -> bool {
    let name = pickle.name(object.callee);
    object.form == ObjectForm::Reduce && name.is_some_and(|name| name.is(&["sklearn.tree._tree"], "Tree"))
}

/// The arguments of the tree must be those of its estimator.
fn check_arguments(tree: Attribute<'_>, object: &Object, features: usize, shape: &LeafShape) -> Result<(), Error> {
    let arguments = tree.pickle.elements(object.arguments);
    let Some([tree_features, _classes, tree_outputs]) = arguments else {
        return Err(tree.problem("is not a tree"));
    };
    let found = [counts(tree.pickle, *tree_features), counts(tree.pickle, *tree_outputs)];
    let expected = [features, shape.widths.len()].map(Some);
    if found == expected {
        return Ok(());
    }
    Err(tree.problem("is of another number of features or outputs than its estimator"))
}

/// A number of things in a pickle.
fn counts(pickle: &Pickle<'_>, id: NodeId) -> Option<usize> {
    numpy::integer(pickle, id).and_then(|count| usize::try_from(count).ok())
}

/// `values` must be of nodes × outputs × the most classes that an output has.
fn check_values(tree: Attribute<'_>, nodes: usize, values: &[usize], shape: &LeafShape) -> Result<(), Error> {
    let most_classes = shape.widths.iter().copied().max().unwrap_or(0);
    let expected = [nodes, shape.widths.len(), most_classes];
    if *values == expected {
        return Ok(());
    }
    Err(tree.problem(format!("has values of the shape {values:?}, not {expected:?}")))
}

/// Sums as NumPy does, whose order of additions decides the last bit: below 8 values one after the
/// other, up to 128 in 8 lanes, beyond in halves.
fn sum(values: &[f64]) -> f64 {
    const LANES: usize = 8;
    const BLOCK: usize = 128;
    match values.len() {
        0..LANES => values.iter().fold(-0.0, |sum, value| sum + value),
        LANES..=BLOCK => {
            let (chunks, rest) = values.as_chunks::<LANES>();
            let mut lanes = chunks[0];
            for chunk in &chunks[1..] {
                lanes.iter_mut().zip(chunk).for_each(|(lane, value)| *lane += value);
            }
            let pairs = [lanes[0] + lanes[1], lanes[2] + lanes[3], lanes[4] + lanes[5], lanes[6] + lanes[7]];
            let sum = (pairs[0] + pairs[1]) + (pairs[2] + pairs[3]);
            rest.iter().fold(sum, |sum, value| sum + value)
        }
        len => {
            let half = len / 2;
            let (first, second) = values.split_at(half - half % LANES);
            sum(first) + sum(second)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums that NumPy 2.4 gave for `1 / (1 + arange(n))`, in its order of additions.
    #[test]
    fn sums_equal_numpys_to_the_last_bit() {
        let reciprocals = |n: u32| (0..n).map(|i| 1.0 / (1.0 + f64::from(i))).collect::<Vec<_>>();
        for (count, expected) in NUMPY_SUMS {
            assert_eq!(sum(&reciprocals(count)).to_bits(), expected, "{count}");
        }
    }

    const NUMPY_SUMS: [(u32, u64); 13] = [
        (1, 0x3ff0_0000_0000_0000),
        (3, 0x3ffd_5555_5555_5555),
        (7, 0x4004_be2b_e2be_2be2),
        (8, 0x4005_be2b_e2be_2be2),
        (9, 0x4006_a1ba_1ba1_ba1b),
        (15, 0x400a_8bbb_a474_75d4),
        (17, 0x400b_8434_1cec_ee4c),
        (100, 0x4014_bfdf_e459_1243),
        (128, 0x4015_bb8a_e954_1ca7),
        (129, 0x4015_c37b_0914_9ba9),
        (150, 0x4016_5d5e_71b9_059f),
        (300, 0x4019_2172_a3e6_965a),
        (1000, 0x401d_f11f_45f4_e61a),
    ];
}
