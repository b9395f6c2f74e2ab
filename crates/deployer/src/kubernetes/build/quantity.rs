//! Amounts of resources as Kubernetes writes them, read and added exactly.

/// Parts of one in which amounts are counted: the smallest suffix is `n`.
const NANO: i128 = 1_000_000_000;
/// Longest number that is read: more digits than any machine has bytes.
const DIGITS_MAX: usize = 18;
/// Suffixes with what they multiply by, in billionths.
const SUFFIXES: [(&str, i128); 16] = [
    ("Ki", NANO << 10),
    ("Mi", NANO << 20),
    ("Gi", NANO << 30),
    ("Ti", NANO << 40),
    ("Pi", NANO << 50),
    ("Ei", NANO << 60),
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("", NANO),
    ("k", NANO * 1_000),
    ("M", NANO * 1_000_000),
    ("G", NANO * 1_000_000_000),
    ("T", NANO * 1_000_000_000_000),
    ("P", NANO * 1_000_000_000_000_000),
    ("E", NANO * 1_000_000_000_000_000_000),
];

/// What amounts are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Thousandths: of a processor.
    Milli,
    /// Whole ones: bytes, or devices.
    Whole,
}

impl Unit {
    /// The unit of a resource.
    pub(super) fn of(resource: &str) -> Self {
        if resource == "cpu" { Self::Milli } else { Self::Whole }
    }

    fn nano(self) -> i128 {
        match self {
            Self::Milli => NANO / 1_000,
            Self::Whole => NANO,
        }
    }
}

/// Reads an amount in its unit, rounded up as Kubernetes does; `None` when it is not one.
pub(super) fn parse(text: &str, unit: Unit) -> Option<i128> {
    let end = text.find(|byte: char| !byte.is_ascii_digit() && byte != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > DIGITS_MAX {
        return None;
    }
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?) * unit.nano();
    let nano = digits.parse::<i128>().ok()?.checked_mul(multiplier(suffix)?)?;
    Some(nano / scale + i128::from(nano % scale != 0))
}

fn multiplier(suffix: &str) -> Option<i128> {
    let known = SUFFIXES.iter().find(|(name, _)| *name == suffix).map(|(_, multiplier)| *multiplier);
    known.or_else(|| {
        let exponent: u32 = suffix.strip_prefix(['e', 'E'])?.parse().ok().filter(|exponent| *exponent <= 18)?;
        Some(NANO * 10_i128.pow(exponent))
    })
}

/// Writes an amount as people do: `1500m`, `2`, `1536Mi`.
pub(super) fn format(amount: i128, unit: Unit) -> String {
    match unit {
        Unit::Milli if amount % 1_000 == 0 => (amount / 1_000).to_string(),
        Unit::Milli => format!("{amount}m"),
        Unit::Whole => {
            let binary = ["Ei", "Pi", "Ti", "Gi", "Mi", "Ki"].into_iter().zip([60, 50, 40, 30, 20, 10]);
            let fits = |shift: u32| amount != 0 && amount % (1_i128 << shift) == 0;
            let found = binary.into_iter().find(|(_, shift)| fits(*shift));
            found.map_or_else(|| amount.to_string(), |(suffix, shift)| format!("{}{suffix}", amount >> shift))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_read_in_thousandths() {
        for (text, expected) in [
            ("100m", Some(100)),
            ("0.5", Some(500)),
            ("2", Some(2_000)),
            ("1.", Some(1_000)),
            (".25", Some(250)),
            ("1e1", Some(10_000)),
            ("0.0001", Some(1)),
            ("100n", Some(1)),
            ("", None),
            (".", None),
            ("m", None),
            ("-1", None),
            ("1 m", None),
            ("1.2.3", None),
            ("1e99", None),
            ("half", None),
        ] {
            assert_eq!(parse(text, Unit::of("cpu")), expected, "{text}");
        }
    }

    #[test]
    fn memory_is_read_in_bytes() {
        for (text, expected) in [
            ("1", Some(1)),
            ("1Ki", Some(1 << 10)),
            ("100Mi", Some(100 << 20)),
            ("1.5Gi", Some(3 << 29)),
            ("16Ei", Some(16 << 60)),
            ("100M", Some(100_000_000)),
            ("1k", Some(1_000)),
            ("1E", Some(1_000_000_000_000_000_000)),
            ("1500m", Some(2)),
            ("1K", None),
            ("1MB", None),
            ("1mi", None),
            ("9999999999999999999", None),
        ] {
            assert_eq!(parse(text, Unit::of("memory")), expected, "{text}");
        }
    }

    #[test]
    fn amounts_are_written_in_their_largest_unit() {
        for (amount, unit, expected) in [
            (1_500, Unit::Milli, "1500m"),
            (2_000, Unit::Milli, "2"),
            (3 << 29, Unit::Whole, "1536Mi"),
            (1 << 30, Unit::Whole, "1Gi"),
            (1_000, Unit::Whole, "1000"),
            (0, Unit::Whole, "0"),
        ] {
            assert_eq!(format(amount, unit), expected);
        }
    }
}
