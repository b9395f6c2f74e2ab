//! Why a CatBoost model is not served.

use crate::{LoadErrorKind, Method, shown::shown};

/// Why a CatBoost model is not served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not JSON of CatBoost.
    #[error("it is no model of CatBoost in JSON{hint}: {}", shown(&source.to_string()))]
    UnknownFormat {
        /// What it may be, and what to do.
        hint: &'static str,
        /// What the reader of JSON says.
        source: serde_json::Error,
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
    /// The model lacks the method.
    #[error("a model of the loss `{loss}` has no `{method}`; it has {}", names(available))]
    NoMethod {
        /// The loss it was trained with.
        loss: String,
        /// The method.
        method: Method,
        /// The methods it has.
        available: &'static [Method],
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

    pub(super) fn unsupported(what: impl Into<String>, supported: &'static str) -> Self {
        Self::Unsupported { what: what.into(), supported }
    }

    pub(crate) fn kind(&self) -> LoadErrorKind {
        match self {
            Self::Unsupported { .. } | Self::NoMethod { .. } => LoadErrorKind::Unsupported,
            Self::TooManyFeatures { .. } => LoadErrorKind::TooLarge,
            Self::UnknownFormat { .. } | Self::Malformed { .. } => LoadErrorKind::Malformed,
        }
    }
}

fn names(methods: &[Method]) -> String {
    let names: Vec<_> = methods.iter().map(|method| method.name()).collect();
    ["`", &names.join("`, `"), "`"].concat()
}
