//! Eight rows at a time through shallow complete trees: every split of a tree is compared, for all
//! eight with one instruction, and what stands in the leaves is chosen from the bottom up.
//!
//! That compares more splits than a walk takes steps, but waits for nothing. Up to [`MAX_DEPTH`] it is
//! several times faster where the processor has 256-bit registers.

#![expect(clippy::inline_always, reason = "the hot loop: a call for each split would cost more than the split")]

use std::hint::black_box;

use multiversion::multiversion;

use super::{
    complete::{ROW, Row, Split},
    key::MISSING,
};

/// Rows that are compared at the same time.
pub(crate) const COUNT: usize = 8;
/// Trees whose leaves are found before they are handed on.
pub(super) const TREES: usize = 64;
/// Deepest trees of which comparing all splits is faster than walking.
pub(super) const MAX_DEPTH: u32 = 5;
/// Columns of a block: of each feature one in which missing values go right and, [`ROW`] after it, one
/// in which they go left.
pub(super) const COLUMNS: usize = 2 * ROW;

/// One feature's keys of eight rows.
pub(super) type Lanes = [i32; COUNT];

/// The columns of up to eight rows. Lanes for which there is no row are left as they are.
pub(super) fn fill(rows: &[Row], features: usize, columns: &mut [Lanes; COLUMNS]) {
    let (right, left) = columns.split_at_mut(ROW);
    for (lane, row) in rows.iter().enumerate().take(COUNT) {
        for ((key, right), left) in row.iter().zip(right.iter_mut()).zip(left.iter_mut()).take(features) {
            right[lane] = *key;
            left[lane] = if *key == MISSING { i32::MIN } else { *key };
        }
    }
}

/// Finds what stands in the leaves that eight rows reach, for as many trees of `depth` as `found` has
/// room for.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn find(
    depth: u32,
    splits: &[Split],
    leaves: &[u32],
    columns: &[Lanes; COLUMNS],
    found: &mut [[u32; COUNT]],
) {
    match depth {
        1 => find_at::<2>(splits, leaves, columns, found),
        2 => find_at::<4>(splits, leaves, columns, found),
        3 => find_at::<8>(splits, leaves, columns, found),
        4 => find_at::<16>(splits, leaves, columns, found),
        _ => find_at::<32>(splits, leaves, columns, found),
    }
}

/// Adds 32-bit leaves to the sums of the outputs that their trees belong to, tree after tree.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn add(outputs: &[u32], leaves: &[[u32; COUNT]], sums: &mut [[f32; COUNT]]) {
    if let [only] = sums {
        let mut sums = *only;
        leaves.iter().for_each(|leaves| add_one(&mut sums, leaves));
        *only = sums;
        return;
    }
    for (output, leaves) in outputs.iter().zip(leaves) {
        add_one(&mut sums[*output as usize], leaves);
    }
}

#[inline(always)]
fn add_one(sums: &mut [f32; COUNT], leaves: &[u32; COUNT]) {
    for lane in 0..COUNT {
        sums[lane] += f32::from_bits(leaves[lane]);
    }
}

#[inline(always)]
fn find_at<const SIZE: usize>(
    splits: &[Split],
    leaves: &[u32],
    columns: &[Lanes; COLUMNS],
    found: &mut [[u32; COUNT]],
) {
    let (splits, _) = splits.as_chunks::<SIZE>();
    let (leaves, _) = leaves.as_chunks::<SIZE>();
    for ((splits, leaves), found) in splits.iter().zip(leaves).zip(found) {
        // Else the compiler puts several trees, not several rows, side by side, which is slower.
        *found = leaf(black_box(splits), leaves, columns);
    }
}

/// What stands in the leaves of one tree.
#[inline(always)]
fn leaf<const SIZE: usize>(splits: &[Split; SIZE], leaves: &[u32; SIZE], columns: &[Lanes; COLUMNS]) -> [u32; COUNT] {
    let mut chosen = [[0; COUNT]; 1 << (MAX_DEPTH - 1)];
    let mut width = SIZE / 2;
    for index in 0..width {
        let (left, right) = (leaves[2 * index], leaves[2 * index + 1]);
        chosen[index] = choose(splits[width + index], columns, [left; COUNT], [right; COUNT]);
    }
    while width > 1 {
        width /= 2;
        for index in 0..width {
            chosen[index] = choose(splits[width + index], columns, chosen[2 * index], chosen[2 * index + 1]);
        }
    }
    chosen[0]
}

/// For each lane what is on the side to which its row goes.
#[inline(always)]
fn choose(split: Split, columns: &[Lanes; COLUMNS], left: [u32; COUNT], right: [u32; COUNT]) -> [u32; COUNT] {
    let keys = &columns[split.column()];
    let mut chosen = [0; COUNT];
    for lane in 0..COUNT {
        chosen[lane] = if keys[lane] > split.threshold { right[lane] } else { left[lane] };
    }
    chosen
}
