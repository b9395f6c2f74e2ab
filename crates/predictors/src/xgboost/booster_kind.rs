//! The kinds of boosters.

use crate::shown::shown;

use super::Error;

/// What a booster adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BoosterKind {
    /// Trees.
    Trees,
    /// Trees, each with a weight.
    Dart,
    /// Weighted features.
    Linear,
}

impl BoosterKind {
    /// The kind of this name.
    pub(super) fn parse(name: &str) -> Result<Self, Error> {
        match name {
            "gbtree" => Ok(Self::Trees),
            "dart" => Ok(Self::Dart),
            "gblinear" => Ok(Self::Linear),
            other => {
                let what = format!("the booster `{}`", shown(other));
                Err(Error::Unsupported { what, supported: "; `gbtree`, `dart` and `gblinear` are" })
            }
        }
    }
}
