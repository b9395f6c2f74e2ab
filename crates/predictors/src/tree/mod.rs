//! Decision trees in layouts made for walking them fast, shared by all libraries.
//!
//! A step compares two integers (see [`key`]) and adds the outcome to an index, without a branch
//! that could be mispredicted; and several trees, or several rows, are walked at the same time, so
//! that the processor always has something to do while it waits for memory. Shallow trees are laid
//! out complete ([`CompleteTrees`]), all others node by node ([`LinkedTrees`]). Several rows go through
//! the shallowest trees side by side ([`lanes`]). Trees with splits that are no comparison with a 32-bit
//! threshold have a layout of their own ([`WideForest`]).

mod build;
mod category;
mod complete;
mod error;
mod forest;
mod key;
mod lanes;
mod linked;
mod rows;
mod traversal;
mod wide;
mod wide_build;

pub use self::error::Error;
pub(crate) use self::{
    build::{ForestBuilder, Side, SourceNode, Split},
    category::{Cut, SetId},
    forest::{Eight, Forest},
    key::{floor_threshold, strict_threshold},
    lanes::COUNT as LANES,
    rows::{RowBlock, for_each_block},
    wide::{Care, WideForest},
    wide_build::{MissingRule, Test, WideBuilder, WideNode, WideSplit},
};

use self::{complete::CompleteTrees, linked::LinkedTrees};

/// Set in a split's feature where missing values go left. By their key they go right.
const MISSING_LEFT: u32 = 1 << 31;

/// Whether rows may hold missing values; without, a step is cheaper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Absent,
    Possible,
}

/// Whether a value goes right at a split.
#[expect(clippy::inline_always, reason = "the hot loop")]
#[expect(clippy::needless_bitwise_bool, reason = "without a branch, which could be mispredicted")]
#[inline(always)]
fn goes_right<const MAY_MISS: bool>(value: i32, threshold: i32, feature: u32) -> bool {
    let is_above = value > threshold;
    if MAY_MISS { is_above & !((value == key::MISSING) & (feature & MISSING_LEFT != 0)) } else { is_above }
}
