//! 32-bit floats as integers of the same order, which compare faster and know no NaN.
//!
//! scikit-learn compares 32-bit values with 64-bit thresholds, XGBoost with `<`. [`floor_threshold`]
//! and [`strict_threshold`] turn both, exactly, into "goes right if the value's key is above the
//! threshold's".

/// The key of a missing value: above every threshold of a split, so it goes right by itself.
pub(super) const MISSING: i32 = i32::MAX;

/// The threshold that no key is above: whatever comes "goes left".
pub(super) const ALWAYS_LEFT: i32 = i32::MAX;

/// An integer for each float, in the same order. Zero has one key whatever its sign.
pub(super) fn key(value: f32) -> i32 {
    if value.is_nan() {
        return MISSING;
    }
    // Adding zero turns -0.0 into 0.0. Bits of negative floats run against their order.
    let bits = (value + 0.0).to_bits().cast_signed();
    bits ^ ((bits >> 31) & i32::MAX)
}

/// The float that has this key; [`MISSING`] is NaN.
pub(super) fn value(key: i32) -> f32 {
    f32::from_bits((key ^ ((key >> 31) & i32::MAX)).cast_unsigned())
}

/// The largest 32-bit float that is not above `threshold`: then `f64::from(value) <= threshold` is
/// `value <= floor_threshold(threshold)` for every 32-bit value.
pub(crate) fn floor_threshold(threshold: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounding is corrected below")]
    let nearest = threshold as f32;
    if f64::from(nearest) > threshold { nearest.next_down() } else { nearest }
}

/// The threshold for which `value <= threshold` is `value < bound` for every 32-bit value.
pub(crate) fn strict_threshold(bound: f32) -> f32 {
    bound.next_down()
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "rounding is what is tested")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Values around a threshold, and the extremes.
    fn values_near(threshold: f64) -> impl Iterator<Item = f32> {
        let near = threshold as f32;
        let (below, above) = (near.next_down(), near.next_up());
        let extremes = [f32::MIN, f32::MAX, -0.0, 0.0, f32::from_bits(1), -f32::from_bits(1)];
        let near = [near, below, above, below.next_down(), above.next_up()];
        near.into_iter().chain(extremes).filter(|value| value.is_finite())
    }

    #[track_caller]
    fn check_floor(threshold: f64) {
        for value in values_near(threshold) {
            let goes_right = key(value) > key(floor_threshold(threshold));
            assert_eq!(!goes_right, f64::from(value) <= threshold, "{value} {threshold}");
        }
    }

    #[track_caller]
    fn check_strict(bound: f32) {
        for value in values_near(f64::from(bound)) {
            let goes_right = key(value) > key(strict_threshold(bound));
            assert_eq!(!goes_right, value < bound, "{value} {bound}");
        }
    }

    #[test]
    fn thresholds_at_the_edges_decide_as_the_library_does() {
        for threshold in [0.0, -0.0, 1e-50, -1e-50, 5e-324, 1e39, -1e39, f64::INFINITY, 0.1, 2.45] {
            check_floor(threshold);
            check_strict(threshold as f32);
        }
    }

    proptest! {
        #[test]
        fn a_floored_threshold_decides_as_the_64_bit_threshold_does(bits: u64, near_one: f32) {
            let any = f64::from_bits(bits);
            if !any.is_nan() {
                check_floor(any);
            }
            check_floor(f64::from(near_one) * (1.0 + f64::EPSILON));
            check_floor(f64::from(near_one));
        }

        #[test]
        fn a_strict_threshold_decides_as_less_than_does(bits: u32) {
            let bound = f32::from_bits(bits);
            if !bound.is_nan() {
                check_strict(bound);
            }
        }

        #[test]
        fn keys_are_in_the_order_of_their_floats(one: f32, other: f32) {
            prop_assert_eq!(key(one).cmp(&key(other)), one.partial_cmp(&other).unwrap());
            prop_assert_eq!(value(key(one)).to_bits(), (one + 0.0).to_bits());
        }
    }

    #[test]
    fn a_missing_value_is_above_every_threshold_of_a_split() {
        assert!(key(f32::NAN) > key(f32::INFINITY));
        assert!(key(-f32::NAN) > key(f32::MAX));
        assert!(value(MISSING).is_nan());
    }
}
