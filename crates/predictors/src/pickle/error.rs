//! Why a pickle is not read.

use crate::LoadErrorKind;

/// Why a pickle is not read. Whatever it is, nothing in the file was run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file ends in the middle.
    #[error("the pickle is cut off: it ends at byte {offset} of the decoded file")]
    Truncated {
        /// Where the bytes ended.
        offset: usize,
    },
    /// The bytes are no pickle, or a damaged one.
    #[error("the file is not a valid pickle: {what} at byte {offset}")]
    Malformed {
        /// Where.
        offset: usize,
        /// What is wrong.
        what: String,
    },
    /// The file holds an opcode that stays refused.
    #[error("the pickle holds the opcode {name}, which {reason}; it is refused and nothing in the file was run")]
    RefusedOpcode {
        /// Name of the opcode.
        name: &'static str,
        /// What it does.
        reason: &'static str,
    },
    /// The file asks for names that are not on the list.
    #[error(
        "the file asks for {}, which {} not on the list of names a model may use; nothing in the file was run",
        quoted(names),
        if names.len() == 1 { "is" } else { "are" }
    )]
    RefusedNames {
        /// Every such name, as `module.name`, in the order of the file.
        names: Vec<String>,
    },
    /// An array is declared larger than the file that should hold it.
    #[error(
        "an array is declared with shape {shape} and {item_size} bytes an item, but only {available} bytes of the file are left"
    )]
    ArrayBeyondFile {
        /// The declared shape.
        shape: String,
        /// The declared size of an item.
        item_size: usize,
        /// Bytes that are left.
        available: usize,
    },
    /// The file makes more values than the limit.
    #[error("the pickle makes more than {limit} values, the limit")]
    TooManyValues {
        /// The limit.
        limit: usize,
    },
    /// Values are nested deeper than the limit.
    #[error("the pickle nests values more than {limit} deep")]
    TooDeep {
        /// The limit.
        limit: u16,
    },
    /// A form of file that only very old versions of joblib wrote.
    #[error(
        "the file was written by joblib older than 0.10, which keeps arrays in files beside it; load and dump it again with a newer joblib"
    )]
    AncientJoblib,
}

/// Names in an error message, beyond which the rest is counted.
const SHOWN_NAMES: usize = 40;

fn quoted(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(SHOWN_NAMES).map(|name| format!("`{name}`")).collect();
    let shown = shown.join(", ");
    match names.len().checked_sub(SHOWN_NAMES) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

impl Error {
    pub(crate) fn kind(&self) -> LoadErrorKind {
        match self {
            Self::Truncated { .. } | Self::Malformed { .. } | Self::ArrayBeyondFile { .. } => LoadErrorKind::Malformed,
            Self::RefusedOpcode { .. } | Self::RefusedNames { .. } => LoadErrorKind::Refused,
            Self::TooManyValues { .. } | Self::TooDeep { .. } => LoadErrorKind::TooLarge,
            Self::AncientJoblib => LoadErrorKind::Unsupported,
        }
    }
}
