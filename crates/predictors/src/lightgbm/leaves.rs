//! What the leaves of a forest hold: numbers, or linear models.

use crate::tree::{Cut, WideBuilder, WideForest};

use super::{Error, tree::TreeText};

/// The trees of a model as they are read. As long as no leaf has a linear model, leaves are numbers.
#[derive(Debug)]
pub(super) enum Trees {
    Plain(WideBuilder<f64>),
    Linear { builder: WideBuilder<u32>, leaves: LinearLeaves },
}

/// A finished forest.
#[derive(Debug)]
pub(super) enum Forest {
    Plain(WideForest<f64>),
    Linear { forest: WideForest<u32>, leaves: LinearLeaves },
}

impl Trees {
    /// For trees of which some may have linear models in their leaves, or none has.
    pub(super) fn new(has_linear: bool) -> Self {
        let cut = Cut::TowardsZero;
        if has_linear {
            return Self::Linear { builder: WideBuilder::new(cut), leaves: LinearLeaves::default() };
        }
        Self::Plain(WideBuilder::new(cut))
    }

    pub(super) fn add(&mut self, tree: &TreeText) -> Result<(), Error> {
        match self {
            Self::Plain(builder) => tree.add_to(builder, |leaf| tree.leaf_values[leaf]),
            Self::Linear { builder, leaves } => {
                let first = leaves.add(tree)?;
                // Leaves fit in 32 bits because nodes do.
                tree.add_to(builder, |leaf| first + u32::try_from(leaf).unwrap_or(0))
            }
        }
    }

    pub(super) fn truncate(&mut self, count: usize) {
        match self {
            Self::Plain(builder) => builder.truncate(count),
            Self::Linear { builder, .. } => builder.truncate(count),
        }
    }

    pub(super) fn build(self, features: usize) -> Result<Forest, Error> {
        let features_error = |source: crate::tree::Error| Error::malformed(source.to_string());
        match self {
            Self::Plain(builder) => builder.build_for(features).map(Forest::Plain).map_err(features_error),
            Self::Linear { builder, leaves } => {
                leaves.check(features)?;
                let forest = builder.build_for(features).map_err(features_error)?;
                Ok(Forest::Linear { forest, leaves })
            }
        }
    }
}

/// Leaves with linear models, one after the other.
#[derive(Debug, Default)]
pub(super) struct LinearLeaves {
    leaves: Vec<LinearLeaf>,
    /// Feature and coefficient.
    terms: Vec<(u32, f64)>,
}

#[derive(Debug)]
struct LinearLeaf {
    /// What counts where a feature of the model is missing.
    value: f64,
    constant: f64,
    /// Where the terms end; they begin where those of the leaf before end.
    end: usize,
}

impl LinearLeaves {
    /// Adds the leaves of a tree and gives the number of the first.
    fn add(&mut self, tree: &TreeText) -> Result<u32, Error> {
        let first = u32::try_from(self.leaves.len());
        let too_many = |_| Error::malformed("the trees have too many leaves");
        let mut begin = 0;
        for (leaf, value) in tree.leaf_values.iter().enumerate() {
            let Some(linear) = &tree.linear else {
                self.leaves.push(LinearLeaf { value: *value, constant: *value, end: self.terms.len() });
                continue;
            };
            let end = begin + linear.counts[leaf];
            let coefficients = &linear.coefficients[begin..end];
            for (feature, coefficient) in linear.features[begin..end].iter().zip(coefficients) {
                self.terms.push((u32::try_from(*feature).map_err(too_many)?, *coefficient));
            }
            self.leaves.push(LinearLeaf { value: *value, constant: linear.constants[leaf], end: self.terms.len() });
            begin = end;
        }
        u32::try_from(self.leaves.len()).map_err(too_many)?;
        first.map_err(too_many)
    }

    fn check(&self, features: usize) -> Result<(), Error> {
        match self.terms.iter().find(|(feature, _)| *feature as usize >= features) {
            Some((feature, _)) => Err(Error::malformed(format!("a leaf weighs feature {feature} of {features}"))),
            None => Ok(()),
        }
    }

    /// What a leaf is worth to a row: constant and weighted features, or its plain value where one of
    /// these is missing.
    pub(super) fn value(&self, leaf: u32, row: &[f64]) -> f64 {
        let place = leaf as usize;
        let LinearLeaf { value, constant, end } = &self.leaves[place];
        let begin = place.checked_sub(1).map_or(0, |before| self.leaves[before].end);
        let mut sum = *constant;
        for (feature, coefficient) in &self.terms[begin..*end] {
            let x = row[*feature as usize];
            if x.is_nan() {
                return *value;
            }
            sum += coefficient * x;
        }
        sum
    }
}
