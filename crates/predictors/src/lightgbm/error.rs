//! Why a LightGBM model is not served.

use crate::{LoadErrorKind, tree};

/// Why a LightGBM model is not served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is no text file of LightGBM.
    #[error("it is no model of LightGBM: its first line is not `tree`{hint}")]
    UnknownFormat {
        /// What it may be, and what to do.
        hint: &'static str,
    },
    /// The file is cut off.
    #[error("the file is cut off: it has {found} of {expected} trees")]
    Truncated {
        /// Trees in the file.
        found: usize,
        /// Trees that it says it has.
        expected: usize,
    },
    /// The file is damaged.
    #[error("the file is damaged: {what}")]
    Malformed {
        /// What is wrong.
        what: String,
    },
    /// The model uses something that is not supported.
    #[error("{what} is not supported{supported}")]
    Unsupported {
        /// What it uses.
        what: String,
        /// What is supported, as the end of a sentence.
        supported: &'static str,
    },
    /// A tree is broken.
    #[error("tree {tree} is broken")]
    Tree {
        /// Index of the tree.
        tree: usize,
        /// What is wrong.
        #[source]
        source: tree::Error,
    },
    /// The model has more features than the limit.
    #[error("the model has {features} features; the limit is {limit}")]
    TooManyFeatures {
        /// Number of features.
        features: usize,
        /// The limit.
        limit: usize,
    },
}

impl Error {
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into() }
    }

    pub(crate) fn kind(&self) -> LoadErrorKind {
        match self {
            Self::Unsupported { .. } => LoadErrorKind::Unsupported,
            Self::TooManyFeatures { .. } => LoadErrorKind::TooLarge,
            _ => LoadErrorKind::Malformed,
        }
    }
}
