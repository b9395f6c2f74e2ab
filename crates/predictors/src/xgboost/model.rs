//! A booster as its file describes it, whatever the format.

use std::fmt;

use crate::{
    shown::shown,
    tree::{self, ForestBuilder, Side, SourceNode, Split, strict_threshold},
};

use super::Error;

/// Stands for "no child" in the nodes of a leaf.
const NO_CHILD: i64 = -1;

/// What a model file says.
#[derive(Debug)]
pub(crate) struct Model {
    pub(super) version: Option<Version>,
    pub(super) booster: String,
    pub(super) objective: String,
    pub(super) base_score: BaseScore,
    pub(super) features: usize,
    pub(super) feature_names: Option<Vec<String>>,
    /// Outputs for each row: classes or targets.
    pub(super) groups: usize,
    pub(super) trees: Trees,
    /// The output that each tree adds to.
    pub(super) tree_groups: Vec<i64>,
}

/// What scores start from: one value for all outputs, or one for each.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum BaseScore {
    /// As the user gave it: a probability, for instance, which the objective turns into a margin.
    Score(Vec<f32>),
    /// Margins already: the binary format before 1.0, and models of 3.1 and later that were saved
    /// before anything was fitted.
    Margin(Vec<f32>),
}

/// The version of XGBoost that wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) major: u32,
    pub(super) minor: u32,
    pub(super) patch: Option<u32>,
}

impl Version {
    /// Whether it is this version or a later one.
    pub(super) fn is_since(self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}

/// The nodes of one tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawNode {
    pub(super) left: i64,
    pub(super) right: i64,
    pub(super) feature: u32,
    /// The bound of a split: values below it go left. The value of a leaf.
    pub(super) value: f32,
    pub(super) is_default_left: bool,
}

/// Trees, laid out one after the other as they are read.
#[derive(Debug)]
pub(super) struct Trees {
    builder: ForestBuilder,
    count: usize,
}

impl Trees {
    pub(super) fn new() -> Self {
        Self { builder: ForestBuilder::with_any_features(), count: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Adds a tree of `count` nodes.
    pub(super) fn add(&mut self, count: usize, node: impl Fn(usize) -> RawNode) -> Result<(), Error> {
        let tree = self.count;
        let mut is_finite = true;
        let added = self.builder.add_tree(count, |index| {
            let node = node(index);
            is_finite &= node.left != NO_CHILD || node.value.is_finite();
            node.source()
        });
        added.map_err(|source| Error::Tree { tree, source })?;
        if !is_finite {
            return Err(Error::malformed(format!("a leaf of tree {tree} is not finite")));
        }
        self.count += 1;
        Ok(())
    }

    /// The finished forest, whose splits must be on this many features.
    pub(super) fn build(self, features: usize) -> Result<tree::Forest, Error> {
        let features_error = |source: tree::Error| Error::malformed(source.to_string());
        self.builder.build_for(features).map_err(features_error)
    }
}

impl RawNode {
    fn source(self) -> SourceNode {
        if self.left == NO_CHILD {
            return SourceNode::Leaf(self.value.to_bits());
        }
        SourceNode::Split(Split {
            feature: i64::from(self.feature),
            threshold: strict_threshold(self.value),
            missing: if self.is_default_left { Side::Left } else { Side::Right },
            left: self.left,
            right: self.right,
        })
    }
}

/// Refuses boosters other than trees.
pub(super) fn check_booster(booster: &str) -> Result<(), Error> {
    if booster == "gbtree" {
        return Ok(());
    }
    let what = format!("the booster `{}`", shown(booster));
    Err(Error::Unsupported { what, supported: "; `gbtree` is" })
}

/// Refuses trees whose leaves hold vectors. Sizes of 0 and 1 both mean scalars.
pub(super) fn check_leaf_size(size: i64) -> Result<(), Error> {
    if matches!(size, 0 | 1) {
        return Ok(());
    }
    let what = "a tree with vectors in its leaves (`multi_strategy=multi_output_tree`)".to_owned();
    Err(Error::Unsupported { what, supported: "; one tree for each output is" })
}
