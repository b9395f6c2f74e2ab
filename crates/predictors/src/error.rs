//! Why a model is not loaded.

use std::io;

use crate::{catboost, lightgbm, pickle, sklearn, xgboost};

/// Why a model is not loaded. The cause, where there is one, is the
/// [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The artifact's files cannot be listed.
    #[error("cannot list the files of the artifact")]
    List(#[source] io::Error),
    /// No file has a name under which the server looks for a model.
    #[error(
        "no model file: looked for {} or a single file that ends alike, {}",
        quoted(looked_for.iter().copied()),
        present_files(present)
    )]
    NoModelFile {
        /// Names the server looks for.
        looked_for: &'static [&'static str],
        /// Names that are there.
        present: Vec<String>,
    },
    /// The file cannot be read.
    #[error("cannot read `{file}`")]
    Read {
        /// Path within the artifact.
        file: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The file is too long.
    #[error("`{file}` has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// Path within the artifact.
        file: String,
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The compressed file cannot be decompressed, or its content is too long.
    #[error("cannot decompress `{file}`")]
    Decompress {
        /// Path within the artifact.
        file: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The pickle is not read.
    #[error("cannot read `{file}` as a pickle")]
    Pickle {
        /// Path within the artifact.
        file: String,
        /// What went wrong.
        #[source]
        source: pickle::Error,
    },
    /// The scikit-learn model is not served.
    #[error("cannot serve the model in `{file}`")]
    Sklearn {
        /// Path within the artifact.
        file: String,
        /// What went wrong.
        #[source]
        source: sklearn::Error,
    },
    /// The XGBoost model is not served.
    #[error("cannot serve the XGBoost model in `{file}`")]
    Xgboost {
        /// Path within the artifact.
        file: String,
        /// What went wrong.
        #[source]
        source: xgboost::Error,
    },
    /// The LightGBM model is not served.
    #[error("cannot serve the LightGBM model in `{file}`")]
    Lightgbm {
        /// Path within the artifact.
        file: String,
        /// What went wrong.
        #[source]
        source: lightgbm::Error,
    },
    /// The CatBoost model is not served.
    #[error("cannot serve the CatBoost model in `{file}`")]
    Catboost {
        /// Path within the artifact.
        file: String,
        /// What went wrong.
        #[source]
        source: catboost::Error,
    },
}

/// What kind of problem a [`LoadError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoadErrorKind {
    /// The artifact cannot be reached; trying again may help.
    Io,
    /// There is no model file.
    NotFound,
    /// The file is damaged, or no model at all.
    Malformed,
    /// The file asks for something that is refused for safety.
    Refused,
    /// The file is beyond a limit.
    TooLarge,
    /// The file is sound, but its model or the method is not supported.
    Unsupported,
}

impl LoadError {
    /// What kind of problem this is.
    pub fn kind(&self) -> LoadErrorKind {
        match self {
            Self::List(_) | Self::Read { .. } => LoadErrorKind::Io,
            Self::NoModelFile { .. } => LoadErrorKind::NotFound,
            Self::TooLarge { .. } => LoadErrorKind::TooLarge,
            Self::Decompress { source, .. } => match source.kind() {
                io::ErrorKind::FileTooLarge | io::ErrorKind::OutOfMemory => LoadErrorKind::TooLarge,
                _ => LoadErrorKind::Malformed,
            },
            Self::Pickle { source, .. } => source.kind(),
            Self::Sklearn { source, .. } => source.kind(),
            Self::Xgboost { source, .. } => source.kind(),
            Self::Lightgbm { source, .. } => source.kind(),
            Self::Catboost { source, .. } => source.kind(),
        }
    }
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn present_files(present: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = quoted(present.iter().take(SHOWN).map(String::as_str));
    match present.len() {
        0 => "the artifact is empty".to_owned(),
        1..=SHOWN => format!("the artifact has {shown}"),
        count => format!("the artifact has {shown} and {} more", count - SHOWN),
    }
}
