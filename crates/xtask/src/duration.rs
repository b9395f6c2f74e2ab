//! Lengths of time, as people say them.

use std::time::Duration;

/// A length that was measured: `0.4 s`, `38 s`, `4 min 10 s`, `1 h 2 min`.
pub(crate) fn exactly(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", length.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A length that was guessed: rounded, so that it does not promise more than it knows.
pub(crate) fn about(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..10 => "a few seconds".to_owned(),
        10..60 => format!("about {} s", seconds.div_ceil(10) * 10),
        _ => format!("about {} min", (seconds + 30) / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_lengths_are_exact() {
        let said = |seconds| exactly(Duration::from_secs_f64(seconds));
        assert_eq!(said(0.43), "0.4 s");
        assert_eq!(said(38.9), "38 s");
        assert_eq!(said(250.0), "4 min 10 s");
        assert_eq!(said(3725.0), "1 h 2 min");
    }

    #[test]
    fn guessed_lengths_are_rounded() {
        let said = |seconds| about(Duration::from_secs(seconds));
        assert_eq!(said(4), "a few seconds");
        assert_eq!(said(41), "about 50 s");
        assert_eq!(said(60), "about 1 min");
        assert_eq!(said(100), "about 2 min");
    }
}
