//! What the suites are, and what comes of one.

use std::fmt;

use anyhow::Result;
use clap::ValueEnum;

use super::{browser, buckets, checks, clients, cluster, console, counts::Counts, live_parity, request_log, rust};
use crate::{process, progress::Stage};

/// A suite, in the order they run: what fails soonest is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// House rules that a machine can see.
    Tidy,
    /// Rust is formatted.
    Format,
    /// The console's types, lints and unit tests.
    Console,
    /// Every Rust test.
    Rust,
    /// Clippy has nothing to say.
    Clippy,
    /// A reader of another make opens the request log's files.
    RequestLog,
    /// Models are fetched from buckets of real stores.
    Buckets,
    /// Clients and programs of others work with the real server.
    Clients,
    /// The operator, against a real Kubernetes.
    Cluster,
    /// Two versions of scikit-learn, run here, answer as the engines do.
    LiveParity,
    /// The console in a browser, against the real server.
    Browser,
    /// Licences and sources of dependencies, where cargo-deny is installed.
    Licences,
}

impl Suite {
    /// Those that this machine is asked for: cargo-deny takes minutes to build, and tidy knows the
    /// licences too.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let has_deny = process::find("cargo-deny").is_some();
        Self::value_variants().iter().copied().filter(move |suite| has_deny || *suite != Self::Licences)
    }

    /// Its name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tidy => "tidy",
            Self::Format => "format",
            Self::Console => "console",
            Self::Rust => "rust",
            Self::Clippy => "clippy",
            Self::RequestLog => "request-log",
            Self::Buckets => "buckets",
            Self::Clients => "clients",
            Self::Cluster => "cluster",
            Self::LiveParity => "live-parity",
            Self::Browser => "browser",
            Self::Licences => "licences",
        }
    }

    /// Seconds it may take on two cores with nothing built.
    pub(crate) const fn guess(self) -> u64 {
        match self {
            Self::Tidy | Self::Format | Self::Licences => 2,
            Self::Console => 60,
            Self::Rust => 480,
            Self::Clippy => 180,
            Self::RequestLog => 60,
            Self::Clients => 120,
            Self::Buckets | Self::LiveParity => 180,
            Self::Cluster => 1200,
            Self::Browser => 90,
        }
    }

    /// Whether `--quick` leaves it out.
    pub(crate) const fn is_slow(self) -> bool {
        !matches!(self, Self::Tidy | Self::Format | Self::Console | Self::Rust | Self::Licences)
    }

    /// Runs it. What keeps it from running makes it skipped; anything else that goes wrong is an error.
    pub(super) fn run(self, stage: &Stage<'_>) -> Result<Outcome> {
        match self {
            Self::Tidy => checks::tidy(stage),
            Self::Format => checks::format(stage),
            Self::Console => console::run(stage),
            Self::Rust => rust::run(stage),
            Self::Clippy => checks::clippy(stage),
            Self::RequestLog => request_log::run(stage),
            Self::Buckets => buckets::run(stage),
            Self::Clients => clients::run(stage),
            Self::Cluster => cluster::run(stage),
            Self::LiveParity => live_parity::run(stage),
            Self::Browser => browser::run(stage),
            Self::Licences => checks::licences(stage),
        }
    }
}

/// What came of a suite.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It ran.
    Ran {
        /// Its tests.
        counts: Counts,
        /// What it wrote.
        output: String,
    },
    /// It could not run, and why.
    Skipped(String),
}

impl Outcome {
    /// A suite that could not run for this.
    pub(super) fn skipped(error: &anyhow::Error) -> Self {
        let text = format!("{error:#}");
        Self::Skipped(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ran { counts, .. } if counts.failed == 0 => write!(formatter, "{} passed", counts.passed),
            Self::Ran { counts, .. } => write!(formatter, "{} FAILED, {} passed", counts.failed, counts.passed),
            Self::Skipped(_) => formatter.write_str("skipped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for suite in Suite::value_variants() {
            assert_eq!(suite.to_possible_value().unwrap().get_name(), suite.name());
        }
    }

    #[test]
    fn a_reason_is_one_line() {
        let error = anyhow::anyhow!("something is missing. Install it with\n\n    sudo apt-get install x");
        let Outcome::Skipped(reason) = Outcome::skipped(&error) else { panic!("it is skipped") };
        assert_eq!(reason, "something is missing. Install it with sudo apt-get install x");
    }
}
