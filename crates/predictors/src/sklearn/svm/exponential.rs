//! The exponential function of many numbers, in a loop without branches or calls.
//!
//! `exp(x) = 2ᵏ exp(r)` with `k = round(x / ln 2)` and `|r| ≤ ln 2 / 2`. `ln 2` is taken off in two
//! parts, the first of so few bits that its product with `k` is exact (Cody and Waite, Software Manual
//! for the Elementary Functions, 1980); `exp(r)` is its Taylor series up to `r¹³ / 13!`, after which
//! less than 2⁻⁵⁶ is left. **Invariant**: results are within 4 units of the last place.

#![expect(clippy::inline_always, reason = "it has to be compiled for each processor with the loop that it is in")]

use multiversion::multiversion;

/// Beyond this, results overflow or lose bits; the standard library knows what then.
const LIMIT: f64 = 700.0;
/// The first 32 bits of `ln 2`, and the rest.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN_2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
/// `1.5 · 2⁵²`: a small number added to it is rounded to a whole one, which stands in the last bits.
const ROUNDS: f64 = 6_755_399_441_055_744.0;
/// `1 / n!`, from 13 down to 0.
const TAYLOR: [f64; 14] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// Replaces each number by its exponential.
pub(super) fn exp_all(values: &mut [f64]) {
    if are_moderate(values) {
        return exp_moderate(values);
    }
    values.iter_mut().for_each(|value| *value = value.exp());
}

/// Whether all numbers are within the limit; NaN is not.
#[multiversion(targets("x86_64+avx2"))]
fn are_moderate(values: &[f64]) -> bool {
    values.iter().fold(true, |all, value| all & (value.abs() <= LIMIT))
}

#[multiversion(targets("x86_64+avx2"))]
fn exp_moderate(values: &mut [f64]) {
    values.iter_mut().for_each(|value| *value = exp(*value));
}

#[inline(always)]
fn exp(x: f64) -> f64 {
    let rounded = x * std::f64::consts::LOG2_E + ROUNDS;
    let k = rounded - ROUNDS;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut sum = TAYLOR[0];
    for coefficient in &TAYLOR[1..] {
        sum = sum * r + coefficient;
    }
    // The last bits of `rounded` are `k`; of its other bits none is left after the shift but the exponent's.
    let power = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1.0_f64.to_bits()));
    sum * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64]) {
        let mut found = values.to_vec();
        exp_all(&mut found);
        for (value, found) in values.iter().zip(found) {
            let expected = value.exp();
            assert!((found - expected).abs() <= 4.0 * f64::EPSILON * expected, "exp({value}): {found}, not {expected}");
        }
    }

    #[test]
    fn it_is_the_exponential_to_four_units_of_the_last_place() {
        let steps = (-700_000..=700_000).map(|step| f64::from(step) * 1e-3);
        check(&steps.collect::<Vec<_>>());
        let small = (-40_000..=40_000).map(|step| f64::from(step) * 1.7e-5);
        check(&small.collect::<Vec<_>>());
        check(&[0.0, -0.0, 1e-300, -1e-300, -700.0, 700.0]);
    }

    #[test]
    fn numbers_that_are_not_moderate_are_left_to_the_standard_library() {
        let mut values = [-745.0, 1.0, 710.0, f64::NEG_INFINITY, f64::INFINITY, f64::NAN];
        let expected = values.map(f64::exp);
        exp_all(&mut values);
        assert_eq!(values[..5], expected[..5]);
        assert!(values[5].is_nan());
    }
}
