//! Times in the API: RFC 3339, or a length back from now.

use provost_domain::plan::Timestamp;

/// A moment in RFC 3339 with milliseconds.
pub(crate) fn format_time(time: Timestamp) -> String {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| millis.to_string(), |time| format!("{time:.3}"))
}

/// A moment in RFC 3339 with microseconds, from nanoseconds since 1970 UTC.
pub(crate) fn format_nanos(nanos: i64) -> String {
    jiff::Timestamp::from_nanosecond(nanos.into()).map_or_else(|_| nanos.to_string(), |time| format!("{time:.6}"))
}

/// Reads a moment: RFC 3339, or `15m`, `2h`, `3d`, `30s` before `now`. Nanoseconds since 1970 UTC.
pub(crate) fn parse_time(text: &str, now: Timestamp) -> Option<i64> {
    let now = i64::try_from(now.as_millis()).ok()?.checked_mul(1_000_000)?;
    match parse_length(text) {
        Some(length) => now.checked_sub(length),
        None => i64::try_from(text.parse::<jiff::Timestamp>().ok()?.as_nanosecond()).ok(),
    }
}

/// Nanoseconds of a length such as `15m`.
fn parse_length(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u32>().ok().map(i64::from)?.checked_mul(seconds)?.checked_mul(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_absolute_or_back_from_now() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        assert_eq!(parse_time("2m", now), Some((1_800_000_000 - 120) * 1_000_000_000));
        assert_eq!(parse_time("1970-01-01T00:00:01Z", now), Some(1_000_000_000));
        assert_eq!(parse_time("1970-01-01T01:00:01.5+01:00", now), Some(1_500_000_000));
        for wrong in ["", "m", "-1m", "1w", "yesterday", "é", "99999999999d"] {
            assert_eq!(parse_time(wrong, now), None, "{wrong}");
        }
        assert_eq!(format_time(now), "2027-01-15T08:00:00.000Z");
        assert_eq!(format_nanos(1_500), "1970-01-01T00:00:00.000001Z");
    }
}
