//! The trees of a model document, which are laid out as they are read.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, SeqAccess, Visitor},
};

use super::{
    Error,
    trees::{RawNode, RawTree, Trees},
};

/// All trees, laid out, or why the first of them is not.
#[derive(Debug)]
pub(super) struct TreeList(Result<Trees, Error>);

impl TreeList {
    pub(super) fn into_trees(self) -> Result<Trees, Error> {
        self.0
    }
}

impl<'de> Deserialize<'de> for TreeList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(TreeListVisitor)
    }
}

struct TreeListVisitor;

impl<'de> Visitor<'de> for TreeListVisitor {
    type Value = TreeList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of trees")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<TreeList, A::Error> {
        let mut trees = Trees::new();
        while let Some(tree) = list.next_element::<Tree>()? {
            if let Err(error) = tree.check(trees.len()).and_then(|()| trees.add(&tree)) {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(TreeList(Err(error)));
            }
        }
        Ok(TreeList(Ok(trees)))
    }
}

/// One tree as parallel arrays over its nodes.
#[derive(Debug, Deserialize)]
struct Tree {
    left_children: Vec<i64>,
    right_children: Vec<i64>,
    split_indices: Vec<u32>,
    split_conditions: Vec<Number>,
    default_left: Vec<Flag>,
    #[serde(default)]
    split_type: Vec<Flag>,
    /// The categories that go right, of all nodes that split on some, one after the other.
    #[serde(default)]
    categories: Vec<i64>,
    /// The nodes that split on categories.
    #[serde(default)]
    categories_nodes: Vec<usize>,
    /// Where the categories of each of these begin, and how many they are.
    #[serde(default)]
    categories_segments: Vec<usize>,
    #[serde(default)]
    categories_sizes: Vec<usize>,
    /// Up to 3.0, vectors of leaves are here, in the order of nodes.
    #[serde(default)]
    base_weights: Vec<Number>,
    /// Since 3.1, vectors of leaves. Their places among them stand for the leaves' right children.
    leaf_weights: Option<Vec<Number>>,
    #[serde(rename = "tree_param")]
    parameters: TreeParameters,
}

#[derive(Debug, Deserialize)]
struct TreeParameters {
    size_leaf_vector: Option<LeafSize>,
}

/// A number in text.
#[derive(Debug, Clone, Copy)]
struct LeafSize(usize);

impl<'de> Deserialize<'de> for LeafSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| de::Error::custom("`size_leaf_vector` is no number"))
    }
}

impl Tree {
    /// Checks that arrays fit together.
    fn check(&self, tree: usize) -> Result<(), Error> {
        let count = self.left_children.len();
        let lengths =
            [self.right_children.len(), self.split_indices.len(), self.split_conditions.len(), self.default_left.len()];
        if lengths.iter().any(|len| *len != count) {
            return Err(Error::malformed(format!("the arrays of tree {tree} differ in length")));
        }
        let categorical = self.split_type.iter().filter(|is_categorical| is_categorical.0).count();
        let nodes = self.categories_nodes.len();
        let has_categories =
            self.categories_nodes.iter().all(|node| self.split_type.get(*node).is_some_and(|one| one.0));
        let listed = self.categories_sizes.iter().fold(0, |sum: usize, size| sum.saturating_add(*size));
        let has_categories = has_categories && listed <= self.categories.len();
        if !has_categories || [categorical, self.categories_segments.len(), self.categories_sizes.len()] != [nodes; 3] {
            return Err(Error::malformed(format!("the splits on categories of tree {tree} do not fit together")));
        }
        Ok(())
    }
}

impl RawTree for Tree {
    fn count(&self) -> usize {
        self.left_children.len()
    }

    fn node(&self, node: usize) -> RawNode {
        RawNode {
            left: self.left_children[node],
            right: self.right_children[node],
            feature: self.split_indices[node],
            value: self.split_conditions[node].0,
            is_default_left: self.default_left[node].0,
        }
    }

    fn category_splits(&self) -> Result<Vec<(usize, &[i64])>, Error> {
        let segments = self.categories_segments.iter().zip(&self.categories_sizes);
        let split = |(node, (start, len)): (&usize, (&usize, &usize))| {
            let categories = self.categories.get(*start..).and_then(|rest| rest.get(..*len));
            categories.map(|categories| (*node, categories))
        };
        let splits = self.categories_nodes.iter().zip(segments).map(split).collect::<Option<_>>();
        splits.ok_or_else(|| Error::malformed("a split on categories has fewer of them than it says"))
    }

    fn leaf_size(&self) -> usize {
        self.parameters.size_leaf_vector.map_or(1, |size| size.0)
    }

    fn leaf_vector(&self, node: usize, into: &mut Vec<f32>) -> Option<()> {
        let size = self.leaf_size();
        let (values, place) = match &self.leaf_weights {
            Some(weights) => (weights, usize::try_from(self.right_children[node]).ok()?),
            None => (&self.base_weights, node),
        };
        let values = values.get(place.checked_mul(size)?..)?.get(..size)?;
        into.extend(values.iter().map(|value| value.0));
        Some(())
    }
}

/// A number, or `null` where it is not a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(pub(super) f32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Option::<f32>::deserialize(deserializer)?;
        Ok(Self(number.unwrap_or(f32::NAN)))
    }
}

/// A truth value, which is a boolean in old files and a number in new ones.
#[derive(Debug, Clone, Copy)]
struct Flag(bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl Visitor<'_> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean, 0 or 1")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Flag, E> {
        Ok(Flag(value != 0))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Flag, E> {
        Ok(Flag(value != 0))
    }
}
