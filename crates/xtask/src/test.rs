//! `cargo xtask test`: every suite this machine can run.
//!
//! A suite that cannot run is skipped and the reason listed; in CI that is a failure, so that nothing is
//! left out unnoticed.

mod browser;
mod buckets;
mod checks;
mod clients;
mod cluster;
mod console;
mod counts;
mod live_parity;
mod python_image;
mod request_log;
pub(crate) mod rust;
pub(crate) mod suite;

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    progress::Progress,
    test::{
        counts::Counts,
        suite::{Outcome, Suite},
    },
    workspace::{Workspace, is_ci},
};

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Leave out the slow suites.
    #[arg(long)]
    quick: bool,
    /// Only these suites.
    #[arg(long, value_enum)]
    suite: Vec<Suite>,
}

impl Arguments {
    fn suites(&self) -> Vec<Suite> {
        let chosen = Suite::all().filter(|suite| self.suite.is_empty() || self.suite.contains(suite));
        chosen.filter(|suite| !(self.quick && suite.is_slow())).collect()
    }
}

/// `cargo xtask test`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let report = run_suites(workspace, "test", &arguments.suites())?;
    println!("\n{}", report.text());
    Ok(report.exit_code())
}

/// Runs suites one after the other; a failure stops none.
pub(crate) fn run_suites(workspace: &Workspace, title: &'static str, suites: &[Suite]) -> Result<Report> {
    let stages: Vec<_> = suites.iter().map(|suite| (suite.name(), suite.guess())).collect();
    let mut progress = Progress::new(workspace, title, &stages)?;
    let mut report = Report::new(is_ci());
    for suite in suites {
        let outcome = progress.stage(|stage| {
            let outcome = suite.run(stage)?;
            stage.results_in(outcome.to_string());
            Ok(outcome)
        });
        report.add(*suite, outcome);
    }
    Ok(report)
}

/// What came of some suites.
#[derive(Debug)]
pub(crate) struct Report {
    is_ci: bool,
    counts: Counts,
    skipped: Vec<String>,
    failed: Vec<&'static str>,
}

impl Report {
    fn new(is_ci: bool) -> Self {
        Self { is_ci, counts: Counts::default(), skipped: Vec::new(), failed: Vec::new() }
    }

    /// Adds what came of a suite, and shows the output of one that failed.
    fn add(&mut self, suite: Suite, outcome: Result<Outcome>) {
        match outcome {
            Ok(Outcome::Ran { counts, output }) => {
                self.counts += counts;
                if counts.failed > 0 {
                    self.fail(suite, &output);
                }
            }
            Ok(Outcome::Skipped(reason)) => self.skip(suite, &reason),
            Err(error) => {
                self.counts.failed += 1;
                self.fail(suite, &format!("{error:#}"));
            }
        }
    }

    fn fail(&mut self, suite: Suite, output: &str) {
        println!("\n{output}\n");
        self.failed.push(suite.name());
    }

    fn skip(&mut self, suite: Suite, reason: &str) {
        self.skipped.push(format!("  {}: {reason}", suite.name()));
        if self.is_ci {
            self.counts.failed += 1;
            self.failed.push(suite.name());
        } else {
            self.counts.skipped += 1;
        }
    }

    /// The skipped, the failed, and the closing line.
    pub(crate) fn text(&self) -> String {
        let word = if self.is_ci { "Skipped, which is a failure in CI" } else { "Skipped" };
        let skipped = (!self.skipped.is_empty()).then(|| format!("{word}:\n{}", self.skipped.join("\n")));
        let failed = (!self.failed.is_empty()).then(|| format!("Failed: {}", self.failed.join(", ")));
        let parts = [skipped, failed, Some(self.counts.to_string())];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ran(passed: usize, failed: usize) -> Outcome {
        Outcome::Ran { counts: Counts { passed, failed, skipped: 0 }, output: String::new() }
    }

    fn skipped() -> Outcome {
        Outcome::Skipped("no Chromium".to_owned())
    }

    fn report(is_ci: bool, outcomes: Vec<(Suite, Outcome)>) -> Report {
        let mut report = Report::new(is_ci);
        for (suite, outcome) in outcomes {
            report.add(suite, Ok(outcome));
        }
        report
    }

    #[test]
    fn a_skipped_suite_is_listed_with_its_reason() {
        let report = report(false, vec![(Suite::Rust, ran(812, 0)), (Suite::Browser, skipped())]);
        assert_eq!(report.text(), "Skipped:\n  browser: no Chromium\n\n812 passed, 0 failed, 1 skipped");
        assert_eq!(report.exit_code(), ExitCode::SUCCESS);
    }

    #[test]
    fn in_ci_a_skipped_suite_is_a_failure() {
        let report = report(true, vec![(Suite::Rust, ran(812, 0)), (Suite::Browser, skipped())]);
        assert!(report.text().ends_with("Failed: browser\n\n812 passed, 1 failed, 0 skipped"), "{}", report.text());
        assert_eq!(report.exit_code(), ExitCode::FAILURE);
    }

    #[test]
    fn an_error_counts_as_one_failure() {
        let mut report = report(false, vec![(Suite::Rust, ran(3, 2))]);
        report.add(Suite::Clippy, Err(anyhow::anyhow!("no")));
        assert_eq!(report.text(), "Failed: rust, clippy\n\n3 passed, 3 failed, 0 skipped");
    }

    #[test]
    fn quick_leaves_out_what_is_slow() {
        let quick = Arguments { quick: true, suite: Vec::new() }.suites();
        assert!(
            quick.contains(&Suite::Rust) && !quick.contains(&Suite::Browser) && !quick.contains(&Suite::LiveParity)
        );
        let one = Arguments { quick: false, suite: vec![Suite::Browser] }.suites();
        assert_eq!(one, [Suite::Browser]);
    }
}
