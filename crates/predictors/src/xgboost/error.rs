//! Why an XGBoost model is not served.

use crate::{LoadErrorKind, tree};

/// Why an XGBoost model is not served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is of none of XGBoost's formats.
    #[error("it is neither JSON, UBJSON nor a binary model of XGBoost{hint}")]
    UnknownFormat {
        /// What it may be.
        hint: &'static str,
    },
    /// The file is cut off.
    #[error("the file is cut off: it ends at byte {offset}")]
    Truncated {
        /// Where the bytes ended.
        offset: usize,
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
