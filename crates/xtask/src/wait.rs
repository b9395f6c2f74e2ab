//! The one place that polls.

use std::{
    thread,
    time::{Duration, Instant},
};

const EVERY: Duration = Duration::from_millis(5);

/// Asks until there is an answer, or the time is over.
pub(crate) fn until<T>(at_most: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let answer = ask();
        if answer.is_some() || start.elapsed() >= at_most {
            return answer;
        }
        pause(EVERY);
    }
}

/// Lets time pass.
#[expect(clippy::disallowed_methods, reason = "the one place that polls")]
pub(crate) fn pause(length: Duration) {
    thread::sleep(length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_until_there_is_an_answer() {
        let mut asked = 0;
        let answer = until(Duration::from_secs(5), || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(answer, Some(3));
    }

    #[test]
    fn gives_up_when_the_time_is_over() {
        assert_eq!(until(Duration::ZERO, || None::<()>), None);
    }
}
