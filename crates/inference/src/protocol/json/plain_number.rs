//! The numbers that most requests are made of, such as `-1.3032`, read without a branch for each digit:
//! how many digits there are differs from number to number, and would be guessed wrong once a number.

use super::EXACT_POWERS;

/// Bytes that are looked at: sign, up to 8 digits, the point, up to 16 digits, and what follows.
const WINDOW: usize = 1 + 8 + 1 + 16 + 1;

/// Reads a number of up to 7 digits before and 15 after the decimal point, and its length; `None` for
/// what has more or an exponent, and for what is no number.
pub(super) fn plain_number(text: &[u8]) -> Option<(f64, usize)> {
    match text.first_chunk() {
        Some(window) => read(window),
        None => {
            let mut window = [0; WINDOW];
            window[..text.len()].copy_from_slice(text);
            read(&window)
        }
    }
}

#[inline]
fn read(window: &[u8; WINDOW]) -> Option<(f64, usize)> {
    let sign = usize::from(window[0] == b'-');
    let first = digit(window[sign])?;
    let (mut mantissa, mut end) = (first, sign + 1);
    while let Some(next) = digit(window[end]) {
        if first == 0 || end - sign == 7 {
            return None;
        }
        (mantissa, end) = (mantissa * 10 + next, end + 1);
    }
    let whole = end - sign;
    let mut fraction = 0;
    if window[end] == b'.' {
        let (digits, count) = leading_digits(eight(window, end + 1));
        mantissa = mantissa * INTEGER_POWERS[count] + digits;
        fraction = count;
        if count == 8 {
            let (digits, count) = leading_digits(eight(window, end + 9));
            mantissa = mantissa.wrapping_mul(INTEGER_POWERS[count]).wrapping_add(digits);
            fraction += count;
        }
        if fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    }
    let is_exact = fraction < 16 && whole + fraction < 20 && mantissa < 1 << 53;
    if !is_exact || matches!(window.get(end), Some(b'e' | b'E') | None) {
        return None;
    }
    // Both operands are exact, so the one rounding of the division is the correct one (Clinger 1990).
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let value = mantissa as f64 / EXACT_POWERS[fraction];
    Some((f64::from_bits(value.to_bits() | (sign as u64) << 63), end))
}

#[inline]
fn digit(character: u8) -> Option<u64> {
    let value = character.wrapping_sub(b'0');
    (value < 10).then_some(u64::from(value))
}

/// Powers of ten by their exponent.
const INTEGER_POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Eight characters; fewer near the end of the window, where no number that is read reaches.
#[inline]
fn eight(window: &[u8; WINDOW], at: usize) -> u64 {
    window.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

/// The number that the leading decimal digits of eight characters make (the first is the lowest byte),
/// and how many digits these are.
#[inline]
fn leading_digits(characters: u64) -> (u64, usize) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let values = characters ^ (ONES * 0x30);
    // The high bit of a byte is set where its value is no digit: 10 to 127 carry into it, others have it.
    let others = (((values & (ONES * 0x7f)) + ONES * (0x80 - 10)) | values) & (ONES * 0x80);
    let count = others.trailing_zeros() as usize / 8;
    // The digits move to the end and zeros lead. Then neighbours are joined: by two, by four, all eight.
    let digits = if count == 0 { 0 } else { values << (64 - 8 * count) };
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    (low.wrapping_add(high) >> 32, count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_are_read_eight_at_a_time() {
        for (text, expected) in [
            ("12345678", (12_345_678, 8)),
            ("00000000", (0, 8)),
            ("99999999", (99_999_999, 8)),
            ("1,234567", (1, 1)),
            ("907].345", (907, 3)),
            ("1234567/", (1_234_567, 7)),
            ("123456:8", (123_456, 6)),
            (",1234567", (0, 0)),
            ("\u{e9}123456", (0, 0)),
            ("12\u{b0}1234", (12, 2)),
        ] {
            let bytes = *text.as_bytes().first_chunk().unwrap();
            assert_eq!(leading_digits(u64::from_le_bytes(bytes)), expected, "{text}");
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Option<(f64, usize)>) {
        let padded = format!("{text:<40}");
        let bits = |read: Option<(f64, usize)>| read.map(|(value, length)| (value.to_bits(), length));
        assert_eq!(bits(plain_number(padded.as_bytes())), bits(expected), "{text}");
    }

    #[test]
    fn what_is_not_plain_is_left_to_others() {
        check("-0", Some((-0.0, 2)));
        check("0.5,", Some((0.5, 3)));
        check("1234567.123456789]", Some((1_234_567.123_456_789, 17)));
        check("0.123456789012345", Some((0.123_456_789_012_345, 17)));
        for text in [
            "",
            "-",
            "+1",
            ".5",
            "1.",
            "01",
            "-01.5",
            "1e5",
            "1.5e5",
            "1.5E5",
            "12345678",
            "0.1234567890123456",
            "9999999.123456789012",
            "NaN",
            "null",
        ] {
            check(text, None);
        }
        assert_eq!(plain_number(b"-1.5"), Some((-1.5, 4)), "at the end of the text");
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_the_standard_library(
            whole in prop_oneof![0..10_u32, 0..10_000_000_u32],
            fraction in prop_oneof![Just(String::new()), "[.][0-9]{1,15}"],
            sign in prop_oneof![Just(""), Just("-")],
        ) {
            let text = format!("{sign}{whole}{fraction}");
            let padded = format!("{text}, {:40}", "");
            if let Some((value, length)) = plain_number(padded.as_bytes()) {
                prop_assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits());
                prop_assert_eq!(length, text.len());
            } else {
                let digits = text.replace(['-', '.'], "").parse::<u128>().unwrap();
                prop_assert!(digits >= 1 << 53 || text.len() > 20, "{} is plain", text);
            }
        }
    }
}
