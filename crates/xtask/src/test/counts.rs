//! How many tests passed: read from what test runners write.

use std::{fmt, ops::AddAssign};

/// Tests of a suite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Counts {
    /// From the closing lines of `cargo test`, one a test binary.
    pub(crate) fn of_cargo(output: &str) -> Self {
        let lines = output.lines().filter_map(|line| line.trim().strip_prefix("test result: "));
        let parts = lines.flat_map(|line| line.split(['.', ';']));
        Self::sum(parts, "ignored")
    }

    /// From Vitest's line `Tests  1 failed | 44 passed (45)`.
    pub(crate) fn of_vitest(output: &str) -> Self {
        let lines = output.lines().filter_map(|line| line.trim().strip_prefix("Tests "));
        Self::sum(lines.flat_map(|line| line.split('|')), "skipped")
    }

    /// From Playwright's closing lines, `2 failed`, `5 passed (10.1s)`.
    pub(crate) fn of_playwright(output: &str) -> Self {
        let lines = output.lines().map(str::trim).filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        Self::sum(lines, "skipped")
    }

    /// Makes sure that a run that failed counts as failed, and one that went well as passed, whatever
    /// it wrote.
    pub(crate) fn with_status(mut self, is_success: bool) -> Self {
        if !is_success {
            self.failed = self.failed.max(1);
        } else if self.passed == 0 {
            self.passed = 1;
        }
        self
    }

    fn sum<'a>(parts: impl Iterator<Item = &'a str>, skipped: &str) -> Self {
        let mut counts = Self::default();
        for (count, word) in parts.filter_map(number_and_word) {
            match word {
                "passed" => counts.passed += count,
                "failed" => counts.failed += count,
                _ if word == skipped => counts.skipped += count,
                _ => {}
            }
        }
        counts
    }
}

/// `5 passed (10.1s)` is 5 and `passed`.
fn number_and_word(text: &str) -> Option<(usize, &str)> {
    let mut words = text.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?))
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn counts(passed: usize, failed: usize, skipped: usize) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn cargo_has_a_line_for_each_test_binary() {
        let output = "\
running 2 tests
test a ... ok
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.10s

test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s
";
        assert_eq!(Counts::of_cargo(output), counts(16, 2, 1));
    }

    #[test]
    fn vitest_counts_tests_and_not_files() {
        let output = "\
 Test Files  1 failed | 2 passed (3)
      Tests  1 failed | 44 passed | 2 skipped (47)
   Duration  1.20s
";
        assert_eq!(Counts::of_vitest(output), counts(44, 1, 2));
        assert_eq!(Counts::of_vitest("      Tests  45 passed (45)\n"), counts(45, 0, 0));
    }

    #[test]
    fn playwright_closes_with_a_line_a_kind() {
        let output = "\
Running 8 tests using 1 worker
  1 failed
    [chromium] › deploy.spec.ts:10:5 › deploys
  2 skipped
  5 passed (10.1s)
";
        assert_eq!(Counts::of_playwright(output), counts(5, 1, 2));
    }

    #[test]
    fn a_run_that_failed_before_its_tests_counts_as_one_failure() {
        assert_eq!(Counts::of_cargo("error: could not compile").with_status(false), counts(0, 1, 0));
        assert_eq!(counts(4, 2, 0).with_status(false), counts(4, 2, 0));
        assert_eq!(counts(0, 0, 0).with_status(true), counts(1, 0, 0));
    }

    #[test]
    fn the_closing_line() {
        assert_eq!(counts(812, 0, 1).to_string(), "812 passed, 0 failed, 1 skipped");
    }
}
