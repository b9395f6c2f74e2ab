//! How long work rests after a failure, the longer the more failures there were in a row.

use std::time::Duration;

use provost_inference::record::Timestamp;

/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// When work failed last, and how often in a row.
#[derive(Debug, Default)]
pub(crate) struct Pause(Option<(Timestamp, u32)>);

impl Pause {
    /// Whether the last failure was too short a time ago. A clock that steps back ends the pause.
    pub(crate) fn is_on(&self, now: Timestamp) -> bool {
        self.0.is_some_and(|(at, failures)| {
            let pause = Duration::from_secs(1 << failures.min(6)).min(PAUSE_MAX);
            u64::try_from(now.0.saturating_sub(at.0)).is_ok_and(|since| Duration::from_nanos(since) < pause)
        })
    }

    /// Notes how the work went.
    pub(crate) fn note<T, E>(&mut self, now: Timestamp, done: &Result<T, E>) {
        let failures = self.0.map_or(0, |(_, failures)| failures);
        self.0 = done.is_err().then(|| (now, failures.saturating_add(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_end_with_success() {
        let (mut pause, mut now) = (Pause::default(), 0);
        for seconds in [2, 4, 8, 16, 32, 60, 60] {
            assert!(!pause.is_on(Timestamp(now)));
            pause.note(Timestamp(now), &Err::<(), _>(()));
            now += seconds * 1_000_000_000;
            assert!(pause.is_on(Timestamp(now - 1)), "{seconds}");
        }
        assert!(!pause.is_on(Timestamp(i64::MIN)), "the clock stepped back");
        pause.note(Timestamp(now), &Ok::<_, ()>(()));
        assert!(!pause.is_on(Timestamp(now)));
    }
}
