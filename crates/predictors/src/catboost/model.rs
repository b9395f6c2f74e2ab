//! A model as its document describes it.

use std::sync::Arc;

use provost_inference::OutputKind;
use serde::{Deserialize, Deserializer, de};

use super::loss::Loss;

/// Integers up to here are exact as `f64`.
const MAX_EXACT: i64 = 1 << 53;

/// What a model file says.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) version: Option<String>,
    pub(super) loss_name: String,
    pub(super) loss: Loss,
    /// Labels of the classes; none where they are numbers from 0 on.
    pub(super) labels: Labels,
    pub(super) feature_names: Option<Vec<String>>,
    /// Of each feature, whether missing values are above every border.
    pub(super) nan_is_above: Box<[bool]>,
    pub(super) trees: Trees,
    /// By which the sums over trees are multiplied.
    pub(super) scale: f64,
    /// What is added then, to each value of a row.
    pub(super) bias: Box<[f64]>,
}

impl Model {
    pub(super) fn features(&self) -> usize {
        self.nan_is_above.len()
    }
}

/// Symmetric trees: all splits of one level are the same. Bit `n` of a leaf's number tells whether the
/// value of split `n` is above its border.
#[derive(Debug, Default)]
pub(super) struct Trees {
    /// Number of splits, and where leaves begin, of each tree.
    pub(super) trees: Vec<(u32, usize)>,
    /// Feature and border.
    pub(super) splits: Vec<(u32, f32)>,
    /// The values of each leaf side by side.
    pub(super) leaves: Vec<f64>,
    /// Values of each leaf; `None` without trees.
    pub(super) outputs: Option<usize>,
}

impl Trees {
    pub(super) fn add(&mut self, splits: &[(u32, f32)], leaves: &[f64], outputs: usize) {
        let depth = u32::try_from(splits.len()).unwrap_or(u32::MAX);
        self.trees.push((depth, self.leaves.len()));
        self.splits.extend_from_slice(splits);
        self.leaves.extend_from_slice(leaves);
        self.outputs = Some(outputs);
    }

    /// Adds what a row's leaves hold, tree after tree.
    pub(super) fn add_to(&self, row: &[f32], sums: &mut [f64]) {
        let mut splits = self.splits.as_slice();
        for (depth, first) in &self.trees {
            let (own, rest) = splits.split_at(*depth as usize);
            splits = rest;
            let mut leaf = 0;
            for (level, (feature, border)) in own.iter().enumerate() {
                leaf |= usize::from(row[*feature as usize] > *border) << level;
            }
            let values = &self.leaves[first + leaf * sums.len()..];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
    }
}

/// Labels of classes, all of one type.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Labels {
    #[default]
    None,
    Integers(Vec<i64>),
    Floats(Vec<f64>),
    Texts(Vec<Box<str>>),
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Integers(Vec<i64>),
            Floats(Vec<f64>),
            Texts(Vec<Box<str>>),
        }
        match Raw::deserialize(deserializer)? {
            Raw::Integers(labels) if labels.is_empty() => Ok(Self::None),
            Raw::Integers(labels) if labels.iter().all(|label| (-MAX_EXACT..=MAX_EXACT).contains(label)) => {
                Ok(Self::Integers(labels))
            }
            Raw::Integers(_) => Err(de::Error::custom("labels beyond 2⁵³, which no 64-bit float holds")),
            Raw::Floats(labels) => Ok(Self::Floats(labels)),
            Raw::Texts(labels) => Ok(Self::Texts(labels)),
        }
    }
}

impl Labels {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Integers(labels) => labels.len(),
            Self::Floats(labels) => labels.len(),
            Self::Texts(labels) => labels.len(),
        }
    }

    /// The labels as text.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::Integers(labels) => labels.iter().map(ToString::to_string).collect(),
            Self::Floats(labels) => labels.iter().map(|label| format!("{label:?}")).collect(),
            Self::Texts(labels) => labels.iter().map(ToString::to_string).collect(),
        }
    }

    /// How a predicted class is to be read.
    pub(super) fn output_kind(&self) -> OutputKind {
        match self {
            Self::None | Self::Integers(_) => OutputKind::Integer,
            Self::Floats(_) => OutputKind::Float,
            Self::Texts(labels) => OutputKind::Label(Arc::from(labels.as_slice())),
        }
    }

    /// What stands for each of so many classes in the output.
    #[expect(clippy::cast_precision_loss, reason = "labels beyond 2⁵³ are refused")]
    pub(super) fn values(&self, classes: usize) -> Box<[f64]> {
        match self {
            Self::Integers(labels) => labels.iter().map(|label| *label as f64).collect(),
            Self::Floats(labels) => labels.clone().into(),
            Self::None | Self::Texts(_) => (0..classes).map(|class| class as f64).collect(),
        }
    }
}
