//! One tree of a file: parallel lists over its splits and over its leaves.

use crate::tree::{self, MissingRule, SetId, Side, Test, WideBuilder, WideNode, WideSplit};

use super::{Error, text::Section};

const IS_CATEGORICAL: u8 = 1;
const IS_DEFAULT_LEFT: u8 = 1 << 1;

/// The lists of one tree, of equal length where they go together.
#[derive(Debug)]
pub(super) struct TreeText {
    /// Number of the tree in the file.
    number: usize,
    features: Vec<i64>,
    thresholds: Vec<f64>,
    decisions: Vec<u8>,
    left: Vec<i64>,
    right: Vec<i64>,
    pub(super) leaf_values: Vec<f64>,
    category_bounds: Vec<usize>,
    category_words: Vec<u32>,
    pub(super) linear: Option<LinearText>,
}

/// The linear models in a tree's leaves.
#[derive(Debug)]
pub(super) struct LinearText {
    pub(super) constants: Vec<f64>,
    pub(super) counts: Vec<usize>,
    pub(super) features: Vec<usize>,
    pub(super) coefficients: Vec<f64>,
}

impl TreeText {
    pub(super) fn parse(section: &Section<'_>, number: usize) -> Result<Self, Error> {
        let leaves: usize = section.number("num_leaves")?;
        // Counted into the leaves already; but it is the last field, without which a tree is cut off.
        section.get("shrinkage")?;
        let tree = Self {
            number,
            features: section.numbers("split_feature")?,
            thresholds: section.numbers("threshold")?,
            decisions: section.numbers("decision_type")?,
            left: section.numbers("left_child")?,
            right: section.numbers("right_child")?,
            leaf_values: section.numbers("leaf_value")?,
            category_bounds: section.numbers("cat_boundaries")?,
            category_words: section.numbers("cat_threshold")?,
            linear: LinearText::parse(section, leaves)?,
        };
        tree.check(leaves)?;
        Ok(tree)
    }

    fn check(&self, leaves: usize) -> Result<(), Error> {
        let splits = leaves.wrapping_sub(1);
        let lengths = [
            self.features.len(),
            self.thresholds.len(),
            self.decisions.len(),
            self.left.len(),
            self.right.len(),
            self.leaf_values.len().wrapping_sub(1),
        ];
        if leaves == 0 || lengths.iter().any(|len| *len != splits) {
            return Err(self.problem("the lists of tree", "are not as long as `num_leaves` asks for"));
        }
        if self.leaf_values.iter().any(|value| !value.is_finite()) {
            return Err(self.problem("a leaf of tree", "is not finite"));
        }
        Ok(())
    }

    fn problem(&self, before: &str, after: &str) -> Error {
        Error::malformed(format!("{before} {} {after}", self.number))
    }

    /// Adds the tree. `leaf` makes what its leaves stand for, by their numbers.
    pub(super) fn add_to<P: Copy + Default>(
        &self,
        builder: &mut WideBuilder<P>,
        mut leaf: impl FnMut(usize) -> P,
    ) -> Result<(), Error> {
        let sets = self.add_sets(builder)?;
        let splits = self.features.len();
        let tests = (0..splits).map(|split| self.test(split, &sets)).collect::<Result<Vec<_>, _>>()?;
        let added = builder.add_tree(splits + self.leaf_values.len(), |node| match node.checked_sub(splits) {
            Some(number) => WideNode::Leaf(leaf(number)),
            None => WideNode::Split(WideSplit {
                feature: self.features[node],
                test: tests[node].0,
                missing: tests[node].1,
                left: self.child(self.left[node]),
                right: self.child(self.right[node]),
            }),
        });
        added.map_err(|source| self.error(source))
    }

    fn error(&self, source: tree::Error) -> Error {
        Error::Tree { tree: self.number, source }
    }

    /// A child's place when leaves stand behind splits: in the file, leaf `n` is `-1 - n`. What is
    /// out of range stays so.
    #[expect(clippy::cast_possible_wrap, reason = "a list in memory is shorter")]
    fn child(&self, child: i64) -> i64 {
        let splits = self.features.len() as i64;
        match child {
            0.. if child < splits => child,
            0.. => -1,
            _ => splits.saturating_add(!child),
        }
    }

    /// The sets of categories, of which split thresholds are the numbers.
    fn add_sets<P: Copy + Default>(&self, builder: &mut WideBuilder<P>) -> Result<Vec<SetId>, Error> {
        let words = |bounds: &[usize]| self.category_words.get(bounds[0]..bounds[1]);
        let unordered = || self.problem("the categories of tree", "do not fit together");
        if !self.category_bounds.is_sorted() {
            return Err(unordered());
        }
        let add = |bounds| {
            let words = words(bounds).ok_or_else(unordered)?;
            builder.sets().add_bits(words.iter().copied()).map_err(|source| self.error(source))
        };
        self.category_bounds.windows(2).map(add).collect()
    }

    /// What a value must be to go left, and where missing values go.
    fn test(&self, split: usize, sets: &[SetId]) -> Result<(Test, MissingRule), Error> {
        let (threshold, decision) = (self.thresholds[split], self.decisions[split]);
        if decision & IS_CATEGORICAL != 0 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number out of range is none"
            )]
            let set = sets.get(threshold as usize).filter(|_| threshold >= 0.0);
            let set = set.ok_or_else(|| self.problem("a split of tree", "is on categories that are not there"))?;
            return Ok((Test::In(*set), MissingRule::NotANumber(Side::Right)));
        }
        let side = |is_left| if is_left { Side::Left } else { Side::Right };
        let default = side(decision & IS_DEFAULT_LEFT != 0);
        let rule = match decision >> 2 {
            // A missing value counts as zero.
            0 => MissingRule::NotANumber(side(0.0 <= threshold)),
            1 => MissingRule::ZeroOrNotANumber(default),
            2 => MissingRule::NotANumber(default),
            _ => return Err(self.problem("a split of tree", "is of an unknown type")),
        };
        Ok((Test::AtMost(threshold), rule))
    }
}

impl LinearText {
    fn parse(section: &Section<'_>, leaves: usize) -> Result<Option<Self>, Error> {
        if section.find("is_linear").is_none_or(|text| text.trim() != "1") {
            return Ok(None);
        }
        let linear = Self {
            constants: section.numbers("leaf_const")?,
            counts: section.numbers("num_features")?,
            features: section.numbers("leaf_features")?,
            coefficients: section.numbers("leaf_coeff")?,
        };
        let terms = linear.counts.iter().fold(0, |sum: usize, count| sum.saturating_add(*count));
        let fits = [linear.constants.len(), linear.counts.len()] == [leaves; 2]
            && [linear.features.len(), linear.coefficients.len()] == [terms; 2];
        let mut values = linear.constants.iter().chain(&linear.coefficients);
        if fits && values.all(|value| value.is_finite()) {
            return Ok(Some(linear));
        }
        Err(Error::malformed("the linear models of leaves do not fit together"))
    }
}
